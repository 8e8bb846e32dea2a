package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// pages turns all pages of a list and returns their rows, in order.
func pages[T any](t *testing.T, limit int, ask func(store.Page) ([]T, string, error)) []T {
	t.Helper()
	var all []T
	p := store.Page{Limit: limit}
	for range 10_000 {
		rows, next, err := ask(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) > limit || next != "" && len(rows) < limit {
			t.Fatalf("page after %d has %d rows and next %q, want %d", len(all), len(rows), next, limit)
		}
		all = append(all, rows...)
		if next == "" {
			return all
		}
		p.Cursor = next
	}
	t.Fatal("pages do not end")
	return nil
}

func testProductPages(t *testing.T, s store.Stock) {
	for _, q := range []store.ProductQuery{
		{},
		{Text: "蛋"},
		{Text: "te"},
		{Text: "可樂", Match: store.Exact},
		{Text: "coca kola", Match: store.Near},
		{Category: "飲料"},
		{ShopID: "koko-daan"},
		{Chain: "KOKO便利店", Text: "蛋"},
		{InStock: true},
	} {
		whole, next, err := s.Products(t.Context(), q)
		if err != nil || next != "" || len(whole) < 2 {
			t.Fatalf("Products(%+v) = %d products, %q, %v, want some in one page", q, len(whole), next, err)
		}
		for limit := 1; limit <= len(whole)+1; limit++ {
			got := pages(t, limit, func(p store.Page) ([]store.Product, string, error) {
				q.Page = p
				return s.Products(t.Context(), q)
			})
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("Products(%+v) by %d (-in one +in pages):\n%s", q, limit, diff)
			}
		}
	}
}

func testShopPages(t *testing.T, s store.Stock) {
	for _, q := range []store.ShopQuery{
		{},
		{Text: "店"},
		{Chain: "KOKO便利店"},
		{Near: &store.Location{Latitude: 25, Longitude: 121}},
		{Text: "大安點", Match: store.Near},
	} {
		whole, next, err := s.Shops(t.Context(), q)
		if err != nil || next != "" || len(whole) < 2 {
			t.Fatalf("Shops(%+v) = %d shops, %q, %v, want some in one page", q, len(whole), next, err)
		}
		for limit := 1; limit <= len(whole)+1; limit++ {
			got := pages(t, limit, func(p store.Page) ([]store.Shop, string, error) {
				q.Page = p
				return s.Shops(t.Context(), q)
			})
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("Shops(%+v) by %d (-in one +in pages):\n%s", q, limit, diff)
			}
		}
	}
}

func testLevelPages(t *testing.T, s store.Stock) {
	for _, q := range []store.LevelQuery{{ProductID: "tea-egg"}, {ProductID: "tea-egg", Chain: "KOKO便利店"}} {
		whole, next, err := s.Levels(t.Context(), q)
		if err != nil || next != "" || len(whole) < 2 {
			t.Fatalf("Levels(%+v) = %d levels, %q, %v, want some in one page", q, len(whole), next, err)
		}
		for limit := 1; limit <= len(whole)+1; limit++ {
			got := pages(t, limit, func(p store.Page) ([]store.ShopLevel, string, error) {
				q.Page = p
				return s.Levels(t.Context(), q)
			})
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("Levels(%+v) by %d (-in one +in pages):\n%s", q, limit, diff)
			}
		}
	}
}

