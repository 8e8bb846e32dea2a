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
	db.lapseDue(ctx)
	var l store.Level
	var asOf int64
	err := db.recent.current(func() error {
		product, err := db.num(ctx, productNum, productID)
		if err != nil {
			return err
		}
		shop, err := db.num(ctx, shopNum, shopID)
		if err != nil {
			return err
		}
		return db.queryRow(ctx, `SELECT on_hand, reserved, as_of FROM levels WHERE product = ? AND shop = ?`,
			product, shop).Scan(&l.OnHand, &l.Reserved, &asOf)
	})
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
	db.lapseDue(ctx)
	list := q
	list.Page = store.Page{}
	last, err := lastRow(list, q.Cursor)
	n := limit(q.Limit)
	var levels []store.ShopLevel
	if err == nil {
		err = db.recent.current(func() (err error) {
			levels, err = db.levels(ctx, q, last, n+1)
			return err
		})
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, "", db.failed(fmt.Sprintf("find levels of product %q", q.ProductID), err)
	}
	levels, next := page(levels, n, list, levelRow)
	return levels, next, nil
}

// levels returns up to n levels that q asks for after level last, or
// [sql.ErrNoRows] if there are none.
func (db *DB) levels(ctx context.Context, q store.LevelQuery, last string, n int) ([]store.ShopLevel, error) {
	product, err := db.num(ctx, productNum, q.ProductID)
	if err != nil {
		return nil, err
	}
	where, args := `product = ?`, []any{product}
	if q.Chain != "" {
		chain, err := db.num(ctx, chainNum, q.Chain)
		if err != nil {
			return nil, err
		}
		where, args = where+` AND chain = ?`, append(args, chain)
	}
	if q.InStock {
		where += ` AND reserved - on_hand < 0`
	}
	if last != "" {
		available, shopID, ok := parseLevelRow(last)
		var place int
		if ok {
			err = db.queryRow(ctx, `SELECT place FROM shops WHERE id = ?`, shopID).Scan(&place)
		}
		if !ok || errors.Is(err, sql.ErrNoRows) {
			return nil, store.ErrBadCursor
		} else if err != nil {
			return nil, err
		}
		where, args = where+` AND (reserved - on_hand, place) > (?, ?)`, append(args, -available, place)
	}
	rows, err := db.queryFew(ctx, `SELECT shop, on_hand, reserved, as_of FROM levels
		WHERE `+where+` ORDER BY reserved - on_hand, place LIMIT ?`, append(args, n)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	levels := make([]store.ShopLevel, 0, n)
	var shops []int64
	for rows.Next() {
		var shop, asOf int64
		var l store.ShopLevel
		if err := rows.Scan(&shop, &l.OnHand, &l.Reserved, &asOf); err != nil {
			return nil, err
		}
		l.AsOf = utc(asOf)
		levels, shops = append(levels, l), append(shops, shop)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(levels) == 0 {
		return nil, sql.ErrNoRows
	}
	rows.Close() // before asking on: the connections are few
	for i, shop := range shops {
		if levels[i].Shop, err = db.shopByNum(ctx, shop); err != nil {
			return nil, err
		}
	}
	return levels, nil
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
	db.lapseDue(ctx)
	var t store.Total
	err := db.recent.current(func() (err error) {
		t, err = db.total(ctx, productID, chain)
		return err
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return store.Total{}, db.failed(fmt.Sprintf("sum levels of product %q", productID), err)
	}
	return t, nil
}

// total returns [sql.ErrNoRows] where nobody carries the product. Chains are
// few, so everywhere is the sum of them.
func (db *DB) total(ctx context.Context, productID, chain string) (t store.Total, err error) {
	var asOf int64
	product, err := db.num(ctx, productNum, productID)
	if err != nil {
		return t, err
	}
	where, args := `product = ?`, []any{product}
	if chain != "" {
		num, err := db.num(ctx, chainNum, chain)
		if err != nil {
			return t, err
		}
		where, args = where+` AND chain = ?`, append(args, num)
	}
	err = db.queryRow(ctx, `SELECT sum(shops), sum(on_hand), sum(reserved), max(as_of) FROM totals
		WHERE `+where+` GROUP BY product`, args...).Scan(&t.Shops, &t.OnHand, &t.Reserved, &asOf)
	if err != nil {
		return store.Total{}, err
	}
	t.AsOf = utc(asOf)
	return t, nil
}
