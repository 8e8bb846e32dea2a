package storetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

// RunBeside makes random changes of two backends at once and compares every
// answer, every error, and after each change all lists in their order, page by
// page.
func RunBeside(t *testing.T, openOne, openOther OpenStock) {
	// A database for each of rapid's hundred sequences takes some seconds, so
	// there are fewer by default, of more changes each.
	checks := "30"
	if testing.Short() {
		checks = "6"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.steps": "60", "rapid.seed": "20261122"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			f.Value.Set(value)
			defer f.Value.Set(f.DefValue)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := &pair{time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
		now := func() time.Time { return p.time }
		p.one, p.other = openOne(t, shelves(), now), openOther(t, shelves(), now)
		defer p.one.Close()
		defer p.other.Close()
		actions := map[string]func(*rapid.T){
			"wait": func(rt *rapid.T) {
				held, _, err := p.one.Reservations(context.Background(), store.ReservationQuery{})
				if err != nil {
					rt.Fatal(err)
				}
				if len(held) > 0 && rapid.Bool().Draw(rt, "until the next lapses") {
					p.time = held[0].Until
					return
				}
				if rapid.IntRange(0, 3).Draw(rt, "until midnight") == 0 {
					y, m, d := p.time.In(Zone).Date()
					p.time = time.Date(y, m, d+1, 0, 0, 0, 0, Zone)
					return
				}
				p.time = p.time.Add(time.Duration(rapid.Int64Range(1, int64(40*time.Minute/time.Microsecond)).Draw(rt, "µs")) * time.Microsecond)
			},
			"again": func(rt *rapid.T) { // with the same key, and mostly the same content
				if len(p.keyed) == 0 {
					return
				}
				c := rapid.SampledFrom(p.keyed).Draw(rt, "call")
				if rapid.IntRange(0, 3).Draw(rt, "other") == 0 {
					c.request = withOnce(p.draw(rt, "count"), onceOf(c.request))
				}
				p.do(rt, c)
			},
			"": p.compare,
		}
		for _, kind := range []string{"move", "count", "transfer", "reserve", "release", "undo"} {
			actions[kind] = func(rt *rapid.T) {
				p.do(rt, call{drawCaller(rt), withOnce(p.draw(rt, kind), drawOnce(rt, p.time))})
			}
		}
		rt.Repeat(actions)
		for _, s := range []store.Stock{p.one, p.other} {
			if found, err := verify(context.Background(), s); err != nil || len(found) > 0 {
				rt.Fatalf("Verify: %v, %v", found, err)
			}
		}
	})
}

// pair is two backends that are asked the same.
type pair struct {
	one, other   store.Stock
	time         time.Time
	keyed        []call  // that had an idempotency key and were not refused
	movements    []int64 // the IDs that were given out
	reservations []int64
}

// call is a request and who makes it.
type call struct {
	by      store.Caller
	request any
}

// do makes a request of both, and compares the answers.
func (p *pair) do(rt *rapid.T, c call) {
	ctx := store.WithCaller(context.Background(), c.by)
	want, wantErr := ask(ctx, p.one, c.request)
	got, err := ask(ctx, p.other, c.request)
	if kind(wantErr) != kind(err) || kind(err) == "invalid" && wantErr.Error() != err.Error() {
		rt.Fatalf("%#v: %v and %v", c, wantErr, err)
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%#v (-one +other):\n%s", c, diff)
	}
	once := onceOf(c.request)
	if err != nil || once.DryRun || got.Replayed {
		return
	}
	for _, m := range got.Movements {
		p.movements = append(p.movements, m.ID)
	}
	if got.Reservation != nil {
		p.reservations = append(p.reservations, got.Reservation.ID)
	}
	if once.Key != "" {
		p.keyed = append(p.keyed, c)
	}
}

