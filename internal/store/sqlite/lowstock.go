package sqlite

import (
	"context"
	"fmt"
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
	last, err := lastRow(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where, args := lowConditions(q)
	if last != "" {
		first, ids, _ := strings.Cut(last, " ")
		available, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return nil, "", store.ErrBadCursor
		}
		rank, place, err := db.position(ctx, ids)
		if err != nil {
			return nil, "", err
		}
		where, args = where+` AND (l.on_hand - l.reserved, i.rank, l.place) > (?, ?, ?)`, append(args, available, rank, place)
	}
	n := limit(q.Limit)
	rows, err := db.query(ctx, `SELECT l.product, l.shop, l.on_hand, l.reserved, l.as_of FROM `+lowTables(q)+`
		WHERE `+where+` ORDER BY l.on_hand - l.reserved, i.rank, l.place LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var low []store.StockLevel
	var spots [][2]int64
	for rows.Next() {
		var l store.StockLevel
		var product, shop, asOf int64
		if err := rows.Scan(&product, &shop, &l.OnHand, &l.Reserved, &asOf); err != nil {
			return nil, "", err
		}
		l.AsOf = utc(asOf)
		low, spots = append(low, l), append(spots, [2]int64{product, shop})
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	rows.Close() // before asking on: the connections are few
	for i, at := range spots {
		if low[i].Product, low[i].Shop, err = db.productAndShop(ctx, at[0], at[1]); err != nil {
			return nil, "", err
		}
	}
	low, next := page(low, n, list, func(l store.StockLevel) string {
		return fmt.Sprint(l.Available(), " ", spotIDs(l.Product, l.Shop))
	})
	return low, next, nil
}

// lowTables returns where levels l come from, with their ranks i and, for reorder
// points, products p: those of a shop one by one, else for each product only
// those that are low.
func lowTables(q store.LowStockQuery) string {
	products := ``
	if q.Threshold == nil {
		products = ` CROSS JOIN products p ON p.num = i.product`
	}
	switch {
	case q.ShopID != "":
		return `levels l INDEXED BY levels_by_shop CROSS JOIN product_index i ON i.product = l.product` + products
	case q.Chain != "":
		return `product_index i` + products + ` CROSS JOIN levels l INDEXED BY levels_by_chain ON l.product = i.product`
	}
	return `product_index i` + products + ` CROSS JOIN levels l INDEXED BY levels_everywhere ON l.product = i.product`
}

func lowConditions(q store.LowStockQuery) (where string, args []any) {
	if q.Threshold != nil {
		where, args = `l.reserved - l.on_hand >= ?`, append(args, -*q.Threshold)
	} else {
		where = `p.reorder_point > 0 AND l.reserved - l.on_hand >= -p.reorder_point`
	}
	if q.ShopID != "" {
		where, args = where+` AND l.shop = (SELECT num FROM shops WHERE id = ?)`, append(args, q.ShopID)
	}
	if q.Chain != "" {
		where, args = where+` AND l.chain = (SELECT num FROM chains WHERE name = ?)`, append(args, q.Chain)
	}
	return where, args
}
