package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

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
	tx, err := db.begin(ctx)
	if err != nil {
		return db.failed("load stock", err)
	}
	defer tx.Rollback()
	if err := load(ctx, tx, c, demo, db.now()); err != nil {
		return db.failed("load stock", err)
	}
	if err := db.keep(tx); err != nil {
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
	if err := removeAll(ctx, tx); err != nil {
		return err
	}
	restore, err := setAside(ctx, tx, `products`, `levels`)
	if err != nil {
		return err
	}
	var first int // of the numbers that were never given out
	if err := tx.QueryRowContext(ctx, `
		SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name IN ('chains', 'shops', 'products')`).Scan(&first); err != nil {
		return err
	}
	in := newInserter(ctx, tx)
	defer in.close()
	in.insert(`catalog (one, demo, loaded_at)`, 1, demo, now.UnixMicro())
	shops := in.shops(c.Shops, in.chains(c, first), first)
	products := in.products(c.Products, first)
	in.levels(c, shops, products, now)
	if err := in.flush(); err != nil {
		return err
	}
	for _, query := range append(restore,
		sumLevels,
		`INSERT INTO product_grams (product_grams) VALUES ('optimize')`) {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	in.lots(c.Levels, shops, products)
	if err := in.flush(); err != nil {
		return err
	}
	return openLedger(ctx, tx, now)
}

// execer is a transaction, or a connection that is in one.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// setAside takes the triggers and indexes of large tables away, and returns what
// puts them back: doing their work for all rows at the end takes a fraction of
// the time.
func setAside(ctx context.Context, tx execer, tables ...string) (restore []string, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT 'DROP ' || type || ' ' || name, sql FROM sqlite_schema
		WHERE tbl_name IN (SELECT value FROM json_each(?)) AND type IN ('index', 'trigger') AND sql IS NOT NULL`, list(tables))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var drops []string
	for rows.Next() {
		var drop, create string
		if err := rows.Scan(&drop, &create); err != nil {
			return nil, err
		}
		drops, restore = append(drops, drop), append(restore, create)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, strings.Join(drops, ";\n"))
	return restore, err
}

// chains stores the chains, those that only shops name included, and returns
// their numbers by name.
func (in *inserter) chains(c store.Catalog, first int) map[string]int {
	nums := map[string]int{}
	insert := func(ch store.Chain) {
		nums[ch.Name] = first + len(nums)
		in.insert(`chains (num, name, aliases, sort_name, texts)`,
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
	in.flush()
	return nums
}

// shopRow is where levels find their shop.
type shopRow struct{ num, chain, place int }

// shops stores the shops and returns their rows by ID.
func (in *inserter) shops(shops []store.Shop, chains map[string]int, first int) map[string]shopRow {
	stored := make(map[string]shopRow, len(shops))
	for i, named := range shopsByName(shops) {
		s, row := named.Shop, shopRow{first + i, chains[named.Chain], (i + 1) * placeGap}
		stored[s.ID] = row
		var latitude, longitude any
		if s.Location != nil {
			latitude, longitude = s.Location.Latitude, s.Location.Longitude
		}
		names := texts(s.Name, s.Aliases)
		in.insert(`shops (num, id, name, chain, place, address, latitude, longitude, hours, aliases, texts, address_text)`,
			row.num, s.ID, s.Name, row.chain, row.place, s.Address, latitude, longitude, s.Hours, list(s.Aliases), lines(names),
			fold.String(s.Address))
		for _, key := range keys(names, s.ID) {
			in.insert(`shop_keys (key, shop)`, key, row.num)
		}
	}
	in.flush()
	return stored
}

type named struct {
	store.Shop
	folded string
}

// shopsByName sorts shops by name.
func shopsByName(shops []store.Shop) []named {
	order := make([]named, len(shops))
	for i, s := range shops {
		order[i] = named{s, fold.String(s.Name)}
	}
	slices.SortFunc(order, func(a, b named) int {
		return cmp.Or(strings.Compare(a.folded, b.folded), strings.Compare(a.ID, b.ID))
	})
	return order
}

// levels stores the levels in the order of their table, which makes it grow at
// its end.
func (in *inserter) levels(c store.Catalog, shops map[string]shopRow, products map[string]int, now time.Time) {
	reorder := make(map[string]int64, len(c.Products))
	for _, p := range c.Products {
		reorder[p.ID] = p.ReorderPoint
	}
	type row struct{ product, shop, i int }
	order := make([]row, len(c.Levels))
	for i, l := range c.Levels {
		order[i] = row{products[l.ProductID], shops[l.ShopID].num, i}
	}
	slices.SortFunc(order, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.shop, b.shop))
	})
	for _, o := range order {
		l := c.Levels[o.i]
		if l.AsOf.IsZero() {
			l.AsOf = now
		}
		shop := shops[l.ShopID]
		in.insert(`levels (product, shop, chain, place, on_hand, reserved, as_of, reorder_point)`,
			o.product, shop.num, shop.chain, shop.place, l.OnHand, l.Reserved, l.AsOf.UnixMicro(), reorder[l.ProductID])
	}
}

// lots stores the lots of levels.
func (in *inserter) lots(levels []store.CatalogLevel, shops map[string]shopRow, products map[string]int) {
	for _, l := range levels {
		for _, lot := range l.Lots {
			in.insert(`lots (product, shop, expiry, on_hand)`, products[l.ProductID], shops[l.ShopID].num, lot.Expiry, lot.OnHand)
		}
	}
}

// products stores the products with what finds them, and returns their numbers
// by ID.
func (in *inserter) products(products []store.Product, first int) map[string]int {
	nums := make(map[string]int, len(products))
	order := inDisplayOrder(products)
	named := make([]key, 0, 4*len(products))
	for i, x := range order {
		p, num := x.Product, first+i
		nums[p.ID] = num
		in.insert(`products (num, id, sku, name, names, aliases, category, unit, price, currency, barcodes, reorder_point)`,
			num, p.ID, p.SKU, p.Name, object(p.Names), list(p.Aliases), p.Category, p.Unit, p.Price, p.Currency,
			list(p.Barcodes), p.ReorderPoint)
		for _, k := range x.keys(p) {
			named = append(named, key{k, num})
		}
		in.insert(`product_index (rank, product, category, texts)`, (i+1)*rankGap, num, x.category, x.texts)
	}
	// In the order of the table, which makes it grow at its end.
	slices.SortFunc(named, func(a, b key) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.product, b.product))
	})
	for _, k := range named {
		in.insert(`product_keys (key, product)`, k.key, k.product)
	}
	in.flush()
	for i, x := range order {
		in.insertAlone(intoGrams, (i+1)*rankGap, grams(x.texts, x.category))
	}
	return nums
}

// ordered is a product in display order.
type ordered struct {
	*store.Product
	indexed
}

func inDisplayOrder(products []store.Product) []ordered {
	order := make([]ordered, len(products))
	for i := range products {
		order[i] = ordered{&products[i], indexOf(&products[i])}
	}
	slices.SortFunc(order, func(a, b ordered) int { return a.compare(b.ordering) })
	return order
}

// key is what a product is called exactly.
type key struct {
	key     string
	product int
}

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
