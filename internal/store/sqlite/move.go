package sqlite

import (
	"context"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Move records a delivery, a sale, waste or a correction.
func (db *DB) Move(ctx context.Context, m store.Move) (store.Receipt, error) {
	r := request{
		deed: "record movement", reason: string(m.Reason), note: m.Note, once: m.Once,
		content: []any{"move", m.ShopID, m.ProductID, m.Delta, m.Expiry},
	}
	if err := checkMove(m); err != nil {
		return store.Receipt{}, db.failed(r.deed, err)
	}
	return db.change(ctx, r, func(d *deed) error {
		sp, err := d.spot(m.ShopID, m.ProductID)
		switch {
		case err != nil:
			return err
		case m.Delta > 0:
			return d.give(sp, m.Delta, m.Expiry)
		case !sp.carried:
			return sp.notCarried()
		}
		_, err = d.take(sp, -m.Delta, m.Expiry)
		return err
	})
}

func checkMove(m store.Move) error {
	switch m.Reason {
	case store.Delivery:
		if m.Delta <= 0 {
			return invalid("a delivery of %d: give how many came, above 0", m.Delta)
		}
	case store.Sale, store.Waste:
		if m.Delta >= 0 {
			return invalid("%s with a delta of %d: give how many went as a number below 0", m.Reason, m.Delta)
		}
	case store.Correction:
		if m.Delta == 0 {
			return invalid("a correction of 0 changes nothing; give a number above or below 0")
		}
	default:
		return invalid("reason %q is not one of delivery, sale, waste and correction", m.Reason)
	}
	if m.Delta < -store.MaxQuantity || m.Delta > store.MaxQuantity {
		return invalid("delta %d is not from %d to %d", m.Delta, -store.MaxQuantity, store.MaxQuantity)
	}
	return checkExpiry(m.Expiry)
}

// Count sets a level to what somebody counted.
func (db *DB) Count(ctx context.Context, c store.Count) (store.Receipt, error) {
	r := request{
		deed: "count stock", reason: string(store.Counted), note: c.Note, once: c.Once,
		content: []any{c.ShopID, c.ProductID, c.Quantity},
	}
	if err := checkQuantity(c.Quantity, 0); err != nil {
		return store.Receipt{}, db.failed(r.deed, err)
	}
	return db.change(ctx, r, func(d *deed) error {
		sp, err := d.spot(c.ShopID, c.ProductID)
		if err != nil {
			return err
		}
		if err := d.giveWay(sp, c.Quantity); err != nil {
			return err
		}
		if delta := c.Quantity - sp.level.OnHand; delta >= 0 {
			return d.move(sp, "", delta, 0)
		}
		_, err = d.take(sp, sp.level.OnHand-c.Quantity, "")
		return err
	})
}

// Transfer takes from one shop and gives to another.
func (db *DB) Transfer(ctx context.Context, t store.Transfer) (store.Receipt, error) {
	r := request{
		deed: "transfer stock", reason: string(store.Transferred), note: t.Note, once: t.Once,
		content: []any{t.FromShopID, t.ToShopID, t.ProductID, t.Quantity},
	}
	err := checkQuantity(t.Quantity, 1)
	if err == nil && t.FromShopID == t.ToShopID {
		err = invalid("shop %q is both where it goes from and where it goes to; name two shops", t.FromShopID)
	}
	if err != nil {
		return store.Receipt{}, db.failed(r.deed, err)
	}
	return db.change(ctx, r, func(d *deed) error {
		from, err := d.spot(t.FromShopID, t.ProductID)
		if err != nil {
			return err
		}
		to, err := d.spot(t.ToShopID, t.ProductID)
		if err != nil {
			return err
		}
		if !from.carried {
			return from.notCarried()
		}
		taken, err := d.take(from, t.Quantity, "")
		if err != nil {
			return err
		}
		if err := to.room(t.Quantity); err != nil {
			return err
		}
		for _, p := range taken {
			if err := d.give(to, p.n, p.expiry); err != nil {
				return err
			}
		}
		return nil
	})
}
