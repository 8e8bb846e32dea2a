package sqlite

import (
	"context"
	"strconv"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// movementsSQL asks for what scanMovement reads, of movements m.
const movementsSQL = `SELECT m.num, m.grp, d.at,
	coalesce((SELECT id FROM shops WHERE num = m.shop), (SELECT id FROM retired WHERE kind = 'shop' AND num = m.shop), ''),
	coalesce((SELECT id FROM products WHERE num = m.product), (SELECT id FROM retired WHERE kind = 'product' AND num = m.product), ''),
	m.expiry, m.delta, d.reason, d.note, d.actor, d.client, d.key, m.on_hand, m.reserved_before, m.reserved,
	coalesce(m.reverses, 0), coalesce((SELECT num FROM movements WHERE reverses = m.num), 0)
	FROM movements m CROSS JOIN deeds d ON d.num = m.deed`

func scanMovement(scan func(...any) error) (store.Movement, error) {
	var m store.Movement
	var at int64
	err := scan(&m.ID, &m.Group, &at, &m.ShopID, &m.ProductID, &m.Expiry, &m.Delta, &m.Reason, &m.Note,
		&m.Actor, &m.Client, &m.Key, &m.After.OnHand, &m.Before.Reserved, &m.After.Reserved, &m.Reverses, &m.ReversedBy)
	if err != nil {
		return store.Movement{}, err
	}
	m.At = utc(at)
	m.Before.OnHand = m.After.OnHand - m.Delta
	return m, nil
}

// Movements lists what moved, newest first.
func (db *DB) Movements(ctx context.Context, q store.MovementQuery) ([]store.Movement, string, error) {
	movements, next, err := db.movements(ctx, q)
	if err != nil {
		return nil, "", db.failed("find movements", err)
	}
	return movements, next, nil
}

func (db *DB) movements(ctx context.Context, q store.MovementQuery) ([]store.Movement, string, error) {
	list := q
	list.Page = store.Page{}
	last, err := page.Last(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	// What is gone has its movements still.
	where, args := ` WHERE TRUE`, []any{}
	if q.ProductID != "" {
		where += ` AND m.product = coalesce((SELECT num FROM products WHERE id = ?), (SELECT num FROM retired WHERE kind = 'product' AND id = ?))`
		args = append(args, q.ProductID, q.ProductID)
	}
	if q.ShopID != "" {
		where += ` AND m.shop = coalesce((SELECT num FROM shops WHERE id = ?), (SELECT num FROM retired WHERE kind = 'shop' AND id = ?))`
		args = append(args, q.ShopID, q.ShopID)
	}
	if q.Group != 0 {
		where += ` AND m.num IN (SELECT grp FROM movements WHERE num = ?
			UNION SELECT num FROM movements WHERE grp <> num AND grp = (SELECT grp FROM movements WHERE num = ?))`
		args = append(args, q.Group, q.Group)
	}
	if last != "" {
		num, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return nil, "", store.ErrBadCursor
		}
		where, args = where+` AND m.num < ?`, append(args, num)
	}
	n := page.Limit(q.Limit)
	rows, err := db.query(ctx, movementsSQL+where+` ORDER BY m.num DESC LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	movements, err := collect(rows, scanMovement)
	if err != nil {
		return nil, "", err
	}
	movements, next := page.Cut(movements, n, list, func(m store.Movement) string { return strconv.FormatInt(m.ID, 10) })
	return movements, next, nil
}
