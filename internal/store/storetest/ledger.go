package storetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testLedger tests what changes the stock and tells of it.
func testLedger(t *testing.T, open OpenStock) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *desk)
	}{
		{"DeliveryMakesCarried", testDelivery},
		{"TakersTakeWhatExpiresFirst", testTakers},
		{"ANamedLotIsTakenAlone", testNamedLot},
		{"CountReleasesTheNewest", testCount},
		{"TransferKeepsDates", testTransfer},
		{"ReservationsLapseByThemselves", testLapse},
		{"ReleaseEndsEarly", testRelease},
		{"UndoReversesTheGroup", testUndo},
		{"NotesAreOneLine", testNotes},
		{"Refusals", testRefusals},
		{"SameKeySameAnswer", testKeys},
		{"TokensAreUsedUp", testTokens},
		{"DryRunChangesNothing", testDryRun},
		{"ChangesStayWithinBounds", testBounds},
		{"EndedContextChangesNothing", testEndedContextOfChange},
		{"Movements", testMovements},
		{"Reservations", testReservations},
		{"Expiring", testExpiring},
		{"LowStock", testLowStock},
		{"ExpiryDateIsTheLastDay", testLastDay},
		{"WhatHasExpiredIsNotSold", testExpiredIsNotSold},
		{"ReservedMayExpire", testOverbooked},
		{"ListsLeaveOutWhatHasExpired", testListsWithoutExpired},
		{"Secret", testSecret},
		{"WatchTells", testWatch},
		{"TheLastIsSoldOnce", testLastOne},
		{"ConcurrentChangesAreInSomeOrder", testLinearizable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{t: t, time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
			d.Stock = open(t, shelves(), d.now)
			tt.test(t, d)
			if found, err := verify(t.Context(), d.Stock); err != nil || len(found) > 0 {
				t.Errorf("Verify: %v, %v, want nothing", found, err)
			}
		})
	}
	t.Run("CatalogHasLots", func(t *testing.T) { testCatalogLots(t, open) })
	t.Run("LowStockAgreesWithReading", func(t *testing.T) { testLargeLowStock(t, open) })
}

