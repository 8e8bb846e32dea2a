package tools

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestPromptAsksTheQuestion(t *testing.T) {
	srv := serve(nil)
	for _, test := range []struct {
		arguments map[string]any
		want      string
	}{
		{map[string]any{"product": "茶葉蛋", "store": "KOKO便利店"}, "KOKO便利店的茶葉蛋還有幾個？"},
		{map[string]any{"product": "tea egg", "store": "KOKO"}, "How much tea egg is left at KOKO?"},
		{map[string]any{"product": "茶葉蛋"}, "茶葉蛋還有幾個？哪些門市有？"},
		{nil, "我想查庫存，請先問我要查哪一項商品。"},
	} {
		var out struct {
			Messages []struct {
				Role    string
				Content struct{ Type, Text string }
			}
		}
		r := rpc(t, srv, "prompts/get", map[string]any{"name": "check_stock", "arguments": test.arguments})
		if err := json.Unmarshal(r.Result, &out); err != nil {
			t.Fatalf("%v: %v", r.Error, err)
		}
		if len(out.Messages) != 1 || out.Messages[0].Role != "user" || out.Messages[0].Content.Text != test.want {
			t.Errorf("prompt of %v = %+v, want %q", test.arguments, out.Messages, test.want)
		}
	}
}

// complete asks for completions of one argument.
func complete(t *testing.T, r response) (values []string, more bool) {
	t.Helper()
	var out struct {
		Completion struct {
			Values  []string
			HasMore bool
		}
	}
	if r.Error != nil {
		t.Fatal(r.Error)
	}
	if err := json.Unmarshal(r.Result, &out); err != nil {
		t.Fatal(err)
	}
	if out.Completion.Values == nil {
		t.Errorf("completion %s has no values array", r.Result)
	}
	return out.Completion.Values, out.Completion.HasMore
}

func TestCompletions(t *testing.T) {
	srv := serve(open(t, town))
	prompt := map[string]any{"type": "ref/prompt", "name": "check_stock"}
	resource := func(uri string) map[string]any { return map[string]any{"type": "ref/resource", "uri": uri} }
	for _, test := range []struct {
		ref         map[string]any
		name, value string
		want        []string
	}{
		{prompt, "product", "綠", []string{"無糖綠茶"}},
		{prompt, "product", "绿", []string{"無糖綠茶"}},
		{prompt, "product", "噴", []string{}},
		{prompt, "store", "可可", []string{"KOKO便利店", "可可樹藥妝"}},
		{prompt, "store", "板橋", []string{"KOKO便利店 板橋店"}},
		{prompt, "price", "1", []string{}},
		{map[string]any{"type": "ref/prompt", "name": "other"}, "product", "綠", []string{}},
		{resource("store://{id}"), "id", "板橋", []string{"k3"}},
		{resource("product://{id}"), "id", "茶葉", []string{"p1"}},
		{resource("product://{id}"), "sku", "茶葉", []string{}},
		{resource("other://{id}"), "id", "茶", []string{}},
	} {
		got, _ := complete(t, rpc(t, srv, "completion/complete", map[string]any{
			"ref": test.ref, "argument": map[string]any{"name": test.name, "value": test.value},
		}))
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("completions of %v %s %q (-want +got):\n%s", test.ref, test.name, test.value, diff)
		}
	}
}

func TestCompletionsAreAtMost100(t *testing.T) {
	many := func() store.Catalog {
		c := store.Catalog{Chains: []store.Chain{{Name: "店鋪"}}}
		for i := range 150 {
			c.Shops = append(c.Shops, store.Shop{ID: fmt.Sprint("s", i), Name: fmt.Sprint("店 ", i), Chain: "店鋪"})
		}
		return c
	}
	srv := serve(open(t, many))
	got, more := complete(t, rpc(t, srv, "completion/complete", map[string]any{
		"ref":      map[string]any{"type": "ref/prompt", "name": "check_stock"},
		"argument": map[string]any{"name": "store", "value": "店"},
	}))
	if len(got) != 100 || !more {
		t.Errorf("%d completions, more %v, want 100 and more", len(got), more)
	}
}
