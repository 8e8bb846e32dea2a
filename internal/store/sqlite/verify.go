package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"github.com/mcpstore/mcpstore/internal/store"
)

// checks are what must not be found and SQLite itself can find. Each is of columns
// what, product, shop, ledger, kept and detail, and runs through its table in the
// order of an index, so that it takes no more memory for more rows. What takes
// reading rows as answers do is in verify_rows.go and verify_ledger.go.
var checks = []string{
	`SELECT 'file' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, integrity_check AS detail
	FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,

	`SELECT 'file' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept,
		coalesce('row ' || "rowid", 'a row') || ' of ' || "table" || ' is of a row of ' || parent || ' that is not there' AS detail
	FROM pragma_foreign_key_check`,

	// Numbers are given out one after the other; only what went with the demo
	// data, and the changes of long ago, are missing in front.
	gaps("reservations"), gaps("changes"),

	// A number must never be given out twice, or what is remembered of one row
	// would be told of another.
	reused("chains"), reused("shops"), reused("products"), reused("grants"), reused("tokens"), reused("calls"),

	`SELECT 'group ' || m.grp AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, 'undone in part' AS detail
	FROM (SELECT DISTINCT grp FROM movements INDEXED BY movements_by_group WHERE grp <> num) m
	WHERE (SELECT count(r.num) NOT IN (0, count(*)) FROM movements a LEFT JOIN movements r ON r.reverses = a.num
		WHERE a.num = m.grp OR a.grp = m.grp AND a.grp <> a.num)`,

	`SELECT 'catalog' AS what, 0 AS product, 0 AS shop, 1 AS ledger, count(*) AS kept, 'rows that say what the stock is' AS detail
	FROM catalog HAVING kept <> 1`,

	`SELECT 'catalog' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, 'it says that this is the demo data, which was never imported' AS detail
	FROM catalog c WHERE demo = 1 AND EXISTS (SELECT 1 FROM deeds WHERE reason = 'import' AND at <> c.loaded_at)`,

	`SELECT 'log stamp' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, 'the row by which the file and its log know each other is missing or changed' AS detail
	WHERE NOT EXISTS (SELECT 1 FROM log_stamp WHERE mark = x'FF6D6370FE73746FFD72652DFC6C6F67')`,

	`SELECT 'reorder point' AS what, l.product, l.shop, p.reorder_point AS ledger, l.reorder_point AS kept, 'of the product, and beside its level' AS detail
	FROM levels l CROSS JOIN products p ON p.num = l.product WHERE ledger <> kept`,

	`SELECT 'product index' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept, 'its row ' || rank || ' is of product ' || product || ', which is not there' AS detail
	FROM product_index i WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.num = i.product)`,

	`SELECT 'product index' AS what, num AS product, 0 AS shop, 1 AS ledger, 0 AS kept, 'it cannot be searched for' AS detail
	FROM products p WHERE NOT EXISTS (SELECT 1 FROM product_index i WHERE i.product = p.num)`,

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

	`SELECT 'lot of ' || expiry AS what, product, shop, 0 AS ledger, 0 AS kept, 'that is no date' AS detail
	FROM lots WHERE date(expiry) IS NOT expiry`,

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

// gaps finds where a table's numbers do not follow one another, or do not end
// with the last one that was given out.
func gaps(table string) string {
	return `SELECT '` + table + `' AS what, 0 AS product, 0 AS shop, 0 AS ledger, 0 AS kept,
		iif(before < n - 1, 'numbers ' || (before + 1) || ' to ' || (n - 1) || ' are missing',
			'the last number is ' || before || ', and the last given out ' || (n - 1)) AS detail
	FROM (SELECT num AS n, lag(num) OVER (ORDER BY num) AS before FROM ` + table + `
		UNION ALL
		SELECT (SELECT seq FROM sqlite_sequence WHERE name = '` + table + `') + 1, max(num) FROM ` + table + `)
	WHERE before <> n - 1`
}

// reused finds where numbers were given out that the table does not know of.
func reused(table string) string {
	return `SELECT '` + table + `' AS what, 0 AS product, 0 AS shop, coalesce((SELECT seq FROM sqlite_sequence WHERE name = '` + table + `'), 0) AS ledger,
		max(num) AS kept, 'the last number that was given out' AS detail FROM ` + table + ` HAVING kept > ledger`
}

// ofChain says of which chain a sum is.
const ofChain = `iif(chain = 0, 'shops of no chain', 'chain ' || coalesce((SELECT name FROM chains WHERE num = chain), chain))`

// Verify reads what answers are made from, adds the whole ledger up again and
// compares it with what is kept beside it, and lets SQLite check the file. It
// takes some twenty seconds for a million movements, and no other question waits for it.
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
	pool, err := db.connect(1, "")
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if _, err := pool.ExecContext(ctx, `PRAGMA temp_store = FILE; `+gramsOfProducts+`; PRAGMA query_only = 1`); err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	found, err := schemaFaults(ctx, tx)
	if err != nil {
		return nil, err
	}
	found = found[:min(len(found), limit)]
	for _, check := range checks {
		if len(found) == limit {
			return found, nil
		}
		more, err := runCheck(ctx, tx, check, limit-len(found))
		found = append(found, more...)
		if err != nil {
			return foundBefore(ctx, found, err)
		}
	}
	ss := newStatements(ctx, tx)
	defer ss.close()
	v := &verifier{statements: ss, found: found, limit: limit, ids: map[string]map[int64]uint64{}}
	if len(found) < limit {
		err = v.run()
	}
	return foundBefore(ctx, v.found, err)
}

// foundBefore returns what was found before err ended a check. Where damage keeps
// the rest from being read, that was found, too.
func foundBefore(ctx context.Context, found []store.Discrepancy, err error) ([]store.Discrepancy, error) {
	switch {
	case err == nil || errors.Is(err, errEnough):
		return found, nil
	case ctx.Err() != nil:
		return nil, err
	case len(found) > 0:
		return found, nil
	case errors.As(err, new(*sqlite.Error)) && !damaged(err):
		return nil, err
	}
	return []store.Discrepancy{{What: "file", Detail: "it cannot be read: " + err.Error()}}, nil
}

// schemaFaults compares the tables, indexes and triggers with those that the
// migrations make.
func schemaFaults(ctx context.Context, tx *sql.Tx) ([]store.Discrepancy, error) {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1)
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if _, err := fresh.ExecContext(ctx, string(text)); err != nil {
			return nil, err
		}
	}
	want, err := schema(ctx, fresh)
	if err != nil {
		return nil, err
	}
	have, err := schema(ctx, tx)
	if err != nil {
		return nil, err
	}
	var faults []store.Discrepancy
	fault := func(part, detail string) {
		faults = append(faults, store.Discrepancy{What: part, Detail: detail})
	}
	for _, part := range slices.Sorted(maps.Keys(want)) {
		switch text, is := have[part]; {
		case !is:
			fault(part, "is not there")
		case text != want[part]:
			fault(part, "is not as it was made")
		}
	}
	for _, part := range slices.Sorted(maps.Keys(have)) {
		if _, is := want[part]; !is && strings.HasPrefix(part, "trigger ") {
			fault(part, "is not of mcpstore's making")
		}
	}
	return faults, nil
}

// schema returns the SQL of each part of a database, by type and name.
func schema(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	parts := map[string]string{}
	for rows.Next() {
		var part, text string
		if err := rows.Scan(&part, &text); err != nil {
			return nil, err
		}
		parts[part] = text
	}
	return parts, rows.Err()
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
