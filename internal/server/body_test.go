package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// promise opens connections that promise a body and send none of it, or a
// part, and waits until the server waits for them.
func promise(t *testing.T, s *Server, addr string, n int, request string) {
	t.Helper()
	for range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	s.wantAwaited(t, func(total int) bool { return total == min(n, maxAwaitedFrom) })
}

// wantAwaited waits until the server waits for so many bodies.
func (s *Server) wantAwaited(t *testing.T, ok func(total int) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		s.awaited.mu.Lock()
		total := s.awaited.total
		s.awaited.mu.Unlock()
		if ok(total) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server waits for %d bodies", total)
		}
	}
}

// patient is a server that waits for bodies for as long as a test lasts.
func patient(t *testing.T, c Config) (s *Server, addr string) {
	t.Helper()
	if c.MCP == nil {
		c.MCP = newShop().MCPServer
	}
	c.URL, c.Log = func() string { return publicURL }, slog.New(slog.DiscardHandler)
	s = New(c)
	s.bodyPatience = time.Minute
	srv := s.HTTPServer()
	return s, serve(t, srv)
}

func TestPromisesDoNotKeepCallersOut(t *testing.T) {
	s, addr := patient(t, Config{MaxConcurrent: 4})
	for _, path := range []string{"/mcp", "/", "/token"} {
		for range 100 {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, request("POST", path, "{", "Content-Length: 10"))
		}
	}
	s.wantAwaited(t, func(total int) bool { return total == maxAwaitedFrom })
	// This address has as many as may wait; what is there already passes all the same.
	for range 10 {
		checkEcho(t, addr)
	}
	if got := send(t, addr, request("POST", "/", echoCall)); got.status != 404 {
		t.Errorf("POST / = %d %s", got.status, got.body)
	}
	// A body that is not there is one too many.
	got := send(t, addr, post("", "Content-Length: 10"))
	if got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Errorf("one promise too many = %d %s, want 503", got.status, got.body)
	}
}

func TestBodiesAreAwaitedByAddress(t *testing.T) {
	addresses := func(r *http.Request) netip.Addr {
		addr, _ := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
		return addr
	}
	s, addr := patient(t, Config{Address: addresses})
	promise(t, s, addr, maxAwaitedFrom, post("", "Content-Length: 10", "X-Forwarded-For: 198.51.100.1"))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	head, body, _ := strings.Cut(post(echoCall, "X-Forwarded-For: 198.51.100.2", "Connection: close"), "\r\n\r\n")
	fmt.Fprint(conn, head+"\r\n\r\n")
	s.wantAwaited(t, func(total int) bool { return total == maxAwaitedFrom+1 })
	fmt.Fprint(conn, body)
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "echo: 茶葉蛋") {
		t.Errorf("a slow call from another address = %s, %v", answer, err)
	}
	s.wantAwaited(t, func(total int) bool { return total == maxAwaitedFrom })
}

func TestAHundredCallsAtOnceFromOneAddressPass(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer})
	var calls sync.WaitGroup
	for range 100 {
		calls.Go(func() {
			if got, err := sendRaw(addr, post(waitCall)); err != nil || !strings.Contains(got.body, "waited") {
				t.Errorf("%d %s, %v", got.status, got.body, err)
			}
		})
	}
	for range 100 {
		<-shop.waiting
	}
	close(shop.release)
	calls.Wait()
}

