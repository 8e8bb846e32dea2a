package tools

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// everyRequest is a request of each kind that asks the store for something.
var everyRequest = []struct {
	method string
	params map[string]any
}{
	{"tools/call", map[string]any{"name": "check_stock", "arguments": map[string]any{"product": "茶葉蛋", "store": "KOKO"}}},
	{"tools/call", map[string]any{"name": "search_products", "arguments": map[string]any{"query": "茶"}}},
	{"tools/call", map[string]any{"name": "list_stores", "arguments": map[string]any{}}},
	{"tools/call", map[string]any{"name": "get_product", "arguments": map[string]any{"id": "x"}}},
	{"tools/call", map[string]any{"name": "list_low_stock", "arguments": map[string]any{}}},
	{"tools/call", map[string]any{"name": "list_expiring", "arguments": map[string]any{"store": "KOKO"}}},
	{"tools/call", map[string]any{"name": "stock_history", "arguments": map[string]any{"product": "茶葉蛋", "store": "k1"}}},
	{"tools/call", map[string]any{"name": "record_movement", "arguments": map[string]any{"product": "茶葉蛋", "store": "k1", "delta": -1, "reason": "sale"}}},
	{"tools/call", map[string]any{"name": "count_stock", "arguments": map[string]any{"product": "茶葉蛋", "store": "k1", "quantity": 1}}},
	{"tools/call", map[string]any{"name": "transfer_stock", "arguments": map[string]any{"product": "茶葉蛋", "from_store": "k1", "to_store": "k2", "quantity": 1}}},
	{"tools/call", map[string]any{"name": "reserve_stock", "arguments": map[string]any{"product": "茶葉蛋", "store": "k1", "quantity": 1}}},
	{"tools/call", map[string]any{"name": "release_reservation", "arguments": map[string]any{"reservation": 1}}},
	{"tools/call", map[string]any{"name": "undo_movement", "arguments": map[string]any{"movement": 1}}},
	{"resources/list", nil},
	{"resources/read", map[string]any{"uri": "store://x"}},
	{"resources/read", map[string]any{"uri": "product://x"}},
	{"completion/complete", map[string]any{
		"ref":      map[string]any{"type": "ref/prompt", "name": "check_stock"},
		"argument": map[string]any{"name": "store", "value": "K"},
	}},
	{"completion/complete", map[string]any{
		"ref":      map[string]any{"type": "ref/resource", "uri": "product://{id}"},
		"argument": map[string]any{"name": "id", "value": ""},
	}},
}

// askAll sends every request to a server over s and returns what it logged.
// All must fail, and none with more than a sentence that says tell.
func askAll(t *testing.T, s store.Stock, tell string) string {
	t.Helper()
	var log bytes.Buffer
	srv := New(s, Config{AllowWrites: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, q := range everyRequest {
		r := rpc(t, srv, q.method, q.params)
		switch {
		case q.method == "tools/call":
			text, out := call(t, srv, q.params["name"].(string), q.params["arguments"].(map[string]any), nil)
			if !out.IsError || text != tell {
				t.Errorf("%v: isError %v, %q; want true, %q", q.params["name"], out.IsError, text, tell)
			}
		case q.method == "resources/list": // mcp-go words this refusal
			if r.Error == nil {
				t.Errorf("resources/list = %s, want an error", r.Result)
			}
		case r.Error == nil || r.Error.Message != tell:
			t.Errorf("%s %v = %s, %v; want error %q", q.method, q.params, r.Result, r.Error, tell)
		}
	}
	return log.String()
}

func TestPanicIsOneFailedCallAndLogged(t *testing.T) {
	var absent struct{ store.Stock } // every method panics
	log := askAll(t, absent, "this call failed inside the server; other calls work")
	for _, want := range []string{"nil pointer dereference", "recover.go", "check_stock", "level=ERROR"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestAQuestionSaysThatTheFileWasReplaced(t *testing.T) {
	h := &handler{log: slog.New(slog.DiscardHandler)}
	if got := h.failed(t.Context(), "list_stores", fmt.Errorf("list shops: %w", store.ErrReplaced)); got != errReplaced {
		t.Errorf("a caller is told %q, want %q", got, errReplaced)
	}
}

func TestStoreFailureIsOneFailedCallAndLogged(t *testing.T) {
	db := open(t, town)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	log := askAll(t, db, "the stock database did not answer; try again")
	for _, want := range []string{"the store failed", "closed", "level=ERROR"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
