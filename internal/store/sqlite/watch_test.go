package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// watch returns what db tells, once it has begun to: poke changes something
// that shows.
func watch(t *testing.T, db *sqlite.DB, poke func()) <-chan store.Changes {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan store.Changes, 10_000), make(chan struct{})
	go func() {
		defer close(ended)
		db.Watch(ctx, func(c store.Changes) { told <- c })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	for {
		poke()
		select {
		case <-told:
			return told
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestWatchTellsWhatAnotherProcessDid changes each of some products once, in
// turn by the one that is watched and by another one.
func TestWatchTellsWhatAnotherProcessDid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	dbs := []*sqlite.DB{
		mustOpen(t, sqlite.Config{Path: path, Seed: func() store.Catalog { return storetest.Large(1, 41) }}),
		mustOpen(t, sqlite.Config{Path: path}),
	}
	deliver := func(i int) {
		m := store.Move{ShopID: "shop-0000", ProductID: fmt.Sprintf("product-%06d", i), Delta: 1, Reason: store.Delivery}
		if _, err := dbs[i%2].Move(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	told := watch(t, dbs[0], func() { deliver(40) })
	missing := map[string]bool{}
	for i := range 40 {
		deliver(i)
		missing[fmt.Sprintf("product-%06d", i)] = true
	}
	timeout := time.After(time.Second)
	for len(missing) > 0 {
		select {
		case c := <-told:
			for _, id := range c.Products {
				delete(missing, id)
			}
			if c.All {
				t.Error("all is told to have changed")
			}
		case <-timeout:
			t.Fatalf("after a second %d changes were not told: %v", len(missing), missing)
		}
	}
}

// TestWatchTellsThatAnythingMayHaveChanged writes more than is kept, and what
// says so itself.
func TestWatchTellsThatAnythingMayHaveChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
	told := watch(t, db, func() { exec(t, path, `INSERT INTO changes (product, shop) SELECT 0, num FROM shops LIMIT 1`) })
	for _, query := range []string{
		`INSERT INTO changes (product, shop) VALUES (0, 0)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
		INSERT INTO changes (product, shop) SELECT (SELECT num FROM products LIMIT 1), 0 FROM n`,
	} {
		exec(t, path, query)
		for timeout, all := time.After(time.Second), false; !all; {
			select {
			case c := <-told:
				all = c.All
			case <-timeout:
				t.Fatalf("a second after %s it was not told that all may have changed", query)
			}
		}
	}
}
