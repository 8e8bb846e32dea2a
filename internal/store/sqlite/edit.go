package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// EditProduct changes what e sets and returns the product as it is then.
func (db *DB) EditProduct(ctx context.Context, id string, e store.ProductEdit) (store.Product, error) {
	var after store.Product
	err := db.edit(ctx, func(in *inserter) error {
		var num int64
		err := in.queryRow(productNum, id).Scan(&num)
		if err != nil {
			return err
		}
		before, err := scanProduct(in.queryRow(`SELECT `+productColumns+` FROM products p WHERE p.num = ?`, num).Scan)
		if err != nil {
			return err
		}
		after = edited(before, e)
		if equalProducts(before, after) {
			return nil
		}
		if err := checkProduct(in, num, &before, &after); err != nil {
			return err
		}
		r, err := newReindexer(in)
		if err != nil {
			return err
		}
		if err := writeProduct(r, num, &before, &after); err != nil {
			return err
		}
		if err := r.finish(0); err != nil {
			return err
		}
		return in.exec(`INSERT INTO changes (product, shop) VALUES (?, 0)`, num)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Product{}, fmt.Errorf("product %q: %w", id, store.ErrNotFound)
	case err != nil:
		return store.Product{}, db.failed(fmt.Sprintf("edit product %q", id), err)
	}
	return after, nil
}

// edit makes a change in a transaction.
func (db *DB) edit(ctx context.Context, do func(*inserter) error) error {
	tx, err := db.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	in := newInserter(ctx, tx)
	defer in.close()
	if err := do(in); err != nil {
		return err
	}
	if err := db.keep(tx); err != nil {
		return err
	}
	db.recent.forget()
	return nil
}

// edited returns p with what e sets.
func edited(p store.Product, e store.ProductEdit) store.Product {
	for _, f := range []struct{ to, set *string }{
		{&p.Name, e.Name}, {&p.SKU, e.SKU}, {&p.Category, e.Category}, {&p.Unit, e.Unit},
		{&p.Price, e.Price}, {&p.Currency, e.Currency},
	} {
		if f.set != nil {
			*f.to = store.CleanText(*f.set)
		}
	}
	if e.Aliases != nil {
		p.Aliases = shownOnce(*e.Aliases)
	}
	if e.Barcodes != nil {
		p.Barcodes = nil
		for _, b := range shownOnce(*e.Barcodes) {
			if codes := code.Barcodes([]string{b}); len(codes) > 0 {
				p.Barcodes = append(p.Barcodes, codes...)
			} else {
				p.Barcodes = append(p.Barcodes, b) // which is refused below
			}
		}
		p.Barcodes = shownOnce(p.Barcodes)
	}
	if e.ReorderPoint != nil {
		p.ReorderPoint = *e.ReorderPoint
	}
	if p.Price == "" && e.Currency == nil || p.Price != "" && p.Currency == "" {
		p.Currency = currency(p)
	}
	return p
}

// shownOnce returns what of a list says something, each once.
func shownOnce(list []string) []string {
	var all []string
	for _, s := range list {
		if s = store.CleanText(s); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// checkProduct refuses what no product is, and what would call two the same.
func checkProduct(in *inserter, num int64, was, is *store.Product) error {
	if err := is.Validate(); err != nil {
		return invalid("%v", err)
	}
	if is.ReorderPoint > store.MaxQuantity {
		return invalid("reorder point %d is more than %d, which a level may be at most", is.ReorderPoint, store.MaxQuantity)
	}
	for _, b := range is.Barcodes {
		if slices.Contains(was.Barcodes, b) {
			continue
		}
		if code.None(b) {
			return invalid("barcode %q says that there is none; leave it out", b)
		}
		key := code.Key(b)
		if err := unlike(in, num, fold.String(key), "barcode", b, func(p store.Product) bool {
			return slices.ContainsFunc(p.Barcodes, func(b string) bool { return code.Key(b) == key })
		}); err != nil {
			return err
		}
	}
	if is.SKU != was.SKU && is.SKU != "" {
		if code.None(is.SKU) {
			return invalid("SKU %q says that there is none; leave it empty", is.SKU)
		}
		if err := unlike(in, num, fold.String(is.SKU), "SKU", is.SKU, func(p store.Product) bool { return p.SKU == is.SKU }); err != nil {
			return err
		}
	}
	if key := fold.String(is.Name); key != fold.String(was.Name) {
		return unlike(in, num, key, "name", is.Name, func(p store.Product) bool { return fold.String(p.Name) == key })
	}
	return nil
}

// unlike refuses what another product is called by already.
func unlike(in *inserter, num int64, key, what, value string, same func(store.Product) bool) error {
	return in.each(`SELECT `+productColumns+` FROM product_keys k CROSS JOIN products p ON p.num = k.product
		WHERE k.key = ? AND p.num <> ?`, []any{key, num}, func(scan func(...any) error) error {
		p, err := scanProduct(scan)
		if err == nil && same(p) {
			err = invalid("%s %q is that of product %q already; give another one", what, value, p.ID)
		}
		return err
	})
}

// writeProduct changes a product from what it was to what it is, with what
// finds it.
func writeProduct(r *reindexer, num int64, was, is *store.Product) error {
	if err := r.in.exec(`UPDATE products SET sku = ?, name = ?, names = ?, aliases = ?, category = ?, unit = ?,
			price = ?, currency = ?, barcodes = ?, reorder_point = ? WHERE num = ?`,
		is.SKU, is.Name, object(is.Names), list(is.Aliases), is.Category, is.Unit,
		is.Price, is.Currency, list(is.Barcodes), is.ReorderPoint, num); err != nil {
		return err
	}
	x, y := indexOf(was), indexOf(is)
	if x.texts != y.texts || x.category != y.category {
		r.changed(num, y)
	}
	return writeKeys(r.in, `product_keys`, `product`, num, x.keys(was), y.keys(is))
}

// writeKeys changes what a row is called exactly.
func writeKeys(in *inserter, table, column string, num int64, was, is []string) error {
	for _, key := range was {
		if !slices.Contains(is, key) {
			if err := in.exec(`DELETE FROM `+table+` WHERE key = ? AND `+column+` = ?`, key, num); err != nil {
				return err
			}
		}
	}
	for _, key := range is {
		if !slices.Contains(was, key) {
			if err := in.exec(`INSERT OR IGNORE INTO `+table+` (key, `+column+`) VALUES (?, ?)`, key, num); err != nil {
				return err
			}
		}
	}
	return nil
}
