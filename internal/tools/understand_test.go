package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What real clients and models send is taken as what its writer meant.
func TestDecodeTakesWhatCanMeanOneThingOnly(t *testing.T) {
	for _, test := range []struct{ tool, sent, meant string }{
		{"check_stock", `{"product":"茶葉蛋","limit":"5"}`, `{"product":"茶葉蛋","limit":5}`},
		{"check_stock", `{"product":"茶葉蛋","limit":" 5 "}`, `{"product":"茶葉蛋","limit":5}`},
		{"check_stock", `{"product":"茶葉蛋","limit":"5.0"}`, `{"product":"茶葉蛋","limit":5}`},
		{"check_stock", `{"product":"茶葉蛋","limit":"05"}`, `{"product":"茶葉蛋","limit":5}`},
		{"check_stock", `{"product":"茶葉蛋","limit":"5e1"}`, `{"product":"茶葉蛋","limit":50}`},
		{"check_stock", `{"product":"茶葉蛋","limit":""}`, `{"product":"茶葉蛋"}`},
		{"check_stock", `{"product":4719972846795}`, `{"product":"4719972846795"}`},
		{"check_stock", `{"product":12345678901234567890}`, `{"product":"12345678901234567890"}`}, // more than a float64 holds
		{"check_stock", `{"product":110,"store":7}`, `{"product":"110","store":"7"}`},
		{"get_product", `{"barcode":4719972846795}`, `{"barcode":"4719972846795"}`},
		{"get_product", `{"barcode":"4719972846795","id":null}`, `{"barcode":"4719972846795"}`},
		{"get_product", `{"barcode":4719972846795,"id":""}`, `{"barcode":"4719972846795"}`},
		{"search_products", `{"in_stock":"true"}`, `{"in_stock":true}`},
		{"search_products", `{"in_stock":"True"}`, `{"in_stock":true}`},
		{"search_products", `{"in_stock":1}`, `{"in_stock":true}`},
		{"search_products", `{"in_stock":"false"}`, `{"in_stock":false}`},
		{"search_products", `{"in_stock":"0"}`, `{"in_stock":false}`},
		{"search_products", `{"in_stock":""}`, `{}`},
		{"list_low_stock", `{"threshold":"0"}`, `{"threshold":0}`},
		{"list_stores", `{"near":[]}`, `{}`},
		{"list_stores", `{"near":{}}`, `{}`},
		{"list_stores", `{"near":""}`, `{}`},
		{"list_stores", `{"near":{"latitude":"25.03","longitude":"121.56"}}`, `{"near":{"latitude":25.03,"longitude":121.56}}`},
		{"list_stores", `{"near":"{\"latitude\":25.03,\"longitude\":121.56}"}`, `{"near":{"latitude":25.03,"longitude":121.56}}`},
		{"list_stores", `{"near":{"latitude":25.03,"longitude":121.56,"city":"Taipei"}}`, `{"near":{"latitude":25.03,"longitude":121.56}}`},
		{"record_movement", `{"store":"s","product":"p","delta":"-2","reason":"Sale"}`, `{"store":"s","product":"p","delta":-2,"reason":"sale"}`},
		{"record_movement", `{"store":"s","product":"p","delta":"+2","reason":" DELIVERY "}`, `{"store":"s","product":"p","delta":2,"reason":"delivery"}`},
		{"record_movement", `{"store":"s","product":"p","delta":1,"reason":"sale","note":17,"idempotency_key":20261103}`, `{"store":"s","product":"p","delta":1,"reason":"sale","note":"17","idempotency_key":"20261103"}`},
		{"undo_movement", `{"movement":"516"}`, `{"movement":516}`},
	} {
		got, _, err := decoders()[test.tool].read(raw(t, test.tool, test.sent))
		if err != nil {
			t.Errorf("%s %s: %v", test.tool, test.sent, err)
			continue
		}
		want, _, err := decoders()[test.tool].read(raw(t, test.tool, test.meant))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(recordMovementInput{}, undoMovementInput{}, again{})); diff != "" {
			t.Errorf("%s %s is not %s (-want +got):\n%s", test.tool, test.sent, test.meant, diff)
		}
	}
}

