package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// Load replaces everything with c, or nothing if it fails. Demo says that c is
// the demo data. Questions that come meanwhile are answered from what was there
// before.
func (db *DB) Load(ctx context.Context, c store.Catalog, demo bool) error {
	// All of the pages that are written fit in memory for as long as it takes,
	// up to 128 MiB, rather than going to the disk and back.
	db.write.ExecContext(ctx, `PRAGMA cache_size = -131072`)
	defer db.write.ExecContext(context.WithoutCancel(ctx), `PRAGMA cache_size = -2000; PRAGMA shrink_memory`)
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return db.failed("load stock", err)
	}
	defer tx.Rollback()
	if err := load(ctx, tx, c, demo, db.now()); err != nil {
		return db.failed("load stock", err)
	}
	if err := tx.Commit(); err != nil {
		return db.failed("load stock", err)
	}
	db.recent.forget()
	// The log holds a copy of all that was written; a reader that still needs
	// it only puts this off until the next one.
	db.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return nil
}

func load(ctx context.Context, tx *sql.Tx, c store.Catalog, demo bool, now time.Time) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO product_grams (product_grams) VALUES ('delete-all');
		DELETE FROM product_index;
		DELETE FROM product_keys;
		DELETE FROM shop_keys;
		DELETE FROM levels;
		DELETE FROM products;
		DELETE FROM shops;
		DELETE FROM chains;
		DELETE FROM catalog`); err != nil {
		return err
	}
	// One by one, so that the work ends when ctx does, and no sooner.
	in := &inserter{tx: tx, stmts: map[string]*sql.Stmt{}, ctx: ctx}
	defer in.close()
	in.insert(`INSERT INTO catalog (one, demo, loaded_at) VALUES (1, ?, ?)`, demo, now.UnixMicro())
	shops := in.shops(c.Shops, in.chains(c))
	products := in.products(c.Products)
	for _, l := range c.Levels {
		asOf := l.AsOf
		if asOf.IsZero() {
			asOf = now
		}
		in.insert(`INSERT INTO levels (product, shop, on_hand, reserved, as_of) VALUES (?, ?, ?, ?, ?)`,
			products[l.ProductID], shops[l.ShopID], l.OnHand, l.Reserved, asOf.UnixMicro())
	}
	in.insert(`INSERT INTO product_grams (product_grams) VALUES ('optimize')`)
	return in.err
}

// inserter runs statements until one fails, and remembers that.
type inserter struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
	err   error
}

func (in *inserter) insert(query string, args ...any) {
	if in.err != nil {
		return
	}
	// Asked here, since a context that SQLite watches costs a goroutine a row.
	if in.err = in.ctx.Err(); in.err != nil {
		return
	}
	s := in.stmts[query]
	if s == nil {
		if s, in.err = in.tx.Prepare(query); in.err != nil {
			return
		}
		in.stmts[query] = s
	}
	_, in.err = s.Exec(args...)
}

func (in *inserter) close() {
	for _, s := range in.stmts {
		s.Close()
	}
}

// chains stores the chains, those that only shops name included, and returns
// their numbers by name.
func (in *inserter) chains(c store.Catalog) map[string]int {
	nums := map[string]int{}
	insert := func(ch store.Chain) {
		nums[ch.Name] = len(nums) + 1
		in.insert(`INSERT INTO chains (num, name, aliases, sort_name, texts) VALUES (?, ?, ?, ?, ?)`,
			nums[ch.Name], ch.Name, list(ch.Aliases), fold.String(ch.Name), lines(texts(ch.Name, ch.Aliases)))
	}
	for _, ch := range c.Chains {
		insert(ch)
	}
	for _, s := range c.Shops {
		if s.Chain != "" && nums[s.Chain] == 0 {
			insert(store.Chain{Name: s.Chain})
		}
	}
	return nums
}

// shops stores the shops and returns their numbers by ID.
func (in *inserter) shops(shops []store.Shop, chains map[string]int) map[string]int {
	nums := make(map[string]int, len(shops))
	for i, s := range shops {
		num := i + 1
		nums[s.ID] = num
		var chain, latitude, longitude any
		if s.Chain != "" {
			chain = chains[s.Chain]
		}
		if s.Location != nil {
			latitude, longitude = s.Location.Latitude, s.Location.Longitude
		}
		names := texts(s.Name, s.Aliases)
		in.insert(`
			INSERT INTO shops (num, id, name, chain, address, latitude, longitude, hours, aliases, sort_name, texts)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			num, s.ID, s.Name, chain, s.Address, latitude, longitude, s.Hours, list(s.Aliases), fold.String(s.Name), lines(names))
		for _, key := range keys(names, s.ID) {
			in.insert(`INSERT INTO shop_keys (key, shop) VALUES (?, ?)`, key, num)
		}
	}
	return nums
}

