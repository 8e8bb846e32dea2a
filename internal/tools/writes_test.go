package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// writers are the tools that change the stock, and whether a call takes
// something away, and whether a second one changes nothing more.
var writers = map[string]struct{ destructive, idempotent bool }{
	"record_movement":     {true, false},
	"count_stock":         {true, true},
	"transfer_stock":      {true, false},
	"reserve_stock":       {false, false},
	"release_reservation": {true, true},
	"undo_movement":       {true, true},
}

func TestWritesAreThereOnlyWhereAllowed(t *testing.T) {
	for _, tool := range tools(t, serve(nil)) {
		if _, ok := writers[tool.Name]; ok || tool.Annotations["readOnlyHint"] != true {
			t.Errorf("%s is listed, though writing is not allowed", tool.Name)
		}
	}
	allowed := map[string]published{}
	for _, tool := range tools(t, New(nil, Config{AllowWrites: true})) {
		allowed[tool.Name] = tool
	}
	for name, hints := range writers {
		want := map[string]any{
			"title": allowed[name].Title, "readOnlyHint": false, "openWorldHint": false,
			"destructiveHint": hints.destructive, "idempotentHint": hints.idempotent,
		}
		if diff := cmp.Diff(want, allowed[name].Annotations); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		r := rpc(t, serve(nil), "tools/call", map[string]any{"name": name, "arguments": map[string]any{}})
		if r.Error == nil || r.Error.Code != -32602 || !strings.Contains(r.Error.Message, "not found") {
			t.Errorf("calling %s where writing is not allowed = %s, %v; want error -32602", name, r.Result, r.Error)
		}
	}
}

func TestInstructionsTellOfWritesOnlyWhereAllowed(t *testing.T) {
	for _, allow := range []bool{false, true} {
		var out struct{ Instructions string }
		r := rpc(t, New(nil, Config{AllowWrites: allow}), "server/discover", map[string]any{"_meta": modern})
		if err := json.Unmarshal(r.Result, &out); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"confirmation", "undo_movement", "only when the user asked"} {
			if strings.Contains(out.Instructions, word) != allow {
				t.Errorf("AllowWrites %v: instructions say %q: %v", allow, word, !allow)
			}
		}
	}
}

