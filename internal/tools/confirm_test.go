package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// preview calls a tool that must ask for a second yes, and returns its answer
// and the token.
func (s *shop) preview(t testing.TB, tool, arguments string) (result, string) {
	t.Helper()
	out := s.do(t, tool, arguments)
	token, _ := out.StructuredContent["confirmation"].(string)
	if out.IsError || out.StructuredContent["status"] != "confirmation_required" || token == "" {
		t.Fatalf("%s %s = %s %v, want a preview", tool, arguments, out.Content[0].Text, out.StructuredContent)
	}
	return out, token
}

// with is arguments with a confirmation.
func with(arguments, token string) string {
	return fmt.Sprintf(`%s,"confirmation":%q}`, strings.TrimSuffix(arguments, "}"), token)
}

// confirmed calls a tool twice, as a model does whose user agreed.
func (s *shop) confirmed(t testing.TB, tool, arguments string) result {
	t.Helper()
	_, token := s.preview(t, tool, arguments)
	return s.done(t, tool, with(arguments, token))
}

// refusedAs fails where out is not a refusal of the given code.
func refusedAs(t testing.TB, what string, out result, want code) {
	t.Helper()
	if !out.IsError || out.StructuredContent["code"] != string(want) {
		t.Errorf("%s: %s %v, want %s", what, out.Content[0].Text, out.StructuredContent, want)
	}
}

const truckload = `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"delivery"}`

func TestLargeChangeNeedsASecondYes(t *testing.T) {
	s := openShop(t)
	out, token := s.preview(t, "record_movement", truckload)
	if text := out.Content[0].Text; !strings.Contains(text, "還沒有更動。將會：KOKO便利店 信義店 茶葉蛋：5 → 65 顆（進貨 60）。") || !strings.Contains(text, token) {
		t.Errorf("preview: %q", text)
	}
	if after := first(t, out, "levels", "after").(map[string]any)["on_hand"]; after != 65.0 || out.StructuredContent["movements"] != nil {
		t.Errorf("preview: %v, want 65 after it and no movements yet", out.StructuredContent)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)
	s.done(t, "record_movement", with(truckload, token))
	s.wantLevel(t, "koko-xinyi", "tea-egg", 65, 0)
}

