package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestNewDatabaseHasFoodThatExpiresSoon(t *testing.T) {
	today := store.DateOf(time.Now())
	e := &env{now: time.Now, zone: time.Local}
	db, _, err := e.openDatabase(t.Context(), filepath.Join(t.TempDir(), "shop.db"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lots, _, err := db.Expiring(t.Context(), store.ExpiringQuery{Through: today.AddDays(3)})
	if err != nil || len(lots) == 0 {
		t.Fatalf("Expiring = %v, %v, want some lots", lots, err)
	}
	if lots[0].Expiry < today {
		t.Errorf("the first lot expired on %s, before the database was made on %s", lots[0].Expiry, today)
	}
	if found, err := db.Verify(t.Context(), 0); err != nil || len(found) > 0 {
		t.Errorf("Verify = %v, %v, want nothing", found, err)
	}
}
