package sqlite

import (
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// wantLevels finds out what the levels are to be, and refuses what cannot be.
func (im *importer) wantLevels() error {
	if err := im.exec(`
		CREATE TEMP TABLE shop_nums (said INTEGER PRIMARY KEY, shop INTEGER NOT NULL) STRICT;
		CREATE TEMP TABLE want ( -- lots, and with no date what is outside lots
			product  INTEGER NOT NULL,
			shop     INTEGER NOT NULL,
			expiry   TEXT NOT NULL,
			row      INTEGER NOT NULL,
			at       INTEGER NOT NULL,
			quantity INTEGER NOT NULL,
			whole    INTEGER NOT NULL, -- of the level with its lots
			PRIMARY KEY (product, shop, expiry, row)
		) STRICT, WITHOUT ROWID;
		CREATE TEMP TABLE named ( -- levels that are to change, or stay as they are
			product INTEGER NOT NULL,
			shop    INTEGER NOT NULL,
			on_hand INTEGER,         -- NULL if it is not to be carried
			PRIMARY KEY (product, shop)
		) STRICT, WITHOUT ROWID`); err != nil {
		return err
	}
	for i, num := range im.shopNums[1:] {
		im.in.insert(`temp.shop_nums (said, shop)`, i+1, num)
	}
	if err := im.in.flush(); err != nil {
		return err
	}
	if err := im.exec(`
		INSERT INTO temp.want (product, shop, expiry, row, at, quantity, whole)
		SELECT p.product, s.shop, r.expiry, r.row, r.at, r.quantity, r.whole FROM temp.staged r
		CROSS JOIN temp.resolved p ON p.said = r.product
		CROSS JOIN temp.shop_nums s ON s.said = r.shop
		ORDER BY 1, 2, 3, 4;
		INSERT INTO temp.named (product, shop, on_hand)
		SELECT product, shop, sum(quantity) FROM temp.want GROUP BY product, shop`); err != nil {
		return err
	}
	if err := im.twice(); err != nil {
		return err
	}
	if err := im.exec(keepLots); err != nil {
		return err
	}
	if err := im.row(`SELECT count(*) FROM temp.named`).Scan(&im.report.Levels); err != nil {
		return err
	}
	return im.each(`SELECT n.on_hand, max(w.at) FROM temp.named n CROSS JOIN temp.want w USING (product, shop)
		WHERE n.on_hand > ? GROUP BY n.product, n.shop`, []any{store.MaxQuantity}, func(scan func(...any) error) error {
		var sum, at int64
		err := scan(&sum, &at)
		im.bad(at, store.ColumnQuantity, fmt.Sprint(sum), fmt.Sprintf("the lots add up to that; a level is at most %d", store.MaxQuantity))
		return err
	})
}

// twice refuses rows that say how much there is of the same.
func (im *importer) twice() error {
	return im.each(`
		SELECT w.at, f.at, w.quantity, w.expiry FROM (
			SELECT product, shop, expiry, min(row) AS first FROM temp.want
			GROUP BY product, shop, expiry HAVING count(*) > 1) d
		CROSS JOIN temp.want w ON w.product = d.product AND w.shop = d.shop AND w.expiry = d.expiry AND w.row > d.first
		CROSS JOIN temp.want f ON f.product = d.product AND f.shop = d.shop AND f.expiry = d.expiry AND f.row = d.first`,
		nil, func(scan func(...any) error) error {
			var at, first, quantity int64
			var expiry string
			if err := scan(&at, &first, &quantity, &expiry); err != nil {
				return err
			}
			why := fmt.Sprintf("%s has the quantity of this product in this store already; add them up, or give each lot its expiry date", im.where(first, at))
			if expiry != "" {
				why = fmt.Sprintf("%s has the quantity of this lot in this store already; add them up", im.where(first, at))
			}
			im.bad(at, store.ColumnQuantity, fmt.Sprint(quantity), why)
			return nil
		})
}

// keepLots gives what is wanted of a level as a whole to the lots that it has:
// where less is wanted than there is, those that expire first go first.
const keepLots = `
	CREATE TEMP TABLE kept (
		product INTEGER NOT NULL,
		shop    INTEGER NOT NULL,
		expiry  TEXT NOT NULL,
		row     INTEGER NOT NULL,
		at      INTEGER NOT NULL,
		n       INTEGER NOT NULL
	) STRICT;
	INSERT INTO temp.kept (product, shop, expiry, row, at, n)
	SELECT product, shop, expiry, row, at, on_hand - min(on_hand, max(0, gone - before)) FROM (
		SELECT o.product, o.shop, o.expiry, o.on_hand, w.row, w.at, l.on_hand - w.quantity AS gone,
			sum(o.on_hand) OVER (PARTITION BY o.product, o.shop ORDER BY o.expiry) - o.on_hand AS before
		FROM lots o
		CROSS JOIN levels l ON l.product = o.product AND l.shop = o.shop
		CROSS JOIN temp.want w ON w.product = o.product AND w.shop = o.shop AND w.expiry = '' AND w.whole
		WHERE NOT EXISTS (SELECT 1 FROM temp.want x WHERE x.product = o.product AND x.shop = o.shop AND x.expiry <> ''));
	INSERT INTO temp.want (product, shop, expiry, row, at, quantity, whole)
	SELECT product, shop, expiry, row, at, n, 0 FROM temp.kept WHERE n > 0;
	UPDATE temp.want AS w SET quantity = w.quantity - k.n
	FROM (SELECT product, shop, sum(n) AS n FROM temp.kept GROUP BY product, shop) k
	WHERE w.product = k.product AND w.shop = k.shop AND w.expiry = ''`
