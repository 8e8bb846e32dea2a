package access_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

// TestMain looks for every secret that the tests used in all that they had
// logged and answered.
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

// leaks returns the secrets that are in the transcript, be it half of one.
func (t *transcript) leaks() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	found := secret.Pattern.FindAllString(text, -1)
	for _, s := range t.secrets {
		for _, part := range []string{s[:len(s)/2], s[len(s)/2:]} {
			if len(part) >= 12 && strings.Contains(text, part) {
				found = append(found, s)
				break
			}
		}
	}
	return found
}

func TestLeaksAreFound(t *testing.T) {
	var own transcript
	token := secret.New(secret.API)
	passphrase := own.keep("correct horse battery staple")
	fmt.Fprintf(&own, "level=INFO msg=%q\n", "nothing to see")
	if found := own.leaks(); len(found) != 0 {
		t.Errorf("leaks() = %q, want none", found)
	}
	fmt.Fprintf(&own, "token %s, passphrase …%s\n", token, passphrase[14:])
	if found := own.leaks(); len(found) != 2 {
		t.Errorf("leaks() = %q, want two", found)
	}
}

// newLog returns a log of everything, into the transcript and to others.
func newLog(others ...io.Writer) *slog.Logger {
	to := io.MultiWriter(append(others, &said)...)
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
