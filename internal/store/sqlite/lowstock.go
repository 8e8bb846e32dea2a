package sqlite

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
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
	cursor, err := lastRow(list, q.Cursor)
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
	n := limit(q.Limit)
	query, args := lowMerge(q).sql(q.ShopID, q.Chain, last, n+1)
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var low []store.StockLevel
	for rows.Next() {
		var l store.StockLevel
		var shop, asOf int64
		if l.Product, err = scanProduct(rows.Scan, &shop, &l.OnHand, &l.Reserved, &asOf); err != nil {
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
	low, next := page(low, n, list, func(l store.StockLevel) string {
		return fmt.Sprint(l.Available(), " ", rowIDs(l.Product, l.Shop))
	})
	return low, next, nil
}

// lowMerge lists what is at or below the reorder points, or below q's threshold.
func lowMerge(q store.LowStockQuery) merge {
	m := merge{
		table: `levels`, index: `levels_low`, key: `available`, where: `n.reorder_point > 0 AND n.available <= n.reorder_point`,
		columns: `n.on_hand, n.reserved, n.as_of`, first: int64(math.MinInt64),
	}
	if q.Threshold != nil {
		m.index, m.where, m.most = `levels_by_shop`, `n.available <= @most`, *q.Threshold
	}
	return m
}
