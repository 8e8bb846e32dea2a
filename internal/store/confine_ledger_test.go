package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// kept is all that changes could have touched.
func kept(t *testing.T, s store.Store) map[string]any {
	t.Helper()
	movements := all(func(p store.Page) ([]store.Movement, string, error) {
		return s.Movements(t.Context(), store.MovementQuery{Page: p})
	})
	held := all(func(p store.Page) ([]store.Reservation, string, error) {
		return s.Reservations(t.Context(), store.ReservationQuery{Page: p})
	})
	return map[string]any{"movements": movements, "held": held}
}

func must(t *testing.T) func(store.Receipt, error) store.Receipt {
	return func(r store.Receipt, err error) store.Receipt {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// sale is one of a product that all the shops carry.
func sale(shop string) store.Move {
	return store.Move{ShopID: shop, ProductID: "tea-egg", Delta: -1, Reason: store.Sale}
}

// elsewhere is a product that own does not carry.
func elsewhere(t *testing.T, c store.Catalog) string {
	t.Helper()
	carried := make(map[string]bool)
	for _, l := range c.Levels {
		if l.ShopID == own {
			carried[l.ProductID] = true
		}
	}
	for _, l := range c.Levels {
		if !carried[l.ProductID] {
			return l.ProductID
		}
	}
	t.Fatalf("%s carries everything", own)
	return ""
}

func TestConfinedCallerChangesOneShopAlone(t *testing.T) {
	catalog := demo.Catalog()
	db := open(t, catalog)
	s := store.Confine(db)
	owner, clerk := t.Context(), as(t, "clerk", own)
	strange := elsewhere(t, catalog)
	theirs := must(t)(db.Move(owner, sale(other)))
	held := must(t)(db.Reserve(store.WithCaller(owner, store.Caller{ID: "clerk"}), store.Reserve{ShopID: other, ProductID: "tea-egg", Quantity: 1}))

	before := kept(t, db)
	for name, change := range map[string]func(context.Context) (store.Receipt, error){
		"sale":          func(ctx context.Context) (store.Receipt, error) { return s.Move(ctx, sale(other)) },
		"sale, foreign": func(ctx context.Context) (store.Receipt, error) { return s.Move(ctx, sale(foreign)) },
		"sale nowhere":  func(ctx context.Context) (store.Receipt, error) { return s.Move(ctx, sale("nowhere")) },
		"sale of what only others carry": func(ctx context.Context) (store.Receipt, error) {
			return s.Move(ctx, store.Move{ShopID: own, ProductID: strange, Delta: -1, Reason: store.Sale})
		},
		"delivery of what only others carry": func(ctx context.Context) (store.Receipt, error) {
			return s.Move(ctx, store.Move{ShopID: own, ProductID: strange, Delta: 1, Reason: store.Delivery})
		},
		"count": func(ctx context.Context) (store.Receipt, error) {
			return s.Count(ctx, store.Count{ShopID: other, ProductID: "tea-egg"})
		},
		"count of what only others carry": func(ctx context.Context) (store.Receipt, error) {
			return s.Count(ctx, store.Count{ShopID: own, ProductID: strange, Quantity: 1})
		},
		"transfer away": func(ctx context.Context) (store.Receipt, error) {
			return s.Transfer(ctx, store.Transfer{FromShopID: own, ToShopID: other, ProductID: "tea-egg", Quantity: 1})
		},
		"transfer here": func(ctx context.Context) (store.Receipt, error) {
			return s.Transfer(ctx, store.Transfer{FromShopID: other, ToShopID: own, ProductID: "tea-egg", Quantity: 1})
		},
		"transfer among others": func(ctx context.Context) (store.Receipt, error) {
			return s.Transfer(ctx, store.Transfer{FromShopID: other, ToShopID: foreign, ProductID: "tea-egg", Quantity: 1})
		},
		"reserve": func(ctx context.Context) (store.Receipt, error) {
			return s.Reserve(ctx, store.Reserve{ShopID: other, ProductID: "tea-egg", Quantity: 1})
		},
		"release of what they held before they were confined": func(ctx context.Context) (store.Receipt, error) {
			return s.Release(ctx, store.Release{Reservation: held.Reservation.ID})
		},
		"undo": func(ctx context.Context) (store.Receipt, error) {
			return s.Undo(ctx, store.Undo{Movement: theirs.Movements[0].ID})
		},
		"undo of nothing": func(ctx context.Context) (store.Receipt, error) { return s.Undo(ctx, store.Undo{Movement: 1 << 40}) },
	} {
		if r, err := change(clerk); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s = %v, %v; want ErrNotFound", name, r, err)
		}
	}
	if diff := cmp.Diff(before, kept(t, db)); diff != "" {
		t.Errorf("something changed (-before +after):\n%s", diff)
	}

	must(t)(s.Move(clerk, sale(own)))
	must(t)(s.Count(clerk, store.Count{ShopID: own, ProductID: "tea-egg", Quantity: 4}))
	mine := must(t)(s.Reserve(clerk, store.Reserve{ShopID: own, ProductID: "tea-egg", Quantity: 1}))
	must(t)(s.Release(clerk, store.Release{Reservation: mine.Reservation.ID}))
}

func TestConfinedCallerUndoesWhatIsTheirsAlone(t *testing.T) {
	db := open(t, demo.Catalog())
	s, clerk := store.Confine(db), as(t, "clerk", own)
	transfer := must(t)(db.Transfer(t.Context(), store.Transfer{FromShopID: other, ToShopID: own, ProductID: "tea-egg", Quantity: 1}))
	for _, m := range transfer.Movements {
		_, err := s.Undo(clerk, store.Undo{Movement: m.ID})
		var conflict *store.ConflictError
		if m.ShopID != own && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("undo of the other shop's movement: %v, want ErrNotFound", err)
		}
		if m.ShopID == own && (!errors.As(err, &conflict) || conflict.Kind != store.NotTheirsAlone) {
			t.Errorf("undo of their side of a transfer: %v, want NotTheirsAlone", err)
		}
	}
	one := must(t)(db.Move(t.Context(), sale(own)))
	undone := must(t)(s.Undo(clerk, store.Undo{Movement: one.Movements[0].ID}))
	if m := undone.Movements[0]; m.Delta != 1 || m.Reverses != one.Movements[0].ID {
		t.Errorf("undo of their own movement: %+v", m)
	}
}

