package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Days around the one on which a [desk] begins, which in [Zone] ends eight hours
// later.
const (
	yesterday store.Date = "2026-11-21"
	today     store.Date = "2026-11-22"
	tomorrow  store.Date = "2026-11-23"
)

// checkExpired compares what of a level has expired, and what is available.
func (d *desk) checkExpired(shop string, expired, available int64) {
	d.t.Helper()
	if l := d.level(shop, "egg"); l.Expired != expired || l.Available() != available {
		d.t.Errorf("egg in %s: %d expired, %d available, want %d and %d", shop, l.Expired, l.Available(), expired, available)
	}
}

// testLastDay tests that an expiry date is the last day on which something may be
// sold, by the clock where the shops are.
func testLastDay(t *testing.T, d *desk) {
	for expiry, n := range map[store.Date]int64{yesterday: 2, today: 3, tomorrow: 4} {
		d.must(deliver("a1", n, expiry))
	}
	before := d.level("a1", "egg")
	d.checkExpired("a1", 2, 17)
	d.wait(8*time.Hour - time.Microsecond)
	d.checkExpired("a1", 2, 17)
	d.wait(time.Microsecond)
	d.checkExpired("a1", 5, 14)
	if l := d.level("a1", "egg"); l.OnHand != before.OnHand || l.AsOf != before.AsOf {
		t.Errorf("at midnight the level went from %+v to %+v, want more expired and nothing else", before, l)
	}
	d.wait(24 * time.Hour)
	d.checkExpired("a1", 9, 10)
	receipt := d.must(sell("a1", 1))
	if l := receipt.Levels[0]; l.Before.Expired != 9 || l.After.Expired != 9 || l.After.Available() != 9 {
		t.Errorf("the receipt of a sale says %+v, want 9 expired before and after", l)
	}
	if receipt := d.must(deliver("a1", 1, yesterday)); receipt.Levels[0].After.Expired != 10 {
		t.Errorf("the receipt of a delivery of what has expired says %+v, want 10 expired", receipt.Levels[0])
	}
}

// testExpiredIsNotSold tests which changes take what has expired.
func testExpiredIsNotSold(t *testing.T, d *desk) {
	fill := func() {
		d.must(store.Count{ShopID: "a1", ProductID: "egg", Quantity: 0})
		d.must(deliver("a1", 5, yesterday))
		d.must(deliver("a1", 2, today))
		d.must(deliver("a1", 2, ""))
	}
	waste := func(n int64, expiry store.Date) store.Move {
		return store.Move{ShopID: "a1", ProductID: "egg", Delta: -n, Reason: store.Waste, Expiry: expiry}
	}
	move := func(n int64) store.Transfer {
		return store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: n}
	}
	expired, fresh := store.Lot{Expiry: yesterday, OnHand: 5}, store.Lot{Expiry: today, OnHand: 2}

	for name, tt := range map[string]struct {
		request any
		lots    []store.Lot
	}{
		"sale":         {sell("a1", 3), []store.Lot{expired}},
		"transfer":     {move(1), []store.Lot{expired, {Expiry: today, OnHand: 1}}},
		"reservation":  {reserve("a1", 4), []store.Lot{expired, fresh}},
		"waste":        {waste(6, ""), []store.Lot{{Expiry: today, OnHand: 1}}},
		"waste of lot": {waste(4, yesterday), []store.Lot{{Expiry: yesterday, OnHand: 1}, fresh}},
		"correction":   {store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Correction}, []store.Lot{{Expiry: yesterday, OnHand: 4}, fresh}},
		"count":        {store.Count{ShopID: "a1", ProductID: "egg", Quantity: 6}, []store.Lot{{Expiry: yesterday, OnHand: 2}, fresh}},
	} {
		fill()
		receipt := d.must(tt.request)
		d.checkLots("a1", "egg", tt.lots...)
		if got := d.level("a1", "egg"); receipt.Levels[0].After != got {
			t.Errorf("%s: the receipt says %+v, the level is %+v", name, receipt.Levels[0].After, got)
		}
		if receipt.Reservation != nil {
			d.must(store.Release{Reservation: receipt.Reservation.ID})
			continue
		}
		d.must(store.Undo{Movement: receipt.Movements[0].ID})
		d.checkLots("a1", "egg", expired, fresh)
		d.checkExpired("a1", 5, 4)
	}

	for _, request := range []any{sell("a1", 5), move(5), reserve("a1", 5)} {
		_, err := ask(t.Context(), d.Stock, request)
		short, ok := errors.AsType[*store.InsufficientError](err)
		if !ok || short.Level.Available() != 4 || short.Level.Expired != 5 {
			t.Errorf("%#v: %v, want an InsufficientError with 4 available and 5 expired", request, err)
		}
	}
	if _, err := ask(t.Context(), d.Stock, waste(10, "")); err == nil {
		t.Error("more was wasted than is on hand")
	} else if short, ok := errors.AsType[*store.InsufficientError](err); !ok || short.Level.Available() != 9 {
		t.Errorf("waste of 10: %v, want an InsufficientError with 9 to be had", err)
	}
	for _, n := range []int64{1, 100} {
		sale := sell("a1", n)
		sale.Expiry = yesterday
		_, err := ask(t.Context(), d.Stock, sale)
		if refused, ok := errors.AsType[*store.ConflictError](err); !ok || refused.Kind != store.LotExpired {
			t.Errorf("sale of %d of what has expired: %v, want that it has expired", n, err)
		}
	}
	sale := sell("a1", 1)
	sale.Expiry = today
	d.must(sale)

	// What was sold on its last day comes back expired.
	undone := d.must(sell("a1", 1))
	d.wait(24 * time.Hour)
	d.must(store.Undo{Movement: undone.Movements[0].ID})
	d.checkExpired("a1", 6, 2)
	d.must(store.Undo{Movement: d.must(deliver("a1", 3, yesterday)).Movements[0].ID})
	d.checkExpired("a1", 6, 2)
}

