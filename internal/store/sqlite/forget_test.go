package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Whoever has the URL of an open server could otherwise fill a disk.
func TestTheAuditLogIsBounded(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "shop.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const more = 3 * forgetRows / 2
	now := time.Now().UnixMicro()
	if _, err := db.write.ExecContext(t.Context(), `
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO calls (at, caller, name, client, address, tool, arguments, outcome, took)
		SELECT ?2, CASE WHEN i % 1000 = 1 THEN 'token:1' ELSE '' END, '', '', '', 'check_stock', '{}', 'ok', 1 FROM n`,
		store.StrangersCallsKept+more, now); err != nil {
		t.Fatal(err)
	}
	if err := db.Forget(t.Context(), time.Time{}, time.Hour); err != nil {
		t.Fatal(err)
	}
	var strangers, known, oldest int
	if err := db.queryRow(t.Context(), `SELECT sum(caller = ''), sum(caller <> ''), min(CASE WHEN caller = '' THEN num END) FROM calls`).Scan(&strangers, &known, &oldest); err != nil {
		t.Fatal(err)
	}
	if want := (store.StrangersCallsKept + more) / 1000; strangers > store.StrangersCallsKept || strangers < store.StrangersCallsKept*99/100 || known < want || oldest <= more {
		t.Errorf("kept %d of strangers and %d of known callers, the oldest of a stranger being %d", strangers, known, oldest)
	}
}
