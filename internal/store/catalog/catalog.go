// Package catalog knows the names of shops, chains and products: what a text
// may mean, and in which order what it finds is listed. It holds no stock and
// knows no database; a backend builds a [Catalog] from its rows, so that every
// backend finds the same things in the same order.
//
// Begin at [Catalog.Products].
package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// Catalog is the names of a chain of shops at one moment. It never changes, so
// many goroutines may ask it at once.
type Catalog struct {
	products []product // in display order
	shops    []shop    // by name
	chains   []chain   // by name

	productAt map[string]int // by ID, where it stands in products
	shopAt    map[string]int
}

type product struct {
	store.Product
	names
	category string // folded
}

type shop struct {
	store.Shop
	names
	address string // folded
}

type chain struct {
	store.Chain
	names
}

// New returns a catalog of these rows, which it keeps. Chains that only shops
// name need not be among chains.
func New(chains []store.Chain, shops []store.Shop, products []store.Product) *Catalog {
	c := &Catalog{productAt: make(map[string]int, len(products)), shopAt: make(map[string]int, len(shops))}
	for _, p := range products {
		others := slices.AppendSeq(slices.Clone(p.Aliases), maps.Values(p.Names))
		codes := []string{p.ID, p.SKU}
		for _, b := range p.Barcodes {
			codes = append(codes, code.Spellings(b)...)
		}
		c.products = append(c.products, product{p, newNames(p.Name, others, codes), fold.String(p.Category)})
	}
	slices.SortFunc(c.products, func(a, b product) int {
		return cmp.Or(cmp.Compare(a.length(), b.length()), strings.Compare(a.all[0], b.all[0]), strings.Compare(a.ID, b.ID))
	})
	for i, p := range c.products {
		c.productAt[p.ID] = i
	}
	members := make(map[string]int)
	for _, s := range shops {
		c.shops = append(c.shops, shop{s, newNames(s.Name, s.Aliases, []string{s.ID}), fold.String(s.Address)})
		members[s.Chain]++
	}
	slices.SortFunc(c.shops, func(a, b shop) int {
		return cmp.Or(strings.Compare(a.all[0], b.all[0]), strings.Compare(a.ID, b.ID))
	})
	for i, s := range c.shops {
		c.shopAt[s.ID] = i
	}
	chains = slices.Clone(chains)
	for _, s := range shops {
		if s.Chain != "" && !slices.ContainsFunc(chains, func(ch store.Chain) bool { return ch.Name == s.Chain }) {
			chains = append(chains, store.Chain{Name: s.Chain})
		}
	}
	for _, ch := range chains {
		ch.Shops = members[ch.Name]
		c.chains = append(c.chains, chain{ch, newNames(ch.Name, ch.Aliases, nil)})
	}
	slices.SortFunc(c.chains, func(a, b chain) int {
		return cmp.Or(strings.Compare(a.all[0], b.all[0]), strings.Compare(a.Name, b.Name))
	})
	return c
}

// Product returns the product with this ID, or [store.ErrNotFound].
func (c *Catalog) Product(id string) (store.Product, error) {
	i, ok := c.productAt[id]
	if !ok {
		return store.Product{}, fmt.Errorf("product %q: %w", id, store.ErrNotFound)
	}
	return c.products[i].Product.Clone(), nil
}

// Shop returns the shop with this ID, or [store.ErrNotFound].
func (c *Catalog) Shop(id string) (store.Shop, error) {
	i, ok := c.shopAt[id]
	if !ok {
		return store.Shop{}, fmt.Errorf("shop %q: %w", id, store.ErrNotFound)
	}
	return c.shops[i].Shop.Clone(), nil
}

// Counts returns how many shops and products there are.
func (c *Catalog) Counts() (shops, products int) { return len(c.shops), len(c.products) }

// CompareProducts orders two products by ID as lists of them are ordered: shorter
// names first, then by name.
func (c *Catalog) CompareProducts(a, b string) int {
	return cmp.Compare(c.productAt[a], c.productAt[b])
}

// CompareShops orders two shops by ID as lists of them are ordered: by name.
func (c *Catalog) CompareShops(a, b string) int { return cmp.Compare(c.shopAt[a], c.shopAt[b]) }

