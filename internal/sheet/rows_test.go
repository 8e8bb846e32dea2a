package sheet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestReadReportsEachBadRowAndGoesOn(t *testing.T) {
	const header = "店名,店號,品名,條碼,數量,單位,售價,幣別,效期,補貨點,緯度,經度,別名,地址\n"
	for _, tt := range []struct{ row, column, value, why string }{
		{"店,,蛋,,十二", "數量", "十二", "not a whole number"},
		{"店,,蛋,,-3", "數量", "-3", "below zero"},
		{"店,,蛋,,2.5", "數量", "2.5", "fraction"},
		{"店,,蛋,,", "數量", "", "write 0 if there are none"},
		{",,蛋,,3", "店名", "", "quantity but no store"},
		{"店,,,,3", "品名", "", "quantity but no product"},
		{"店,,,,", "店名", "店", "there is no product"},
		{",,製表人：王小明", "數量", "", "delete the line if this is a remark"},
		{",,,,,,5", "", "", "neither a product nor a store"},
		{"店,,蛋,4.71E+12,3", "條碼", "4.71E+12", "Excel has rounded"},
		{"店,,蛋,1;4.71E+12,3", "條碼", "1;4.71E+12", "Excel has rounded"},
		{"店,,蛋,,3,,免費", "售價", "免費", "not a price"},
		{"店,,蛋,,3,,US$3,TWD", "售價", "US$3", "in USD, but the currency is TWD"},
		{"店,,蛋,,3,,3,圓仔", "幣別", "圓仔", "not a currency"},
		{"店,,蛋,,3,,,,11/12/2026", "效期", "11/12/2026", "year first"},
		{"店,,蛋,,3,,,,2026-02-30", "效期", "2026-02-30", "no such day"},
		{",T1,,,,,,,2026-02-28,,,,,", "效期", "2026-02-28", "expiry date but no quantity"},
		{"店,,蛋,,3,,,,,-1", "補貨點", "-1", "below zero"},
		{"店,,蛋,,3,,,,,,91,0", "緯度", "91", "degrees"},
		{"店,,蛋,,3,,,,,,25,", "經度", "", "latitude but no longitude"},
		{"店,,蛋,,3,,,,,,,121", "緯度", "", "longitude but no latitude"},
		{"店,,蛋,,=A1", "數量", "=A1", "formula"},
		{"店,,蛋,,3,,,,,,,,x,y,z", "", "", "15 cells, but the header has 14"},
		{"店,,蛋,,3,,,,,,,," + strings.Repeat("x;", maxListItems+1), "別名", "", "more than 200"},
		{"店,," + strings.Repeat("蛋", maxCell+1) + ",,3", "品名", "", "longer than 10,000"},
		{"店,,\"蛋\"x,,3", "", "", "closing quote"},
		{"店,,a\x00,,3", "", "", "zero byte"},
	} {
		r := readText(t, header+"店,,先,,1\n"+tt.row+"\n店,,後,,2\n", Options{})
		if r.err != nil || len(r.problems) != 1 {
			t.Errorf("%.60q: %d problems %q, %v", tt.row, len(r.problems), r.why(), r.err)
			continue
		}
		p := r.problems[0]
		if p.Line != 3 || p.Column != tt.column || !strings.Contains(p.Why, tt.why) || tt.value != "" && p.Value != tt.value || len(p.Value) > 400 {
			t.Errorf("%.60q: line %d, column %q, value %.60q: %s; want column %q, value %q: %s", tt.row, p.Line, p.Column, p.Value, p.Why, tt.column, tt.value, tt.why)
		}
		if got := named(r.rows); !cmp.Equal(got, []string{"先", "後"}) {
			t.Errorf("%.60q: the other rows are %q", tt.row, got)
		}
	}
}

