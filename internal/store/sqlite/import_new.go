package sqlite

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// newProduct makes a product of what is said of it, first by root.
func (im *importer) newProduct(root int64, said *unitedProduct) error {
	if said.Name == "" {
		im.nameless(said)
		return nil
	}
	p := said.Product
	p.ReorderPoint = 0
	if said.reorder != nil {
		p.ReorderPoint = *said.reorder
	}
	p.Currency = currency(p)
	if p.ID == "" {
		p.ID = derivedID(&p)
	}
	num, err := im.insertProduct(&p, said.ID == "")
	if err != nil {
		return err
	}
	im.newNums[root] = num
	im.report.NewProducts.Add(p, im.o.MaxExamples)
	if key := fold.String(p.ID); key != "" && said.ID == "" && p.ID != p.SKU && p.ID != p.Name && !slices.Contains(p.Barcodes, p.ID) {
		im.in.insert(`product_keys (key, product)`, key, num) // the others are among those that are said
	}
	im.reindex.changed(num, indexOf(&p))
	return im.in.err
}

// nameless says that a product is not known, unless the row that names it may be
// one of those that could not be read.
func (im *importer) nameless(said *unitedProduct) {
	if im.misread {
		return
	}
	for _, c := range []struct{ column, value string }{
		{store.ColumnBarcode, slices.Concat(said.Barcodes, []string{""})[0]},
		{store.ColumnProductID, said.ID},
		{store.ColumnSKU, said.SKU},
	} {
		if c.value != "" {
			im.bad(said.at, c.column, c.value, fmt.Sprintf("%s %s is not known; add a product name", c.column, c.value))
			return
		}
	}
}

// derivedID returns the ID of a product that is given none.
func derivedID(p *store.Product) string {
	return cmp.Or(append(append([]string{p.SKU}, p.Barcodes...), p.Name)...)
}

// insertProduct stores a new product and returns its number: the one that it had
// before if it was there under the same ID once. If its ID is not one that rows
// give, a number is added where another product has the same.
func (im *importer) insertProduct(p *store.Product, derived bool) (num int64, err error) {
	base := p.ID
	for n := 2; ; n++ {
		num, free, err := im.numberFor(p.ID, p.ID == base, derived)
		if err != nil {
			return 0, err
		}
		if free {
			inserted, err := im.in.changed(insertProduct, num, p.ID, p.SKU, p.Name, object(p.Names), list(p.Aliases), p.Category, p.Unit,
				p.Price, p.Currency, list(p.Barcodes), p.ReorderPoint)
			if err != nil || inserted > 0 {
				im.nextProduct = max(im.nextProduct, num+1)
				return num, err
			}
		}
		p.ID = fmt.Sprintf("%s-%d", base, n)
	}
}

const insertProduct = `INSERT INTO products (num, id, sku, name, names, aliases, category, unit, price, currency, barcodes, reorder_point)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// numberFor returns the number of a new product of an ID, unless the ID is that
// of another product that rows give it to, or of one that is gone and another.
func (im *importer) numberFor(id string, given, derived bool) (num int64, free bool, err error) {
	if derived && im.someIDs {
		var taken bool
		if err := im.in.queryRow(`SELECT EXISTS (SELECT 1 FROM temp.names WHERE key = ? AND kind = 2 AND value = ?)`,
			fold.String(id), id).Scan(&taken); err != nil || taken {
			return 0, false, err
		}
	}
	if im.someRetired {
		err := im.in.queryRow(`SELECT num FROM retired WHERE kind = 'product' AND id = ?`, id).Scan(&num)
		switch {
		case err == nil && given:
			return num, true, im.in.exec(`DELETE FROM retired WHERE kind = 'product' AND num = ?`, num)
		case !errors.Is(err, sql.ErrNoRows):
			return 0, false, err
		}
	}
	return im.nextProduct, true, nil
}
