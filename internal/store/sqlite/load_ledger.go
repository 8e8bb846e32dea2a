package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// sumLevels fills totals.
const sumLevels = `INSERT INTO totals (product, chain, shops, on_hand, reserved, as_of)
	SELECT product, chain, count(*), sum(on_hand), sum(reserved), max(as_of) FROM levels GROUP BY product, chain`

// removeAll empties the database, but for the secrets and the tokens that were
// used up. It leaves no row of catalog.
func removeAll(ctx context.Context, tx execer) error {
	// A catalog that is none of the demo guards its movements.
	_, err := tx.ExecContext(ctx, `
		UPDATE catalog SET demo = 1;
		DELETE FROM keys;
		DELETE FROM reservations;
		DELETE FROM movements;
		DELETE FROM deeds;
		DELETE FROM lots;
		DELETE FROM retired;
		INSERT INTO product_grams (product_grams) VALUES ('delete-all');
		DELETE FROM product_index;
		DELETE FROM product_keys;
		DELETE FROM shop_keys;
		DELETE FROM levels;
		DELETE FROM totals;
		DELETE FROM products;
		DELETE FROM shops;
		DELETE FROM chains WHERE num > 0;
		DELETE FROM catalog;
		INSERT INTO changes (product, shop) VALUES (0, 0)`)
	return err
}

// openLedger writes how the levels that were loaded came to be: by an import
// of what is on hand, by lot and without a date, of which some is reserved.
func openLedger(ctx context.Context, tx *sql.Tx, now time.Time) error {
	for _, deed := range []struct{ reason, of, entries string }{
		{string(store.Imported), `on_hand > 0`, `
			INSERT INTO movements (num, deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved)
			SELECT num, deed, num, product, shop, expiry, n, on_hand, 0, 0 FROM (
				SELECT row_number() OVER (ORDER BY product, shop, expiry) + (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'movements') AS num,
					?1 AS deed, product, shop, expiry, n, sum(n) OVER (PARTITION BY product, shop ORDER BY expiry) AS on_hand
				FROM (
					SELECT product, shop, expiry, on_hand AS n FROM lots
					UNION ALL
					SELECT product, shop, '', on_hand - (SELECT coalesce(sum(o.on_hand), 0) FROM lots o WHERE o.product = l.product AND o.shop = l.shop) FROM levels l)
				WHERE n > 0)`},
		{"reserve", `reserved > 0`, `
			INSERT INTO reservations (deed, product, shop, quantity, until, state)
			SELECT ?1, product, shop, reserved, ?2, 'held' FROM levels WHERE reserved > 0`},
	} {
		result, err := tx.ExecContext(ctx, `INSERT INTO deeds (at, reason, note, actor, client, key)
			SELECT ?, ?, '', '', '', '' WHERE EXISTS (SELECT 1 FROM levels WHERE `+deed.of+`)`, now.UnixMicro(), deed.reason)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		num, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, deed.entries, num, now.Add(store.MaxHold).UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}
