package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestQuestionEndsWithItsContext asks what is never answered.
func TestQuestionEndsWithItsContext(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	rows, err := db.query(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`)
	if err == nil {
		rows.Next()
		err = rows.Err()
		rows.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("query: %v, want context.DeadlineExceeded", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("Ping afterwards: %v", err)
	}
}
