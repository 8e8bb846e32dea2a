package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/memory"
)

var ctx = context.Background()

// shop is a backend of one product in two shops, with a clock of its own.
type shop struct {
	*memory.DB
	time time.Time
}

func newShop(t interface{ Fatal(...any) }) *shop {
	s := &shop{time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	var err error
	s.DB, err = memory.New(store.Catalog{
		Shops:    []store.Shop{{ID: "a", Name: "甲"}, {ID: "b", Name: "乙"}},
		Products: []store.Product{{ID: "egg", Name: "茶葉蛋"}},
		Levels:   []store.CatalogLevel{{ShopID: "a", ProductID: "egg", OnHand: 20}, {ShopID: "b", ProductID: "egg", OnHand: 5}},
	}, func() time.Time { return s.time }, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ExampleLedger() {
	s := newShop(nil)
	receipt, _ := s.Move(ctx, store.Move{ShopID: "a", ProductID: "egg", Delta: -3, Reason: store.Sale})
	fmt.Println("left:", receipt.Levels[0].After.OnHand)
	_, err := s.Move(ctx, store.Move{ShopID: "b", ProductID: "egg", Delta: -30, Reason: store.Sale})
	fmt.Println(err)
	// Output:
	// left: 17
	// record movement: product "egg" in shop "b": 30 asked for, 5 available (5 on hand, 0 reserved)
}

// What must hold after any changes, whatever they were.
func TestTheBooksBalance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop(rt)
		any := func(name string) string { return rapid.SampledFrom([]string{"a", "b"}).Draw(rt, name) }
		n := func(most int64) int64 { return rapid.Int64Range(1, most).Draw(rt, "n") }
		var movements, reservations []int64
		keep := func(r store.Receipt, err error) {
			if err != nil {
				return
			}
			for _, m := range r.Movements {
				movements = append(movements, m.ID)
			}
			if r.Reservation != nil {
				reservations = append(reservations, r.Reservation.ID)
			}
		}
		expiry := rapid.SampledFrom([]store.Date{"", "2026-12-01", "2026-12-02"})
		rt.Repeat(map[string]func(*rapid.T){
			"deliver": func(rt *rapid.T) {
				keep(s.Move(ctx, store.Move{ShopID: any("shop"), ProductID: "egg", Delta: n(9), Reason: store.Delivery, Expiry: expiry.Draw(rt, "expiry")}))
			},
			"sell": func(rt *rapid.T) {
				keep(s.Move(ctx, store.Move{ShopID: any("shop"), ProductID: "egg", Delta: -n(9), Reason: store.Sale, Expiry: expiry.Draw(rt, "expiry")}))
			},
			"count": func(*rapid.T) {
				keep(s.Count(ctx, store.Count{ShopID: any("shop"), ProductID: "egg", Quantity: n(25)}))
			},
			"reserve": func(*rapid.T) {
				keep(s.Reserve(ctx, store.Reserve{ShopID: any("shop"), ProductID: "egg", Quantity: n(5)}))
			},
			"transfer": func(*rapid.T) {
				keep(s.Transfer(ctx, store.Transfer{FromShopID: "a", ToShopID: "b", ProductID: "egg", Quantity: n(5)}))
			},
			"release": func(rt *rapid.T) {
				if len(reservations) > 0 {
					keep(s.Release(ctx, store.Release{Reservation: rapid.SampledFrom(reservations).Draw(rt, "reservation")}))
				}
			},
			"undo": func(rt *rapid.T) {
				if len(movements) > 0 {
					keep(s.Undo(ctx, store.Undo{Movement: rapid.SampledFrom(movements).Draw(rt, "movement")}))
				}
			},
			"wait": func(rt *rapid.T) { s.time = s.time.Add(time.Duration(n(40)) * time.Minute) },
			"":     func(rt *rapid.T) { checkBooks(rt, s) },
		})
	})
}

