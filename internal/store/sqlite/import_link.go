package sqlite

import (
	"slices"

	"github.com/mcpstore/mcpstore/internal/store/code"
)

// linker finds out which of what is said is of one product, and of which.
// Numbers of what is said begin at 1.
type linker struct {
	*importer
	parent  []uint32 // of a set of what is said; its root is the first of it
	kinds   []uint8  // of a root: what its set is called by; of others: nothing
	nick    []bool   // whether it calls its product by another name than its own
	product []int64  // of a root: the number of a product that is there, or 0
}

// link sets importer.productNums: above 0 for a product that is there, else the
// root of what is said of a new one, negative.
//
// Who shares a barcode, an ID or a SKU is one. A name joins only what no two
// identifiers of the same kind tell apart.
func (im *importer) link() error {
	l := &linker{
		importer: im,
		parent:   make([]uint32, im.said+1),
		kinds:    im.kinds,
		nick:     make([]bool, im.said+1),
		product:  make([]int64, im.said+1),
	}
	for i := range l.parent {
		l.parent[i] = uint32(i)
	}
	if err := l.prepare(); err != nil {
		return err
	}
	if err := l.groups(l.byIdentifier); err != nil {
		return err
	}
	if err := l.groups(l.byName); err != nil {
		return err
	}
	im.productNums = make([]int64, im.said+1)
	for said := 1; said <= im.said; said++ {
		root := l.find(uint32(said))
		if im.productNums[said] = l.product[root]; im.productNums[said] == 0 {
			im.productNums[said] = -int64(root)
		}
	}
	im.nick = l.nick
	return nil
}

// prepare sorts what products are called by, and finds what calls more than one.
func (l *linker) prepare() error {
	return l.exec(`
		CREATE TEMP TABLE names (
			key TEXT NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, said INTEGER NOT NULL,
			PRIMARY KEY (key, kind, value, said)
		) STRICT, WITHOUT ROWID;
		INSERT OR IGNORE INTO temp.names SELECT key, kind, value, said FROM temp.said_names ORDER BY key, kind, value, said;
		DROP TABLE temp.said_names;
		CREATE TEMP TABLE shared (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
		INSERT INTO temp.shared SELECT key FROM temp.names n WHERE key <> '' GROUP BY key
			HAVING count(*) > 1 OR EXISTS (SELECT 1 FROM product_keys k WHERE k.key = n.key)
			ORDER BY key`)
}

// group is all that has one key.
type group struct {
	key   string
	said  []call
	there []known
}

// call is that something said has the key.
type call struct {
	kind  uint8
	value string
	said  uint32
}

// known is a product that is there and has the key.
type known struct {
	num      int64
	id, sku  string
	barcodes []string
	name     bool // the key is its name
}

// is reports whether c is an identifier of k.
func (k known) is(c call) bool {
	switch c.kind {
	case byBarcode:
		return slices.ContainsFunc(k.barcodes, func(b string) bool { return code.Key(b) == c.value })
	case byID:
		return k.id == c.value
	case bySKU:
		return k.sku == c.value
	}
	return false
}

// kinds returns which identifiers k has.
func (k known) kinds() uint8 {
	kinds := uint8(byID)
	if k.sku != "" {
		kinds |= bySKU
	}
	if len(k.barcodes) > 0 {
		kinds |= byBarcode
	}
	return kinds
}

const (
	// There is one group for each key, and for what folds to nothing for each
	// text.
	saidGroups = `
		SELECT n.key, n.kind, n.value, n.said FROM temp.shared s CROSS JOIN temp.names n ON n.key = s.key
		ORDER BY s.key`
	saidUnkeyed  = `SELECT value, kind, value, said FROM temp.names WHERE key = '' ORDER BY value, kind, said`
	knownColumns = `p.num, p.id, p.sku, p.barcodes, substr(i.texts, 1, length(s.key) + 1) IN (s.key, s.key || char(10))`
	knownGroups  = `
		SELECT s.key, ` + knownColumns + `
		FROM temp.shared s CROSS JOIN product_keys k ON k.key = s.key
		CROSS JOIN products p ON p.num = k.product
		CROSS JOIN product_index i ON i.product = p.num
		ORDER BY s.key`
	knownUnkeyed = `
		SELECT n.value, p.num, p.id, p.sku, p.barcodes, 1 FROM temp.names n CROSS JOIN products p ON p.name = n.value WHERE n.key = '' AND n.kind = 8
		UNION
		SELECT n.value, p.num, p.id, p.sku, p.barcodes, 0 FROM temp.names n CROSS JOIN products p ON p.id = n.value WHERE n.key = '' AND n.kind = 2
		UNION
		SELECT n.value, p.num, p.id, p.sku, p.barcodes, 0 FROM temp.names n CROSS JOIN products p ON p.sku = n.value WHERE n.key = '' AND n.kind = 4
		ORDER BY 1, 2`
)

