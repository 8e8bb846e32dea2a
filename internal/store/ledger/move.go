package ledger

import (
	"context"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Move records a delivery, a sale, waste or a correction.
func (l *Ledger) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	r := request{
		op: "record movement", reason: string(m.Reason), note: m.Note, once: m.Once,
		content: []any{"move", m.ShopID, m.ProductID, m.Delta, m.Expiry},
	}
	if err := checkMove(m); err != nil {
		return r.refuse(err)
	}
	return l.apply(ctx, r, func(c *change) error {
		p, err := c.position(m.ShopID, m.ProductID)
		switch {
		case err != nil:
			return err
		case m.Delta > 0:
			return c.give(p, m.Delta, m.Expiry, 0)
		case !p.carried:
			return p.notCarried()
		}
		of := anything
		if m.Reason == store.Sale {
			of = fresh
		}
		_, err = c.take(p, -m.Delta, m.Expiry, of)
		return err
	})
}

// Count sets a level to what was counted.
func (l *Ledger) Count(ctx context.Context, count store.Count) (store.Receipt, error) {
	r := request{
		op: "count stock", reason: string(store.Counted), note: count.Note, once: count.Once,
		content: []any{count.ShopID, count.ProductID, count.Quantity},
	}
	if err := checkQuantity(count.Quantity, 0); err != nil {
		return r.refuse(err)
	}
	return l.apply(ctx, r, func(c *change) error {
		p, err := c.position(count.ShopID, count.ProductID)
		if err != nil {
			return err
		}
		if err := c.giveWay(p, count.Quantity); err != nil {
			return err
		}
		if delta := count.Quantity - p.level.OnHand; delta >= 0 {
			return c.move(p, store.Lot{}, delta, 0)
		}
		_, err = c.take(p, p.level.OnHand-count.Quantity, "", anything)
		return err
	})
}

// Transfer takes from one shop and gives to another.
func (l *Ledger) Transfer(ctx context.Context, t store.Transfer) (store.Receipt, error) {
	r := request{
		op: "transfer stock", reason: string(store.Transferred), note: t.Note, once: t.Once,
		content: []any{t.FromShopID, t.ToShopID, t.ProductID, t.Quantity},
	}
	if err := checkQuantity(t.Quantity, 1); err != nil {
		return r.refuse(err)
	}
	if t.FromShopID == t.ToShopID {
		return r.refuse(invalid("shop %q is both where it goes from and where it goes to; name two shops", t.FromShopID))
	}
	return l.apply(ctx, r, func(c *change) error {
		from, err := c.position(t.FromShopID, t.ProductID)
		if err != nil {
			return err
		}
		to, err := c.position(t.ToShopID, t.ProductID)
		if err != nil {
			return err
		}
		if !from.carried {
			return from.notCarried()
		}
		taken, err := c.take(from, t.Quantity, "", fresh)
		if err != nil {
			return err
		}
		// Before the first lot is given, so that the error names the whole quantity.
		if err := to.room(t.Quantity); err != nil {
			return err
		}
		for _, lot := range taken {
			if err := c.give(to, lot.OnHand, lot.Expiry, 0); err != nil {
				return err
			}
		}
		return nil
	})
}
