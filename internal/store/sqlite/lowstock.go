package sqlite

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// LowStock lists the levels that are at or below where more should be ordered.
func (db *DB) LowStock(ctx context.Context, q store.LowStockQuery) ([]store.StockLevel, string, error) {
	db.lapseDue(ctx)
	low, next, err := db.lowStock(ctx, q)
	if err != nil {
		return nil, "", db.failed("find what is low", err)
	}
	return low, next, nil
}

func (db *DB) lowStock(ctx context.Context, q store.LowStockQuery) ([]store.StockLevel, string, error) {
	list := struct {
		store.LowStockQuery
		threshold string
	}{LowStockQuery: q}
	if q.Threshold != nil {
		list.threshold = strconv.FormatInt(*q.Threshold, 10)
	}
	list.Page, list.Threshold = store.Page{}, nil
	cursor, err := page.Last(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	var last *mergedRow
	if cursor != "" {
		first, ids, _ := strings.Cut(cursor, " ")
		available, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return nil, "", store.ErrBadCursor
		}
		last = &mergedRow{key: available}
		if last.product, last.place, err = db.position(ctx, ids); err != nil {
			return nil, "", err
		}
	}
	n := page.Limit(q.Limit)
	query, args := lowMerge(q, db.Today()).sql(q.ShopID, q.Chain, last, n+1)
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var low []store.StockLevel
	for rows.Next() {
		var l store.StockLevel
		var shop, asOf int64
		if l.Product, err = scanProduct(rows.Scan, &shop, &l.OnHand, &l.Reserved, &l.Expired, &asOf); err != nil {
			return nil, "", err
		}
		if l.Shop, err = db.shopByNum(ctx, shop); err != nil {
			return nil, "", err
		}
		l.AsOf = utc(asOf)
		low = append(low, l)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	low, next := page.Cut(low, n, list, func(l store.StockLevel) string {
		return fmt.Sprint(l.Available(), " ", rowIDs(l.Product, l.Shop))
	})
	return low, next, nil
}

// lowMerge lists what is at or below the reorder points, or below q's threshold.
func lowMerge(q store.LowStockQuery, today store.Date) merge {
	m := merge{
		table: `levels`, index: `levels_low`, key: `available`, today: today,
		columns: `n.on_hand, n.reserved, ` + expiredOf(`n`, `@today`) + `, n.as_of`, first: int64(math.MinInt64),
	}
	low := `n.reorder_point > 0 AND {available} <= n.reorder_point`
	if q.Threshold != nil {
		m.index, low, m.most = `levels_by_shop`, `{available} <= @most`, *q.Threshold
	}
	m.where = strings.ReplaceAll(low, `{available}`, `n.available`) + ` AND NOT ` + hasExpired(`n`, `@today`)
	const left = `max(0, n.available - e.expired)`
	m.apart = `
		SELECT n.shop, n.place, ` + left + ` AS key, n.product
		FROM (SELECT x.shop, x.product, sum(x.on_hand) AS expired
			FROM shops s CROSS JOIN lots x INDEXED BY lots_by_shop ON x.shop = s.num AND x.expiry < @today
			WHERE {shops} GROUP BY x.shop, x.product) e
		CROSS JOIN levels n ON n.product = e.product AND n.shop = e.shop
		WHERE ` + strings.ReplaceAll(low, `{available}`, left) + ` AND (` + left + `, n.product, n.place) > (@key, +@product, +@place)`
	return m
}
