package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// TestKeysThatWereStoredBeforeAreKnown asks again for what is in
// testdata/keys.sql, the table of keys after the same requests as it was first
// released, so that a request which is repeated after an update is not carried
// out twice. That file is never edited: let the code read what it says.
func TestKeysThatWereStoredBeforeAreKnown(t *testing.T) {
	stored, err := os.ReadFile("testdata/keys.sql")
	if err != nil {
		t.Fatal(err)
	}
	path, clock := filepath.Join(t.TempDir(), "stock.db"), newClock()
	before := mustOpen(t, sqlite.Config{Path: path, Now: clock.now, Seed: shelves})
	exec(t, path, string(stored))

	now := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Now: clock.now, Seed: shelves})

	ctx := store.WithCaller(t.Context(), store.Caller{ID: "wang", Client: "ChatGPT"})
	for _, ask := range []func(*sqlite.DB) (store.Receipt, error){
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Move(ctx, store.Move{ShopID: "a1", ProductID: "egg", Delta: 5, Reason: store.Delivery, Expiry: "2026-12-01", Note: "兩箱", Once: store.Once{Key: "move"}})
		},
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Transfer(ctx, store.Transfer{FromShopID: "a1", ToShopID: "a2", ProductID: "egg", Quantity: 3, Once: store.Once{Key: "transfer"}})
		},
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Reserve(ctx, store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 2, Note: "陳小姐", Once: store.Once{Key: "reserve"}})
		},
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Count(ctx, store.Count{ShopID: "a1", ProductID: "egg", Quantity: 1, Once: store.Once{Key: "count"}})
		},
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Release(ctx, store.Release{Reservation: 1, Once: store.Once{Key: "release"}})
		},
		func(db *sqlite.DB) (store.Receipt, error) {
			return db.Undo(ctx, store.Undo{Movement: 9, Note: "打錯了", Once: store.Once{Key: "undo"}})
		},
	} {
		want, err := ask(now)
		if err != nil {
			t.Fatal(err)
		}
		want.Replayed = true
		got, err := ask(before)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("replay: %v (-as it is now +as it was stored):\n%s", err, diff)
		}
	}
}

// TestTheLastIsSoldOnceByTwoProcesses lets two that have the file open sell the
// same ten eggs.
func TestTheLastIsSoldOnceByTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	dbs := []*sqlite.DB{
		mustOpen(t, sqlite.Config{Path: path, Seed: eggs}),
		mustOpen(t, sqlite.Config{Path: path}),
	}
	var sold atomic.Int64
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			_, err := dbs[i%2].Move(t.Context(), store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Sale})
			if _, insufficient := errors.AsType[*store.InsufficientError](err); err == nil {
				sold.Add(1)
			} else if !insufficient {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := sold.Load(); n != 10 {
		t.Errorf("%d of ten eggs were sold", n)
	}
	if found, err := dbs[1].Verify(t.Context(), 10); err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
}
