package storetest

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testEditProduct(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	want := find(t, sample().Products, "tea-egg", productID)
	edit := func(e store.ProductEdit) {
		t.Helper()
		got, err := s.EditProduct(t.Context(), "tea-egg", e)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("EditProduct (-want +got):\n%s", diff)
		}
		if got, err = s.Product(t.Context(), "tea-egg"); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("Product afterwards (-want +got):\n%s", diff)
		}
	}
	finds := func(q store.ProductQuery, want ...string) {
		t.Helper()
		got, _, err := s.Products(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(append([]string{}, want...), ids(got, productID)); diff != "" {
			t.Errorf("Products(%+v) (-want +got):\n%s", q, diff)
		}
	}
	edit(store.ProductEdit{})
	want.Price, want.Unit, want.ReorderPoint = "15.50", "粒", 8
	edit(store.ProductEdit{Price: new("15.50"), Unit: new("粒"), ReorderPoint: new(int64(8))})
	want.Currency = "JPY"
	edit(store.ProductEdit{Currency: new("JPY")})
	want.Price, want.Currency = "", ""
	edit(store.ProductEdit{Price: new("")})
	want.Price, want.Currency = "13", "TWD"
	edit(store.ProductEdit{Price: new("13")})

	want.Name, want.Aliases = "阿嬤茶葉蛋", []string{"香茶蛋"}
	edit(store.ProductEdit{Name: new(" 阿嬤茶葉蛋\n"), Aliases: new([]string{"香茶蛋", "", "香茶蛋"})})
	finds(store.ProductQuery{Text: "茶葉蛋", Match: store.Exact})
	finds(store.ProductQuery{Text: "阿嬤茶葉蛋", Match: store.Exact}, "tea-egg")
	finds(store.ProductQuery{Text: "滷蛋"})
	finds(store.ProductQuery{Text: "香茶"}, "tea-egg")
	finds(store.ProductQuery{Text: "蛋"}, "egg", "spring-egg", "egg-pudding", "tea-egg")
	finds(store.ProductQuery{Text: "阿嬤茶夜蛋", Match: store.Near}, "tea-egg")

	want.SKU, want.Barcodes, want.Category = "F-100", []string{"4719"}, "蛋品"
	edit(store.ProductEdit{SKU: new("F-100"), Barcodes: new([]string{"4719"}), Category: new("蛋品")})
	finds(store.ProductQuery{Barcode: "4719"}, "tea-egg")
	finds(store.ProductQuery{Barcode: "4710000000012"})
	finds(store.ProductQuery{Text: "F-100", Match: store.Exact}, "tea-egg")
	finds(store.ProductQuery{Text: "F-001", Match: store.Exact})
	finds(store.ProductQuery{Category: "蛋品"}, "tea-egg")
	finds(store.ProductQuery{Text: "茶葉", Category: "熟食"})

	// Many renames one after the other find no room at last.
	for _, name := range []string{"蛋甲", "蛋乙", "蛋丙", "蛋丁", "蛋戊", "蛋己", "蛋庚", "蛋辛", "蛋壬", "蛋癸"} {
		for _, id := range []string{"tea-egg", "spring-egg"} {
			if _, err := s.EditProduct(t.Context(), id, store.ProductEdit{Name: new(name + id)}); err != nil {
				t.Fatal(err)
			}
			finds(store.ProductQuery{Text: name + id}, id)
		}
	}
	finds(store.ProductQuery{Text: "蛋"}, "egg", "egg-pudding", "tea-egg", "spring-egg")
	checkVerified(t, s)
}