// testCatalogLots tests that what a backend is filled with may have expiry dates.
func testCatalogLots(t *testing.T, open OpenStock) {
	d := &desk{t: t, time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	c := shelves()
	i := slices.IndexFunc(c.Levels, func(l store.CatalogLevel) bool { return l.ShopID == "a1" && l.ProductID == "egg" })
	c.Levels[i] = store.CatalogLevel{ShopID: "a1", ProductID: "egg", OnHand: 10, Reserved: 1,
		Lots: []store.Lot{{Expiry: late, OnHand: 4}, {Expiry: soon, OnHand: 3}}}
	d.Stock = open(t, c, d.now)
	d.checkLevel("a1", "egg", 10, 1)
	d.checkLots("a1", "egg", store.Lot{Expiry: soon, OnHand: 3}, store.Lot{Expiry: late, OnHand: 4})
	movements, _, err := d.Movements(t.Context(), store.MovementQuery{ShopID: "a1", ProductID: "egg"})
	var sum int64
	for _, m := range movements {
		sum += m.Delta
	}
	if err != nil || len(movements) != 3 || sum != 10 || movements[0].After.OnHand != 10 {
		t.Errorf("movements %+v, %v, want one for each lot and one for the rest", movements, err)
	}
	d.must(sell("a1", 5)) // three that expire soon, and two of the others
	d.checkLots("a1", "egg", store.Lot{Expiry: late, OnHand: 2})
	if found, err := verify(t.Context(), d.Stock); err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
}

// verify checks what a backend keeps, if it keeps anything that could be wrong.
func verify(ctx context.Context, s store.Stock) ([]store.Discrepancy, error) {
	v, ok := s.(store.Verifier)
	if !ok {
		return nil, nil
	}
	return v.Verify(ctx, 10)
}

// desk is where a test changes a store of [shelves].
type desk struct {
	store.Stock
	t *testing.T

	mu   sync.Mutex
	time time.Time
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.time
}

func (d *desk) wait(time time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.time = d.time.Add(time)
}

// must makes a change that is not refused.
func (d *desk) must(request any) store.Receipt {
	d.t.Helper()
	receipt, err := ask(d.t.Context(), d.Stock, request)
	if err != nil {
		d.t.Fatalf("%#v: %v", request, err)
	}
	return receipt
}

// level returns what is there, which must be carried.
func (d *desk) level(shop, product string) store.Level {
	d.t.Helper()
	l, err := d.Level(d.t.Context(), shop, product)
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

// checkLevel compares on hand and reserved.
func (d *desk) checkLevel(shop, product string, onHand, reserved int64) {
	d.t.Helper()
	if l := d.level(shop, product); l.OnHand != onHand || l.Reserved != reserved {
		d.t.Errorf("%s in %s: %d on hand, %d reserved, want %d and %d", product, shop, l.OnHand, l.Reserved, onHand, reserved)
	}
}

func (d *desk) checkLots(shop, product string, want ...store.Lot) {
	d.t.Helper()
	got, err := d.Lots(d.t.Context(), shop, product)
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		d.t.Errorf("Lots(%q, %q): %v (-want +got):\n%s", shop, product, err, diff)
	}
}

// What most tests move.
const (
	soon store.Date = "2026-11-23"
	late store.Date = "2026-12-31"
)

func deliver(shop string, n int64, expiry store.Date) store.Move {
	return store.Move{ShopID: shop, ProductID: "egg", Delta: n, Reason: store.Delivery, Expiry: expiry}
}

func sell(shop string, n int64) store.Move {
	return store.Move{ShopID: shop, ProductID: "egg", Delta: -n, Reason: store.Sale}
}

func reserve(shop string, n int64) store.Reserve {
	return store.Reserve{ShopID: shop, ProductID: "egg", Quantity: n}
}

// moves returns lots and deltas of movements.
func moves(movements []store.Movement) (all []store.Lot) {
	for _, m := range movements {
		all = append(all, store.Lot{Expiry: m.Expiry, OnHand: m.Delta})
	}
	return all
}

func testDelivery(t *testing.T, d *desk) {
	by := store.Caller{ID: "wang", Client: "ChatGPT"}
	move := store.Move{ShopID: "b1", ProductID: "tea", Delta: 24, Reason: store.Delivery, Expiry: soon, Note: "兩箱", Once: store.Once{Key: "k"}}
	got, err := d.Move(store.WithCaller(t.Context(), by), move)
	if err != nil {
		t.Fatal(err)
	}
	m := got.Movements[0]
	want := store.Receipt{
		Movements: []store.Movement{{
			ID: m.ID, Group: m.ID, At: d.now(), ShopID: "b1", ProductID: "tea", Expiry: soon, Delta: 24, Reason: store.Delivery,
			Note: "兩箱", Actor: "wang", Client: "ChatGPT", Key: "k", After: store.Level{OnHand: 24},
		}},
		Levels: []store.LevelChange{{ShopID: "b1", ProductID: "tea", After: store.Level{OnHand: 24, AsOf: d.now()}, New: true}},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	if m.ID == 0 {
		t.Error("movement has no ID")
	}
	d.checkLevel("b1", "tea", 24, 0)
	d.checkLots("b1", "tea", store.Lot{Expiry: soon, OnHand: 24})
	total, err := d.Total(t.Context(), "tea", "b")
	if want := (store.Total{Level: store.Level{OnHand: 24, AsOf: d.now()}, Shops: 1}); err != nil || !gocmp.Equal(want, total) {
		t.Errorf("Total = %+v, %v, want %+v", total, err, want)
	}

	// A correction upwards makes carried, too.
	d.must(store.Move{ShopID: "a2", ProductID: "tea", Delta: 2, Reason: store.Correction})
	d.checkLevel("a2", "tea", 2, 0)

	// A clock that was set back does not take the level's time back.
	last := d.now()
	d.wait(-time.Hour)
	d.must(store.Move{ShopID: "b1", ProductID: "tea", Delta: 1, Reason: store.Delivery})
	if l := d.level("b1", "tea"); !l.AsOf.Equal(last) {
		t.Errorf("level is as of %v, after %v", l.AsOf, last)
	}
}

func testTakers(t *testing.T, d *desk) { // of 10 without a date
	d.must(deliver("a1", 3, late))
	d.must(deliver("a1", 2, soon))
	for _, tt := range []struct {
		request any
		want    []store.Lot
	}{
		{sell("a1", 1), []store.Lot{{Expiry: soon, OnHand: -1}}},
		{store.Move{ShopID: "a1", ProductID: "egg", Delta: -2, Reason: store.Waste}, []store.Lot{{Expiry: soon, OnHand: -1}, {Expiry: late, OnHand: -1}}},
		{store.Move{ShopID: "a1", ProductID: "egg", Delta: -4, Reason: store.Correction}, []store.Lot{{Expiry: late, OnHand: -2}, {OnHand: -2}}},
		{sell("a1", 8), []store.Lot{{OnHand: -8}}},
	} {
		got := d.must(tt.request)
		if diff := gocmp.Diff(tt.want, moves(got.Movements)); diff != "" {
			t.Errorf("%#v (-want +got):\n%s", tt.request, diff)
		}
		for i, m := range got.Movements {
			if m.Group != got.Movements[0].ID {
				t.Errorf("%#v: movement %d is of group %d, want %d", tt.request, m.ID, m.Group, got.Movements[0].ID)
			}
			if i > 0 && m.Before != got.Movements[i-1].After {
				t.Errorf("%#v: movement %d begins with %v, the one before left %v", tt.request, m.ID, m.Before, got.Movements[i-1].After)
			}
		}
	}
	d.checkLevel("a1", "egg", 0, 0)
	d.checkLots("a1", "egg")
}

func testNamedLot(t *testing.T, d *desk) {
	d.must(deliver("a1", 3, late))
	d.must(deliver("a1", 2, soon))
	d.must(store.Move{ShopID: "a1", ProductID: "egg", Delta: -2, Reason: store.Waste, Expiry: late})
	d.checkLots("a1", "egg", store.Lot{Expiry: soon, OnHand: 2}, store.Lot{Expiry: late, OnHand: 1})
	d.checkLevel("a1", "egg", 13, 0)
}

func testCount(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	var made []store.Reservation
	for _, n := range []int64{4, 3, 2} {
		made = append(made, *d.must(reserve("a1", n)).Reservation)
	}
	d.wait(time.Minute)
	got := d.must(store.Count{ShopID: "a1", ProductID: "egg", Quantity: 5})
	var want []store.Reservation // newest first, each wholly
	for _, r := range []store.Reservation{made[2], made[1]} {
		r.State, r.EndedAt = store.Released, d.now()
		want = append(want, r)
	}
	if diff := gocmp.Diff(want, got.Released); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]store.Lot{{Expiry: soon, OnHand: -2}, {OnHand: -5}}, moves(got.Movements)); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	if before, after := got.Movements[0].Before.Reserved, got.Movements[0].After.Reserved; before != 9 || after != 4 {
		t.Errorf("reserved before and after: %d and %d, want 9 and 4", before, after)
	}
	d.checkLevel("a1", "egg", 5, 4)
	for _, want := range want {
		if got, err := d.Reservation(t.Context(), want.ID); err != nil || !gocmp.Equal(want, got) {
			t.Errorf("Reservation(%d) = %+v, %v, want %+v", want.ID, got, err, want)
		}
	}

	// What was expected is a movement of 0; what nobody expected makes carried.
	if got := d.must(store.Count{ShopID: "a1", ProductID: "egg", Quantity: 5}); len(got.Movements) != 1 || got.Movements[0].Delta != 0 {
		t.Errorf("count of what was expected: %+v", got.Movements)
	}
	if got := d.must(store.Count{ShopID: "b1", ProductID: "tea", Quantity: 0}); !got.Levels[0].New {
		t.Errorf("count of 0 where it was not carried: %+v", got.Levels)
	}
	d.checkLevel("b1", "tea", 0, 0)
}

