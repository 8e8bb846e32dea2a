package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// audited is a server that says what it hands to the audit log.
type audited struct {
	*mcpserver.MCPServer
	calls []store.Call
}

// auditing serves s. Changes are recorded by the calls that make them, which
// the backend has tests for, where records is set, and else by nobody.
func auditing(s store.Stock, auth *Auth, records bool) *audited {
	a := &audited{}
	a.MCPServer = New(stubRecorder{s, records}, Config{
		Log: slog.New(slog.DiscardHandler), AllowWrites: true, Auth: auth, Now: inTaipei,
		Audit: func(c store.Call) { a.calls = append(a.calls, c) },
	})
	return a
}

type stubRecorder struct {
	store.Stock
	records bool
}

func (s stubRecorder) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	r, err := s.Stock.Move(store.WithCall(ctx, nil), m)
	if err == nil && s.records && !m.DryRun && !r.Replayed {
		store.CallFrom(ctx).Recorded = true
	}
	return r, err
}

// last returns what was handed over since it was asked before.
func (a *audited) last(t testing.TB) store.Call {
	t.Helper()
	if len(a.calls) != 1 {
		t.Fatalf("%d calls were handed over, want 1: %+v", len(a.calls), a.calls)
	}
	c := a.calls[0]
	a.calls = nil
	return c
}

