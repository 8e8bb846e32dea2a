package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testRefusals asks for what cannot be: each request is refused for its reason,
// in words that say which value is wrong, and changes nothing.
func testRefusals(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	d.must(reserve("a1", 9)) // of 12
	full := d.must(store.Move{ShopID: "a2", ProductID: "egg", Delta: store.MaxQuantity, Reason: store.Delivery})
	sale := d.must(sell("a1", 1)) // of soon
	undone := d.must(store.Undo{Movement: d.must(deliver("b1", 1, "")).Movements[0].ID})
	dated := d.must(deliver("b1", 4, soon))
	d.must(store.Move{ShopID: "b1", ProductID: "egg", Delta: -3, Reason: store.Waste, Expiry: soon})
	undated := d.must(deliver("b1", 10, ""))
	d.must(sell("b1", 11))         // of soon, and 10 of 13
	d.must(deliver("b1", 9, late)) // there are 12, 3 without a date
	lapsed := d.must(store.Reserve{ShopID: "a1", ProductID: "tea", Quantity: 1, For: time.Second}).Reservation
	d.wait(time.Minute)
	released := d.must(store.Release{Reservation: d.must(store.Reserve{ShopID: "a1", ProductID: "tea", Quantity: 1}).Reservation.ID}).Reservation

	short := func(shop, product string, asked int64, l store.Level) error {
		return &store.InsufficientError{ShopID: shop, ProductID: product, Asked: asked, Level: l}
	}
	invalid, long := &store.InvalidError{}, strings.Repeat("長", 501)
	move := func(delta int64, reason store.Reason) store.Move {
		return store.Move{ShopID: "a1", ProductID: "egg", Delta: delta, Reason: reason}
	}
	for _, tt := range []struct {
		request any
		want    error
		words   string
	}{
		{store.Move{ShopID: "nowhere", ProductID: "egg", Delta: 1, Reason: store.Delivery}, store.ErrNotFound, `shop "nowhere"`},
		{store.Move{ShopID: "a1", ProductID: "nothing", Delta: 1, Reason: store.Delivery}, store.ErrNotFound, `product "nothing"`},
		{store.Move{ShopID: "b1", ProductID: "tea", Delta: -1, Reason: store.Sale}, store.ErrNotFound, `product "tea" is not carried in shop "b1"`},
		{store.Move{ShopID: "b1", ProductID: "tea", Delta: -1, Reason: store.Correction}, store.ErrNotFound, `not carried`},
		{store.Count{ShopID: "nowhere", ProductID: "egg"}, store.ErrNotFound, `shop "nowhere"`},
		{store.Transfer{FromShopID: "b1", ToShopID: "a1", ProductID: "tea", Quantity: 1}, store.ErrNotFound, `not carried in shop "b1"`},
		{store.Transfer{FromShopID: "a1", ToShopID: "nowhere", ProductID: "tea", Quantity: 1}, store.ErrNotFound, `shop "nowhere"`},
		{store.Reserve{ShopID: "b1", ProductID: "tea", Quantity: 1}, store.ErrNotFound, `not carried`},
		{store.Release{Reservation: 1 << 40}, store.ErrNotFound, `reservation 1099511627776`},
		{store.Undo{Movement: 1 << 40}, store.ErrNotFound, `movement 1099511627776`},

		{sell("a1", 3), short("a1", "egg", 3, store.Level{OnHand: 11, Reserved: 9}), `3 asked for, 2 available (11 on hand, 9 reserved)`},
		{store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 3}, short("a1", "egg", 3, store.Level{OnHand: 11, Reserved: 9}), ``},
		{reserve("a1", 3), short("a1", "egg", 3, store.Level{OnHand: 11, Reserved: 9}), ``},
		{store.Move{ShopID: "a1", ProductID: "egg", Delta: -2, Reason: store.Waste, Expiry: soon},
			&store.InsufficientError{ShopID: "a1", ProductID: "egg", Expiry: soon, Asked: 2, Lot: 1}, `of the lot that expires on 2026-11-23, of which there are 1`},
		{store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Waste, Expiry: late},
			&store.InsufficientError{ShopID: "a1", ProductID: "egg", Expiry: late, Asked: 1}, `of which there are 0`},
		{store.Undo{Movement: dated.Movements[0].ID}, &store.InsufficientError{ShopID: "b1", ProductID: "egg", Expiry: soon, Asked: 4}, `of which there are 0`},

		{store.Release{Reservation: lapsed.ID}, store.ErrReservationExpired, `2026-11-22 08:00:01 UTC`},
		{store.Release{Reservation: released.ID}, store.ErrConflict, `released before`},
		{store.Undo{Movement: undone.Movements[0].Reverses}, store.ErrConflict, `undone before, by movement`},
		{store.Undo{Movement: undone.Movements[0].ID}, store.ErrConflict, `record the change anew`},
		{store.Undo{Movement: undated.Movements[0].ID}, store.ErrConflict, `without an expiry date`},

		{move(0, store.Delivery), invalid, `delivery of 0`},
		{move(-1, store.Delivery), invalid, `above 0`},
		{move(1, store.Sale), invalid, `below 0`},
		{move(1, store.Waste), invalid, `below 0`},
		{move(0, store.Correction), invalid, `0`},
		{move(1, store.Counted), invalid, `"count"`},
		{move(1, ""), invalid, `delivery, sale, waste and correction`},
		{move(store.MaxQuantity+1, store.Delivery), invalid, `1000000001`},
		{move(-store.MaxQuantity-1, store.Correction), invalid, `-1000000001`},
		{move(-1<<63, store.Correction), invalid, `-9223372036854775808`},
		{deliver("a1", 1, "2026-02-30"), invalid, `2026-02-30`},
		{deliver("a1", 1, "soon"), invalid, `"soon"`},
		{deliver("a2", 1, ""), invalid, `a level may be at most`},
		{store.Undo{Movement: sale.Movements[0].ID, Note: long}, invalid, `501 characters`},
		{store.Count{ShopID: "a1", ProductID: "egg", Quantity: -1}, invalid, `-1`},
		{store.Count{ShopID: "a1", ProductID: "egg", Quantity: store.MaxQuantity + 1}, invalid, ``},
		{store.Count{ShopID: "a1", ProductID: "egg", Note: "\xff"}, invalid, `UTF-8`},
		{store.Transfer{FromShopID: "a1", ToShopID: "a2", ProductID: "egg", Quantity: 1}, invalid, `a level may be at most`},
		{store.Transfer{FromShopID: "a1", ToShopID: "a2", ProductID: "egg", Quantity: 0}, invalid, `from 1 to`},
		{store.Transfer{FromShopID: "a1", ToShopID: "a1", ProductID: "egg", Quantity: 1}, invalid, `two shops`},
		{store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 0}, invalid, `from 1 to`},
		{store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 1, For: time.Millisecond}, invalid, `1s to 168h0m0s`},
		{store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 1, For: 8 * 24 * time.Hour}, invalid, `192h0m0s`},
		{withOnce(sell("a1", 1), store.Once{Key: long}), invalid, `idempotency key`},
		{withOnce(sell("a1", 1), store.Once{Key: "a\x00"}), invalid, `"a\x00"`},
		{withOnce(sell("a1", 1), store.Once{Key: "\xff"}), invalid, `UTF-8`},
	} {
		before := d.everything()
		for _, dry := range []bool{true, false} {
			once := onceOf(tt.request)
			once.DryRun = dry
			_, err := ask(t.Context(), d.Stock, withOnce(tt.request, once))
			if diff := gocmp.Diff(kind(tt.want), kind(err)); diff != "" {
				t.Errorf("%#v, dry run %v: %v (-want +got):\n%s", tt.request, dry, err, diff)
			} else if !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%#v: %q does not say %q", tt.request, err, tt.words)
			}
			if diff := gocmp.Diff(before, d.everything()); diff != "" {
				t.Errorf("%#v, dry run %v, which was refused, changed (-before +after):\n%s", tt.request, dry, diff)
			}
		}
	}
	d.must(store.Undo{Movement: full.Movements[0].ID})
}

