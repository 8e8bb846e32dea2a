package sqlite

import (
	"cmp"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// newProducts is added to what is said of a new product first to number those,
// behind all that are there.
const newProducts = 1 << 52

// applyProducts makes the products that are new, and changes those of which
// something else is said than before.
func (im *importer) applyProducts() error {
	if err := im.exec(`CREATE TEMP TABLE members ( -- what is said, by product
			product INTEGER NOT NULL, -- or newProducts
			said    INTEGER NOT NULL,
			PRIMARY KEY (product, said)
		) STRICT, WITHOUT ROWID`); err != nil {
		return err
	}
	for said, num := range im.productNums[1:] {
		if num < 0 {
			num = newProducts - num
		}
		im.in.insert(`temp.members (product, said)`, num, said+1)
	}
	if err := im.in.flush(); err != nil {
		return err
	}
	var err error
	if im.reindex, err = newReindexer(im.in); err != nil {
		return err
	}
	if err := im.row(`SELECT (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'products'),
			EXISTS (SELECT 1 FROM retired WHERE kind = 'product')`).Scan(&im.nextProduct, &im.someRetired); err != nil {
		return err
	}

	im.newNums = make([]int64, im.said+1)

	var num int64 // the product that is being read
	var p unitedProduct
	end := func() error {
		switch {
		case num == 0:
			return nil
		case num < newProducts:
			return im.changeProduct(num, &p)
		}
		return im.newProduct(num-newProducts, &p)
	}
	err = im.each(`SELECT m.product, s.num, s.at, s.body FROM temp.members m CROSS JOIN temp.said s ON s.num = m.said
		ORDER BY m.product, m.said`, nil, func(scan func(...any) error) error {
		var of, at int64
		var said int
		var body []byte
		if err := scan(&of, &said, &at, &body); err != nil {
			return err
		}
		s := parseSaid(body)
		if im.nick[said] {
			s.Name = ""
		}
		if of == num {
			im.unite(&p, &s, at)
			p.kinds |= im.kinds[said]
			return nil
		}
		if err := end(); err != nil {
			return err
		}
		num, p = of, unitedProduct{saidProduct: s, at: at, kinds: im.kinds[said]}
		return nil
	})
	if err == nil {
		err = end()
	}
	if err != nil {
		return err
	}
	return im.newKeys()
}

// newKeys makes the new products findable by what they are called exactly.
func (im *importer) newKeys() error {
	if err := im.exec(`CREATE TEMP TABLE resolved (said INTEGER PRIMARY KEY, product INTEGER NOT NULL, new INTEGER NOT NULL) STRICT`); err != nil {
		return err
	}
	for said, num := range im.productNums[1:] {
		isNew := num < 0
		if isNew && im.newNums[-num] != 0 {
			num = im.newNums[-num]
		}
		im.productNums[said+1] = num
		im.in.insert(`temp.resolved (said, product, new)`, said+1, num, isNew)
	}
	if err := im.in.flush(); err != nil || im.problems.count > 0 {
		return err
	}
	return im.exec(`INSERT OR IGNORE INTO product_keys (key, product)
		SELECT n.key, r.product FROM temp.names n CROSS JOIN temp.resolved r ON r.said = n.said WHERE n.key <> '' AND r.new`)
}

// changeProduct brings a product to what is said of it.
func (im *importer) changeProduct(num int64, said *unitedProduct) error {
	p, err := scanProduct(im.in.queryRow(`SELECT `+productColumns+` FROM products p WHERE p.num = ?`, num).Scan)
	if err != nil {
		return err
	}
	if said.ID != "" && said.ID != p.ID {
		im.bad(said.place(store.ColumnProductID), store.ColumnProductID, said.ID,
			fmt.Sprintf("%s is that of product %q, and IDs do not change; leave it empty, or write %q",
				cmp.Or(said.sharedCode(&p), "the name"), p.ID, p.ID))
	}
	after := said.over(p)
	if equalProducts(p, after) {
		return nil
	}
	if key := fold.String(after.Name); key != fold.String(p.Name) {
		other, err := im.sameName(num, key)
		if err != nil {
			return err
		}
		if other != "" {
			im.bad(said.place(store.ColumnProduct), store.ColumnProduct, said.Name,
				fmt.Sprintf("%s is that of product %q, which this would rename, but product %q is called so; correct the name or the code",
					cmp.Or(said.sharedCode(&p), "a code"), p.ID, other))
		}
		if !fold.Alike(p.Name, after.Name) {
			im.report.Renamed.Add(store.Rename{ProductID: p.ID, Before: p.Name, After: after.Name, Code: said.sharedCode(&p)}, im.o.MaxExamples)
		}
	}
	im.report.ChangedProducts.Add(after, im.o.MaxExamples)
	if im.problems.count > 0 {
		return nil
	}
	return writeProduct(im.reindex, num, &p, &after)
}

// sameName returns the ID of another product of this folded name, or "".
func (im *importer) sameName(num int64, key string) (string, error) {
	var other string
	err := im.each(`SELECT p.num, p.id, p.name FROM product_keys k CROSS JOIN products p ON p.num = k.product
		WHERE k.key = ? AND p.num <> ? AND (NOT ? OR p.num IN (SELECT product FROM temp.members))`,
		[]any{key, num, im.removesOthers()}, func(scan func(...any) error) error {
			var num int64
			var id, name string
			err := scan(&num, &id, &name)
			if fold.String(name) == key {
				other = id
			}
			return err
		})
	return other, err
}