func checkBooks(t *rapid.T, s *shop) {
	for _, id := range []string{"a", "b"} {
		level, err := s.Level(ctx, id, "egg")
		if err != nil {
			t.Fatal(err)
		}
		if level.Reserved < 0 || level.Reserved > level.OnHand {
			t.Fatalf("%d of %d are reserved", level.Reserved, level.OnHand)
		}
		var moved, held, dated int64
		for q := (store.MovementQuery{ShopID: id}); ; {
			page, next, err := s.Movements(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page {
				moved += m.Delta
				if m.After.OnHand != m.Before.OnHand+m.Delta {
					t.Fatalf("movement %+v does not add up", m)
				}
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
		if moved != level.OnHand {
			t.Fatalf("movements add up to %d, on hand are %d", moved, level.OnHand)
		}
		reservations, _, err := s.Reservations(ctx, store.ReservationQuery{ShopID: id, Page: store.Page{Limit: store.MaxLimit}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reservations {
			held += r.Quantity
		}
		if held != level.Reserved {
			t.Fatalf("reservations add up to %d, reserved are %d", held, level.Reserved)
		}
		lots, err := s.Lots(ctx, id, "egg")
		if err != nil {
			t.Fatal(err)
		}
		for _, lot := range lots {
			if dated += lot.OnHand; lot.OnHand <= 0 {
				t.Fatalf("lot %+v has nothing", lot)
			}
		}
		if dated > level.OnHand {
			t.Fatalf("lots hold %d of %d on hand", dated, level.OnHand)
		}
	}
}

func TestUndoRestoresWhatWasThere(t *testing.T) {
	s := newShop(t)
	must := func(r store.Receipt, err error) store.Receipt {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	must(s.Move(ctx, store.Move{ShopID: "a", ProductID: "egg", Delta: 4, Reason: store.Delivery, Expiry: "2026-12-01"}))
	must(s.Reserve(ctx, store.Reserve{ShopID: "a", ProductID: "egg", Quantity: 2}))
	before, _ := s.Level(ctx, "a", "egg")
	lots, _ := s.Lots(ctx, "a", "egg")
	for _, change := range []func() (store.Receipt, error){
		func() (store.Receipt, error) { // from the dated lot and from what has no date
			return s.Move(ctx, store.Move{ShopID: "a", ProductID: "egg", Delta: -6, Reason: store.Sale})
		},
		func() (store.Receipt, error) {
			return s.Transfer(ctx, store.Transfer{FromShopID: "a", ToShopID: "b", ProductID: "egg", Quantity: 5})
		},
		func() (store.Receipt, error) {
			return s.Count(ctx, store.Count{ShopID: "a", ProductID: "egg", Quantity: 30})
		},
	} {
		done := must(change())
		must(s.Undo(ctx, store.Undo{Movement: done.Movements[len(done.Movements)-1].ID}))
		after, _ := s.Level(ctx, "a", "egg")
		afterLots, _ := s.Lots(ctx, "a", "egg")
		if diff := gocmp.Diff(before, after, cmpopts.IgnoreFields(store.Level{}, "AsOf")); diff != "" {
			t.Errorf("after undoing %+v (-before +after):\n%s", done.Movements, diff)
		}
		if diff := gocmp.Diff(lots, afterLots); diff != "" {
			t.Errorf("lots after undoing %+v (-before +after):\n%s", done.Movements, diff)
		}
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	s := newShop(t)
	_, err := s.Transfer(ctx, store.Transfer{FromShopID: "a", ToShopID: "b", ProductID: "egg", Quantity: 21, Once: store.Once{Key: "k"}})
	if _, ok := errors.AsType[*store.InsufficientError](err); !ok {
		t.Fatalf("Transfer: %v, want an InsufficientError", err)
	}
	if movements, _, _ := s.Movements(ctx, store.MovementQuery{}); len(movements) != 2 {
		t.Errorf("%d movements, want the two of the beginning", len(movements))
	}
	if _, err := s.Transfer(ctx, store.Transfer{FromShopID: "a", ToShopID: "b", ProductID: "egg", Quantity: 1, Once: store.Once{Key: "k"}}); err != nil {
		t.Errorf("the key of a refused change is taken: %v", err)
	}
}