// compare compares all that can be read.
func (p *pair) compare(rt *rapid.T) {
	ctx := context.Background()
	catalog := shelves()
	same(rt, p, "Summary", func(s store.Stock) (any, error) { return s.Summary(ctx) })
	for _, product := range catalog.Products {
		for _, shop := range catalog.Shops {
			name := fmt.Sprintf("(%q, %q)", shop.ID, product.ID)
			same(rt, p, "Level"+name, func(s store.Stock) (any, error) { return s.Level(ctx, shop.ID, product.ID) })
			same(rt, p, "Lots"+name, func(s store.Stock) (any, error) { return s.Lots(ctx, shop.ID, product.ID) })
		}
		for _, chain := range []string{"", "a"} {
			same(rt, p, "Total", func(s store.Stock) (any, error) { return s.Total(ctx, product.ID, chain) })
			for _, inStock := range []bool{false, true} {
				samePages(rt, p, "Levels", func(s store.Stock, page store.Page) ([]store.ShopLevel, string, error) {
					return s.Levels(ctx, store.LevelQuery{ProductID: product.ID, Chain: chain, InStock: inStock, Page: page})
				})
			}
		}
	}
	three := int64(3)
	for _, threshold := range []*int64{nil, &three} {
		for _, q := range []store.LowStockQuery{{}, {Chain: "a"}, {ShopID: "a1"}} {
			samePages(rt, p, "LowStock", func(s store.Stock, page store.Page) ([]store.StockLevel, string, error) {
				q.Threshold, q.Page = threshold, page
				return s.LowStock(ctx, q)
			})
		}
	}
	for _, q := range []store.ExpiringQuery{{}, {Through: "2026-12-01"}, {Chain: "b"}, {ShopID: "a1", Through: "2026-12-31"}} {
		samePages(rt, p, "Expiring", func(s store.Stock, page store.Page) ([]store.StockLot, string, error) {
			q.Page = page
			return s.Expiring(ctx, q)
		})
	}
	for _, q := range []store.ProductQuery{{InStock: true}, {InStock: true, ShopID: "a1"}, {Chain: "b"}, {ShopID: "b1", Chain: "b", InStock: true}} {
		samePages(rt, p, "Products", func(s store.Stock, page store.Page) ([]store.Product, string, error) {
			q.Page = page
			return s.Products(ctx, q)
		})
	}
	for _, q := range []store.MovementQuery{{}, {ShopID: "a1", ProductID: "egg"}, {Group: int64(len(p.movements))}} {
		samePages(rt, p, "Movements", func(s store.Stock, page store.Page) ([]store.Movement, string, error) {
			q.Page = page
			return s.Movements(ctx, q)
		})
	}
	samePages(rt, p, "Reservations", func(s store.Stock, page store.Page) ([]store.Reservation, string, error) {
		return s.Reservations(ctx, store.ReservationQuery{Page: page})
	})
	for _, id := range p.reservations {
		same(rt, p, "Reservation", func(s store.Stock) (any, error) { return s.Reservation(ctx, id) })
	}
}

// same compares what both answer to one question.
func same(rt *rapid.T, p *pair, name string, question func(store.Stock) (any, error)) {
	want, wantErr := question(p.one)
	got, err := question(p.other)
	if kind(err) != kind(wantErr) {
		rt.Fatalf("%s: %v and %v", name, wantErr, err)
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s (-one +other):\n%s", name, diff)
	}
}

// samePages compares a list, page by page.
func samePages[T any](rt *rapid.T, p *pair, name string, list func(store.Stock, store.Page) ([]T, string, error)) {
	one, other := store.Page{Limit: 3}, store.Page{Limit: 3}
	for {
		want, wantNext, wantErr := list(p.one, one)
		got, next, err := list(p.other, other)
		if kind(err) != kind(wantErr) || (next == "") != (wantNext == "") {
			rt.Fatalf("%s: %v, then %q, and %v, then %q", name, wantErr, wantNext, err, next)
		}
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("%s (-one +other):\n%s", name, diff)
		}
		if one.Cursor, other.Cursor = wantNext, next; next == "" {
			return
		}
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
