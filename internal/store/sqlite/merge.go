package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// A merge lists the rows of several shops in one order: by a key, then by the
// number of the product, then by the place of the shop. An index holds each
// shop's rows in that order. A merge starts with the first row of each shop;
// after each row that it yields, it looks up the next one of the same shop. So a
// page takes one step for each of its rows and one for each shop, however many
// rows there are.
type merge struct {
	table   string // whose rows are called n here
	index   string // begins with shop, key and product
	key     string // a column of n
	where   string // what must hold for n; @most is a parameter
	most    any
	columns string // of n, that the answer has besides
	// apart is SQL for rows (shop, place, key, product) behind @key, @product and
	// @place, whose keys are not those of the index, and so for few; "" if there
	// are none. Of {shops} and @today.
	apart string
	today store.Date
	first any // below every key
}

// mergedRow is where a page ends.
type mergedRow struct {
	key            any
	product, place int64
}

// sql asks for up to limit rows behind last, or from the first if it is nil, of
// the shops of shopID and chain where those are not empty. The columns are the
// product's, the number of the shop, and m.columns.
func (m merge) sql(shopID, chain string, last *mergedRow, limit int) (query string, args []any) {
	if last == nil {
		last = &mergedRow{key: m.first}
	}
	shops := `TRUE`
	if shopID != "" {
		shops += ` AND s.id = @shop`
	}
	if chain != "" {
		shops += ` AND s.chain = (SELECT num FROM chains WHERE name = @chain)`
	}
	// A plus keeps the types of both sides alike, without which SQLite would
	// begin each search at the first of the rows that have the same key.
	all, row := `merged`, ` AND n.{key} = m.key`
	if m.apart != "" {
		all, row = `(SELECT shop, place, key, product FROM merged UNION ALL `+m.apart+` ORDER BY 3, 4, 2 LIMIT @limit)`, ``
	}
	query = strings.NewReplacer(`{table}`, m.table, `{index}`, m.index, `{key}`, m.key, `{where}`, m.where,
		`{shops}`, shops, `{columns}`, m.columns).Replace(`
		WITH RECURSIVE merged (shop, place, key, product) AS (
			SELECT s.num, s.place, n.{key}, n.product
			FROM shops s CROSS JOIN {table} n INDEXED BY {index} ON {where} AND n.shop = s.num AND (n.{key}, n.product) = (
				SELECT n.{key}, n.product FROM {table} n INDEXED BY {index}
				WHERE {where} AND n.shop = s.num AND (n.{key}, n.product) > (@key, @product - (s.place > @place))
				ORDER BY n.{key}, n.product LIMIT 1)
			WHERE {shops}
			UNION ALL
			SELECT m.shop, m.place, n.{key}, n.product
			FROM merged m CROSS JOIN {table} n INDEXED BY {index} ON {where} AND n.shop = m.shop AND (n.{key}, n.product) = (
				SELECT n.{key}, n.product FROM {table} n INDEXED BY {index}
				WHERE {where} AND n.shop = m.shop AND (n.{key}, n.product) > (m.key, +m.product)
				ORDER BY n.{key}, n.product LIMIT 1)
			ORDER BY 3, 4, 2 LIMIT @limit)
		SELECT ` + productColumns + `, m.shop, {columns}
		FROM ` + all + ` m CROSS JOIN {table} n ON n.product = m.product AND n.shop = m.shop` + row + `
		CROSS JOIN products p ON p.num = m.product`) // in the order of m

	args = []any{sql.Named("key", last.key), sql.Named("product", last.product), sql.Named("place", last.place),
		sql.Named("limit", limit), sql.Named("most", m.most), sql.Named("shop", shopID), sql.Named("chain", chain),
		sql.Named("today", m.today)}
	return query, args
}

// rowIDs names a product in a shop for a cursor.
func rowIDs(p store.Product, s store.Shop) string { return fmt.Sprint(len(p.ID), " ", p.ID, s.ID) }

// position returns the number of the product and the place of the shop that
// rowIDs names.
func (db *DB) position(ctx context.Context, ids string) (product, place int64, err error) {
	var n int
	if _, err := fmt.Sscanf(ids, "%d ", &n); err != nil {
		return 0, 0, store.ErrBadCursor
	}
	_, rest, _ := strings.Cut(ids, " ")
	if n < 0 || n > len(rest) {
		return 0, 0, store.ErrBadCursor
	}
	err = db.queryRow(ctx, `SELECT p.num, s.place FROM products p CROSS JOIN shops s WHERE p.id = ? AND s.id = ?`,
		rest[:n], rest[n:]).Scan(&product, &place)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrBadCursor
	}
	return product, place, err
}
