package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/memory"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// open returns a database that holds c.
func open(tb testing.TB, c store.Catalog) storetest.Backend { return openAt(tb, c, time.Now) }

func openAt(tb testing.TB, c store.Catalog, now func() time.Time) storetest.Backend {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), sqlite.Config{Path: filepath.Join(tb.TempDir(), "stock.db"), Now: now, Location: storetest.Zone})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := db.Load(tb.Context(), c, false); err != nil {
		tb.Fatal(err)
	}
	return db
}

func TestContract(t *testing.T) { storetest.Run(t, openAt) }

func TestAgreesWithMemory(t *testing.T) {
	storetest.RunBeside(t, func(tb testing.TB, c store.Catalog, now func() time.Time) store.Stock {
		db, err := memory.New(c, now, storetest.Zone)
		if err != nil {
			tb.Fatal(err)
		}
		return db
	}, func(tb testing.TB, c store.Catalog, now func() time.Time) store.Stock { return openAt(tb, c, now) })
}

func BenchmarkSearch(b *testing.B) { storetest.BenchmarkSearch(b, open) }
func BenchmarkStock(b *testing.B)  { storetest.BenchmarkStock(b, open) }
func BenchmarkLedger(b *testing.B) { storetest.BenchmarkLedger(b, open) }
func BenchmarkAccess(b *testing.B) { storetest.BenchmarkAccess(b, open) }
func BenchmarkImport(b *testing.B) { storetest.BenchmarkImport(b, open) }
