// Package secrettest looks for the secrets that tests used in what anybody could
// read while they ran.
package secrettest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

// Transcript keeps what was written to it, and what may not be in it. It is for
// many goroutines.
type Transcript struct {
	mu      sync.Mutex
	text    strings.Builder
	secrets []string
}

// Write adds what anybody could read.
func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// Keep has a secret looked for, and returns it.
func (t *Transcript) Keep(secret string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, secret)
	return secret
}

// Leaks returns the secrets that are in the transcript, be it half of a long
// one.
func (t *Transcript) Leaks() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	found := secret.Pattern.FindAllString(text, -1)
	for _, s := range t.secrets {
		for _, part := range []string{s, s[:len(s)/2], s[len(s)/2:]} {
			if (part == s || len(part) >= 12) && strings.Contains(text, part) {
				found = append(found, s)
				break
			}
		}
	}
	return found
}

// Main runs the tests of a package and then looks for leaks. It returns the exit
// code.
func (t *Transcript) Main(m *testing.M) int {
	code := m.Run()
	if found := t.Leaks(); code == 0 && len(found) > 0 {
		fmt.Fprintf(os.Stderr, "secrets were given away:\n%s\n", strings.Join(found, "\n"))
		code = 1
	}
	return code
}
