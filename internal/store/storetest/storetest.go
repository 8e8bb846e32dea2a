// Package storetest holds every backend to what package store promises. A
// backend's tests call [Run], and its benchmarks [BenchmarkSearch],
// [BenchmarkStock], [BenchmarkLedger], [BenchmarkAccess] and [BenchmarkImport],
// with a function that opens it.
package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

// Backend is all that a database keeps.
type Backend interface {
	store.Store
	access.Storage
}

// Open returns a store that holds c and nothing else, and closes it at the end
// of the test.
type Open func(tb testing.TB, c store.Catalog) Backend

// OpenAt is [Open] of a store whose clock is now. The test may close it before.
type OpenAt func(tb testing.TB, c store.Catalog, now func() time.Time) Backend

// Zone is where the shops of the stores under test are: backends are opened so
// that days begin and end by it.
var Zone = time.FixedZone("Taipei", 8*60*60)

// OpenStock is [OpenAt] of a backend that keeps stock and nothing else.
type OpenStock func(tb testing.TB, c store.Catalog, now func() time.Time) store.Stock

// Run tests a backend against the contracts of [store.Store] and
// [access.Storage].
func Run(t *testing.T, open OpenAt) {
	RunStock(t, func(tb testing.TB, c store.Catalog, now func() time.Time) store.Stock { return open(tb, c, now) })
	t.Run("Catalogue", func(t *testing.T) { testCatalogue(t, open) })
	t.Run("ReorderPointsCountAtOnce", func(t *testing.T) { testReorderPoints(t, open) })
	t.Run("UndoReversesAnImport", func(t *testing.T) { testUndoImport(t, open) })
	t.Run("Access", func(t *testing.T) { testAccess(t, open) })
}

// RunStock tests a backend against the contract of [store.Stock].
func RunStock(t *testing.T, openAt OpenStock) {
	open := func(tb testing.TB, c store.Catalog) store.Stock { return openAt(tb, c, time.Now) }
	s := open(t, sample())
	for _, tt := range []struct {
		name string
		test func(*testing.T, store.Stock)
	}{
		{"Summary", testSummary},
		{"Product", testProduct},
		{"ProductsByText", testProductsByText},
		{"ProductsByFilter", testProductsByFilter},
		{"ProductsNear", testProductsNear},
		{"ProductPages", testProductPages},
		{"Shop", testShop},
		{"ShopsByText", testShopsByText},
		{"ShopsByDistance", testShopsByDistance},
		{"ShopPages", testShopPages},
		{"Chains", testChains},
		{"Level", testLevel},
		{"Levels", testLevels},
		{"LevelPages", testLevelPages},
		{"Total", testTotal},
		{"CursorsOfOthers", testCursors},
		{"AnswersBelongToCallers", testAnswersBelongToCallers},
		{"EndedContext", testEndedContext},
		{"ManyAtOnce", testManyAtOnce},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, s) })
	}
	t.Run("Empty", func(t *testing.T) { testEmpty(t, open(t, store.Catalog{})) })
	t.Run("Ledger", func(t *testing.T) { testLedger(t, openAt) })
	t.Run("LargeAgreesWithReading", func(t *testing.T) { testLarge(t, open) })
	t.Run("LargeLevelsAgreeWithReading", func(t *testing.T) { testLargeLevels(t, open) })
}

// asOf is the last change of the sample's levels, except where tests say so.
var asOf = time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)

