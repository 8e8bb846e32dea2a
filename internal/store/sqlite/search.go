package sqlite

import (
	"context"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// search is a [store.ProductQuery] on its way to SQL.
type search struct {
	store.ProductQuery
	text, category string // folded
	today          store.Date
}

// newSearch folds what q asks for. It reports false where that leaves nothing
// to look for.
func newSearch(q store.ProductQuery, today store.Date) (*search, bool) {
	s := &search{ProductQuery: q, text: fold.String(q.Text), category: fold.String(q.Category), today: today}
	return s, (q.Text == "" || s.text != "") && (q.Category == "" || s.category != "")
}

// question is a search in SQL: where rows come from and what must hold.
type question struct {
	from     string
	fromArgs []any
	where    []string
	args     []any
	rank     string // the column that rows come ordered by
}

func (q *question) must(condition string, args ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
}

func (q *question) mustHaveBarcode(barcode string) {
	q.must(`EXISTS (SELECT 1 FROM json_each(p.barcodes) WHERE value IN (SELECT value FROM json_each(?)))`, list(code.Spellings(barcode)))
}

// sql asks for columns of up to n products ranked behind after.
func (q *question) sql(columns string, after, n int) (string, []any) {
	text := `SELECT ` + columns + ` FROM ` + q.from + ` CROSS JOIN products p ON p.num = i.product
		WHERE ` + strings.Join(append(q.where, q.rank+` > ?`), ` AND `) + `
		ORDER BY ` + q.rank + ` LIMIT ?`
	args := append(append(q.fromArgs, q.args...), after, n)
	return text, args
}

// Sources of products, each in the order that CROSS JOIN keeps SQLite to.
const (
	fromIndex = `product_index i`
	fromKeys  = `product_keys k CROSS JOIN product_index i ON i.product = k.product`
	// A product that both keys are of comes once.
	fromTwoKeys = `(SELECT DISTINCT product FROM product_keys WHERE key IN (?, ?)) k CROSS JOIN product_index i ON i.product = k.product`
	fromGrams   = `product_grams g CROSS JOIN product_index i ON i.rank = g.rowid`
)

// matching returns the question for what is called as s asks. Small is a shelf
// that holds little, if there is one.
func (s *search) matching(small *shelf) *question {
	q := &question{from: fromIndex, rank: "i.rank"}
	text, category := s.text != "", s.category != "" // still to be compared
	switch {
	case s.Barcode != "":
		q.from = fromKeys
		q.must(`k.key = ?`, fold.String(code.Key(s.Barcode)))
		q.mustHaveBarcode(s.Barcode)
	case text && s.Match == store.Exact:
		q.from = fromKeys
		if key := code.Key(s.text); key == s.text {
			q.must(`k.key = ?`, s.text)
		} else {
			q.from, q.fromArgs = fromTwoKeys, []any{s.text, key}
		}
		text = false
	case small != nil:
		q.from, q.fromArgs = `(SELECT DISTINCT l.product FROM `+s.levels(small)+`) l CROSS JOIN product_index i ON i.product = l.product`, small.args
	case text || category:
		openings := fold.Openings(s.text)
		q.grams(s.category, append(openings[max(0, len(openings)-1):], fold.Cover(s.text)...))
		category = false
	}
	if text && s.Match == store.Exact {
		q.must(`EXISTS (SELECT 1 FROM product_keys e WHERE e.key IN (?, ?) AND e.product = i.product)`, s.text, code.Key(s.text))
	} else if text && fold.StartsWord(s.text) {
		q.must(`instr(char(10) || i.texts, char(10) || ?)`, s.text) // each word begins a line
	} else if text {
		q.must(`instr(i.texts, ?)`, s.text)
	}
	if category {
		q.must(`i.category = ?`, s.category)
	}
	s.carried(q)
	return q
}

// having returns the question for products whose names have the given grams.
func (s *search) having(grams []string) *question {
	q := &question{}
	q.grams(s.category, grams[:min(len(grams), maxSlipGrams)])
	if s.Barcode != "" {
		q.mustHaveBarcode(s.Barcode)
	}
	s.carried(q)
	return q
}

// maxGrams bounds what the index is asked for at once: few names are so long
// that more would tell more. Of suggestions, which are measured anyway, and take
// many such questions, a few grams tell enough.
const (
	maxGrams     = 24
	maxSlipGrams = 8
)

// grams makes the index the source of rows.
func (q *question) grams(category string, grams []string) {
	grams = grams[:min(len(grams), maxGrams)]
	if category != "" {
		grams = append(grams[:len(grams):len(grams)], "#"+category)
	}
	q.from, q.rank = fromGrams, "g.rowid"
	q.must(`product_grams MATCH ?`, `"`+strings.Join(grams, `" "`)+`"`)
}

// shelf is what some shops carry: one shop, those of a chain, or all.
type shelf struct {
	shops string // SQL for their numbers
	level string // what holds for a level l that is theirs
	args  []any  // of each of these, and the day by which something in stock must not have expired
}

func (s *search) shelves() []shelf {
	const shop, chain = `(SELECT num FROM shops WHERE id = ?)`, `(SELECT num FROM chains WHERE name = ?)`
	var all []shelf
	if s.ShopID != "" {
		all = append(all, shelf{shop, `l.shop = ` + shop, []any{s.ShopID}})
	}
	if s.Chain != "" {
		all = append(all, shelf{`(SELECT num FROM shops WHERE chain = ` + chain + `)`, `l.chain = ` + chain, []any{s.Chain}})
	}
	if s.InStock && len(all) == 0 {
		all = append(all, shelf{shops: `(SELECT num FROM shops)`, level: `TRUE`})
	}
	if s.InStock {
		for i := range all {
			all[i].args = append(all[i].args, s.today)
		}
	}
	return all
}

// fresh is SQL for whether more of a level l is available than has expired.
var fresh = `l.available > ` + expiredOf(`l`, `?`)

// levels returns the source of all levels l that are on the shelf, and available
// if s asks for that, shop by shop.
func (s *search) levels(sh *shelf) string {
	from := `levels l INDEXED BY levels_by_shop WHERE l.shop IN ` + sh.shops
	if s.InStock {
		from += ` AND l.available > 0 AND ` + fresh
	}
	return from
}

// carried adds what must hold for the levels of a product. The indexes that are
// in the order of what is available find whether there is any at once.
func (s *search) carried(q *question) {
	for _, sh := range s.shelves() {
		condition := sh.level
		if s.InStock {
			condition += ` AND l.reserved - l.on_hand < 0 AND ` + fresh
		}
		q.must(`EXISTS (SELECT 1 FROM levels l WHERE l.product = i.product AND `+condition+`)`, sh.args...)
	}
}

// smallShelf returns a shelf of s that holds so little that looking through it
// is shorter than finding n products in display order and asking for each
// whether it is there; nil if there is none. With the m-th part of all products
// on the shelf the latter takes n*m steps, each a fifth as long.
func (db *DB) smallShelf(ctx context.Context, s *search, n int) (*shelf, error) {
	for _, sh := range s.shelves() {
		var small bool
		err := db.queryRow(ctx, `
			WITH most(n) AS (SELECT CAST(sqrt(? * coalesce(max(rank), 0) / 5) AS INTEGER) FROM product_index)
			SELECT (SELECT count(*) FROM (SELECT 1 FROM `+s.levels(&sh)+` LIMIT (SELECT n + 1 FROM most)))
				<= (SELECT n FROM most)`, append([]any{float64(n) / rankGap}, sh.args...)...).Scan(&small)
		if err != nil {
			return nil, err
		}
		if small {
			return &sh, nil
		}
	}
	return nil, nil
}
