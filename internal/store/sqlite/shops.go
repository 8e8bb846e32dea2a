package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// shopColumns are those that scanShop reads, of shopTables.
const (
	shopColumns = `s.id, s.name, c.name, s.address, s.latitude, s.longitude, s.hours, s.aliases`
	shopTables  = `shops s CROSS JOIN chains c ON c.num = s.chain`
)

// scanShop reads a shop, and what comes behind its columns into more.
func scanShop(scan func(...any) error, more ...any) (store.Shop, error) {
	var s store.Shop
	var latitude, longitude sql.NullFloat64
	var aliases []byte
	dest := append([]any{&s.ID, &s.Name, &s.Chain, &s.Address, &latitude, &longitude, &s.Hours, &aliases}, more...)
	if err := scan(dest...); err != nil {
		return store.Shop{}, err
	}
	if latitude.Valid && longitude.Valid {
		s.Location = &store.Location{Latitude: latitude.Float64, Longitude: longitude.Float64}
	}
	return s, parse(aliases, &s.Aliases)
}

// Shop returns the shop with the given ID, or [store.ErrNotFound].
func (db *DB) Shop(ctx context.Context, id string) (store.Shop, error) {
	s, err := scanShop(db.queryRow(ctx, `SELECT `+shopColumns+` FROM `+shopTables+` WHERE s.id = ?`, id).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Shop{}, fmt.Errorf("shop %q: %w", id, store.ErrNotFound)
	case err != nil:
		return store.Shop{}, db.failed(fmt.Sprintf("look up shop %q", id), err)
	}
	return s, nil
}

// shopByNum returns the shop with the given number, or [sql.ErrNoRows].
func (db *DB) shopByNum(ctx context.Context, num int64) (store.Shop, error) {
	type key struct{ num int64 }
	s, err := remembered(db.recent, key{num}, "", func() (store.Shop, error) {
		return scanShop(db.queryRow(ctx, `SELECT `+shopColumns+` FROM `+shopTables+` WHERE s.num = ?`, num).Scan)
	})
	return s.Clone(), err
}

// shopPage is the answer to a [store.ShopQuery].
type shopPage struct {
	shops []store.Shop
	next  string
}

// Shops lists the shops that q asks for.
func (db *DB) Shops(ctx context.Context, q store.ShopQuery) ([]store.Shop, string, error) {
	ask := func() (shopPage, error) { return db.shops(ctx, q) }
	if q.Match != store.Exact || q.Near != nil {
		got, err := ask()
		if err != nil {
			return nil, "", db.failed("find shops", err)
		}
		return got.shops, got.next, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, "", db.failed("find shops", err)
	}
	got, err := remembered(db.recent, q, q.Text+q.Chain+q.Cursor, ask)
	if err != nil {
		return nil, "", db.failed("find shops", err)
	}
	return cloneShops(got.shops), got.next, nil
}

func (db *DB) shops(ctx context.Context, q store.ShopQuery) (shopPage, error) {
	list := struct {
		store.ShopQuery
		near store.Location
	}{ShopQuery: q}
	if q.Near != nil {
		list.near = *q.Near
	}
	list.Page, list.Near = store.Page{}, nil
	last, err := page.Last(list, q.Cursor)
	if err != nil {
		return shopPage{}, err
	}
	text := fold.String(q.Text)
	if q.Text != "" && text == "" || q.Address != "" && fold.String(q.Address) == "" {
		return shopPage{}, nil // what folds to nothing names nothing
	}
	n := page.Limit(q.Limit)
	var shops []store.Shop
	if q.Near != nil || q.Match == store.Near && text != "" {
		shops, err = db.nearShops(ctx, q, text, last, n+1)
	} else {
		shops, err = db.matchingShops(ctx, q, text, last, n+1)
	}
	if err != nil {
		return shopPage{}, err
	}
	shops, next := page.Cut(shops, n, list, func(s store.Shop) string { return s.ID })
	return shopPage{shops, next}, nil
}

