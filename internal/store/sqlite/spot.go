package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// spot is a product in a shop, which a deed changes.
type spot struct {
	shopID, productID string
	shop, product     int64
	carried           bool // before the deed
	before, level     store.Level
	last              store.Level // what the last movement left
}

// spot returns the product in the shop as the deed has left it so far, or an
// error that says which of them is not there.
func (d *deed) spot(shopID, productID string) (*spot, error) {
	for _, sp := range d.spots {
		if sp.shopID == shopID && sp.productID == productID {
			return sp, nil
		}
	}
	var shop, product, onHand, reserved, asOf sql.NullInt64
	err := d.row(`
		SELECT s.num, p.num, l.on_hand, l.reserved, l.as_of FROM (SELECT 1)
		LEFT JOIN shops s ON s.id = ?
		LEFT JOIN products p ON p.id = ?
		LEFT JOIN levels l ON l.product = p.num AND l.shop = s.num`,
		shopID, productID).Scan(&shop, &product, &onHand, &reserved, &asOf)
	switch {
	case err != nil:
		return nil, err
	case !shop.Valid:
		return nil, fmt.Errorf("shop %q: %w", shopID, store.ErrNotFound)
	case !product.Valid:
		return nil, fmt.Errorf("product %q: %w", productID, store.ErrNotFound)
	}
	sp := &spot{shopID: shopID, productID: productID, shop: shop.Int64, product: product.Int64, carried: onHand.Valid}
	if sp.carried {
		sp.before = store.Level{OnHand: onHand.Int64, Reserved: reserved.Int64, AsOf: utc(asOf.Int64)}
	}
	sp.level = sp.before
	sp.last = store.Level{OnHand: sp.before.OnHand, Reserved: sp.before.Reserved}
	d.spots = append(d.spots, sp)
	return sp, nil
}

// notCarried is why nothing can be taken.
func (sp *spot) notCarried() error {
	return fmt.Errorf("product %q is not carried in shop %q: %w", sp.productID, sp.shopID, store.ErrNotFound)
}

func (sp *spot) change() store.LevelChange {
	return store.LevelChange{ShopID: sp.shopID, ProductID: sp.productID, Before: sp.before, After: sp.level, New: !sp.carried}
}

func (sp *spot) insufficient(asked int64) error {
	return &store.InsufficientError{ShopID: sp.shopID, ProductID: sp.productID, Asked: asked,
		Level: store.Level{OnHand: sp.level.OnHand, Reserved: sp.level.Reserved, AsOf: sp.before.AsOf}}
}

// part is a quantity of one lot, or of what is outside lots.
type part struct {
	expiry store.Date
	n      int64
}

// lots returns what is at sp of each lot, the first to expire first, and last
// what is outside lots.
func (d *deed) lots(sp *spot) ([]part, error) {
	rows, err := d.rows(`SELECT expiry, on_hand FROM lots WHERE product = ? AND shop = ? ORDER BY expiry`, sp.product, sp.shop)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lots []part
	undated := sp.level.OnHand
	for rows.Next() {
		var p part
		if err := rows.Scan(&p.expiry, &p.n); err != nil {
			return nil, err
		}
		lots = append(lots, p)
		undated -= p.n
	}
	return append(lots, part{"", undated}), rows.Err()
}

// take takes n from sp, of one lot if expiry is set, else of those that expire
// first, by a movement for each. It returns what it took.
func (d *deed) take(sp *spot, n int64, expiry store.Date) ([]part, error) {
	lots, err := d.lots(sp)
	if err != nil {
		return nil, err
	}
	if expiry != "" {
		if lots, err = sp.lot(lots, n, expiry); err != nil {
			return nil, err
		}
	}
	if n > sp.level.Available() {
		return nil, sp.insufficient(n)
	}
	var taken []part
	for _, p := range lots {
		if p.n = min(p.n, n); p.n > 0 {
			if err := d.move(sp, p.expiry, -p.n, 0); err != nil {
				return nil, err
			}
			taken = append(taken, p)
			n -= p.n
		}
	}
	return taken, nil
}

