package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testSummary(t *testing.T, s store.Stock) {
	got, err := s.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (store.Summary{Shops: 5, Products: 11}); got != want {
		t.Errorf("Summary = %+v, want %+v", got, want)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func testProduct(t *testing.T, s store.Stock) {
	for _, want := range sample().Products {
		got, err := s.Product(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Product(%q) (-want +got):\n%s", want.ID, diff)
		}
	}
	for _, id := range []string{"", "茶葉蛋", "TEA-EGG", "4710000000012"} {
		if _, err := s.Product(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Product(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func testProductsByText(t *testing.T, s store.Stock) {
	for _, tt := range []struct {
		match store.Match
		text  string
		want  string
	}{
		// Names in every script, width and case; aliases.
		{store.Exact, "茶葉蛋", "tea-egg"},
		{store.Exact, "茶叶蛋", "tea-egg"},
		{store.Exact, " 茶 葉 蛋 ", "tea-egg"},
		{store.Exact, "ｔｅａ　ｅｇｇ", "tea-egg"},
		{store.Exact, "TEA EGG", "tea-egg"},
		{store.Exact, "茶葉卵", "tea-egg"},
		{store.Exact, "卤蛋", "tea-egg"},
		{store.Exact, "台湾啤酒", "tw-beer"},
		{store.Exact, "coca cola 1.5l", "cola-1500"},
		{store.Exact, "coca cola 15l", ""},
		{store.Exact, "可樂", "cola-1500 cola-600"},
		// IDs, SKUs, barcodes.
		{store.Exact, "tea-egg", "tea-egg"},
		{store.Exact, "F-001", "tea-egg"},
		{store.Exact, "f001", "tea-egg"},
		{store.Exact, "4710000000029", "tea-egg"},
		{store.Exact, "４７１００００００００２９", "tea-egg"},
		// What equals nothing.
		{store.Exact, "蛋", "egg"},
		{store.Exact, "茶葉", ""},
		{store.Exact, "471000000002", ""},
		{store.Exact, "！？", ""},

		// One, two and many characters; display order.
		{store.Contains, "蛋", "egg spring-egg tea-egg egg-pudding"},
		{store.Contains, "茶", "milk-tea tea-egg bubble-tea"},
		{store.Contains, "奶茶", "milk-tea bubble-tea"},
		{store.Contains, "葉蛋", "tea-egg"},
		{store.Contains, "叶蛋", "tea-egg"},
		{store.Contains, "鸡蛋布", "egg-pudding"},
		{store.Contains, "面", "ramen"},
		{store.Contains, "egg", "tea-egg egg-pudding"},
		{store.Contains, "tea", "milk-tea tea-egg bubble-tea"},
		{store.Contains, "Tea E", "tea-egg"},
		{store.Contains, "te", "milk-tea tea-egg bubble-tea"},
		{store.Contains, "z", ""},
		{store.Contains, "coca", "cola-1500 cola-600"},
		{store.Contains, "COCA COLA 600 ML", "cola-600"},
		{store.Contains, "1.5", "cola-1500"},
		{store.Contains, "15", ""},
		{store.Contains, "波霸", "bubble-tea"},
		// Pairs that are there, but apart; an end of one name and the
		// beginning of another.
		{store.Contains, "蛋茶葉", ""},
		{store.Contains, "茶葉茶葉蛋", ""},
		{store.Contains, "茶葉蛋tea", ""},
		// Not names: IDs, SKUs, barcodes, categories.
		{store.Contains, "F-00", ""},
		{store.Contains, "471000", ""},
		{store.Contains, "飲料", ""},
		{store.Contains, "！？", ""},
		{store.Contains, strings.Repeat("茶葉蛋", 2000), ""},
		{store.Contains, `" OR "蛋`, ""},
		{store.Contains, "蛋*", "egg spring-egg tea-egg egg-pudding"},
		{store.Contains, "t\x00\xff", "milk-tea tea-egg bubble-tea"},
		// Letters and digits from the beginning of a word on.
		{store.Contains, "egg", "tea-egg egg-pudding"},
		{store.Contains, "gg", ""},
		{store.Contains, "ola", ""},
		{store.Contains, "00ml", ""},
	} {
		q := store.ProductQuery{Text: tt.text, Match: tt.match}
		checkProducts(t, s, q, strings.Fields(tt.want))
	}
}

func testProductsByFilter(t *testing.T, s store.Stock) {
	all := "egg milk-tea umbrella spring-egg tea-egg tw-beer ramen bubble-tea egg-pudding cola-1500 cola-600"
	for _, tt := range []struct {
		q    store.ProductQuery
		want string
	}{
		{store.ProductQuery{}, all},
		{store.ProductQuery{Match: store.Exact}, all},
		{store.ProductQuery{Match: store.Near}, all},
		{store.ProductQuery{Barcode: "4710000000029"}, "tea-egg"},
		{store.ProductQuery{Barcode: "4710000000029", Text: "蛋"}, "tea-egg"},
		{store.ProductQuery{Barcode: "4710000000029", Text: "茶葉蛋", Match: store.Exact}, "tea-egg"},
		{store.ProductQuery{Barcode: "4710000000029", Text: "奶茶"}, ""},
		{store.ProductQuery{Barcode: "471-0000000029"}, ""},
		{store.ProductQuery{Barcode: "tea-egg"}, ""},
		// A GTIN with fewer or more zeros before it.
		{store.ProductQuery{Barcode: "012345678905"}, "umbrella"},
		{store.ProductQuery{Barcode: "12345678905"}, "umbrella"},
		{store.ProductQuery{Barcode: "0012345678905"}, "umbrella"},
		{store.ProductQuery{Barcode: "00012345678905", Text: "雨傘"}, "umbrella"},
		{store.ProductQuery{Barcode: "000012345678905"}, ""}, // longer than any
		{store.ProductQuery{Barcode: "0A-1"}, ""},
		{store.ProductQuery{Barcode: "04710000000035"}, "milk-tea"},
		{store.ProductQuery{Text: "0012345678905", Match: store.Exact}, "umbrella"},
		{store.ProductQuery{Text: "0012345678905", Match: store.Exact, Category: "日用品"}, "umbrella"},
		{store.ProductQuery{Text: "04710000000035", Match: store.Exact, ShopID: "koko-daan"}, "milk-tea"},
		{store.ProductQuery{Text: "04710000000035", Match: store.Exact, Barcode: "4710000000036"}, "milk-tea"},
		{store.ProductQuery{Barcode: "-"}, ""},
		{store.ProductQuery{Category: "飲料"}, "milk-tea bubble-tea cola-1500 cola-600"},
		{store.ProductQuery{Category: "饮料 "}, "milk-tea bubble-tea cola-1500 cola-600"},
		{store.ProductQuery{Category: "飲"}, ""},
		{store.ProductQuery{Category: "飲料", Text: "奶"}, "milk-tea bubble-tea"},
		{store.ProductQuery{Category: "飲料", Text: "可樂", Match: store.Exact}, "cola-1500 cola-600"},
		{store.ProductQuery{Category: "熟食", Text: "可樂", Match: store.Exact}, ""},
		{store.ProductQuery{Category: "！"}, ""},

		{store.ProductQuery{ShopID: "koko-daan"}, "milk-tea tea-egg egg-pudding cola-600"},
		{store.ProductQuery{ShopID: "koko-daan", Text: "蛋"}, "tea-egg egg-pudding"},
		{store.ProductQuery{ShopID: "koko-daan", Text: "茶葉蛋", Match: store.Exact}, "tea-egg"},
		{store.ProductQuery{ShopID: "koko-daan", Category: "飲料"}, "milk-tea cola-600"},
		{store.ProductQuery{ShopID: "koko-daan", Category: "飲料", Text: "茶"}, "milk-tea"},
		{store.ProductQuery{ShopID: "corner", Text: "蛋"}, ""},
		{store.ProductQuery{ShopID: "nowhere"}, ""},
		{store.ProductQuery{Chain: "KOKO便利店"}, "milk-tea tea-egg egg-pudding cola-600"},
		{store.ProductQuery{Chain: "日日鮮超市", Text: "蛋"}, "egg tea-egg"},
		{store.ProductQuery{Chain: "KOKO"}, ""},
		{store.ProductQuery{Chain: "KOKO便利店", ShopID: "fresh-daan"}, "tea-egg"},
		{store.ProductQuery{Chain: "沒有店的連鎖"}, ""},

		{store.ProductQuery{InStock: true}, "egg tea-egg bubble-tea cola-600"},
		{store.ProductQuery{InStock: true, Text: "蛋"}, "egg tea-egg"},
		{store.ProductQuery{InStock: true, Text: "奶茶", Match: store.Exact}, ""},
		{store.ProductQuery{InStock: true, ShopID: "koko-daan"}, "tea-egg cola-600"},
		{store.ProductQuery{InStock: true, ShopID: "fresh-daan"}, "egg"},
		{store.ProductQuery{InStock: true, ShopID: "koko-banqiao"}, ""},
		{store.ProductQuery{InStock: true, Chain: "日日鮮超市"}, "egg"},
		{store.ProductQuery{InStock: true, Chain: "KOKO便利店", Category: "熟食"}, "tea-egg"},
	} {
		checkProducts(t, s, tt.q, strings.Fields(tt.want))
	}
}

func testProductsNear(t *testing.T, s store.Stock) {
	for _, tt := range []struct {
		q     store.ProductQuery
		first string
	}{
		{store.ProductQuery{Text: "茶葉旦"}, "tea-egg"},
		{store.ProductQuery{Text: "茶蛋"}, "tea-egg"},
		{store.ProductQuery{Text: "葉茶蛋"}, "tea-egg"},
		{store.ProductQuery{Text: "茶葉葉蛋"}, "tea-egg"},
		{store.ProductQuery{Text: "奶查"}, "milk-tea"},
		{store.ProductQuery{Text: "茶奶"}, "milk-tea"},
		{store.ProductQuery{Text: "珍珠奶查"}, "bubble-tea"},
		{store.ProductQuery{Text: "台灣碑酒"}, "tw-beer"},
		{store.ProductQuery{Text: "teh egg"}, "tea-egg"},
		{store.ProductQuery{Text: "buble tee"}, "bubble-tea"},
		{store.ProductQuery{Text: "coca kola 600ml"}, "cola-600"},
		{store.ProductQuery{Text: "波爸奶茶"}, "bubble-tea"},
		{store.ProductQuery{Text: "茶葉旦", ShopID: "koko-daan"}, "tea-egg"},
		{store.ProductQuery{Text: "茶葉旦", Category: "熟食", InStock: true}, "tea-egg"},
		{store.ProductQuery{Text: "茶葉旦", ShopID: "corner"}, ""},
		{store.ProductQuery{Text: "珍珠奶查", InStock: true, Chain: "KOKO便利店"}, ""},
		{store.ProductQuery{Text: "螺絲起子"}, ""},
		{store.ProductQuery{Text: "x"}, ""},
		{store.ProductQuery{Text: "？"}, ""},
		{store.ProductQuery{Text: strings.Repeat("茶葉旦", 2000)}, ""},
	} {
		tt.q.Match = store.Near
		got, _, err := s.Products(t.Context(), tt.q)
		if err != nil {
			t.Errorf("Products(%+v): %v", tt.q, err)
			continue
		}
		first := ""
		if len(got) > 0 {
			first = got[0].ID
		}
		if first != tt.first {
			t.Errorf("Products(%+v) = %q, want %q first", tt.q, ids(got, productID), tt.first)
		}
	}
}

func checkProducts(t *testing.T, s store.Stock, q store.ProductQuery, want []string) {
	t.Helper()
	got, next, err := s.Products(t.Context(), q)
	if err != nil {
		t.Errorf("Products(%.300s): %v", show(q), err)
		return
	}
	if diff := cmp.Diff(append([]string{}, want...), ids(got, productID)); diff != "" || next != "" {
		t.Errorf("Products(%.300s): next %q, products (-want +got):\n%s", show(q), next, diff)
	}
}
