package ledger

import (
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// position is a product in a shop that a change touches.
type position struct {
	shopID, productID string
	carried           bool        // before the change
	before, level     store.Level // before the change, and as far as it has come
	last              store.Level // after the last movement
}

// position returns the product in the shop as far as the change has come, or an
// error that says which of the two does not exist.
func (c *change) position(shopID, productID string) (*position, error) {
	for _, p := range c.positions {
		if p.shopID == shopID && p.productID == productID {
			return p, nil
		}
	}
	level, carried, err := c.tx.Level(shopID, productID, c.today)
	if err != nil {
		return nil, err
	}
	p := &position{shopID: shopID, productID: productID, carried: carried, before: level, level: level,
		last: store.Level{OnHand: level.OnHand, Reserved: level.Reserved}}
	c.positions = append(c.positions, p)
	return p, nil
}

func (p *position) notCarried() error {
	return fmt.Errorf("product %q is not carried in shop %q: %w", p.productID, p.shopID, store.ErrNotFound)
}

func (p *position) change() store.LevelChange {
	return store.LevelChange{ShopID: p.shopID, ProductID: p.productID, Before: p.before, After: p.level, New: !p.carried}
}

// takes says what may be taken of what is there.
type takes bool

const (
	fresh    takes = true  // only what has not expired
	anything takes = false // what has expired, too
)

// enough refuses to take n where so much is not there, or is reserved.
func (p *position) enough(n int64, of takes) error {
	there := store.Level{OnHand: p.level.OnHand, Reserved: p.level.Reserved, AsOf: p.before.AsOf}
	if of == fresh {
		there.Expired = p.level.Expired
	}
	if n <= there.Available() {
		return nil
	}
	return &store.InsufficientError{ShopID: p.shopID, ProductID: p.productID, Asked: n, Level: there}
}

// expired reports whether the last day of a lot is over.
func (c *change) expired(lot store.Date) bool { return lot != "" && lot < c.today }

// lots returns what is at p of each lot, the first to expire first, and last what
// has no expiry date.
func (c *change) lots(p *position) ([]store.Lot, error) {
	lots, err := c.tx.Lots(p.shopID, p.productID)
	if err != nil {
		return nil, err
	}
	undated := p.level.OnHand
	for _, lot := range lots {
		undated -= lot.OnHand
	}
	return append(lots, store.Lot{OnHand: undated}), nil
}

// lot returns the one of lots that has this expiry date, which must have n.
func (p *position) lot(lots []store.Lot, n int64, expiry store.Date) (store.Lot, error) {
	lot := store.Lot{Expiry: expiry}
	for _, l := range lots {
		if l.Expiry == expiry {
			lot = l
		}
	}
	if lot.OnHand < n {
		return lot, &store.InsufficientError{ShopID: p.shopID, ProductID: p.productID,
			Expiry: expiry, Asked: n, Level: p.level, Lot: lot.OnHand}
	}
	return lot, nil
}

// take takes n from p, of one lot if expiry is set, else of those that expire
// first, by a movement for each. It returns how much it took from each lot.
func (c *change) take(p *position, n int64, expiry store.Date, of takes) ([]store.Lot, error) {
	if of == fresh && c.expired(expiry) {
		return nil, conflict(store.LotExpired, "product %q in shop %q: the lot expired after %s, so it cannot be sold; record it as waste",
			p.productID, p.shopID, expiry)
	}
	lots, err := c.lots(p)
	if err != nil {
		return nil, err
	}
	if expiry != "" {
		lot, err := p.lot(lots, n, expiry)
		if err != nil {
			return nil, err
		}
		lots = []store.Lot{lot}
	}
	if err := p.enough(n, of); err != nil {
		return nil, err
	}
	var taken []store.Lot
	for _, lot := range lots {
		k := min(lot.OnHand, n)
		if k <= 0 || of == fresh && c.expired(lot.Expiry) {
			continue
		}
		if err := c.move(p, lot, -k, 0); err != nil {
			return nil, err
		}
		taken = append(taken, store.Lot{Expiry: lot.Expiry, OnHand: k})
		n -= k
	}
	return taken, nil
}

// give adds n to p, to a lot if expiry is set.
func (c *change) give(p *position, n int64, expiry store.Date, reverses int64) error {
	if err := p.room(n); err != nil {
		return err
	}
	lot := store.Lot{Expiry: expiry}
	if expiry != "" {
		lots, err := c.tx.Lots(p.shopID, p.productID)
		if err != nil {
			return err
		}
		for _, l := range lots {
			if l.Expiry == expiry {
				lot = l
			}
		}
	}
	return c.move(p, lot, n, reverses)
}

// room refuses n more where that would not fit a level.
func (p *position) room(n int64) error {
	if p.level.OnHand+n > store.MaxQuantity {
		return invalid("product %q in shop %q: %d more than the %d on hand would be over %d, which a level may be at most",
			p.productID, p.shopID, n, p.level.OnHand, store.MaxQuantity)
	}
	return nil
}

// move appends a movement of delta at p, in a lot that holds lot.OnHand before.
func (c *change) move(p *position, lot store.Lot, delta, reverses int64) error {
	p.level.OnHand += delta
	if c.expired(lot.Expiry) {
		p.level.Expired += delta
	}
	m := store.Movement{At: c.at, ShopID: p.shopID, ProductID: p.productID,
		Expiry: lot.Expiry, Delta: delta, Reason: store.Reason(c.reason), Note: c.note,
		Actor: c.by.ID, Client: c.by.Client, Key: c.once.Key,
		Before: p.last, After: store.Level{OnHand: p.level.OnHand, Reserved: p.level.Reserved}, Reverses: reverses}
	if len(c.receipt.Movements) > 0 {
		m.Group = c.receipt.Movements[0].Group
	}
	if err := c.tx.Append(&m); err != nil {
		return err
	}
	p.last = m.After
	c.receipt.Movements = append(c.receipt.Movements, m)
	if lot.Expiry == "" {
		return nil
	}
	lot.OnHand += delta
	return c.tx.SetLot(p.shopID, p.productID, lot)
}
