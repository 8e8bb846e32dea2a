package sqlite

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// write makes and changes the shops that something is said of.
func (f *shopFinder) write() error {
	chains, err := f.writeChains()
	if err != nil {
		return err
	}
	var next int64
	if err := f.row(`SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'shops'`).Scan(&next); err != nil {
		return err
	}
	var moved []*shopState // to another place by name
	for _, s := range f.all {
		if s.said == nil {
			continue
		}
		if s.was == nil && s.said.Name == "" {
			if !f.misread {
				f.bad(s.said.at, store.ColumnStoreID, s.ID, fmt.Sprintf("store id %s is not known; add a store name", s.ID))
			}
			continue
		}
		s.over(s.said)
		s.chain = chains[s.Chain]
		if s.was == nil {
			if err := f.number(s, &next); err != nil {
				return err
			}
			f.report.NewShops.Add(s.Shop, f.o.MaxExamples)
			moved = append(moved, s)
			continue
		}
		if equalShops(*s.was, s.Shop) {
			continue
		}
		f.checkRename(s)
		f.report.ChangedShops.Add(s.Shop, f.o.MaxExamples)
		if fold.String(s.Name) != fold.String(s.was.Name) {
			moved = append(moved, s)
		} else if err := f.update(s); err != nil {
			return err
		}
	}
	if f.problems.count > 0 {
		return nil
	}
	return f.settle(moved)
}

// settle writes shops that are new, or have a new name, where they belong.
func (f *shopFinder) settle(moved []*shopState) error {
	places := make([]*placedShop, len(f.all))
	for i, s := range f.all {
		places[i] = &placedShop{s.num, s.place, fold.String(s.Name), s.ID}
	}
	var nums []int64
	for _, s := range moved {
		nums = append(nums, s.num)
	}
	if err := placeShops(f.in, places, nums); err != nil {
		return err
	}
	for i, s := range f.all {
		s.place = places[i].place
	}
	for _, s := range moved {
		if err := f.update(s); err != nil {
			return err
		}
	}
	return nil
}

// update writes a shop.
func (f *shopFinder) update(s *shopState) error {
	if f.problems.count > 0 {
		return nil
	}
	return writeShop(f.in, s.num, s.chain, s.place, s.was, &s.Shop)
}

// over brings a shop to what is said of it.
func (s *shopState) over(said *unitedShop) {
	if s.was == nil {
		s.Name = said.Name
	} else if said.byID && said.Name != "" {
		key := nameKey(said.Name)
		if key == nameKey(s.Name) || !slices.ContainsFunc(s.Aliases, func(a string) bool { return fold.String(a) == key }) {
			s.Name = said.Name
		}
	}
	for _, f := range []struct {
		to   *string
		said string
	}{
		{&s.Chain, said.Chain}, {&s.Address, said.Address}, {&s.Hours, said.Hours},
	} {
		if f.said != "" {
			*f.to = f.said
		}
	}
	if said.Location != nil {
		s.Location = said.Location
	}
	if len(said.Aliases) > 0 && !sameList(s.Aliases, said.Aliases) {
		s.Aliases = said.Aliases
	}
}

func equalShops(a, b store.Shop) bool {
	return a.Name == b.Name && a.Chain == b.Chain && a.Address == b.Address && a.Hours == b.Hours &&
		slices.Equal(a.Aliases, b.Aliases) &&
		(a.Location == nil) == (b.Location == nil) && (a.Location == nil || *a.Location == *b.Location)
}

// checkRename refuses to give a shop the name of another one.
func (f *shopFinder) checkRename(s *shopState) {
	key := nameKey(s.Name)
	if key == nameKey(s.was.Name) {
		return
	}
	for _, other := range f.byName[key] {
		if other != s && (other.said != nil || !f.removesOthers()) {
			f.bad(s.said.at, store.ColumnStore, s.Name, fmt.Sprintf(
				"this would rename store %q, but store %q is called so; mend the name or the store id", s.ID, cmp.Or(other.ID, other.Name)))
			return
		}
	}
}

// number gives a new shop an ID, if it has none, and its number: the one that it
// had before if it was there under the same ID once.
func (f *shopFinder) number(s *shopState, next *int64) error {
	base := cmp.Or(s.ID, s.Name)
	id := base
	for n := 2; ; n++ {
		var retired int64
		err := f.in.queryRow(`SELECT coalesce(max(num), 0) FROM retired WHERE kind = 'shop' AND id = ?`, id).Scan(&retired)
		if err != nil {
			return err
		}
		taken := f.byID[id] != nil && f.byID[id] != s
		switch {
		case !taken && retired != 0 && id == base:
			s.ID, s.num, f.byID[id] = id, retired, s
			return f.in.exec(`DELETE FROM retired WHERE kind = 'shop' AND num = ?`, retired)
		case !taken && retired == 0:
			s.ID, s.num, f.byID[id] = id, *next, s
			*next++
			return nil
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

// writeShop makes or changes a shop, with what finds it.
func writeShop(in *inserter, num, chain, place int64, was, is *store.Shop) error {
	var latitude, longitude sql.NullFloat64
	if l := is.Location; l != nil {
		latitude, longitude = sql.NullFloat64{Float64: l.Latitude, Valid: true}, sql.NullFloat64{Float64: l.Longitude, Valid: true}
	}
	names := texts(is.Name, is.Aliases)
	if err := in.exec(`INSERT INTO shops (num, id, name, chain, place, address, latitude, longitude, hours, aliases, texts, address_text)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (num) DO UPDATE SET name = excluded.name, chain = excluded.chain, place = excluded.place,
			address = excluded.address, latitude = excluded.latitude, longitude = excluded.longitude, hours = excluded.hours,
			aliases = excluded.aliases, texts = excluded.texts, address_text = excluded.address_text`,
		num, is.ID, is.Name, chain, place, is.Address, latitude, longitude, is.Hours, list(is.Aliases), lines(names),
		fold.String(is.Address)); err != nil {
		return err
	}
	var before []string
	if was != nil {
		before = keys(texts(was.Name, was.Aliases), was.ID)
	}
	return writeKeys(in, `shop_keys`, `shop`, num, before, keys(names, is.ID))
}
