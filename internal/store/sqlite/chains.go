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

// chain is a chain with what finds it.
type chain struct {
	store.Chain
	texts string
	score int
}

// allChains is what the cache knows all chains by.
type allChains struct{}

// Chains lists the chains whose names match.
func (db *DB) Chains(ctx context.Context, text string, m store.Match, n int) ([]store.Chain, error) {
	if err := ctx.Err(); err != nil {
		return nil, db.failed("find chains", err)
	}
	// They are few, so all are kept and compared here.
	all, err := remembered(db.recent, allChains{}, "", func() ([]chain, error) { return db.chains(ctx) })
	if err != nil {
		return nil, db.failed("find chains", err)
	}
	asked := fold.String(text)
	if text != "" && asked == "" {
		return nil, nil // what folds to nothing names nothing
	}
	var found []chain
	for _, c := range all {
		if c.matches(asked, m) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b chain) int { return cmp.Compare(a.score, b.score) })
	var chains []store.Chain
	for _, c := range found[:min(len(found), page.Limit(n))] {
		c.Aliases = slices.Clone(c.Aliases)
		chains = append(chains, c.Chain)
	}
	return chains, nil
}

// matches compares c with a folded text. It leaves in c how near it is.
func (c *chain) matches(asked string, m store.Match) (ok bool) {
	switch {
	case asked == "":
		return true
	case m == store.Near:
		c.score, ok = near(asked, c.texts)
		return ok
	case m == store.Exact:
		return slices.Contains(strings.Split(c.texts, "\n"), asked)
	}
	return strings.Contains(c.texts, asked)
}

// chains reads all chains, by name.
func (db *DB) chains(ctx context.Context) ([]chain, error) {
	rows, err := db.queryFew(ctx, `
		SELECT c.name, c.aliases, c.texts, (SELECT count(*) FROM shops WHERE chain = c.num)
		FROM chains c WHERE c.num > 0 ORDER BY c.sort_name, c.name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var chains []chain
	for rows.Next() {
		var c chain
		var aliases []byte
		if err := rows.Scan(&c.Name, &aliases, &c.texts, &c.Shops); err != nil {
			return nil, err
		}
		if err := parse(aliases, &c.Aliases); err != nil {
			return nil, err
		}
		chains = append(chains, c)
	}
	return chains, rows.Err()
}
