package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// checks are what must not be found. Each is of columns what, product, shop,
// ledger, kept and detail, and runs through the ledger in the order of an index,
// so that it takes no more memory for more movements.
var checks = []string{
	`SELECT 'file' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, integrity_check AS detail
	FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,

	`SELECT 'file' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept,
		coalesce('row ' || "rowid", 'a row') || ' of ' || "table" || ' is of a row of ' || parent || ' that is not there' AS detail
	FROM pragma_foreign_key_check`,

	`SELECT 'on hand' AS what, m.product, m.shop, m.n AS ledger, coalesce(l.on_hand, 0) AS kept,
		iif(l.product IS NULL, 'not carried', '') AS detail
	FROM (SELECT product, shop, sum(delta) AS n FROM movements INDEXED BY movements_by_level GROUP BY product, shop) m
	LEFT JOIN levels l ON l.product = m.product AND l.shop = m.shop
	WHERE ledger <> kept`,

	`SELECT 'on hand' AS what, product, shop, 0 AS ledger, on_hand AS kept, 'no movements' AS detail
	FROM levels l WHERE on_hand <> 0 AND NOT EXISTS (
		SELECT 1 FROM movements m WHERE m.product = l.product AND m.shop = l.shop)`,

	`SELECT 'on hand after movement ' || num AS what, product, shop, before + delta AS ledger, on_hand AS kept, '' AS detail
	FROM (SELECT num, product, shop, delta, on_hand, lag(on_hand, 1, 0) OVER (PARTITION BY product, shop ORDER BY num) AS before
		FROM movements INDEXED BY movements_by_level)
	WHERE ledger <> kept`,

	`SELECT 'movement ' || r.num || ', which undoes movement ' || m.num AS what, r.product, r.shop, -m.delta AS ledger, r.delta AS kept,
		iif((r.product, r.shop, r.expiry) = (m.product, m.shop, m.expiry), '', 'of another product, shop or lot') AS detail
	FROM movements r INDEXED BY movements_by_reversed CROSS JOIN movements m ON m.num = r.reverses
	WHERE r.reverses IS NOT NULL
	AND (r.delta, r.product, r.shop, r.expiry) IS NOT (-m.delta, m.product, m.shop, m.expiry)`,

	`SELECT 'lot of ' || m.expiry AS what, m.product, m.shop, m.n AS ledger, coalesce(o.on_hand, 0) AS kept, '' AS detail
	FROM (SELECT product, shop, expiry, sum(delta) AS n FROM movements WHERE expiry <> '' GROUP BY product, shop, expiry) m
	LEFT JOIN lots o ON o.product = m.product AND o.shop = m.shop AND o.expiry = m.expiry
	WHERE ledger <> kept`,

	`SELECT 'lot of ' || expiry AS what, product, shop, 0 AS ledger, on_hand AS kept, 'no movements' AS detail
	FROM lots o WHERE NOT EXISTS (
		SELECT 1 FROM movements m WHERE m.product = o.product AND m.shop = o.shop AND m.expiry = o.expiry)`,

	`SELECT 'lots together' AS what, o.product, o.shop, coalesce(l.on_hand, 0) AS ledger, o.n AS kept,
		'more than is on hand' AS detail
	FROM (SELECT product, shop, sum(on_hand) AS n FROM lots GROUP BY product, shop) o
	LEFT JOIN levels l ON l.product = o.product AND l.shop = o.shop
	WHERE kept > ledger`,

	`SELECT 'reserved' AS what, r.product, r.shop, r.n AS ledger, coalesce(l.reserved, 0) AS kept,
		iif(l.product IS NULL, 'not carried', '') AS detail
	FROM (SELECT product, shop, sum(quantity) AS n FROM reservations WHERE state = 'held' GROUP BY product, shop) r
	LEFT JOIN levels l ON l.product = r.product AND l.shop = r.shop
	WHERE ledger <> kept`,

	`SELECT 'reserved' AS what, product, shop, 0 AS ledger, reserved AS kept, 'no reservations' AS detail
	FROM levels l WHERE reserved <> 0 AND NOT EXISTS (
		SELECT 1 FROM reservations r WHERE r.state = 'held' AND r.product = l.product AND r.shop = l.shop)`,

	`SELECT v.value AS what, product, 0 AS shop,
		CASE v.key WHEN 0 THEN l.on_hand WHEN 1 THEN l.reserved WHEN 2 THEN l.shops ELSE l.as_of END AS ledger,
		CASE v.key WHEN 0 THEN t.on_hand WHEN 1 THEN t.reserved WHEN 2 THEN t.shops ELSE t.as_of END AS kept,
		` + ofChain + ` AS detail
	FROM (SELECT product, chain, count(*) AS shops, sum(on_hand) AS on_hand, sum(reserved) AS reserved, max(as_of) AS as_of
		FROM levels INDEXED BY levels_by_chain GROUP BY product, chain) l
	JOIN totals t USING (product, chain)
	CROSS JOIN json_each('["total on hand", "total reserved", "number of shops", "last change"]') v
	WHERE ledger <> kept`,

	`SELECT 'number of shops' AS what, product, 0 AS shop, count(*) AS ledger, 0 AS kept, ` + ofChain + ` AS detail
	FROM levels l INDEXED BY levels_by_chain
	WHERE NOT EXISTS (SELECT 1 FROM totals t WHERE t.product = l.product AND t.chain = l.chain)
	GROUP BY product, chain`,

	`SELECT 'number of shops' AS what, product, 0 AS shop, 0 AS ledger, shops AS kept, ` + ofChain + ` AS detail
	FROM totals t WHERE NOT EXISTS (SELECT 1 FROM levels l WHERE l.product = t.product AND l.chain = t.chain)`,
}

// ofChain says of which chain a sum is.
const ofChain = `iif(chain = 0, 'shops of no chain', 'chain ' || coalesce((SELECT name FROM chains WHERE num = chain), chain))`

// Verify adds the whole ledger up again and compares it with what is kept
// beside it, and lets SQLite check the file. It takes some ten seconds for half
// a million levels, and keeps nobody waiting.
func (db *DB) Verify(ctx context.Context, limit int) ([]store.Discrepancy, error) {
	if limit <= 0 {
		limit = store.DefaultLimit
	}
	found, err := db.verify(ctx, limit)
	if err != nil {
		return nil, db.failed("verify the ledger", err)
	}
	return found, nil
}

func (db *DB) verify(ctx context.Context, limit int) ([]store.Discrepancy, error) {
	// A connection of its own, which sorts on the disk what is too much.
	pool, err := connect(db.abs, 1, "_query_only=1")
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if _, err := pool.ExecContext(ctx, `PRAGMA temp_store = FILE`); err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var found []store.Discrepancy
	for _, check := range checks {
		more, err := runCheck(ctx, tx, check, limit-len(found))
		found = append(found, more...)
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_CORRUPT && len(found) > 0 {
			break // as the file is damaged, which was found, little else can be
		}
		if err != nil {
			return nil, err
		}
		if len(found) == limit {
			break
		}
	}
	return found, nil
}

func runCheck(ctx context.Context, tx *sql.Tx, check string, limit int) ([]store.Discrepancy, error) {
	rows, err := tx.QueryContext(ctx, `SELECT what,
		coalesce((SELECT id FROM shops WHERE num = shop), (SELECT id FROM retired WHERE kind = 'shop' AND num = shop), ''),
		coalesce((SELECT id FROM products WHERE num = product), (SELECT id FROM retired WHERE kind = 'product' AND num = product), ''),
		ledger, kept, detail
		FROM (`+check+`) LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []store.Discrepancy
	for rows.Next() {
		var d store.Discrepancy
		if err := rows.Scan(&d.What, &d.ShopID, &d.ProductID, &d.Ledger, &d.Kept, &d.Detail); err != nil {
			return found, err
		}
		found = append(found, d)
	}
	return found, rows.Err()
}