// shopConditions returns what must hold for the shops that q asks for, except
// what only near can tell.
func shopConditions(q store.ShopQuery, text string) (where string, args []any) {
	where = `TRUE`
	if q.ID != "" {
		where, args = where+` AND s.id = ?`, append(args, q.ID)
	}
	if q.Chain != "" {
		where, args = where+` AND s.chain = (SELECT num FROM chains WHERE name = ?)`, append(args, q.Chain)
	}
	if q.Address != "" {
		where, args = where+` AND instr(s.address_text, ?)`, append(args, fold.String(q.Address))
	}
	switch {
	case text == "" || q.Match == store.Near:
	case q.Match == store.Exact:
		where, args = where+` AND s.num IN (SELECT shop FROM shop_keys WHERE key = ?)`, append(args, text)
	default:
		where, args = where+` AND instr(s.texts, ?)`, append(args, text)
	}
	return where, args
}

// matchingShops returns up to n shops by name, after shop last.
func (db *DB) matchingShops(ctx context.Context, q store.ShopQuery, text, last string, n int) ([]store.Shop, error) {
	where, args := shopConditions(q, text)
	if last != "" {
		var place int
		err := db.queryRow(ctx, `SELECT place FROM shops WHERE id = ?`, last).Scan(&place)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, store.ErrBadCursor
		} else if err != nil {
			return nil, err
		}
		where, args = where+` AND s.place > ?`, append(args, place)
	}
	query, args := `SELECT `+shopColumns+` FROM `+shopTables+` WHERE `+where+` ORDER BY s.place LIMIT ?`, append(args, n)
	if q.Match == store.Exact {
		return scanShops(db.queryFew(ctx, query, args...))
	}
	return scanShops(db.query(ctx, query, args...))
}

func scanShops(rows rowSet, err error) ([]store.Shop, error) {
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (store.Shop, error) { return scanShop(scan) })
}

// nearShops returns up to n shops in the order of their distance from a place,
// or from a name, after shop last. A chain has thousands of shops at most, so
// all are measured.
func (db *DB) nearShops(ctx context.Context, q store.ShopQuery, text, last string, n int) ([]store.Shop, error) {
	where, args := shopConditions(q, text)
	texts := `''`
	if text != "" && q.Match == store.Near {
		texts = `s.texts`
	}
	rows, err := db.query(ctx, `SELECT s.id, s.place, `+texts+`, s.latitude, s.longitude
		FROM `+shopTables+` WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type measured struct {
		id       string
		place    int
		distance float64
	}
	var shops []measured
	for rows.Next() {
		var m measured
		var texts string
		var latitude, longitude sql.NullFloat64
		if err := rows.Scan(&m.id, &m.place, &texts, &latitude, &longitude); err != nil {
			return nil, err
		}
		if text != "" && q.Match == store.Near {
			score, ok := near(text, texts)
			if !ok {
				continue
			}
			m.distance = float64(score)
		}
		if q.Near != nil {
			m.distance = math.Inf(1)
			if latitude.Valid && longitude.Valid {
				m.distance = q.Near.Distance(store.Location{Latitude: latitude.Float64, Longitude: longitude.Float64})
			}
		}
		shops = append(shops, m)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(shops, func(a, b measured) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.place, b.place))
	})
	shops, err = page.After(shops, last, func(m measured) string { return m.id })
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, m := range shops[:min(n, len(shops))] {
		ids = append(ids, m.id)
	}
	rows.Close()
	return scanShops(db.queryFew(ctx, `SELECT `+shopColumns+` FROM json_each(?) e CROSS JOIN `+shopTables+`
		WHERE s.id = e.value ORDER BY e.key`, list(ids)))
}

// cloneShops copies what the cache keeps, for a caller to change.
func cloneShops(from []store.Shop) []store.Shop {
	shops := slices.Clone(from)
	for i, s := range shops {
		shops[i] = s.Clone()
	}
	return shops
}
