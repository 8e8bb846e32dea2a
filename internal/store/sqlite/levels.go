package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

func utc(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// Level returns the stock of one product in one shop, or [store.ErrNotFound]
// where the shop does not carry it.
func (db *DB) Level(ctx context.Context, shopID, productID string) (store.Level, error) {
	var l store.Level
	var asOf int64
	err := db.queryRow(ctx, `
		SELECT on_hand, reserved, as_of FROM levels
		WHERE product = (SELECT num FROM products WHERE id = ?) AND shop = (SELECT num FROM shops WHERE id = ?)`,
		productID, shopID).Scan(&l.OnHand, &l.Reserved, &asOf)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Level{}, fmt.Errorf("level of product %q in shop %q: %w", productID, shopID, store.ErrNotFound)
	case err != nil:
		return store.Level{}, db.failed(fmt.Sprintf("look up level of product %q in shop %q", productID, shopID), err)
	}
	l.AsOf = utc(asOf)
	return l, nil
}

// Levels lists where q's product is carried, most available first.
func (db *DB) Levels(ctx context.Context, q store.LevelQuery) ([]store.ShopLevel, string, error) {
	levels, next, err := db.levels(ctx, q)
	if err != nil {
		return nil, "", db.failed(fmt.Sprintf("find levels of product %q", q.ProductID), err)
	}
	return levels, next, nil
}

func (db *DB) levels(ctx context.Context, q store.LevelQuery) ([]store.ShopLevel, string, error) {
	list := q
	list.Page = store.Page{}
	last, err := lastRow(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where := `l.product = (SELECT num FROM products WHERE id = ?)`
	args := []any{q.ProductID}
	if q.Chain != "" {
		where, args = where+` AND s.chain = (SELECT num FROM chains WHERE name = ?)`, append(args, q.Chain)
	}
	if last != "" {
		available, shopID, ok := parseLevelRow(last)
		var name string
		if ok {
			err = db.queryRow(ctx, `SELECT sort_name FROM shops WHERE id = ?`, shopID).Scan(&name)
		}
		if !ok || errors.Is(err, sql.ErrNoRows) {
			return nil, "", store.ErrBadCursor
		} else if err != nil {
			return nil, "", err
		}
		where += ` AND (l.reserved - l.on_hand, s.sort_name, s.id) > (?, ?, ?)`
		args = append(args, -available, name, shopID)
	}
	// The page is found first and the shops are read after, so that only what
	// orders them is sorted.
	n := limit(q.Limit)
	rows, err := db.query(ctx, `
		SELECT `+shopColumns+`, o.on_hand, o.reserved, o.as_of
		FROM (
			SELECT l.shop, l.on_hand, l.reserved, l.as_of
			FROM levels l CROSS JOIN shops s ON s.num = l.shop
			WHERE `+where+`
			ORDER BY l.reserved - l.on_hand, s.sort_name, s.id LIMIT ?
		) o CROSS JOIN `+shopTables+`
		WHERE s.num = o.shop
		ORDER BY o.reserved - o.on_hand, s.sort_name, s.id`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var levels []store.ShopLevel
	for rows.Next() {
		var l store.ShopLevel
		var asOf int64
		if l.Shop, err = scanShop(rows.Scan, &l.OnHand, &l.Reserved, &asOf); err != nil {
			return nil, "", err
		}
		l.AsOf = utc(asOf)
		levels = append(levels, l)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	levels, next := page(levels, n, list, levelRow)
	return levels, next, nil
}

// levelRow names a row for a cursor: the level changes while people turn pages,
// so what it was goes with the shop.
func levelRow(l store.ShopLevel) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(l.Available()))) + l.Shop.ID
}

func parseLevelRow(row string) (available int64, shopID string, ok bool) {
	if len(row) <= 8 {
		return 0, "", false
	}
	return int64(binary.BigEndian.Uint64([]byte(row[:8]))), row[8:], true
}

// Total sums a product's levels over the shops of chain, or over all shops.
func (db *DB) Total(ctx context.Context, productID, chain string) (store.Total, error) {
	query := `
		SELECT count(*), coalesce(sum(on_hand), 0), coalesce(sum(reserved), 0), max(as_of) FROM levels
		WHERE product = (SELECT num FROM products WHERE id = ?)`
	args := []any{productID}
	if chain != "" {
		query += ` AND shop IN (SELECT num FROM shops WHERE chain = (SELECT num FROM chains WHERE name = ?))`
		args = append(args, chain)
	}
	var t store.Total
	var asOf sql.NullInt64
	if err := db.queryRow(ctx, query, args...).Scan(&t.Shops, &t.OnHand, &t.Reserved, &asOf); err != nil {
		return store.Total{}, db.failed(fmt.Sprintf("sum levels of product %q", productID), err)
	}
	if asOf.Valid {
		t.AsOf = utc(asOf.Int64)
	}
	return t, nil
}