// everything is what can be read of a store that holds little.
type everything struct {
	Levels    map[string][]store.ShopLevel
	Lots      []store.StockLot
	Held      []store.Reservation
	Movements []store.Movement
}

func (d *desk) everything() everything {
	d.t.Helper()
	ctx, all := d.t.Context(), everything{Levels: map[string][]store.ShopLevel{}}
	var errs [5]error
	all.Levels["egg"], _, errs[0] = d.Levels(ctx, store.LevelQuery{ProductID: "egg"})
	all.Levels["tea"], _, errs[1] = d.Levels(ctx, store.LevelQuery{ProductID: "tea"})
	all.Lots, _, errs[2] = d.Expiring(ctx, store.ExpiringQuery{})
	all.Held, _, errs[3] = d.Reservations(ctx, store.ReservationQuery{})
	all.Movements, _, errs[4] = d.Movements(ctx, store.MovementQuery{Page: store.Page{Limit: store.MaxLimit}})
	if err := errors.Join(errs[:]...); err != nil {
		d.t.Fatal(err)
	}
	return all
}

func testKeys(t *testing.T, d *desk) {
	wang := store.WithCaller(t.Context(), store.Caller{ID: "wang"})
	chen := store.WithCaller(t.Context(), store.Caller{ID: "chen"})
	once := store.Once{Key: "訂單 7"}
	for _, request := range []any{
		withOnce(sell("a1", 1), once),
		withOnce(reserve("a1", 1), store.Once{Key: "r"}),
		withOnce(store.Count{ShopID: "b1", ProductID: "egg", Quantity: 2}, store.Once{Key: "c"}),
	} {
		first, err := ask(wang, d.Stock, request)
		if err != nil {
			t.Fatal(err)
		}
		before := d.everything()
		d.wait(time.Second)
		again, err := ask(wang, d.Stock, request)
		first.Replayed = true
		if diff := gocmp.Diff(first, again); err != nil || diff != "" {
			t.Errorf("%#v again: %v (-first +again):\n%s", request, err, diff)
		}
		if diff := gocmp.Diff(before, d.everything()); diff != "" {
			t.Errorf("%#v again changed (-before +after):\n%s", request, diff)
		}
	}
	for _, other := range []any{sell("a1", 2), sell("b1", 1), deliver("a1", 1, ""), reserve("a1", 1), store.Undo{Movement: 1},
		store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Waste},
		store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Sale, Note: "x"}} {
		if _, err := ask(wang, d.Stock, withOnce(other, once)); !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), `"訂單 7" was used for something else`) {
			t.Errorf("%#v under a key that was used: %v, want ErrConflict", other, err)
		}
	}
	if got, err := ask(chen, d.Stock, withOnce(sell("a1", 1), once)); err != nil || got.Replayed {
		t.Errorf("the same key of somebody else: %+v, %v, want another change", got, err)
	}
	d.checkLevel("a1", "egg", 8, 1)

	// What is refused leaves no key.
	once.Key = "refused"
	if _, err := ask(wang, d.Stock, withOnce(sell("a1", 100), once)); err == nil {
		t.Error("100 were sold")
	}
	if _, err := ask(wang, d.Stock, withOnce(sell("a1", 1), once)); err != nil {
		t.Errorf("key of what was refused: %v", err)
	}
}

