package sqlite

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpgradeOnAFullDiskChangesNothing has no room for the backup.
func TestUpgradeOnAFullDiskChangesNothing(t *testing.T) {
	path := filepath.Join(smallDisk(t, 4<<20), "stock.db")
	oldDatabase(t, path, 3)
	spoil(t, path, `INSERT INTO calls VALUES (1, 1, '', '', '', '', '', hex(zeroblob(750000)), '', 0)`)
	full := filepath.Join(filepath.Dir(path), "full")
	if err := os.WriteFile(full, make([]byte, 1500<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	before := filesBeside(t, path)
	db, err := Open(t.Context(), Config{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "back up before the upgrade to version") || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("Open: %v, want that the disk is full", err)
	}
	if diff := cmp.Diff(before, filesBeside(t, path)); diff != "" {
		t.Error("files are not what they were")
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	db = openLarge(t, path, slog.New(slog.DiscardHandler))
	checkWhole(t, db)
}
