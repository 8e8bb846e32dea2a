package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
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

// TestSlowQuestionsLeaveConnectionsForOthers holds as many long questions as may
// be asked at once.
func TestSlowQuestionsLeaveConnectionsForOthers(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := db.read.Stats().MaxOpenConnections
	held := make(chan *slowRows, all)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var asking sync.WaitGroup
	for range all {
		asking.Go(func() {
			if rows, err := db.query(ctx, `SELECT num FROM shops`); err == nil && rows.Next() {
				held <- rows
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("query: %v", err)
			}
		})
	}
	for range all / 2 {
		defer (<-held).Close()
	}
	// What no tool call is answered without.
	short := map[string]func() error{
		"Ping":    func() error { return db.Ping(t.Context()) },
		"Level":   func() error { _, err := db.Level(t.Context(), "koko-daan", "tea-egg"); return err },
		"Levels":  func() error { _, _, err := db.Levels(t.Context(), store.LevelQuery{ProductID: "tea-egg"}); return err },
		"Total":   func() error { _, err := db.Total(t.Context(), "tea-egg", ""); return err },
		"Lots":    func() error { _, err := db.Lots(t.Context(), "koko-daan", "tea-egg"); return err },
		"Product": func() error { _, err := db.Product(t.Context(), "tea-egg"); return err },
		"Products/exact": func() error {
			_, _, err := db.Products(t.Context(), store.ProductQuery{Text: "茶葉蛋", Match: store.Exact})
			return err
		},
		"Shop": func() error { _, err := db.Shop(t.Context(), "koko-daan"); return err },
		"Shops/exact": func() error {
			_, _, err := db.Shops(t.Context(), store.ShopQuery{Text: "大安店", Match: store.Exact})
			return err
		},
		"Chains": func() error { _, err := db.Chains(t.Context(), "KOKO", store.Contains, 5); return err },
	}
	for name, ask := range short {
		if err := ask(); err != nil {
			t.Errorf("%s beside long questions: %v", name, err)
		}
	}
	if n := len(held); n > 0 {
		t.Errorf("%d more long questions were asked than half of the connections", n)
	}
	// Others wait for their turn, for no longer than their callers do.
	long := map[string]func(context.Context) error{
		"Products": func(ctx context.Context) error {
			_, _, err := db.Products(ctx, store.ProductQuery{Text: "茶"})
			return err
		},
		"Products/in": func(ctx context.Context) error {
			_, _, err := db.Products(ctx, store.ProductQuery{InStock: true})
			return err
		},
		"Shops": func(ctx context.Context) error { _, _, err := db.Shops(ctx, store.ShopQuery{Text: "店"}); return err },
		"Shops/near": func(ctx context.Context) error {
			_, _, err := db.Shops(ctx, store.ShopQuery{Near: &store.Location{}})
			return err
		},
		"LowStock":  func(ctx context.Context) error { _, _, err := db.LowStock(ctx, store.LowStockQuery{}); return err },
		"Expiring":  func(ctx context.Context) error { _, _, err := db.Expiring(ctx, store.ExpiringQuery{}); return err },
		"Movements": func(ctx context.Context) error { _, _, err := db.Movements(ctx, store.MovementQuery{}); return err },
		"Reservations": func(ctx context.Context) error {
			_, _, err := db.Reservations(ctx, store.ReservationQuery{})
			return err
		},
		"Export": func(ctx context.Context) (err error) {
			for _, err = range db.Export(ctx) {
				if err != nil {
					break
				}
			}
			return err
		},
	}
	for name, ask := range long {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s beside long questions: %v, want context.DeadlineExceeded", name, err)
		}
		cancel()
	}
	stop()
	asking.Wait()
}