func testTokens(t *testing.T, d *desk) {
	once := store.Once{Token: "one", TokenUntil: d.now().Add(time.Minute), Key: "k"}
	// Neither a refusal nor a dry run uses it up.
	if _, err := ask(t.Context(), d.Stock, withOnce(sell("a1", 100), once)); err == nil {
		t.Error("100 were sold")
	}
	dry := once
	dry.DryRun = true
	d.must(withOnce(sell("a1", 1), dry))
	d.must(withOnce(sell("a1", 1), once))
	if again := d.must(withOnce(sell("a1", 1), once)); !again.Replayed {
		t.Error("the same request with the same token and key is not replayed")
	}
	for _, key := range []string{"", "other"} {
		once.Key = key
		if _, err := ask(t.Context(), d.Stock, withOnce(sell("a1", 1), once)); !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "used before") {
			t.Errorf("token used twice, with key %q: %v, want ErrConflict", key, err)
		}
	}
	d.wait(time.Minute)
	if _, err := ask(t.Context(), d.Stock, withOnce(sell("a1", 1), once)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("token that is over: %v, want ErrConflict", err)
	}
	d.checkLevel("a1", "egg", 9, 0)
}

func testBounds(t *testing.T, d *desk) {
	level, err := d.Level(t.Context(), "a1", "egg") // 10
	if err != nil {
		t.Fatal(err)
	}
	other := level
	other.OnHand++
	for _, tt := range []struct {
		request any
		once    store.Once
		want    error
	}{
		{sell("a1", 3), store.Once{Most: new(int64(2))}, store.ErrOverLimit},
		{reserve("a1", 3), store.Once{Most: new(int64(2))}, store.ErrOverLimit},
		{store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 3}, store.Once{Most: new(int64(2))}, store.ErrOverLimit},
		{store.Count{ShopID: "a1", ProductID: "egg", Quantity: 9}, store.Once{From: &other}, store.ErrChanged},
	} {
		before := d.everything()
		tt.once.Key = "k"
		if _, err := ask(t.Context(), d.Stock, withOnce(tt.request, tt.once)); !errors.Is(err, tt.want) {
			t.Errorf("%#v: %v, want %v", tt.request, err, tt.want)
		}
		if diff := gocmp.Diff(before, d.everything()); diff != "" {
			t.Errorf("%#v changed (-before +after):\n%s", tt.request, diff)
		}
	}
	d.must(withOnce(sell("a1", 3), store.Once{Most: new(int64(3)), From: &level}))
	d.checkLevel("a1", "egg", 7, 0)
}