func testEditShop(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	want := find(t, sample().Shops, "koko-daan", shopID)
	edit := func(e store.ShopEdit) {
		t.Helper()
		got, err := s.EditShop(t.Context(), "koko-daan", e)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("EditShop (-want +got):\n%s", diff)
		}
		if got, err = s.Shop(t.Context(), "koko-daan"); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("Shop afterwards (-want +got):\n%s", diff)
		}
	}
	edit(store.ShopEdit{})
	want.Address, want.Hours = "臺北市大安區新生南路", "06:00–24:00"
	edit(store.ShopEdit{Address: new("臺北市大安區新生南路"), Hours: new("06:00–24:00")})
	want.Name, want.Aliases = "阿甲大安店", nil
	edit(store.ShopEdit{Name: new("阿甲大安店"), Aliases: new([]string{})})
	order := func(want ...string) {
		t.Helper()
		shops, _, err := s.Shops(t.Context(), store.ShopQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, ids(shops, shopID)); diff != "" {
			t.Errorf("shops by name (-want +got):\n%s", diff)
		}
		checkVerified(t, s)
	}
	order("koko-xinyi", "koko-banqiao", "corner", "fresh-daan", "koko-daan")
	total := func(chain string, want int64) {
		t.Helper()
		if got, err := s.Total(t.Context(), "tea-egg", chain); err != nil || got.OnHand != want {
			t.Errorf("tea eggs in %s: %+v, %v, want %d", chain, got, err, want)
		}
	}
	total("KOKO便利店", 12)
	want.Chain = "日日鮮超市"
	edit(store.ShopEdit{Chain: new("日日鮮 超市")})
	total("KOKO便利店", 7)
	total("日日鮮超市", 35)
	want.Chain = "阿甲的店"
	edit(store.ShopEdit{Chain: new("阿甲的店")})
	total("阿甲的店", 5)
	want.Chain = ""
	edit(store.ShopEdit{Chain: new("")})
	if chains, err := s.Chains(t.Context(), "阿甲的店", store.Exact, 1); err != nil || len(chains) != 0 {
		t.Errorf("a chain that nobody is of any longer: %v, %v", chains, err)
	}
	// Renames to and fro between the same neighbours.
	for i, name := range []string{"KOKO便利店 信義二店", "KOKO便利店 信義三店", "巷口小店", "巷口大店", "一", "阿甲大安店"} {
		if _, err := s.EditShop(t.Context(), "koko-daan", store.ShopEdit{Name: &name}); err != nil {
			t.Fatalf("rename %d: %v", i, err)
		}
	}
	order("koko-xinyi", "koko-banqiao", "corner", "fresh-daan", "koko-daan")
}

func testEditsRefused(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	before := exported(t, s)
	for what, e := range map[string]store.ProductEdit{
		"empty name":              {Name: new(" ")},
		"name of another":         {Name: new("奶茶")},
		"price that is none":      {Price: new("1,000")},
		"currency without price":  {Price: new(""), Currency: new("TWD")},
		"negative reorder point":  {ReorderPoint: new(int64(-1))},
		"too great reorder point": {ReorderPoint: new(int64(store.MaxQuantity + 1))},
		"barcode of another":      {Barcodes: new([]string{"4710000000036"})},
		"barcode that is none":    {Barcodes: new([]string{"--"})},
		"SKU of another":          {SKU: new("B-005")},
	} {
		if _, err := s.EditProduct(t.Context(), "tea-egg", e); !errors.As(err, new(*store.InvalidError)) {
			t.Errorf("%s: %v, want an InvalidError", what, err)
		}
	}
	for what, e := range map[string]store.ShopEdit{
		"empty name":      {Name: new("")},
		"name of another": {Name: new("巷口 雜貨")},
	} {
		if _, err := s.EditShop(t.Context(), "koko-daan", e); !errors.As(err, new(*store.InvalidError)) {
			t.Errorf("%s: %v, want an InvalidError", what, err)
		}
	}
	if _, err := s.EditProduct(t.Context(), "nothing", store.ProductEdit{Name: new("新")}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("edit of no product: %v, want ErrNotFound", err)
	}
	if _, err := s.EditShop(t.Context(), "nowhere", store.ShopEdit{Name: new("新")}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("edit of no shop: %v, want ErrNotFound", err)
	}
	if diff := gocmp.Diff(before, exported(t, s)); diff != "" {
		t.Errorf("edits that were refused changed (-before +after):\n%s", diff)
	}
}
