package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

type gateKey struct{}

// gate is an Access that lets those in whose Authorization is its word.
type gate struct {
	word    string
	gone    atomic.Bool // since when nobody holds
	refuses string      // the name of what nobody may do
	slow    chan struct{}

	mu    sync.Mutex
	asked []string // in order
}

func (g *gate) note(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, what)
}

// took returns what was asked since it was called last.
func (g *gate) took() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	asked := g.asked
	g.asked = nil
	return asked
}

func (g *gate) Admit(w http.ResponseWriter, r *http.Request) *http.Request {
	g.note("admit " + r.URL.Path)
	switch r.URL.Path {
	case "/token":
		w.WriteHeader(http.StatusTeapot)
		return nil
	case "/signin":
		if _, bounded := r.Context().Deadline(); !bounded {
			w.WriteHeader(http.StatusInternalServerError)
			return nil
		}
		w.WriteHeader(http.StatusTeapot)
		return nil
	case "/slow":
		<-g.slow
		<-g.slow
		return nil
	}
	return r.WithContext(context.WithValue(r.Context(), gateKey{}, "admitted"))
}

func (g *gate) Authenticate(w http.ResponseWriter, r *http.Request) *http.Request {
	g.note("authenticate")
	if r.Header.Get("Authorization") != g.word {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	before, _ := r.Context().Value(gateKey{}).(string)
	return r.WithContext(context.WithValue(r.Context(), gateKey{}, before+" and known"))
}

func (g *gate) Authorize(w http.ResponseWriter, _ *http.Request, method, name string) bool {
	g.note("authorize " + method + " " + name)
	if name == g.refuses && name != "" {
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	return true
}

func (g *gate) Holds(*http.Request) bool { return !g.gone.Load() }

func (g *gate) Caller(r *http.Request) string {
	caller, _ := r.Context().Value(gateKey{}).(string)
	return caller
}

func TestCallersAreKnownBeforeMethodAndBody(t *testing.T) {
	g := &gate{word: "Bearer of-news"}
	addr := start(t, Config{Access: g})
	unread := post(echoCall, "Content-Length: 100000", "Expect: 100-continue")
	unread, _, _ = strings.Cut(unread, "{")
	for _, test := range []struct {
		name, request string
		status        int
		asked         []string
	}{
		{"a call", post(echoCall), 401, []string{"admit /mcp", "authenticate"}},
		{"a call with a slash", request("POST", "/mcp/", echoCall), 401, []string{"admit /mcp/", "authenticate"}},
		{"a body that never comes", unread, 401, []string{"admit /mcp", "authenticate"}},
		{"what is no JSON", post("{", "Content-Type: text/plain"), 401, []string{"admit /mcp", "authenticate"}},
		{"a GET for events", get("/mcp", "Accept: text/event-stream"), 401, []string{"admit /mcp", "authenticate"}},
		{"a DELETE", request("DELETE", "/mcp", ""), 401, []string{"admit /mcp", "authenticate"}},
		{"a DELETE by who is known", request("DELETE", "/mcp", "", "Authorization: Bearer of-news"), 405, []string{"admit /mcp", "authenticate"}},
		{"a preflight", request("OPTIONS", "/mcp", ""), 204, []string{"admit /mcp"}},
		{"a browser", get("/mcp", "Accept: text/html"), 200, []string{"admit /mcp"}},
		{"the page", get("/"), 200, []string{"admit /"}},
		{"another path", get("/else"), 404, []string{"admit /else"}},
		{"a path of its own", request("POST", "/token", ""), 418, []string{"admit /token"}},
		{"a step of signing in, for which there is a deadline", request("POST", "/signin", ""), 418, []string{"admit /signin"}},
		{"health", get("/healthz"), 200, nil},
		{"readiness", get("/readyz"), 200, nil},
		{"another Host", post(echoCall, "Host: evil.example"), 421, nil},
		{"another site's page", post(echoCall, "Origin: https://evil.example"), 403, nil},
	} {
		if got := send(t, addr, test.request); got.status != test.status {
			t.Errorf("%s is answered %d, want %d", test.name, got.status, test.status)
		}
		if diff := cmp.Diff(test.asked, g.took()); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMessagesAreAuthorizedByWhatTheyAreAbout(t *testing.T) {
	g := &gate{refuses: "panic"}
	addr := start(t, Config{Access: g})
	for _, test := range []struct{ message, asked string }{
		{`{"method":"tools/call","params":{"name":"echo","uri":"shop://eggs"}}`, "tools/call echo"},
		{`{"method":"tools\/call","params":{"name":"\u0065cho"}}`, "tools/call echo"},
		{`{"method":"prompts/get","params":{"name":"greet"}}`, "prompts/get greet"},
		{`{"method":"resources/read","params":{"name":"echo","uri":"shop://eggs"}}`, "resources/read shop://eggs"},
		{`{"method":"tools/list","params":{"name":"echo"}}`, "tools/list "},
		{`{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"x","value":""}}}`, "completion/complete "},
		{`{"method":"tools/call","params":{"name":"panic"}}`, "tools/call panic"},
	} {
		got := send(t, addr, post(`{"jsonrpc":"2.0","id":7,`+test.message[1:]))
		if asked := g.took(); len(asked) != 3 || asked[2] != "authorize "+test.asked {
			t.Errorf("%s: asked %q, want to authorize %q", test.message, asked, test.asked)
		}
		if refused := got.status == 403; refused != strings.HasSuffix(test.asked, "panic") {
			t.Errorf("%s is answered %d %s", test.message, got.status, got.body)
		}
	}
	if got := send(t, addr, post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","name":"panic"}}`)); got.status != 400 {
		t.Errorf("a message about two things is answered %d %s", got.status, got.body)
	}
}

func TestTheCallerReachesTools(t *testing.T) {
	shop := newShop()
	shop.AddTool(mcp.NewTool("whoami"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		who, _ := ctx.Value(gateKey{}).(string)
		return mcp.NewToolResultText(who), nil
	})
	addr := start(t, Config{MCP: shop.MCPServer, Access: &gate{}})
	got := send(t, addr, post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"whoami"}}`))
	if !strings.Contains(got.body, "admitted and known") {
		t.Errorf("a tool is called by %s", got.body)
	}
}

func TestTheLogHasTheCallerAndNoToken(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Access: &gate{word: "Bearer of-news"}, Log: log})
	addr := serve(t, s.HTTPServer())
	send(t, addr, request("POST", "/mcp?a=of-news", echoCall, "Authorization: Bearer of-news"))
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, `caller="admitted and known"`) || strings.Contains(got, "of-news") {
		t.Errorf("the log says %s", got)
	}
}

func TestAListenEndsWithTheCallersRight(t *testing.T) {
	shop, g := newShop(), &gate{}
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Access: g, Log: slog.New(slog.DiscardHandler)})
	s.pulse = 1e6
	addr := serve(t, s.HTTPServer())
	o := openListen(t, addr, listen(listenEggs))
	o.want(ackEggs)
	if got := o.next(); got != ": still here\n" {
		t.Fatalf("next in the stream is %q, want a sign of life", got)
	}
	g.gone.Store(true)
	for {
		switch got := o.next(); got {
		case ": still here\n":
		case "event: message\ndata: " + endOfEggs + "\n":
			if got := o.next(); got != "" {
				t.Errorf("after its end the stream goes on with %q", got)
			}
			return
		default:
			t.Fatalf("next in the stream is %q, want its end", got)
		}
	}
}

// What changes after somebody lost their right is not told, however long it is
// until the next sign of life.
func TestAListenTellsNothingToWhoMayNoLongerListen(t *testing.T) {
	shop, g := newShop(), &gate{}
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Access: g, Log: slog.New(slog.DiscardHandler)})
	addr := serve(t, s.HTTPServer())
	o := openListen(t, addr, listen(listenEggs))
	o.want(ackEggs)
	l := <-shop.listening
	g.gone.Store(true)
	l.to <- updated("shop://eggs")
	if got := o.next(); got != "event: message\ndata: "+endOfEggs+"\n" {
		t.Errorf("next in the stream is %q, want its end", got)
	}
}

func TestPathsOfAccessAreLimitedAndDrained(t *testing.T) {
	g := &gate{slow: make(chan struct{})}
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Access: g, MaxConcurrent: 1, Log: slog.New(slog.DiscardHandler)})
	addr := serve(t, s.HTTPServer())
	answered := make(chan error, 1)
	go func() {
		_, err := sendRaw(addr, get("/slow"))
		answered <- err
	}()
	g.slow <- struct{}{} // it is being served
	if got := send(t, addr, post(echoCall)); got.status != 503 {
		t.Errorf("while the one place is taken, a call is answered %d", got.status)
	}
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drain(now); err == nil {
		t.Error("drained before the request was answered")
	}
	g.slow <- struct{}{} // it may go on
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
