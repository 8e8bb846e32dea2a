package sqlite

import "github.com/mcpstore/mcpstore/internal/store"

// removeGone removes what a replacing import does not name: products that no
// shop carries any longer, or, where it removes shops, these and all products.
// The numbers stay theirs, as the ledger goes on naming them.
func (im *importer) removeGone() error {
	if im.o.Mode != store.Replace {
		return nil
	}
	gone := `p.num NOT IN (SELECT product FROM temp.resolved)`
	if im.removesOthers() {
		if err := im.removeShops(); err != nil {
			return err
		}
	} else {
		gone += ` AND p.num IN (SELECT product FROM temp.changing WHERE will IS NULL)
			AND NOT EXISTS (SELECT 1 FROM levels l WHERE l.product = p.num)`
	}
	var first []store.Product
	err := im.each(`SELECT `+productColumns+` FROM products p WHERE `+gone+` ORDER BY p.num LIMIT ?`, []any{im.o.MaxExamples}, func(scan func(...any) error) error {
		p, err := scanProduct(scan)
		first = append(first, p)
		return err
	})
	if err != nil {
		return err
	}
	im.report.GoneProducts.First = first
	if err := im.exec(`INSERT INTO retired (kind, id, num, name) SELECT 'product', id, num, name FROM products p WHERE ` + gone); err != nil {
		return err
	}
	result, err := im.tx.ExecContext(im.ctx, `DELETE FROM products AS p WHERE `+gone)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if im.report.GoneProducts.Count = int(n); err != nil {
		return err
	}
	return im.exec(`
		DELETE FROM product_keys WHERE product IN (SELECT num FROM retired WHERE kind = 'product');
		DELETE FROM chains WHERE num > 0 AND NOT EXISTS (SELECT 1 FROM shops WHERE chain = chains.num)`)
}

// removeShops removes the shops that no row names.
func (im *importer) removeShops() error {
	var gone []*shopState
	for _, s := range im.shopStates {
		if s.said == nil {
			gone = append(gone, s)
			im.report.GoneShops.Add(s.Shop, len(im.shopStates)) // all of them: each is to be seen
		}
	}
	if im.o.Removing != nil && !im.o.DryRun && len(gone) > 0 {
		if err := im.o.Removing(im.report.GoneShops.First); err != nil {
			im.failed = err
			return err
		}
	}
	for _, s := range gone {
		if err := im.retireShop(s); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) retireShop(s *shopState) error {
	for _, query := range []string{
		`INSERT INTO retired (kind, id, num, name) SELECT 'shop', id, num, name FROM shops WHERE num = ?`,
		`DELETE FROM shops WHERE num = ?`,
		`DELETE FROM shop_keys WHERE shop = ?`,
	} {
		if err := im.in.exec(query, s.num); err != nil {
			return err
		}
	}
	return nil
}

// indexProducts makes the products findable by parts of what they are called.
func (im *importer) indexProducts() error {
	if im.o.DryRun {
		return nil
	}
	return im.reindex.finish(im.report.GoneProducts.Count)
}
