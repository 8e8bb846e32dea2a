package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// show writes a query for a failure.
func show(q any) string { return fmt.Sprintf("%+v", q) }

func testShop(t *testing.T, s store.Stock) {
	for _, want := range sample().Shops {
		got, err := s.Shop(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Shop(%q) (-want +got):\n%s", want.ID, diff)
		}
	}
	for _, id := range []string{"", "大安店", "KOKO-DAAN"} {
		if _, err := s.Shop(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Shop(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func testShopsByText(t *testing.T, s store.Stock) {
	for _, tt := range []struct {
		q    store.ShopQuery
		want string
	}{
		{store.ShopQuery{}, "koko-xinyi koko-daan koko-banqiao corner fresh-daan"},
		{store.ShopQuery{Match: store.Exact}, "koko-xinyi koko-daan koko-banqiao corner fresh-daan"},
		{store.ShopQuery{Text: "大安"}, "koko-daan fresh-daan"},
		{store.ShopQuery{Text: "店"}, "koko-xinyi koko-daan koko-banqiao fresh-daan"},
		{store.ShopQuery{Text: "板桥"}, "koko-banqiao"},
		{store.ShopQuery{Text: "koko 便利"}, "koko-xinyi koko-daan koko-banqiao"},
		{store.ShopQuery{Text: "Da'an"}, "koko-daan"},
		{store.ShopQuery{Text: "森林公園"}, "koko-daan"},
		{store.ShopQuery{Text: "松壽路"}, ""},
		{store.ShopQuery{Address: "松寿路"}, "koko-xinyi"},
		{store.ShopQuery{Address: "台北市"}, "koko-xinyi"},
		{store.ShopQuery{Address: "台北市", Text: "大安"}, ""},
		{store.ShopQuery{Address: "！"}, ""},
		{store.ShopQuery{Text: "！"}, ""},
		{store.ShopQuery{Text: "大安", Chain: "日日鮮超市"}, "fresh-daan"},
		{store.ShopQuery{Chain: "KOKO便利店"}, "koko-xinyi koko-daan koko-banqiao"},
		{store.ShopQuery{Chain: "KOKO"}, ""},
		{store.ShopQuery{Chain: "沒有店的連鎖"}, ""},

		{store.ShopQuery{Text: "KOKO便利店大安店", Match: store.Exact}, "koko-daan"},
		{store.ShopQuery{Text: "ｋｏｋｏ便利店　大安店", Match: store.Exact}, "koko-daan"},
		{store.ShopQuery{Text: "koko daan", Match: store.Exact}, "koko-daan"},
		{store.ShopQuery{Text: "koko-daan", Match: store.Exact}, "koko-daan"},
		{store.ShopQuery{Text: "巷口杂货", Match: store.Exact}, "corner"},
		{store.ShopQuery{Text: "大安店", Match: store.Exact}, ""},
		{store.ShopQuery{Text: "KOKO便利店", Match: store.Exact}, ""},
		{store.ShopQuery{Text: "koko-daan", Match: store.Exact, Chain: "日日鮮超市"}, ""},

		{store.ShopQuery{Text: "KOKO便利店大安點", Match: store.Near}, "koko-daan"},
		{store.ShopQuery{Text: "巷囗雜貨", Match: store.Near}, "corner"},
		{store.ShopQuery{Text: "大安點", Match: store.Near}, "koko-daan fresh-daan"},
		{store.ShopQuery{Text: "大安點", Match: store.Near, Chain: "日日鮮超市"}, "fresh-daan"},
		{store.ShopQuery{Text: "火車站", Match: store.Near}, ""},
	} {
		got, next, err := s.Shops(t.Context(), tt.q)
		if err != nil {
			t.Errorf("Shops(%+v): %v", tt.q, err)
			continue
		}
		if diff := cmp.Diff(append([]string{}, strings.Fields(tt.want)...), ids(got, shopID)); diff != "" || next != "" {
			t.Errorf("Shops(%+v): next %q, shops (-want +got):\n%s", tt.q, next, diff)
		}
	}
}

func testShopsByDistance(t *testing.T, s store.Stock) {
	taipei101 := &store.Location{Latitude: 25.0340, Longitude: 121.5645}
	sydney := &store.Location{Latitude: -33.87, Longitude: 151.21}
	nearDateLine := &store.Location{Latitude: -30, Longitude: -179}
	for _, tt := range []struct {
		q    store.ShopQuery
		want string
	}{
		{store.ShopQuery{Near: taipei101}, "koko-xinyi fresh-daan koko-daan corner koko-banqiao"},
		{store.ShopQuery{Near: sydney}, "corner koko-xinyi koko-daan fresh-daan koko-banqiao"},
		{store.ShopQuery{Near: nearDateLine}, "corner koko-xinyi fresh-daan koko-daan koko-banqiao"},
		{store.ShopQuery{Near: taipei101, Text: "大安"}, "fresh-daan koko-daan"},
		{store.ShopQuery{Near: taipei101, Text: "koko-daan", Match: store.Exact}, "koko-daan"},
		{store.ShopQuery{Near: taipei101, Text: "大安點", Match: store.Near}, "fresh-daan koko-daan"},
		{store.ShopQuery{Near: taipei101, Chain: "KOKO便利店"}, "koko-xinyi koko-daan koko-banqiao"},
	} {
		got, _, err := s.Shops(t.Context(), tt.q)
		if err != nil {
			t.Errorf("Shops(%+v near %v): %v", tt.q, *tt.q.Near, err)
			continue
		}
		if diff := cmp.Diff(strings.Fields(tt.want), ids(got, shopID)); diff != "" {
			t.Errorf("Shops(%+v near %v) (-want +got):\n%s", tt.q, *tt.q.Near, diff)
		}
	}
}

func testChains(t *testing.T, s store.Stock) {
	koko := store.Chain{Name: "KOKO便利店", Aliases: []string{"KOKO", "扣扣"}, Shops: 3}
	fresh := store.Chain{Name: "日日鮮超市", Aliases: []string{"Daily Fresh"}, Shops: 1}
	none := store.Chain{Name: "沒有店的連鎖"}
	for _, tt := range []struct {
		text  string
		match store.Match
		limit int
		want  []store.Chain
	}{
		{"", store.Contains, 0, []store.Chain{koko, fresh, none}},
		{"", store.Exact, 2, []store.Chain{koko, fresh}},
		{"KOKO便利店", store.Exact, 0, []store.Chain{koko}},
		{"koko便利 店", store.Exact, 0, []store.Chain{koko}},
		{"koko", store.Exact, 0, []store.Chain{koko}},
		{"日日鲜超市", store.Exact, 0, []store.Chain{fresh}},
		{"daily-fresh", store.Exact, 0, []store.Chain{fresh}},
		{"超市", store.Exact, 0, nil},
		{"超市", store.Contains, 0, []store.Chain{fresh}},
		{"的", store.Contains, 0, []store.Chain{none}},
		{"KOK便利店", store.Near, 0, []store.Chain{koko}},
		{"日日先超市", store.Near, 0, []store.Chain{fresh}},
		{"火車站前", store.Near, 0, nil},
		{"！", store.Contains, 0, nil},
	} {
		got, err := s.Chains(t.Context(), tt.text, tt.match, tt.limit)
		if err != nil {
			t.Errorf("Chains(%q, %v, %d): %v", tt.text, tt.match, tt.limit, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Chains(%q, %v, %d) (-want +got):\n%s", tt.text, tt.match, tt.limit, diff)
		}
	}
}