func TestReadUnderstandsRowsAsPeopleWriteThem(t *testing.T) {
	egg := func(edit func(*store.Row)) store.Row {
		row := store.Row{Shop: store.Shop{Name: "店"}, Product: store.Product{Name: "蛋"}, Quantity: new(int64(12))}
		edit(&row)
		return row
	}
	for _, tt := range []struct {
		text string
		o    Options
		want store.Row
	}{
		{"店名,品名,數量,單位\n店,蛋,12顆,顆\n", Options{}, egg(func(r *store.Row) { r.Product.Unit = "顆" })},
		{"品名\t數量\n蛋\t１２\n", Options{Store: "店"}, egg(func(*store.Row) {})},
		{"店名,品名,數量\n,蛋,12\n", Options{Store: "店"}, egg(func(*store.Row) {})},
		{"店名,品名,數量,售價\n店,蛋,12,\"NT$1,300\"\n", Options{Currency: "USD"}, egg(func(r *store.Row) { r.Product.Price, r.Product.Currency = "1300", "TWD" })},
		{"店名,品名,數量,售價\n店,蛋,12,4.5\n", Options{Currency: "usd"}, egg(func(r *store.Row) { r.Product.Price, r.Product.Currency = "4.5", "USD" })},
		{"店名,品名,數量,售價,幣別\n店,蛋,12,¥30,日圓\n", Options{}, egg(func(r *store.Row) { r.Product.Price, r.Product.Currency = "30", "JPY" })},
		{"店名,品名,數量,幣別\n店,蛋,12,TWD\n", Options{}, egg(func(*store.Row) {})},
		{"店名,品名,數量,條碼\n店,蛋,12,\"=\"\"00123\"\"\"\n", Options{}, egg(func(r *store.Row) { r.Product.Barcodes = []string{"00123"} })},
		{"店名,品名,數量,條碼\n店,蛋,12,'00123 / 456、789\n", Options{}, egg(func(r *store.Row) { r.Product.Barcodes = []string{"00123", "456", "789"} })},
		{"店名,品名,數量,別名\n店,蛋,12,\"茶蛋\n滷蛋／鐵蛋\"\n", Options{}, egg(func(r *store.Row) { r.Product.Aliases = []string{"茶蛋", "滷蛋／鐵蛋"} })},
		{"店名,品名,數量,緯度,經度\n店,蛋,12,25.03,121.5\n", Options{}, egg(func(r *store.Row) { r.Shop.Location = &store.Location{Latitude: 25.03, Longitude: 121.5} })},
		{"店名,品名,數量,補貨點,連鎖,連鎖別名\n店,蛋,12,5 顆,KOKO,可可|口口\n", Options{}, egg(func(r *store.Row) {
			r.ReorderPoint, r.Shop.Chain, r.ChainAliases = new(int64(5)), "KOKO", []string{"可可", "口口"}
		})},
		{"sep=;\n店名;品名;數量\n店;蛋;12\n", Options{}, egg(func(*store.Row) {})},
		{"店名,品名,數量,,\n店,蛋,12,,備註\n", Options{}, egg(func(*store.Row) {})},
		{"店名,品名,地址\n店,,臺北市\n", Options{}, store.Row{Shop: store.Shop{Name: "店", Address: "臺北市"}}},
		{"店名,品名,數量,店號\n店,,,T1\n", Options{}, store.Row{Shop: store.Shop{Name: "店", ID: "T1"}}},
		{"店名,品名,數量,貨號\n,蛋,,A1\n", Options{Store: "別的"}, store.Row{Product: store.Product{Name: "蛋", SKU: "A1"}}},
		{"條碼,單位\n471,顆\n", Options{}, store.Row{Product: store.Product{Barcodes: []string{"471"}, Unit: "顆"}}},
	} {
		got := readText(t, tt.text, tt.o).good(t)
		if diff := cmp.Diff([]store.Row{tt.want}, got, sameRows); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestReadWantsQuantitiesOfProductsInStores(t *testing.T) {
	r := readText(t, "店名,品名,剩餘\n店,蛋,3\n", Options{})
	if r.err != nil || len(r.problems) != 1 || !strings.Contains(r.problems[0].Why, "--map qty=") {
		t.Errorf("%d problems %q, %v, want one that tells how to name the column", len(r.problems), r.why(), r.err)
	}
}

func TestReadLeavesOutWhatIsNoRow(t *testing.T) {
	text := `店名,品名,條碼,數量
大安店,蛋,,1
,,,

　,	,,
店名,品名,條碼,數量
大安店,奶,,2
合計,,,3
,小計：,,3
大安店,Total,471,4
信義店,小計,,2
信義店,茶,,5
總計,總計,,6
 Grand Total ,,,7
`
	r := readText(t, text, Options{})
	if diff := cmp.Diff([]string{"蛋", "奶", "Total", "茶"}, named(r.good(t))); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"standard input: left out as totals: line 8, 9, 11, 13, 14"}, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	// A sum of one store may as well be a product: it is reported.
	r = readText(t, "店名,品名,數量\n大安店,,3\n", Options{})
	if len(r.problems) != 1 {
		t.Errorf("a quantity without a product: %v", r.rows)
	}
}