// testCursors sends each list what it did not give out.
func testCursors(t *testing.T, s store.Stock) {
	ctx := t.Context()
	one := func(cursor string) store.Page { return store.Page{Limit: 1, Cursor: cursor} }
	lists := map[string]func(cursor string) (string, error){
		"products": func(c string) (string, error) {
			_, next, err := s.Products(ctx, store.ProductQuery{Page: one(c)})
			return next, err
		},
		"products with 蛋": func(c string) (string, error) {
			_, next, err := s.Products(ctx, store.ProductQuery{Text: "蛋", Page: one(c)})
			return next, err
		},
		"products called 可樂": func(c string) (string, error) {
			_, next, err := s.Products(ctx, store.ProductQuery{Text: "可樂", Match: store.Exact, Page: one(c)})
			return next, err
		},
		"products near coca kola": func(c string) (string, error) {
			_, next, err := s.Products(ctx, store.ProductQuery{Text: "coca kola", Match: store.Near, Page: one(c)})
			return next, err
		},
		"shops": func(c string) (string, error) {
			_, next, err := s.Shops(ctx, store.ShopQuery{Page: one(c)})
			return next, err
		},
		"shops from here": func(c string) (string, error) {
			_, next, err := s.Shops(ctx, store.ShopQuery{Near: &store.Location{Latitude: 25}, Page: one(c)})
			return next, err
		},
		"shops from there": func(c string) (string, error) {
			_, next, err := s.Shops(ctx, store.ShopQuery{Near: &store.Location{Latitude: 26}, Page: one(c)})
			return next, err
		},
		"levels": func(c string) (string, error) {
			_, next, err := s.Levels(ctx, store.LevelQuery{ProductID: "tea-egg", Page: one(c)})
			return next, err
		},
		"levels of a chain": func(c string) (string, error) {
			_, next, err := s.Levels(ctx, store.LevelQuery{ProductID: "tea-egg", Chain: "KOKO便利店", Page: one(c)})
			return next, err
		},
	}
	cursors := map[string]string{}
	for name, ask := range lists {
		next, err := ask("")
		if next == "" || err != nil {
			t.Fatalf("%s: next %q, %v, want more pages", name, next, err)
		}
		if _, err := ask(next); err != nil {
			t.Errorf("%s: second page: %v", name, err)
		}
		cursors[name] = next
	}
	bad := []string{"0", "tea-egg", "!", " ", "AAAA", "AAAAAAAA", "蛋", "\x00", strings.Repeat("A", 10_000)}
	for name, ask := range lists {
		for _, cursor := range bad {
			if _, err := ask(cursor); !errors.Is(err, store.ErrBadCursor) {
				t.Errorf("%s after %.20q: %v, want ErrBadCursor", name, cursor, err)
			}
		}
		for other, cursor := range cursors {
			if _, err := ask(cursor); other != name && !errors.Is(err, store.ErrBadCursor) {
				t.Errorf("%s after a page of %s: %v, want ErrBadCursor", name, other, err)
			}
		}
		// A character changed.
		b := []byte(cursors[name])
		b[1]++
		if _, err := ask(string(b)); !errors.Is(err, store.ErrBadCursor) {
			t.Errorf("%s after %q, which is changed: %v, want ErrBadCursor", name, b, err)
		}
	}
}

// testLarge compares answers over a large catalog with reading all of it.
func testLarge(t *testing.T, open func(testing.TB, store.Catalog) store.Stock) {
	c := Large(2, 1200)
	someExpired(c)
	s := open(t, c)
	all := pages(t, store.MaxLimit, func(p store.Page) ([]store.Product, string, error) {
		return s.Products(t.Context(), store.ProductQuery{Page: p})
	})
	if len(all) != len(c.Products) {
		t.Fatalf("%d products in all, want %d", len(all), len(c.Products))
	}
	for _, limit := range []int{-1, 0, store.MaxLimit + 1} {
		got, _, err := s.Products(t.Context(), store.ProductQuery{Page: store.Page{Limit: limit}})
		want := store.DefaultLimit
		if limit > store.MaxLimit {
			want = store.MaxLimit
		}
		if err != nil || len(got) != want {
			t.Errorf("with limit %d there are %d products, %v, want %d", limit, len(got), err, want)
		}
	}
	levels := map[[2]string]store.CatalogLevel{}
	for _, l := range c.Levels {
		levels[[2]string{l.ShopID, l.ProductID}] = l
	}
	available := func(shop string) func(store.Product) bool {
		return func(p store.Product) bool {
			return levelOf(levels[[2]string{shop, p.ID}]).Available() > 0
		}
	}
	// Names of this catalog are in traditional characters and ASCII, so that
	// what contains what needs no fold to tell.
	for _, text := range []string{"蛋", "茶", "茶葉", "奶茶", "雞腿", "洋芋片", "茶葉蛋", "水蜜桃", "tea", "egg", "gg", "e"} {
		contains := func(p store.Product) bool {
			if strings.Contains(p.Name, text) {
				return true
			}
			words := strings.Fields(strings.ToLower(p.Names["en"]))
			for i := range words {
				if strings.HasPrefix(strings.Join(words[i:], ""), text) {
					return true
				}
			}
			return false
		}
		shop := c.Shops[1].ID
		for _, tt := range []struct {
			q    store.ProductQuery
			also func(store.Product) bool
		}{
			{store.ProductQuery{}, nil},
			{store.ProductQuery{Category: "糕"}, func(p store.Product) bool { return p.Category == "糕" }},
			{store.ProductQuery{InStock: true, ShopID: shop}, available(shop)},
			{store.ProductQuery{InStock: true, Chain: c.Shops[0].Chain}, func(p store.Product) bool {
				return slices.ContainsFunc(c.Shops, func(s store.Shop) bool { return available(s.ID)(p) })
			}},
		} {
			tt.q.Text = text
			var want []string
			for _, p := range all {
				if contains(p) && (tt.also == nil || tt.also(p)) {
					want = append(want, p.ID)
				}
			}
			got := pages(t, 37, func(p store.Page) ([]store.Product, string, error) {
				tt.q.Page = p
				return s.Products(t.Context(), tt.q)
			})
			if diff := cmp.Diff(append([]string{}, want...), ids(got, productID)); diff != "" {
				t.Errorf("Products(%s) (-want +got):\n%s", fmt.Sprintf("%+v", tt.q), diff)
			}
		}
	}
}
