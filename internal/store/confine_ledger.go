package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

func (c *confined) Move(ctx context.Context, m Move) (Receipt, error) {
	if err := c.check(ctx, m.ShopID, m.ProductID); err != nil {
		return Receipt{}, err
	}
	return c.s.Move(ctx, m)
}

// Count says which reservations had to give way, but not whose, nor what for.
func (c *confined) Count(ctx context.Context, n Count) (Receipt, error) {
	if err := c.check(ctx, n.ShopID, n.ProductID); err != nil {
		return Receipt{}, err
	}
	r, err := c.s.Count(ctx, n)
	for i := range r.Released {
		if gone := &r.Released[i]; gone.Actor != CallerFrom(ctx).ID {
			gone.Note, gone.Actor, gone.Client = "", "", ""
		}
	}
	return r, err
}

func (c *confined) Transfer(ctx context.Context, t Transfer) (Receipt, error) {
	if err := c.check(ctx, t.FromShopID, t.ProductID); err != nil {
		return Receipt{}, err
	}
	if !sees(ctx, t.ToShopID) {
		return Receipt{}, notFound("shop", t.ToShopID)
	}
	return c.s.Transfer(ctx, t)
}

func (c *confined) Reserve(ctx context.Context, r Reserve) (Receipt, error) {
	if err := c.check(ctx, r.ShopID, r.ProductID); err != nil {
		return Receipt{}, err
	}
	return c.s.Reserve(ctx, r)
}

func (c *confined) Release(ctx context.Context, r Release) (Receipt, error) {
	if _, err := c.Reservation(ctx, r.Reservation); err != nil {
		return Receipt{}, err
	}
	return c.s.Release(ctx, r)
}

func (c *confined) Undo(ctx context.Context, u Undo) (Receipt, error) {
	if own := CallerFrom(ctx).Shop; own != "" {
		if err := c.checkUndo(ctx, own, u.Movement); err != nil {
			return Receipt{}, err
		}
	}
	return c.s.Undo(ctx, u)
}

// checkUndo returns [ErrNotFound] where a movement is of another shop than the
// caller's own, and an [ErrConflict] where some of its group is.
func (c *confined) checkUndo(ctx context.Context, own string, id int64) error {
	mine, err := c.anyMovement(ctx, MovementQuery{ShopID: own, Group: id}, func(m Movement) bool { return m.ID == id })
	if err == nil && !mine {
		err = fmt.Errorf("movement %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return err
	}
	others, err := c.anyMovement(ctx, MovementQuery{Group: id}, func(m Movement) bool { return m.ShopID != own })
	if err == nil && others {
		err = &ConflictError{Kind: NotTheirsAlone,
			Text: fmt.Sprintf("movement %d changed stock of other shops in the same go; the owner can undo it: mcpstore stock undo %d", id, id)}
	}
	return err
}

// anyMovement reports whether one of the movements is as wanted.
func (c *confined) anyMovement(ctx context.Context, q MovementQuery, wanted func(Movement) bool) (bool, error) {
	q.Limit = MaxLimit
	for {
		movements, next, err := c.s.Movements(ctx, q)
		if err != nil || slices.ContainsFunc(movements, wanted) {
			return err == nil, err
		}
		if next == "" {
			return false, nil
		}
		q.Cursor = next
	}
}

func (c *confined) Movements(ctx context.Context, q MovementQuery) ([]Movement, string, error) {
	if ok, err := c.narrow(ctx, &q.ShopID, new(string)); err != nil || !ok {
		return nil, "", err
	}
	return c.s.Movements(ctx, q)
}

func (c *confined) Reservation(ctx context.Context, id int64) (Reservation, error) {
	r, err := c.s.Reservation(ctx, id)
	if err == nil && !holds(ctx, r) {
		err = fmt.Errorf("reservation %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Reservation{}, err
	}
	return r, nil
}

// holds reports whether r is the caller's.
func holds(ctx context.Context, r Reservation) bool {
	return r.Actor == CallerFrom(ctx).ID && sees(ctx, r.ShopID)
}

func (c *confined) Reservations(ctx context.Context, q ReservationQuery) ([]Reservation, string, error) {
	if ok, err := c.narrow(ctx, &q.ShopID, new(string)); err != nil || !ok {
		return nil, "", err
	}
	most := q.Limit
	if most <= 0 {
		most = DefaultLimit
	}
	most = min(most, MaxLimit)
	var mine []Reservation
	for {
		q.Limit = MaxLimit
		some, next, err := c.s.Reservations(ctx, q)
		if err != nil {
			return nil, "", err
		}
		// Only what a page ends with has a cursor.
		for end := fill(ctx, some, most-len(mine)); end < len(some); end = fill(ctx, some, most-len(mine)) {
			q.Limit = end
			if some, next, err = c.s.Reservations(ctx, q); err != nil {
				return nil, "", err
			}
		}
		for _, r := range some {
			if holds(ctx, r) {
				mine = append(mine, r)
			}
		}
		if next == "" || len(mine) >= most {
			return mine, next, nil
		}
		q.Cursor = next
	}
}

// fill returns how many of the reservations have n of the caller's among them.
func fill(ctx context.Context, some []Reservation, n int) int {
	for i, r := range some {
		if holds(ctx, r) {
			n--
		}
		if n == 0 {
			return i + 1
		}
	}
	return len(some)
}

func (c *confined) Lots(ctx context.Context, shopID, productID string) ([]Lot, error) {
	if !sees(ctx, shopID) {
		return nil, nil
	}
	return c.s.Lots(ctx, shopID, productID)
}

func (c *confined) LowStock(ctx context.Context, q LowStockQuery) ([]StockLevel, string, error) {
	if ok, err := c.narrow(ctx, &q.ShopID, &q.Chain); err != nil || !ok {
		return nil, "", err
	}
	return c.s.LowStock(ctx, q)
}

func (c *confined) Expiring(ctx context.Context, q ExpiringQuery) ([]StockLot, string, error) {
	if ok, err := c.narrow(ctx, &q.ShopID, &q.Chain); err != nil || !ok {
		return nil, "", err
	}
	return c.s.Expiring(ctx, q)
}

// Watch refuses callers with a shop: a change of a product does not say where,
// so it cannot be kept from those whom it is none of. To find out what changed
// for them, ask again what they see.
func (c *confined) Watch(ctx context.Context, f func(Changes)) error {
	if CallerFrom(ctx).Shop != "" {
		return fmt.Errorf("watch for changes: %w", errShopOnly)
	}
	return c.s.Watch(ctx, f)
}

var errShopOnly = errors.New("the caller is held to one shop")
