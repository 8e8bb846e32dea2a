package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// maxCandidates is how many names are measured at most, of which each set of
// grams may bring as many, up to maxOfSet; maxNear is how many suggestions
// there are at most.
const (
	maxCandidates = 1200
	maxOfSet      = 200
	maxNear       = 200
)

// nearProducts returns up to n products whose names are a slip away from what
// s asks for, nearest first, after product last.
func (db *DB) nearProducts(ctx context.Context, s *search, last string, n int) ([]store.Product, error) {
	scores := map[int]int{} // by rank
	sets := fold.Slips(s.text)
	for _, grams := range sets {
		if err := db.measure(ctx, s, grams, min(maxOfSet, maxCandidates/len(sets)), scores); err != nil {
			return nil, err
		}
	}
	order := make([]int, 0, len(scores))
	for rank := range scores {
		order = append(order, rank)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(scores[a], scores[b]), cmp.Compare(a, b))
	})
	products, err := scanProducts(db.queryFew(ctx, `
		SELECT `+productColumns+` FROM json_each(?) e
		CROSS JOIN product_index i ON i.rank = e.value
		CROSS JOIN products p ON p.num = i.product
		ORDER BY e.key`, marshal(order[:min(len(order), maxNear)])))
	if err != nil {
		return nil, err
	}
	products, err = page.After(products, last, func(p store.Product) string { return p.ID })
	return products[:min(n, len(products))], err
}

// measure adds the scores of those among the first n names with grams that are
// near.
func (db *DB) measure(ctx context.Context, s *search, grams []string, n int, scores map[int]int) error {
	query, args := s.having(grams).sql(`i.rank, i.texts`, 0, n)
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var rank int
		var texts string
		if err := rows.Scan(&rank, &texts); err != nil {
			return err
		}
		if _, measured := scores[rank]; measured {
			continue
		}
		if score, ok := near(s.text, texts); ok {
			scores[rank] = score
		}
	}
	return rows.Err()
}

// near returns how near the nearest of the names in texts is to asked.
func near(asked, texts string) (score int, ok bool) {
	for name := range strings.SplitSeq(texts, "\n") {
		if s, fits := fold.Near(asked, name); fits && (!ok || s < score) {
			score, ok = s, true
		}
	}
	return score, ok
}
