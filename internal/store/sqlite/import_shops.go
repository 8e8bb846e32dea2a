package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// shopState is a shop while an import looks at it. Shops are few: all are in
// memory.
type shopState struct {
	store.Shop
	num, chain, place int64
	folded            string // name
	was               *store.Shop
	said              *unitedShop
}

// unitedShop is all that is said of a shop.
type unitedShop struct {
	saidShop
	from map[string]int64 // where what stands in a column is said, if not at
	byID bool
}

// shopFinder finds the shops that rows are of.
type shopFinder struct {
	*importer
	all    []*shopState
	ids    map[string]bool // that rows name
	byID   map[string]*shopState
	byName map[string][]*shopState // folded; for what folds to nothing, as it is
	byNick map[string][]*shopState // by aliases
	made   []*shopState
}

// applyShops makes the shops that are new, and changes those of which something
// else is said than before.
func (im *importer) applyShops() error {
	f := &shopFinder{importer: im, ids: map[string]bool{}, byID: map[string]*shopState{},
		byName: map[string][]*shopState{}, byNick: map[string][]*shopState{}}
	if err := f.read(); err != nil {
		return err
	}
	im.shopNums = make([]int64, len(im.shops)+1)
	found := make([]*shopState, len(im.shops))
	for _, s := range im.shops {
		f.ids[s.ID] = true
	}
	for i := range im.shops { // those with an ID first: a name may be theirs
		if s := &im.shops[i]; s.ID != "" {
			found[i] = f.withID(s)
		}
	}
	for i := range im.shops {
		if s := &im.shops[i]; s.ID == "" {
			found[i] = f.withName(s)
		}
	}
	if err := f.write(); err != nil {
		return err
	}
	for i, s := range found {
		im.shopNums[i+1] = -int64(i + 1) // a problem
		if s != nil {
			im.shopNums[i+1] = s.num
		}
	}
	im.shopStates = f.all
	return nil
}

// read reads the shops that are there.
func (f *shopFinder) read() error {
	return f.each(`SELECT `+shopColumns+`, s.num, s.chain, s.place FROM `+shopTables, nil, func(scan func(...any) error) error {
		s := &shopState{}
		var err error
		if s.Shop, err = scanShop(scan, &s.num, &s.chain, &s.place); err != nil {
			return err
		}
		s.was = new(s.Shop.Clone())
		f.know(s)
		return nil
	})
}

// know makes a shop findable.
func (f *shopFinder) know(s *shopState) {
	s.folded = fold.String(s.Name)
	f.all = append(f.all, s)
	if s.ID != "" {
		f.byID[s.ID] = s
	}
	key := nameKey(s.Name)
	f.byName[key] = append(f.byName[key], s)
	for _, alias := range s.Aliases {
		if key := fold.String(alias); key != "" && !slices.Contains(f.byNick[key], s) {
			f.byNick[key] = append(f.byNick[key], s)
		}
	}
}

// nameKey is what names are compared by: as they are, where they fold to nothing.
func nameKey(name string) string {
	if key := fold.String(name); key != "" {
		return key
	}
	return name
}

// withID finds or makes the shop of an ID.
func (f *shopFinder) withID(said *saidShop) *shopState {
	s := f.byID[said.ID]
	if s == nil {
		for _, other := range f.byName[nameKey(said.Name)] {
			if other.was != nil && !f.removesOthers() && !f.ids[other.ID] {
				f.bad(said.at, store.ColumnStoreID, said.ID, fmt.Sprintf(
					"there is a store called %q already, with the ID %q; write that, or give this one another name", other.Name, other.ID))
				return nil
			}
		}
		s = f.make(said)
	}
	f.say(s, said, true)
	return s
}

// make makes a shop, of which nothing is written yet.
func (f *shopFinder) make(said *saidShop) *shopState {
	s := &shopState{Shop: store.Shop{ID: said.ID, Name: said.Name, Aliases: said.Aliases}}
	f.made = append(f.made, s)
	f.know(s)
	return s
}

// withName finds or makes the shop of a name.
func (f *shopFinder) withName(said *saidShop) *shopState {
	key := nameKey(said.Name)
	fits := f.byName[key]
	if len(fits) == 0 {
		fits = f.byNick[key]
	}
	if len(fits) > 1 {
		var ids []string
		for _, s := range fits[:min(len(fits), 5)] {
			ids = append(ids, fmt.Sprintf("store %q", cmp.Or(s.ID, s.Name)))
		}
		f.bad(said.at, store.ColumnStore, said.Name, fmt.Sprintf("several stores are called so: %s; tell them apart by a column %q",
			strings.Join(ids, ", "), store.ColumnStoreID))
		return nil
	}
	if len(fits) == 0 {
		s := f.make(said)
		f.say(s, said, false)
		return s
	}
	f.say(fits[0], said, false)
	return fits[0]
}

// say adds what is said of a shop.
func (f *shopFinder) say(s *shopState, said *saidShop, byID bool) {
	if s.said == nil {
		s.said = &unitedShop{saidShop: *said, byID: byID}
		return
	}
	t := s.said
	u := uniter{f.importer, said.at, t.at, &t.from, "the same store"}
	if byID { // who is found by name is not named by it
		u.name(store.ColumnStore, &t.Name, said.Name)
	}
	u.text(store.ColumnChain, &t.Chain, said.Chain)
	u.text(store.ColumnAddress, &t.Address, said.Address)
	u.text(store.ColumnHours, &t.Hours, said.Hours)
	u.list(store.ColumnStoreAliases, &t.Aliases, said.Aliases)
	u.list(store.ColumnChainAliases, &t.chainAliases, said.chainAliases)
	if l := said.Location; l != nil {
		have, more := "", fmt.Sprint(l.Latitude, ", ", l.Longitude)
		if t.Location != nil {
			have = fmt.Sprint(t.Location.Latitude, ", ", t.Location.Longitude)
		}
		u.text(store.ColumnLatitude, &have, more)
		if have == more {
			t.Location = l
		}
	}
}
