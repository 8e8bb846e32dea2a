package secrettest

import (
	"fmt"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

func TestLeaksAreFound(t *testing.T) {
	var own Transcript
	token, code := secret.New(secret.Refresh), own.Keep("1234-5678")
	passphrase := own.Keep("correct horse battery staple")
	fmt.Fprintf(&own, "level=INFO msg=%q\n", "nothing to see")
	if found := own.Leaks(); len(found) != 0 {
		t.Errorf("Leaks() = %q, want none", found)
	}
	fmt.Fprintf(&own, "level=INFO msg=%q code=%s\n", "it was "+token, code)
	if found := own.Leaks(); len(found) != 2 {
		t.Errorf("Leaks() = %q, want two", found)
	}
	fmt.Fprintf(&own, "token %s, passphrase …%s\n", secret.New(secret.API), passphrase[14:])
	if found := own.Leaks(); len(found) != 4 {
		t.Errorf("Leaks() = %q, want four", found)
	}
}
