package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Undo reverses a movement and all of its group.
func (db *DB) Undo(ctx context.Context, u store.Undo) (store.Receipt, error) {
	r := request{
		deed: fmt.Sprintf("undo movement %d", u.Movement), reason: string(store.Correction), note: u.Note, once: u.Once,
		content: []any{"undo", u.Movement},
	}
	return db.change(ctx, r, func(d *deed) error {
		group, err := d.undoable(u.Movement)
		if err != nil {
			return err
		}
		for _, m := range group {
			if err := d.reverse(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// undoable returns the group of a movement, newest first, if it can be undone.
func (d *deed) undoable(id int64) ([]store.Movement, error) {
	rows, err := d.rows(movementsSQL+`
		WHERE m.num IN (SELECT grp FROM movements WHERE num = ?1
			UNION SELECT num FROM movements WHERE grp <> num AND grp = (SELECT grp FROM movements WHERE num = ?1))
		ORDER BY m.num DESC`, id)
	if err != nil {
		return nil, err
	}
	group, err := scanMovements(rows)
	if err != nil {
		return nil, err
	}
	if len(group) == 0 {
		return nil, fmt.Errorf("movement %d: %w", id, store.ErrNotFound)
	}
	for _, m := range group {
		if m.Reverses != 0 {
			return nil, conflict(store.IsUndo, "it undid movement %d itself; record the change anew instead", m.Reverses)
		}
		if m.ReversedBy != 0 {
			return nil, conflict(store.AlreadyUndone, "it was undone before, by movement %d", m.ReversedBy)
		}
	}
	return group, nil
}

// reverse moves back what m moved, in the same lot.
func (d *deed) reverse(m store.Movement) error {
	sp, err := d.spot(m.ShopID, m.ProductID)
	if errors.Is(err, store.ErrNotFound) {
		return conflict(store.NoLongerThere, "movement %d was of product %q in shop %q, one of which is no longer there", m.ID, m.ProductID, m.ShopID)
	}
	if err != nil {
		return err
	}
	if m.Delta <= 0 {
		if err := sp.room(-m.Delta); err != nil {
			return err
		}
		return d.move(sp, m.Expiry, -m.Delta, m.ID)
	}
	if !sp.carried {
		return conflict(store.NoLongerThere, "product %q is no longer carried in shop %q", m.ProductID, m.ShopID)
	}
	lots, err := d.lots(sp)
	if err != nil {
		return err
	}
	_, err = sp.lot(lots, m.Delta, m.Expiry)
	switch {
	case m.Expiry != "" && err != nil:
		return err
	case m.Delta > sp.level.Available():
		return sp.insufficient(m.Delta)
	case err != nil:
		return conflict(store.LotUsedUp, "product %q in shop %q: %d without an expiry date came, and not so many of those without one are left; record a correction instead",
			m.ProductID, m.ShopID, m.Delta)
	}
	return d.move(sp, m.Expiry, -m.Delta, m.ID)
}
