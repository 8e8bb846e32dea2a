package storetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mcpstore/mcpstore/internal/store"
)

// shelves are three shops of two chains and two products, which are not carried
// everywhere.
func shelves() store.Catalog {
	return store.Catalog{
		Shops:    []store.Shop{{ID: "a1", Name: "甲一", Chain: "a"}, {ID: "a2", Name: "甲二", Chain: "a"}, {ID: "b1", Name: "乙一", Chain: "b"}},
		Products: []store.Product{{ID: "egg", Name: "茶葉蛋", ReorderPoint: 5}, {ID: "tea", Name: "奶茶"}},
		Levels: []store.CatalogLevel{
			{ShopID: "a1", ProductID: "egg", OnHand: 10, AsOf: asOf},
			{ShopID: "a2", ProductID: "egg", OnHand: 0, AsOf: asOf},
			{ShopID: "b1", ProductID: "egg", OnHand: 3, AsOf: asOf},
			{ShopID: "a1", ProductID: "tea", OnHand: 4, AsOf: asOf},
		},
	}
}

// testLedgerAgainstModel makes random changes of a store and of a [model], and
// compares all that can be read after each.
func testLedgerAgainstModel(t *testing.T, open OpenStock) {
	// A database for each of rapid's hundred sequences takes some seconds, so
	// there are fewer, unless somebody asks for more.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		checks.Value.Set("30")
		defer checks.Value.Set(checks.DefValue)
	}
	// The same ones each time, unless somebody looks for others.
	if seed := flag.Lookup("rapid.seed"); seed.Value.String() == seed.DefValue {
		seed.Value.Set("20261122")
		defer seed.Value.Set(seed.DefValue)
	}
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
		s := open(t, shelves(), func() time.Time { return now })
		p := &pair{store: s, model: newModel(shelves())}
		defer s.Close()
		// What is there from the beginning moved too.
		opening, _, err := s.Movements(t.Context(), store.MovementQuery{})
		if err != nil {
			rt.Fatal(err)
		}
		slices.Reverse(opening)
		p.model.movements = opening

		actions := map[string]func(*rapid.T){
			"wait": func(rt *rapid.T) {
				if held := p.model.held(); len(held) > 0 && rapid.Bool().Draw(rt, "until the next lapses") {
					now = held[0].Until
					return
				}
				now = now.Add(time.Duration(rapid.Int64Range(1, int64(40*time.Minute/time.Microsecond)).Draw(rt, "µs")) * time.Microsecond)
			},
			"again": func(rt *rapid.T) { // with the same key, and mostly the same content
				if len(p.keyed) > 0 {
					c := rapid.SampledFrom(p.keyed).Draw(rt, "call")
					if rapid.IntRange(0, 3).Draw(rt, "other") == 0 {
						c.request = withOnce(draw(rt, p.model, "count"), onceOf(c.request))
					}
					p.do(rt, now, c)
				}
			},
			"": func(rt *rapid.T) {
				p.model.lapse(now)
				p.compareLevels(rt)
			},
		}
		for _, kind := range []string{"move", "count", "transfer", "reserve", "release", "undo"} {
			actions[kind] = func(rt *rapid.T) {
				p.do(rt, now, call{drawCaller(rt), withOnce(draw(rt, p.model, kind), drawOnce(rt, now))})
			}
		}
		rt.Repeat(actions)
		p.compareHistory(rt)
	})
}

// pair is a store beside its model.
type pair struct {
	store store.Stock
	model *model
	keyed []call // that had an idempotency key and were not refused
}

// call is a request and who makes it.
type call struct {
	by      store.Caller
	request any
}

// do makes a request of both, and compares the answers.
func (p *pair) do(rt *rapid.T, now time.Time, c call) {
	after, want, wantErr := p.model.do(now, c.by, c.request)
	got, err := ask(store.WithCaller(context.Background(), c.by), p.store, c.request)
	if diff := gocmp.Diff(kind(wantErr), kind(err)); diff != "" {
		rt.Fatalf("%#v: %v (-want +got):\n%s", c, err, diff)
	}
	if err != nil {
		return
	}
	once := onceOf(c.request)
	if !got.Replayed {
		identifyReceipt(rt, &want, got)
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%#v (-want +got):\n%s", c, diff)
	}
	p.model = after
	if !once.DryRun && !got.Replayed {
		p.model.identify(c.by, once.Key, got)
		if once.Key != "" {
			p.keyed = append(p.keyed, c)
		}
	}
}

// identifyReceipt gives want the IDs that are new in got, if they are as IDs
// should be.
func identifyReceipt(rt *rapid.T, want *store.Receipt, got store.Receipt) {
	for i := range min(len(want.Movements), len(got.Movements)) {
		if i > 0 && got.Movements[i].ID <= got.Movements[i-1].ID {
			rt.Fatalf("movement %d comes after movement %d", got.Movements[i].ID, got.Movements[i-1].ID)
		}
		want.Movements[i].ID, want.Movements[i].Group = got.Movements[i].ID, got.Movements[0].ID
	}
	if want.Reservation != nil && got.Reservation != nil && want.Reservation.State == store.Held {
		want.Reservation.ID = got.Reservation.ID
	}
}

