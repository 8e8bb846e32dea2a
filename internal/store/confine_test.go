package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// own is the shop that callers in these tests are held to, other one of its
// chain, and foreign one that is of another.
const (
	own     = "koko-xinyi"
	other   = "koko-daan"
	foreign = "orange-daan"
)

func open(t testing.TB, c store.Catalog) store.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "store.db"),
		Seed: func() store.Catalog { return c },
		Now:  func() time.Time { return time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// as is a context in which somebody asks who is held to a shop, or to none.
func as(t testing.TB, id, shop string) context.Context {
	return store.WithCaller(t.Context(), store.Caller{ID: id, Shop: shop})
}

// alone is what is left of c where there is one shop only.
func alone(c store.Catalog, shopID string) store.Catalog {
	c.Shops = slices.DeleteFunc(slices.Clone(c.Shops), func(s store.Shop) bool { return s.ID != shopID })
	c.Chains = slices.DeleteFunc(slices.Clone(c.Chains), func(n store.Chain) bool { return n.Name != c.Shops[0].Chain })
	c.Levels = slices.DeleteFunc(slices.Clone(c.Levels), func(l store.CatalogLevel) bool { return l.ShopID != shopID })
	c.Products = slices.DeleteFunc(slices.Clone(c.Products), func(p store.Product) bool {
		return !slices.ContainsFunc(c.Levels, func(l store.CatalogLevel) bool { return l.ProductID == p.ID })
	})
	return c
}

// all asks for every page of a list.
func all[T any](list func(store.Page) ([]T, string, error)) []T {
	var all []T
	page := store.Page{Limit: 20}
	for {
		some, next, err := list(page)
		if err != nil {
			panic(err)
		}
		if all = append(all, some...); next == "" {
			return all
		}
		page.Cursor = next
	}
}

// see asks s everything that somebody who calls can ask of the stock of c, and
// returns the answers by their questions.
func see(ctx context.Context, s store.Stock, c store.Catalog) map[string]any {
	seen := make(map[string]any)
	tell := func(answer any, err error, question string, args ...any) {
		if errors.Is(err, store.ErrNotFound) {
			answer, err = "not found", nil
		}
		if err != nil {
			answer = err.Error()
		}
		seen[fmt.Sprintf(question, args...)] = answer
	}
	sum, err := s.Summary(ctx)
	tell(sum, err, "summary")
	chains := []string{"", "沒有這個連鎖"}
	texts := []string{"", "KOKO", "茶", "茶葉蛋", "茶葉但", "大安", "信義", "koko-daan", "F-001", "eggs"}
	for _, n := range c.Chains {
		chains, texts = append(chains, n.Name), append(texts, n.Name)
	}
	matches := []store.Match{store.Contains, store.Exact, store.Near}
	for _, text := range texts {
		for _, m := range matches {
			found, err := s.Chains(ctx, text, m, 10)
			tell(found, err, "chains %q %v", text, m)
			tell(all(func(p store.Page) ([]store.Product, string, error) {
				return s.Products(ctx, store.ProductQuery{Text: text, Match: m, Page: p})
			}), nil, "products %q %v", text, m)
			tell(all(func(p store.Page) ([]store.Shop, string, error) {
				return s.Shops(ctx, store.ShopQuery{Text: text, Match: m, Page: p})
			}), nil, "shops %q %v", text, m)
		}
		tell(all(func(p store.Page) ([]store.Shop, string, error) {
			return s.Shops(ctx, store.ShopQuery{Address: text, Near: &store.Location{Latitude: 25, Longitude: 121.5}, Page: p})
		}), nil, "shops at %q", text)
	}
	few := int64(10)
	for _, shop := range append(slices.Clone(c.Shops), store.Shop{}, store.Shop{ID: "nowhere"}) {
		if shop.ID != "" {
			got, err := s.Shop(ctx, shop.ID)
			tell(got, err, "shop %q", shop.ID)
		}
		tell(all(func(p store.Page) ([]store.Shop, string, error) {
			return s.Shops(ctx, store.ShopQuery{ID: shop.ID, Page: p})
		}), nil, "shops of ID %q", shop.ID)
		for _, chain := range chains {
			tell(all(func(p store.Page) ([]store.Product, string, error) {
				return s.Products(ctx, store.ProductQuery{ShopID: shop.ID, Chain: chain, Page: p})
			}), nil, "products in %q of %q", shop.ID, chain)
			tell(all(func(p store.Page) ([]store.Product, string, error) {
				return s.Products(ctx, store.ProductQuery{ShopID: shop.ID, Chain: chain, InStock: true, Page: p})
			}), nil, "products available in %q of %q", shop.ID, chain)
			tell(all(func(p store.Page) ([]store.StockLevel, string, error) {
				return s.LowStock(ctx, store.LowStockQuery{ShopID: shop.ID, Chain: chain, Threshold: &few, Page: p})
			}), nil, "low in %q of %q", shop.ID, chain)
			tell(all(func(p store.Page) ([]store.StockLot, string, error) {
				return s.Expiring(ctx, store.ExpiringQuery{ShopID: shop.ID, Chain: chain, Page: p})
			}), nil, "expiring in %q of %q", shop.ID, chain)
		}
	}
	for i, product := range c.Products {
		got, err := s.Product(ctx, product.ID)
		tell(got, err, "product %q", product.ID)
		if i%5 != 0 {
			continue // these are many
		}
		for _, chain := range chains {
			total, err := s.Total(ctx, product.ID, chain)
			tell(total, err, "total of %q in %q", product.ID, chain)
			for _, inStock := range []bool{false, true} {
				tell(all(func(p store.Page) ([]store.ShopLevel, string, error) {
					return s.Levels(ctx, store.LevelQuery{ProductID: product.ID, Chain: chain, InStock: inStock, Page: p})
				}), nil, "levels of %q in %q, available %v", product.ID, chain, inStock)
			}
		}
		for _, shop := range c.Shops {
			level, err := s.Level(ctx, shop.ID, product.ID)
			tell(level, err, "level of %q in %q", product.ID, shop.ID)
			lots, err := s.Lots(ctx, shop.ID, product.ID)
			tell(lots, err, "lots of %q in %q", product.ID, shop.ID)
		}
	}
	return seen
}

// withLots is a store that holds c, and a little more of some of it that has an
// expiry date.
func withLots(t *testing.T, c store.Catalog) store.Store {
	t.Helper()
	s := open(t, c)
	for _, l := range c.Levels {
		if l.ProductID < "c" {
			must(t)(s.Move(t.Context(), store.Move{ShopID: l.ShopID, ProductID: l.ProductID, Delta: 1, Reason: store.Delivery, Expiry: "2026-11-05"}))
		}
	}
	return s
}

func TestConfinedCallerSeesOneShopAsIfThereWereNoOther(t *testing.T) {
	full := demo.Catalog()
	everything := withLots(t, full)
	for _, id := range []string{own, foreign} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			want := see(t.Context(), withLots(t, alone(full, id)), full)
			got := see(as(t, "x", id), store.Confine(everything), full)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-alone +confined):\n%s", diff)
			}
		})
	}
}