func TestConfinedCallerFindsMovementsOfOneShop(t *testing.T) {
	db := open(t, demo.Catalog())
	s, clerk := store.Confine(db), as(t, "clerk", own)
	transfer := must(t)(db.Transfer(t.Context(), store.Transfer{FromShopID: other, ToShopID: own, ProductID: "tea-egg", Quantity: 1}))
	for range 5 {
		for _, shop := range []string{own, other} {
			must(t)(db.Move(t.Context(), store.Move{ShopID: shop, ProductID: "tea-egg", Delta: 1, Reason: store.Delivery}))
		}
	}
	for _, q := range []store.MovementQuery{{}, {ShopID: own}, {ProductID: "tea-egg"}, {Group: transfer.Movements[0].ID}} {
		found := all(func(p store.Page) ([]store.Movement, string, error) {
			q.Page = p
			return s.Movements(clerk, q)
		})
		if len(found) == 0 {
			t.Errorf("%+v finds nothing", q)
		}
		for _, m := range found {
			if m.ShopID != own {
				t.Errorf("%+v finds movement %d of %s", q, m.ID, m.ShopID)
			}
		}
	}
	if found, _, err := s.Movements(clerk, store.MovementQuery{ShopID: other}); err != nil || len(found) > 0 {
		t.Errorf("movements of another shop: %v, %v", found, err)
	}
}

func TestReservationIsItsMakersAlone(t *testing.T) {
	db := open(t, demo.Catalog())
	s := store.Confine(db)
	must(t)(db.Move(t.Context(), store.Move{ShopID: own, ProductID: "tea-egg", Delta: 1000, Reason: store.Delivery}))
	who := map[string]context.Context{"": t.Context(), "a": as(t, "a", ""), "b": as(t, "b", own)}
	made := make(map[string][]int64)
	for i := range store.MaxLimit + 20 { // pages of others' between two of one's own
		id := "a"
		switch {
		case i%(store.MaxLimit+10) == 0:
			id = "b"
		case i%9 == 0:
			id = ""
		}
		r := must(t)(s.Reserve(who[id], store.Reserve{ShopID: own, ProductID: "tea-egg", Quantity: 1}))
		made[id] = append(made[id], r.Reservation.ID)
	}
	for id, ctx := range who {
		for _, limit := range []int{7, store.MaxLimit} {
			var found []int64
			q := store.ReservationQuery{ShopID: own, ProductID: "tea-egg", Page: store.Page{Limit: limit}}
			for {
				held, next, err := s.Reservations(ctx, q)
				if err != nil || len(held) > limit {
					t.Fatalf("%d reservations, %v; asked for %d", len(held), err, limit)
				}
				for _, r := range held {
					found = append(found, r.ID)
				}
				if q.Cursor = next; next == "" {
					break
				}
				if len(held) < limit {
					t.Errorf("%q: a page of %d has %d, and is not the last", id, limit, len(held))
				}
			}
			if diff := cmp.Diff(made[id], found); diff != "" {
				t.Errorf("reservations of %q, %d a page (-want +got):\n%s", id, limit, diff)
			}
		}
		for maker, ids := range made {
			_, err := s.Reservation(ctx, ids[0])
			if theirs := id == maker; theirs != (err == nil) || !theirs && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q looks up a reservation of %q: %v", id, maker, err)
			}
			if id == maker {
				continue
			}
			if r, err := s.Release(ctx, store.Release{Reservation: ids[0]}); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q releases a reservation of %q: %v, %v", id, maker, r, err)
			}
		}
	}
	for id, ctx := range who {
		must(t)(s.Release(ctx, store.Release{Reservation: made[id][0]}))
	}
}

func TestCountDoesNotTellWhoseReservationsGaveWay(t *testing.T) {
	db := open(t, demo.Catalog())
	s := store.Confine(db)
	a, b := as(t, "a", ""), as(t, "b", "")
	must(t)(s.Reserve(a, store.Reserve{ShopID: own, ProductID: "tea-egg", Quantity: 1, Note: "for a's friend"}))
	must(t)(s.Reserve(b, store.Reserve{ShopID: own, ProductID: "tea-egg", Quantity: 1, Note: "for b's friend"}))
	r := must(t)(s.Count(b, store.Count{ShopID: own, ProductID: "tea-egg", Quantity: 0}))
	var notes []string
	for _, gone := range r.Released {
		if gone.ID == 0 || gone.Quantity != 1 {
			t.Errorf("%+v does not say what gave way", gone)
		}
		notes = append(notes, gone.Actor+": "+gone.Note)
	}
	if diff := cmp.Diff([]string{"b: for b's friend", ": "}, notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfinedCallerCannotWatch(t *testing.T) {
	s := store.Confine(open(t, demo.Catalog()))
	err := s.Watch(as(t, "x", own), func(c store.Changes) { t.Errorf("told of %+v", c) })
	if err == nil {
		t.Error("Watch is not refused")
	}
	ctx, stop := context.WithCancel(as(t, "x", ""))
	if err := s.Watch(ctx, func(store.Changes) { stop() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}
