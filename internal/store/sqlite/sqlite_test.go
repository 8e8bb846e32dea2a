package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// open returns a database that holds c.
func open(tb testing.TB, c store.Catalog) store.Store {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), sqlite.Config{Path: filepath.Join(tb.TempDir(), "stock.db")})
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

func TestContract(t *testing.T) { storetest.Run(t, open) }

func BenchmarkSearch(b *testing.B) { storetest.BenchmarkSearch(b, open) }
func BenchmarkStock(b *testing.B)  { storetest.BenchmarkStock(b, open) }
