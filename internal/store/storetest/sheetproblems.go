package storetest

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testProblems holds what is refused, with which words, and that nothing is
// imported then.
func testProblems(t *testing.T, openAt OpenAt) {
	type sheet = []store.Row
	located := func(latitude, longitude float64) store.Row {
		return shop(store.Shop{Name: "甲", Location: &store.Location{Latitude: latitude, Longitude: longitude}})
	}
	empty := openAt(t, store.Catalog{}, time.Now)
	for _, tt := range []struct {
		name   string
		before sheet
		rows   sheet
		want   []string
	}{
		{"nothing named", nil, sheet{{Shop: store.Shop{Address: "路"}}}, []string{
			`庫存.csv, line 2: it names neither a store nor a product`}},
		{"quantity without a store", nil, sheet{stock("", "蛋", 3)}, []string{
			`庫存.csv, line 2, column "店名": "": there is a quantity, 3, but no store that has it; name the store`}},
		{"quantity without a product", nil, sheet{stock("甲", " ", 3)}, []string{
			`庫存.csv, line 2, column "品名": "": there is a quantity, 3, but no product that it is of; name the product`}},
		{"quantities that are none", nil, sheet{stock("甲", "蛋", -1), stock("甲", "茶", store.MaxQuantity+1)}, []string{
			`庫存.csv, line 2, column "數量": "-1": a quantity is from 0 to 1000000000`,
			`庫存.csv, line 3, column "數量": "1000000001": a quantity is from 0 to 1000000000`}},
		{"lots of more than a level holds", nil, sheet{stock("甲", "蛋", store.MaxQuantity), stock("甲", "蛋", 1, expiry("2026-12-01"))}, []string{
			`庫存.csv, line 3, column "數量": "1000000001": the lots add up to that; a level is at most 1000000000`}},
		{"expiry that is none", nil, sheet{stock("甲", "蛋", 1, expiry("2026-02-30")), {Product: store.Product{Name: "蛋"}, Expiry: "2026-12-01"}}, []string{
			`庫存.csv, line 2, column "expiry": "2026-02-30": "2026-02-30" is not a date such as 2026-11-30`,
			`庫存.csv, line 3, column "expiry": "2026-12-01": there is no quantity that expires then; add it`}},
		{"price and reorder point that are none", nil, sheet{stock("甲", "蛋", 1, price("1,000")), {Product: store.Product{Name: "茶"}, ReorderPoint: new(int64(-1))}}, []string{
			`庫存.csv, line 2, column "售價": "1,000": a price is a decimal such as 13 or 4.50`,
			`庫存.csv, line 3, column "reorder point": "-1": a reorder point is from 0 to 1000000000`}},
		{"places that are none", nil, sheet{located(91, 0), located(0, math.NaN())}, []string{
			`庫存.csv, line 2, column "latitude": "91": a latitude is from -90 to 90`,
			`庫存.csv, line 3, column "longitude": "NaN": a longitude is from -180 to 180`}},
		{"barcode that is none", nil, sheet{stock("甲", "蛋", 1, barcode("--"))}, []string{
			`庫存.csv, line 2, column "barcode": "--": a barcode has digits or letters`}},
		{"the same level twice", nil, sheet{stock("甲", "蛋", 1), stock("乙", "蛋", 2), stock("甲", "蛋", 3)}, []string{
			`庫存.csv, line 4, column "數量": "3": line 2 has the quantity of this product in this store already; add them up, or give each lot its expiry date`}},
		{"the same lot twice", nil, sheet{stock("甲", "蛋", 1, expiry("2026-12-01")), stock("甲", "蛋", 2, expiry("2026-12-01"))}, []string{
			`庫存.csv, line 3, column "數量": "2": line 2 has the quantity of this lot in this store already; add them up`}},
		{"unknown barcode without a name", nil, sheet{stock("甲", "", 1, barcode("4711"))}, []string{
			`庫存.csv, line 2, column "barcode": "4711": barcode 4711 is not known; add a product name`}},
		{"unknown shop without a name", nil, sheet{{Shop: store.Shop{ID: "001"}, Product: store.Product{Name: "蛋"}, Quantity: new(int64(1))}}, []string{
			`庫存.csv, line 2, column "store id": "001": store id 001 is not known; add a store name`}},
		{"name that is ambiguous", sheet{stock("甲", "可樂", 1, id("a")), stock("甲", "可樂", 1, id("b"))}, sheet{stock("甲", "可樂", 2)}, []string{
			`庫存.csv, line 2, column "品名": "可樂": several products are called so: product "a", product "b"; tell them apart by a column "barcode", "sku" or "product id"`}},
		{"alias that is ambiguous", sheet{product(store.Product{ID: "a", Name: "可樂 600", Aliases: []string{"可樂"}}), product(store.Product{ID: "b", Name: "可樂 330", Aliases: []string{"可樂"}})},
			sheet{stock("甲", "可樂", 2)}, []string{
				`庫存.csv, line 2, column "品名": "可樂": several products are called so: product "a", product "b"; tell them apart by a column "barcode", "sku" or "product id"`}},
		{"name that is ambiguous in the sheet", nil, sheet{stock("甲", "可樂", 1, barcode("1")), stock("甲", "可樂", 2, barcode("2")), stock("甲", "可樂", 3)}, []string{
			`庫存.csv, line 4, column "品名": "可樂": several products are called so: that of line 2, that of line 3; tell them apart by a column "barcode", "sku" or "product id"`}},
		{"shop that is ambiguous", sheet{shop(store.Shop{ID: "1", Name: "甲"}), shop(store.Shop{ID: "2", Name: "甲"})}, sheet{stock("甲", "蛋", 2)}, []string{
			`庫存.csv, line 2, column "店名": "甲": several stores are called so: store "1", store "2"; tell them apart by a column "store id"`}},
		{"identifiers of two products", sheet{stock("甲", "蛋", 1, barcode("1")), stock("甲", "茶", 1, sku("T"))}, sheet{stock("甲", "蛋", 1, barcode("1"), sku("T"))}, []string{
			`庫存.csv, line 2, column "sku": "T": it is of product "T", but the row is also of product "1"; mend one of them`}},
		{"rename to the name of another", sheet{stock("甲", "蛋", 1, barcode("1")), stock("甲", "茶", 1)}, sheet{stock("甲", "茶", 1, barcode("1"), sku("E"))}, []string{
			`庫存.csv, line 2, column "品名": "茶": barcode 1 is that of product "1", which this would rename, but product "茶" is called so; correct the name or the code`}},
		{"shop renamed to the name of another", sheet{shop(store.Shop{ID: "1", Name: "甲"}), shop(store.Shop{ID: "2", Name: "乙"})}, sheet{shop(store.Shop{ID: "1", Name: "乙"})}, []string{
			`庫存.csv, line 2, column "店名": "乙": this would rename store "1", but store "2" is called so; mend the name or the store id`}},
		{"another ID of what a barcode finds", sheet{stock("甲", "蛋", 1, barcode("1"))}, sheet{stock("甲", "蛋", 1, barcode("1"), id("egg"))}, []string{
			`庫存.csv, line 2, column "product id": "egg": barcode 1 is that of product "1", and IDs do not change; leave it empty, or write "1"`}},
		{"another ID of the same name", sheet{stock("甲", "蛋", 1)}, sheet{stock("甲", "蛋", 1, id("egg"))}, []string{
			`庫存.csv, line 2, column "product id": "egg": there is a product called "蛋" already, with the ID "蛋"; write that, or give this one another name`}},
		{"another store ID of the same name", sheet{shop(store.Shop{Name: "甲"})}, sheet{shop(store.Shop{ID: "001", Name: "甲"})}, []string{
			`庫存.csv, line 2, column "store id": "001": there is a store called "甲" already, with the ID "甲"; write that, or give this one another name`}},
		{"contradictions about a product", nil, sheet{
			stock("甲", "蛋", 1, barcode("1"), price("13")), stock("乙", "蛋", 1, barcode("1"), price("15")), stock("丙", "茶", 1, barcode("1"))}, []string{
			`庫存.csv, line 3, column "售價": "15": line 2 says "13" of barcode 1; correct one of them, or tell them apart`,
			`庫存.csv, line 4, column "品名": "茶": line 2 says "蛋" of barcode 1; correct one of them, or tell them apart`}},
		{"contradictions about a shop", nil, sheet{
			stock("甲", "蛋", 1, chain("KOKO")), stock("甲", "茶", 1, chain("日日鮮")), {Shop: store.Shop{Name: "甲", Address: "一路"}}, {Shop: store.Shop{Name: "甲", Address: "二路"}}}, []string{
			`庫存.csv, line 3, column "chain": "日日鮮": line 2 says "KOKO" of the same store; correct one of them, or tell them apart`,
			`庫存.csv, line 5, column "address": "二路": line 4 says "一路" of the same store; correct one of them, or tell them apart`}},
		{"several kinds, in the order of the rows", nil, sheet{stock("甲", "", 1, barcode("4711")), stock("", "蛋", 1), stock("甲", "蛋", 1), stock("甲", "蛋", 1)}, []string{
			`庫存.csv, line 2, column "barcode": "4711": barcode 4711 is not known; add a product name`,
			`庫存.csv, line 3, column "店名": "": there is a quantity, 1, but no store that has it; name the store`,
			`庫存.csv, line 5, column "數量": "1": line 4 has the quantity of this product in this store already; add them up, or give each lot its expiry date`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := empty // and stays so
			if tt.before != nil {
				s = openAt(t, store.Catalog{}, time.Now)
				mustImport(t, s, store.ImportOptions{}, tt.before...)
			}
			before := exported(t, s)
			_, err := s.Import(t.Context(), rowsOf(tt.rows...), store.ImportOptions{})
			bad, ok := errors.AsType[*store.ImportError](err)
			if !ok {
				t.Fatalf("Import: %v, want problems", err)
			}
			var got []string
			for _, p := range bad.Problems {
				got = append(got, p.Error())
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if bad.Count != len(tt.want) {
				t.Errorf("%d in all, want %d", bad.Count, len(tt.want))
			}
			if diff := gocmp.Diff(before, exported(t, s)); diff != "" {
				t.Errorf("an import that was refused changed (-before +after):\n%s", diff)
			}
		})
	}
}

func testProblemsAreBounded(t *testing.T, openAt OpenAt) {
	s := openAt(t, store.Catalog{}, time.Now)
	other := &store.Sheet{File: "second.xlsx", Name: "工作表1"}
	rows := func(yield func(store.Row, error) bool) {
		for i := range 50 {
			if i%10 == 0 { // what reading found out
				if !yield(store.Row{}, store.Problem{Sheet: testSheet, Line: i + 2, Why: "it cannot be read"}) {
					return
				}
				continue
			}
			r := stock("甲", fmt.Sprint("品", i), -1)
			if r.Sheet, r.Line = testSheet, i+2; !yield(r, nil) {
				return
			}
		}
		// What is not known may be in a row that could not be read.
		r := stock("甲", "", 1, barcode("4711"))
		r.Sheet, r.Line = other, 7
		if !yield(r, nil) {
			return
		}
		r.Quantity = new(int64(2))
		yield(r, nil)
	}
	_, err := s.Import(t.Context(), rows, store.ImportOptions{MaxProblems: 3})
	bad, ok := errors.AsType[*store.ImportError](err)
	if !ok {
		t.Fatal(err)
	}
	var got []string
	for _, p := range bad.Problems {
		got = append(got, p.Error())
	}
	want := []string{
		`庫存.csv, line 2: it cannot be read`,
		`庫存.csv, line 3, column "數量": "-1": a quantity is from 0 to 1000000000`,
		`庫存.csv, line 4, column "數量": "-1": a quantity is from 0 to 1000000000`,
	}
	if diff := gocmp.Diff(want, got); diff != "" || bad.Count != 51 {
		t.Errorf("%d problems, want 51 (-want +got):\n%s", bad.Count, diff)
	}
}
