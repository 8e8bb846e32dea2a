package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
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
		return db.queryRow(ctx, `SELECT on_hand, reserved, `+expiredOf(`l`, `?`)+`, as_of FROM levels l WHERE product = ? AND shop = ?`,
			db.Today(), product, shop).Scan(&l.OnHand, &l.Reserved, &l.Expired, &asOf)
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
	last, err := page.Last(list, q.Cursor)
	n := page.Limit(q.Limit)
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
	levels, next := page.Cut(levels, n, list, levelRow)
	return levels, next, nil
}

// levels returns up to n levels that q asks for after level last, or
// [sql.ErrNoRows] if there are none.
func (db *DB) levels(ctx context.Context, q store.LevelQuery, last string, n int) ([]store.ShopLevel, error) {
	product, err := db.num(ctx, productNum, q.ProductID)
	if err != nil {
		return nil, err
	}
	where, args := `l.product = ?1`, []any{product, db.Today(), n}
	if q.Chain != "" {
		chain, err := db.num(ctx, chainNum, q.Chain)
		if err != nil {
			return nil, err
		}
		args = append(args, chain)
		where += fmt.Sprint(` AND l.chain = ?`, len(args))
	}
	if q.InStock {
		where += ` AND {missing} < 0`
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
		args = append(args, -available, place)
		where += fmt.Sprintf(` AND ({missing}, l.place) > (?%d, ?%d)`, len(args)-1, len(args))
	}
	const missing, missingToday = `l.reserved - l.on_hand`, `min(0, l.reserved + e.expired - l.on_hand)`
	rows, err := db.queryFew(ctx, `
		WITH e (shop, expired) AS MATERIALIZED (
			SELECT shop, sum(on_hand) FROM lots INDEXED BY lots_by_product WHERE product = ?1 AND expiry < ?2 GROUP BY shop)
		SELECT shop, on_hand, reserved, expired, as_of FROM (
		SELECT l.shop, l.on_hand, l.reserved, 0 AS expired, l.as_of, `+missing+` AS missing, l.place FROM levels l
			WHERE `+strings.ReplaceAll(where, `{missing}`, missing)+` AND l.shop NOT IN (SELECT shop FROM e)
		UNION ALL
		SELECT l.shop, l.on_hand, l.reserved, e.expired, l.as_of, `+missingToday+`, l.place FROM e CROSS JOIN levels l ON l.shop = e.shop
			WHERE `+strings.ReplaceAll(where, `{missing}`, missingToday)+`
		ORDER BY missing, place LIMIT ?3)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	levels := make([]store.ShopLevel, 0, n)
	var shops []int64
	for rows.Next() {
		var shop, asOf int64
		var l store.ShopLevel
		if err := rows.Scan(&shop, &l.OnHand, &l.Reserved, &l.Expired, &asOf); err != nil {
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
	where, args := `product = ?1`, []any{product, db.Today()}
	if chain != "" {
		num, err := db.num(ctx, chainNum, chain)
		if err != nil {
			return t, err
		}
		where, args = where+` AND chain = ?3`, append(args, num)
	}
	err = db.queryRow(ctx, `
		WITH e AS (SELECT shop, sum(on_hand) AS expired FROM lots INDEXED BY lots_by_product WHERE product = ?1 AND expiry < ?2 GROUP BY shop),
			s AS (SELECT sum(expired) AS expired, sum(max(0, reserved + expired - on_hand)) AS overbooked
				FROM e CROSS JOIN levels ON levels.shop = e.shop WHERE `+where+`)
		SELECT sum(shops), sum(on_hand), sum(reserved), coalesce(s.expired, 0), coalesce(s.overbooked, 0), max(as_of) FROM s CROSS JOIN totals
		WHERE `+where+` GROUP BY product`, args...).Scan(&t.Shops, &t.OnHand, &t.Reserved, &t.Expired, &t.Overbooked, &asOf)
	if err != nil {
		return store.Total{}, err
	}
	t.AsOf = utc(asOf)
	return t, nil
}
