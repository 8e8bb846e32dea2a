package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpstore/mcpstore/internal/openai"
	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
)

const shopToken = "mcps_test" // that the shop wants, if it wants one

// shop is an MCP server on loopback, with a tool that reads and one that does not.
type shop struct {
	url     string
	calls   atomic.Int64 // of either
	changes atomic.Int64
}

// newShop starts one that lets in whoever sends token, or anyone if it is "".
func newShop(t *testing.T, token string) *shop {
	t.Helper()
	s := new(shop)
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	schema := map[string]any{"type": "object"}
	server.AddTool(&mcp.Tool{Name: "check_stock", InputSchema: schema, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			s.calls.Add(1)
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "12"}}}, nil
		})
	server.AddTool(&mcp.Tool{Name: "record_movement", InputSchema: schema},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			s.calls.Add(1)
			s.changes.Add(1)
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "11"}}}, nil
		})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		want := ""
		if token != "" {
			want = "Bearer " + token
		}
		if got := r.Header.Get("Authorization"); got != want {
			http.Error(w, "the token is wrong", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.url = web.URL + "/mcp"
	return s
}

// openAI is the stand-in for OpenAI, with what it was sent.
type openAI struct {
	url    string
	mu     sync.Mutex
	bodies [][]byte
}

func newOpenAI(t *testing.T, script openaitest.Script) *openAI {
	t.Helper()
	stand := openaitest.New(openaitest.Config{MayDial: true})
	t.Cleanup(stand.Close)
	stand.Use(script)
	to, err := url.Parse(strings.TrimSuffix(stand.URL(), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	o := new(openAI)
	proxy := httputil.NewSingleHostReverseProxy(to)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		o.bodies = append(o.bodies, body)
		o.mu.Unlock()
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	o.url = web.URL + "/v1"
	return o
}

// sent returns the requests that came in, as JSON.
func (o *openAI) sent(t *testing.T) []map[string]any {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []map[string]any
	for _, body := range o.bodies {
		all = append(all, parse(t, body))
	}
	return all
}

func parse(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// run runs code as the guide says to, and returns what it prints.
func (o *openAI) run(t *testing.T, sdk openai.SDK, code, stdin string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	file := map[openai.SDK]string{openai.Curl: "ask.sh", openai.Python: "ask.py", openai.TypeScript: "ask.mts", openai.Go: "main.go"}[sdk]
	file = filepath.Join(dir, file)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	var cmd *exec.Cmd
	switch sdk {
	case openai.Curl:
		needs(t, "curl")
		cmd = exec.CommandContext(t.Context(), needs(t, "bash"), file)
	case openai.Python:
		cmd = exec.CommandContext(t.Context(), needs(t, "python3"), file)
	case openai.TypeScript:
		home := clientsHome(t)
		link(t, home, dir)
		cmd = exec.CommandContext(t.Context(), filepath.Join(home, "node"), file)
	case openai.Go:
		cmd = exec.CommandContext(t.Context(), builtGo(t, code))
	}
	stubs, err := filepath.Abs("testdata/connect/python")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "OPENAI_BASE_URL="+o.url, "OPENAI_API_KEY="+openaitest.APIKey, "MCPSTORE_TOKEN="+shopToken,
		"NO_PROXY=*", "no_proxy=*", "OPENAI_AGENTS_DISABLE_TRACING=1",
		"PYTHONPATH="+stubs, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if err != nil {
		t.Logf("%s: %v\n%s%s", sdk, err, stderr.Bytes(), stdout.Bytes())
	}
	return stdout.String(), err
}

// goPrograms are the printed programs that were built, by their code.
var goPrograms struct {
	sync.Mutex
	dir   string // removed by TestMain
	paths map[string]string
}

// buildTime bounds one build by itself, so that a slow machine is reported as
// such and not as a test that hangs.
const buildTime = 5 * time.Minute

// builtGo returns the program that code is, built at its first use. Builds run
// one after the other, since each already uses all processors.
func builtGo(t *testing.T, code string) string {
	t.Helper()
	compiler := needs(t, "go")
	goPrograms.Lock()
	defer goPrograms.Unlock()
	if path, ok := goPrograms.paths[code]; ok {
		return path
	}
	dir, err := os.MkdirTemp(goPrograms.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	file, path := filepath.Join(dir, "main.go"), filepath.Join(dir, "ask.exe")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, compiler, "build", "-ldflags=-s -w", "-o", path, file).CombinedOutput()
	switch {
	case ctx.Err() != nil:
		t.Fatalf("go build of the printed program took over %v: this machine is too slow or too busy for this test", buildTime)
	case err != nil:
		t.Fatalf("go build of the printed program: %v\n%s%s", err, out, code)
	}
	goPrograms.paths[code] = path
	return path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mcpstore-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goPrograms.dir, goPrograms.paths = dir, make(map[string]string)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// link lets code in dir import what is installed in home.
func link(t *testing.T, home, dir string) {
	t.Helper()
	if err := os.Symlink(filepath.Join(home, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// needs returns where a program is that a test cannot do without.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		lacking(t, program+" is not on PATH: install it")
	}
	return path
}

func clientsHome(t *testing.T) string {
	t.Helper()
	home := os.Getenv("MCPSTORE_TEST_CLIENTS")
	if home == "" {
		lacking(t, "the clients for Node.js are not installed: export MCPSTORE_TEST_CLIENTS=$(.ci/clients)")
	}
	return home
}

// lacking skips a test, or fails it where all must be there.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
