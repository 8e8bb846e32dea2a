package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// signal tells many that something happened.
type signal struct {
	mu sync.Mutex
	c  chan struct{} // closed when it happens next; nil while nobody waits
}

// next returns what is closed when it happens next.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}

// watchEvery is how often the file is asked what other processes wrote.
const watchEvery = 250 * time.Millisecond

// Watch calls f once it watches, and after commits that changed something,
// until ctx ends.
func (db *DB) Watch(ctx context.Context, f func(store.Changes)) error {
	if err := db.watch(ctx, f); ctx.Err() == nil {
		return db.failed("watch for changes", err)
	}
	return ctx.Err()
}

func (db *DB) watch(ctx context.Context, f func(store.Changes)) error {
	// A connection of its own, so that those who watch keep nobody waiting.
	pool, err := db.connect(1, "_query_only=1")
	if err != nil {
		return err
	}
	defer pool.Close()
	var seen int64
	err = pool.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'`).Scan(&seen)
	if err != nil {
		return err
	}
	changes, err := pool.PrepareContext(ctx, `SELECT c.num, c.product, c.shop,
		coalesce((SELECT id FROM products WHERE num = c.product), (SELECT id FROM retired WHERE kind = 'product' AND num = c.product), ''),
		coalesce((SELECT id FROM shops WHERE num = c.shop), (SELECT id FROM retired WHERE kind = 'shop' AND num = c.shop), '')
		FROM changes c WHERE c.num > ? ORDER BY c.num`)
	if err != nil {
		return err
	}
	defer changes.Close()
	today := db.Today()
	f(store.Changes{})
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		wrote := db.recent.wrote.next() // before looking, so that nothing falls in between
		db.lapseDue(ctx)
		c, last, err := changesSince(ctx, changes, seen)
		if err != nil {
			return err
		}
		if day := db.Today(); day != today { // and what ended with the day before has expired
			today, c.All = day, true
		}
		if last > seen || c.All {
			seen = last
			f(c)
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wrote:
		case <-tick.C:
		}
	}
}

// changesSince returns what changed since change seen, and the last change.
func changesSince(ctx context.Context, changes *sql.Stmt, seen int64) (c store.Changes, last int64, err error) {
	rows, err := changes.QueryContext(ctx, seen)
	if err != nil {
		return c, 0, err
	}
	defer rows.Close()
	shops, products := map[string]bool{}, map[string]bool{}
	for last = seen; rows.Next(); {
		before := last
		var product, shop int64
		var productID, shopID string
		if err := rows.Scan(&last, &product, &shop, &productID, &shopID); err != nil {
			return c, 0, err
		}
		// Only the latest changes are kept. One whose shop or product has left
		// no trace went with the demo data.
		c.All = c.All || last != before+1 || product == 0 && shop == 0 ||
			product != 0 && productID == "" || shop != 0 && shopID == ""
		products[productID], shops[shopID] = true, true
	}
	if err := rows.Err(); err != nil {
		return c, 0, err
	}
	if c.All {
		return store.Changes{All: true}, last, nil
	}
	c.Shops, c.Products = names(shops), names(products)
	return c, last, nil
}

// names returns what is in set, in order, without "".
func names(set map[string]bool) []string {
	var all []string
	for name := range set {
		if name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
