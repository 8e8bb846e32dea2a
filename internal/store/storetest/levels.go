package storetest

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testLevel(t *testing.T, s store.Stock) {
	for _, want := range sample().Levels {
		got, err := s.Level(t.Context(), want.ShopID, want.ProductID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(store.Level{OnHand: want.OnHand, Reserved: want.Reserved, AsOf: want.AsOf}, got); diff != "" {
			t.Errorf("Level(%q, %q) (-want +got):\n%s", want.ShopID, want.ProductID, diff)
		}
		if got.AsOf.Location() != time.UTC {
			t.Errorf("Level(%q, %q) is as of %v, want UTC", want.ShopID, want.ProductID, got.AsOf)
		}
	}
	for _, at := range [][2]string{
		{"corner", "tea-egg"}, // known both, but not carried
		{"koko-daan", "ramen"},
		{"koko-daan", "nothing"},
		{"nowhere", "tea-egg"},
		{"tea-egg", "koko-daan"},
		{"", ""},
	} {
		if _, err := s.Level(t.Context(), at[0], at[1]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Level(%q, %q): %v, want ErrNotFound", at[0], at[1], err)
		}
	}
}

func testLevels(t *testing.T, s store.Stock) {
	type level struct {
		Shop  string
		Level store.Level
	}
	var (
		xinyi   = level{"koko-xinyi", store.Level{OnHand: 7, Reserved: 2, AsOf: asOf}}
		daan    = level{"koko-daan", store.Level{OnHand: 5, AsOf: asOf.Add(time.Hour)}}
		banqiao = level{"koko-banqiao", store.Level{AsOf: asOf}}
		fresh   = level{"fresh-daan", store.Level{OnHand: 30, Reserved: 30, AsOf: asOf.Add(2 * time.Hour)}}
		corner  = level{"corner", store.Level{OnHand: 1, AsOf: asOf}} // of no chain
	)
	for _, tt := range []struct {
		q    store.LevelQuery
		want []level
	}{
		// As many available: by name. None available: still carried.
		{store.LevelQuery{ProductID: "tea-egg"}, []level{xinyi, daan, banqiao, fresh}},
		{store.LevelQuery{ProductID: "tea-egg", Chain: "KOKO便利店"}, []level{xinyi, daan, banqiao}},
		{store.LevelQuery{ProductID: "tea-egg", Chain: "日日鮮超市"}, []level{fresh}},
		{store.LevelQuery{ProductID: "tea-egg", Chain: "沒有店的連鎖"}, nil},
		{store.LevelQuery{ProductID: "tea-egg", Chain: "koko"}, nil},
		{store.LevelQuery{ProductID: "tea-egg", InStock: true}, []level{xinyi, daan}},
		{store.LevelQuery{ProductID: "tea-egg", Chain: "日日鮮超市", InStock: true}, nil},
		{store.LevelQuery{ProductID: "bubble-tea"}, []level{corner}},
		{store.LevelQuery{ProductID: "bubble-tea", Chain: "KOKO便利店"}, nil},
		{store.LevelQuery{ProductID: "ramen"}, nil},
		{store.LevelQuery{ProductID: "nothing"}, nil},
	} {
		got, next, err := s.Levels(t.Context(), tt.q)
		if err != nil {
			t.Errorf("Levels(%+v): %v", tt.q, err)
			continue
		}
		var levels []level
		for _, l := range got {
			levels = append(levels, level{l.Shop.ID, l.Level})
			if diff := gocmp.Diff(find(t, sample().Shops, l.Shop.ID, shopID), l.Shop); diff != "" {
				t.Errorf("Levels(%+v): shop (-want +got):\n%s", tt.q, diff)
			}
		}
		if diff := gocmp.Diff(tt.want, levels); diff != "" || next != "" {
			t.Errorf("Levels(%+v): next %q, levels (-want +got):\n%s", tt.q, next, diff)
		}
	}
}

func testTotal(t *testing.T, s store.Stock) {
	for _, tt := range []struct {
		product, chain string
		want           store.Total
	}{
		{"tea-egg", "", store.Total{Level: store.Level{OnHand: 42, Reserved: 32, AsOf: asOf.Add(2 * time.Hour)}, Shops: 4}},
		{"tea-egg", "KOKO便利店", store.Total{Level: store.Level{OnHand: 12, Reserved: 2, AsOf: asOf.Add(time.Hour)}, Shops: 3}},
		{"egg-pudding", "KOKO便利店", store.Total{Level: store.Level{AsOf: asOf}, Shops: 1}},
		{"egg-pudding", "日日鮮超市", store.Total{}},
		{"bubble-tea", "", store.Total{Level: store.Level{OnHand: 1, AsOf: asOf}, Shops: 1}},
		{"bubble-tea", "KOKO便利店", store.Total{}},
		{"tea-egg", "KOKO", store.Total{}},
		{"ramen", "", store.Total{}},
		{"nothing", "", store.Total{}},
	} {
		got, err := s.Total(t.Context(), tt.product, tt.chain)
		if err != nil {
			t.Errorf("Total(%q, %q): %v", tt.product, tt.chain, err)
		} else if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Total(%q, %q) (-want +got):\n%s", tt.product, tt.chain, diff)
		}
	}
}

