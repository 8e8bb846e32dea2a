package sqlite_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// openPath tells a process that it is one of those of
// [TestOpenByProcessesAtOnceFillsOnce].
const openPath = "MCPSTORE_TEST_OPEN"

// TestOpenByProcessesAtOnceFillsOnce runs itself in several processes, which
// open the same new database at the same moment.
func TestOpenByProcessesAtOnceFillsOnce(t *testing.T) {
	if path := os.Getenv(openPath); path != "" {
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin) // until all are
		db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
		checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
		return
	}
	for range 2 {
		path := filepath.Join(t.TempDir(), "stock.db")
		sqlite.RunAtOnce(t, 3, openPath, path)
		checkSummary(t, mustOpen(t, sqlite.Config{Path: path}), store.Summary{Shops: 2, Products: 30, Demo: true})
	}
}