// raw is a call's arguments as the tools see them.
func raw(t testing.TB, tool, arguments string) any {
	t.Helper()
	var p mcp.CallToolParams
	if err := json.Unmarshal(fmt.Appendf(nil, `{"name":"x","arguments":%s}`, arguments), &p); err != nil {
		t.Fatal(err)
	}
	return decoders()[tool].arguments(p)
}

func TestDecodeRefusesWhatMayMeanSeveralThings(t *testing.T) {
	for _, test := range []struct{ tool, sent, want string }{
		{"check_stock", `{"product":4.71e12}`, "got the number 4.71e12, which may not be all of it: send it in quotes"},
		{"get_product", `{"barcode":4.719972846795E12}`, "send it in quotes"},
		{"get_product", `{"barcode":1.5}`, "send it in quotes"},
		{"check_stock", `{"product":"茶葉蛋","limit":"five"}`, `got "five"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"1.000"}`, `got "1.000"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"五"}`, `got "五"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"0x10"}`, `got "0x10"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"1_0"}`, `got "1_0"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"Infinity"}`, `got "Infinity"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"1e999"}`, `got "1e999"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"5 or 6"}`, `got "5 or 6"`},
		{"check_stock", `{"product":["茶葉蛋","溏心蛋"]}`, `got an array`},
		{"check_stock", `{"product":{"name":"茶葉蛋"}}`, `got an object`},
		{"check_stock", `{"product":true}`, `got a boolean`},
		{"search_products", `{"in_stock":"maybe"}`, `got "maybe"`},
		{"search_products", `{"in_stock":[]}`, `got an array`},
		{"list_stores", `{"near":{"lat":25.03,"lng":121.56}}`, "near.latitude is required"},
		{"list_stores", `{"near":["25.03","121.56"]}`, "got an array"},
		{"list_stores", `{"near":"25.03,121.56"}`, `got "25.03,121.56"`},
		{"undo_movement", `{"movement":9007199254740993}`, "must be a whole number from 1 to 9007199254740991"},
	} {
		_, _, err := decoders()[test.tool].read(raw(t, test.tool, test.sent))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: %v, want an error that says %q", test.tool, test.sent, err, test.want)
		}
	}
}

// numbered is a shop of things whose numbers begin with zeros, or would with one
// more digit.
func numbered() store.Catalog {
	c := store.Catalog{
		Shops: []store.Shop{{ID: "0012", Name: "信義"}, {ID: "20", Name: "大安"}, {ID: "020", Name: "板橋"}},
		Products: []store.Product{
			{ID: "a", SKU: "S1", Name: "甲", Barcodes: []string{"0012345678905"}},
			{ID: "b", SKU: "77", Name: "乙"},
			{ID: "c", SKU: "0077", Name: "丙"},
			{ID: "0123", SKU: "S4", Name: "丁"},
		},
	}
	for _, s := range c.Shops {
		for _, p := range c.Products {
			c.Levels = append(c.Levels, store.CatalogLevel{ShopID: s.ID, ProductID: p.ID, OnHand: 5})
		}
	}
	return c
}

