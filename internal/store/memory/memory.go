// Package memory keeps the stock in memory, in the plainest way: the model that
// other backends are compared with in tests. It keeps all promises but one:
// nothing survives the process.
//
// Begin at [New]. How stock changes is in tx.go, what is asked in reads.go.
package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/catalog"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// DB is a backend for reads and for the ledger.
type DB struct {
	*ledger.Ledger
	now func() time.Time

	mu      sync.RWMutex
	demo    bool
	names   *catalog.Catalog
	state   state
	secrets map[string][]byte
	wrote   chan struct{} // closed by the next commit
}

// state is what transactions read and change. They work on a copy.
type state struct {
	levels       map[place]level
	movements    []store.Movement    // ID i+1 is at i
	reservations []store.Reservation // likewise
	keys         map[callerKey]kept
	spent        map[string]time.Time
	calls        []store.Call
	changes      []place // in the order of the commits
}

// place is a product in a shop.
type place struct{ shopID, productID string }

type level struct {
	store.Level
	lots map[store.Date]int64
}

type callerKey struct{ caller, key string }

type kept struct {
	content []byte
	receipt store.Receipt
}

// New returns a backend that holds c. If now is nil, its clock is [time.Now]; if
// location is nil, its shops are in [time.Local].
func New(c store.Catalog, now func() time.Time, location *time.Location) (*DB, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("load stock: %w", err)
	}
	db := &DB{now: now, names: catalog.New(c.Chains, c.Shops, c.Products), secrets: make(map[string][]byte), wrote: make(chan struct{})}
	if db.now == nil {
		db.now = time.Now
	}
	db.Ledger = ledger.New(db, db.now, location)
	db.state = state{levels: make(map[place]level), keys: make(map[callerKey]kept), spent: make(map[string]time.Time)}
	db.load(c.Levels)
	return db, nil
}

// load opens the ledger with the levels, lots and reservations that are there.
func (db *DB) load(levels []store.CatalogLevel) {
	now := db.now().UTC().Truncate(time.Microsecond)
	levels = slices.SortedFunc(slices.Values(levels), func(a, b store.CatalogLevel) int {
		return cmp.Or(db.names.CompareProducts(a.ProductID, b.ProductID), db.names.CompareShops(a.ShopID, b.ShopID))
	})
	for _, l := range levels {
		kept := store.Level{OnHand: l.OnHand, Reserved: l.Reserved, AsOf: l.AsOf.UTC().Truncate(time.Microsecond)}
		if l.AsOf.IsZero() {
			kept.AsOf = now
		}
		db.state.levels[place{l.ShopID, l.ProductID}] = level{Level: kept, lots: db.open(l, now)}
		if l.Reserved > 0 {
			db.state.reservations = append(db.state.reservations, store.Reservation{ID: int64(len(db.state.reservations) + 1),
				ShopID: l.ShopID, ProductID: l.ProductID, Quantity: l.Reserved, MadeAt: now, Until: now.Add(store.MaxHold), State: store.Held})
		}
	}
}

// open adds the movements by which a level came to be, and returns its lots.
func (db *DB) open(l store.CatalogLevel, now time.Time) map[store.Date]int64 {
	undated, lots := store.Lot{OnHand: l.OnHand}, make(map[store.Date]int64)
	for _, lot := range l.Lots {
		undated.OnHand -= lot.OnHand
		lots[lot.Expiry] = lot.OnHand
	}
	var onHand int64
	for _, lot := range append([]store.Lot{undated}, level{lots: lots}.list()...) {
		if lot.OnHand == 0 {
			continue
		}
		id := int64(len(db.state.movements) + 1)
		db.state.movements = append(db.state.movements, store.Movement{ID: id, Group: id, At: now, ShopID: l.ShopID, ProductID: l.ProductID,
			Expiry: lot.Expiry, Delta: lot.OnHand, Reason: store.Imported, Before: store.Level{OnHand: onHand}, After: store.Level{OnHand: onHand + lot.OnHand}})
		onHand += lot.OnHand
	}
	return lots
}

// Update runs f on a copy of the state, which takes the place of the old one if
// f returns nil.
func (db *DB) Update(ctx context.Context, f func(ledger.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.state // its slices are only appended to, or cloned before they are changed
	s.levels, s.keys, s.spent = maps.Clone(s.levels), maps.Clone(s.keys), maps.Clone(s.spent)
	s.movements, s.reservations = slices.Clone(s.movements), slices.Clone(s.reservations)
	if err := f(&tx{state: &s, names: db.names}); err != nil {
		return err
	}
	db.state = s
	close(db.wrote)
	db.wrote = make(chan struct{})
	return nil
}

// view runs f on the state as of now, when what is due has lapsed.
func (db *DB) view(ctx context.Context, f func(*state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := db.now()
	due := func(r store.Reservation) bool { return r.State == store.Held && !r.Until.After(now) }
	db.mu.RLock()
	lapse := slices.ContainsFunc(db.state.reservations, due)
	db.mu.RUnlock()
	if lapse {
		if err := db.Update(ctx, func(tx ledger.Tx) error { return ledger.Lapse(tx, now.UTC().Truncate(time.Microsecond)) }); err != nil {
			return err
		}
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	return f(&db.state)
}

// Ping reports that the backend answers.
func (db *DB) Ping(ctx context.Context) error { return ctx.Err() }

// Close ends the use of the backend.
func (db *DB) Close() error { return nil }

// Secret returns 32 random bytes for this name, always the same.
func (db *DB) Secret(ctx context.Context, name string) ([]byte, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.secrets[name] == nil {
		b := make([]byte, 32)
		rand.Read(b)
		db.secrets[name] = b
	}
	return slices.Clone(db.secrets[name]), ctx.Err()
}

// watchEvery is how often Watch looks for what has lapsed.
const watchEvery = 250 * time.Millisecond

// Watch calls f at once, and after each commit with what it changed.
func (db *DB) Watch(ctx context.Context, f func(store.Changes)) error {
	seen, begun, today := math.MaxInt, false, db.Today()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		var changed []place
		var wrote <-chan struct{}
		err := db.view(ctx, func(s *state) error {
			wrote = db.wrote
			changed = s.changes[min(seen, len(s.changes)):]
			seen = len(s.changes)
			return nil
		})
		if err != nil {
			return err
		}
		c := changes(changed)
		if day := db.Today(); day != today { // and what ended with the day before has expired
			today, c.All = day, true
		}
		if len(changed) > 0 || c.All || !begun {
			f(c)
			begun = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wrote:
		case <-tick.C:
		}
	}
}

// changes names each shop and product once.
func changes(places []place) store.Changes {
	var c store.Changes
	for _, at := range places {
		c.Shops, c.Products = append(c.Shops, at.shopID), append(c.Products, at.productID)
	}
	slices.Sort(c.Shops)
	slices.Sort(c.Products)
	return store.Changes{Shops: slices.Compact(c.Shops), Products: slices.Compact(c.Products)}
}