func testTransfer(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	d.must(deliver("b1", 1, soon))
	got := d.must(store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 5})
	if diff := gocmp.Diff([]store.Lot{{Expiry: soon, OnHand: -2}, {OnHand: -3}, {Expiry: soon, OnHand: 2}, {OnHand: 3}}, moves(got.Movements)); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	want := []store.LevelChange{
		{ShopID: "a1", ProductID: "egg", Before: store.Level{OnHand: 12, AsOf: d.now()}, After: store.Level{OnHand: 7, AsOf: d.now()}},
		{ShopID: "b1", ProductID: "egg", Before: store.Level{OnHand: 4, AsOf: d.now()}, After: store.Level{OnHand: 9, AsOf: d.now()}},
	}
	if diff := gocmp.Diff(want, got.Levels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	d.checkLots("a1", "egg")
	d.checkLots("b1", "egg", store.Lot{Expiry: soon, OnHand: 3})
	d.must(store.Undo{Movement: got.Movements[2].ID})
	d.checkLevel("a1", "egg", 12, 0)
	d.checkLevel("b1", "egg", 4, 0)
	d.checkLots("a1", "egg", store.Lot{Expiry: soon, OnHand: 2})
}

func testUndo(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	sale := d.must(sell("a1", 5))
	undone := d.must(store.Undo{Movement: sale.Movements[1].ID, Note: "打錯了"})
	if diff := gocmp.Diff([]store.Lot{{OnHand: 3}, {Expiry: soon, OnHand: 2}}, moves(undone.Movements)); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	for i, m := range undone.Movements {
		if want := sale.Movements[1-i].ID; m.Reverses != want || m.Reason != store.Correction || m.Note != "打錯了" {
			t.Errorf("movement %d reverses %d for %q (%q), want %d for a correction", m.ID, m.Reverses, m.Reason, m.Note, want)
		}
	}
	d.checkLevel("a1", "egg", 12, 0)
	d.checkLots("a1", "egg", store.Lot{Expiry: soon, OnHand: 2})
	group, _, err := d.Movements(t.Context(), store.MovementQuery{Group: sale.Movements[1].ID})
	if err != nil || len(group) != 2 || group[0].ReversedBy != undone.Movements[0].ID || group[1].ReversedBy != undone.Movements[1].ID {
		t.Errorf("Movements of the group: %+v, %v, want both undone", group, err)
	}

	// What was there from the beginning came by a movement, too.
	opening, _, err := d.Movements(t.Context(), store.MovementQuery{ShopID: "b1", ProductID: "egg"})
	if err != nil || len(opening) != 1 || opening[0].Reason != store.Imported {
		t.Fatalf("opening movements: %+v, %v, want one import", opening, err)
	}
	d.must(store.Undo{Movement: opening[0].ID})
	d.checkLevel("b1", "egg", 0, 0)
}

