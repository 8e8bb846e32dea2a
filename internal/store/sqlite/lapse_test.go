package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// settable is a clock.
type settable struct{ micros atomic.Int64 }

func (c *settable) now() time.Time           { return time.UnixMicro(c.micros.Load()) }
func (c *settable) advance(by time.Duration) { c.micros.Add(by.Microseconds()) }

func newClock() *settable {
	var c settable
	c.micros.Store(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC).UnixMicro())
	return &c
}

// reserved returns how many eggs are reserved in shop a1.
func reserved(t *testing.T, db *sqlite.DB) int64 {
	t.Helper()
	l, err := db.Level(t.Context(), "a1", "egg")
	if err != nil {
		t.Fatal(err)
	}
	return l.Reserved
}

// eggs is one shop with ten eggs.
func eggs() store.Catalog {
	return store.Catalog{
		Shops:    []store.Shop{{ID: "a1", Name: "甲一"}},
		Products: []store.Product{{ID: "egg", Name: "茶葉蛋"}},
		Levels:   []store.CatalogLevel{{ShopID: "a1", ProductID: "egg", OnHand: 10}},
	}
}

func TestReservationOfAnotherProcessLapses(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "stock.db"), newClock()
	a := mustOpen(t, sqlite.Config{Path: path, Now: clock.now, Seed: eggs})
	b := mustOpen(t, sqlite.Config{Path: path, Now: clock.now})
	if n := reserved(t, a); n != 0 {
		t.Fatalf("%d are reserved at first", n)
	}
	if _, err := b.Reserve(t.Context(), store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 4, For: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if n := reserved(t, a); n != 4 {
		t.Fatalf("%d are reserved by another process, want 4", n)
	}
	clock.advance(time.Minute)
	for began := time.Now(); reserved(t, a) != 0; {
		if time.Since(began) > time.Second {
			t.Fatal("a second after its end the reservation still holds")
		}
	}
	if n := reserved(t, b); n != 0 {
		t.Errorf("%d are reserved for the other one, want 0", n)
	}
}

func TestOpenEndsWhatIsDue(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "stock.db"), newClock()
	a := mustOpen(t, sqlite.Config{Path: path, Now: clock.now, Seed: eggs})
	if _, err := a.Reserve(t.Context(), store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 4}); err != nil {
		t.Fatal(err)
	}
	a.Close()
	clock.advance(time.Hour)
	mustOpen(t, sqlite.Config{Path: path, Now: clock.now})
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var held int
	if err := raw.QueryRow(`SELECT reserved FROM levels`).Scan(&held); err != nil || held != 0 {
		t.Errorf("%d are reserved in the file, %v, want 0", held, err)
	}
}

// TestQuestionsAreAnsweredWhileNobodyCanWrite holds the file, as a long import
// of another process does, while a reservation is due.
func TestQuestionsAreAnsweredWhileNobodyCanWrite(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "stock.db"), newClock()
	db := mustOpen(t, sqlite.Config{Path: path, Now: clock.now, Seed: eggs})
	if _, err := db.Reserve(t.Context(), store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 4}); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	for range 10 {
		if n := reserved(t, db); n != 4 {
			t.Fatalf("%d are reserved while nobody can write, want the 4 that were", n)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); reserved(t, db) != 0; {
		if time.Since(began) > time.Second {
			t.Fatal("a second after somebody could write the reservation still holds")
		}
	}
}