// maxNear bounds the suggestions of a [store.Near] query.
const maxNear = 200

// Products lists the products that q asks for and stocked reports, as
// [store.Store] has it: the catalog does not know who carries what.
func (c *Catalog) Products(q store.ProductQuery, stocked func(productID string) bool) ([]store.Product, string, error) {
	query := q
	query.Page = store.Page{}
	last, err := page.Last(query, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	text, category := fold.String(q.Text), fold.String(q.Category)
	if q.Text != "" && text == "" || q.Category != "" && category == "" {
		return nil, "", nil // what folds to nothing names nothing
	}
	var found []match[store.Product]
	for i := range c.products {
		p := &c.products[i]
		score, ok := p.match(text, q.Match, true)
		if ok && (category == "" || p.category == category) &&
			(q.Barcode == "" || slices.ContainsFunc(p.Barcodes, func(b string) bool { return code.Key(b) == code.Key(q.Barcode) })) && stocked(p.ID) {
			found = append(found, match[store.Product]{p.Product, float64(score)})
		}
	}
	return cut(found, q.Match == store.Near && text != "", last, page.Limit(q.Limit), query,
		func(p store.Product) string { return p.ID }, store.Product.Clone)
}

// Shops lists the shops that q asks for.
func (c *Catalog) Shops(q store.ShopQuery) ([]store.Shop, string, error) {
	query := struct {
		store.ShopQuery
		near store.Location
	}{ShopQuery: q}
	if q.Near != nil {
		query.near = *q.Near
	}
	query.Page, query.Near = store.Page{}, nil
	last, err := page.Last(query, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	text, address := fold.String(q.Text), fold.String(q.Address)
	if q.Text != "" && text == "" || q.Address != "" && address == "" {
		return nil, "", nil
	}
	var found []match[store.Shop]
	for i := range c.shops {
		s := &c.shops[i]
		score, ok := s.match(text, q.Match, false)
		if !ok || q.ID != "" && s.ID != q.ID || q.Chain != "" && s.Chain != q.Chain || !strings.Contains(s.address, address) {
			continue
		}
		m := match[store.Shop]{s.Shop, float64(score)}
		if q.Near != nil {
			if m.score = math.Inf(1); s.Location != nil {
				m.score = q.Near.Distance(*s.Location)
			}
		}
		found = append(found, m)
	}
	return cut(found, false, last, page.Limit(q.Limit), query, func(s store.Shop) string { return s.ID }, store.Shop.Clone)
}

// Chains lists at most limit chains whose name or alias text matches, all where
// it is empty.
func (c *Catalog) Chains(text string, m store.Match, limit int) []store.Chain {
	folded := fold.String(text)
	if text != "" && folded == "" {
		return nil
	}
	var found []match[store.Chain]
	for i := range c.chains {
		if score, ok := c.chains[i].match(folded, m, false); ok {
			found = append(found, match[store.Chain]{c.chains[i].Chain, float64(score)})
		}
	}
	chains, _, _ := cut(found, false, "", page.Limit(limit), nil, func(ch store.Chain) string { return ch.Name },
		func(ch store.Chain) store.Chain {
			ch.Aliases = slices.Clone(ch.Aliases)
			return ch
		})
	return chains
}

// match is a row that was found. The lower its score the nearer it is.
type match[T any] struct {
	row   T
	score float64
}

// cut returns the page of what was found that comes after last: nearest first,
// and in the order in which it was found among equals.
func cut[T any](found []match[T], bounded bool, last string, n int, query any, id func(T) string, clone func(T) T) ([]T, string, error) {
	slices.SortStableFunc(found, func(a, b match[T]) int { return cmp.Compare(a.score, b.score) })
	if bounded {
		found = found[:min(len(found), maxNear)]
	}
	found, err := page.After(found, last, func(m match[T]) string { return id(m.row) })
	if err != nil {
		return nil, "", err
	}
	var rows []T
	for _, m := range found[:min(len(found), n+1)] {
		rows = append(rows, clone(m.row))
	}
	rows, next := page.Cut(rows, n, query, id)
	return rows, next, nil
}

// length is how many characters the name has, folded.
func (n names) length() int { return utf8.RuneCountInString(n.all[0]) }
