package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
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
	rows, err := db.query(ctx, `SELECT expiry, on_hand FROM lots
		WHERE product = (SELECT num FROM products WHERE id = ?) AND shop = (SELECT num FROM shops WHERE id = ?)
		ORDER BY expiry`, productID, shopID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lots []store.Lot
	for rows.Next() {
		var l store.Lot
		if err := rows.Scan(&l.Expiry, &l.OnHand); err != nil {
			return nil, err
		}
		lots = append(lots, l)
	}
	return lots, rows.Err()
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
	last, err := lastRow(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where, args := `TRUE`, []any{}
	if q.Through != "" {
		where, args = where+` AND o.expiry <= ?`, append(args, q.Through)
	}
	if q.ShopID != "" {
		where, args = where+` AND o.shop = (SELECT num FROM shops WHERE id = ?)`, append(args, q.ShopID)
	}
	if q.Chain != "" {
		where, args = where+` AND s.chain = (SELECT num FROM chains WHERE name = ?)`, append(args, q.Chain)
	}
	if last != "" {
		expiry, ids, _ := strings.Cut(last, " ")
		rank, place, err := db.position(ctx, ids)
		if err != nil {
			return nil, "", err
		}
		where, args = where+` AND o.expiry >= ? AND (o.expiry, i.rank, s.place) > (?, ?, ?)`, append(args, expiry, expiry, rank, place)
	}
	n := limit(q.Limit)
	// The index brings the dates in order, so that only those of one date are
	// sorted, and no more dates are read than fill the page.
	rows, err := db.query(ctx, `SELECT o.product, o.shop, o.expiry, o.on_hand FROM lots o INDEXED BY lots_by_expiry
		CROSS JOIN shops s ON s.num = o.shop
		CROSS JOIN product_index i ON i.product = o.product
		WHERE `+where+` ORDER BY o.expiry, i.rank, s.place LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var lots []store.StockLot
	var spots [][2]int64
	for rows.Next() {
		var l store.StockLot
		var product, shop int64
		if err := rows.Scan(&product, &shop, &l.Expiry, &l.OnHand); err != nil {
			return nil, "", err
		}
		lots, spots = append(lots, l), append(spots, [2]int64{product, shop})
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	rows.Close() // before asking on: the connections are few
	for i, at := range spots {
		if lots[i].Product, lots[i].Shop, err = db.productAndShop(ctx, at[0], at[1]); err != nil {
			return nil, "", err
		}
	}
	lots, next := page(lots, n, list, func(l store.StockLot) string { return string(l.Expiry) + " " + spotIDs(l.Product, l.Shop) })
	return lots, next, nil
}

// productAndShop returns the rows of these numbers.
func (db *DB) productAndShop(ctx context.Context, product, shop int64) (store.Product, store.Shop, error) {
	type key struct{ product int64 }
	p, err := remembered(db.recent, key{product}, "", func() (store.Product, error) {
		return scanProduct(db.queryRow(ctx, `SELECT `+productColumns+` FROM products p WHERE p.num = ?`, product).Scan)
	})
	if err != nil {
		return store.Product{}, store.Shop{}, err
	}
	s, err := db.shopByNum(ctx, shop)
	return cloneProducts([]store.Product{p})[0], s, err
}

// spotIDs names a product in a shop for a cursor.
func spotIDs(p store.Product, s store.Shop) string { return fmt.Sprint(len(p.ID), " ", p.ID, s.ID) }

// position returns where spotIDs is in the order of products and of shops.
func (db *DB) position(ctx context.Context, ids string) (rank, place int64, err error) {
	var n int
	var rest string
	if _, err := fmt.Sscanf(ids, "%d ", &n); err != nil {
		return 0, 0, store.ErrBadCursor
	}
	_, rest, _ = strings.Cut(ids, " ")
	if n < 0 || n > len(rest) {
		return 0, 0, store.ErrBadCursor
	}
	err = db.queryRow(ctx, `SELECT i.rank, s.place FROM products p JOIN product_index i ON i.product = p.num
		CROSS JOIN shops s WHERE p.id = ? AND s.id = ?`, rest[:n], rest[n:]).Scan(&rank, &place)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrBadCursor
	}
	return rank, place, err
}