// compareLevels compares what is there now.
func (p *pair) compareLevels(rt *rapid.T) {
	ctx := context.Background()
	for _, shop := range p.model.shops {
		for _, product := range p.model.products {
			want, carried := p.model.levels[at{shop, product}]
			got, err := p.store.Level(ctx, shop, product)
			if carried != (err == nil) || err != nil && !errors.Is(err, store.ErrNotFound) {
				rt.Fatalf("Level(%q, %q): %v, carried: %v", shop, product, err, carried)
			}
			if diff := gocmp.Diff(want.Level, got); diff != "" {
				rt.Fatalf("Level(%q, %q) (-want +got):\n%s", shop, product, diff)
			}
			lots, err := p.store.Lots(ctx, shop, product)
			if diff := gocmp.Diff(want.list(), lots, cmpopts.EquateEmpty()); err != nil || diff != "" {
				rt.Fatalf("Lots(%q, %q): %v (-want +got):\n%s", shop, product, err, diff)
			}
		}
	}
	for _, product := range p.model.products {
		for _, chain := range []string{"", "a"} {
			got, err := p.store.Total(ctx, product, chain)
			if diff := gocmp.Diff(p.model.total(product, chain), got); err != nil || diff != "" {
				rt.Fatalf("Total(%q, %q): %v (-want +got):\n%s", product, chain, err, diff)
			}
		}
	}
	held, _, err := p.store.Reservations(ctx, store.ReservationQuery{Page: store.Page{Limit: store.MaxLimit}})
	if diff := gocmp.Diff(p.model.held(), held, cmpopts.EquateEmpty()); err != nil || diff != "" {
		rt.Fatalf("Reservations: %v (-want +got):\n%s", err, diff)
	}
}

// compareHistory compares how it came to be there, and lets the store verify
// itself.
func (p *pair) compareHistory(rt *rapid.T) {
	ctx := context.Background()
	for _, want := range p.model.reservations {
		got, err := p.store.Reservation(ctx, want.ID)
		if diff := gocmp.Diff(want, got); err != nil || diff != "" {
			rt.Fatalf("Reservation(%d): %v (-want +got):\n%s", want.ID, err, diff)
		}
	}
	for at, l := range p.model.levels {
		var want []store.Movement
		var sum int64
		for _, m := range slices.Backward(p.model.movements) {
			if m.ShopID == at.shop && m.ProductID == at.product {
				want = append(want, m)
				sum += m.Delta
			}
		}
		if sum != l.OnHand {
			rt.Fatalf("movements of %v add up to %d, on hand are %d", at, sum, l.OnHand)
		}
		var got []store.Movement
		q := store.MovementQuery{ShopID: at.shop, ProductID: at.product, Page: store.Page{Limit: 7}}
		for {
			page, next, err := p.store.Movements(ctx, q)
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, page...)
			if q.Cursor = next; next == "" {
				break
			}
		}
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("Movements of %v (-want +got):\n%s", at, diff)
		}
	}
	if found, err := verify(ctx, p.store); err != nil || len(found) > 0 {
		rt.Fatalf("Verify: %v, %v", found, err)
	}
}

// kind says which refusal err is, of those that callers tell apart.
func kind(err error) string {
	var insufficient *store.InsufficientError
	var invalid *store.InvalidError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &insufficient):
		return insufficient.Error()
	case errors.As(err, &invalid):
		return "invalid"
	}
	for _, refusal := range []error{store.ErrNotFound, store.ErrConflict, store.ErrReservationExpired} {
		if errors.Is(err, refusal) {
			return refusal.Error()
		}
	}
	return "failed: " + err.Error()
}

// ask makes a request of s.
func ask(ctx context.Context, s store.Stock, request any) (store.Receipt, error) {
	switch r := request.(type) {
	case store.Move:
		return s.Move(ctx, r)
	case store.Count:
		return s.Count(ctx, r)
	case store.Transfer:
		return s.Transfer(ctx, r)
	case store.Reserve:
		return s.Reserve(ctx, r)
	case store.Release:
		return s.Release(ctx, r)
	case store.Undo:
		return s.Undo(ctx, r)
	}
	panic(fmt.Sprintf("storetest: ask %T", request))
}

// withOnce returns request with once, and onceOf what it has.
func withOnce(request any, once store.Once) any {
	switch r := request.(type) {
	case store.Move:
		r.Once = once
		return r
	case store.Count:
		r.Once = once
		return r
	case store.Transfer:
		r.Once = once
		return r
	case store.Reserve:
		r.Once = once
		return r
	case store.Release:
		r.Once = once
		return r
	case store.Undo:
		r.Once = once
		return r
	}
	panic(fmt.Sprintf("storetest: once of %T", request))
}

func onceOf(request any) store.Once {
	switch r := request.(type) {
	case store.Move:
		return r.Once
	case store.Count:
		return r.Once
	case store.Transfer:
		return r.Once
	case store.Reserve:
		return r.Once
	case store.Release:
		return r.Once
	case store.Undo:
		return r.Once
	}
	panic(fmt.Sprintf("storetest: once of %T", request))
}
