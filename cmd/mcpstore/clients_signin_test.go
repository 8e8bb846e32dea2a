package main

import (
	"bufio"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// remoteIn has mcp-remote ask for the stock, and sign in where it wants to. Its
// home may have what it kept there before.
func (s *stage) remoteIn(t *testing.T, home string, shop *shop) (a clientAnswer, signedIn int) {
	t.Helper()
	// The browser of this test finds 127.0.0.1, and not localhost.
	cmd := s.node(t, filepath.Join("testdata/clients", "mcp-remote.mjs"), clientsHome(t), shop.endpoint, "--host", "127.0.0.1", "--auth-timeout", "60")
	cmd.Env = append(cmd.Env, "PATH=") // so that it opens no other browser
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	answer := startClientIn(t, home, cmd, "")

	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := lines.Text()
		said.WriteString(line + "\n")
		if strings.HasPrefix(line, shop.issuer+"/authorize?") {
			p := s.browser.open(t, line, "en")
			p.enter(passphrase)
			p.press("Allow")
			signedIn++
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("mcp-remote said:\n%s", said.String())
		}
	})
	return answer(), signedIn
}

// Claude Desktop, and others that start a program instead of opening a URL, may
// sign in through mcp-remote.
func TestSignInThroughMCPRemote(t *testing.T) {
	t.Parallel()
	clientsHome(t)
	s := newStage(t)
	shop := s.shop(t, "remote")
	deliver(t, shop.db, 9)
	home := t.TempDir()
	wantGrant := func(when string) {
		t.Helper()
		if grants := shop.grants(t); len(grants) != 1 || strings.Join(grants[0].Scopes, " ") != "stock:read" {
			t.Errorf("%s: grants = %+v, want one of stock:read", when, grants)
		}
	}
	answer, _ := s.remoteIn(t, home, shop)
	answer.check(t, 12+9)
	wantGrant("at first")

	// Where the server has forgotten it, it registers again by itself.
	db, err := sql.Open("sqlite", shop.db)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"tokens", "grants", "clients"} {
		if _, err := db.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	answer, signedIn := s.remoteIn(t, home, shop)
	answer.check(t, 12+9)
	if signedIn != 1 {
		t.Errorf("after it was forgotten it signed in %d times, want once", signedIn)
	}
	wantGrant("after it was forgotten")
}
