package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// publicURL is where the servers of these tests believe they are reached.
const publicURL = "https://shop.example"

// shop is an MCP server with a little of everything.
type shop struct {
	*mcpserver.MCPServer
	waiting   chan struct{} // gets one for each call of wait
	release   chan struct{} // ends the calls of wait when closed
	listening chan listener // gets one for each listen, before it is acknowledged
}

// listener is a listen as an MCP server sees it.
type listener struct {
	ctx context.Context
	to  chan<- mcp.JSONRPCNotification
}

func newShop() *shop {
	listening := make(chan listener, 1000)
	hooks := &mcpserver.Hooks{}
	hooks.AddBeforeSubscriptionsListen(func(ctx context.Context, _ any, q *mcp.SubscriptionsListenRequest) {
		session := mcpserver.ClientSessionFromContext(ctx)
		if session == nil {
			return
		}
		uris := q.Params.Notifications.ResourceSubscriptions
		if slices.Contains(uris, "shop://panic") {
			panic("the secret is 1234")
		}
		if slices.Contains(uris, "shop://early") {
			session.NotificationChannel() <- updated("shop://early")
		}
		listening <- listener{ctx, session.NotificationChannel()}
	})
	s := &shop{
		MCPServer: mcpserver.NewMCPServer("shop", "1",
			mcpserver.WithToolCapabilities(false),
			mcpserver.WithPromptCapabilities(false),
			mcpserver.WithResourceCapabilities(true, false),
			mcpserver.WithCompletions(),
			mcpserver.WithHooks(hooks),
		),
		waiting:   make(chan struct{}, 1000),
		release:   make(chan struct{}),
		listening: listening,
	}
	s.AddTool(mcp.NewTool("echo", mcp.WithString("text")), func(_ context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("echo: " + q.GetString("text", "")), nil
	})
	s.AddTool(mcp.NewTool("wait"), func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		s.waiting <- struct{}{}
		select {
		case <-s.release:
			return mcp.NewToolResultText("waited"), nil
		case <-ctx.Done():
			return mcp.NewToolResultText("cancelled"), nil
		}
	})
	s.AddTool(mcp.NewTool("notify"), func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": 1, "progress": 1})
		return mcp.NewToolResultText("notified"), err
	})
	s.AddTool(mcp.NewTool("panic"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		panic("the secret is 1234")
	})
	s.AddPrompt(mcp.NewPrompt("greet"), func(_ context.Context, q mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return mcp.NewGetPromptResult("", nil), nil
	})
	return s
}

