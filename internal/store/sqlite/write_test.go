package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// catalogOf is one shop with one product of this name.
func catalogOf(product string) store.Catalog {
	return store.Catalog{
		Shops:    []store.Shop{{ID: "shop", Name: "小店", Chain: "小連鎖"}},
		Products: []store.Product{{ID: "product", Name: product}},
		Levels:   []store.CatalogLevel{{ShopID: "shop", ProductID: "product", OnHand: 1}},
	}
}

// called returns how many products have exactly this name.
func called(t *testing.T, db *sqlite.DB, name string) int {
	t.Helper()
	products, _, err := db.Products(t.Context(), store.ProductQuery{Text: name, Match: store.Exact})
	if err != nil {
		t.Fatal(err)
	}
	return len(products)
}

func TestLoadIsSeenAtOnce(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	for _, names := range [][2]string{{"茶葉蛋", "奶茶"}, {"奶茶", "茶葉蛋"}} {
		if err := db.Load(t.Context(), catalogOf(names[0]), false); err != nil {
			t.Fatal(err)
		}
		if is, was := called(t, db, names[0]), called(t, db, names[1]); is != 1 || was != 0 {
			t.Errorf("after loading %q there are %d of it and %d %q", names[0], is, was, names[1])
		}
		for text, want := range map[string]int{names[0][:6]: 1, names[1][:6]: 0} {
			got, _, err := db.Products(t.Context(), store.ProductQuery{Text: text})
			if err != nil || len(got) != want {
				t.Errorf("after loading %q the index has %d of %q, %v, want %d", names[0], len(got), text, err, want)
			}
		}
	}
	chains, err := db.Chains(t.Context(), "小連鎖", store.Exact, 1)
	if err != nil || len(chains) != 1 || chains[0].Shops != 1 {
		t.Errorf("chain that only a shop names is %v, %v, want one with a shop", chains, err)
	}
}

func TestLoadByAnotherProcessIsSeenWithinASecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	a := mustOpen(t, sqlite.Config{Path: path})
	b := mustOpen(t, sqlite.Config{Path: path})
	if err := a.Load(t.Context(), catalogOf("茶葉蛋"), false); err != nil {
		t.Fatal(err)
	}
	if n := called(t, a, "茶葉蛋"); n != 1 {
		t.Fatalf("%d tea eggs, want 1", n)
	}
	if err := b.Load(t.Context(), catalogOf("奶茶"), false); err != nil {
		t.Fatal(err)
	}
	if level, err := a.Level(t.Context(), "shop", "product"); err != nil || level.OnHand != 1 {
		t.Errorf("level is %v, %v", level, err)
	}
	for began := time.Now(); called(t, a, "茶葉蛋") != 0 || called(t, a, "奶茶") != 1; {
		if time.Since(began) > time.Second {
			t.Fatal("after a second the old answer is still given")
		}
	}
}

func TestLoadThatFailsChangesNothing(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: seed})
	want := store.Summary{Shops: 2, Products: 30, Demo: true}

	bad := storetest.Large(1, 10)
	bad.Levels[3].Reserved = bad.Levels[3].OnHand + 1
	if err := db.Load(t.Context(), bad, false); err == nil {
		t.Error("Load of a catalog that is wrong succeeded")
	}
	checkSummary(t, db, want)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Load(ctx, storetest.Large(1, 10), false); !errors.Is(err, context.Canceled) {
		t.Errorf("Load with an ended context: %v, want context.Canceled", err)
	}
	checkSummary(t, db, want)
}

func TestReadersSeeWholeLoadsOnly(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: func() store.Catalog { return storetest.Large(3, 40) }})
	done := make(chan error)
	go func() {
		defer close(done)
		for i := range 10 {
			n := 1 + i%2*2
			if err := db.Load(t.Context(), storetest.Large(n, 40), false); err != nil {
				done <- err
			}
		}
	}()
	for {
		select {
		case err, open := <-done:
			if err != nil {
				t.Fatal(err)
			}
			if !open {
				return
			}
		default:
		}
		total, err := db.Total(t.Context(), "product-000001", "")
		if err != nil {
			t.Fatal(err)
		}
		if total.Shops != 1 && total.Shops != 3 {
			t.Fatalf("%d shops in the middle of loading, want 1 or 3", total.Shops)
		}
	}
}
