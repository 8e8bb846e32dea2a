package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// updated is a notification as tools send it.
func updated(uri string) mcp.JSONRPCNotification {
	return mcp.JSONRPCNotification{
		JSONRPC: mcp.JSONRPC_VERSION,
		Notification: mcp.Notification{
			Method: mcp.MethodNotificationResourceUpdated,
			Params: mcp.NotificationParams{AdditionalFields: map[string]any{"uri": uri}},
		},
	}
}

// open is the client's side of a listen.
type open struct {
	t    *testing.T
	conn net.Conn
	resp *http.Response
	body *bufio.Reader
}

// openListen begins a listen, which ends with the test if not before.
func openListen(t *testing.T, addr, request string) *open {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &open{t, conn, resp, bufio.NewReader(resp.Body)}
}

// next returns the next event or comment, "" at the end of the stream.
func (o *open) next() string {
	o.t.Helper()
	var block strings.Builder
	for {
		line, err := o.body.ReadString('\n')
		if err == io.EOF && line == "" && block.Len() == 0 {
			return ""
		}
		if err != nil {
			o.t.Fatalf("the stream breaks after %q: %v", block.String()+line, err)
		}
		if line == "\n" {
			return block.String()
		}
		block.WriteString(line)
	}
}

// want fails the test unless the next event is a message of that JSON.
func (o *open) want(message string) {
	o.t.Helper()
	if got, want := o.next(), "event: message\ndata: "+message+"\n"; got != want {
		o.t.Fatalf("next in the stream:\n%s\nwant\n%s", got, want)
	}
}

const (
	listenEggs = `{"resourceSubscriptions":["shop://eggs"]}`
	ackEggs    = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"notifications":{"resourceSubscriptions":["shop://eggs"]}}}`
	newsOfEggs = `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"uri":"shop://eggs"}}`
	endOfEggs  = `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":7}}}`
)

func TestListenStreamsWhatIsSent(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer})
	o := openListen(t, addr, listen(listenEggs, "Origin: http://localhost:1234"))
	for name, want := range map[string]string{
		"Content-Type":                "text/event-stream",
		"Cache-Control":               "no-store",
		"X-Accel-Buffering":           "no",
		"X-Content-Type-Options":      "nosniff",
		"Access-Control-Allow-Origin": "http://localhost:1234",
		"Vary":                        "Origin",
		"Mcp-Session-Id":              "",
	} {
		if got := o.resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if o.resp.StatusCode != 200 || o.resp.ContentLength != -1 {
		t.Errorf("status %d, length %d, want a stream", o.resp.StatusCode, o.resp.ContentLength)
	}
	o.want(ackEggs)
	l := <-shop.listening
	for range 3 {
		l.to <- updated("shop://eggs")
		o.want(newsOfEggs)
	}
	checkEcho(t, addr) // still one JSON document
}

func TestNothingComesBeforeTheAcknowledgement(t *testing.T) {
	addr := start(t, Config{})
	o := openListen(t, addr, listen(`{"resourceSubscriptions":["shop://early"]}`))
	o.want(strings.ReplaceAll(ackEggs, "eggs", "early"))
	o.want(strings.ReplaceAll(newsOfEggs, "eggs", "early"))
}