// start serves c, with the MCP server of a shop if it has none, at publicURL
// if it has no URL and is not local, and returns the address.
func start(t *testing.T, c Config) (addr string) {
	t.Helper()
	if c.MCP == nil {
		c.MCP = newShop().MCPServer
	}
	if c.URL == nil && !c.Local {
		c.URL = func() string { return publicURL }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return serve(t, New(c).HTTPServer())
}

func serve(t *testing.T, srv *http.Server) (addr string) {
	t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = srv
	ts.Start()
	t.Cleanup(ts.Close)
	return ts.Listener.Addr().String()
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) code() int {
	var m struct {
		Error struct{ Code int }
	}
	_ = json.Unmarshal([]byte(r.body), &m)
	return m.Error.Code
}

// sendRaw writes a request as it is and reads the reply.
func sendRaw(addr, request string) (reply, error) { return exchange(addr, request, false) }

// exchange is sendRaw, and closes its side of the connection after the
// request if it is cut off.
func exchange(addr, request string, cut bool) (reply, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	// The server may hang up in the middle of what it does not want to read.
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, request)
		if cut {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	defer func() { conn.Close(); <-written }()
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return reply{}, fmt.Errorf("no reply: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}

// request writes a request; header lines are added to the usual ones, and
// take their place where they have the same name.
func request(method, path, body string, header ...string) string {
	lines := [][2]string{{"Host", "shop.example"}}
	if method == http.MethodPost {
		lines = append(lines, [2]string{"Content-Type", "application/json"},
			[2]string{"Accept", "application/json, text/event-stream"},
			[2]string{"Content-Length", fmt.Sprint(len(body))})
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		found := false
		for i := range lines {
			if lines[i][0] == name {
				lines[i][1], found = value, true
			}
		}
		if !found {
			lines = append(lines, [2]string{name, value})
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, path)
	for _, line := range lines {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", line[0], line[1])
		}
	}
	return b.String() + "\r\n" + body
}

func post(body string, header ...string) string { return request("POST", "/mcp", body, header...) }

func get(path string, header ...string) string { return request("GET", path, "", header...) }

func send(t *testing.T, addr, request string) reply {
	t.Helper()
	got, err := sendRaw(addr, request)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Calls that work.
const (
	echoCall = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"茶葉蛋"}}}`
	waitCall = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"wait"}}`
	discover = `{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
)

func checkEcho(t *testing.T, addr string) {
	t.Helper()
	if got := send(t, addr, post(echoCall)); got.status != 200 || !strings.Contains(got.body, "echo: 茶葉蛋") {
		t.Fatalf("a good call afterwards: %d %s", got.status, got.body)
	}
}

func TestEndpointWithAndWithoutSlash(t *testing.T) {
	addr := start(t, Config{})
	for _, path := range []string{"/mcp", "/mcp/"} {
		got := send(t, addr, request("POST", path, echoCall))
		if got.status != 200 || !strings.Contains(got.body, "echo: 茶葉蛋") {
			t.Errorf("POST %s = %d %s", path, got.status, got.body)
		}
		if media := got.header.Get("Content-Type"); media != "application/json" {
			t.Errorf("POST %s answers %s", path, media)
		}
		if cache := got.header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("POST %s has Cache-Control %q", path, cache)
		}
	}
}

func TestEndpointSpeaksBothEras(t *testing.T) {
	addr := start(t, Config{})
	modern := []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: server/discover"}
	if got := send(t, addr, post(discover, modern...)); got.status != 200 || !strings.Contains(got.body, `"supportedVersions"`) {
		t.Errorf("server/discover = %d %s", got.status, got.body)
	}
	initialize := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"roots":{"listChanged":true}},"clientInfo":{"name":"c","version":"1"}}}`
	got := send(t, addr, post(initialize))
	if got.status != 200 || !strings.Contains(got.body, `"protocolVersion":"2025-06-18"`) {
		t.Errorf("initialize = %d %s", got.status, got.body)
	}
	if id := got.header.Get("Mcp-Session-Id"); id != "" {
		t.Errorf("initialize began the session %q", id)
	}
	notified := send(t, addr, post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, "MCP-Protocol-Version: 2025-06-18", "Mcp-Session-Id: of-another-life"))
	if notified.status != 202 || notified.body != "" {
		t.Errorf("a notification = %d %q, want 202 and nothing", notified.status, notified.body)
	}
}