func TestChangesShowInTheNextRead(t *testing.T) {
	s := openShop(t)
	s.wantLevel(t, "koko-xinyi", "茶葉蛋", 5, 0)

	out := s.done(t, "record_movement", `{"store":"KOKO便利店 信義店","product":"茶葉蛋","delta":-2,"reason":"sale"}`)
	if text := out.Content[0].Text; !strings.HasPrefix(text, "KOKO便利店 信義店 茶葉蛋：5 → 3 顆（賣出 2）；異動編號 ") {
		t.Errorf("sale: %q", text)
	}
	s.wantLevel(t, "koko-xinyi", "茶葉蛋", 3, 0)

	s.done(t, "count_stock", `{"store":"koko-xinyi","product":"tea egg","quantity":9}`)
	s.wantLevel(t, "koko-xinyi", "茶葉蛋", 9, 0)

	s.done(t, "transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-ximen","product":"tea-egg","quantity":4}`)
	s.wantLevel(t, "koko-xinyi", "茶葉蛋", 5, 0)
	s.wantLevel(t, "koko-ximen", "茶葉蛋", 4, 0)

	out = s.done(t, "reserve_stock", `{"store":"koko-ximen","product":"tea-egg","quantity":3,"note":"王小姐"}`)
	s.wantLevel(t, "koko-ximen", "茶葉蛋", 4, 3)

	held := out.StructuredContent["reservation"].(map[string]any)["id"]
	s.done(t, "release_reservation", fmt.Sprintf(`{"reservation":%v}`, held))
	s.wantLevel(t, "koko-ximen", "茶葉蛋", 4, 0)

	// Where the product was not carried, too.
	s.done(t, "record_movement", `{"store":"koko-xinyi","product":"fried-chicken","delta":6,"reason":"delivery","expiry":"2026-11-05"}`)
	s.wantLevel(t, "koko-xinyi", "fried-chicken", 6, 0)
}

func TestRefusals(t *testing.T) {
	s := openShop(t)
	sold := s.done(t, "record_movement", `{"store":"koko-daan","product":"tea-egg","delta":-1,"reason":"sale","idempotency_key":"k1"}`)
	undone := fmt.Sprintf(`{"movement":%v}`, first(t, sold, "movements", "id"))
	s.confirmed(t, "undo_movement", undone)
	held := s.done(t, "reserve_stock", `{"store":"koko-daan","product":"tea-egg","quantity":1}`).StructuredContent["reservation"].(map[string]any)["id"]
	released := fmt.Sprintf(`{"reservation":%v}`, held)
	s.done(t, "release_reservation", released)
	held = s.done(t, "reserve_stock", `{"store":"koko-daan","product":"tea-egg","quantity":1,"minutes":5}`).StructuredContent["reservation"].(map[string]any)["id"]
	lapsed := fmt.Sprintf(`{"reservation":%v}`, held)
	s.pass(6 * time.Minute)
	s.done(t, "record_movement", `{"store":"koko-daan","product":"curry-rice","delta":2,"reason":"delivery","expiry":"2026-11-05"}`)

	seen := map[code]bool{}
	for _, test := range []struct {
		tool, arguments string
		code            code
		facts           string // of the structured content, but for status and code
		text            string // a part of it
	}{
		{"record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-6,"reason":"sale"}`, codeInsufficientStock,
			`{"store":"koko-xinyi","product":"tea-egg","on_hand":5,"reserved":0,"available":5,"asked":6}`, "only 5 available (5 on hand, 0 reserved), not 6"},
		{"record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":-600,"reason":"waste"}`, codeInsufficientStock,
			`{"store":"koko-xinyi","product":"tea-egg","on_hand":5,"reserved":0,"available":5,"asked":600}`, "只有 5 顆可用"},
		{"record_movement", `{"store":"koko-daan","product":"curry-rice","delta":-3,"reason":"sale","expiry":"2026-11-05"}`, codeInsufficientStock,
			`{"store":"koko-daan","product":"curry-rice","on_hand":11,"reserved":0,"available":11,"asked":3,"expiry":"2026-11-05","lot":2}`, "expires on 2026-11-05 there are 2"},
		{"transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"茶葉蛋","quantity":6}`, codeInsufficientStock,
			`{"store":"koko-xinyi","product":"tea-egg","on_hand":5,"reserved":0,"available":5,"asked":6}`, "沒有更動"},
		{"reserve_stock", `{"store":"koko-daan","product":"溏心蛋","quantity":4}`, codeInsufficientStock,
			`{"store":"koko-daan","product":"soft-boiled-egg","on_hand":4,"reserved":1,"available":3,"asked":4}`, "已保留 1"},

		{"record_movement", `{"store":"火星分店","product":"茶葉蛋","delta":-1,"reason":"sale"}`, codeUnknownStore, `{}`, "找不到門市"},
		{"record_movement", `{"store":"Orange Lantren","product":"tea egg","delta":-1,"reason":"sale"}`, codeUnknownStore, `{"suggestions":true}`, "Did you mean"},
		{"record_movement", `{"store":"松仁路","product":"茶葉蛋","delta":-1,"reason":"sale"}`, codeUnknownStore, `{}`, "找不到門市"}, // an address is no name
		{"record_movement", `{"store":"大安","product":"茶葉蛋","delta":-1,"reason":"sale"}`, codeAmbiguousStore, `{"candidates":2}`, "請問是哪一個"},
		{"record_movement", `{"store":"KOKO便利店","product":"茶葉蛋","delta":-1,"reason":"sale"}`, codeAmbiguousStore, `{"candidates":4}`, "KOKO便利店 西門店"},
		{"transfer_stock", `{"from_store":"koko-xinyi","to_store":"KOKO","product":"tea egg","quantity":1}`, codeAmbiguousStore, `{"candidates":4}`, "Which one?"},
		{"count_stock", `{"store":"koko-xinyi","product":"茶業蛋","quantity":1}`, codeUnknownProduct, `{"suggestions":true}`, "是不是"},
		{"count_stock", `{"store":"koko-xinyi","product":"戰鬥機","quantity":1}`, codeUnknownProduct, `{}`, "找不到商品"},
		{"count_stock", `{"store":"koko-xinyi","product":"cola","quantity":1}`, codeAmbiguousProduct, `{"candidates":3}`, "Which one?"},

		{"record_movement", `{"store":"koko-xinyi","product":"fried-chicken","delta":-1,"reason":"sale"}`, codeNotCarried,
			`{"store":"koko-xinyi","product":"fried-chicken"}`, "does not carry"},
		{"reserve_stock", `{"store":"koko-xinyi","product":"香酥雞排","quantity":1}`, codeNotCarried,
			`{"store":"koko-xinyi","product":"fried-chicken"}`, "沒有販售香酥雞排"},
		{"transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"香酥雞排","quantity":1}`, codeNotCarried,
			`{"store":"koko-xinyi","product":"fried-chicken"}`, "KOKO便利店 信義店沒有販售"},

		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":-2,"reason":"sale","idempotency_key":"k1"}`, codeConflict, `{}`, "idempotency_key"},
		{"undo_movement", undone, codeConflict, `{}`, "之前已經復原過"},
		{"release_reservation", released, codeConflict, `{}`, "之前已經放開了"},
		{"release_reservation", lapsed, codeReservationExpired, `{}`, "到期"},
		{"undo_movement", `{"movement":9007199254740991}`, codeUnknownMovement, `{}`, "沒有異動"},
		{"release_reservation", `{"reservation":999}`, codeUnknownReservation, `{}`, "沒有保留 999"},

		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":2,"reason":"sale"}`, codeInvalidArgument, `{}`, "below 0"},
		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":-2,"reason":"delivery"}`, codeInvalidArgument, `{}`, "above 0"},
		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":-2,"reason":"theft"}`, codeInvalidArgument, `{}`, `reason must be one of delivery, sale, waste, correction, such as "sale"; got "theft"`},
		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":2,"reason":"delivery","expiry":"2026-02-30"}`, codeInvalidArgument, `{}`, `expiry: "2026-02-30" is not a date such as 2026-11-30`},
		{"record_movement", `{}`, codeInvalidArgument, `{}`, "product is required"},
		{"transfer_stock", `{"from_store":"koko-daan","to_store":"KOKO大安","product":"tea-egg","quantity":1}`, codeInvalidArgument, `{}`, "two shops"},
		{"count_stock", `{"store":"koko-daan","product":"tea-egg","quantity":-1}`, codeInvalidArgument, `{}`, "quantity must be a whole number from 0 to 1000000000"},
		{"undo_movement", undone[:len(undone)-1] + `,"confirmation":"x"}`, codeConflict, `{}`, "之前已經復原過"},
		{"record_movement", `{"store":"koko-daan","product":"tea-egg","delta":90,"reason":"delivery","confirmation":"x"}`, codeConfirmationInvalid, `{}`, "call again without confirmation"},
	} {
		out := s.do(t, test.tool, test.arguments)
		text := out.Content[0].Text
		if !out.IsError || out.StructuredContent["code"] != string(test.code) || out.StructuredContent["status"] != "refused" {
			t.Errorf("%s %s = %v %s, %v; want %s", test.tool, test.arguments, out.IsError, text, out.StructuredContent, test.code)
			continue
		}
		seen[test.code] = true
		if !strings.Contains(text, test.text) || strings.ContainsFunc(text, breaksLine) {
			t.Errorf("%s %s: text %q, want one line that says %q", test.tool, test.arguments, text, test.text)
		}
		if diff := cmp.Diff(args(t, test.facts), facts(out)); diff != "" {
			t.Errorf("%s %s: facts (-want +got):\n%s", test.tool, test.arguments, diff)
		}
	}
	for _, c := range []code{codeInvalidArgument, codeUnknownStore, codeUnknownProduct, codeAmbiguousStore, codeAmbiguousProduct, codeUnknownMovement,
		codeUnknownReservation, codeNotCarried, codeInsufficientStock, codeConflict, codeReservationExpired, codeConfirmationInvalid} {
		if !seen[c] {
			t.Errorf("nothing is refused as %s", c)
		}
	}
	s.wantLevel(t, "koko-daan", "tea-egg", 4, 0)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)
}

