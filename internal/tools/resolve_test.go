package tools

import (
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// town has names that get in each other's way.
func town() store.Catalog {
	shop := func(id, name, chain string, aliases ...string) store.Shop {
		return store.Shop{ID: id, Name: name, Chain: chain, Aliases: aliases}
	}
	product := func(id, name string, aliases ...string) store.Product {
		return store.Product{ID: id, SKU: "SKU-" + id, Name: name, Aliases: aliases, Unit: "個"}
	}
	return store.Catalog{
		Chains: []store.Chain{
			{Name: "KOKO便利店", Aliases: []string{"KOKO", "可可超商"}},
			{Name: "好日子超市", Aliases: []string{"Good Day"}},
			{Name: "好日子藥局"},
			{Name: "河邊便利店"},
		},
		Shops: []store.Shop{
			shop("k1", "KOKO便利店 大安店", "KOKO便利店", "KOKO Daan"),
			shop("k2", "KOKO便利店 信義店", "KOKO便利店"),
			shop("k3", "KOKO便利店 板橋店", "KOKO便利店"),
			shop("g1", "好日子超市 大安店", "好日子超市"),
			shop("g2", "好日子超市 中山店", "好日子超市"),
			shop("p1", "好日子藥局 中山店", "好日子藥局"),
			shop("r1", "河邊便利店", "河邊便利店"), // named as its chain
			shop("r2", "河邊便利店 二店", "河邊便利店"),
			shop("c1", "可可樹藥妝", ""),
			shop("b1", "轉角書店", "", "Corner Books", "河邊"),
		},
		Products: []store.Product{
			product("p1", "茶葉蛋", "Tea egg", "茶叶蛋"),
			product("p2", "紅茶"),
			product("p3", "伯爵奶茶", "紅茶"),
			product("p4", "無糖綠茶", "Green tea"),
			product("p5", "御飯糰 鮪魚"),
		},
	}
}

func TestFindPlace(t *testing.T) {
	h := &handler{store: open(t, town)}
	for _, test := range []struct{ said, want string }{
		// An exact name or ID wins, then a chain, then a shop's alias.
		{"KOKO便利店 大安店", "KOKO便利店 大安店"},
		{"ｋｏｋｏ便利店大安店", "KOKO便利店 大安店"},
		{"k2", "KOKO便利店 信義店"},
		{"河邊便利店", "河邊便利店"},
		{"KOKO便利店", "chain KOKO便利店"},
		{"koko", "chain KOKO便利店"},
		{"可可超商", "chain KOKO便利店"},
		{"good day", "chain 好日子超市"},
		{"Corner Books", "轉角書店"},
		{"河邊", "轉角書店"},

		// Parts of names.
		{"KOKO便利", "chain KOKO便利店"},
		{"轉角", "轉角書店"},
		{"转角", "轉角書店"},
		{"信義", "KOKO便利店 信義店"},
		{"大安", "? KOKO便利店 大安店, 好日子超市 大安店"},
		{"好日子", "? 好日子藥局, 好日子超市"},
		{"便利店", "? KOKO便利店, 河邊便利店"},
		{"可可", "? KOKO便利店, 可可樹藥妝"}, // a part of a chain's name, and of another's shop

		// The chain and the branch in one.
		{"KOKO大安", "KOKO便利店 大安店"},
		{"大安的KOKO", "KOKO便利店 大安店"},
		{"KOKO 大安門市", "KOKO便利店 大安店"},
		{"KOKO便利店大安店", "KOKO便利店 大安店"},
		{"KOKO便利店的大安店", "KOKO便利店 大安店"},
		{"可可超商板橋", "KOKO便利店 板橋店"},
		{"好日子大安", "好日子超市 大安店"},
		{"好日子中山", "? 好日子藥局 中山店, 好日子超市 中山店"},
		{"KOKO的門市", "chain KOKO便利店"},
		{"the KOKO store", "chain KOKO便利店"},

		// Words around a name.
		{"在信義店", "KOKO便利店 信義店"},
		{"信義門市", "KOKO便利店 信義店"},

		// Nothing, or nothing but something near.
		{"KOKO淡水", "~ KOKO便利店, KOKO便利店 信義店, KOKO便利店 大安店, KOKO便利店 板橋店"},
		{"轉角書局", "~ 轉角書店"},
		{"火星總店", "~"},
		{"店", "? KOKO便利店, 河邊便利店, 好日子藥局 中山店, 好日子超市 中山店, 好日子超市 大安店, 轉角書店"},
		{"！？", "~"},
		{"store", "~"},
	} {
		f, err := h.findPlace(t.Context(), test.said)
		if err != nil {
			t.Errorf("findPlace(%q): %v", test.said, err)
			continue
		}
		got := f.one.shop.Name
		if f.one.chain != "" {
			got = "chain " + f.one.chain
		}
		if got = outcome(f, got); got != test.want {
			t.Errorf("findPlace(%q) = %s, want %s", test.said, got, test.want)
		}
	}
}

func TestFindProduct(t *testing.T) {
	h := &handler{store: open(t, town)}
	for _, test := range []struct{ said, want string }{
		{"茶葉蛋", "茶葉蛋"},
		{"茶叶蛋", "茶葉蛋"},
		{"ＴＥＡ　ＥＧＧ", "茶葉蛋"},
		{"SKU-p1", "茶葉蛋"},
		{"p4", "無糖綠茶"},
		{"紅茶", "紅茶"}, // and not that which has it as an alias
		{"茶葉", "茶葉蛋"},
		{"飯糰", "御飯糰 鮪魚"},
		{"茶", "? 紅茶, 茶葉蛋, 伯爵奶茶, 無糖綠茶"},
		{"茶業蛋", "~ 茶葉蛋"},
		{"噴射機", "~"},
		{"…", "~"},
	} {
		f, err := h.findProduct(t.Context(), test.said)
		if err != nil {
			t.Errorf("findProduct(%q): %v", test.said, err)
			continue
		}
		if got := outcome(f, f.one.Name); got != test.want {
			t.Errorf("findProduct(%q) = %s, want %s", test.said, got, test.want)
		}
	}
}

func TestFindBoth(t *testing.T) {
	h := &handler{store: open(t, town)}
	for _, test := range []struct{ said, place, product string }{
		{"KOKO的茶葉蛋", "KOKO便利店", "茶葉蛋"},
		{"KOKO便利店茶葉蛋", "KOKO便利店", "茶葉蛋"},
		{"轉角書店 紅茶", "轉角書店", "紅茶"},
		{"信義的 green tea", "KOKO便利店 信義店", "無糖綠茶"},
		{"大安的茶葉蛋", "", ""}, // two shops: not clear
		{"KOKO的噴射機", "", ""},
		{"噴射機", "", ""},
		{"KOKO", "", ""},
	} {
		where, f, err := h.findBoth(t.Context(), test.said, found[store.Product]{})
		if err != nil {
			t.Errorf("findBoth(%q): %v", test.said, err)
			continue
		}
		if where.name() != test.place || f.one.Name != test.product {
			t.Errorf("findBoth(%q) = %q, %q, want %q, %q", test.said, where.name(), f.one.Name, test.place, test.product)
		}
	}
}

// outcome is f as a test table writes it: what was found, "? " and candidates,
// or "~ " and suggestions.
func outcome[T any](f found[T], name string) string {
	if f.ok {
		return name
	}
	var names []string
	for _, o := range f.options {
		names = append(names, o.Name)
	}
	sign := "~ "
	if f.ambiguous {
		sign = "? "
	}
	return strings.TrimSpace(sign + strings.Join(names, ", "))
}

func TestManyCandidatesAreCut(t *testing.T) {
	many := func() store.Catalog {
		var c store.Catalog
		for i := range 30 {
			id := string(rune('a'+i%26)) + string(rune('a'+i/26))
			c.Shops = append(c.Shops, store.Shop{ID: id, Name: "車站 " + id})
			c.Products = append(c.Products, store.Product{ID: id, Name: "便當 " + id})
		}
		return c
	}
	h := &handler{store: open(t, many)}
	places, err := h.findPlace(t.Context(), "車站")
	if err != nil || !places.ambiguous || len(places.options) != maxCandidates || !places.more {
		t.Errorf("findPlace = %+v, %v, want %d candidates and more", places, err, maxCandidates)
	}
	products, err := h.findProduct(t.Context(), "便當")
	if err != nil || !products.ambiguous || len(products.options) != maxCandidates || !products.more {
		t.Errorf("findProduct = %+v, %v, want %d candidates and more", products, err, maxCandidates)
	}
}

// Some clients show a model the text alone, and it has to choose by that.
func TestNamesakesAreToldApartInTheText(t *testing.T) {
	srv := New(open(t, func() store.Catalog {
		return store.Catalog{
			Shops: []store.Shop{{ID: "s1", Name: "大安店"}, {ID: "s2", Name: "大安店"}, {ID: "s3", Name: "信義店"}},
			Products: []store.Product{
				{ID: "p1", SKU: "T-70", Name: "綠茶", Price: "25", Currency: "TWD"},
				{ID: "p2", SKU: "T-71", Name: "綠茶", Price: "35", Currency: "TWD"},
				{ID: "p3", Name: "紅茶"}, {ID: "p4", Name: "紅茶禮盒"},
			},
		}
	}), Config{AllowWrites: true, Now: inTaipei})
	for _, test := range []struct{ tool, arguments, want string }{
		{"check_stock", `{"product":"綠茶"}`, "綠茶（ID p1，SKU T-70，TWD 25）、綠茶（ID p2，SKU T-71，TWD 35）"},
		{"check_stock", `{"product":"紅茶","store":"大安店"}`, "大安店（ID s1）、大安店（ID s2）"},
		{"record_movement", `{"store":"s3","product":"綠茶","delta":1,"reason":"delivery"}`, "綠茶（ID p1，SKU T-70，TWD 25）、綠茶（ID p2，SKU T-71，TWD 35）"},
		{"search_products", `{"query":"綠茶"}`, "綠茶（ID p1，SKU T-70，TWD 25）、綠茶（ID p2，SKU T-71，TWD 35）"},
		{"list_stores", `{}`, "信義店、大安店（ID s1）、大安店（ID s2）"},
		{"check_stock", `{"product":"茶"}`, "：紅茶、綠茶（ID p1，"}, // the others need nothing more
	} {
		text, out := call(t, srv, test.tool, args(t, test.arguments), nil)
		if !strings.Contains(text, test.want) || out.StructuredContent["message"] != text {
			t.Errorf("%s %s = %s, want %s", test.tool, test.arguments, text, test.want)
		}
	}
}
