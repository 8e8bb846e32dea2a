package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"
)

// intoGrams stores what finds a product. Alone and in one go, as a statement for
// several rows, of any table, makes FTS5 write what it has gathered so far.
const intoGrams = `product_grams (rowid, grams)`

// reindexer brings product_index and product_grams up to date with products,
// of which those that changed are named.
type reindexer struct {
	in    *inserter
	count int // of those that changed
}

// newReindexer returns one that uses a temporary table of its transaction's
// connection.
func newReindexer(in *inserter) (*reindexer, error) {
	return &reindexer{in: in}, in.exec(`
		CREATE TEMP TABLE reindexed (
			product  INTEGER PRIMARY KEY,
			length   INTEGER NOT NULL,
			name     TEXT NOT NULL,
			id       TEXT NOT NULL,
			category TEXT NOT NULL,
			texts    TEXT NOT NULL
		) STRICT`)
}

// changed names a product that is new, or not what it was.
func (r *reindexer) changed(num int64, x indexed) {
	r.count++
	r.in.insert(`temp.reindexed (product, length, name, id, category, texts)`, num, x.length, x.name, x.id, x.category, x.texts)
}

// rebuildAt is from which part of all products on it takes less time to make
// the index anew than to change it.
const rebuildAt = 25

// finish brings the index up to date, where so many products besides are gone.
func (r *reindexer) finish(gone int) error {
	if err := r.in.flush(); err != nil {
		return err
	}
	if r.count+gone > 0 {
		var all int // or about as many
		if err := r.in.queryRow(`SELECT coalesce(max(rank), 0) / ? FROM product_index`, rankGap).Scan(&all); err != nil {
			return err
		}
		err := errNoRoom
		if (r.count+gone)*rebuildAt <= all {
			err = r.change(gone)
		}
		if errors.Is(err, errNoRoom) {
			err = r.rebuild()
		}
		if err != nil {
			return err
		}
	}
	return r.in.exec(`DROP TABLE temp.reindexed`)
}

// rebuild makes the index anew.
func (r *reindexer) rebuild() error {
	for _, query := range []string{
		// Of those that did not change, the index says what they are found by.
		`INSERT INTO temp.reindexed (product, length, name, id, category, texts)
			SELECT i.product, length(i.name), i.name, p.id, i.category, i.texts FROM (
				SELECT *, substr(texts, 1, instr(texts || char(10), char(10)) - 1) AS name FROM product_index) i
			CROSS JOIN products p ON p.num = i.product
			WHERE i.product NOT IN (SELECT product FROM temp.reindexed)`,
		`DELETE FROM product_index`,
		`INSERT INTO product_grams (product_grams) VALUES ('delete-all')`,
	} {
		if _, err := r.in.tx.ExecContext(r.in.ctx, query); err != nil {
			return err
		}
	}
	if _, err := r.in.tx.ExecContext(r.in.ctx, `
		INSERT INTO product_index (rank, product, category, texts)
		SELECT row_number() OVER () * ?, product, category, texts FROM (
			SELECT product, category, texts FROM temp.reindexed ORDER BY length, name, id)`, rankGap); err != nil {
		return err
	}
	rows, err := r.in.tx.QueryContext(context.WithoutCancel(r.in.ctx), `SELECT rank, category, texts FROM product_index ORDER BY rank`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && r.in.err == nil {
		var rank int64
		var category, texts string
		if err := rows.Scan(&rank, &category, &texts); err != nil {
			return err
		}
		r.in.insertAlone(intoGrams, rank, grams(texts, category))
	}
	if err := errors.Join(r.in.err, rows.Err()); err != nil {
		return err
	}
	return r.in.exec(`INSERT INTO product_grams (product_grams) VALUES ('optimize')`)
}

// errNoRoom says that the numbers between two neighbours are used up.
var errNoRoom = errors.New("no room between neighbours")

// change takes out of the index what is gone or changed, and puts in what is
// new or changed.
func (r *reindexer) change(gone int) error {
	old, err := r.entries(`SELECT i.rank, i.product, '', i.category, i.texts
		FROM temp.reindexed r CROSS JOIN product_index i ON i.product = r.product`)
	if err == nil && gone > 0 {
		var more []entry
		more, err = r.entries(`SELECT rank, product, '', category, texts
			FROM product_index WHERE product NOT IN (SELECT num FROM products)`)
		old = append(old, more...)
	}
	if err != nil {
		return err
	}
	for _, e := range old {
		if err := r.in.exec(`INSERT INTO product_grams (product_grams, rowid, grams) VALUES ('delete', ?, ?)`, e.rank, grams(e.texts, e.category)); err != nil {
			return err
		}
		if err := r.in.exec(`DELETE FROM product_index WHERE rank = ?`, e.rank); err != nil {
			return err
		}
	}
	entries, err := r.entries(`SELECT 0, product, id, category, texts FROM temp.reindexed ORDER BY length, name, id`)
	if err != nil {
		return err
	}
	for len(entries) > 0 {
		before, after, err := r.neighbours(entries[0].ordering)
		if err != nil {
			return err
		}
		// All that go between the same two.
		n := 1
		for n < len(entries) && (after.rank == 0 || entries[n].compare(after.ordering) < 0) {
			n++
		}
		ranks, ok := between(before, after.rank, n, rankGap)
		if !ok {
			return errNoRoom
		}
		for i, e := range entries[:n] {
			r.in.insertAlone(`product_index (rank, product, category, texts)`, ranks[i], e.product, e.category, e.texts)
			r.in.insertAlone(intoGrams, ranks[i], grams(e.texts, e.category))
		}
		if r.in.err != nil {
			return r.in.err
		}
		entries = entries[n:]
	}
	return nil
}

// entry is a row of the index.
type entry struct {
	ordering
	rank, product   int64
	category, texts string
}

// entries reads rows; they are few.
func (r *reindexer) entries(query string) ([]entry, error) {
	rows, err := r.in.tx.QueryContext(r.in.ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.rank, &e.product, &e.id, &e.category, &e.texts); err != nil {
			return nil, err
		}
		e.ordering = orderingOf(e.texts, e.id)
		all = append(all, e)
	}
	return all, rows.Err()
}

func orderingOf(texts, id string) ordering {
	name, _, _ := strings.Cut(texts, "\n")
	return ordering{utf8.RuneCountInString(name), name, id}
}

// neighbours returns the rank before o's place, or 0, and the entry after it,
// or none.
func (r *reindexer) neighbours(o ordering) (before int64, after entry, err error) {
	var end int64
	if err := r.in.queryRow(`SELECT coalesce(max(rank), 0) FROM product_index`).Scan(&end); err != nil {
		return 0, entry{}, err
	}
	for begin := int64(1); begin <= end; {
		middle := begin + (end-begin)/2
		var e entry
		err := r.in.queryRow(`SELECT i.rank, p.id, i.texts FROM product_index i CROSS JOIN products p ON p.num = i.product
			WHERE i.rank BETWEEN ? AND ? ORDER BY i.rank LIMIT 1`, middle, end).Scan(&e.rank, &e.id, &e.texts)
		if errors.Is(err, sql.ErrNoRows) {
			end = middle - 1
			continue
		} else if err != nil {
			return 0, entry{}, err
		}
		if e.ordering = orderingOf(e.texts, e.id); o.compare(e.ordering) < 0 {
			after, end = e, middle-1
		} else {
			before, begin = e.rank, e.rank+1
		}
	}
	return before, after, nil
}