func TestWhatNeedsASecondYes(t *testing.T) {
	s := openShop(t)
	s.confirmed(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":195,"reason":"delivery"}`) // 200
	for _, test := range []struct {
		tool, arguments string
		asks            bool
	}{
		{"record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-50,"reason":"sale"}`, false},
		{"record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-51,"reason":"sale"}`, true},
		{"count_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":200}`, false},
		{"count_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":149}`, true},
		{"transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"tea-egg","quantity":51}`, true},
		{"transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"tea-egg","quantity":1}`, false},
		{"reserve_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":51}`, true},
		{"reserve_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":1}`, false},
		{"undo_movement", `{"movement":1}`, true},
	} {
		out := s.do(t, test.tool, test.arguments)
		if asked := out.StructuredContent["status"] == "confirmation_required"; out.IsError || asked != test.asks {
			t.Errorf("%s %s: %v, want asked %v", test.tool, test.arguments, out.StructuredContent, test.asks)
		}
	}

	for name, test := range map[string]struct {
		above *int64
		asks  bool
	}{"nil": {nil, false}, "0": {new(int64(0)), true}, "1": {new(int64(1)), true}, "2": {new(int64(2)), false}} {
		srv := New(s.db, Config{AllowWrites: true, ConfirmAbove: test.above, Now: s.clock})
		_, out := call(t, srv, "record_movement", args(t, `{"store":"koko-xinyi","product":"tea-egg","delta":-2,"reason":"sale"}`), nil)
		if asked := out.StructuredContent["status"] == "confirmation_required"; asked != test.asks {
			t.Errorf("ConfirmAbove %s: a sale of 2 is %v, want asked %v", name, out.StructuredContent["status"], test.asks)
		}
	}
}

func TestConfirmationIsForOneChangeOnly(t *testing.T) {
	s := openShop(t)
	s.confirmed(t, "record_movement", `{"store":"koko-daan","product":"tea-egg","delta":96,"reason":"delivery"}`) // 100
	_, token := s.preview(t, "record_movement", truckload)

	tampered := []byte(token)
	for i := range tampered {
		tampered[i]++
		if tampered[i] == '[' || tampered[i] == '{' || tampered[i] == ':' || tampered[i] == '.' || tampered[i] == '`' {
			tampered[i] = 'b'
		}
		if string(tampered) == token {
			continue
		}
		refusedAs(t, fmt.Sprintf("token with another character %d", i), s.do(t, "record_movement", with(truckload, string(tampered))), codeConfirmationInvalid)
		tampered[i] = token[i]
	}
	for what, arguments := range map[string]string{
		"other delta":   `{"store":"koko-xinyi","product":"茶葉蛋","delta":61,"reason":"delivery"}`,
		"other store":   `{"store":"koko-ximen","product":"茶葉蛋","delta":60,"reason":"delivery"}`,
		"other product": `{"store":"koko-xinyi","product":"溏心蛋","delta":60,"reason":"delivery"}`,
		"other reason":  `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"correction"}`,
		"other lot":     `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"delivery","expiry":"2026-11-30"}`,
		"other note":    `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"delivery","note":"x"}`,
	} {
		refusedAs(t, what, s.do(t, "record_movement", with(arguments, token)), codeConfirmationInvalid)
	}
	const transfer = `{"from_store":"koko-daan","to_store":"koko-xinyi","product":"茶葉蛋","quantity":60}`
	refusedAs(t, "other tool", s.do(t, "transfer_stock", with(transfer, token)), codeConfirmationInvalid)
	_, out := callIn(as(t, "somebody else"), t, s.srv, "record_movement", args(t, with(truckload, token)), nil)
	refusedAs(t, "other caller", out, codeConfirmationInvalid)
	other := openShop(t)
	refusedAs(t, "other database", other.do(t, "record_movement", with(truckload, token)), codeConfirmationInvalid)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)

	// The same in other words is the same, and a key may come later.
	s.done(t, "record_movement", with(`{"store":"KOKO信義","product":"tea egg","delta":60,"reason":"delivery","idempotency_key":"t1"}`, token))
	refusedAs(t, "used twice", s.do(t, "record_movement", with(truckload, token)), codeConfirmationInvalid)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 65, 0)
}

func TestConfirmationExpires(t *testing.T) {
	s := openShop(t)
	_, token := s.preview(t, "record_movement", truckload)
	s.pass(confirmTTL)
	refusedAs(t, "after ten minutes", s.do(t, "record_movement", with(truckload, token)), codeConfirmationInvalid)
	_, token = s.preview(t, "record_movement", truckload)
	s.pass(confirmTTL - time.Second)
	s.done(t, "record_movement", with(truckload, token))
}

func TestConfirmedChangeIsRepeatedByItsKey(t *testing.T) {
	s := openShop(t)
	const keyed = `{"store":"koko-xinyi","product":"茶葉蛋","delta":60,"reason":"delivery","idempotency_key":"truck 7"}`
	_, token := s.preview(t, "record_movement", keyed)
	before := s.done(t, "record_movement", with(keyed, token))
	for name, again := range map[string]string{"with its token": with(keyed, token), "without": keyed} {
		s.pass(time.Hour)
		out := s.done(t, "record_movement", again)
		if out.StructuredContent["replayed"] != true || first(t, out, "movements", "id") != first(t, before, "movements", "id") {
			t.Errorf("%s: %v, want the first answer", name, out.StructuredContent)
		}
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 65, 0)
}

func TestOneConfirmationIsSpentOnceByManyAtOnce(t *testing.T) {
	s := openShop(t)
	_, token := s.preview(t, "record_movement", truckload)
	arguments := args(t, with(truckload, token))
	var callers sync.WaitGroup
	done := make(chan bool, 16)
	for range cap(done) {
		callers.Go(func() {
			_, out := call(t, s.srv, "record_movement", arguments, nil)
			done <- !out.IsError
		})
	}
	callers.Wait()
	close(done)
	n := 0
	for ok := range done {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of the calls were done, want 1", n)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 65, 0)
}

// A yes is to what was said: so many more or less, and of a count the
// difference. What happens is decided by the stock as it is then.
func TestStockMayChangeBeforeTheYes(t *testing.T) {
	s := openShop(t)
	s.confirmed(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":95,"reason":"delivery"}`) // 100
	const sale, count = `{"store":"koko-xinyi","product":"tea-egg","delta":-60,"reason":"sale"}`, `{"store":"koko-xinyi","product":"tea-egg","quantity":10}`

	_, token := s.preview(t, "record_movement", sale)
	_, recount := s.preview(t, "count_stock", count)
	s.done(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-10,"reason":"sale"}`)
	out := s.done(t, "record_movement", with(sale, token))
	if after := first(t, out, "levels", "after").(map[string]any)["on_hand"]; after != 30.0 {
		t.Errorf("60 of 90 leave %v, want 30", after)
	}
	s.confirmed(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":70,"reason":"delivery"}`) // 100 again
	_, token = s.preview(t, "record_movement", sale)
	s.done(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-50,"reason":"sale"}`)
	refusedAs(t, "no longer enough", s.do(t, "record_movement", with(sale, token)), codeInsufficientStock)

	s.confirmed(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":500,"reason":"delivery"}`)
	refusedAs(t, "a count from another level", s.do(t, "count_stock", with(count, recount)), codeConfirmationInvalid)
	s.confirmed(t, "count_stock", count)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 10, 0)
}

