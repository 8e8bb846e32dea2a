//go:build unix

package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// bench is a server to time, and a question to ask it.
type bench struct {
	name     string
	srv      *mcpserver.MCPServer
	question []byte
	caller   store.Caller
}

// benches are the seed question over 1,000 stores of 500 products, asked of
// one store and of a chain, and beside each a tool on bare mcp-go that gives
// the same answer without looking, and a server that knows who calls, checks
// what they may do, and keeps a trace of it.
func benches(b *testing.B) []bench {
	large := storetest.Large(1000, 500)
	db := open(b, func() store.Catalog { return large })
	srv := serve(db)
	strict := New(store.Confine(db), Config{Auth: &byOAuth, Audit: func(store.Call) {}, Now: inTaipei})
	shop, product := large.Shops[321], large.Products[123]
	var list []bench
	for _, place := range []struct{ name, said string }{{"store", shop.Name}, {"chain", shop.Chain}} {
		arguments := map[string]any{"product": product.Name, "store": place.said, "limit": 5}
		question, err := json.Marshal(map[string]any{
			"jsonrpc": "2.0", "id": 1, "method": "tools/call",
			"params": map[string]any{"name": "check_stock", "arguments": arguments},
		})
		if err != nil {
			b.Fatal(err)
		}
		text, out := call(b, srv, "check_stock", arguments, nil)
		if out.StructuredContent["on_hand"] == nil {
			b.Fatalf("%v is answered %q", arguments, text)
		}
		raw, err := json.Marshal(out.StructuredContent)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, bench{place.name + "/bare", bare(text, raw), question, nobody},
			bench{place.name + "/mcpstore", srv, question, nobody}, bench{place.name + "/guarded", strict, question, reader})
	}
	return list
}

// bare is a server of mcp-go's with one tool that always answers the same.
func bare(text string, structured json.RawMessage) *mcpserver.MCPServer {
	srv := mcpserver.NewMCPServer("bare", "1")
	srv.AddTool(mcp.NewTool("check_stock", mcp.WithString("product"), mcp.WithString("store"), mcp.WithNumber("limit")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(text)}, StructuredContent: structured}, nil
		})
	return srv
}

// BenchmarkCheckStock is one check_stock, from JSON to JSON, without a
// transport.
func BenchmarkCheckStock(b *testing.B) {
	for _, x := range benches(b) {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := store.WithCaller(b.Context(), x.caller)
			for b.Loop() {
				if _, err := json.Marshal(x.srv.HandleMessage(ctx, x.question)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheckStockHTTP is the same over loopback HTTP, 16 callers at once.
// The CPU counts both ends.
func BenchmarkCheckStockHTTP(b *testing.B) {
	for _, x := range benches(b) {
		if x.caller != nobody {
			continue // nobody is let in here
		}
		url := serveHTTP(b, x.srv)
		c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		b.Run(x.name, func(b *testing.B) {
			b.SetParallelism(8)
			before := cpu(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, err := c.Post(url, "application/json", bytes.NewReader(x.question))
					if err != nil {
						b.Error(err)
						return
					}
					if n, _ := io.Copy(io.Discard, r.Body); n == 0 || r.StatusCode != http.StatusOK {
						b.Errorf("status %d", r.StatusCode)
					}
					r.Body.Close()
				}
			})
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
		c.CloseIdleConnections()
	}
}

// cpu is the time that this process has computed for.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
