package tools

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// wantSameAdvice fails where a client that shows a model the text alone, or the
// structure alone, would keep something from it. Every call that a test makes is
// held to it.
func wantSameAdvice(t testing.TB, tool string, arguments any, out result) {
	t.Helper()
	if out.StructuredContent == nil {
		if !out.IsError {
			t.Errorf("%s %v: no structuredContent", tool, arguments)
		}
		return // clients then show the text
	}
	text := out.Content[0].Text
	if tool == "search" || tool == "fetch" { // the structure as JSON
		var data map[string]any
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			t.Errorf("%s %v: text %q: %v", tool, arguments, text, err)
		} else if diff := cmp.Diff(out.StructuredContent, data); diff != "" {
			t.Errorf("%s %v: text and structuredContent differ:\n%s", tool, arguments, diff)
		}
		return
	}
	message, _ := out.StructuredContent["message"].(string)
	rest, ok := strings.CutPrefix(text, message)
	if message == "" || !ok {
		t.Errorf("%s %v: text %q, but message %q", tool, arguments, text, message)
	}
	if next, _ := out.StructuredContent["next_cursor"].(string); rest != "" && (next == "" || !strings.HasSuffix(rest, next)) || next != "" && rest == "" {
		t.Errorf("%s %v: text %q, but next_cursor %q", tool, arguments, text, next)
	}
	for _, member := range []string{"confirmation", "until"} {
		if value, _ := out.StructuredContent[member].(string); member == "until" && out.StructuredContent["status"] != "none" {
			continue
		} else if !strings.Contains(text, value) {
			t.Errorf("%s %v: text %q does not have the %s %q", tool, arguments, text, member, value)
		}
	}
	for _, member := range []string{"candidates", "suggestions"} {
		options, _ := out.StructuredContent[member].([]any)
		for _, o := range options {
			o := o.(map[string]any)
			if o["kind"] != "product" && !strings.Contains(text, o["name"].(string)) {
				t.Errorf("%s %v: text %q does not name %v", tool, arguments, text, o)
			}
		}
	}
}

func TestStructureSaysWhatToDoNext(t *testing.T) {
	s := openShop(t)
	for _, test := range []struct {
		tool, arguments string
		want            []string // in the text, and in the message
	}{
		{"record_movement", truckload, []string{"還沒有更動", "請先問使用者", "加上 confirmation："}},
		{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":60,"reason":"delivery"}`, []string{"Ask the user", "valid until 2026-11-03 16:25"}},
		{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":-6,"reason":"sale"}`, []string{"only 5 available"}},
		{"record_movement", `{"store":"nowhere","product":"tea egg","delta":-1,"reason":"sale"}`, []string{"list_stores lists them all"}},
		{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":-1,"reason":"sale"}`, []string{"5 → 4", "movement "}},
		{"release_reservation", `{"reservation":999}`, []string{"stock_history"}},
		{"check_stock", `{"product":"jet fighter"}`, []string{"search_products lists what there is"}},
		{"check_stock", `{"product":"tea egg","store":"Atlantis"}`, []string{"list_stores lists them all"}},
		{"check_stock", `{"product":"茶業蛋"}`, []string{"是不是：茶葉蛋"}},
		{"check_stock", `{"product":"茶葉蛋","store":"大安"}`, []string{"請問是哪一個"}},
		{"check_stock", `{"product":"tea egg","colour":"brown"}`, []string{"(ignored arguments: colour)"}},
		{"get_product", `{"id":"nothing"}`, []string{"check_stock", "search_products"}},
		{"search_products", `{"category":"武器"}`, []string{"不填 category"}},
		{"search_products", `{"query":"tea egg","store":"豆苗公益店"}`, []string{"不限條件則有：茶葉蛋"}},
		{"list_stores", `{"query":"Atlantis"}`, []string{"list_stores lists them all"}},
		{"list_expiring", `{"store":"koko-xinyi","within_days":2}`, []string{"2026-11-05"}},
		{"stock_history", `{"store":"KOKO","product":"茶葉蛋"}`, []string{"請問是哪一個"}},
	} {
		text, out := call(t, s.srv, test.tool, args(t, test.arguments), nil)
		message, _ := out.StructuredContent["message"].(string)
		for _, want := range test.want {
			if !strings.Contains(text, want) || !strings.Contains(message, want) {
				t.Errorf("%s %s: text %q and message %q, want %q in both", test.tool, test.arguments, text, message, want)
			}
		}
	}
}

func TestNothingExpiringSaysUntilWhen(t *testing.T) {
	_, out := call(t, serve(open(t, demo.Catalog)), "list_expiring", map[string]any{"within_days": 4}, nil)
	if got := out.StructuredContent; got["status"] != "none" || got["until"] != "2026-11-07" {
		t.Errorf("list_expiring = %v, want none until 2026-11-07", got)
	}
}

// Clients that show a model the text alone can page, too: the text has all rows
// of the page, and the cursor of the next.
func TestTextAloneListsEverything(t *testing.T) {
	srv := serve(open(t, demo.Catalog))
	var texts []string
	arguments := map[string]any{"limit": 7, "threshold": 1000}
	for {
		text, _ := call(t, srv, "list_low_stock", arguments, nil)
		texts = append(texts, text)
		_, cursor, more := strings.Cut(text, "cursor：")
		if !more {
			break
		}
		arguments["cursor"] = cursor
	}
	rows := strings.Count(strings.Join(texts, "、"), "、") + 1 - (len(texts) - 1) // less the …
	if want := len(demo.Catalog().Levels); rows != want {
		t.Errorf("the texts of %d pages have %d rows, want %d", len(texts), rows, want)
	}
	if slices.Contains(texts, "") {
		t.Error("a page has no text")
	}
}