// testLargeLevels compares lists and sums of levels, over chains of unlike
// sizes, with reading the catalog.
func testLargeLevels(t *testing.T, open func(testing.TB, store.Catalog) store.Stock) {
	c := Large(300, 3)
	for i := range c.Shops[:20] {
		c.Shops[i].Chain = ""
	}
	someExpired(c)
	s := open(t, c)
	byName := pages(t, store.MaxLimit, func(p store.Page) ([]store.Shop, string, error) {
		return s.Shops(t.Context(), store.ShopQuery{Page: p})
	})
	levels := map[[2]string]store.Level{}
	for _, l := range c.Levels {
		levels[[2]string{l.ProductID, l.ShopID}] = levelOf(l)
	}
	for _, product := range c.Products {
		for _, chain := range []string{"", c.Shops[20].Chain, c.Shops[299].Chain} {
			var want []store.ShopLevel
			var total store.Total
			for _, shop := range byName {
				if l := levels[[2]string{product.ID, shop.ID}]; chain == "" || shop.Chain == chain {
					want = append(want, store.ShopLevel{Shop: shop, Level: l})
					total.Add(l)
				}
			}
			slices.SortStableFunc(want, func(a, b store.ShopLevel) int { return cmp.Compare(b.Available(), a.Available()) })
			got := pages(t, 7, func(p store.Page) ([]store.ShopLevel, string, error) {
				return s.Levels(t.Context(), store.LevelQuery{ProductID: product.ID, Chain: chain, Page: p})
			})
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("Levels(%q, %q) (-want +got):\n%s", product.ID, chain, diff)
			}
			sum, err := s.Total(t.Context(), product.ID, chain)
			if diff := gocmp.Diff(total, sum); diff != "" || err != nil {
				t.Errorf("Total(%q, %q): %v (-want +got):\n%s", product.ID, chain, err, diff)
			}
		}
	}
}

func testEmpty(t *testing.T, s store.Stock) {
	ctx := t.Context()
	summary, err := s.Summary(ctx)
	if err != nil || summary != (store.Summary{}) {
		t.Errorf("Summary = %+v, %v, want nothing", summary, err)
	}
	shops, next, err := s.Shops(ctx, store.ShopQuery{Near: &store.Location{}})
	if len(shops) > 0 || next != "" || err != nil {
		t.Errorf("Shops = %v, %q, %v, want none", shops, next, err)
	}
	for _, q := range []store.ProductQuery{{}, {Text: "蛋"}, {Text: "茶葉蛋", Match: store.Near}, {ShopID: "x"}} {
		products, next, err := s.Products(ctx, q)
		if len(products) > 0 || next != "" || err != nil {
			t.Errorf("Products(%+v) = %v, %q, %v, want none", q, products, next, err)
		}
	}
	chains, err := s.Chains(ctx, "", store.Contains, 10)
	if len(chains) > 0 || err != nil {
		t.Errorf("Chains = %v, %v, want none", chains, err)
	}
}
