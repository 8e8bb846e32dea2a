package sqlite

import (
	"database/sql"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// undated is what of level l is outside lots.
const undated = `(l.on_hand - coalesce((SELECT sum(o.on_hand) FROM lots o WHERE o.product = l.product AND o.shop = l.shop), 0))`

// What of the levels changes.
const (
	levelSteps = `
		CREATE TEMP TABLE steps ( -- what is to move, what goes up first
			product INTEGER NOT NULL,
			shop    INTEGER NOT NULL,
			down    INTEGER NOT NULL,
			expiry  TEXT NOT NULL,
			delta   INTEGER NOT NULL,
			PRIMARY KEY (product, shop, down, expiry)
		) STRICT, WITHOUT ROWID;
		INSERT INTO temp.steps (product, shop, down, expiry, delta)
		SELECT product, shop, delta < 0, expiry, delta FROM (
			SELECT w.product, w.shop, w.expiry, w.quantity - coalesce(CASE WHEN w.expiry <> ''
				THEN (SELECT on_hand FROM lots o WHERE o.product = w.product AND o.shop = w.shop AND o.expiry = w.expiry)
				ELSE (SELECT ` + undated + ` FROM levels l WHERE l.product = w.product AND l.shop = w.shop) END, 0) AS delta
			FROM temp.want w) WHERE delta <> 0;
		INSERT INTO temp.steps (product, shop, down, expiry, delta)
		SELECT o.product, o.shop, 1, o.expiry, -o.on_hand FROM temp.named n CROSS JOIN lots o USING (product, shop)
		WHERE NOT EXISTS (SELECT 1 FROM temp.want w WHERE w.product = o.product AND w.shop = o.shop AND w.expiry = o.expiry);
		INSERT INTO temp.steps (product, shop, down, expiry, delta)
		SELECT product, shop, 1, '', -n FROM (
			SELECT l.product, l.shop, ` + undated + ` AS n FROM temp.named d CROSS JOIN levels l USING (product, shop)
			WHERE NOT EXISTS (SELECT 1 FROM temp.want w WHERE w.product = l.product AND w.shop = l.shop AND w.expiry = ''))
		WHERE n > 0`

	levelChanges = `
		CREATE TEMP TABLE changing (
			product INTEGER NOT NULL,
			shop    INTEGER NOT NULL,
			was     INTEGER,          -- on hand; NULL if it was not carried
			will    INTEGER,          -- likewise
			held    INTEGER NOT NULL, -- reserved before
			keeps   INTEGER NOT NULL, -- reserved after
			as_of   INTEGER NOT NULL, -- before
			PRIMARY KEY (product, shop)
		) STRICT, WITHOUT ROWID;
		INSERT INTO temp.changing (product, shop, was, will, held, keeps, as_of)
		SELECT n.product, n.shop, l.on_hand, n.on_hand, coalesce(l.reserved, 0), coalesce(l.reserved, 0), coalesce(l.as_of, 0)
		FROM temp.named n LEFT JOIN levels l ON l.product = n.product AND l.shop = n.shop
		WHERE l.on_hand IS NOT n.on_hand OR EXISTS (SELECT 1 FROM temp.steps s WHERE s.product = n.product AND s.shop = n.shop)`

	// The newest reservations give way: those up to which more is held than will
	// be there.
	givingWay = `
		CREATE TEMP TABLE giving (num INTEGER PRIMARY KEY, product INTEGER NOT NULL, shop INTEGER NOT NULL, quantity INTEGER NOT NULL) STRICT;
		INSERT INTO temp.giving (num, product, shop, quantity)
		SELECT num, product, shop, quantity FROM (
			SELECT r.num, r.product, r.shop, r.quantity, coalesce(c.will, 0) AS will,
				sum(r.quantity) OVER (PARTITION BY r.product, r.shop ORDER BY r.num) AS upto
			FROM temp.changing c CROSS JOIN reservations r ON r.product = c.product AND r.shop = c.shop AND r.state = 'held'
			WHERE c.held > coalesce(c.will, 0))
		WHERE upto > will;
		UPDATE temp.changing AS c SET keeps = held - g.quantity
		FROM (SELECT product, shop, sum(quantity) AS quantity FROM temp.giving GROUP BY product, shop) g
		WHERE g.product = c.product AND g.shop = c.shop`
)

// applyLevels brings the levels to what the rows say, by movements.
func (im *importer) applyLevels() error {
	if im.o.Mode == store.Replace {
		// What rows give no quantity of goes: in the shops that they give
		// quantities to, or everywhere.
		if err := im.exec(`INSERT OR IGNORE INTO temp.named (product, shop)
			SELECT product, shop FROM levels WHERE ? OR shop IN (SELECT shop FROM temp.want)`, im.removesOthers()); err != nil {
			return err
		}
	}
	if err := im.exec(levelSteps + `;` + levelChanges + `;` + givingWay); err != nil {
		return err
	}
	deed, err := im.deed()
	if err != nil || deed == 0 {
		return err
	}
	for _, step := range []func() error{
		im.release,
		func() error { return im.move(deed) },
		im.reportLevels,
		im.writeLevels,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// deed records that levels change, and returns the record's number; 0 if none
// does.
func (im *importer) deed() (int64, error) {
	by := store.CallerFrom(im.ctx)
	var num sql.NullInt64
	if err := im.row(`SELECT (SELECT 1 FROM temp.changing LIMIT 1)`).Scan(&num); err != nil || !num.Valid {
		return 0, err
	}
	err := im.row(`INSERT INTO deeds (at, reason, note, actor, client, key) VALUES (?, ?, ?, ?, ?, '') RETURNING num`,
		im.now, string(store.Imported), shortNote(im.o.Note), by.ID, store.CleanText(by.Client)).Scan(&num)
	return num.Int64, err
}

// shortNote returns what of a note the ledger keeps.
func shortNote(note string) string {
	note = store.CleanText(note)
	if r := []rune(note); len(r) > store.MaxNote {
		note = string(r[:store.MaxNote-1]) + "…"
	}
	return note
}

// release ends the reservations that give way.
func (im *importer) release() error {
	if err := im.exec(`UPDATE reservations SET state = 'released', ended_at = ? WHERE num IN (SELECT num FROM temp.giving)`, im.now); err != nil {
		return err
	}
	return im.each(`SELECT `+reservationColumns+` FROM temp.giving g CROSS JOIN `+reservationTables+`
		WHERE r.num = g.num ORDER BY g.num DESC`, nil, func(scan func(...any) error) error {
		r, err := scanReservation(scan)
		im.report.Released = append(im.report.Released, r)
		return err
	})
}

// move appends the movements: those of a product in a shop are a group.
func (im *importer) move(deed int64) error {
	var num int64
	if err := im.row(`SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'movements'`).Scan(&num); err != nil {
		return err
	}
	var product, shop, group, onHand int64
	err := im.each(`SELECT s.product, s.shop, s.expiry, s.delta, coalesce(c.was, 0), c.held, c.keeps
		FROM temp.steps s CROSS JOIN temp.changing c ON c.product = s.product AND c.shop = s.shop
		ORDER BY s.product, s.shop, s.down, s.expiry`, nil, func(scan func(...any) error) error {
		var p, s, delta, was, held, keeps int64
		var expiry string
		if err := scan(&p, &s, &expiry, &delta, &was, &held, &keeps); err != nil {
			return err
		}
		num++
		if p != product || s != shop {
			product, shop, group, onHand = p, s, num, was
		} else {
			held = keeps
		}
		onHand += delta
		im.in.insert(`movements (num, deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved)`,
			num, deed, group, product, shop, expiry, delta, onHand, held, keeps)
		return im.in.err
	})
	if err != nil {
		return err
	}
	return im.in.flush()
}

// reportLevels counts what changes.
func (im *importer) reportLevels() error {
	for _, kind := range []struct {
		to    *store.Examples[store.LevelChange]
		where string
	}{
		{&im.report.New, `c.was IS NULL`},
		{&im.report.Gone, `c.will IS NULL`},
		{&im.report.Up, `c.will > c.was`},
		{&im.report.Down, `c.will < c.was`},
		{&im.report.Redated, `c.will = c.was`},
	} {
		if err := im.row(`SELECT count(*) FROM temp.changing c WHERE ` + kind.where).Scan(&kind.to.Count); err != nil {
			return err
		}
		err := im.each(`SELECT s.id, p.id, coalesce(c.was, 0), coalesce(c.will, 0), c.held, c.keeps, c.as_of, max(c.as_of, ?)
			FROM temp.changing c CROSS JOIN products p ON p.num = c.product CROSS JOIN shops s ON s.num = c.shop
			WHERE `+kind.where+` ORDER BY c.product, c.shop LIMIT ?`, []any{im.now, im.o.MaxExamples}, func(scan func(...any) error) error {
			var before, after int64
			var c store.LevelChange
			if err := scan(&c.ShopID, &c.ProductID, &c.Before.OnHand, &c.After.OnHand, &c.Before.Reserved, &c.After.Reserved, &before, &after); err != nil {
				return err
			}
			c.New = kind.to == &im.report.New
			if !c.New {
				c.Before.AsOf = utc(before)
			}
			c.After.AsOf = utc(after)
			kind.to.First = append(kind.to.First, c)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// manyLevels is from which part of all levels on it takes less time to make
// their indexes and sums anew than to change them.
const (
	fewLevels  = 1000 // never that few
	manyLevels = 4
)

// writeLevels stores the levels and their lots.
func (im *importer) writeLevels() error {
	var many bool
	if err := im.row(`SELECT n > ? AND n * ? > (SELECT count(*) FROM levels) FROM (SELECT count(*) AS n FROM temp.changing)`,
		fewLevels, manyLevels).Scan(&many); err != nil {
		return err
	}
	var restore []string
	if many {
		var err error
		if restore, err = setAside(im.ctx, im.tx, `levels`); err != nil {
			return err
		}
		restore = append(restore, `DELETE FROM totals`, sumLevels)
	}
	if err := im.exec(`
		INSERT INTO levels (product, shop, chain, place, on_hand, reserved, as_of, reorder_point)
		SELECT c.product, c.shop, s.chain, s.place, c.will, c.keeps, ?, p.reorder_point
		FROM temp.changing c CROSS JOIN shops s ON s.num = c.shop CROSS JOIN products p ON p.num = c.product WHERE c.will IS NOT NULL ORDER BY c.product, c.shop
		ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved, as_of = max(as_of, excluded.as_of)`,
		im.now); err != nil {
		return err
	}
	return im.exec(strings.Join(append([]string{
		`DELETE FROM levels WHERE (product, shop) IN (SELECT product, shop FROM temp.changing WHERE will IS NULL)`,
		`DELETE FROM lots WHERE (product, shop) IN (SELECT product, shop FROM temp.changing)`,
		`INSERT INTO lots (product, shop, expiry, on_hand)
			SELECT w.product, w.shop, w.expiry, w.quantity FROM temp.changing c CROSS JOIN temp.want w USING (product, shop)
			WHERE w.expiry <> '' AND w.quantity > 0`,
	}, restore...), ";\n"))
}
