package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// decoder reads the arguments of one tool, and says what it publishes of them.
type decoder struct {
	schema    json.RawMessage
	strict    bool // of a tool that changes the stock
	arguments func(mcp.CallToolParams) any
	read      func(arguments any) (in any, notes remarks, err error)
}

func (d decoder) decode(arguments any) error {
	_, _, err := d.read(arguments)
	return err
}

func decoderOf[In any](t tool[In]) decoder       { return decoderWith(t.params, false) }
func writerDecoder[In any](w writer[In]) decoder { return decoderWith(w.params, true) }

func decoderWith[In any](ps params[In], strict bool) decoder {
	return decoder{ps.schema(), strict, ps.argumentsOf, func(arguments any) (any, remarks, error) {
		in, notes, err := ps.decode(arguments, strict)
		return in, notes, err
	}}
}

func decoders() map[string]decoder {
	h := &handler{}
	return map[string]decoder{
		"check_stock":     decoderOf(h.checkStockTool()),
		"search_products": decoderOf(h.searchProductsTool()),
		"list_stores":     decoderOf(h.listStoresTool()),
		"get_product":     decoderOf(h.getProductTool()),
		"list_low_stock":  decoderOf(h.listLowStockTool()),
		"list_expiring":   decoderOf(h.listExpiringTool()),
		"stock_history":   decoderOf(h.stockHistoryTool()),

		"record_movement":     writerDecoder(h.recordMovementTool()),
		"count_stock":         writerDecoder(h.countStockTool()),
		"transfer_stock":      writerDecoder(h.transferStockTool()),
		"reserve_stock":       writerDecoder(h.reserveStockTool()),
		"release_reservation": writerDecoder(h.releaseReservationTool()),
		"undo_movement":       writerDecoder(h.undoMovementTool()),
	}
}

func resolve(t testing.TB, raw []byte) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decoded is v after a journey through JSON, as arguments come.
func decoded(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// good returns a value that s allows, and bad ones that it does not.
func values(s *jsonschema.Schema) (good []any, bad []any) {
	wrong := map[string]any{"string": "x", "number": 7.5, "boolean": true, "array": []any{"x"}, "object": map[string]any{"x": "x"}}
	kinds := map[string]string{"integer": "number"}
	delete(wrong, kinds[s.Type])
	delete(wrong, s.Type)
	for _, kind := range slices.Sorted(maps.Keys(wrong)) {
		bad = append(bad, wrong[kind])
	}
	switch s.Type {
	case "string":
		if s.Enum != nil {
			return append(good, s.Enum...), append(bad, "another")
		}
		good = append(good, "茶", strings.Repeat("蛋", *s.MaxLength))
		bad = append(bad, strings.Repeat("蛋", *s.MaxLength+1))
		if s.MinLength != nil {
			bad = append(bad, "")
		}
	case "integer", "number":
		good = append(good, *s.Minimum, *s.Maximum)
		bad = append(bad, *s.Minimum-1, *s.Maximum+1, 1e300)
		if s.Type == "integer" {
			bad = append(bad, *s.Minimum+0.5)
		}
	case "boolean":
		good = append(good, true, false)
	case "object":
		g, b := objects(s)
		good, bad = append(good, g...), append(bad, b...)
	}
	return good, bad
}

// objects returns objects that s allows, and those that one thing is wrong in.
func objects(s *jsonschema.Schema) (good []any, bad []any) {
	base := map[string]any{}
	for _, name := range s.Required {
		g, _ := values(s.Properties[name])
		base[name] = g[0]
	}
	with := func(name string, v any) map[string]any {
		m := maps.Clone(base)
		m[name] = v
		return m
	}
	if s.MinProperties == nil {
		good = append(good, base)
	} else {
		bad = append(bad, base)
		both := map[string]any{}
		for name, p := range s.Properties {
			g, _ := values(p)
			both[name] = g[0]
		}
		bad = append(bad, both)
	}
	for _, name := range s.Required {
		without := maps.Clone(base)
		delete(without, name)
		bad = append(bad, without, with(name, nil))
	}
	for name, p := range s.Properties {
		g, b := values(p)
		for _, v := range g {
			good = append(good, with(name, v))
		}
		for _, v := range b {
			bad = append(bad, with(name, v))
		}
	}
	return good, bad
}

// TestDecoderAgreesWithPublishedSchema holds decode to what clients read: it
// takes all that the schema allows. What it takes beside, other tests show.

func TestDecoderAgreesWithPublishedSchema(t *testing.T) {
	for name, d := range decoders() {
		schema := resolve(t, d.schema)
		good, bad := objects(schema.Schema())
		if len(good) < 3 || len(bad) < 10 {
			t.Errorf("%s: only %d good and %d bad arguments to try", name, len(good), len(bad))
		}
		for _, v := range good {
			v := decoded(t, v)
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s: schema refuses %v: %v", name, v, err)
			}
			if err := d.decode(v); err != nil {
				t.Errorf("%s: decode(%v) = %v, but the schema allows it", name, v, err)
			}
		}
		if schema.Validate(map[string]any{"no_such_argument": "x"}) == nil {
			t.Errorf("%s: schema allows arguments that it does not name", name)
		}
		for _, v := range append(bad, "x", 1, true, []any{"x"}) {
			v := decoded(t, v)
			if err := schema.Validate(v); err == nil {
				t.Errorf("%s: schema allows %v", name, v)
			}
			if err := d.decode(v); err == nil {
				t.Errorf("%s: decode(%v) succeeded, but the schema forbids it", name, v)
			}
		}
	}
}