// sample is a small catalog in which names are alike in every way that a
// question has to tell apart.
func sample() store.Catalog {
	return store.Catalog{
		Chains: []store.Chain{
			{Name: "KOKO便利店", Aliases: []string{"KOKO", "扣扣"}},
			{Name: "日日鮮超市", Aliases: []string{"Daily Fresh"}},
			{Name: "沒有店的連鎖"},
		},
		Shops: []store.Shop{
			{ID: "koko-xinyi", Name: "KOKO便利店 信義店", Chain: "KOKO便利店", Location: &store.Location{Latitude: 25.0330, Longitude: 121.5654},
				Address: "臺北市信義區松壽路 1 號", Hours: "24 小時"},
			{ID: "koko-daan", Name: "KOKO便利店 大安店", Chain: "KOKO便利店", Location: &store.Location{Latitude: 25.0265, Longitude: 121.5436},
				Aliases: []string{"KOKO Da'an", "大安森林公園店"}},
			{ID: "koko-banqiao", Name: "KOKO便利店 板橋店", Chain: "KOKO便利店"},
			{ID: "fresh-daan", Name: "日日鮮超市 大安店", Chain: "日日鮮超市", Location: &store.Location{Latitude: 25.0268, Longitude: 121.5440}},
			{ID: "corner", Name: "巷口雜貨", Location: &store.Location{Latitude: -33.8688, Longitude: 151.2093}},
		},
		Products: []store.Product{
			{ID: "tea-egg", SKU: "F-001", Name: "茶葉蛋", Names: map[string]string{"en": "Tea egg", "ja": "茶葉卵"}, Aliases: []string{"滷蛋"},
				Category: "熟食", Unit: "顆", Price: "13", Currency: "TWD", Barcodes: []string{"4710000000012", "4710000000029"}, ReorderPoint: 5},
			{ID: "egg-pudding", SKU: "D-002", Name: "雞蛋布丁", Names: map[string]string{"en": "Egg pudding"}, Category: "甜點", Unit: "個"},
			{ID: "spring-egg", SKU: "F-003", Name: "溫泉蛋", Category: "熟食", Unit: "顆", Price: "4.50", Currency: "TWD"},
			{ID: "egg", SKU: "F-004", Name: "蛋", Category: "生鮮", Unit: "顆"},
			{ID: "milk-tea", SKU: "B-005", Name: "奶茶", Names: map[string]string{"en": "Milk tea"}, Category: "飲料", Unit: "瓶", Barcodes: []string{"4710000000036", "4710000000035"}},
			{ID: "bubble-tea", SKU: "B-006", Name: "珍珠奶茶", Names: map[string]string{"en": "Bubble tea"}, Aliases: []string{"波霸奶茶"}, Category: "飲料", Unit: "杯"},
			{ID: "cola-600", SKU: "B-007", Name: "可口可樂 600ml", Names: map[string]string{"en": "Coca-Cola 600 ml"}, Aliases: []string{"可樂"}, Category: "飲料", Unit: "瓶"},
			{ID: "cola-1500", SKU: "B-008", Name: "可口可樂 1.5L", Names: map[string]string{"en": "Coca-Cola 1.5 L"}, Aliases: []string{"可樂"}, Category: "飲料", Unit: "瓶"},
			{ID: "tw-beer", SKU: "A-009", Name: "臺灣啤酒", Category: "酒類", Unit: "罐"},
			{ID: "ramen", SKU: "N-010", Name: "排骨雞麵", Category: "泡麵", Unit: "碗"},
			{ID: "umbrella", SKU: "H-011", Name: "雨傘", Category: "日用品", Unit: "把", Barcodes: []string{"012345678905", "A-1"}},
		},
		Levels: []store.CatalogLevel{
			{ShopID: "koko-xinyi", ProductID: "tea-egg", OnHand: 7, Reserved: 2, AsOf: asOf},
			{ShopID: "koko-daan", ProductID: "tea-egg", OnHand: 5, AsOf: asOf.Add(time.Hour)},
			{ShopID: "koko-banqiao", ProductID: "tea-egg", OnHand: 0, AsOf: asOf},
			{ShopID: "fresh-daan", ProductID: "tea-egg", OnHand: 30, Reserved: 30, AsOf: asOf.Add(2 * time.Hour)},
			{ShopID: "koko-daan", ProductID: "milk-tea", OnHand: 3, Reserved: 3, AsOf: asOf},
			{ShopID: "koko-daan", ProductID: "cola-600", OnHand: 9, AsOf: asOf},
			{ShopID: "koko-daan", ProductID: "egg-pudding", OnHand: 0, AsOf: asOf},
			{ShopID: "fresh-daan", ProductID: "egg", OnHand: 40, AsOf: asOf},
			{ShopID: "corner", ProductID: "bubble-tea", OnHand: 1, AsOf: asOf},
		},
	}
}

// find returns what the sample has under id.
func find[T any](t *testing.T, all []T, id string, of func(T) string) T {
	t.Helper()
	i := slices.IndexFunc(all, func(x T) bool { return of(x) == id })
	if i < 0 {
		t.Fatalf("sample has no %q", id)
	}
	return all[i]
}

func shopID(s store.Shop) string       { return s.ID }
func productID(p store.Product) string { return p.ID }

// ids returns the IDs of rows, in order.
func ids[T any](rows []T, of func(T) string) []string {
	out := []string{}
	for _, row := range rows {
		out = append(out, of(row))
	}
	return out
}