func TestListenToNothingEndsAtOnce(t *testing.T) {
	addr := start(t, Config{})
	for _, nothing := range []string{`{}`, `{"resourceSubscriptions":[]}`, `{"resourceSubscriptions":null,"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"of/the/future":[]}`} {
		o := openListen(t, addr, listen(nothing))
		o.want(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"notifications":{}}}`)
		if got := o.next(); !strings.Contains(got, `"id":7,"result":{`) || !strings.Contains(got, `"resultType":"complete"`) {
			t.Errorf("listening to %s goes on with %s", nothing, got)
		}
		if got := o.next(); got != "" {
			t.Errorf("listening to %s does not end: %s", nothing, got)
		}
	}
}

func TestListenSendsSignsOfLife(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	s.pulse = time.Millisecond
	o := openListen(t, serve(t, s.HTTPServer()), listen(listenEggs))
	o.want(ackEggs)
	for range 3 {
		if got := o.next(); got != ": still here\n" {
			t.Fatalf("next in the stream: %q, want a comment", got)
		}
	}
}

func TestListenOutlastsTheWriteTimeout(t *testing.T) {
	shop := newShop()
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	s.pulse = 10 * time.Millisecond
	srv := s.HTTPServer()
	srv.WriteTimeout, srv.ReadTimeout = 50*time.Millisecond, 50*time.Millisecond
	o := openListen(t, serve(t, srv), listen(listenEggs))
	o.want(ackEggs)
	for begin := time.Now(); time.Since(begin) < 4*srv.WriteTimeout; {
		o.next()
	}
	(<-shop.listening).to <- updated("shop://eggs")
	for got := o.next(); !strings.Contains(got, "shop://eggs"); got = o.next() {
		if got == "" {
			t.Fatal("the stream ended")
		}
	}
}

func TestClientThatLeavesFreesItsListen(t *testing.T) {
	shop := newShop()
	var logged syncBuffer
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	srv := s.HTTPServer()
	addr := serve(t, srv)
	var all []*open
	for range 10 {
		o := openListen(t, addr, listen(listenEggs))
		o.want(ackEggs)
		all = append(all, o)
	}
	for _, o := range all {
		o.conn.Close()
	}
	for range all {
		<-(<-shop.listening).ctx.Done()
	}
	if err := srv.Shutdown(t.Context()); err != nil { // waits until they have returned
		t.Fatal(err)
	}
	if n := s.listens.Load(); n != 0 {
		t.Errorf("%d listens are left", n)
	}
	if n := strings.Count(logged.String(), `rpc=subscriptions/listen ended="the client left"`); n != len(all) {
		t.Errorf("logged %d times, want %d:\n%s", n, len(all), logged.String())
	}
}

func TestClientThatDoesNotReadLosesItsListen(t *testing.T) {
	shop := newShop()
	var logged syncBuffer
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s.patience = 20 * time.Millisecond
	srv := s.HTTPServer()
	addr := serve(t, srv)
	stalled, other := openListen(t, addr, listen(listenEggs)), openListen(t, addr, listen(listenEggs))
	stalled.want(ackEggs)
	l := <-shop.listening
	flood(l)
	<-l.ctx.Done()
	other.want(ackEggs)
	(<-shop.listening).to <- updated("shop://eggs")
	other.want(newsOfEggs)
	other.conn.Close()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), `ended="the client does not read"`) {
		t.Errorf("it is not logged:\n%s", logged.String())
	}
}

// flood sends l more than any buffer takes, until nothing flows any longer.
func flood(l listener) {
	large := updated("shop://" + strings.Repeat("e", 64<<10))
	for {
		select {
		case l.to <- large:
		case <-l.ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

func TestListensHaveABoundOfTheirOwn(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer, MaxConcurrent: 1, MaxListens: 2})
	first := openListen(t, addr, listen(listenEggs))
	first.want(ackEggs)
	openListen(t, addr, listen(listenEggs)).want(ackEggs)
	got := send(t, addr, listen(listenEggs))
	if got.status != 503 || got.header.Get("Retry-After") == "" || got.code() != codeTransport ||
		!strings.Contains(got.body, `"id":7`) || !strings.Contains(got.body, "2 listens") {
		t.Errorf("a listen above the limit = %d, Retry-After %q, %s", got.status, got.header.Get("Retry-After"), got.body)
	}
	checkEcho(t, addr) // though only one request is served at once
	first.conn.Close()
	<-(<-shop.listening).ctx.Done()
	for got.status == 503 { // until the handler has returned
		got = reply{status: openListen(t, addr, listen(listenEggs)).resp.StatusCode}
	}
	if got.status != 200 {
		t.Errorf("a listen in the place of another = %d", got.status)
	}
}

func TestDrainEndsListensFirst(t *testing.T) {
	shop := newShop()
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	srv := s.HTTPServer()
	addr := serve(t, srv)
	call := make(chan string)
	go func() {
		got, err := sendRaw(addr, post(waitCall))
		call <- fmt.Sprint(got.body, err)
	}()
	<-shop.waiting
	var all []*open
	for range 5 {
		o := openListen(t, addr, listen(listenEggs))
		o.want(ackEggs)
		all = append(all, o)
	}
	drained := make(chan error)
	go func() { drained <- s.Drain(t.Context()) }()
	for _, o := range all { // while a call is in flight
		o.want(endOfEggs)
		if got := o.next(); got != "" {
			t.Errorf("after the result: %s", got)
		}
	}
	close(shop.release)
	if got := <-call; !strings.Contains(got, "waited") {
		t.Errorf("the call in flight = %s", got)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain = %v", err)
	}
	if got := send(t, addr, listen(listenEggs)); got.status != 503 {
		t.Errorf("a listen afterwards = %d", got.status)
	}
	begin := time.Now()
	if err := srv.Shutdown(t.Context()); err != nil || time.Since(begin) > 5*time.Second {
		t.Errorf("Shutdown = %v after %v", err, time.Since(begin))
	}
}

func TestListenThatIsNotReadDoesNotHoldUpAStop(t *testing.T) {
	shop := newShop()
	s := New(Config{MCP: shop.MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	s.patience = time.Hour
	addr := serve(t, s.HTTPServer())
	openListen(t, addr, listen(listenEggs)).want(ackEggs)
	l := <-shop.listening
	flood(l)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Errorf("Drain = %v", err)
	}
}

func TestPanicInAListenIsOneFailedRequest(t *testing.T) {
	var logged syncBuffer
	addr := start(t, Config{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	got := send(t, addr, listen(`{"resourceSubscriptions":["shop://panic"]}`))
	if got.status != 500 || got.code() != mcp.INTERNAL_ERROR || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if n := strings.Count(logged.String(), "the secret is 1234"); n != 1 {
		t.Errorf("the panic is logged %d times:\n%s", n, logged.String())
	}
	checkEcho(t, addr)
}

// What has no deadlines, such as another handler's test, can be listened on.
func TestListenWithoutDeadlines(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(listen(`{}`))))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 || !w.Flushed || !strings.Contains(w.Body.String(), "acknowledged") {
		t.Errorf("%d, flushed: %v, %s", w.Code, w.Flushed, w.Body)
	}
}
