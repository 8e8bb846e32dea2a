package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testIdentity holds which shops and products rows are of.
func testIdentity(t *testing.T, openAt OpenAt) {
	type sheet = []store.Row
	egg := stock("甲", "茶葉蛋", 1, barcode("4711"), sku("F-1"))
	for _, tt := range []struct {
		name   string
		before sheet
		rows   sheet
		report string // of rows
		want   []string
	}{
		{"barcode before name", sheet{egg}, sheet{stock("甲", "溏心蛋", 2, barcode("4711"))}, "1 changed products, 1 up", []string{"甲|F-1|2"}},
		{"a barcode without its zeros", sheet{stock("甲", "茶", 1, barcode("012345678905"))}, sheet{stock("甲", "茶", 2, barcode("12345678905"))},
			"1 up", []string{"甲|012345678905|2"}},
		{"a barcode with more zeros", sheet{stock("甲", "茶", 1, barcode("12345678905"))}, sheet{stock("甲", "茶", 2, barcode("0012345678905"))},
			"1 up", []string{"甲|12345678905|2"}},
		{"a barcode with other zeros in one sheet", nil, sheet{stock("甲", "茶", 1, barcode("012345678905")), stock("乙", "茶", 2, barcode("0012345678905"))},
			"2 new shops, 1 new products, 2 new", []string{"乙|012345678905|2", "甲|012345678905|1"}},
		{"zeros of what has no check digit", sheet{stock("甲", "茶", 1, barcode("0123"))}, sheet{stock("甲", "糖", 2, barcode("123"))},
			"1 new products, 1 new", []string{"甲|123|2", "甲|0123|1"}},
		{"one of several barcodes", sheet{stock("甲", "茶葉蛋", 1, barcode("4711", "4712"))},
			sheet{stock("甲", "茶葉蛋", 2, barcode("4712"))}, "1 changed products, 1 up", []string{"甲|4711|2"}},
		{"ID", sheet{stock("甲", "茶葉蛋", 1, id("egg"))}, sheet{stock("甲", "溏心蛋", 2, id("egg"))}, "1 changed products, 1 up", []string{"甲|egg|2"}},
		{"SKU", sheet{egg}, sheet{stock("甲", "", 2, sku("F-1"))}, "1 up", []string{"甲|F-1|2"}},
		{"SKU of another case", sheet{egg}, sheet{stock("甲", "大蛋", 2, sku("f-1"))}, "1 new products, 1 new", []string{"甲|f-1|2", "甲|F-1|1"}},
		{"name", sheet{egg}, sheet{stock("甲", "茶叶蛋", 2)}, "1 up", []string{"甲|F-1|2"}},
		{"alias", sheet{{Product: store.Product{Name: "茶葉蛋", Aliases: []string{"滷蛋"}}}}, sheet{stock("甲", "滷蛋", 2)},
			"1 new shops, 1 new", []string{"甲|茶葉蛋|2"}},
		{"name in another language", sheet{{Product: store.Product{Name: "茶葉蛋", Names: map[string]string{"en": "Tea egg"}}}}, sheet{stock("甲", "tea egg", 2)},
			"1 new shops, 1 new", []string{"甲|茶葉蛋|2"}},
		{"name before alias", sheet{product(store.Product{Name: "茶葉蛋", Aliases: []string{"滷蛋"}}), product(store.Product{Name: "滷蛋", ID: "other"})},
			sheet{stock("甲", "滷蛋", 2)}, "1 new shops, 1 new", []string{"甲|other|2", "|茶葉蛋"}},
		{"name calls by an alias what a barcode finds", sheet{{Product: store.Product{Name: "茶葉蛋", Aliases: []string{"滷蛋"}, Barcodes: []string{"4711"}}}},
			sheet{stock("甲", "滷蛋", 2, barcode("4711"))}, "1 new shops, 1 new", []string{"甲|4711|2"}},
		{"new barcode of what had none", sheet{stock("甲", "茶葉蛋", 1)}, sheet{stock("甲", "茶葉蛋", 1, barcode("4711"))},
			"1 changed products", []string{"甲|茶葉蛋|1"}},
		{"another barcode is another product", sheet{egg}, sheet{stock("甲", "茶葉蛋", 2, barcode("4799"))},
			"1 new products, 1 new", []string{"甲|4799|2", "甲|F-1|1"}},
		{"products of one name that barcodes tell apart", nil, sheet{stock("甲", "可樂", 1, barcode("1")), stock("甲", "可樂", 2, barcode("2"))},
			"1 new shops, 2 new products, 2 new", []string{"甲|1|1", "甲|2|2"}},
		{"products of one name that IDs tell apart", nil, sheet{stock("甲", "可樂", 1, id("a")), stock("甲", "可樂", 2, id("b"))},
			"1 new shops, 2 new products, 2 new", []string{"甲|a|1", "甲|b|2"}},
		{"a list of products and one of stock", nil, sheet{
			stock("甲", "", 1, barcode("4711")), stock("乙", "茶葉蛋", 2), stock("丙", "滷蛋", 3),
			product(store.Product{Name: "茶葉蛋", SKU: "F-1", Barcodes: []string{"4711"}, Aliases: []string{"滷蛋"}})},
			"3 new shops, 1 new products, 3 new", []string{"丙|F-1|3", "乙|F-1|2", "甲|F-1|1"}},
		{"an SKU here and a barcode there", nil, sheet{product(store.Product{Name: "茶葉蛋", SKU: "F-1", Price: "13"}), stock("甲", "茶葉蛋", 2, barcode("4711"))},
			"1 new shops, 1 new products, 1 new", []string{"甲|F-1|2"}},
		{"IDs that names would have", nil, sheet{stock("甲", "蛋", 1), stock("甲", "茶", 2, id("蛋"), barcode("1"))},
			"1 new shops, 2 new products, 2 new", []string{"甲|蛋|2", "甲|蛋-2|1"}},
		{"names that fold to nothing", nil, sheet{stock("甲", "🍎", 1), stock("甲", "🍐", 2), stock("乙", "🍎", 3)},
			"2 new shops, 2 new products, 3 new", []string{"乙|🍎|3", "甲|🍎|1", "甲|🍐|2"}},

		{"shop by ID", sheet{shop(store.Shop{ID: "001", Name: "甲"})}, sheet{{Shop: store.Shop{ID: "001", Name: "新甲"}}}, "1 changed shops", []string{"001|"}},
		{"shop by name", sheet{shop(store.Shop{ID: "001", Name: "KOKO 大安店"})}, sheet{stock("ｋｏｋｏ大安店", "蛋", 1)}, "1 new products, 1 new", []string{"001|蛋|1"}},
		{"shop by alias", sheet{shop(store.Shop{ID: "001", Name: "大安店", Aliases: []string{"Da'an"}})}, sheet{stock("daan", "蛋", 1)},
			"1 new products, 1 new", []string{"001|蛋|1"}},
		{"shops of one name that IDs tell apart", nil, sheet{{Shop: store.Shop{ID: "1", Name: "甲"}}, {Shop: store.Shop{ID: "2", Name: "甲"}}},
			"2 new shops", []string{"1|", "2|"}},
		{"shop IDs that names would have", nil, sheet{{Shop: store.Shop{Name: "甲"}}, {Shop: store.Shop{ID: "甲", Name: "乙"}}},
			"2 new shops", []string{"甲|", "甲-2|"}},
		{"shop changes its chain", sheet{stock("甲", "蛋", 1, chain("KOKO"))}, sheet{stock("甲", "蛋", 2, chain("日日鮮"))}, "1 changed shops, 1 up", []string{"甲|蛋|2"}},
		{"chain written in another way", sheet{stock("甲", "蛋", 1, chain("KOKO"))}, sheet{stock("甲", "蛋", 2, chain("ＫＯＫＯ"))}, "1 up", []string{"甲|蛋|2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openAt(t, store.Catalog{}, time.Now)
			if tt.before != nil {
				mustImport(t, s, store.ImportOptions{}, tt.before...)
			}
			checkReport(t, mustImport(t, s, store.ImportOptions{}, tt.rows...), tt.report)
			if diff := gocmp.Diff(tt.want, content(t, s)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			checkReport(t, mustImport(t, s, store.ImportOptions{}, tt.rows...), "")
		})
	}
}

// testRenamed holds that an import says where a code gives a product a name that
// is not like its name, and that a refusal says which code it is.
func testRenamed(t *testing.T, openAt OpenAt) {
	egg := stock("甲", "茶葉蛋", 1, barcode("4710000000011"), sku("F-1"))
	for _, tt := range []struct {
		name string
		row  store.Row
		want []store.Rename
	}{
		{"by a barcode", stock("甲", "飯糰", 1, barcode("4710000000011")),
			[]store.Rename{{ProductID: "F-1", Code: "barcode 4710000000011", Before: "茶葉蛋", After: "飯糰"}}},
		{"by an SKU", stock("甲", "飯糰", 1, sku("F-1")), []store.Rename{{ProductID: "F-1", Code: "sku F-1", Before: "茶葉蛋", After: "飯糰"}}},
		{"by an ID", stock("甲", "飯糰", 1, id("F-1")), []store.Rename{{ProductID: "F-1", Code: "product id F-1", Before: "茶葉蛋", After: "飯糰"}}},
		{"to a part of another name", stock("甲", "茶", 1, barcode("4710000000011")),
			[]store.Rename{{ProductID: "F-1", Code: "barcode 4710000000011", Before: "茶葉蛋", After: "茶"}}},
		{"a little", stock("甲", "茶葉蛋 (大)", 1, barcode("4710000000011")), nil},
		{"not at all", stock("甲", "茶叶蛋", 1, barcode("4710000000011")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := imported(t, openAt, []store.Row{egg})
			for _, dry := range []bool{true, false} {
				r := mustImport(t, s, store.ImportOptions{DryRun: dry}, tt.row)
				if diff := gocmp.Diff(tt.want, r.Renamed.First); diff != "" || r.Renamed.Count != len(tt.want) {
					t.Errorf("dry run %v: renamed %d (-want +got):\n%s", dry, r.Renamed.Count, diff)
				}
			}
		})
	}
	s, _ := imported(t, openAt, []store.Row{egg, stock("甲", "飯糰", 2, barcode("4710000000028"))})
	for _, rows := range [][]store.Row{
		{stock("甲", "飯糰", 4, barcode("4710000000011"))}, // which is another product's name
		{stock("乙", "鮮奶", 4, barcode("4710000000035")), stock("乙", "豆漿", 4, barcode("4710000000035"))},
		{stock("乙", "鮮奶", 4, sku("M-1")), stock("乙", "豆漿", 4, sku("M-1"))},
	} {
		same := rows[0].Product.SKU
		if same == "" {
			same = rows[0].Product.Barcodes[0]
		}
		_, err := s.Import(t.Context(), rowsOf(rows...), store.ImportOptions{})
		bad, ok := errors.AsType[*store.ImportError](err)
		if !ok || !strings.Contains(bad.Problems[0].Why, same) {
			t.Errorf("import: %v, %+v, want a refusal that names %q", err, bad, same)
		}
	}
}
