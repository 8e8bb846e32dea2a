package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testMovements(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	sale := d.must(sell("a1", 3))
	d.must(store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 1})
	d.must(store.Move{ShopID: "a1", ProductID: "tea", Delta: -1, Reason: store.Sale})
	all, next, err := d.Movements(t.Context(), store.MovementQuery{Page: store.Page{Limit: store.MaxLimit}})
	if err != nil || next != "" || len(all) != 3+1+2+2+1 {
		t.Fatalf("Movements: %d, %q, %v, want 9", len(all), next, err)
	}
	if !slices.IsSortedFunc(all, func(a, b store.Movement) int { return cmp.Compare(b.ID, a.ID) }) {
		t.Errorf("movements are not newest first: %+v", all)
	}
	for _, tt := range []struct {
		q    store.MovementQuery
		want func(store.Movement) bool
	}{
		{store.MovementQuery{}, func(store.Movement) bool { return true }},
		{store.MovementQuery{ShopID: "a1"}, func(m store.Movement) bool { return m.ShopID == "a1" }},
		{store.MovementQuery{ProductID: "egg"}, func(m store.Movement) bool { return m.ProductID == "egg" }},
		{store.MovementQuery{ShopID: "b1", ProductID: "egg"}, func(m store.Movement) bool { return m.ShopID == "b1" && m.ProductID == "egg" }},
		{store.MovementQuery{Group: sale.Movements[1].ID}, func(m store.Movement) bool { return m.Group == sale.Movements[0].ID }},
		{store.MovementQuery{Group: sale.Movements[0].ID, ShopID: "b1"}, func(store.Movement) bool { return false }},
		{store.MovementQuery{ShopID: "nowhere"}, func(store.Movement) bool { return false }},
		{store.MovementQuery{Group: 1 << 40}, func(store.Movement) bool { return false }},
	} {
		var want []store.Movement
		for _, m := range all {
			if tt.want(m) {
				want = append(want, m)
			}
		}
		for _, n := range []int{1, 2, 100} {
			got := pages(t, n, func(p store.Page) ([]store.Movement, string, error) {
				tt.q.Page = p
				return d.Movements(t.Context(), tt.q)
			})
			if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Movements(%+v) (-want +got):\n%s", tt.q, diff)
			}
		}
	}
	_, next, err = d.Movements(t.Context(), store.MovementQuery{Page: store.Page{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []store.MovementQuery{
		{ShopID: "a1", Page: store.Page{Cursor: next}}, {Page: store.Page{Cursor: "x"}}, {Page: store.Page{Cursor: next + "AAAA"}},
	} {
		if _, _, err := d.Movements(t.Context(), q); !errors.Is(err, store.ErrBadCursor) {
			t.Errorf("Movements(%+v): %v, want ErrBadCursor", q, err)
		}
	}
}

func testExpiring(t *testing.T, d *desk) {
	for _, lot := range []struct {
		shop, product string
		expiry        store.Date
	}{
		{"b1", "egg", soon}, {"a1", "egg", soon}, {"a2", "tea", soon}, {"a1", "tea", late}, {"a1", "egg", "2026-11-01"}, {"b1", "tea", "2027-01-01"},
	} {
		d.must(store.Move{ShopID: lot.shop, ProductID: lot.product, Delta: 2, Reason: store.Delivery, Expiry: lot.expiry})
	}
	d.must(store.Move{ShopID: "b1", ProductID: "tea", Delta: -2, Reason: store.Waste}) // none are left
	for _, tt := range []struct {
		q    store.ExpiringQuery
		want []string
	}{
		// Shorter names of products come first, and 乙一 before 甲一 and 甲二.
		{store.ExpiringQuery{}, []string{"2026-11-01 egg a1", "2026-11-23 tea a2", "2026-11-23 egg b1", "2026-11-23 egg a1", "2026-12-31 tea a1"}},
		{store.ExpiringQuery{Through: soon}, []string{"2026-11-01 egg a1", "2026-11-23 tea a2", "2026-11-23 egg b1", "2026-11-23 egg a1"}},
		{store.ExpiringQuery{Through: soon.AddDays(-1)}, []string{"2026-11-01 egg a1"}},
		{store.ExpiringQuery{ShopID: "a1"}, []string{"2026-11-01 egg a1", "2026-11-23 egg a1", "2026-12-31 tea a1"}},
		{store.ExpiringQuery{Chain: "b"}, []string{"2026-11-23 egg b1"}},
		{store.ExpiringQuery{Chain: "b", ShopID: "a1"}, nil},
		{store.ExpiringQuery{ShopID: "nowhere"}, nil},
	} {
		for _, n := range []int{1, 2, 100} {
			lots := pages(t, n, func(p store.Page) ([]store.StockLot, string, error) {
				tt.q.Page = p
				return d.Expiring(t.Context(), tt.q)
			})
			var got []string
			for _, l := range lots {
				got = append(got, fmt.Sprint(l.Expiry, " ", l.Product.ID, " ", l.Shop.ID))
				if l.OnHand != 2 || l.Product.Name == "" || l.Shop.Chain == "" {
					t.Errorf("lot %+v, want 2 with all that is known of product and shop", l)
				}
			}
			if diff := gocmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Expiring(%+v) by %d (-want +got):\n%s", tt.q, n, diff)
			}
		}
	}
	_, next, err := d.Expiring(t.Context(), store.ExpiringQuery{Page: store.Page{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Expiring(t.Context(), store.ExpiringQuery{Through: soon, Page: store.Page{Cursor: next}}); !errors.Is(err, store.ErrBadCursor) {
		t.Errorf("cursor of another list: %v, want ErrBadCursor", err)
	}
}

func testLowStock(t *testing.T, d *desk) { // egg is low at 5, tea never
	d.must(reserve("a1", 8))
	three, none := int64(3), int64(0)
	for _, tt := range []struct {
		q    store.LowStockQuery
		want []string
	}{
		{store.LowStockQuery{}, []string{"0 egg a2", "2 egg a1", "3 egg b1"}},
		{store.LowStockQuery{ShopID: "b1"}, []string{"3 egg b1"}},
		{store.LowStockQuery{Chain: "a"}, []string{"0 egg a2", "2 egg a1"}},
		{store.LowStockQuery{Chain: "a", ShopID: "b1"}, nil},
		{store.LowStockQuery{Threshold: new(int64(4))}, []string{"0 egg a2", "2 egg a1", "3 egg b1", "4 tea a1"}},
		{store.LowStockQuery{Threshold: &three}, []string{"0 egg a2", "2 egg a1", "3 egg b1"}},
		{store.LowStockQuery{Threshold: &none}, []string{"0 egg a2"}},
		{store.LowStockQuery{Threshold: new(int64(-1))}, nil},
		{store.LowStockQuery{ShopID: "nowhere"}, nil},
	} {
		for _, n := range []int{1, 2, 100} {
			low := pages(t, n, func(p store.Page) ([]store.StockLevel, string, error) {
				tt.q.Page = p
				return d.LowStock(t.Context(), tt.q)
			})
			var got []string
			for _, l := range low {
				got = append(got, fmt.Sprint(l.Available(), " ", l.Product.ID, " ", l.Shop.ID))
				if want := d.level(l.Shop.ID, l.Product.ID); l.Level != want || l.Product.Name == "" || l.Shop.Chain == "" {
					t.Errorf("low %+v, want level %+v with all that is known of product and shop", l, want)
				}
			}
			if diff := gocmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("LowStock(%+v) by %d (-want +got):\n%s", tt.q, n, diff)
			}
		}
	}
	_, next, err := d.LowStock(t.Context(), store.LowStockQuery{Threshold: &three, Page: store.Page{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.LowStock(t.Context(), store.LowStockQuery{Threshold: &none, Page: store.Page{Cursor: next}}); !errors.Is(err, store.ErrBadCursor) {
		t.Errorf("cursor of another threshold: %v, want ErrBadCursor", err)
	}
}

// testReorderPoints tests that another reorder point counts at once, also of what
// is carried anew.
func testReorderPoints(t *testing.T, open OpenAt) {
	s := open(t, shelves(), time.Now)
	d := &desk{t: t, Stock: s}
	d.must(reserve("a1", 8))
	if _, err := s.EditProduct(t.Context(), "egg", store.ProductEdit{ReorderPoint: new(int64(2))}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EditProduct(t.Context(), "tea", store.ProductEdit{ReorderPoint: new(int64(1))}); err != nil {
		t.Fatal(err)
	}
	d.must(store.Move{ShopID: "b1", ProductID: "tea", Delta: 1, Reason: store.Delivery})
	low, _, err := d.LowStock(t.Context(), store.LowStockQuery{})
	var got []string
	for _, l := range low {
		got = append(got, fmt.Sprint(l.Available(), " ", l.Product.ID, " ", l.Shop.ID))
	}
	if diff := gocmp.Diff([]string{"0 egg a2", "1 tea b1", "2 egg a1"}, got); err != nil || diff != "" {
		t.Errorf("LowStock after other reorder points: %v (-want +got):\n%s", err, diff)
	}
	if found, err := s.Verify(t.Context(), 10); err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
}

// at is a product in a shop.
type at struct{ shop, product string }

// testLargeLowStock compares pages of what is low with reading the catalog.
func testLargeLowStock(t *testing.T, open OpenStock) {
	c := Large(60, 40)
	for i := range c.Shops[:20] {
		c.Shops[i].Chain = "" // which are few
	}
	someExpired(c)
	s := open(t, c, time.Now)
	products := pages(t, store.MaxLimit, func(p store.Page) ([]store.Product, string, error) {
		return s.Products(t.Context(), store.ProductQuery{Page: p})
	})
	shops := pages(t, store.MaxLimit, func(p store.Page) ([]store.Shop, string, error) {
		return s.Shops(t.Context(), store.ShopQuery{Page: p})
	})
	levels := map[at]store.Level{}
	for _, l := range c.Levels {
		levels[at{l.ShopID, l.ProductID}] = levelOf(l)
	}
	for _, q := range []store.LowStockQuery{
		{}, {Chain: c.Shops[30].Chain}, {ShopID: c.Shops[7].ID}, {Threshold: new(int64(2))}, {ShopID: c.Shops[7].ID, Threshold: new(int64(30))},
	} {
		type row struct {
			available     int64
			product, shop string
		}
		var want []row
		for _, p := range products {
			for _, sh := range shops {
				l := levels[at{sh.ID, p.ID}]
				most := p.ReorderPoint
				if q.Threshold != nil {
					most = *q.Threshold
				}
				if available := l.Available(); available <= most && (q.Threshold != nil || p.ReorderPoint > 0) &&
					strings.HasPrefix(sh.ID, q.ShopID) && (q.Chain == "" || sh.Chain == q.Chain) {
					want = append(want, row{available, p.ID, sh.ID})
				}
			}
		}
		slices.SortStableFunc(want, func(a, b row) int { return cmp.Compare(a.available, b.available) })
		var got []row
		for _, l := range pages(t, 17, func(p store.Page) ([]store.StockLevel, string, error) {
			q.Page = p
			return s.LowStock(t.Context(), q)
		}) {
			got = append(got, row{l.Available(), l.Product.ID, l.Shop.ID})
		}
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(row{})); diff != "" || len(want) == 0 {
			t.Errorf("LowStock(%+v) of %d (-want +got):\n%s", q, len(want), diff)
		}
	}
}