// A tunnel that is still sending when the connection closes shows 502 and not
// what was answered.
func TestRefusalsUnderOverloadReadTheBody(t *testing.T) {
	shop := newShop()
	s, addr := patient(t, Config{MCP: shop.MCPServer, MaxConcurrent: 1})
	done := make(chan error, 1)
	go func() {
		_, err := sendRaw(addr, post(waitCall))
		done <- err
	}()
	<-shop.waiting
	check := func(name string) {
		t.Helper()
		for _, path := range []string{"/mcp", "/", "/token"} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			head, body, _ := strings.Cut(request("POST", path, echoCall), "\r\n\r\n")
			fmt.Fprint(conn, head+"\r\n\r\n")
			s.wantAwaited(t, func(total int) bool { return total == 1 })
			fmt.Fprint(conn, body) // the answer comes after it, not before
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503") || !strings.Contains(string(answer), "Retry-After: 1\r\n") {
				t.Errorf("%s: POST %s = %s, %v; want 503", name, path, answer, err)
			}
		}
	}
	check("busy")
	close(shop.release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStoppingWaitsForBodiesOfRequestsThatCameBefore(t *testing.T) {
	s, addr := patient(t, Config{})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	head, body, _ := strings.Cut(post(echoCall, "Connection: close"), "\r\n\r\n")
	fmt.Fprint(conn, head+"\r\n\r\n")
	s.wantAwaited(t, func(total int) bool { return total == 1 })
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drain(now); err == nil {
		t.Error("drained before the request was answered")
	}
	for _, late := range []string{post(echoCall), post("", "Content-Length: 10"), request("POST", "/token", "x")} {
		if got := send(t, addr, late); got.status != 503 || !strings.Contains(got.body, "stopping") {
			t.Errorf("%.30q while stopping = %d %s", late, got.status, got.body)
		}
	}
	fmt.Fprint(conn, body)
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "echo: 茶葉蛋") {
		t.Errorf("the request from before = %s, %v", answer, err)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLargeBodiesWaitForEachOther(t *testing.T) {
	shop := newShop()
	s, addr := patient(t, Config{MCP: shop.MCPServer})
	large := post(strings.Replace(waitCall, `"params"`, `"x":"`+strings.Repeat("x", 2*smallBody)+`","params"`, 1))
	answered := make(chan string)
	for range maxLarge + 1 {
		go func() {
			got, err := sendRaw(addr, large)
			answered <- fmt.Sprint(got.body, err)
		}()
	}
	for range maxLarge {
		<-shop.waiting
	}
	s.wantAwaited(t, func(total int) bool { return total == 1 })
	checkEcho(t, addr) // small ones do not wait
	close(shop.release)
	for range maxLarge + 1 {
		if got := <-answered; !strings.Contains(got, "waited") {
			t.Errorf("a large call is answered %s", got)
		}
	}
	if len(s.large) > 0 {
		t.Errorf("%d places for large bodies are still taken", len(s.large))
	}
}

func TestALargeBodyThatFindsNoPlaceIsRefused(t *testing.T) {
	s, addr := patient(t, Config{})
	s.bodyPatience = 10 * time.Millisecond
	for range maxLarge {
		s.large <- struct{}{}
	}
	got := send(t, addr, post(strings.Repeat(" ", 2*smallBody)+echoCall))
	if got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d %s, want 503", got.status, got.body)
	}
	for range maxLarge {
		<-s.large
	}
}

func TestAPromisedLengthTakesNoMemory(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, Log: slog.New(slog.DiscardHandler)})
	body, failure := s.body(&answer{w: &discard{header: make(http.Header)}}, &http.Request{
		ContentLength: 60 << 10, Body: io.NopCloser(bytes.NewReader([]byte("{}"))),
	}, 1<<20)
	if failure != nil || cap(body) > 4<<10 {
		t.Errorf("%d bytes, %v", cap(body), failure)
	}
}

// However a request of 1 MiB is made up, it takes a small multiple of that.
func TestMemoryOfARequestIsBounded(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	const size = 1 << 20
	list := "[{}" + strings.Repeat(",{}", (size-500)/3) + "]"
	object := "{" + strings.Repeat(`"a":[],`, (size-500)/7) + `"b":0}`
	word := `"` + strings.Repeat("x", size-500) + `"`
	for name, body := range map[string]string{
		"arguments, a list":        echoed(`{"product":` + list + `}`),
		"arguments, an object":     echoed(object),
		"arguments, a text":        echoed(`{"text":` + word + `}`),
		"arguments in a string":    echoed(`"{\"product\":` + list + `}"`),
		"arguments, no object":     echoed(list),
		"_meta":                    params("tools/call", `{"name":"echo","_meta":{"x":`+list+`}}`),
		"_meta, a text":            params("tools/call", `{"name":"echo","_meta":{"x":`+word+`}}`),
		"params of a call":         params("tools/call", `{"name":"echo","x":`+object+`}`),
		"params of another":        params("initialize", `{"capabilities":{"experimental":`+object+`}}`),
		"a prompt's arguments":     params("prompts/get", `{"name":"greet","arguments":`+list+`}`),
		"a result":                 `{"jsonrpc":"2.0","id":7,"method":"ping","result":` + list + `}`,
		"an unknown member":        `{"jsonrpc":"2.0","id":7,"method":"ping","x":` + object + `}`,
		"a notification":           `{"jsonrpc":"2.0","method":"notifications/x","params":{"x":` + list + `}}`,
		"a batch":                  batchOf(append(pings(18), echoed(`{"product":`+list[:(size-4000)/3*3]+`]}`))...),
		"a batch of one character": "[1" + strings.Repeat(",1", (size-500)/2) + "]",
	} {
		r := httptest.NewRequest("POST", publicURL+"/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := &discard{header: make(http.Header)}
		s.ServeHTTP(w, r)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 16*size {
			t.Errorf("%s: %d bytes", name, took)
		}
	}
}
