package sqlite

import "github.com/mcpstore/mcpstore/internal/store"

// removeGone removes what a replacing import does not name. Their numbers stay
// theirs, as the ledger goes on naming them.
func (im *importer) removeGone() error {
	if !im.replaces() {
		return nil
	}
	for _, s := range im.shopStates {
		if s.said == nil {
			im.report.GoneShops.Add(s.Shop, im.o.MaxExamples)
			if err := im.retireShop(s); err != nil {
				return err
			}
		}
	}
	const gone = `p.num NOT IN (SELECT product FROM temp.resolved)`
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
