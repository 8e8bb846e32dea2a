package main

import (
	"bufio"
	"path/filepath"
	"strings"
	"testing"
)

// Claude Desktop, and others that start a program instead of opening a URL, may
// sign in through mcp-remote.
func TestSignInThroughMCPRemote(t *testing.T) {
	t.Parallel()
	home := clientsHome(t)
	s := newStage(t)
	shop := s.shop(t, "remote")
	deliver(t, shop.db, 9)
	// The browser of this test finds 127.0.0.1, and not localhost.
	cmd := s.node(t, filepath.Join("testdata/clients", "mcp-remote.mjs"), home, shop.endpoint, "--host", "127.0.0.1", "--auth-timeout", "60")
	cmd.Env = append(cmd.Env, "PATH=") // so that it opens no other browser
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	answer := startClient(t, cmd, "")

	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := lines.Text()
		said.WriteString(line + "\n")
		if strings.HasPrefix(line, shop.issuer+"/authorize?") {
			p := s.browser.open(t, line, "en")
			p.enter(passphrase)
			p.press("Allow")
		}
	}
	answer().check(t, 12+9)
	if grants := shop.grants(t); len(grants) != 1 || strings.Join(grants[0].Scopes, " ") != "stock:read" {
		t.Errorf("grants = %+v, want one of stock:read", grants)
	}
	if t.Failed() {
		t.Logf("mcp-remote said:\n%s", said.String())
	}
}