// facts are a refusal's structured content, with shops and products as their
// IDs, candidates as their number, and whether there are suggestions.
func facts(out result) map[string]any {
	f := maps.Clone(out.StructuredContent)
	delete(f, "message")
	delete(f, "status")
	delete(f, "code")
	for name, value := range f {
		switch v := value.(type) {
		case map[string]any:
			f[name] = v["id"]
		case []any:
			if f[name] = float64(len(v)); name == "suggestions" {
				f[name] = true
			}
		}
	}
	return f
}

func TestSameKeyIsDoneOnce(t *testing.T) {
	s := openShop(t)
	const sale = `{"store":"koko-xinyi","product":"tea-egg","delta":-2,"reason":"sale","idempotency_key":"till-7"}`
	before := s.done(t, "record_movement", sale)
	again := s.done(t, "record_movement", sale)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 3, 0)
	if again.StructuredContent["replayed"] != true || !strings.Contains(again.Content[0].Text, "Done before, and not again. Tea egg") {
		t.Errorf("the second call = %s, %v", again.Content[0].Text, again.StructuredContent)
	}
	if diff := cmp.Diff(before.StructuredContent["movements"], again.StructuredContent["movements"]); diff != "" {
		t.Errorf("movements of the second call (-first +second):\n%s", diff)
	}
	// Another caller's keys are their own.
	_, out := callIn(as(t, "till 2"), t, s.srv, "record_movement", args(t, sale), nil)
	if out.IsError || out.StructuredContent["replayed"] != nil {
		t.Errorf("another caller's call = %v", out.StructuredContent)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 1, 0)
}

