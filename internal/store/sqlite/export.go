package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/mcpstore/mcpstore/internal/store"
)

// errStopped ends an export that nobody reads on.
var errStopped = errors.New("stopped")

// Export yields everything as rows that Import takes back, as of one moment.
func (db *DB) Export(ctx context.Context) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		err := db.export(ctx, func(r store.Row) error {
			if !yield(r, nil) {
				return errStopped
			}
			return ctx.Err()
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(store.Row{}, db.failed("export stock", err))
		}
	}
}

func (db *DB) export(ctx context.Context, yield func(store.Row) error) error {
	done, err := db.beginSlow(ctx)
	if err != nil {
		return err
	}
	defer done()
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	ss := newStatements(context.WithoutCancel(ctx), tx)
	defer ss.close()
	shops, err := exportedShops(ss)
	if err != nil {
		return err
	}
	for _, shop := range shops {
		if err := exportLevels(ss, shop, yield); err != nil {
			return err
		}
	}
	for _, shop := range shops {
		if shop.levels > 0 {
			continue
		}
		if err := yield(store.Row{Shop: shop.Shop, ChainAliases: shop.chainAliases}); err != nil {
			return err
		}
	}
	return ss.each(`SELECT `+productColumns+` FROM product_index i CROSS JOIN products p ON p.num = i.product
		WHERE NOT EXISTS (SELECT 1 FROM levels l WHERE l.product = i.product) ORDER BY i.rank`, nil,
		func(scan func(...any) error) error {
			var r store.Row
			if err := scanRow(&r, scan); err != nil {
				return err
			}
			return yield(r)
		})
}

// exportedShop is a shop, and how many levels it has.
type exportedShop struct {
	store.Shop
	chainAliases []string
	num          int64
	levels       int
}

// exportedShops returns all shops, by name.
func exportedShops(ss *statements) ([]exportedShop, error) {
	var shops []exportedShop
	err := ss.each(`SELECT `+shopColumns+`, c.aliases, s.num, (SELECT count(*) FROM levels l WHERE l.shop = s.num)
		FROM `+shopTables+` ORDER BY s.place`, nil, func(scan func(...any) error) error {
		var s exportedShop
		var aliases []byte
		var err error
		if s.Shop, err = scanShop(scan, &aliases, &s.num, &s.levels); err != nil {
			return err
		}
		shops = append(shops, s)
		return parse(aliases, &shops[len(shops)-1].chainAliases)
	})
	return shops, err
}

// A shop's levels come in the order of products by looking each product up, or,
// where it carries few of them, by sorting.
const (
	exportedColumns = productColumns + `, l.on_hand, o.expiry, o.on_hand`
	exportedLots    = ` LEFT JOIN lots o ON o.product = l.product AND o.shop = l.shop`

	manyLevelsOfShop = `SELECT ` + exportedColumns + ` FROM product_index i
		CROSS JOIN levels l ON l.product = i.product AND l.shop = ?
		CROSS JOIN products p ON p.num = i.product` + exportedLots + ` ORDER BY i.rank, o.expiry`
	fewLevelsOfShop = `SELECT ` + exportedColumns + ` FROM levels l
		CROSS JOIN product_index i ON i.product = l.product
		CROSS JOIN products p ON p.num = l.product` + exportedLots + ` WHERE l.shop = ? ORDER BY i.rank, o.expiry`
	fewOfProducts = 8
)

// exportLevels yields a row for each lot of each level, and for what is outside
// lots.
func exportLevels(ss *statements, shop exportedShop, yield func(store.Row) error) error {
	if shop.levels == 0 {
		return nil
	}
	var products int
	if err := ss.queryRow(`SELECT coalesce(max(rank), 0) / ? FROM product_index`, rankGap).Scan(&products); err != nil {
		return err
	}
	query := manyLevelsOfShop
	if shop.levels*fewOfProducts < products {
		query = fewLevelsOfShop
	}
	var r store.Row // of what is outside lots, which comes behind them
	var undated int64
	lots := false
	end := func() error {
		if r.Product.ID == "" || lots && undated == 0 {
			return nil
		}
		r.Quantity, r.Expiry = new(undated), ""
		return yield(r)
	}
	err := ss.each(query, []any{shop.num}, func(scan func(...any) error) error {
		next := store.Row{Shop: shop.Shop, ChainAliases: shop.chainAliases}
		var onHand int64
		var expiry sql.NullString
		var lot sql.NullInt64
		if err := scanRow(&next, scan, &onHand, &expiry, &lot); err != nil {
			return err
		}
		if next.Product.ID != r.Product.ID {
			if err := end(); err != nil {
				return err
			}
			r, undated, lots = next, onHand, false
		}
		if !expiry.Valid {
			return nil
		}
		lots = true
		undated -= lot.Int64
		next.Quantity, next.Expiry = &lot.Int64, store.Date(expiry.String)
		return yield(next)
	})
	if err != nil {
		return err
	}
	return end()
}

// scanRow reads the product of a row, and what comes behind its columns into
// more.
func scanRow(r *store.Row, scan func(...any) error, more ...any) (err error) {
	r.Product, err = scanProduct(scan, more...)
	if n := r.Product.ReorderPoint; n > 0 {
		r.ReorderPoint = &n
	}
	r.Product.ReorderPoint = 0
	return err
}
