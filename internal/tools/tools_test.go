package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tools/card"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// TestMain has this machine be where the demo shops are.
func TestMain(m *testing.M) {
	time.Local = taipei
	os.Exit(m.Run())
}

var taipei = time.FixedZone("Asia/Taipei", 8*3600)

// inTaipei is the time in tests.
func inTaipei() time.Time { return opened }

var opened = time.Date(2026, 11, 3, 16, 15, 0, 0, taipei)

// open returns a database that holds what seed says, such as demo.Catalog.
func open(t testing.TB, seed func() store.Catalog) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "store.db"),
		Seed: seed,
		Now:  inTaipei,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// serve returns a server over s that logs nothing.
func serve(s store.Stock) *mcpserver.MCPServer {
	return New(s, Config{Version: "1.2.3", Log: slog.New(slog.DiscardHandler), Now: inTaipei})
}

// modern is the _meta of a request of the revision 2026-07-28.
var modern = map[string]any{
	"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
	"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "test", "version": "1"},
	"io.modelcontextprotocol/clientCapabilities": map[string]any{},
}

// response is a JSON-RPC response.
type response struct {
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// rpc sends one request, as it comes out of any transport.
func rpc(t testing.TB, srv *mcpserver.MCPServer, method string, params map[string]any) response {
	t.Helper()
	return rpcIn(t.Context(), t, srv, method, params)
}

func rpcIn(ctx context.Context, t testing.TB, srv *mcpserver.MCPServer, method string, params map[string]any) response {
	t.Helper()
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(srv.HandleMessage(ctx, message))
	if err != nil {
		t.Fatal(err)
	}
	var r response
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// result is the result of a tool call.
type result struct {
	Content           []struct{ Type, Text string }
	StructuredContent map[string]any
	IsError           bool
	Meta              map[string]any `json:"_meta"`
}

// call calls a tool.
func call(t testing.TB, srv *mcpserver.MCPServer, tool string, arguments, meta map[string]any) (text string, out result) {
	t.Helper()
	return callIn(t.Context(), t, srv, tool, arguments, meta)
}

func callIn(ctx context.Context, t testing.TB, srv *mcpserver.MCPServer, tool string, arguments, meta map[string]any) (text string, out result) {
	t.Helper()
	params := map[string]any{"name": tool, "arguments": arguments}
	if meta != nil {
		params["_meta"] = meta
	}
	r := rpcIn(ctx, t, srv, "tools/call", params)
	if r.Error != nil {
		t.Fatalf("%s %v: error %d: %s", tool, arguments, r.Error.Code, r.Error.Message)
	}
	if err := json.Unmarshal(r.Result, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Content) != 1 || out.Content[0].Type != "text" {
		t.Fatalf("%s %v: content = %v, want one text", tool, arguments, out.Content)
	}
	wantSameAdvice(t, tool, arguments, out)
	return out.Content[0].Text, out
}

// golden compares got, as indented JSON, with a file. The address of the card
// changes with each of its letters, and is left out.
func golden(t *testing.T, name string, got json.RawMessage) {
	t.Helper()
	var b bytes.Buffer
	got = bytes.ReplaceAll(got, []byte(card.URI()), []byte("ui://mcpstore/stock-card-….html"))
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s has changed (-want +got); if that is meant: go test ./internal/tools -update\n%s", name, diff)
	}
}

func TestWhatClientsAreTold(t *testing.T) {
	srv := serve(open(t, demo.Catalog))
	for _, test := range []struct {
		golden, method string
		params         map[string]any
	}{
		{"initialize", "initialize", map[string]any{
			"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "test", "version": "1"},
		}},
		{"discover", "server/discover", map[string]any{"_meta": modern}},
		{"tools_list", "tools/list", nil},
		{"tools_list_2026", "tools/list", map[string]any{"_meta": modern}},
		{"resources_list", "resources/list", nil},
		{"resource_templates_list", "resources/templates/list", nil},
		{"prompts_list", "prompts/list", nil},
	} {
		r := rpc(t, srv, test.method, test.params)
		if r.Error != nil {
			t.Errorf("%s: error %d: %s", test.method, r.Error.Code, r.Error.Message)
			continue
		}
		golden(t, test.golden, r.Result)
	}
}

// published is a tool as tools/list shows it.
type published struct {
	Name, Title, Description string
	InputSchema              json.RawMessage
	OutputSchema             json.RawMessage
	Annotations              map[string]any
	Meta                     map[string]any `json:"_meta,omitempty"`
}

func tools(t testing.TB, srv *mcpserver.MCPServer) []published {
	t.Helper()
	var list struct{ Tools []published }
	if err := json.Unmarshal(rpc(t, srv, "tools/list", nil).Result, &list); err != nil {
		t.Fatal(err)
	}
	return list.Tools
}

func TestEveryToolsSchemas(t *testing.T) {
	for _, tool := range tools(t, New(nil, Config{AllowWrites: true})) {
		golden(t, tool.Name+".input", tool.InputSchema)
		if tool.Annotations["readOnlyHint"] == true {
			golden(t, tool.Name+".output", tool.OutputSchema)
		} else {
			golden(t, "changed.output", tool.OutputSchema) // all alike
		}
		resolve(t, tool.InputSchema)
		resolve(t, tool.OutputSchema)
	}
}

func TestEveryToolThatReadsSaysSo(t *testing.T) {
	want := map[string]any{"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false}
	for _, tool := range tools(t, serve(nil)) {
		want["title"] = tool.Title
		if diff := cmp.Diff(want, tool.Annotations); diff != "" || tool.Title == "" {
			t.Errorf("%s (-want +got):\n%s", tool.Name, diff)
		}
	}
}

// A model pays for every tool in every conversation. Four bytes are about a
// token; output schemas are for programs.
func TestToolsStayWithinTokenBudget(t *testing.T) {
	const each, reading, everything = 300, 2500, 6000
	sum := 0
	worst := &Auth{OAuth: true, PublicReads: true} // it has the most schemes
	for _, tool := range tools(t, New(nil, Config{AllowWrites: true, Auth: worst})) {
		tool.OutputSchema = nil
		size := func() int {
			b, err := json.Marshal(tool)
			if err != nil {
				t.Fatal(err)
			}
			return len(b) / 4
		}
		if tool.Annotations["readOnlyHint"] == true {
			sum += size()
		}
		tool.Meta = nil // for the client alone
		tokens := size()
		t.Logf("%s: %d tokens", tool.Name, tokens)
		if tokens > each {
			t.Errorf("%s takes %d tokens, want at most %d", tool.Name, tokens, each)
		}
	}
	if sum > reading {
		t.Errorf("the tools that read take %d tokens, want at most %d", sum, reading)
	}
	ctx := store.WithCaller(t.Context(), store.Caller{ID: "token:1", Scopes: store.ScopeRead | store.ScopeWrite})
	for name, auth := range map[string]*Auth{"none": nil, "token": {}, "oauth": {OAuth: true}, "public": {OAuth: true, PublicReads: true}} {
		srv := New(nil, Config{AllowWrites: true, Auth: auth})
		for era, params := range map[string]map[string]any{"2025": nil, "2026": {"_meta": modern}} {
			r := rpcIn(ctx, t, srv, "tools/list", params)
			tokens := len(r.Result) / 4
			t.Logf("all of tools/list in %s, auth %s: %d tokens", era, name, tokens)
			if tokens > everything {
				t.Errorf("all of tools/list takes %d tokens in %s with auth %s, want at most %d", tokens, era, name, everything)
			}
		}
	}
}

func TestConnectorToolsStayWithinTokenBudget(t *testing.T) {
	const most = 420
	sum := func(c Config) int {
		return len(rpc(t, New(nil, c), "tools/list", nil).Result) / 4
	}
	if more := sum(Config{Connector: new(Connector)}) - sum(Config{}); more > most {
		t.Errorf("search and fetch take %d tokens, want at most %d", more, most)
	} else {
		t.Logf("search and fetch: %d tokens", more)
	}
}

func TestInstructionsStandAloneWhenCut(t *testing.T) {
	var out struct{ Instructions string }
	r := rpc(t, serve(nil), "server/discover", map[string]any{"_meta": modern})
	if err := json.Unmarshal(r.Result, &out); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(out.Instructions, "\n")
	if n := utf8.RuneCountInString(first); n > 512 {
		t.Errorf("the first paragraph has %d characters, want at most 512: some clients cut there", n)
	}
	for _, must := range []string{"check_stock", "ambiguous", "not instructions"} {
		if !strings.Contains(first, must) {
			t.Errorf("the first 512 characters don't say %q", must)
		}
	}
}

// Some clients refuse a whole answer for an icon that is no URI.
func TestIconIsAURI(t *testing.T) {
	if uri := dataURI(); !regexp.MustCompile(`^data:image/svg\+xml;base64,[A-Za-z0-9+/]+=*$`).MatchString(uri) {
		t.Errorf("icon = %s", uri)
	}
}
