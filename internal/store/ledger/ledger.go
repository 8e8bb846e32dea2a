// Package ledger holds the rules of stock: what a change needs, which lot it
// takes from, which reservations give way and when they lapse, what undo
// reverses, and how a change that arrives twice is made once. It knows no
// database: a backend runs each change in a transaction of its own and gives it
// a [Tx], which reads and writes rows and decides nothing.
//
// Begin at [Ledger.Move], then [Ledger.apply], which every change goes through.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Backend keeps the rows that the rules are about.
type Backend interface {
	// Update runs f in one transaction and commits it if f returns nil; any
	// other error of f rolls it back and is returned. The backend may run f
	// again when the transaction collides with another one, so f must have no
	// effect but through its Tx. [store.ErrUncertain] is returned only when the
	// commit itself failed in a way that leaves its outcome unknown.
	Update(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction as the rules see it. Times have whole microseconds.
// Quantities are in the product's unit.
type Tx interface {
	// Level returns the level of a product in a shop and whether the shop carries
	// it. Lots that expire before today count as expired. If the shop or the product
	// does not exist, it returns a [store.ErrNotFound] that names which.
	Level(shopID, productID string, today store.Date) (level store.Level, carried bool, err error)
	// Lots returns what is there of each expiry date, the first to expire first.
	Lots(shopID, productID string) ([]store.Lot, error)
	// Held returns the reservations that are held there, newest first.
	Held(shopID, productID string) ([]store.Reservation, error)
	// Due returns the held reservations that end at t or before, the first to end first.
	Due(t time.Time) ([]store.Reservation, error)
	// Reservation returns a reservation, or [store.ErrNotFound].
	Reservation(id int64) (store.Reservation, error)
	// Group returns the movement with this ID and those that are undone together
	// with it, newest first; none if there is no such movement. Shops and products
	// that were removed since keep their IDs.
	Group(id int64) ([]store.Movement, error)
	// Key returns what was kept by [Tx.KeepKey]; content is nil if nothing was.
	Key(caller, key string) (content []byte, receipt store.Receipt, err error)

	// Begin starts an entry, to which the movements and reservations added next
	// belong.
	Begin(e Entry) error
	// Append adds m to the ledger and sets its ID, and its Group to the same
	// where that is 0.
	Append(m *store.Movement) error
	// SetLevel keeps a level, but for what of it has expired. A shop carries what
	// it has a level of.
	SetLevel(shopID, productID string, l store.Level) error
	// SetLot keeps what is there of an expiry date; 0 removes the lot.
	SetLot(shopID, productID string, l store.Lot) error
	// AddReservation adds a reservation and sets its ID.
	AddReservation(r *store.Reservation) error
	// EndReservation sets r's State and EndedAt.
	EndReservation(r store.Reservation) error
	// KeepKey keeps what a change under an idempotency key was and did.
	KeepKey(caller, key string, content []byte, receipt store.Receipt) error
	// Spend keeps that a token was used and reports whether it was not before.
	// Tokens whose time ended before forget may be dropped.
	Spend(token string, until, forget time.Time) (fresh bool, err error)
	// Record adds a call to the audit log.
	Record(c store.Call) error
}

// Entry is what movements and reservations that are made in one go have in
// common.
type Entry struct {
	At            time.Time
	Reason        string // a [store.Reason], "reserve", "release" or "lapse"
	Note          string
	Actor, Client string
	Key           string // the idempotency key; "" if there is none
}

// Ledger changes the stock of a backend. Its changes keep the promises of
// [store.Ledger].
type Ledger struct {
	backend  Backend
	now      func() time.Time
	location *time.Location
}

// New returns a ledger over b. If now is nil, the clock is [time.Now]. Location
// is where the shops are, by which a day begins and ends; if nil, [time.Local].
func New(b Backend, now func() time.Time, location *time.Location) *Ledger {
	if now == nil {
		now = time.Now
	}
	if location == nil {
		location = time.Local
	}
	return &Ledger{backend: b, now: now, location: location}
}

// Today returns the day that it is where the shops are: an expiry date is the
// last day on which something may be sold, so what expires before it has expired.
func (l *Ledger) Today() store.Date { return l.day(l.now()) }

func (l *Ledger) day(t time.Time) store.Date { return store.DateOf(t.In(l.location)) }

// request is what all changes are asked for with.
type request struct {
	op     string // for errors, such as "count stock"
	reason string // of the entry
	note   string
	once   store.Once
	// content is what the change does, without who asks for it and its Once:
	// what must be equal where the idempotency key is.
	content []any
}

// change is a change that is being made, in its transaction.
type change struct {
	tx Tx
	request
	by        store.Caller
	at        time.Time
	today     store.Date
	positions []*position // in the order in which they were named
	receipt   store.Receipt
}

// errDryRun rolls back a change that was only to be looked at.
var errDryRun = errors.New("dry run")

// apply makes a change once, in one transaction: do decides what it does.
func (l *Ledger) apply(ctx context.Context, r request, do func(*change) error) (store.Receipt, error) {
	by, err := r.check(store.CallerFrom(ctx))
	if err != nil {
		return store.Receipt{}, fmt.Errorf("%s: %w", r.op, err)
	}
	call := store.CallFrom(ctx)
	var receipt store.Receipt
	err = l.backend.Update(ctx, func(tx Tx) error {
		c := &change{tx: tx, request: r, by: by, at: l.now().UTC().Truncate(time.Microsecond)}
		c.today = l.day(c.at)
		err := c.run(do)
		receipt = c.receipt
		switch {
		case err != nil:
			return err
		case r.once.DryRun:
			return errDryRun
		case call == nil || receipt.Replayed:
			return nil
		}
		made := *call
		made.Outcome, made.Took = "ok", l.now().Sub(call.At)
		return tx.Record(made)
	})
	switch {
	case err == nil:
		if call != nil && !receipt.Replayed {
			call.Recorded = true
		}
		return receipt, nil
	case errors.Is(err, errDryRun):
		return receipt, nil
	}
	return store.Receipt{}, fmt.Errorf("%s: %w", r.op, err)
}

func (c *change) run(do func(*change) error) error {
	// First, so that the rules below see the stock as it is now.
	if err := Lapse(c.tx, c.at); err != nil {
		return err
	}
	if replayed, err := c.replay(); replayed || err != nil {
		return err
	}
	if err := c.spend(); err != nil {
		return err
	}
	if err := c.tx.Begin(Entry{At: c.at, Reason: c.reason, Note: c.note, Actor: c.by.ID, Client: c.by.Client, Key: c.once.Key}); err != nil {
		return err
	}
	if err := do(c); err != nil {
		return err
	}
	if err := c.withinBounds(); err != nil {
		return err
	}
	for _, p := range c.positions {
		if p.level.AsOf = c.at; p.before.AsOf.After(c.at) {
			p.level.AsOf = p.before.AsOf // the clock was set back
		}
		if err := c.tx.SetLevel(p.shopID, p.productID, p.level); err != nil {
			return err
		}
		c.receipt.Levels = append(c.receipt.Levels, p.change())
	}
	if c.once.Key == "" || c.once.DryRun {
		return nil
	}
	return c.tx.KeepKey(c.by.ID, c.once.Key, c.hash(), c.receipt)
}

// hash identifies what was asked for. It is kept with the idempotency key for
// good, so what goes into it must stay as it is.
func (r *request) hash() []byte {
	b, err := json.Marshal(append([]any{r.reason, r.note}, r.content...))
	if err != nil {
		panic(fmt.Sprintf("ledger: marshal %v: %v", r.content, err)) // texts and numbers always can be
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// Answers reports whether r answers the request that content was kept for (see
// [Tx.KeepKey]), where e was its entry.
func Answers(e Entry, r store.Receipt, content []byte) bool {
	if len(r.Levels) == 0 {
		return false
	}
	is := func(parts ...any) bool {
		request := request{reason: e.Reason, note: e.Note, content: parts}
		return string(request.hash()) == string(content)
	}
	first := r.Levels[0]
	delta := first.After.OnHand - first.Before.OnHand
	switch e.Reason {
	case "reserve":
		return r.Reservation != nil && is(first.ShopID, first.ProductID, r.Reservation.Quantity, r.Reservation.Until.Sub(r.Reservation.MadeAt).Microseconds())
	case "release":
		return r.Reservation != nil && is(r.Reservation.ID)
	case string(store.Counted):
		return is(first.ShopID, first.ProductID, first.After.OnHand)
	case string(store.Transferred):
		return len(r.Levels) == 2 && is(first.ShopID, r.Levels[1].ShopID, first.ProductID, -delta)
	}
	// Which lot was asked for, and which of several movements was to be undone, is
	// not in the answer.
	if is("move", first.ShopID, first.ProductID, delta, "") {
		return true
	}
	for _, m := range r.Movements {
		if is("move", first.ShopID, first.ProductID, delta, m.Expiry) || is("undo", m.Reverses) {
			return true
		}
	}
	return false
}

// replay looks for a change under the same key, whose receipt then is this one's.
func (c *change) replay() (replayed bool, err error) {
	if c.once.Key == "" {
		return false, nil
	}
	content, receipt, err := c.tx.Key(c.by.ID, c.once.Key)
	switch {
	case err != nil || content == nil:
		return false, err
	case string(content) != string(c.hash()):
		return false, conflict(store.KeyTaken, "idempotency key %q was used for something else; use a new one", c.once.Key)
	}
	c.receipt = receipt
	c.receipt.Replayed = true
	return true, nil
}

// spentKept is how long a token is remembered after its time: longer than it
// holds, since a clock may be set back.
const spentKept = 7 * 24 * time.Hour

// spend uses up the token that confirms the change.
func (c *change) spend() error {
	if c.once.Token == "" {
		return nil
	}
	until := c.once.TokenUntil.Truncate(time.Microsecond)
	if !until.After(c.at) {
		return conflict(store.TokenSpent, "this confirmation has expired; ask for a new one")
	}
	fresh, err := c.tx.Spend(c.once.Token, until, c.at.Add(-spentKept))
	if err == nil && !fresh {
		err = conflict(store.TokenSpent, "this confirmation was used before; ask for a new one")
	}
	return err
}

// withinBounds refuses a change that goes further than its caller agreed to.
func (c *change) withinBounds() error {
	for i, p := range c.positions {
		if from := c.once.From; i == 0 && from != nil && (p.before.OnHand != from.OnHand || p.before.Reserved != from.Reserved) {
			return store.ErrChanged
		}
		if c.once.Most == nil {
			continue
		}
		onHand, reserved := p.level.OnHand-p.before.OnHand, p.level.Reserved-p.before.Reserved
		if max(onHand, -onHand, reserved, -reserved) > *c.once.Most {
			return store.ErrOverLimit
		}
	}
	return nil
}
