package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// clientsOfOthers are the programs in testdata/clients, as docs/clients.md
// lists them.
var clientsOfOthers = []struct {
	name    string
	script  string
	args    []string
	chatter *regexp.Regexp // lines on stderr that are no complaint, nil for none
	refused *regexp.Regexp // what it says where it lacks the token, nil for a 401
}{
	{name: "Agents SDK", script: "agents.mjs"},
	{name: "AI SDK", script: "ai-sdk.mjs"},
	{name: "TypeScript SDK 1", script: "sdk.mjs"},
	{name: "TypeScript SDK 2 of 2025-11-25", script: "client.mjs", args: []string{"legacy", "2025-11-25"}},
	{name: "TypeScript SDK 2 of 2026-07-28", script: "client.mjs", args: []string{"2026-07-28", "2026-07-28"}},
	{name: "TypeScript SDK 2 that chooses", script: "client.mjs", args: []string{"auto", "2026-07-28"}},
	{name: "mcp-remote", script: "mcp-remote.mjs", chatter: remoteChatter, refused: remoteRefused},
	{name: "mcp-remote that chooses", script: "mcp-remote.mjs", args: []string{"--protocol", "auto"}, chatter: remoteChatter, refused: remoteRefused},
	{name: "Inspector", script: "inspector.mjs", refused: inspectorRefused},
	{name: "Inspector of 2026-07-28", script: "inspector.mjs", args: []string{"--protocol-era", "modern"}, refused: inspectorRefused},
}

var (
	// remoteChatter also takes the messages that it shows, which are indented.
	remoteChatter = regexp.MustCompile(`^(\[\d+\] )*(Using |Replacing |Discovering |Discovered |Connecting |Connected |Remote server speaks |Local STDIO |Proxy established |Press |\[Local→Remote\]|\[Remote→Local\]|Shutting down|\{?$)|^[ }]`)
	// remoteRefused is what a 401 comes to: it goes on to sign in, and a server
	// that takes tokens alone has nowhere to.
	remoteRefused    = regexp.MustCompile(`Fatal error: .*Dynamic Client Registration rejected \(HTTP 404\)`)
	inspectorRefused = regexp.MustCompile(`"code":"auth_required"`)
)

// TestClientsOfOthers has clients that nobody here wrote list the tools and ask
// for a level by the public URL: of a server that lets in anybody, of one that
// wants a token, and of one at which they could also sign in, which tempts some
// to do so with a token in hand.
func TestClientsOfOthers(t *testing.T) {
	t.Parallel()
	home := clientsHome(t)
	s := &stage{edge: tunneltest.Start(t, tunneltest.Config{})}
	// Each has a level of its own, and none has the demo data's 12.
	anybody, token, oauth := s.stocked(t, "none", 31), s.stocked(t, "token", 5), s.stocked(t, "oauth", 70)

	for _, c := range clientsOfOthers {
		ask := func(t *testing.T, shop *shop, token string) clientAnswer {
			t.Parallel()
			cmd := s.node(t, filepath.Join("testdata/clients", c.script), append([]string{home, shop.endpoint}, c.args...)...)
			return askClient(t, cmd, token)
		}
		answered := func(t *testing.T, a clientAnswer, available int) {
			a.check(t, available)
			a.checkQuiet(t, c.chatter)
		}
		t.Run(c.name+" asks as anybody", func(t *testing.T) { answered(t, ask(t, anybody.shop, ""), 12+31) })
		t.Run(c.name+" asks with a token", func(t *testing.T) { answered(t, ask(t, token.shop, token.token), 12+5) })
		t.Run(c.name+" asks with a token and does not sign in", func(t *testing.T) { answered(t, ask(t, oauth.shop, oauth.token), 12+70) })
		t.Run(c.name+" is refused without a token", func(t *testing.T) { ask(t, token.shop, "").checkRefused(t, c.refused) })
	}
}

// stocked is a shop with a token to it.
type stocked struct {
	*shop
	token string
}

