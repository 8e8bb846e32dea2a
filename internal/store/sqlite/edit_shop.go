package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// EditShop changes what e sets and returns the shop as it is then.
func (db *DB) EditShop(ctx context.Context, id string, e store.ShopEdit) (store.Shop, error) {
	var after store.Shop
	err := db.edit(ctx, func(in *inserter) error {
		var num, chain, place int64
		before, err := scanShop(in.queryRow(`SELECT `+shopColumns+`, s.num, s.chain, s.place FROM `+shopTables+` WHERE s.id = ?`, id).Scan,
			&num, &chain, &place)
		if err != nil {
			return err
		}
		after = before.Clone()
		for _, f := range []struct{ to, set *string }{
			{&after.Name, e.Name}, {&after.Chain, e.Chain}, {&after.Address, e.Address}, {&after.Hours, e.Hours},
		} {
			if f.set != nil {
				*f.to = store.CleanText(*f.set)
			}
		}
		if e.Aliases != nil {
			after.Aliases = shownOnce(*e.Aliases)
		}
		if equalShops(before, after) {
			return nil
		}
		if err := after.Validate(); err != nil {
			return invalid("%v", err)
		}
		left := chain
		if after.Chain != before.Chain {
			if chain, err = chainNamed(in, &after.Chain); err != nil {
				return err
			}
		}
		if place, err = placeNamed(in, num, place, &before, &after); err != nil {
			return err
		}
		if err := writeShop(in, num, chain, place, &before, &after); err != nil {
			return err
		}
		// A chain that nothing is left of was a slip.
		if err := in.exec(`DELETE FROM chains WHERE num = ? AND num > 0 AND aliases = '[]'
			AND NOT EXISTS (SELECT 1 FROM shops WHERE chain = chains.num)`, left); err != nil {
			return err
		}
		return in.exec(`INSERT INTO changes (product, shop) VALUES (0, ?)`, num)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Shop{}, fmt.Errorf("shop %q: %w", id, store.ErrNotFound)
	case err != nil:
		return store.Shop{}, db.failed(fmt.Sprintf("edit shop %q", id), err)
	}
	return after, nil
}

// chainNamed returns the number of the chain of this name, which is made if it
// is not there, and leaves in name how it is written.
func chainNamed(in *inserter, name *string) (num int64, err error) {
	err = in.queryRow(`SELECT num, name FROM chains WHERE name = ?1 OR sort_name = ?2 AND ?2 <> ''
		ORDER BY name <> ?1 LIMIT 1`, *name, fold.String(*name)).Scan(&num, name)
	if errors.Is(err, sql.ErrNoRows) {
		return makeChain(in.statements, *name)
	}
	return num, err
}

// placeNamed returns where a shop belongs that may have a new name, which no
// other shop may have.
func placeNamed(in *inserter, num, place int64, was, is *store.Shop) (int64, error) {
	key := nameKey(is.Name)
	if key == nameKey(was.Name) {
		return place, nil
	}
	var all []*placedShop
	var this *placedShop
	err := in.each(`SELECT num, place, name, id FROM shops`, nil, func(scan func(...any) error) error {
		s := &placedShop{}
		if err := scan(&s.num, &s.place, &s.name, &s.id); err != nil {
			return err
		}
		if s.num == num {
			this, s.name = s, is.Name
		} else if nameKey(s.name) == key {
			return invalid("name %q is that of store %q already; give another one", is.Name, s.id)
		}
		s.name = fold.String(s.name)
		all = append(all, s)
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = placeShops(in, all, []int64{num})
	return this.place, err
}
