package access_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/attacks.md")

// attack is something that somebody tries, in one way or in several. Each try
// must get what want says and change nothing; and what it is like must work
// where it is done rightly, or else a server that refuses everything would pass.
type attack struct {
	name  string         // of the test, after that of the area
	tries string         // for readers
	want  want           // what answers every try
	so    string         // what else holds, for readers; "" for nothing
	in    func(*options) // how the house is set up; nil for the usual
	by    func(h *house)
}

// want is an answer: its status, and what [reply.code] says of it.
type want struct {
	status int
	code   string
}

func (w want) String() string {
	switch w.code {
	case "":
		return fmt.Sprint(w.status)
	case onPage:
		return fmt.Sprintf("%d and a page", w.status)
	}
	return fmt.Sprintf("%d `%s`", w.status, w.code)
}

// area is a part of the server that is attacked.
type area struct {
	name    string // of the tests
	title   string // for readers
	attacks []attack
}

var areas = []area{
	tokenAttacks, scopeAttacks, requestAttacks, redirectAttacks, codeAttacks, refreshAttacks, consentAttacks, guessingAttacks, documentAttacks, registrationAttacks,
	issuerAttacks, addressAttacks, hostAttacks, transportAttacks, batchAttacks, overloadAttacks, shopAttacks, argumentAttacks, logAttacks,
}

func TestAttacks(t *testing.T) {
	for _, area := range areas {
		t.Run(area.name, func(t *testing.T) {
			t.Parallel()
			for _, a := range area.attacks {
				t.Run(a.name, func(t *testing.T) {
					t.Parallel()
					h := openHouse(t, a)
					a.by(h)
					if h.refusals == 0 || h.successes == 0 {
						t.Errorf("%d tries were refused, and %d like them worked; want some of both", h.refusals, h.successes)
					}
				})
			}
		})
	}
}

const attacksFile = "../../docs/attacks.md"

func TestTheTableOfAttacksIsPublished(t *testing.T) {
	want := attacksTable()
	if *update {
		if err := os.WriteFile(attacksFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(attacksFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/attacks.md is not the table of the tests (-want +got):\n%s\nto rewrite it: go test ./internal/access -run TestTheTable -update", diff)
	}
}

// attacksTable is the table as people read it.
func attacksTable() []byte {
	var b bytes.Buffer
	n := 0
	for _, area := range areas {
		n += len(area.attacks)
	}
	fmt.Fprintf(&b, `# Attacks

%d attacks that are tried on the whole server, from the socket to the stock, by
the tests in internal/access. Every try must get the answer that is named here,
and must leave no grant, token, movement or reservation behind. Beside each, the
test does the same thing rightly, which must work.

    go test ./internal/access -run 'TestAttacks/tokens/revoked'

An answer is its HTTP status and the error that comes with it: OAuth's (RFC 6749,
RFC 6750), JSON-RPC's number, or a tool's code. This file is written by the
tests: go test ./internal/access -run TestTheTable -update
`, n)
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, area := range areas {
		fmt.Fprintf(&b, "\n## %s\n\n| attack | answer | test |\n|---|---|---|\n", area.title)
		for _, a := range area.attacks {
			answer := a.want.String()
			if a.so != "" {
				answer += ": " + a.so
			}
			fmt.Fprintf(&b, "| %s | %s | `%s/%s` |\n", cell.Replace(a.tries), cell.Replace(answer), area.name, a.name)
		}
	}
	return b.Bytes()
}
