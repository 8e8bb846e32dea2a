package tools

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// TestEveryCallIsAnsweredWhileSomethingElseWrites calls over HTTP, where an answer
// could be lost when the time is over.
func TestEveryCallIsAnsweredWhileSomethingElseWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	var log bytes.Buffer
	srv := New(db, Config{AllowWrites: true, CallTime: 300 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	web := httptest.NewServer(mcpserver.NewStreamableHTTPServer(srv, mcpserver.WithStateLess(true)))
	defer web.Close()
	sell := func(i int) map[string]any {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"record_movement","arguments":
			{"store":"koko-xinyi","product":"tea-egg","delta":1,"reason":"delivery","idempotency_key":"key %[1]d"}}}`, i)
		resp, err := http.Post(web.URL+"/mcp", "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return nil
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		var out struct {
			Result struct {
				StructuredContent map[string]any
			}
		}
		if err := errors.Join(err, json.Unmarshal(answer, &out)); err != nil {
			t.Errorf("call %d: %v: %s", i, err, answer)
		}
		return out.Result.StructuredContent
	}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if out := sell(i); out["status"] != "refused" || out["code"] != "busy" {
				t.Errorf("call %d = %v, want refused: busy", i, out)
			}
		})
	}
	wg.Wait()
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	for i := range 24 { // none was made, or it would be replayed
		if out := sell(i); out["status"] != "done" || out["replayed"] == true {
			t.Errorf("call %d again = %v, want done now", i, out)
		}
	}
	if !strings.Contains(log.String(), "record_movement") {
		t.Errorf("the log does not say what failed:\n%s", &log)
	}
}

// late is a store that makes a change just before the time is over.
type late struct{ store.Stock }

func (l late) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	r, err := l.Stock.Move(ctx, m)
	if !m.DryRun {
		<-ctx.Done()
	}
	return r, err
}

func TestAChangeThatIsMadeJustInTimeIsToldAsMade(t *testing.T) {
	s := openShop(t)
	srv := New(late{s.db}, Config{AllowWrites: true, CallTime: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	text, out := call(t, srv, "record_movement", args(t, `{"store":"koko-xinyi","product":"tea-egg","delta":1,"reason":"delivery"}`), nil)
	if out.StructuredContent["status"] != "done" || !strings.Contains(text, "Tea egg") {
		t.Errorf("= %q, %v, want done, by name", text, out.StructuredContent)
	}
}

// stuck is a store that answers once the time is over.
type stuck struct{ store.Stock }

func (stuck) Product(ctx context.Context, _ string) (store.Product, error) {
	<-ctx.Done()
	return store.Product{}, ctx.Err()
}

func (stuck) Products(ctx context.Context, _ store.ProductQuery) ([]store.Product, string, error) {
	<-ctx.Done()
	return nil, "", ctx.Err()
}

func TestAReadHasADeadline(t *testing.T) {
	s := openShop(t)
	var log bytes.Buffer
	srv := New(stuck{s.db}, Config{CallTime: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	text, out := call(t, srv, "search_products", args(t, `{"query":"茶葉蛋"}`), nil)
	if !out.IsError || text != errLate.Error() {
		t.Errorf("= %q, want %q", text, errLate)
	}
	if !strings.Contains(log.String(), "deadline") {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

// unkept is a store that keeps no change.
type unkept struct {
	store.Stock
	err error
}

func (u unkept) Move(context.Context, store.Move) (store.Receipt, error) {
	return store.Receipt{}, fmt.Errorf("move in database %q: %w", "/secret/path", u.err)
}

func TestAChangeThatIsNotKeptHasACodeThatSaysWhy(t *testing.T) {
	s := openShop(t)
	for _, c := range []struct {
		err    error
		code   string
		en, zh string
	}{
		{store.ErrDiskFull, "disk_full", "disk is full; nothing was changed", "磁碟滿了；沒有更動"},
		{store.ErrBusy, "busy", "nothing was changed", "沒有更動"},
		{context.DeadlineExceeded, "busy", "nothing was changed", "沒有更動"},
		{store.ErrReplaced, "database_replaced", "was not kept", "沒有留下"},
	} {
		var log bytes.Buffer
		srv := New(unkept{s.db, c.err}, Config{AllowWrites: true, Now: s.clock, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for product, want := range map[string]string{"tea egg": c.en, "茶葉蛋": c.zh} {
			text, out := call(t, srv, "record_movement", args(t, fmt.Sprintf(`{"store":"koko-xinyi","product":%q,"delta":1,"reason":"delivery"}`, product)), nil)
			if !out.IsError || out.StructuredContent["code"] != c.code || !strings.Contains(text, want) || strings.Contains(text, "secret") {
				t.Errorf("%v: = %q, %v, want code %s and %q", c.err, text, out.StructuredContent, c.code, want)
			}
		}
		if !strings.Contains(log.String(), c.err.Error()) {
			t.Errorf("%v: the log does not say so:\n%s", c.err, &log)
		}
	}
}

func TestAChangeWhoseFileWasRemovedIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.Guard(slog.New(slog.DiscardHandler))
	srv := New(db, Config{AllowWrites: true, Log: slog.New(slog.DiscardHandler)})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, out := call(t, srv, "record_movement", args(t, `{"store":"koko-xinyi","product":"tea-egg","delta":1,"reason":"delivery"}`), nil)
	if out.StructuredContent["code"] != "database_replaced" {
		t.Errorf("= %v, want database_replaced", out.StructuredContent)
	}
}
