package tools

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// shop is a server that may change its stock, and a clock to set.
type shop struct {
	srv *mcpserver.MCPServer
	db  *sqlite.DB

	mu  sync.Mutex
	now time.Time
}

// openShop serves the demo data, and its tools that write, on 2026-11-03 at
// 16:15 in Taipei.
func openShop(t testing.TB) *shop {
	t.Helper()
	return openShopIn(t, inTaipei(), nil)
}

// openShopIn serves the demo data in a time zone.
func openShopIn(t testing.TB, now time.Time, zone *time.Location) *shop {
	t.Helper()
	s := &shop{now: now}
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "store.db"),
		Seed: demo.Catalog,
		Now:  s.clock, Location: zone,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s.db = db
	s.srv = New(db, Config{Version: "1.2.3", Log: slog.New(slog.DiscardHandler), AllowWrites: true, Now: s.clock, Location: zone})
	return s
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// args are arguments as a test writes them: JSON.
func args(t testing.TB, raw string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(raw), &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}

// do calls a tool that changes the stock.
func (s *shop) do(t testing.TB, tool, arguments string) result {
	t.Helper()
	_, out := call(t, s.srv, tool, args(t, arguments), nil)
	return out
}

// done calls a tool that must do what it is told.
func (s *shop) done(t testing.TB, tool, arguments string) result {
	t.Helper()
	out := s.do(t, tool, arguments)
	if out.IsError || out.StructuredContent["status"] != "done" {
		t.Fatalf("%s %s = %s %v", tool, arguments, out.Content[0].Text, out.StructuredContent)
	}
	return out
}

// level is what is there, as check_stock tells it.
func (s *shop) level(t testing.TB, shopID, product string) (onHand, reserved int) {
	t.Helper()
	_, out := call(t, s.srv, "check_stock", map[string]any{"store": shopID, "product": product}, nil)
	h, _ := out.StructuredContent["on_hand"].(float64)
	r, _ := out.StructuredContent["reserved"].(float64)
	return int(h), int(r)
}

// wantLevel fails where something else is on hand or reserved.
func (s *shop) wantLevel(t testing.TB, shopID, product string, onHand, reserved int) {
	t.Helper()
	if h, r := s.level(t, shopID, product); h != onHand || r != reserved {
		t.Errorf("%s at %s: %d on hand, %d reserved; want %d, %d", product, shopID, h, r, onHand, reserved)
	}
}

// first is the member of the first element of a list in structured content.
func first(t testing.TB, out result, list, member string) any {
	t.Helper()
	items, _ := out.StructuredContent[list].([]any)
	if len(items) == 0 {
		t.Fatalf("%s is empty in %v", list, out.StructuredContent)
	}
	return items[0].(map[string]any)[member]
}

// as is a context in which somebody asks.
func as(t testing.TB, id string) context.Context {
	return store.WithCaller(t.Context(), store.Caller{ID: id})
}
