package oauth

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

// TestMain looks for every secret that the tests used in all that they had
// logged, and in all refusals.
func TestMain(m *testing.M) {
	code := m.Run()
	if found := said.leaks(); code == 0 && len(found) > 0 {
		fmt.Fprintf(os.Stderr, "secrets were given away:\n%s\n", strings.Join(found, "\n"))
		code = 1
	}
	os.Exit(code)
}

// said is what anybody could read while the tests ran.
var said transcript

// transcript keeps what was written to it, and what may not be in it.
type transcript struct {
	mu      sync.Mutex
	text    strings.Builder
	secrets []string
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// keep has a secret looked for, and returns it.
func (t *transcript) keep(secret string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, secret)
	return secret
}

func (t *transcript) leaks() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	found := secret.Pattern.FindAllString(text, -1)
	for _, s := range t.secrets {
		if strings.Contains(text, s) {
			found = append(found, s)
		}
	}
	return found
}

func TestLeaksAreFound(t *testing.T) {
	var own transcript
	token, code := secret.New(secret.Refresh), own.keep("1234-5678")
	fmt.Fprintln(&own, "level=INFO msg=harmless")
	if found := own.leaks(); len(found) != 0 {
		t.Errorf("leaks() = %q, want none", found)
	}
	fmt.Fprintf(&own, "level=INFO msg=%q code=%s\n", "it was "+token, code)
	if found := own.leaks(); len(found) != 2 {
		t.Errorf("leaks() = %q, want two", found)
	}
}