func TestDecodeFillsInput(t *testing.T) {
	h := &handler{}
	stock, _, err := h.checkStockTool().params.decode(decoded(t, map[string]any{
		"product": " 茶葉蛋\n", "store": "KOKO\u0000便利店", "limit": 5, "cursor": "c",
	}), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(checkStockInput{Product: "茶葉蛋", Store: "KOKO 便利店", Limit: 5, Cursor: "c"}, stock); diff != "" {
		t.Errorf("check_stock (-want +got):\n%s", diff)
	}
	search, _, err := h.searchProductsTool().params.decode(decoded(t, map[string]any{
		"query": "q", "store": "s", "category": "c", "in_stock": true, "limit": 100, "cursor": "x",
	}), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(searchProductsInput{Query: "q", Store: "s", Category: "c", InStock: true, Limit: 100, Cursor: "x"}, search); diff != "" {
		t.Errorf("search_products (-want +got):\n%s", diff)
	}
	list, _, err := h.listStoresTool().params.decode(decoded(t, map[string]any{
		"query": "q", "near": map[string]any{"latitude": -90, "longitude": 180}, "limit": 1, "cursor": "x",
	}), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listStoresInput{Query: "q", Near: &store.Location{Latitude: -90, Longitude: 180}, Limit: 1, Cursor: "x"}, list); diff != "" {
		t.Errorf("list_stores (-want +got):\n%s", diff)
	}
	product, _, err := h.getProductTool().params.decode(decoded(t, map[string]any{"id": "", "barcode": "471"}), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(getProductInput{Barcode: "471"}, product); diff != "" {
		t.Errorf("get_product (-want +got):\n%s", diff)
	}
}

func TestDecodeTakesNullAndBlankAsLeftOut(t *testing.T) {
	in, _, err := (&handler{}).checkStockTool().params.decode(map[string]any{
		"product": "茶葉蛋", "store": "  ", "limit": nil, "cursor": nil,
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(checkStockInput{Product: "茶葉蛋"}, in); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeSaysWhatToSend(t *testing.T) {
	for _, test := range []struct{ tool, arguments, want string }{
		{"check_stock", `{"product":"茶葉蛋","store":true}`, `store must be a string, such as "KOKO便利店"; got a boolean`},
		{"check_stock", `{"product":7.5}`, `product must be a string, such as "茶葉蛋"; got the number 7.5, which may not be all of it: send it in quotes, as it is written`},
		{"check_stock", `{}`, `product is required: send it, such as "茶葉蛋"`},
		{"check_stock", `null`, `product is required: send it, such as "茶葉蛋"`},
		{"check_stock", `["茶葉蛋"]`, `arguments must be an object, such as {"product": "茶葉蛋"}; got an array`},
		{"check_stock", `{"product":null}`, `product must be a string, such as "茶葉蛋"; got null`},
		{"check_stock", `{"product":" "}`, `product must not be blank: send it, such as "茶葉蛋"`},
		{"check_stock", `{"product":"茶葉蛋","limit":0}`, `limit must be a whole number from 1 to 100, such as 20; got 0`},
		{"check_stock", `{"product":"茶葉蛋","limit":"five"}`, `limit must be a whole number from 1 to 100, such as 20; got "five"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"1,000"}`, `limit must be a whole number from 1 to 100, such as 20; got "1,000"`},
		{"check_stock", `{"product":"茶葉蛋","limit":"5.5"}`, `limit must be a whole number from 1 to 100, such as 20; got 5.5`},
		{"check_stock", `{"product":"茶葉蛋","limit":"0"}`, `limit must be a whole number from 1 to 100, such as 20; got 0`},
		{"check_stock", `{"product":"茶葉蛋","limit":true}`, `limit must be a whole number from 1 to 100, such as 20; got a boolean`},
		{"check_stock", `{"product":"茶葉蛋","limit":[]}`, `limit must be a whole number from 1 to 100, such as 20; got an array`},
		{"check_stock", `{"name":"茶葉蛋"}`, `product is required: send it, such as "茶葉蛋"; unknown argument "name"; the arguments are product, store, limit, cursor`},
		{"check_stock", `{"product":"茶葉蛋","Store":"KOKO"}`, `unknown argument "Store": did you mean "store"? The arguments are product, store, limit, cursor`},
		{"check_stock", `{"prodcut":"茶葉蛋"}`, `product is required: send it, such as "茶葉蛋"; unknown argument "prodcut": did you mean "product"? The arguments are product, store, limit, cursor`},
		{"record_movement", `{"store":"s","product":"p","delta":"two","reason":"theft"}`, `delta must be a whole number from -1000000000 to 1000000000, such as -2; got "two"; reason must be one of delivery, sale, waste, correction, such as "sale"; got "theft"`},
		{"record_movement", `{"store":"s","product":"p","delta":" ","reason":"sale"}`, `delta must not be blank: send it, such as -2`},
		{"record_movement", `{"store":"s","product":"p","delta":1,"reason":"sale","colour":"red"}`, `unknown argument "colour"; the arguments are store, product, delta, reason, expiry, note, idempotency_key, confirmation`},
		{"check_stock", `{"product":"茶葉蛋","shop":"KOKO"}`, `unknown argument "shop": did you mean "store"? The arguments are product, store, limit, cursor`},
		{"check_stock", `{"product":[],"limit":1.5}`, `product must be a string, such as "茶葉蛋"; got an array; limit must be a whole number from 1 to 100, such as 20; got 1.5`},
		{"search_products", `{"inStock":true}`, `unknown argument "inStock": did you mean "in_stock"? The arguments are query, store, category, in_stock, limit, cursor`},
		{"search_products", `{"in_stock":"yes"}`, `in_stock must be true or false, such as true; got "yes"`},
		{"search_products", `{"in_stock":2}`, `in_stock must be true or false, such as true; got 2`},
		{"list_stores", `{"near":"Taipei"}`, `near must be an object, such as {"latitude": 25.03, "longitude": 121.56}; got "Taipei"`},
		{"list_stores", `{"near":[25.03,121.56]}`, `near must be an object, such as {"latitude": 25.03, "longitude": 121.56}; got an array`},
		{"list_stores", `{"near":{"latitude":95,"longitude":0}}`, `near.latitude must be a number from -90 to 90; got 95`},
		{"list_stores", `{"near":{"latitude":25}}`, `near.longitude is required: send near such as {"latitude": 25.03, "longitude": 121.56}`},
		{"list_stores", `{"near":{"latitude":25,"longitude":"121 E"}}`, `near.longitude must be a number from -180 to 180; got "121 E"`},
		{"get_product", `{}`, `send one of id and barcode and no more, such as {"id": "tea-egg"}`},
		{"get_product", `{"id":"a","barcode":"b"}`, `send one of id and barcode and no more, such as {"id": "tea-egg"}`},
	} {
		var arguments any
		if err := json.Unmarshal([]byte(test.arguments), &arguments); err != nil {
			t.Fatal(err)
		}
		err := decoders()[test.tool].decode(arguments)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s %s:\n got %s\nwant %s", test.tool, test.arguments, got, test.want)
		}
	}
}

// FuzzArguments holds every decoder to its schema: what the schema allows is
// taken, and nothing panics.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{"product":"茶葉蛋","store":"KOKO便利店"}`, `{"query":"\ud800","in_stock":null}`, `{"near":{"latitude":1e2,"longitude":-0}}`,
		`{"id":"\u0000"}`, `{"product":4719972846795,"limit":"5","in_stock":"true","near":[]}`, `{"Store":1e99,"prodcut":{}}`, `{"limit":100.0}`, `{"a":{"b":[{}]}}`, `[]`, `null`, `{"product":"` + strings.Repeat("𠀀", 201) + `"}`,
	} {
		f.Add(seed)
	}
	all := decoders()
	schemas := map[string]*jsonschema.Resolved{}
	for name, d := range all {
		schemas[name] = resolve(f, d.schema)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var arguments any
		if json.Unmarshal([]byte(raw), &arguments) != nil {
			t.Skip("not JSON")
		}
		for name, d := range all {
			err := d.decode(arguments)
			if err != nil && (err.Error() == "" || strings.ContainsFunc(err.Error(), breaksLine)) {
				t.Errorf("%s: decode(%s) = %q, want one line", name, raw, err)
			}
			if arguments != nil && err != nil && schemas[name].Validate(arguments) == nil && !blank(arguments) {
				t.Errorf("%s: decode(%s) = %v, but the schema allows it", name, raw, err)
			}
		}
	})
}

// blank reports whether a member is text without anything in it, which the
// schema's minLength lets pass.
func blank(arguments any) bool {
	object, _ := arguments.(map[string]any)
	for _, v := range object {
		if s, ok := v.(string); ok && oneLine(s) == "" {
			return true
		}
	}
	return false
}
