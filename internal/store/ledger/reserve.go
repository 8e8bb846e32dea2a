package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// endFormat is how errors give the time at which a reservation ended.
const endFormat = "2006-01-02 15:04:05 MST"

// Reserve holds a quantity for a while.
func (l *Ledger) Reserve(ctx context.Context, res store.Reserve) (store.Receipt, error) {
	if res.For == 0 {
		res.For = store.DefaultHold
	}
	r := request{
		op: "reserve stock", reason: "reserve", note: res.Note, once: res.Once,
		content: []any{res.ShopID, res.ProductID, res.Quantity, res.For.Microseconds()},
	}
	if err := checkQuantity(res.Quantity, 1); err != nil {
		return r.refuse(err)
	}
	if err := checkHold(res.For); err != nil {
		return r.refuse(err)
	}
	return l.apply(ctx, r, func(c *change) error {
		p, err := c.position(res.ShopID, res.ProductID)
		switch {
		case err != nil:
			return err
		case !p.carried:
			return p.notCarried()
		}
		if err := p.enough(res.Quantity, fresh); err != nil {
			return err
		}
		p.level.Reserved += res.Quantity
		c.receipt.Reservation = &store.Reservation{ShopID: res.ShopID, ProductID: res.ProductID, Quantity: res.Quantity,
			MadeAt: c.at, Until: c.at.Add(res.For.Truncate(time.Microsecond)), State: store.Held,
			Note: c.note, Actor: c.by.ID, Client: c.by.Client}
		return c.tx.AddReservation(c.receipt.Reservation)
	})
}

// Release ends a reservation early.
func (l *Ledger) Release(ctx context.Context, rel store.Release) (store.Receipt, error) {
	name := fmt.Sprintf("reservation %d", rel.Reservation)
	r := request{
		op: "release " + name, reason: "release", note: name, once: rel.Once,
		content: []any{rel.Reservation},
	}
	return l.apply(ctx, r, func(c *change) error {
		held, err := c.tx.Reservation(rel.Reservation)
		switch {
		case err != nil:
			return err
		case held.State == store.Lapsed:
			return fmt.Errorf("it ended at %s: %w", held.EndedAt.Format(endFormat), store.ErrReservationExpired)
		case held.State == store.Released:
			return conflict(store.AlreadyFreed, "it was released before, at %s", held.EndedAt.Format(endFormat))
		}
		p, err := c.position(held.ShopID, held.ProductID)
		if err != nil {
			return err
		}
		if held, err = c.release(p, held); err != nil {
			return err
		}
		c.receipt.Reservation = &held
		return nil
	})
}

// release ends a reservation at p now.
func (c *change) release(p *position, held store.Reservation) (store.Reservation, error) {
	p.level.Reserved -= held.Quantity
	held.State, held.EndedAt = store.Released, c.at
	return held, c.tx.EndReservation(held)
}

// giveWay releases the newest reservations at p, each wholly, until no more is
// reserved than onHand.
func (c *change) giveWay(p *position, onHand int64) error {
	if p.level.Reserved <= onHand {
		return nil
	}
	newestFirst, err := c.tx.Held(p.shopID, p.productID)
	if err != nil {
		return err
	}
	for _, held := range newestFirst {
		if p.level.Reserved <= onHand {
			break
		}
		released, err := c.release(p, held)
		if err != nil {
			return err
		}
		c.receipt.Released = append(c.receipt.Released, released)
	}
	return nil
}

// Lapse ends the reservations that are due at a time, each at its own end, so
// that what is kept is the same whenever it is called after that.
func Lapse(tx Tx, now time.Time) error {
	due, err := tx.Due(now)
	if err != nil || len(due) == 0 {
		return err
	}
	if err := tx.Begin(Entry{At: now, Reason: "lapse"}); err != nil {
		return err
	}
	type place struct{ shopID, productID string }
	levels := make(map[place]store.Level)
	for _, r := range due {
		r.State, r.EndedAt = store.Lapsed, r.Until
		if err := tx.EndReservation(r); err != nil {
			return err
		}
		at := place{r.ShopID, r.ProductID}
		level, ok := levels[at]
		if !ok {
			var carried bool
			if level, carried, err = tx.Level(r.ShopID, r.ProductID, ""); err != nil {
				return err
			} else if !carried {
				continue
			}
		}
		level.Reserved -= r.Quantity
		if r.Until.After(level.AsOf) {
			level.AsOf = r.Until
		}
		levels[at] = level
	}
	for at, level := range levels {
		if err := tx.SetLevel(at.shopID, at.productID, level); err != nil {
			return err
		}
	}
	return nil
}