func TestCallerWithoutAShopSeesEverything(t *testing.T) {
	full := demo.Catalog()
	s := open(t, full)
	want := see(t.Context(), s, full)
	got := see(as(t, "x", ""), store.Confine(s), full)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-store +confined):\n%s", diff)
	}
}

func TestCallerOfAShopThatIsGoneSeesNothing(t *testing.T) {
	s, ctx := store.Confine(open(t, demo.Catalog())), as(t, "x", "closed-down")
	sum, err := s.Summary(ctx)
	if err != nil || sum.Shops != 0 || sum.Products != 0 {
		t.Errorf("Summary = %v, %v", sum, err)
	}
	shops, _, err := s.Shops(ctx, store.ShopQuery{})
	if err != nil || len(shops) != 0 {
		t.Errorf("Shops = %v, %v", shops, err)
	}
	chains, err := s.Chains(ctx, "", store.Contains, 0)
	if err != nil || len(chains) != 0 {
		t.Errorf("Chains = %v, %v", chains, err)
	}
	products, _, err := s.Products(ctx, store.ProductQuery{Chain: "KOKO便利店"})
	if err != nil || len(products) != 0 {
		t.Errorf("Products = %v, %v", products, err)
	}
	total, err := s.Total(ctx, "tea-egg", "")
	if err != nil || total.Shops != 0 {
		t.Errorf("Total = %v, %v", total, err)
	}
}

func TestConfinedCallerFindsTheirChainAmongMany(t *testing.T) {
	var c store.Catalog
	for i := range store.MaxLimit + 1 {
		name := fmt.Sprintf("連鎖 %03d", i)
		c.Chains = append(c.Chains, store.Chain{Name: name})
		c.Shops = append(c.Shops, store.Shop{ID: fmt.Sprint("s", i), Name: name + " 店", Chain: name})
	}
	last := c.Shops[len(c.Shops)-1]
	got, err := store.Confine(open(t, c)).Chains(as(t, "x", last.ID), "", store.Contains, 10)
	if diff := cmp.Diff([]store.Chain{{Name: last.Chain, Shops: 1}}, got); err != nil || diff != "" {
		t.Errorf("Chains: %v (-want +got):\n%s", err, diff)
	}
}

func TestConfinedCallerIsGivenNoCursorOfLevels(t *testing.T) {
	db := open(t, demo.Catalog())
	_, cursor, err := db.Levels(t.Context(), store.LevelQuery{ProductID: "tea-egg", Page: store.Page{Limit: 1}})
	if err != nil || cursor == "" {
		t.Fatalf("cursor %q, %v", cursor, err)
	}
	levels, _, err := store.Confine(db).Levels(as(t, "x", own), store.LevelQuery{ProductID: "tea-egg", Page: store.Page{Cursor: cursor}})
	if !errors.Is(err, store.ErrBadCursor) {
		t.Errorf("Levels = %v, %v; want ErrBadCursor", levels, err)
	}
}

func TestOnlyTheOwnerImportsEditsAndAuthorizes(t *testing.T) {
	s := store.Confine(open(t, demo.Catalog()))
	if _, ok := s.(store.Catalogue); ok {
		t.Error("a confined caller reaches imports and edits")
	}
	if _, ok := s.(store.Verifier); ok {
		t.Error("a confined caller reaches Verify")
	}
	if _, ok := s.(access.Storage); ok {
		t.Error("a confined caller reaches tokens and grants")
	}
}