// products stores the products with what finds them, and returns their numbers
// by ID.
func (in *inserter) products(products []store.Product) map[string]int {
	nums := make(map[string]int, len(products))
	var named []key
	for i, ranked := range inDisplayOrder(products) {
		p, rank := ranked.Product, i+1
		num := rank
		nums[p.ID] = num
		in.insert(`
			INSERT INTO products (num, id, sku, name, names, aliases, category, unit, price, currency, barcodes, reorder_point)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			num, p.ID, p.SKU, p.Name, object(p.Names), list(p.Aliases), p.Category, p.Unit, p.Price, p.Currency,
			list(p.Barcodes), p.ReorderPoint)

		names := texts(p.Name, slices.AppendSeq(slices.Clone(p.Aliases), maps.Values(p.Names)))
		for _, k := range keys(names, append([]string{p.ID, p.SKU}, p.Barcodes...)...) {
			named = append(named, key{k, num})
		}
		category := fold.String(p.Category)
		in.insert(`INSERT INTO product_index (rank, product, category, texts) VALUES (?, ?, ?, ?)`,
			rank, num, category, lines(names))
		in.insert(`INSERT INTO product_grams (rowid, grams) VALUES (?, ?)`, rank, grams(names, category))
	}
	// In the order of the table, which makes it grow at its end.
	slices.SortFunc(named, func(a, b key) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.product, b.product))
	})
	for _, k := range named {
		in.insert(`INSERT INTO product_keys (key, product) VALUES (?, ?)`, k.key, k.product)
	}
	return nums
}

// key is what a product is called exactly.
type key struct {
	key     string
	product int
}

type ranked struct {
	store.Product
	folded string
	length int
}

// inDisplayOrder sorts products: shorter names first, then by name.
func inDisplayOrder(products []store.Product) []ranked {
	order := make([]ranked, len(products))
	for i, p := range products {
		f := fold.String(p.Name)
		order[i] = ranked{p, f, utf8.RuneCountInString(f)}
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.length, b.length), strings.Compare(a.folded, b.folded), strings.Compare(a.ID, b.ID))
	})
	return order
}

// texts returns the folded name, and the other names after it, each once.
func texts(name string, others []string) []string {
	all := []string{fold.String(name)}
	for _, other := range others {
		if f := fold.String(other); f != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	slices.Sort(all[1:])
	return all
}

// keys returns what a row is called exactly, each once: its names and ids.
func keys(names []string, ids ...string) []string {
	all := slices.Clone(names)
	for _, id := range ids {
		all = append(all, fold.String(id))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > 0 && all[0] == "" {
		all = all[1:]
	}
	return all
}

// grams returns what finds a product of these names and this category.
func grams(names []string, category string) string {
	var all []string
	for _, name := range names {
		all = append(all, fold.Grams(name)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if category != "" {
		all = append(all, "#"+category)
	}
	return strings.Join(all, " ")
}

// lines joins folded texts, none of which has a line break in it.
func lines(texts []string) string { return strings.Join(texts, "\n") }

// list and object write what one row owns as JSON.
func list(s []string) string {
	if len(s) == 0 {
		return "[]"
	}
	return marshal(s)
}

func object(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	return marshal(m)
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sqlite: marshal %T: %v", v, err)) // strings always can be
	}
	return string(b)
}