// testOverbooked tests what there is where what is reserved expires.
func testOverbooked(t *testing.T, d *desk) {
	d.must(deliver("a1", 3, today))
	d.must(store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 12, For: store.MaxHold})
	from := d.level("a1", "egg")
	total := func(chain string, expired, available, overbooked int64) {
		t.Helper()
		got, err := d.Total(t.Context(), "egg", chain)
		if err != nil || got.Expired != expired || got.Available() != available || got.Overbooked != overbooked {
			t.Errorf("total of %q: %+v, %v, want %d expired, %d available, %d overbooked", chain, got, err, expired, available, overbooked)
		}
	}
	total("", 0, 4, 0)
	d.wait(8 * time.Hour)
	d.checkExpired("a1", 3, 0)
	if n := d.level("a1", "egg").Overbooked(); n != 2 {
		t.Errorf("overbooked by %d, want 2: 12 are reserved of the 10 that have not expired", n)
	}
	total("", 3, 3, 2) // what b1 has is available all the same
	total("a", 3, 0, 2)
	total("b", 0, 3, 0)
	for _, request := range []any{reserve("a1", 1), sell("a1", 1)} {
		if _, err := ask(t.Context(), d.Stock, request); err == nil {
			t.Errorf("%#v was made", request)
		}
	}
	waste := store.Move{ShopID: "a1", ProductID: "egg", Delta: -2, Reason: store.Waste, Once: store.Once{From: &from}}
	if _, err := ask(t.Context(), d.Stock, waste); err == nil {
		t.Error("2 were wasted, of which one is reserved")
	}
	waste.Delta = -1 // which a yes from before midnight holds for
	d.must(waste)
	d.checkExpired("a1", 2, 0)
}

