package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// TestListsOfManyShopsReadAPage looks at how SQLite would answer: each search of
// a merge must begin right behind the row before, whatever is stored.
func TestListsOfManyShopsReadAPage(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	five := int64(5)
	for _, tt := range []struct {
		name, behind string
		merge        merge
	}{
		{"low", `USING INDEX levels_low (shop=? AND (available,product)>(?,?))`, lowMerge(store.LowStockQuery{}, "2026-11-22")},
		{"below a threshold", `USING INDEX levels_by_shop (shop=? AND (available,product)>(?,?) AND available<?)`, lowMerge(store.LowStockQuery{Threshold: &five}, "2026-11-22")},
		{"expiring", `USING INDEX lots_by_shop (shop=? AND (expiry,product)>(?,?))`, expiringMerge(store.ExpiringQuery{})},
		{"expiring soon", `USING INDEX lots_by_shop (shop=? AND (expiry,product)>(?,?) AND expiry<?)`, expiringMerge(store.ExpiringQuery{Through: "2026-12-31"})},
	} {
		for _, of := range [][2]string{{"", ""}, {"a", ""}, {"", "chain"}} {
			query, args := tt.merge.sql(of[0], of[1], nil, 21)
			rows, err := db.read.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, args...)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			var plan []string
			searches := 0
			for rows.Next() {
				var id, parent, unused int
				var step string
				if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
					t.Fatal(err)
				}
				plan = append(plan, step)
				step = strings.ReplaceAll(step, " COVERING ", " ")
				if strings.HasPrefix(step, "SCAN n") || strings.HasPrefix(step, "SCAN p") {
					t.Errorf("%s reads a whole table: %s", tt.name, step)
				}
				if strings.Contains(step, tt.behind) {
					searches++
				}
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if searches != 2 { // for the first row of each shop, and for the next one
				t.Errorf("%s searches %d times by %s, want 2:\n%s", tt.name, searches, tt.behind, strings.Join(plan, "\n"))
			}
		}
	}
}
