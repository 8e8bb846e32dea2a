package sheet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

func TestMeanKnowsWhatShopsCallTheirColumns(t *testing.T) {
	for header, want := range map[string]string{
		"店名": "store", "門市": "store", "门市名称": "store", "分店": "store", "商店": "store", "店舖": "store", "店铺": "store", "STORE": "store", "Shop Name": "store", " branch ": "store",
		"門市代號": "store id", "店號": "store id", "Store_ID": "store id", "store-code": "store id",
		"品名": "product", "商品": "product", "商品名稱": "product", "产品": "product", "名稱": "product", "Product": "product", "ＩＴＥＭ": "product", "name": "product", "品　名": "product",
		"條碼": "barcode", "国际条码": "barcode", "Bar Code": "barcode", "EAN-13": "barcode", "GTIN": "barcode", "upc": "barcode", "條碼 (EAN)": "barcode",
		"貨號": "sku", "商品編號": "sku", "品號": "sku", "料號": "sku", "SKU": "sku", "Item No.": "sku",
		"數量": "qty", "库存": "qty", "庫存量": "qty", "現有庫存": "qty", "現有量": "qty", "在庫": "qty", "Qty.": "qty", "On Hand": "qty", "數量(個)": "qty", "數量（個）": "qty", "數量【箱】": "qty", "*數量": "qty", "庫存\n(顆)": "qty",
		"單位": "unit", "售價": "price", "售價(元)": "price", "單價": "price", "零售價": "price", "Price (NT$)": "price", "單價/元": "price",
		"效期": "expiry", "有效日期": "expiry", "保存期限": "expiry", "Exp. Date": "expiry", "Best Before": "expiry",
		"分類": "category", "类别": "category", "部門": "category", "補貨點": "reorder point", "安全存量": "reorder point", "Min Stock": "reorder point",
		"別名": "aliases", "俗名": "aliases", "地址": "address", "營業時間": "hours", "連鎖": "chain", "緯度": "latitude", "lng": "longitude", "幣別": "currency",
		"英文品名": "name:en", "English Name": "name:en", "品名(英文)": "name:en", "品名（日文）": "name:ja", "name:zh-Hant": "name:zh-Hant", "品名：ko": "name:ko",
		"商品名稱 Product Name": "product", "品名/Product": "product", "店名 Store": "store", "商品ID": "product id", "門市別名": "store aliases", "chain alias": "chain aliases",
		"備註": "", "": "", "供應商": "", "單位/數量": "", "(個)": "", "()": "", "12": "", "Product Qty Price": "", "進貨數量": "", "編號": "",
	} {
		got := ""
		if m, ok := mean(header); ok {
			got = m.name()
		}
		if got != want {
			t.Errorf("mean(%q) = %q, want %q", header, got, want)
		}
	}
}

// A header that two columns were known by would mean the one today and the
// other one tomorrow.
func TestHeadersAreKnownOnce(t *testing.T) {
	meant := make(map[string]string)
	for _, c := range Columns() {
		for _, header := range append(c.Headers, c.Name) {
			folded := fold.String(header)
			if other, twice := meant[folded]; twice && other != c.Name {
				t.Errorf("%q is known as %q and as %q", header, other, c.Name)
			}
			meant[folded] = c.Name
			if m, ok := mean(header); !ok || m.name() != c.Name {
				t.Errorf("mean(%q) = %q, want %q", header, m.name(), c.Name)
			}
			if m, ok := mapKey(header); !ok || m.name() != c.Name {
				t.Errorf("mapKey(%q) = %q, want %q", header, m.name(), c.Name)
			}
		}
	}
}

func TestReadFindsTheHeaderBelowTitles(t *testing.T) {
	for _, text := range []string{
		"店名,品名,數量\n大安店,蛋,3\n",
		"\n\n店名,品名,數量\n大安店,蛋,3\n",
		"庫存\n店名,品名,數量\n大安店,蛋,3\n",
		"商店,2026/11/22\n製表人：王小明\n,,\n店名,品名,數量\n大安店,蛋,3\n",
		"a,b,c\n\"x\ny\"\n數量,店名,品名\n3,大安店,蛋\n",
		strings.Repeat("標題\n", headerWithin-1) + "店名,品名,數量\n大安店,蛋,3\n",
	} {
		rows := readText(t, text, Options{}).good(t)
		want := []store.Row{{Shop: store.Shop{Name: "大安店"}, Product: store.Product{Name: "蛋"}, Quantity: new(int64(3))}}
		if diff := cmp.Diff(want, rows, sameRows); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if got, want := rows[0].Line, strings.Count(text, "\n"); got != want {
			t.Errorf("%q: the row is of line %d, want %d", text, got, want)
		}
	}
}

