package memory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/catalog"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// tx is a transaction on a copy of the state.
type tx struct {
	*state
	names *catalog.Catalog
	entry ledger.Entry
}

var _ ledger.Tx = (*tx)(nil)

func (t *tx) Level(shopID, productID string, today store.Date) (store.Level, bool, error) {
	if _, err := t.names.Shop(shopID); err != nil {
		return store.Level{}, false, err
	}
	if _, err := t.names.Product(productID); err != nil {
		return store.Level{}, false, err
	}
	l, carried := t.levels[place{shopID, productID}]
	return l.on(today), carried, nil
}

// on returns the level with what of it has expired on a day.
func (l level) on(today store.Date) store.Level {
	for expiry, n := range l.lots {
		if expiry < today {
			l.Expired += n
		}
	}
	return l.Level
}

func (t *tx) Lots(shopID, productID string) ([]store.Lot, error) {
	return t.levels[place{shopID, productID}].list(), nil
}

// list returns the lots, the first to expire first.
func (l level) list() []store.Lot {
	var lots []store.Lot
	for expiry, n := range l.lots {
		lots = append(lots, store.Lot{Expiry: expiry, OnHand: n})
	}
	slices.SortFunc(lots, func(a, b store.Lot) int { return cmp.Compare(a.Expiry, b.Expiry) })
	return lots
}

func (t *tx) Held(shopID, productID string) ([]store.Reservation, error) {
	var held []store.Reservation
	for _, r := range slices.Backward(t.reservations) {
		if r.State == store.Held && r.ShopID == shopID && r.ProductID == productID {
			held = append(held, r)
		}
	}
	return held, nil
}

func (t *tx) Due(at time.Time) ([]store.Reservation, error) {
	return slices.DeleteFunc(t.held(), func(r store.Reservation) bool { return r.Until.After(at) }), nil
}

// held returns all that is held, the first to end first.
func (s *state) held() []store.Reservation {
	held := slices.DeleteFunc(slices.Clone(s.reservations), func(r store.Reservation) bool { return r.State != store.Held })
	slices.SortFunc(held, func(a, b store.Reservation) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) })
	return held
}

func (s *state) Reservation(id int64) (store.Reservation, error) {
	if id < 1 || id > int64(len(s.reservations)) {
		return store.Reservation{}, fmt.Errorf("reservation %d: %w", id, store.ErrNotFound)
	}
	return s.reservations[id-1], nil
}

func (s *state) Group(id int64) ([]store.Movement, error) {
	if id < 1 || id > int64(len(s.movements)) {
		return nil, nil
	}
	var group []store.Movement
	for _, m := range slices.Backward(s.movements) {
		if m.Group == s.movements[id-1].Group {
			group = append(group, m)
		}
	}
	return group, nil
}

func (t *tx) Key(caller, key string) ([]byte, store.Receipt, error) {
	k := t.keys[callerKey{caller, key}]
	return k.content, cloneReceipt(k.receipt), nil
}

func (t *tx) KeepKey(caller, key string, content []byte, receipt store.Receipt) error {
	t.keys[callerKey{caller, key}] = kept{content, cloneReceipt(receipt)}
	return nil
}

func cloneReceipt(r store.Receipt) store.Receipt {
	r.Movements, r.Levels, r.Released = slices.Clone(r.Movements), slices.Clone(r.Levels), slices.Clone(r.Released)
	if r.Reservation != nil {
		r.Reservation = new(*r.Reservation)
	}
	return r
}

func (t *tx) Begin(e ledger.Entry) error {
	t.entry = e
	return nil
}

func (t *tx) Append(m *store.Movement) error {
	m.ID = int64(len(t.movements) + 1)
	m.Group = cmp.Or(m.Group, m.ID)
	t.movements = append(t.movements, *m)
	if m.Reverses != 0 {
		t.movements[m.Reverses-1].ReversedBy = m.ID
	}
	return nil
}

func (t *tx) SetLevel(shopID, productID string, l store.Level) error {
	at := place{shopID, productID}
	kept := t.levels[at]
	kept.Level = l
	kept.Expired = 0 // which is found anew on each day
	t.levels[at] = kept
	t.changes = append(t.changes, at)
	return nil
}

func (t *tx) SetLot(shopID, productID string, lot store.Lot) error {
	at := place{shopID, productID}
	l := t.levels[at]
	l.lots = maps.Clone(l.lots)
	switch {
	case lot.OnHand == 0:
		delete(l.lots, lot.Expiry)
	case l.lots == nil:
		l.lots = map[store.Date]int64{lot.Expiry: lot.OnHand}
	default:
		l.lots[lot.Expiry] = lot.OnHand
	}
	t.levels[at] = l
	return nil
}

func (t *tx) AddReservation(r *store.Reservation) error {
	r.ID = int64(len(t.reservations) + 1)
	t.reservations = append(t.reservations, *r)
	return nil
}

func (t *tx) EndReservation(r store.Reservation) error {
	kept := &t.reservations[r.ID-1]
	kept.State, kept.EndedAt = r.State, r.EndedAt
	return nil
}

func (t *tx) Spend(token string, until, forget time.Time) (bool, error) {
	maps.DeleteFunc(t.spent, func(_ string, end time.Time) bool { return !end.After(forget) })
	if _, spent := t.spent[token]; spent {
		return false, nil
	}
	t.spent[token] = until
	return true, nil
}

func (t *tx) Record(c store.Call) error {
	t.calls = append(t.calls, c)
	return nil
}
