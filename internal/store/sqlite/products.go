package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// productColumns are those that scanProduct reads.
const productColumns = `p.id, p.sku, p.name, p.names, p.aliases, p.category, p.unit, p.price, p.currency, p.barcodes, p.reorder_point`

// scanProduct reads a product, and the columns that follow into more.
func scanProduct(scan func(...any) error, more ...any) (store.Product, error) {
	var p store.Product
	var names, aliases, barcodes []byte
	dest := append([]any{&p.ID, &p.SKU, &p.Name, &names, &aliases, &p.Category, &p.Unit,
		&p.Price, &p.Currency, &barcodes, &p.ReorderPoint}, more...)
	if err := scan(dest...); err != nil {
		return store.Product{}, err
	}
	return p, errors.Join(parse(names, &p.Names), parse(aliases, &p.Aliases), parse(barcodes, &p.Barcodes))
}

// parse reads the JSON of a list or an object; empty ones become nil.
func parse(b []byte, to any) error {
	if len(b) <= len("[]") {
		return nil
	}
	return json.Unmarshal(b, to)
}

// Product returns the product with the given ID, or [store.ErrNotFound].
func (db *DB) Product(ctx context.Context, id string) (store.Product, error) {
	p, err := scanProduct(db.queryRow(ctx, `SELECT `+productColumns+` FROM products p WHERE p.id = ?`, id).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Product{}, fmt.Errorf("product %q: %w", id, store.ErrNotFound)
	case err != nil:
		return store.Product{}, db.failed(fmt.Sprintf("look up product %q", id), err)
	}
	return p, nil
}

// productPage is the answer to a [store.ProductQuery].
type productPage struct {
	products []store.Product
	next     string
}

// Products lists the products that q asks for.
func (db *DB) Products(ctx context.Context, q store.ProductQuery) ([]store.Product, string, error) {
	if q.InStock {
		db.lapseDue(ctx)
	}
	ask := func() (productPage, error) { return db.products(ctx, q) }
	if q.Match != store.Exact || q.ShopID != "" || q.Chain != "" || q.InStock {
		got, err := ask()
		if err != nil {
			return nil, "", db.failed("find products", err)
		}
		return got.products, got.next, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, "", db.failed("find products", err)
	}
	got, err := remembered(db.recent, q, q.Text+q.Barcode+q.Category+q.Cursor, ask)
	if err != nil {
		return nil, "", db.failed("find products", err)
	}
	return cloneProducts(got.products), got.next, nil
}

func (db *DB) products(ctx context.Context, q store.ProductQuery) (productPage, error) {
	list := q
	list.Page = store.Page{}
	last, err := page.Last(list, q.Cursor)
	if err != nil {
		return productPage{}, err
	}
	s, ok := newSearch(q, db.Today())
	if !ok {
		return productPage{}, nil // what folds to nothing names nothing
	}
	n := page.Limit(q.Limit)
	var products []store.Product
	if q.Match == store.Near && q.Text != "" {
		products, err = db.nearProducts(ctx, s, last, n+1)
	} else {
		products, err = db.matchingProducts(ctx, s, last, n+1)
	}
	if err != nil {
		return productPage{}, err
	}
	products, next := page.Cut(products, n, list, func(p store.Product) string { return p.ID })
	return productPage{products, next}, nil
}

// matchingProducts returns up to n products that s finds after product last.
func (db *DB) matchingProducts(ctx context.Context, s *search, last string, n int) ([]store.Product, error) {
	after := 0
	if last != "" {
		err := db.queryRow(ctx, `
			SELECT i.rank FROM products p JOIN product_index i ON i.product = p.num WHERE p.id = ?`, last).Scan(&after)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, store.ErrBadCursor
		} else if err != nil {
			return nil, err
		}
	}
	small, err := db.smallShelf(ctx, s, n)
	if err != nil {
		return nil, err
	}
	query, args := s.matching(small).sql(productColumns, after, n)
	if s.Match == store.Exact || s.Barcode != "" {
		return scanProducts(db.queryFew(ctx, query, args...))
	}
	return scanProducts(db.query(ctx, query, args...))
}

func scanProducts(rows rowSet, err error) ([]store.Product, error) {
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (store.Product, error) { return scanProduct(scan) })
}

// cloneProducts copies what the cache keeps, for a caller to change.
func cloneProducts(from []store.Product) []store.Product {
	products := slices.Clone(from)
	for i, p := range products {
		products[i] = p.Clone()
	}
	return products
}