// stocked starts mcpstore with the demo data on a URL of this name, which is
// also its --auth, and has so many tea eggs delivered.
func (s *stage) stocked(t *testing.T, auth string, eggs int) stocked {
	t.Helper()
	db := filepath.Join(t.TempDir(), "shop.db")
	p := start(t, s.edge, "--db", db, "--auth", auth, "--url", "https://"+auth+domain)
	deliver(t, db, eggs)
	token := strings.TrimSpace(mcpstore(t, "", "access", "token", "create", "--db", db, "--name", "clients"))
	return stocked{&shop{program: p, db: db}, token}
}

// deliver brings so many tea eggs to a store.
func deliver(t *testing.T, db string, eggs int) {
	t.Helper()
	mcpstore(t, "", "stock", "move", "--db", db, "--store", "KOKO便利店 大安店", "--product", "茶葉蛋", "--delta", strconv.Itoa(eggs), "--reason", "delivery")
}

// clientAnswer is the line that a program of testdata/clients prints.
type clientAnswer struct {
	Tools      []string
	Text       string
	Structured struct {
		Product   struct{ Name string }
		Available *int
	}
	Error  string
	Status int

	exitCode       int
	stdout, stderr string
}

// askClient runs a client with the token, "" for none.
func askClient(t *testing.T, cmd *exec.Cmd, token string) clientAnswer {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	a := startClient(t, cmd, token)()
	a.stderr = stderr.String()
	return a
}

// startClient starts a client that has a home of its own, and returns what
// awaits its answer.
func startClient(t *testing.T, cmd *exec.Cmd, token string) func() clientAnswer {
	t.Helper()
	return startClientIn(t, t.TempDir(), cmd, token)
}

// startClientIn is startClient with a home that may have what was kept there.
func startClientIn(t *testing.T, home string, cmd *exec.Cmd, token string) func() clientAnswer {
	t.Helper()
	cmd.Env = append(cmd.Env, "MCPSTORE_TOKEN="+token, "HOME="+home, "MCP_REMOTE_CONFIG_DIR="+home)
	var stdout strings.Builder
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := sync.OnceFunc(func() { cmd.Wait() })
	t.Cleanup(wait)
	return func() clientAnswer {
		t.Helper()
		wait()
		a := clientAnswer{exitCode: cmd.ProcessState.ExitCode(), stdout: stdout.String()}
		if err := json.Unmarshal([]byte(a.stdout), &a); err != nil {
			t.Fatalf("%v\nstdout: %s\nstderr: %v", err, a.stdout, cmd.Stderr)
		}
		return a
	}
}

func (a clientAnswer) check(t *testing.T, available int) {
	t.Helper()
	want := []string{"check_stock", "get_product", "list_expiring", "list_low_stock", "list_stores", "search_products", "stock_history"}
	if diff := cmp.Diff(want, a.Tools); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	if want := fmt.Sprintf("KOKO便利店 茶葉蛋：%d 顆", available); !strings.HasPrefix(a.Text, want) {
		t.Errorf("text = %q, want %q…", a.Text, want)
	}
	if s := a.Structured; s.Available == nil || *s.Available != available || s.Product.Name != "茶葉蛋" {
		t.Errorf("structured content is not of %d tea eggs", available)
	}
	if t.Failed() || a.exitCode != 0 {
		t.Errorf("exit code %d\nstdout: %s\nstderr: %s", a.exitCode, a.stdout, a.stderr)
	}
}

// checkQuiet finds what the client complains of.
func (a clientAnswer) checkQuiet(t *testing.T, chatter *regexp.Regexp) {
	t.Helper()
	for line := range strings.Lines(a.stderr) {
		if chatter == nil || !chatter.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("it complains: %s", line)
		}
	}
}

// checkRefused checks that the client failed for want of a token, and says so.
func (a clientAnswer) checkRefused(t *testing.T, says *regexp.Regexp) {
	t.Helper()
	refused := a.Status == http.StatusUnauthorized
	if says != nil {
		refused = says.MatchString(a.Error) || says.MatchString(a.stderr)
	}
	if !refused || a.exitCode != 1 || a.Text != "" || a.Tools != nil {
		t.Errorf("without the token: exit code %d\nstdout: %s\nstderr: %s", a.exitCode, a.stdout, a.stderr)
	}
}
