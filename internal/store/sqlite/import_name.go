package sqlite

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
)

// byName finds what the group's name is of, where identifiers did not.
func (l *linker) byName(g *group) error {
	var plain uint32  // the root of those that have nothing but this name
	var own []uint32  // the roots of those that have identifiers of their own
	var found []int64 // the products of those that were found by them
	var others []call // those that the group's name is not the name of
	for _, c := range g.said {
		root := l.find(c.said)
		switch {
		case c.kind != byName:
			others = append(others, c)
		case l.product[root] != 0:
			found = append(found, l.product[root])
		case l.kinds[root]&identifiers != 0:
			own = append(own, root)
		case plain == 0:
			plain = root
		default:
			l.unite(plain, root)
			plain = l.find(root)
		}
	}
	own = distinct(own)
	if err := l.ownByName(g, own, found); err != nil || plain == 0 {
		return err
	}

	for _, k := range g.there {
		if k.name {
			found = append(found, k.num)
		}
	}
	fits := l.rest(own, &found)
	nick := false
	if len(fits)+len(found) == 0 {
		for _, c := range others {
			if root := l.find(c.said); c.kind == byOther && root != plain {
				fits = append(fits, root)
			}
		}
		for _, k := range g.there {
			if calls, err := l.calls(g, k); err != nil {
				return err
			} else if calls {
				found = append(found, k.num)
			}
		}
		fits = l.rest(fits, &found)
		nick = true
	}
	first := g.said[slices.IndexFunc(g.said, func(c call) bool { return c.kind == byName && l.find(c.said) == plain })]
	switch {
	case len(fits)+len(found) == 0:
		return nil
	case len(fits)+len(found) > 1:
		return l.ambiguous(first, found, fits)
	}
	if nick {
		l.nickname(g, plain)
	}
	if len(found) == 1 {
		l.bind(plain, found[0])
	} else {
		l.unite(plain, fits[0])
	}
	return nil
}

// calls reports whether the group's key is an alias of k, or its name in another
// language, and not only something else that it is found by.
func (l *linker) calls(g *group, k known) (bool, error) {
	p, err := scanProduct(l.in.queryRow(`SELECT `+productColumns+` FROM products p WHERE p.num = ?`, k.num).Scan)
	return slices.Contains(indexOf(&p).names, g.key), err
}

// rest returns those of roots that are of no product that is there, and adds
// the products of the others to found. Each is there once.
func (l *linker) rest(roots []uint32, found *[]int64) (rest []uint32) {
	for _, root := range roots {
		root = l.find(root)
		if l.product[root] != 0 {
			*found = append(*found, l.product[root])
		} else {
			rest = append(rest, root)
		}
	}
	*found = distinct(*found)
	return distinct(rest)
}

// ownByName finds what the group's name is of for those that have identifiers
// of their own: what has none of the same kind.
func (l *linker) ownByName(g *group, own []uint32, found []int64) error {
	var roots [identifiers + 1][]uint32
	for _, root := range own {
		kinds := l.kinds[root] & identifiers
		roots[kinds] = append(roots[kinds], root)
	}
	fitting := func(root uint32) (fits []uint32) {
		for kinds, all := range roots {
			if uint8(kinds)&l.kinds[root] == 0 {
				fits = append(fits, all[:min(len(all), 3)]...) // which are enough to be too many
			}
		}
		return fits
	}
	type pair struct{ a, b uint32 }
	var pairs []pair
	for _, root := range own {
		fits := fitting(root)
		var named, called []int64
		for _, k := range g.there {
			if k.kinds()&l.kinds[root] != 0 {
				continue
			}
			if k.name {
				named = append(named, k.num)
			} else if calls, err := l.calls(g, k); err != nil {
				return err
			} else if calls {
				called = append(called, k.num)
			}
		}
		var err error
		switch {
		case len(named)+len(fits) > 1:
			err = l.ambiguous(call{byName, "", root}, named, fits)
		case len(named) == 1:
			l.bind(root, named[0])
		case len(fits) == 1 && len(fitting(fits[0])) == 1:
			pairs = append(pairs, pair{root, fits[0]})
		case len(fits) == 0 && len(called) == 1 && !slices.ContainsFunc(g.there, func(k known) bool { return k.name }):
			l.nickname(g, root)
			l.bind(root, called[0])
		case len(fits) == 0:
			err = l.strange(g, root, found)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range pairs {
		l.unite(p.a, p.b)
	}
	return nil
}

// strange refuses an ID that is not known where there is a product of the same
// name that the sheet does not speak of: it is more likely to be the same one
// than another.
func (l *linker) strange(g *group, root uint32, found []int64) error {
	if l.kinds[root]&byID == 0 || l.removesOthers() {
		return nil
	}
	for _, k := range g.there {
		if !k.name || slices.Contains(found, k.num) {
			continue
		}
		at, said, err := l.saying(root)
		if err != nil {
			return err
		}
		l.bad(at, store.ColumnProductID, said.ID, fmt.Sprintf(
			"there is a product called %q already, with the ID %q; write that, or give this one another name", said.Name, k.id))
		return nil
	}
	return nil
}

// nickname notes that what is said in a set calls its product by another name
// than its own.
func (l *linker) nickname(g *group, root uint32) {
	for _, c := range g.said {
		if c.kind == byName && l.find(c.said) == root {
			l.nick[c.said] = true
		}
	}
}

func distinct[T cmp.Ordered](s []T) []T {
	slices.Sort(s)
	return slices.Compact(s)
}