// testListsWithoutExpired tests that lists are in the order of what is available,
// and have nothing as in stock of which all has expired.
func testListsWithoutExpired(t *testing.T, d *desk) {
	d.must(deliver("b1", 9, today)) // of which there are 12 then, and 3 the day after
	d.must(store.Count{ShopID: "a1", ProductID: "tea", Quantity: 0})
	d.must(store.Move{ShopID: "a1", ProductID: "tea", Delta: 2, Reason: store.Delivery, Expiry: today})
	check := func(when string, levels, inStock, low, below, products []string) {
		t.Helper()
		for _, n := range []int{1, 2, 100} {
			for _, tt := range []struct {
				name string
				want []string
				list func(store.Page) ([]string, string, error)
			}{
				{"Levels", levels, levelsOf(t, d, false)},
				{"Levels in stock", inStock, levelsOf(t, d, true)},
				{"LowStock", low, lowOf(t, d, nil)},
				{"LowStock below 3", below, lowOf(t, d, new(int64(3)))},
				{"Products", products, func(p store.Page) ([]string, string, error) {
					list, next, err := d.Products(t.Context(), store.ProductQuery{InStock: true, ShopID: "a1", Page: p})
					return ids(list, productID), next, err
				}},
			} {
				if diff := gocmp.Diff(tt.want, pages(t, n, tt.list)); diff != "" {
					t.Errorf("%s: %s by %d (-want +got):\n%s", when, tt.name, n, diff)
				}
			}
		}
	}
	check("on the last day", []string{"12 b1", "10 a1", "0 a2"}, []string{"12 b1", "10 a1"},
		[]string{"0 egg a2"}, []string{"0 egg a2", "2 tea a1"}, []string{"tea", "egg"})
	d.wait(8 * time.Hour)
	check("after it", []string{"10 a1", "3 b1", "0 a2"}, []string{"10 a1", "3 b1"},
		[]string{"0 egg a2", "3 egg b1"}, []string{"0 tea a1", "0 egg a2", "3 egg b1"}, []string{"egg"})
	for _, q := range []store.ProductQuery{{InStock: true}, {InStock: true, Chain: "a"}, {InStock: true, Text: "奶茶"}} {
		list, _, err := d.Products(t.Context(), q)
		for _, p := range list {
			if p.ID == "tea" {
				t.Errorf("Products(%+v) has what has expired as in stock", q)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
	if lots, _, err := d.Expiring(t.Context(), store.ExpiringQuery{Through: today}); err != nil || len(lots) != 2 {
		t.Errorf("Expiring lists %+v, %v, want both lots that expired", lots, err)
	}
}

func levelsOf(t *testing.T, d *desk, inStock bool) func(store.Page) ([]string, string, error) {
	return func(p store.Page) (list []string, next string, err error) {
		levels, next, err := d.Levels(t.Context(), store.LevelQuery{ProductID: "egg", InStock: inStock, Page: p})
		for _, l := range levels {
			if l.Level != d.level(l.Shop.ID, "egg") {
				t.Errorf("Levels has %+v, which differs from Level", l)
			}
			list = append(list, fmt.Sprint(l.Available(), " ", l.Shop.ID))
		}
		return list, next, err
	}
}

func lowOf(t *testing.T, d *desk, threshold *int64) func(store.Page) ([]string, string, error) {
	return func(p store.Page) (list []string, next string, err error) {
		low, next, err := d.LowStock(t.Context(), store.LowStockQuery{Threshold: threshold, Page: p})
		for _, l := range low {
			if l.Level != d.level(l.Shop.ID, l.Product.ID) {
				t.Errorf("LowStock has %+v, which differs from Level", l)
			}
			list = append(list, fmt.Sprint(l.Available(), " ", l.Product.ID, " ", l.Shop.ID))
		}
		return list, next, err
	}
}

// someExpired gives some of c's levels a lot that expired long ago, of all that is
// there or of a part.
func someExpired(c store.Catalog) {
	for i := range c.Levels {
		l := &c.Levels[i]
		if n := l.OnHand / int64(1+i%2); i%7 < 2 && n > 0 {
			l.Lots = []store.Lot{{Expiry: "2020-01-01", OnHand: n}}
		}
	}
}

// levelOf is the level that is read of what the catalog has.
func levelOf(l store.CatalogLevel) store.Level {
	level := store.Level{OnHand: l.OnHand, Reserved: l.Reserved, AsOf: l.AsOf}
	for _, lot := range l.Lots {
		level.Expired += lot.OnHand
	}
	return level
}