// lot returns those of lots that are of this date, which must have n.
func (sp *spot) lot(lots []part, n int64, expiry store.Date) ([]part, error) {
	var has int64
	for _, p := range lots {
		if p.expiry == expiry {
			has += p.n
		}
	}
	if has < n {
		return nil, &store.InsufficientError{ShopID: sp.shopID, ProductID: sp.productID,
			Expiry: expiry, Asked: n, Level: sp.level, Lot: has}
	}
	return []part{{expiry, has}}, nil
}

// give adds n to sp, to a lot if expiry is set.
func (d *deed) give(sp *spot, n int64, expiry store.Date) error {
	if err := sp.room(n); err != nil {
		return err
	}
	return d.move(sp, expiry, n, 0)
}

// room refuses what would not fit a level.
func (sp *spot) room(n int64) error {
	if sp.level.OnHand+n > store.MaxQuantity {
		return invalid("product %q in shop %q: %d more than the %d on hand would be over %d, which a level may be at most",
			sp.productID, sp.shopID, n, sp.level.OnHand, store.MaxQuantity)
	}
	return nil
}

// move appends a movement, and keeps the level and the lot beside it.
func (d *deed) move(sp *spot, expiry store.Date, delta, reverses int64) error {
	if d.group == 0 {
		err := d.row(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'movements'), 0) + 1`).Scan(&d.group)
		if err != nil {
			return err
		}
		d.next = d.group
	}
	sp.level.OnHand += delta
	m := store.Movement{ID: d.next, Group: d.group, At: utc(d.at), ShopID: sp.shopID, ProductID: sp.productID,
		Expiry: expiry, Delta: delta, Reason: store.Reason(d.reason), Note: d.note,
		Actor: d.by.ID, Client: d.by.Client, Key: d.once.Key,
		Before: sp.last, After: store.Level{OnHand: sp.level.OnHand, Reserved: sp.level.Reserved}, Reverses: reverses}
	_, err := d.exec(`
		INSERT INTO movements (num, deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved, reverses)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))`,
		m.ID, d.num, m.Group, sp.product, sp.shop, expiry, delta, m.After.OnHand, m.Before.Reserved, m.After.Reserved, reverses)
	if err != nil {
		return err
	}
	d.next++
	sp.last = m.After
	d.receipt.Movements = append(d.receipt.Movements, m)
	return d.moveLot(sp, expiry, delta)
}

func (d *deed) moveLot(sp *spot, expiry store.Date, delta int64) error {
	if expiry == "" {
		return nil
	}
	if delta > 0 {
		_, err := d.exec(`INSERT INTO lots (product, shop, expiry, on_hand) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET on_hand = on_hand + excluded.on_hand`, sp.product, sp.shop, expiry, delta)
		return err
	}
	gone, err := d.exec(`DELETE FROM lots WHERE product = ? AND shop = ? AND expiry = ? AND on_hand = ?`,
		sp.product, sp.shop, expiry, -delta)
	if err != nil || gone > 0 {
		return err
	}
	_, err = d.exec(`UPDATE lots SET on_hand = on_hand + ? WHERE product = ? AND shop = ? AND expiry = ?`,
		delta, sp.product, sp.shop, expiry)
	return err
}

// store keeps sp's level, and tells those who watch.
func (d *deed) store(sp *spot) error {
	sp.level.AsOf = utc(max(d.at, asOf(sp.before)))
	_, err := d.exec(`
		INSERT INTO levels (product, shop, chain, place, on_hand, reserved, as_of, reorder_point)
		SELECT p.num, s.num, s.chain, s.place, ?, ?, ?, p.reorder_point FROM products p, shops s WHERE p.num = ? AND s.num = ?
		ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved, as_of = excluded.as_of`,
		sp.level.OnHand, sp.level.Reserved, sp.level.AsOf.UnixMicro(), sp.product, sp.shop)
	if err != nil {
		return err
	}
	_, err = d.exec(`INSERT INTO changes (product, shop) VALUES (?, ?)`, sp.product, sp.shop)
	return err
}

func asOf(l store.Level) int64 {
	if l.AsOf.IsZero() {
		return 0
	}
	return l.AsOf.UnixMicro()
}
