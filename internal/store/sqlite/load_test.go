package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// BenchmarkLoad times filling a database with what an import brings.
func BenchmarkLoad(b *testing.B) {
	for _, bb := range []struct {
		name string
		c    store.Catalog
	}{
		{"products=500000", storetest.Large(0, 500_000)},
		{"levels=500000", storetest.Large(1000, 500)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			db, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "stock.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			for b.Loop() {
				if err := db.Load(b.Context(), bb.c, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