func TestReadExplainsHeadersThatItCannotUse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		o          Options
		err, hint  string
	}{
		{"nothing known", "標題\n料件,量,位\nx,1,y\n", Options{},
			`line 2: there is no column of products or stores among "料件", "量", "位"`, "--map product=料件; known are 品名"},
		{"a header that a shell would cut", "料 件,b's\nx,1\n", Options{}, `among "料 件"`, "--map 'product=料 件'"},
		{"only a quantity", "數量,單位\n1,個\n", Options{}, "no column of products or stores", "--map"},
		{"empty", "", Options{}, `read "standard input": it is empty`, "export --template"},
		{"blank", " \n\t\n\n", Options{}, "it is empty", "export --template"},
		{"two of one meaning", "店名,品名,庫存,現有量\n", Options{},
			`line 1: the columns "庫存" and "現有量" mean the same`, "--map qty=庫存"},
		{"two of one name", "店名,品名,數量,數量\n", Options{}, `two columns "數量"`, "delete it"},
		{"two languages", "品名,name:en,英文品名\n", Options{}, `the columns "name:en" and "英文品名" mean the same`, "--map name:en=name:en"},
		{"no stores", "品名,現有 量\n蛋,3\n", Options{}, `there is a column of quantities ("現有 量") but none of stores`, "--store NAME"},
		{"a mapped header that there is not", "店名,品名,現有數\n", Options{Map: map[string]string{"qty": "現有量"}},
			`line 1: there is no column "現有量" for "qty"`, "--map qty=現有數"},
		{"and nothing like it", "店名,品名,數量\n", Options{Map: map[string]string{"expiry": "賞味"}},
			`there is no column "賞味" for "expiry"`, `there are "店名", "品名", "數量"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := readText(t, tt.text, tt.o)
			if r.err == nil || !strings.Contains(r.err.Error(), tt.err) || !strings.Contains(r.hint(), tt.hint) {
				t.Errorf("error %v\nwant  %s\nhint  %s\nwant  %s", r.err, tt.err, r.hint(), tt.hint)
			}
			if len(r.rows)+len(r.problems) > 0 {
				t.Errorf("and rows: %v", r.rows)
			}
		})
	}
}

func TestMapGoesBeforeWhatIsKnown(t *testing.T) {
	text := "店,料件,庫存,現有量,甲,售價\n大安店,蛋,1,2,egg,9\n"
	r := readText(t, text, Options{Map: map[string]string{"store": "店", "product": " 料件", "qty": "现有量", "name:en": "甲", "貨號": "料件"}})
	want := []store.Row{{Shop: store.Shop{Name: "大安店"}, Quantity: new(int64(2)),
		Product: store.Product{SKU: "蛋", Name: "蛋", Names: map[string]string{"en": "egg"}, Price: "9", Currency: "TWD"}}}
	if diff := cmp.Diff(want, r.good(t), sameRows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"standard input: ignored columns: 庫存"}, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	wantColumns := map[string]string{"store": "店", "product": "料件", "sku": "料件", "qty": "現有量", "name:en": "甲", "price": "售價"}
	if diff := cmp.Diff(wantColumns, r.rows[0].Sheet.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

// Of several files, one has the header that is mapped.
func TestMapIsForAllFiles(t *testing.T) {
	o := Options{Map: map[string]string{"sku": "代"}}
	all := readAll(t, strings.NewReader("品名,代\n蛋,1\n"), o, "testdata/stock.csv", "-").good(t)
	if got := all[len(all)-1].Product; got.SKU != "1" {
		t.Errorf("the last product is %+v", got)
	}
	r := readAll(t, strings.NewReader("品名,碼\n蛋,1\n"), o, "testdata/stock.csv", "-")
	if r.err == nil || !strings.Contains(r.err.Error(), `no column "代" for "sku"`) {
		t.Errorf("a header that no file has: %v", r.err)
	}
}

func TestReadTellsIgnoredColumns(t *testing.T) {
	r := readText(t, "品名,備註,單位,供應商,效期\n蛋,x,顆,y,2026\n", Options{})
	if diff := cmp.Diff([]string{"standard input: ignored columns: 備註, 供應商, 效期"}, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	var many strings.Builder
	for i := range 900 {
		fmt.Fprintf(&many, ",甲乙丙%d", i)
	}
	r = readText(t, "品名"+many.String()+"\n蛋\n", Options{})
	if len(r.told) != 1 || len(r.told[0]) > 300 || !strings.Contains(r.told[0], "ignored columns") {
		t.Errorf("told %q", r.told)
	}
}

func TestListsOfStoresMayCallThemByTheirName(t *testing.T) {
	want := []store.Row{{Shop: store.Shop{ID: "T1", Name: "大安店", Chain: "KOKO", Address: "臺北市", Aliases: []string{"大安", "DA"}}}}
	for _, text := range []string{
		"名稱,編號,地址,別名,品牌\n大安店,T1,臺北市,大安;DA,KOKO\n",
		"Name,ID,Address,Alias,Brand,備註\n大安店,T1,臺北市,大安、DA,KOKO,x\n",
		"店名,店號,地址,別名,連鎖\n大安店,T1,臺北市,大安|DA,KOKO\n",
	} {
		if diff := cmp.Diff(want, readText(t, text, Options{}).good(t), sameRows); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	// Next to products, they are the products'.
	got := readText(t, "店名,品名,數量,別名,品牌,地址\n大安店,蛋,1,蛋蛋,統一,臺北市\n", Options{}).good(t)
	shop, product := store.Shop{Name: "大安店", Address: "臺北市"}, store.Product{Name: "蛋", Aliases: []string{"蛋蛋"}}
	if diff := cmp.Diff([]store.Row{{Shop: shop, Product: product, Quantity: new(int64(1))}}, got, sameRows); diff != "" {
		t.Errorf("stock (-want +got):\n%s", diff)
	}
}
