package sqlite

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// unitedProduct is all that is said of a product.
type unitedProduct struct {
	saidProduct
	at    int64            // where the first of it is said
	from  map[string]int64 // where what stands in a column is said, if not there
	kinds uint8            // what it is called by
}

// unite adds more that is said, at another place.
func (im *importer) unite(p *unitedProduct, more *saidProduct, at int64) {
	u := uniter{im, at, p.at, &p.from, cmp.Or(p.sharedCode(&more.Product), "the same product")}
	u.text(store.ColumnProductID, &p.ID, more.ID)
	u.text(store.ColumnSKU, &p.SKU, more.SKU)
	u.name(store.ColumnProduct, &p.Name, more.Name)
	u.text(store.ColumnCategory, &p.Category, more.Category)
	u.text(store.ColumnUnit, &p.Unit, more.Unit)
	u.price(store.ColumnPrice, &p.Price, more.Price)
	u.text(store.ColumnCurrency, &p.Currency, more.Currency)
	u.list(store.ColumnAliases, &p.Aliases, more.Aliases)
	u.barcodes(&p.Barcodes, more.Barcodes)
	for _, lang := range slices.Sorted(maps.Keys(more.Names)) {
		name := p.Names[lang]
		u.text(store.ColumnNames+lang, &name, more.Names[lang])
		if p.Names == nil {
			p.Names = map[string]string{}
		}
		p.Names[lang] = name
	}
	if more.reorder != nil {
		have, said := number(p.reorder), number(more.reorder)
		u.text(store.ColumnReorderPoint, &have, said)
		if have == said {
			p.reorder = more.reorder
		}
	}
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// sharedCode returns what tells that p and q are one product, such as "barcode
// 4710000000011", or "" where it is no code.
func (p *saidProduct) sharedCode(q *store.Product) string {
	for _, b := range p.Barcodes {
		if slices.ContainsFunc(q.Barcodes, func(other string) bool { return code.Key(b) == code.Key(other) }) {
			return store.ColumnBarcode + " " + b
		}
	}
	switch {
	case p.ID != "" && p.ID == q.ID:
		return store.ColumnProductID + " " + p.ID
	case p.SKU != "" && p.SKU == q.SKU:
		return store.ColumnSKU + " " + p.SKU
	}
	return ""
}

// uniter puts together what several rows say of one thing.
type uniter struct {
	im        *importer
	at, first int64 // where this is said, and where the first of all
	from      *map[string]int64
	of        string // what the rows are of
}

// fits reports whether more may be said where have is said already; if it is
// new, it is noted where.
func (u uniter) fits(column string, have, more string, same bool) (isNew bool) {
	if more == "" || have != "" && same {
		return false
	}
	if have == "" {
		if *u.from == nil {
			*u.from = map[string]int64{}
		}
		(*u.from)[column] = u.at
		return true
	}
	at, ok := (*u.from)[column]
	if !ok {
		at = u.first
	}
	u.im.bad(u.at, column, more, fmt.Sprintf("%s says %q of %s; correct one of them, or tell them apart", u.im.where(at, u.at), have, u.of))
	return false
}

func (u uniter) text(column string, have *string, more string) {
	if u.fits(column, *have, more, *have == more) {
		*have = more
	}
}

func (u uniter) name(column string, have *string, more string) {
	if u.fits(column, *have, more, fold.String(*have) == fold.String(more)) {
		*have = more
	}
}

func (u uniter) price(column string, have *string, more string) {
	if u.fits(column, *have, more, samePrice(*have, more)) {
		*have = more
	}
}

// samePrice reports whether two decimals are the same number: 35.00 is 35.
func samePrice(a, b string) bool { return plainPrice(a) == plainPrice(b) }

func plainPrice(s string) string {
	s = strings.TrimLeft(s, "0")
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func (u uniter) list(column string, have *[]string, more []string) {
	if u.fits(column, shownList(*have), shownList(more), sameList(*have, more)) {
		*have = more
	}
}

func (u uniter) barcodes(have *[]string, more []string) {
	if u.fits(store.ColumnBarcode, shownList(*have), shownList(more), sameBarcodes(*have, more)) {
		*have = more
	}
}

func shownList(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return marshal(l)
}

// sameList reports whether two lists hold the same, in whatever order.
func sameList(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// sameBarcodes reports whether two lists hold the same barcodes, in whatever
// order and with whatever zeros before them.
func sameBarcodes(a, b []string) bool { return sameList(barcodeKeys(a), barcodeKeys(b)) }

func barcodeKeys(barcodes []string) []string {
	keys := make([]string, len(barcodes))
	for i, b := range barcodes {
		keys[i] = code.Key(b)
	}
	return keys
}

// place returns where what stands in a column is said.
func (p *unitedProduct) place(column string) int64 {
	if at, ok := p.from[column]; ok {
		return at
	}
	return p.at
}

// over returns p with what is said of it.
func (said *unitedProduct) over(p store.Product) store.Product {
	p.Names, p.Aliases, p.Barcodes = maps.Clone(p.Names), slices.Clone(p.Aliases), slices.Clone(p.Barcodes)
	if said.names(p) {
		p.Name = said.Name
	}
	for _, f := range []struct {
		to   *string
		said string
	}{
		{&p.SKU, said.SKU}, {&p.Category, said.Category}, {&p.Unit, said.Unit},
		{&p.Currency, said.Currency},
	} {
		if f.said != "" {
			*f.to = f.said
		}
	}
	if said.Price != "" && (p.Price == "" || !samePrice(p.Price, said.Price)) {
		p.Price = said.Price
	}
	for lang, name := range said.Names {
		if p.Names == nil {
			p.Names = map[string]string{}
		}
		p.Names[lang] = name
	}
	if len(said.Aliases) > 0 && !sameList(p.Aliases, said.Aliases) {
		p.Aliases = said.Aliases
	}
	if len(said.Barcodes) > 0 && !sameBarcodes(p.Barcodes, said.Barcodes) {
		p.Barcodes = said.Barcodes
	}
	if said.reorder != nil {
		p.ReorderPoint = *said.reorder
	}
	p.Currency = currency(p)
	return p
}

// names reports whether what is said names p anew: who calls it by another of
// its names, or finds it by its name alone, does not.
func (said *unitedProduct) names(p store.Product) bool {
	if said.Name == "" || said.kinds&identifiers == 0 {
		return false
	}
	key := fold.String(said.Name)
	if key == "" || key == fold.String(p.Name) {
		return true
	}
	return !slices.Contains(texts(p.Name, slices.AppendSeq(slices.Clone(p.Aliases), maps.Values(p.Names))), key)
}

// currency returns the one that p's price is in.
func currency(p store.Product) string {
	switch {
	case p.Price == "":
		return ""
	case p.Currency == "":
		return defaultCurrency
	}
	return p.Currency
}

// defaultCurrency is that of prices of which nobody says another one.
const defaultCurrency = "TWD"

func equalProducts(a, b store.Product) bool {
	return a.SKU == b.SKU && a.Name == b.Name && a.Category == b.Category && a.Unit == b.Unit &&
		a.Price == b.Price && a.Currency == b.Currency && a.ReorderPoint == b.ReorderPoint &&
		maps.Equal(a.Names, b.Names) && slices.Equal(a.Aliases, b.Aliases) && slices.Equal(a.Barcodes, b.Barcodes)
}