func TestEveryCallLeavesATrace(t *testing.T) {
	srv := auditing(store.Confine(open(t, demo.Catalog)), &byOAuth, false)
	aunt := store.Caller{ID: "grant:7", Name: "ChatGPT", Address: "192.0.2.1", Scopes: clerk.Scopes}
	const large = `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"delivery"`
	for _, test := range []struct {
		caller          store.Caller
		tool, arguments string
		kept, outcome   string
	}{
		{aunt, "check_stock", `{"product":"茶葉蛋","store":"KOKO便利店"}`, `{"product":"茶葉蛋","store":"KOKO便利店"}`, "ok"},
		{aunt, "check_stock", `{"product":"沒有這種東西"}`, `{"product":"沒有這種東西"}`, "ok"},
		{aunt, "check_stock", `{"store":"KOKO","product":"茶"}`, `{"product":"茶","store":"KOKO"}`, "ok"}, // ambiguous
		{aunt, "check_stock", `{}`, `{}`, "invalid_argument"},
		{aunt, "check_stock", `{"product":"茶葉蛋","cursor":"made up"}`, `{"product":"茶葉蛋","cursor":"made up"}`, "invalid_argument"},
		{aunt, "check_stock", `{"product":"茶葉蛋","password":"hunter2"}`, `{"product":"茶葉蛋","password":"…"}`, "ok"},
		{aunt, "check_stock", `{"product":"茶葉蛋","shop":"KOKO"}`, `{"product":"茶葉蛋","shop":"…"}`, "invalid_argument"},
		{aunt, "check_stock", `{"product":4719972846795,"limit":"5"}`, `{"product":"4719972846795","limit":5}`, "ok"},
		{aunt, "undo_movement", `{"movement":1,"note":912345678}`, `{"movement":1,"note":"…"}`, "confirmation_required"},
		{aunt, "list_stores", `{"near":{"latitude":25.03,"longitude":121.5},"limit":2}`, `{"near":{"latitude":25.03,"longitude":121.5},"limit":2}`, "ok"},
		{reader, "list_stores", `{}`, `{}`, "ok"},
		{reader, "record_movement", large + `}`, large + `}`, "refused: insufficient_scope"},
		{aunt, "record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale","note":"王小姐 0912-345-678","idempotency_key":"k1"}`,
			`{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale","note":"…","idempotency_key":"k1"}`, "ok"},
		{aunt, "record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale","note":"王小姐 0912-345-678","idempotency_key":"k1"}`,
			`{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale","note":"…","idempotency_key":"k1"}`, "replayed"},
		{aunt, "record_movement", large + `}`, large + `}`, "confirmation_required"},
		{aunt, "record_movement", large + `,"confirmation":"AAAA"}`, large + `,"confirmation":"…"}`, "refused: confirmation_invalid"},
		{aunt, "record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":0,"reason":"correction"}`,
			`{"store":"koko-xinyi","product":"茶葉蛋","delta":0,"reason":"correction"}`, "invalid_argument"},
		{aunt, "record_movement", `{"store":"koko-ximen","product":"茶葉蛋","delta":-1,"reason":"sale"}`,
			`{"store":"koko-ximen","product":"茶葉蛋","delta":-1,"reason":"sale"}`, "refused: insufficient_stock"},
		{aunt, "undo_movement", `{"movement":999999}`, `{"movement":999999}`, "refused: unknown_movement"},
	} {
		callIn(store.WithCaller(t.Context(), test.caller), t, srv.MCPServer, test.tool, args(t, test.arguments), modern)
		want := store.Call{
			At: inTaipei(), Caller: test.caller.ID, Name: test.caller.Name, Client: "test 1", Address: test.caller.Address,
			Tool: test.tool, Arguments: test.kept, Outcome: test.outcome,
		}
		if diff := cmp.Diff(want, srv.last(t)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.tool, test.arguments, diff)
		}
	}
}

func TestAnswersOfThePersonLeaveATrace(t *testing.T) {
	srv := auditing(open(t, demo.Catalog), nil, false)
	can := map[string]any{}
	for k, v := range modern {
		can[k] = v
	}
	can["io.modelcontextprotocol/clientCapabilities"] = map[string]any{"elicitation": map[string]any{}}
	params := map[string]any{"name": "record_movement", "arguments": args(t, truckload), "_meta": can}
	var asked struct{ RequestState string }
	if err := json.Unmarshal(rpc(t, srv.MCPServer, "tools/call", params).Result, &asked); err != nil || asked.RequestState == "" {
		t.Fatalf("nothing is asked: %v", err)
	}
	if got := srv.last(t); got.Outcome != "confirmation_required" {
		t.Errorf("asking is %q", got.Outcome)
	}
	params["requestState"] = asked.RequestState
	params["inputResponses"] = map[string]any{elicitation: map[string]any{"action": "decline"}}
	rpc(t, srv.MCPServer, "tools/call", params)
	if got := srv.last(t); got.Outcome != "declined" {
		t.Errorf("a no is %q", got.Outcome)
	}
}

func TestChangeThatRecordedItsCallIsNotHandedOn(t *testing.T) {
	srv := auditing(open(t, demo.Catalog), nil, true)
	const sale = `{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale","idempotency_key":"k"}`
	if _, out := call(t, srv.MCPServer, "record_movement", args(t, sale), nil); out.IsError || len(srv.calls) > 0 {
		t.Errorf("%+v, and handed over %+v", out, srv.calls)
	}
	call(t, srv.MCPServer, "record_movement", args(t, sale), nil)
	if got := srv.last(t); got.Outcome != "replayed" {
		t.Errorf("the same again is %q", got.Outcome)
	}
}

// noticing is a store that tells what call a change is part of.
type noticing struct {
	store.Stock
	calls []store.Call
}

func (n *noticing) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	if c := store.CallFrom(ctx); c != nil {
		n.calls = append(n.calls, *c)
	}
	return n.Stock.Move(store.WithCall(ctx, nil), m)
}

func TestChangeIsMadeByItsCall(t *testing.T) {
	n := &noticing{Stock: open(t, demo.Catalog)}
	const sale = `{"store":"koko-xinyi","product":"茶葉蛋","delta":-1,"reason":"sale"}`
	srv := New(n, Config{AllowWrites: true, Now: inTaipei, Audit: func(store.Call) {}})
	callIn(as(t, "aunt"), t, srv, "record_movement", args(t, sale), nil)
	want := store.Call{At: inTaipei(), Caller: "aunt", Tool: "record_movement", Arguments: sale}
	if diff := cmp.Diff([]store.Call{want, want}, n.calls); diff != "" { // to look, and to do it
		t.Errorf("(-want +got):\n%s", diff)
	}

	n.calls = nil
	srv = New(n, Config{AllowWrites: true, Now: inTaipei})
	callIn(as(t, "aunt"), t, srv, "record_movement", args(t, sale), nil)
	if n.calls != nil {
		t.Errorf("without an audit log: %+v", n.calls)
	}
}

// What a store does wrong leaves a trace, too.
func TestFailuresLeaveATrace(t *testing.T) {
	for name, s := range map[string]store.Stock{"panic": nil, "error": failing{}} {
		srv := auditing(s, nil, false)
		call(t, srv.MCPServer, "list_stores", nil, nil)
		if got := srv.last(t); got.Outcome != "failed" || got.Tool != "list_stores" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// failing is a store of which every list of shops fails.
type failing struct{ store.Stock }

func (failing) Shops(context.Context, store.ShopQuery) ([]store.Shop, string, error) {
	return nil, "", fmt.Errorf("disk on fire")
}

func TestReadsOfResourcesLeaveATrace(t *testing.T) {
	srv := auditing(open(t, demo.Catalog), &byOAuth, false)
	for _, test := range []struct {
		caller             store.Caller
		uri, kept, outcome string
	}{
		{reader, "store://koko-daan", "store://koko-daan", "ok"},
		{reader, "product://tea-egg", "product://tea-egg", "ok"},
		{reader, "product://nothing", "product://nothing", "ok"},
		{reader, "file:///etc/passwd\n\u202e", "file:///etc/passwd", "ok"},
		{changer, "store://koko-daan", "store://koko-daan", "refused: insufficient_scope"},
	} {
		rpcIn(store.WithCaller(t.Context(), test.caller), t, srv.MCPServer, "resources/read", map[string]any{"uri": test.uri})
		want := store.Call{At: inTaipei(), Caller: test.caller.ID, Tool: "resources/read",
			Arguments: fmt.Sprintf(`{"uri":%q}`, test.kept), Outcome: test.outcome}
		if diff := cmp.Diff(want, srv.last(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.uri, diff)
		}
	}
}

func TestTraceTakesItsTime(t *testing.T) {
	now := inTaipei()
	clock := func() time.Time { now = now.Add(time.Millisecond); return now }
	var got store.Call
	srv := New(open(t, demo.Catalog), Config{Now: clock, Audit: func(c store.Call) { got = c }})
	call(t, srv, "get_product", map[string]any{"id": "tea-egg"}, nil)
	if got.Took < time.Millisecond || !got.At.Equal(inTaipei().Add(time.Millisecond)) {
		t.Errorf("At %v, Took %v", got.At, got.Took)
	}
}

func TestTraceOfArguments(t *testing.T) {
	h := &handler{}
	trace := h.recordMovementTool().params.trace
	long := strings.Repeat("蛋", 5000)
	flood := map[string]any{"product": "x"}
	for i := range 1000 {
		flood[fmt.Sprintf("argument %04d", i)] = "secret"
	}
	for _, test := range []struct {
		name      string
		arguments any
		want      string // or, if "", only what holds for all
	}{
		{"nothing", nil, `{}`},
		{"empty", map[string]any{}, `{}`},
		{"a string", "secret", `"…"`},
		{"a list", []any{"secret"}, `"…"`},
		{"null", map[string]any{"store": nil}, `{"store":null}`},
		{"quotes", map[string]any{"store": "a\"b\\c\u0001d\xff"}, `{"store":"a\"b\\c d` + "\ufffd" + `"}`},
		{"lines and directions", map[string]any{"store": "a\nb\u202ec\u2028d"}, `{"store":"a b c d"}`},
		{"other types", map[string]any{"store": map[string]any{"secret": "secret"}, "delta": "secret", "reason": []any{"secret"}, "product": true, "expiry": 1.5},
			`{"store":"…","product":true,"delta":"…","reason":"…","expiry":1.5}`},
		{"private", map[string]any{"note": "secret", "confirmation": "secret"}, `{"note":"…","confirmation":"…"}`},
		{"unknown", map[string]any{"b\n\"": "secret", "a": 1.0, "store": "s"}, `{"store":"s","a":"…","b \"":"…"}`},
		{"long text", map[string]any{"store": long}, `{"store":"` + strings.Repeat("蛋", 199) + `…"}`},
		{"long name", map[string]any{long: "secret"}, `{"` + strings.Repeat("蛋", 39) + `…":"…"}`},
		{"many long texts", map[string]any{"store": long, "product": long, "reason": long, "expiry": long, "idempotency_key": long}, ""},
		{"quotes only", map[string]any{"store": strings.Repeat(`"`, 500), "product": strings.Repeat("\u0001", 500), "expiry": strings.Repeat("<", 500)}, ""},
		{"many unknown", flood, ""},
	} {
		got := trace(test.arguments, maxTrace)
		if test.want != "" && got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		if !json.Valid([]byte(got)) || !utf8.ValidString(got) || len(got) > maxTrace || strings.Contains(got, "secret") {
			t.Errorf("%s: %d bytes, %s", test.name, len(got), got)
		}
		if got := trace(test.arguments, maxOfNone); !json.Valid([]byte(got)) || len(got) > maxOfNone {
			t.Errorf("%s, of a caller whom nobody knows: %d bytes, %s", test.name, len(got), got)
		}
	}
	points := h.listStoresTool().params.trace
	for arguments, want := range map[string]string{
		`{"near":{"latitude":25,"longitude":121.5}}`:              `{"near":{"latitude":25,"longitude":121.5}}`,
		`{"near":{"latitude":25,"longitude":121.5,"secret":"x"}}`: `{"near":{"latitude":25,"longitude":121.5}}`,
		`{"near":{"latitude":"25"}}`:                              `{"near":"…"}`,
		`{"near":"secret"}`:                                       `{"near":"…"}`,
	} {
		if got := points(args(t, arguments), maxTrace); got != want {
			t.Errorf("%s: %s, want %s", arguments, got, want)
		}
	}
}

func TestListsAndPromptsLeaveATrace(t *testing.T) {
	srv := auditing(open(t, demo.Catalog), &byOAuth, false)
	long := strings.Repeat("蛋", 5000)
	for _, test := range []struct {
		caller         store.Caller
		method, params string
		kept, outcome  string
	}{
		{reader, "resources/list", `{}`, `{}`, "ok"},
		{reader, "resources/list", `{"cursor":"bm9uc2Vuc2U="}`, `{"cursor":"bm9uc2Vuc2U="}`, "invalid_argument"},
		{changer, "resources/list", `{}`, `{}`, "refused: insufficient_scope"},
		{reader, "prompts/get", `{"name":"check_stock","arguments":{"product":"茶葉蛋\n","store":"KOKO"}}`, `{"name":"check_stock","product":"茶葉蛋","store":"KOKO"}`, "ok"},
		{reader, "prompts/get", `{"name":"check_stock"}`, `{"name":"check_stock"}`, "ok"},
		{reader, "prompts/get", `{"name":"other"}`, `{"name":"other"}`, "invalid_argument"},
		{store.Caller{}, "prompts/get", `{"name":"check_stock","arguments":{"product":"` + long + `","store":"` + long + `"}}`, `{"name":"check_stock","product":"…","store":"…"}`, "ok"},
	} {
		rpcIn(store.WithCaller(t.Context(), test.caller), t, srv.MCPServer, test.method, args(t, test.params))
		want := store.Call{At: inTaipei(), Caller: test.caller.ID, Tool: test.method, Arguments: test.kept, Outcome: test.outcome}
		got := srv.last(t)
		if diff := cmp.Diff(want, got); diff != "" || len(got.Arguments) > maxOfNone {
			t.Errorf("%s %.60s (-want +got):\n%s", test.method, test.params, diff)
		}
	}
}

func TestFailedListsLeaveATrace(t *testing.T) {
	srv := auditing(failing{}, nil, false)
	rpc(t, srv.MCPServer, "resources/list", nil)
	if got := srv.last(t); got.Outcome != "failed" || got.Tool != "resources/list" {
		t.Errorf("%+v", got)
	}
}

// A completion comes with each key that a person types: a caller's first in a
// minute leaves an entry.
func TestCompletionsLeaveATraceEachMinute(t *testing.T) {
	now := inTaipei()
	var calls []store.Call
	srv := New(open(t, demo.Catalog), Config{
		Auth: &byOAuth, Now: func() time.Time { return now }, Audit: func(c store.Call) { calls = append(calls, c) },
	})
	aunt, other := reader, reader
	aunt.ID, other.ID = "grant:1", "grant:2"
	typed := func(c store.Caller, text string) {
		rpcIn(store.WithCaller(t.Context(), c), t, srv, "completion/complete", map[string]any{
			"ref": map[string]any{"type": "ref/prompt", "name": "check_stock"}, "argument": map[string]any{"name": "product", "value": text},
		})
	}
	for range 50 {
		typed(aunt, "茶")
		typed(other, "蛋")
		now = now.Add(time.Second)
	}
	now = now.Add(time.Minute)
	typed(aunt, "茶葉")
	typed(changer, "茶")
	var got []string
	for _, c := range calls {
		got = append(got, fmt.Sprint(c.Caller, " ", c.Tool, " ", c.Arguments, " ", c.Outcome))
	}
	want := []string{
		`grant:1 completion/complete {"of":"check_stock","argument":"product","value":"茶"} ok`,
		`grant:2 completion/complete {"of":"check_stock","argument":"product","value":"蛋"} ok`,
		`grant:1 completion/complete {"of":"check_stock","argument":"product","value":"茶葉"} ok`,
		changer.ID + ` completion/complete {"of":"check_stock","argument":"product","value":"茶"} refused: insufficient_scope`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