func TestCountTellsWhatItReleased(t *testing.T) {
	s := openShop(t)
	s.done(t, "reserve_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":2}`)
	newest := s.done(t, "reserve_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":3,"note":"王小姐"}`)
	out := s.done(t, "count_stock", `{"store":"koko-xinyi","product":"茶葉蛋","quantity":4}`)
	want := newest.StructuredContent["reservation"].(map[string]any)["id"]
	if got := first(t, out, "released", "id"); got != want {
		t.Errorf("released %v, want %v", got, want)
	}
	if text := out.Content[0].Text; !strings.Contains(text, fmt.Sprintf("；因此放開了保留：編號 %v（3）", want)) {
		t.Errorf("text %q does not say what was released", text)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 4, 2)
}

func TestMovementsNameCallerAndClient(t *testing.T) {
	s := openShop(t)
	long := maps.Clone(modern)
	long["io.modelcontextprotocol/clientInfo"] = map[string]any{"name": "Ten\nThousand " + strings.Repeat("x", 500), "version": "1"}
	_, out := callIn(as(t, "aunt"), t, s.srv, "record_movement", args(t, `{"store":"koko-xinyi","product":"tea-egg","delta":1,"reason":"correction"}`), long)
	if out.IsError {
		t.Fatal(out.Content[0].Text)
	}
	movements, _, err := s.db.Movements(t.Context(), store.MovementQuery{ShopID: "koko-xinyi", ProductID: "tea-egg", Page: store.Page{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	m := movements[0]
	if m.Actor != "aunt" || !strings.HasPrefix(m.Client, "Ten Thousand xxx") || len([]rune(m.Client)) != maxClient {
		t.Errorf("actor %q, client %q; want aunt, and at most %d characters of the client's name", m.Actor, m.Client, maxClient)
	}
}

// lossy is a store whose changes are made, perhaps, and not answered.
type lossy struct{ store.Stock }

func (l lossy) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	if m.DryRun {
		return l.Stock.Move(ctx, m)
	}
	return store.Receipt{}, errors.Join(store.ErrUncertain, errors.New("disk I/O error"))
}

func TestLostAnswerIsToldAsUncertain(t *testing.T) {
	s := openShop(t)
	var log bytes.Buffer
	srv := New(lossy{s.db}, Config{AllowWrites: true, Now: s.clock, Log: slog.New(slog.NewTextHandler(&log, nil))})
	text, out := call(t, srv, "record_movement", args(t, `{"store":"koko-xinyi","product":"tea-egg","delta":-1,"reason":"sale"}`), nil)
	if !out.IsError || text != errUncertain.Error() {
		t.Errorf("= %q, want %q", text, errUncertain)
	}
	if !strings.Contains(log.String(), "disk I/O error") {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

// meddled is a store in which somebody else counts right after each dry run.
type meddled struct {
	store.Stock
	levels []int64 // that they find, one after the other
}

func (m *meddled) Count(ctx context.Context, c store.Count) (store.Receipt, error) {
	r, err := m.Stock.Count(ctx, c)
	if c.DryRun && len(m.levels) > 0 {
		_, err = m.Stock.Count(ctx, store.Count{ShopID: c.ShopID, ProductID: c.ProductID, Quantity: m.levels[0]})
		m.levels = m.levels[1:]
	}
	return r, err
}

func TestChangeOverTheLimitIsConfirmedHoweverItCameAbout(t *testing.T) {
	s := openShop(t)
	const count = `{"store":"koko-xinyi","product":"tea-egg","quantity":10`
	left := func() int64 {
		l, err := s.db.Level(t.Context(), "koko-xinyi", "tea-egg")
		if err != nil {
			t.Fatal(err)
		}
		return l.OnHand
	}
	// Looked at, it would be 5 → 10; by the time of the change, 900 → 10.
	m := &meddled{Stock: s.db, levels: []int64{900}}
	srv := New(m, Config{AllowWrites: true, Now: s.clock, Log: slog.New(slog.DiscardHandler)})
	_, out := call(t, srv, "count_stock", args(t, count+"}"), nil)
	if out.StructuredContent["status"] != "confirmation_required" || left() != 900 {
		t.Fatalf("= %v with %d left, want to be asked, and 900 left", out.StructuredContent, left())
	}
	// A yes to 900 → 10 is none to 700 → 10.
	m.levels = []int64{700}
	token := out.StructuredContent["confirmation"].(string)
	_, out = call(t, srv, "count_stock", args(t, count+`,"confirmation":"`+token+`"}`), nil)
	if out.StructuredContent["code"] != "confirmation_invalid" || left() != 700 {
		t.Errorf("= %v with %d left, want an invalid confirmation, and 700 left", out.StructuredContent, left())
	}
}

func TestUndoOfWhatIsGoneSaysSo(t *testing.T) {
	s := openShop(t)
	rows := func(yield func(store.Row, error) bool) {
		yield(store.Row{Shop: store.Shop{Name: "別的店"}, Product: store.Product{Name: "全新的東西"}, Quantity: new(int64(1))}, nil)
	}
	// What is not demo data any longer keeps its history.
	if err := s.db.Load(t.Context(), demo.Catalog(), false); err != nil {
		t.Fatal(err)
	}
	moved, err := s.db.Move(t.Context(), store.Move{ShopID: "koko-xinyi", ProductID: "tea-egg", Delta: 1, Reason: store.Delivery})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Import(t.Context(), rows, store.ImportOptions{Mode: store.Replace, RemoveStores: true}); err != nil {
		t.Fatal(err)
	}
	text, out := call(t, s.srv, "undo_movement", args(t, fmt.Sprintf(`{"movement":%d}`, moved.Movements[0].ID)), nil)
	if out.StructuredContent["code"] != "conflict" || !strings.Contains(text, "已經不在了") {
		t.Errorf("= %q, %v, want a conflict that says that it is gone", text, out.StructuredContent)
	}
}