func testDryRun(t *testing.T, d *desk) {
	d.must(deliver("a1", 2, soon))
	held := d.must(reserve("a1", 4)).Reservation
	sale := d.must(sell("a1", 1))
	for _, request := range []any{
		sell("a1", 3), deliver("b1", 1, late), store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 2},
		reserve("a1", 1), store.Release{Reservation: held.ID}, store.Undo{Movement: sale.Movements[0].ID},
		store.Count{ShopID: "a1", ProductID: "egg", Quantity: 0},
	} {
		before := d.everything()
		dry := d.must(withOnce(request, store.Once{DryRun: true, Key: "k"}))
		if diff := gocmp.Diff(before, d.everything()); diff != "" {
			t.Errorf("dry run of %#v changed (-before +after):\n%s", request, diff)
		}
		real := d.must(request)
		if diff := gocmp.Diff(real.Levels, dry.Levels); diff != "" {
			t.Errorf("dry run of %#v (-real +dry):\n%s", request, diff)
		}
		if diff := gocmp.Diff(moves(real.Movements), moves(dry.Movements)); diff != "" {
			t.Errorf("dry run of %#v (-real +dry):\n%s", request, diff)
		}
	}
}

func testEndedContextOfChange(t *testing.T, d *desk) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := d.everything()
	for _, request := range []any{
		sell("a1", 1), store.Count{ShopID: "a1", ProductID: "egg", Quantity: 1}, reserve("a1", 1), store.Undo{Movement: 1},
	} {
		if _, err := ask(ctx, d.Stock, request); !errors.Is(err, context.Canceled) {
			t.Errorf("%#v with an ended context: %v, want context.Canceled", request, err)
		}
	}
	for name, read := range map[string]func() error{
		"Movements":    func() error { _, _, err := d.Movements(ctx, store.MovementQuery{}); return err },
		"Reservation":  func() error { _, err := d.Reservation(ctx, 1); return err },
		"Reservations": func() error { _, _, err := d.Reservations(ctx, store.ReservationQuery{}); return err },
		"Lots":         func() error { _, err := d.Lots(ctx, "a1", "egg"); return err },
		"LowStock":     func() error { _, _, err := d.LowStock(ctx, store.LowStockQuery{}); return err },
		"Expiring":     func() error { _, _, err := d.Expiring(ctx, store.ExpiringQuery{}); return err },
		"Secret":       func() error { _, err := d.Secret(ctx, "x"); return err },
		"Watch":        func() error { return d.Watch(ctx, func(store.Changes) {}) },
	} {
		if err := read(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v, want context.Canceled", name, err)
		}
	}
	if diff := gocmp.Diff(before, d.everything()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}