func TestUndoTakesAChangeBack(t *testing.T) {
	s := openShop(t)
	out := s.done(t, "transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-ximen","product":"tea-egg","quantity":4}`)
	id := first(t, out, "movements", "id")
	back := s.confirmed(t, "undo_movement", fmt.Sprintf(`{"movement":%v,"note":"wrong store"}`, id))
	if text := back.Content[0].Text; !strings.Contains(text, fmt.Sprintf("(movement %v undone)", id)) {
		t.Errorf("undo of %v: %q", id, text)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)
	s.wantLevel(t, "koko-ximen", "tea-egg", 0, 0)
}

// capable is the _meta of a request of 2026 whose client has the capabilities.
func capable(capabilities string) map[string]any {
	meta := maps.Clone(modern)
	var can any
	if err := json.Unmarshal([]byte(capabilities), &can); err != nil {
		panic(err)
	}
	meta["io.modelcontextprotocol/clientCapabilities"] = can
	return meta
}

// round is a tool's answer in one round of a request.
type round struct {
	result
	ResultType    string
	RequestState  string
	InputRequests map[string]struct {
		Method string
		Params struct {
			Message         string
			RequestedSchema map[string]any
		}
	}
}

// ask sends one round of a call: the first, or with the state and the answer of
// the one before.
func (s *shop) ask(t testing.TB, tool, arguments string, meta map[string]any, state string, action any) round {
	t.Helper()
	params := map[string]any{"name": tool, "arguments": args(t, arguments)}
	if meta != nil {
		params["_meta"] = meta
	}
	if state != "" {
		params["requestState"] = state
	}
	if action != nil {
		params["inputResponses"] = map[string]any{"confirm": map[string]any{"action": action}}
	}
	r := rpc(t, s.srv, "tools/call", params)
	if r.Error != nil {
		t.Fatalf("%s %s: error %d: %s", tool, arguments, r.Error.Code, r.Error.Message)
	}
	var out round
	if err := json.Unmarshal(r.Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestClientThatCanAskItsUserIsToldTo(t *testing.T) {
	s := openShop(t)
	meta := capable(`{"elicitation":{}}`)
	out := s.ask(t, "record_movement", truckload, meta, "", nil)
	q := out.InputRequests["confirm"]
	if out.ResultType != "input_required" || q.Method != "elicitation/create" || out.RequestState == "" {
		t.Fatalf("first round = %+v, want an elicitation", out)
	}
	if want := "要這樣更動庫存嗎？KOKO便利店 信義店 茶葉蛋：5 → 65 顆（進貨 60）"; q.Params.Message != want {
		t.Errorf("message %q, want %q", q.Params.Message, want)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)

	for _, action := range []string{"decline", "cancel"} {
		no := s.ask(t, "record_movement", truckload, meta, out.RequestState, action)
		if no.IsError || no.StructuredContent["status"] != "declined" || !strings.Contains(no.Content[0].Text, "沒有更動") {
			t.Errorf("%s = %v", action, no)
		}
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)

	yes := s.ask(t, "record_movement", truckload, meta, out.RequestState, "accept")
	if yes.IsError || yes.StructuredContent["status"] != "done" || yes.ResultType != "complete" {
		t.Fatalf("accept = %+v", yes)
	}
	again := s.ask(t, "record_movement", truckload, meta, out.RequestState, "accept")
	refusedAs(t, "used twice", again.result, codeConfirmationInvalid)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 65, 0)
}

func TestAnswerOfAUserIsForOneChangeOnly(t *testing.T) {
	s := openShop(t)
	meta := capable(`{"elicitation":{"form":{}}}`)
	state := s.ask(t, "record_movement", truckload, meta, "", nil).RequestState
	for what, bad := range map[string]round{
		"no state":         s.ask(t, "record_movement", truckload, meta, "", "accept"),
		"made up state":    s.ask(t, "record_movement", truckload, meta, "yes", "accept"),
		"other arguments":  s.ask(t, "record_movement", strings.Replace(truckload, "60", "600", 1), meta, state, "accept"),
		"state as a token": s.ask(t, "record_movement", with(truckload, state), nil, "", nil),
	} {
		refusedAs(t, what, bad.result, codeConfirmationInvalid)
	}
	_, token := s.preview(t, "record_movement", truckload)
	refusedAs(t, "token as a state", s.ask(t, "record_movement", truckload, meta, token, "accept").result, codeConfirmationInvalid)
	s.pass(confirmTTL)
	refusedAs(t, "after ten minutes", s.ask(t, "record_movement", truckload, meta, state, "accept").result, codeConfirmationInvalid)
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)

	// Without an answer, the question is asked again.
	if out := s.ask(t, "record_movement", truckload, meta, state, nil); out.ResultType != "input_required" || out.RequestState == state {
		t.Errorf("no answer = %+v, want a new question", out)
	}
}

// A client of 2025 could not answer, and one that did not say that it can ask
// its user might hang; whatever they send along.
func TestOtherClientsAreNeverAskedForInput(t *testing.T) {
	s := openShop(t)
	state := s.ask(t, "record_movement", truckload, capable(`{"elicitation":{}}`), "", nil).RequestState
	old := capable(`{"elicitation":{}}`)
	old["io.modelcontextprotocol/protocolVersion"] = "2025-11-25"
	for what, meta := range map[string]map[string]any{
		"2025":                            nil,
		"2025 with capabilities in _meta": old,
		"2026 without elicitation":        modern,
		"2026 with URLs only":             capable(`{"elicitation":{"url":{}}}`),
	} {
		for _, action := range []any{nil, "accept"} {
			out := s.ask(t, "record_movement", truckload, meta, state, action)
			if out.ResultType == "input_required" || out.InputRequests != nil || out.RequestState != "" ||
				out.StructuredContent["status"] != "confirmation_required" {
				t.Errorf("%s, answer %v = %+v, want a preview with a token", what, action, out)
			}
		}
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 5, 0)
}