func TestNotificationsDoNotMakeAStream(t *testing.T) {
	addr := start(t, Config{})
	got := send(t, addr, post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"notify"}}`))
	if got.status != 200 || got.header.Get("Content-Type") != "application/json" || !strings.Contains(got.body, "notified") {
		t.Errorf("%d %s %s, want one JSON document", got.status, got.header.Get("Content-Type"), got.body)
	}
}

func TestOtherMethodsOnTheEndpoint(t *testing.T) {
	addr := start(t, Config{})
	for _, method := range []string{"GET", "HEAD", "DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"} {
		got := send(t, addr, request(method, "/mcp", "", "Accept: text/event-stream"))
		if got.status != 405 || got.header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s /mcp = %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
		if method != "HEAD" && got.code() != codeTransport {
			t.Errorf("%s /mcp answers %q", method, got.body)
		}
	}
}

func TestRootTellsWhereTheEndpointIs(t *testing.T) {
	addr := start(t, Config{})
	for body, id := range map[string]string{echoCall: `"id":7`, `{"id":"x"}`: `"id":"x"`, `{`: `"id":null`, "": `"id":null`} {
		got := send(t, addr, request("POST", "/", body))
		if got.status != 404 || !strings.Contains(got.body, "add /mcp to the URL, that is "+publicURL+"/mcp") || !strings.Contains(got.body, id) {
			t.Errorf("POST / with %q = %d %s, want 404 with %s", body, got.status, got.body, id)
		}
	}
	if got := send(t, addr, request("PUT", "/", "")); got.status != 405 || got.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("PUT / = %d, Allow %q", got.status, got.header.Get("Allow"))
	}
}

func TestUnknownPathsArePlain404(t *testing.T) {
	addr := start(t, Config{})
	for _, path := range []string{
		"/favicon.ico", "/mcp/x", "/MCP", "//mcp", "/mcp//", "/x/../mcp", "/sse/x",
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/openid-configuration",
	} {
		got := send(t, addr, get(path, "Accept: text/html"))
		if got.status != 404 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.body != "not found\n" {
			t.Errorf("GET %s = %d %s %q", path, got.status, got.header.Get("Content-Type"), got.body)
		}
	}
}

func TestTheOldTransportSaysWhereTheEndpointIs(t *testing.T) {
	addr := start(t, Config{})
	for _, request := range []string{get("/sse", "Accept: text/event-stream"), get("/sse/"), request("POST", "/sse", echoCall), request("POST", "/sse/", "")} {
		got := send(t, addr, request)
		if got.status != 404 || !strings.Contains(got.body, "use /mcp, that is "+publicURL+"/mcp") {
			t.Errorf("%.10q = %d %s, want 404 and the endpoint", request, got.status, got.body)
		}
	}
	if got := send(t, addr, request("POST", "/sse", echoCall)); got.code() != codeTransport || !strings.Contains(got.body, `"id":7`) {
		t.Errorf("POST /sse = %s, want a JSON-RPC error", got.body)
	}
}

func TestHealth(t *testing.T) {
	var notReady error
	addr := start(t, Config{Ready: func(context.Context) error { return notReady }})
	check := func(request string, status int, body string) {
		t.Helper()
		if got := send(t, addr, request); got.status != status || got.body != body {
			t.Errorf("%.20q = %d %q, want %d %q", request, got.status, got.body, status, body)
		}
	}
	// Probes come by address rather than by name.
	check(get("/healthz", "Host: 10.0.0.7:8000"), 200, "ok\n")
	check(get("/readyz", "Host: 10.0.0.7:8000"), 200, "ok\n")
	check(request("HEAD", "/healthz", ""), 200, "")
	check(request("POST", "/healthz", ""), 405, "method not allowed\n")
	check(request("POST", "/readyz", ""), 405, "method not allowed\n")
	notReady = errors.New("tunnel: reconnecting")
	check(get("/readyz"), 503, "tunnel: reconnecting\n")
	check(get("/healthz"), 200, "ok\n")
}

func TestTooManyRequestsAtOnce(t *testing.T) {
	var logged syncBuffer
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer, MaxConcurrent: 2, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if got, err := sendRaw(addr, post(waitCall)); err != nil || !strings.Contains(got.body, "waited") {
				t.Errorf("a call within the limit: %v, %v", got, err)
			}
		})
		<-shop.waiting
	}
	for range 3 {
		got := send(t, addr, post(echoCall))
		if got.status != 503 || got.header.Get("Retry-After") != "1" || got.code() != codeTransport {
			t.Errorf("a call above the limit = %d, Retry-After %q, %s", got.status, got.header.Get("Retry-After"), got.body)
		}
	}
	if got := send(t, addr, get("/healthz")); got.status != 200 {
		t.Errorf("/healthz = %d when busy", got.status)
	}
	close(shop.release)
	calls.Wait()
	checkEcho(t, addr)
	if n := strings.Count(logged.String(), "too many requests"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, logged.String())
	}
}

func TestDrainFinishesWhatIsInFlightAndTakesNothingNew(t *testing.T) {
	shop := newShop()
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	addr := serve(t, s.HTTPServer())
	answered := make(chan string)
	go func() {
		got, err := sendRaw(addr, post(waitCall))
		answered <- fmt.Sprint(got.body, err)
	}()
	<-shop.waiting

	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	if err := s.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain with a call in flight = %v, want %v", err, context.Canceled)
	}
	got := send(t, addr, post(echoCall))
	if got.status != 503 || got.header.Get("Retry-After") == "" || got.code() != codeTransport {
		t.Errorf("a call while draining = %d %s, want 503", got.status, got.body)
	}
	if got := send(t, addr, get("/readyz")); got.status != 503 {
		t.Errorf("/readyz while draining = %d", got.status)
	}
	if got := send(t, addr, get("/healthz")); got.status != 200 {
		t.Errorf("/healthz while draining = %d", got.status)
	}
	drained := make(chan error)
	go func() { drained <- s.Drain(t.Context()) }()
	close(shop.release)
	if got := <-answered; !strings.Contains(got, "waited") {
		t.Errorf("the call in flight = %s", got)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain = %v", err)
	}
}

func TestNobodyCancelsAnothersCall(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer})
	answered := make(chan string)
	go func() {
		got, err := sendRaw(addr, post(waitCall))
		answered <- fmt.Sprint(got.body, err)
	}()
	<-shop.waiting
	got := send(t, addr, post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`))
	if got.status != 202 {
		t.Errorf("notifications/cancelled = %d %s", got.status, got.body)
	}
	close(shop.release)
	if got := <-answered; !strings.Contains(got, "waited") {
		t.Errorf("the call of the same id = %s, want it to end by itself", got)
	}
}

