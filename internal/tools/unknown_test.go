package tools

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// fromN8n is what n8n adds to the arguments of every call.
const fromN8n = `"toolCallId":"call_0","sessionId":"s","action":"sendMessage","chatInput":"還有幾個","tool":"check_stock"`

// calls are one for each tool that works, without the closing brace.
var calls = map[string]string{
	"check_stock":     `{"product":"tea-egg"`,
	"search_products": `{"query":"茶"`,
	"list_stores":     `{"limit":1`,
	"get_product":     `{"id":"tea-egg"`,
	"list_low_stock":  `{"limit":1`,
	"list_expiring":   `{"limit":1`,
	"stock_history":   `{"store":"koko-xinyi","product":"tea-egg"`,
	"search":          `{"query":"茶葉蛋"`,
	"fetch":           `{"id":"product://tea-egg"`,

	"record_movement":     `{"store":"koko-xinyi","product":"tea-egg","delta":1,"reason":"correction"`,
	"count_stock":         `{"store":"koko-xinyi","product":"tea-egg","quantity":5`,
	"transfer_stock":      `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"tea-egg","quantity":1`,
	"reserve_stock":       `{"store":"koko-xinyi","product":"tea-egg","quantity":1`,
	"release_reservation": `{"reservation":1`,
	"undo_movement":       `{"movement":1`,
}

func TestEveryToolTakesWhatN8nAdds(t *testing.T) {
	page := func(id string) string { return "https://shop.example/" + id }
	srv := New(open(t, demo.Catalog), Config{AllowWrites: true, Now: inTaipei, Connector: &Connector{page, page}})
	published := tools(t, srv)
	if len(published) != len(calls) {
		t.Fatalf("%d tools, but %d calls to try", len(published), len(calls))
	}
	for _, tool := range published {
		text, out := call(t, srv, tool.Name, args(t, calls[tool.Name]+","+fromN8n+"}"), nil)
		if out.IsError {
			t.Errorf("%s: %s", tool.Name, text)
			continue
		}
		if diff := cmp.Diff([]any{"action", "chatInput", "sessionId", "tool", "toolCallId"}, out.StructuredContent["ignored"]); diff != "" {
			t.Errorf("%s: ignored (-want +got):\n%s", tool.Name, diff)
		}
		if tool.Name != "search" && tool.Name != "fetch" && strings.Contains(text, "toolCallId") {
			t.Errorf("%s: %q bothers people with what a program added", tool.Name, text)
		}
		if err := strict(t, tool.OutputSchema).Validate(out.StructuredContent); err != nil && tool.Annotations["readOnlyHint"] == true {
			t.Errorf("%s: structuredContent is not as published: %v", tool.Name, err)
		}
		if err := resolve(t, tool.OutputSchema).Validate(out.StructuredContent); err != nil {
			t.Errorf("%s: structuredContent is not as published: %v", tool.Name, err)
		}
	}
}

func TestToolsThatReadIgnoreWhatResemblesNothing(t *testing.T) {
	for name, d := range decoders() {
		arguments := args(t, calls[name]+`,"colour":"brown","verbose":true,"requestId":7}`)
		_, notes, err := d.read(arguments)
		switch {
		case d.strict && (err == nil || !strings.Contains(err.Error(), `unknown argument "colour"; the arguments are `)):
			t.Errorf("%s, which changes the stock: %v, want it refused", name, err)
		case !d.strict && err != nil:
			t.Errorf("%s: %v", name, err)
		case !d.strict && !slices.Equal(notes.ignored, []string{"colour", "requestId", "verbose"}):
			t.Errorf("%s: ignored %q", name, notes.ignored)
		}
	}
}