// testUndoImport gives what is there dates, while more of it is reserved than
// has none then.
func testUndoImport(t *testing.T, open OpenAt) {
	s := open(t, shelves(), time.Now)
	d := &desk{t: t, Stock: s}
	d.must(reserve("a1", 6))
	rows := func(yield func(store.Row, error) bool) {
		for _, r := range []store.Row{{Quantity: new(int64(3))}, {Quantity: new(int64(4)), Expiry: soon}} {
			r.Shop.ID, r.Product.ID = "a1", "egg"
			if !yield(r, nil) {
				return
			}
		}
	}
	if _, err := s.Import(t.Context(), rows, store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	d.checkLevel("a1", "egg", 7, 6)
	d.checkLots("a1", "egg", store.Lot{Expiry: soon, OnHand: 4})
	moved, _, err := d.Movements(t.Context(), store.MovementQuery{ShopID: "a1", ProductID: "egg"})
	if err != nil || len(moved) != 3 || moved[0].Group != moved[1].Group {
		t.Fatalf("Movements: %+v, %v, want a group of two after the opening", moved, err)
	}
	d.must(store.Undo{Movement: moved[0].ID})
	d.checkLevel("a1", "egg", 10, 6)
	d.checkLots("a1", "egg")
}

func testNotes(t *testing.T, d *desk) {
	m := deliver("a1", 1, "")
	m.Note = "  two\nlines\x00 \u202Eturned\u2066  "
	by := store.WithCaller(context.Background(), store.Caller{ID: "wang", Client: "a\u202Eb\n"})
	got, err := d.Move(by, m)
	if err != nil {
		t.Fatal(err)
	}
	if note, client := got.Movements[0].Note, got.Movements[0].Client; note != "two lines turned" || client != "ab" {
		t.Errorf("note %q, client %q, want each as one line that shows what it says", note, client)
	}
}
