package memory_test

import (
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/memory"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

func open(tb testing.TB, c store.Catalog, now func() time.Time) store.Stock {
	db, err := memory.New(c, now, storetest.Zone)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

func TestContract(t *testing.T) { storetest.RunStock(t, open) }