func TestNumbersThatLostTheirZerosAreFound(t *testing.T) {
	srv := New(open(t, numbered), Config{AllowWrites: true, Now: inTaipei})
	for _, test := range []struct {
		tool, arguments string
		want            string // the ID of the product or, after @, of the store; else what is asked back
	}{
		{"check_stock", `{"product":12345678905}`, "a"},
		{"check_stock", `{"product":"12345678905"}`, "a"},
		{"check_stock", `{"product":123}`, "0123"},
		{"check_stock", `{"product":"77"}`, "b"},
		{"check_stock", `{"product":77}`, "ambiguous"}, // or was it 0077?
		{"check_stock", `{"product":"甲","store":12}`, "@0012"},
		{"check_stock", `{"product":"甲","store":"20"}`, "@20"},
		{"check_stock", `{"product":"甲","store":20}`, "ambiguous"},
		{"get_product", `{"barcode":12345678905}`, "a"},
		{"get_product", `{"barcode":"012345678905"}`, "a"},
		{"get_product", `{"id":123}`, "0123"},
		{"get_product", `{"barcode":99}`, "unknown_product"},
		{"record_movement", `{"store":12,"product":12345678905,"delta":"-1","reason":"sale"}`, "done"},
		{"record_movement", `{"store":"0012","product":77,"delta":-1,"reason":"sale"}`, "ambiguous_product"},
		{"record_movement", `{"store":20,"product":"77","delta":-1,"reason":"sale"}`, "ambiguous_store"},
	} {
		_, out := call(t, srv, test.tool, args(t, test.arguments), nil)
		product, _ := out.StructuredContent["product"].(map[string]any)
		shop, _ := out.StructuredContent["store"].(map[string]any)
		got := []any{product["id"], fmt.Sprint("@", shop["id"]), out.StructuredContent["status"], out.StructuredContent["code"]}
		found := false
		for _, g := range got {
			found = found || g == test.want
		}
		if !found {
			t.Errorf("%s %s = %s, %v, want %s", test.tool, test.arguments, out.Content[0].Text, out.StructuredContent, test.want)
		}
	}
}

// The same change in other types is the same change: for its key, and for a yes.
func TestChangesCompareWhatArgumentsMean(t *testing.T) {
	s := openShop(t)
	s.done(t, "record_movement", `{"store":"koko-xinyi","product":4719972846795,"delta":"-1","reason":"Sale","idempotency_key":17}`)
	out := s.done(t, "record_movement", `{"store":"koko-xinyi","product":"4719972846795","delta":-1,"reason":"sale","idempotency_key":"17","toolCallId":"call_1"}`)
	if out.StructuredContent["replayed"] != true {
		t.Errorf("the same in other types is %v, want it replayed", out.StructuredContent)
	}
	s.wantLevel(t, "koko-xinyi", "tea-egg", 4, 0)
	refusedAs(t, "another change", s.do(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":"-2","reason":"sale","idempotency_key":"17"}`), codeConflict)

	_, token := s.preview(t, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":"60.0","reason":"delivery","sessionId":"a"}`)
	s.done(t, "record_movement", with(`{"store":"koko-xinyi","product":4719972846795,"delta":60,"reason":"DELIVERY","sessionId":"b"}`, token))
	s.wantLevel(t, "koko-xinyi", "tea-egg", 64, 0)
}

// Whatever is sent, a model reads what is wrong: no protocol error.
func TestBadArgumentsAreAFailedResult(t *testing.T) {
	srv := openShop(t).srv
	for tool := range decoders() {
		for _, arguments := range []string{`"text"`, `7`, `true`, `["x"]`, `{"store":{},"product":[],"delta":{},"id":[],"query":{},"near":7,"limit":[]}`, `{"limit":"many","cursor":7.5}`, `{"movement":"x","reservation":"x","limit":"x"}`} {
			message := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments)
			b, err := json.Marshal(srv.HandleMessage(t.Context(), json.RawMessage(message)))
			if err != nil {
				t.Fatal(err)
			}
			var r struct {
				Result struct {
					IsError bool
					Content []struct{ Text string }
				}
				Error any
			}
			if err := json.Unmarshal(b, &r); err != nil {
				t.Fatal(err)
			}
			if r.Error != nil || !r.Result.IsError || r.Result.Content[0].Text == "" {
				t.Errorf("%s %s = %.300s, want a failed result", tool, arguments, b)
			}
		}
	}
}

func TestTextsKeepTheirDigits(t *testing.T) {
	got := raw(t, "check_stock", `{"product":12345678901234567890,"store":4.71e12,"limit":5}`)
	want := map[string]any{"product": json.Number("12345678901234567890"), "store": json.Number("4.71e12"), "limit": json.Number("5")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