// groups calls do with all that has one key, key after key.
func (l *linker) groups(do func(*group) error) error {
	if err := l.joined(saidGroups, knownGroups, do); err != nil {
		return err
	}
	return l.joined(saidUnkeyed, knownUnkeyed, do)
}

// joined reads two lists side by side that are in the order of their keys.
func (l *linker) joined(saidQuery, knownQuery string, do func(*group) error) error {
	there, err := l.tx.QueryContext(l.ctx, knownQuery)
	if err != nil {
		return err
	}
	defer there.Close()
	var key string // of next
	var next known
	more := true
	advance := func() error {
		if more = there.Next(); !more {
			return there.Err()
		}
		var barcodes []byte
		next = known{}
		if err := there.Scan(&key, &next.num, &next.id, &next.sku, &barcodes, &next.name); err != nil {
			return err
		}
		return parse(barcodes, &next.barcodes)
	}
	if err := advance(); err != nil {
		return err
	}
	var g group
	end := func() error {
		for more && key <= g.key {
			if last := len(g.there) - 1; key == g.key && last >= 0 && g.there[last].num == next.num {
				g.there[last].name = g.there[last].name || next.name
			} else if key == g.key {
				g.there = append(g.there, next)
			}
			if err := advance(); err != nil {
				return err
			}
		}
		if len(g.said) == 0 {
			return nil
		}
		return do(&g)
	}
	err = l.each(saidQuery, nil, func(scan func(...any) error) error {
		var key string
		var c call
		if err := scan(&key, &c.kind, &c.value, &c.said); err != nil {
			return err
		}
		if key != g.key {
			if err := end(); err != nil {
				return err
			}
			g.key, g.said, g.there = key, g.said[:0], g.there[:0]
		}
		g.said = append(g.said, c)
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

func (l *linker) find(said uint32) uint32 {
	for l.parent[said] != said {
		l.parent[said] = l.parent[l.parent[said]]
		said = l.parent[said]
	}
	return said
}

// unite makes two sets one, unless they are of two products that are there.
func (l *linker) unite(a, b uint32) bool {
	a, b = l.find(a), l.find(b)
	switch {
	case a == b:
		return true
	case l.product[a] != 0 && l.product[b] != 0 && l.product[a] != l.product[b]:
		return false
	case b < a:
		a, b = b, a
	}
	l.parent[b] = a
	l.kinds[a] |= l.kinds[b]
	l.product[a] = max(l.product[a], l.product[b])
	return true
}

// bind says that a set is of a product that is there, unless it is of another.
func (l *linker) bind(said uint32, product int64) bool {
	root := l.find(said)
	if l.product[root] != 0 {
		return l.product[root] == product
	}
	l.product[root] = product
	return true
}

// byIdentifier unites what is said with the same barcode, ID or SKU, and finds
// the product that is there.
func (l *linker) byIdentifier(g *group) error {
	for i, c := range g.said {
		if c.kind&identifiers == 0 {
			continue
		}
		var those []int64 // that it is of
		for _, k := range g.there {
			if k.is(c) {
				those = append(those, k.num)
			}
		}
		ok := true
		if i > 0 && g.said[i-1].kind == c.kind && g.said[i-1].value == c.value {
			before := g.said[i-1].said
			if ok = l.unite(before, c.said); !ok && len(those) == 0 {
				those = []int64{l.product[l.find(before)]}
			}
		}
		switch {
		case ok && len(those) == 1:
			ok = l.bind(c.said, those[0])
		case len(those) > 1 && l.product[l.find(c.said)] == 0:
			if err := l.ambiguous(c, those, nil); err != nil {
				return err
			}
		}
		if !ok {
			if err := l.torn(c, those); err != nil {
				return err
			}
		}
	}
	return nil
}
