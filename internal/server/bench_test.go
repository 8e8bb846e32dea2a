package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

// BenchmarkCall times a tool call that costs nothing, in process: by mcp-go's
// own handler with the options that a public server needs, and by ours.
func BenchmarkCall(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	ours := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Log: log})
	for _, handler := range []struct {
		name string
		http.Handler
	}{
		{"mcp-go", mcpserver.NewStreamableHTTPServer(newShop().MCPServer, mcpserver.WithStateLess(true), mcpserver.WithDisableStreaming(true))},
		{"ours", ours},
	} {
		b.Run(handler.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{header: make(http.Header)}
			for b.Loop() {
				r := httptest.NewRequest("POST", publicURL+"/mcp", strings.NewReader(echoCall))
				r.Header.Set("Content-Type", "application/json")
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
			if w.bytes == 0 || w.status != http.StatusOK {
				b.Fatalf("answered %d with %d bytes", w.status, w.bytes)
			}
		})
	}
	b.Run("request-alone", func(b *testing.B) { // what the loop costs without a handler
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequest("POST", publicURL+"/mcp", strings.NewReader(echoCall))
			r.Header.Set("Content-Type", "application/json")
			_, _ = io.Copy(io.Discard, r.Body)
		}
	})
}

// BenchmarkOverhead times what is ours in a call: a message that mcp-go never
// sees.
func BenchmarkOverhead(b *testing.B) {
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }, Log: slog.New(slog.DiscardHandler)})
	const body = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"too slow","x":{"text":"茶葉蛋"}}}`
	r := httptest.NewRequest("POST", publicURL+"/mcp", nil)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	content := strings.NewReader(body)
	r.Body = io.NopCloser(content)
	w := &discard{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		content.Reset(body)
		clear(w.header)
		s.ServeHTTP(w, r)
	}
	if w.status != http.StatusAccepted {
		b.Fatalf("answered %d", w.status)
	}
}

// BenchmarkReadMessage times the look at a message before mcp-go's.
func BenchmarkReadMessage(b *testing.B) {
	for name, body := range map[string]string{"call": echoCall, "call-2026": call2026} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, f := readMessage([]byte(body)); f != nil {
					b.Fatal(f.message)
				}
			}
		})
	}
}

// discard is a ResponseWriter that keeps nothing of the body.
type discard struct {
	header http.Header
	status int
	bytes  int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Flush()                 {}

func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}