func TestPanicIsOneFailedRequest(t *testing.T) {
	var logged syncBuffer
	addr := start(t, Config{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	got := send(t, addr, post(`{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"panic"}}`))
	want := `{"jsonrpc":"2.0","id":"p","error":{"code":-32603,"message":"internal error; other requests work"}}` + "\n"
	if got.status != 500 || got.body != want {
		t.Errorf("a panic = %d %s, want 500 %s", got.status, got.body, want)
	}
	if n := strings.Count(logged.String(), "the secret is 1234"); n != 1 || !strings.Contains(logged.String(), "server_test.go") {
		t.Errorf("the panic is logged %d times, want once with its stack:\n%s", n, logged.String())
	}
	checkEcho(t, addr)
}

func TestPanicInHalfAnAnswerHangsUp(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, Log: slog.New(slog.DiscardHandler)})
	addr := serve(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{w: w, start: time.Now()}
		defer s.done(a, r)
		_, _ = a.Write(bytes.Repeat([]byte("half"), 4096))
		panic("in between")
	})})
	if got, err := sendRaw(addr, get("/")); err == nil {
		t.Errorf("half an answer looks like a whole one: %d, %d bytes", got.status, len(got.body))
	}
}

func TestRequestLogHoldsNoSecrets(t *testing.T) {
	var logged syncBuffer
	addr := start(t, Config{Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	send(t, addr, request("POST", "/mcp?key=hush", echoCall, "Authorization: Bearer hush"))
	send(t, addr, get("/"+strings.Repeat("long", 100)))
	log := logged.String()
	for _, want := range []string{"method=POST", "path=/mcp ", "status=200", "rpc=tools/call", "ms=", "bytes=", "lon…"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log is without %q:\n%s", want, log)
		}
	}
	for _, secret := range []string{"hush", "茶葉蛋"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

// syncBuffer is a buffer for a log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
