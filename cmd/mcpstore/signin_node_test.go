package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// node returns a command that runs a Node.js program with those modules that
// .ci/clients installs, and which trusts the edge and finds it.
func (s *stage) node(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	home := clientsHome(t)
	resolve, err := filepath.Abs("testdata/signin/resolve.cjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(home, "node"), append([]string{"--require", resolve, script}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.edge.CAFile(), "NO_COLOR=1")
	return cmd
}

func clientsHome(t *testing.T) string {
	t.Helper()
	home := os.Getenv("MCPSTORE_TEST_CLIENTS")
	if home == "" {
		lacking(t, "the clients for Node.js are not installed: export MCPSTORE_TEST_CLIENTS=$(.ci/clients)")
	}
	return home
}

// sdkClient is a client of the TypeScript SDK in a process of its own: see
// testdata/signin/client.mjs.
type sdkClient struct {
	orders  io.Writer
	answers *bufio.Scanner
	stderr  *syncBuffer
}

// sdkAnswer is what it answers an order with. Exactly one of the first three
// is there.
type sdkAnswer struct {
	Result    json.RawMessage
	Error     string
	Authorize string
	Scope     string
}

func (s *stage) sdkClient(t *testing.T, shop *shop) *sdkClient {
	t.Helper()
	cmd := s.node(t, "testdata/signin/client.mjs", clientsHome(t), shop.endpoint)
	c := &sdkClient{stderr: new(syncBuffer)}
	cmd.Stderr = c.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	c.orders, c.answers = stdin, bufio.NewScanner(stdout)
	c.answers.Buffer(nil, 1<<20)
	return c
}

func (c *sdkClient) order(t *testing.T, order string) sdkAnswer {
	t.Helper()
	if _, err := fmt.Fprintln(c.orders, order); err != nil {
		t.Fatal(err)
	}
	return c.answer(t)
}

func (c *sdkClient) answer(t *testing.T) sdkAnswer {
	t.Helper()
	var a sdkAnswer
	if !c.answers.Scan() {
		t.Fatalf("the client ended: %v\n%s", c.answers.Err(), c.stderr)
	}
	if err := json.Unmarshal(c.answers.Bytes(), &a); err != nil || a.Error != "" {
		t.Fatalf("the client says %s, %v\n%s", c.answers.Bytes(), err, c.stderr)
	}
	return a
}

// allow lets it in with the passphrase, after what the owner does on the page
// before, and returns what it then answers.
func (s *stage) allow(t *testing.T, c *sdkClient, a sdkAnswer, before ...func(*tab)) sdkAnswer {
	t.Helper()
	if a.Authorize == "" {
		t.Fatalf("the client does not ask to be let in: %s", a.Result)
	}
	p := s.browser.open(t, a.Authorize, "en")
	for _, do := range before {
		do(p)
	}
	p.enter(passphrase)
	p.press("Allow")
	return c.answer(t)
}

func (s *stage) typeScriptSignsIn(t *testing.T) {
	shop := s.shop(t, "typescript", "--allow-writes")
	c := s.sdkClient(t, shop)
	if a := s.allow(t, c, c.order(t, `{"order":"connect"}`)); a.Scope != "stock:read" {
		t.Errorf("connected with %q, want stock:read", a.Scope)
	}

	if a := c.order(t, `{"order":"list"}`); !strings.Contains(string(a.Result), `"check_stock"`) || !strings.Contains(string(a.Result), `"record_movement"`) {
		t.Errorf("tools: %s", a.Result)
	}
	const check = `{"order":"call","name":"check_stock","arguments":{"product":"茶葉蛋","store":"KOKO便利店"}}`
	wantAvailable := func(a sdkAnswer, want int) {
		t.Helper()
		var result struct{ StructuredContent struct{ Available *int } }
		if err := json.Unmarshal(a.Result, &result); err != nil || result.StructuredContent.Available == nil || *result.StructuredContent.Available != want {
			t.Errorf("check_stock: %s, %v, want %d", a.Result, err, want)
		}
	}
	wantAvailable(c.order(t, check), 12)

	c.order(t, `{"order":"spoil"}`)
	wantAvailable(c.order(t, check), 12) // it refreshed

	a := c.order(t, `{"order":"call","name":"record_movement","arguments":`+oneEggSold+`}`)
	if a = s.allow(t, c, a); a.Scope != "stock:read stock:write" {
		t.Errorf("stepped up to %q, want stock:read stock:write", a.Scope)
	}
	wantAvailable(c.order(t, check), 11)

	for _, grant := range shop.grants(t) {
		mcpstore(t, "", "access", "grant", "revoke", grant.ID.String(), "--db", shop.db)
	}
	if a := c.order(t, check); a.Authorize == "" {
		t.Errorf("after the grants were revoked: %s, want that it must sign in", a.Result)
	}
}

// conformance runs the official suite's scenarios for authorization servers.
func (s *stage) conformance(t *testing.T) {
	shop := s.shop(t, "conformance")
	suite := filepath.Join(clientsHome(t), "node_modules/@modelcontextprotocol/conformance/dist/index.js")
	port := freePort(t)
	g := shop.guest(t, "Conformance", fmt.Sprintf("http://127.0.0.1:%d/callback", port))
	cmd := s.node(t, suite, "authorization", "--url", shop.issuer, "--client-id", g.id, "--resource", shop.endpoint, "--port", strconv.Itoa(port))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()

	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		line := lines.Text()
		fmt.Fprintln(&said, line)
		if strings.HasPrefix(line, g.metadata.AuthorizationEndpoint) {
			p := s.browser.open(t, line, "en")
			p.enter(passphrase)
			p.press("Allow")
		}
	}
	err = cmd.Wait()
	for _, scenario := range []string{"authorization-server-metadata-endpoint", "authorization-code-grant"} {
		if passed := regexp.MustCompile(`✓ ` + scenario + `: [1-9]\d* passed, 0 failed`); !passed.MatchString(said.String()) {
			t.Errorf("%s did not pass", scenario)
		}
	}
	if err != nil || t.Failed() {
		t.Errorf("conformance authorization: %v\n%s", err, said.String())
	}
}

// freePort returns a loopback port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
