package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Undo reverses a movement and all of its group.
func (l *Ledger) Undo(ctx context.Context, u store.Undo) (store.Receipt, error) {
	r := request{
		op: fmt.Sprintf("undo movement %d", u.Movement), reason: string(store.Correction), note: u.Note, once: u.Once,
		content: []any{"undo", u.Movement},
	}
	return l.apply(ctx, r, func(c *change) error {
		group, err := c.tx.Group(u.Movement)
		if err != nil {
			return err
		}
		if len(group) == 0 {
			return fmt.Errorf("movement %d: %w", u.Movement, store.ErrNotFound)
		}
		for _, m := range group {
			switch {
			case m.Reverses != 0:
				return conflict(store.IsUndo, "it undid movement %d itself; record the change anew instead", m.Reverses)
			case m.ReversedBy != 0:
				return conflict(store.AlreadyUndone, "it was undone before, by movement %d", m.ReversedBy)
			}
		}
		for _, m := range group {
			if err := c.reverse(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// reverse moves back what m moved, in the same lot.
func (c *change) reverse(m store.Movement) error {
	p, err := c.position(m.ShopID, m.ProductID)
	if errors.Is(err, store.ErrNotFound) {
		return conflict(store.NoLongerThere, "movement %d was of product %q in shop %q, and one of the two is no longer there", m.ID, m.ProductID, m.ShopID)
	}
	if err != nil {
		return err
	}
	if m.Delta <= 0 {
		return c.give(p, -m.Delta, m.Expiry, m.ID)
	}
	if !p.carried {
		return conflict(store.NoLongerThere, "product %q is no longer carried in shop %q", m.ProductID, m.ShopID)
	}
	lots, err := c.lots(p)
	if err != nil {
		return err
	}
	lot, err := p.lot(lots, m.Delta, m.Expiry)
	if m.Expiry != "" && err != nil {
		return err
	}
	if err := p.enough(m.Delta, anything); err != nil {
		return err
	}
	if err != nil {
		return conflict(store.LotUsedUp, "product %q in shop %q: %d without an expiry date came, and not so many of those without one are left; record a correction instead",
			m.ProductID, m.ShopID, m.Delta)
	}
	return c.move(p, lot, -m.Delta, m.ID)
}