func TestNearMissesAndSynonymsGetAHint(t *testing.T) {
	for _, test := range []struct{ tool, argument, want string }{
		{"check_stock", "Store", `"store"`},
		{"check_stock", "STORE", `"store"`},
		{"check_stock", "stores", `"store"`},
		{"check_stock", "store_name", `"store"`},
		{"check_stock", "storeId", `"store"`},
		{"check_stock", "prodcut", `"product"`},
		{"check_stock", "productName", `"product"`},
		{"check_stock", "shop", `"store"`},
		{"check_stock", "shop_id", `"store"`},
		{"check_stock", "branches", `"store"`},
		{"check_stock", "branch", `"store"`},
		{"check_stock", "location", `"store"`},
		{"check_stock", "chain", `"store"`},
		{"check_stock", "sku", `"product"`},
		{"check_stock", "item", `"product"`},
		{"check_stock", "items", `"product"`},
		{"check_stock", "count", `"limit"`},
		{"check_stock", "qty", `"limit"`},
		{"check_stock", "page", `"cursor"`},
		{"check_stock", "Limit", `"limit"`},
		{"search_products", "inStock", `"in_stock"`},
		{"search_products", "in-stock", `"in_stock"`},
		{"search_products", "item", `"query"`},
		{"search_products", "product", `"query"`},
		{"search_products", "prodcut", `"query"`},
		{"search_products", "product_name", `"query"`},
		{"search_products", "store_name", `"store"`},
		{"search_products", "storeId", `"store"`},
		{"search_products", "catgory", `"category"`},
		{"list_stores", "location", `"near"`},
		{"list_stores", "branch", `"query"`},
		{"get_product", "bar_code", `"barcode"`},
		{"get_product", "ID", `"id"`},
		{"get_product", "item", `"id"`},
		{"get_product", "product", `"id"`},
		{"get_product", "Product-Id", `"id"`},
		{"list_stores", "loaction", `"near"`},
		{"list_low_stock", "treshold", `"threshold"`},
		{"list_expiring", "withinDays", `"within_days"`},
		{"list_expiring", "days", `"within_days"`},
		{"stock_history", "shop", `"store"`},
		{"record_movement", "quantity", `"delta"`},
		{"record_movement", "amount", `"delta"`},
		{"record_movement", "qty", `"delta"`},
		{"record_movement", "idempotencyKey", `"idempotency_key"`},
		{"count_stock", "count", `"quantity"`},
		{"count_stock", "delta", `"quantity"`},
		{"transfer_stock", "fromStore", `"from_store"`},
		{"transfer_stock", "store", `"from_store" or "to_store"`},
		{"transfer_stock", "shop", `"from_store" or "to_store"`},
		{"reserve_stock", "Minutes", `"minutes"`},
		{"release_reservation", "reservationId", `"reservation"`},
		{"undo_movement", "movement_id", `"movement"`},
	} {
		d := decoders()[test.tool]
		_, _, err := d.read(args(t, calls[test.tool]+fmt.Sprintf(`,%q:"x"}`, test.argument)))
		want := fmt.Sprintf("unknown argument %q: did you mean %s? The arguments are ", test.argument, test.want)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s: %v, want %s", test.tool, test.argument, err, want)
		}
	}
}

// What is ignored is named in few words, whatever it is called and however much
// there is of it.
func TestIgnoredArgumentsAreBounded(t *testing.T) {
	arguments := map[string]any{"product": "tea-egg", "\u202e\n" + strings.Repeat("z", 1<<16): "x"}
	for i := range maxLooked - 1 {
		arguments[fmt.Sprint("zz", i)] = "x"
	}
	text, out := call(t, serve(open(t, demo.Catalog)), "check_stock", arguments, nil)
	b, _ := json.Marshal(out)
	if out.IsError || len(b) > 4000 || strings.ContainsFunc(text, breaksLine) {
		t.Errorf("%d bytes: %.200s", len(b), text)
	}
	if n := len(out.StructuredContent["ignored"].([]any)); n != maxIgnored {
		t.Errorf("%d arguments are named, want %d", n, maxIgnored)
	}
	for i := range 5000 {
		arguments[fmt.Sprint("zzz", i)] = "x"
	}
	text, out = call(t, serve(open(t, demo.Catalog)), "check_stock", arguments, nil)
	if want := "5050 unknown arguments; the arguments are product, store, limit, cursor"; !out.IsError || text != want {
		t.Errorf("%.200s, want %q", text, want)
	}
}
