package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// Lots returns the lots of a product in a shop, the first to expire first.
func (db *DB) Lots(ctx context.Context, shopID, productID string) ([]store.Lot, error) {
	lots, err := db.lots(ctx, shopID, productID)
	if err != nil {
		return nil, db.failed(fmt.Sprintf("find lots of product %q in shop %q", productID, shopID), err)
	}
	return lots, nil
}

func (db *DB) lots(ctx context.Context, shopID, productID string) ([]store.Lot, error) {
	rows, err := db.queryFew(ctx, `SELECT expiry, on_hand FROM lots
		WHERE product = (SELECT num FROM products WHERE id = ?) AND shop = (SELECT num FROM shops WHERE id = ?)
		ORDER BY expiry`, productID, shopID)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanLot)
}

func scanLot(scan func(...any) error) (l store.Lot, err error) {
	err = scan(&l.Expiry, &l.OnHand)
	return l, err
}

// Expiring lists lots by their expiry date.
func (db *DB) Expiring(ctx context.Context, q store.ExpiringQuery) ([]store.StockLot, string, error) {
	lots, next, err := db.expiring(ctx, q)
	if err != nil {
		return nil, "", db.failed("find what expires", err)
	}
	return lots, next, nil
}

func (db *DB) expiring(ctx context.Context, q store.ExpiringQuery) ([]store.StockLot, string, error) {
	list := q
	list.Page = store.Page{}
	cursor, err := page.Last(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	var last *mergedRow
	if cursor != "" {
		expiry, ids, _ := strings.Cut(cursor, " ")
		last = &mergedRow{key: expiry}
		if last.product, last.place, err = db.position(ctx, ids); err != nil {
			return nil, "", err
		}
	}
	n := page.Limit(q.Limit)
	query, args := expiringMerge(q).sql(q.ShopID, q.Chain, last, n+1)
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var lots []store.StockLot
	for rows.Next() {
		var l store.StockLot
		var shop int64
		if l.Product, err = scanProduct(rows.Scan, &shop, &l.Expiry, &l.OnHand); err != nil {
			return nil, "", err
		}
		if l.Shop, err = db.shopByNum(ctx, shop); err != nil {
			return nil, "", err
		}
		lots = append(lots, l)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	lots, next := page.Cut(lots, n, list, func(l store.StockLot) string { return string(l.Expiry) + " " + rowIDs(l.Product, l.Shop) })
	return lots, next, nil
}

// expiringMerge lists what expires through q's last day, if it has one.
func expiringMerge(q store.ExpiringQuery) merge {
	m := merge{table: `lots`, index: `lots_by_shop`, key: `expiry`, where: `TRUE`, columns: `n.expiry, n.on_hand`, first: ""}
	if q.Through != "" {
		m.where, m.most = `n.expiry <= @most`, string(q.Through)
	}
	return m
}
