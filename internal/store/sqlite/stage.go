package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// Rows are put aside in temporary tables while they are read, which may take
// long and keeps nobody from writing. What many rows say alike of a product is
// kept once.
const stageTables = `
	CREATE TEMP TABLE staged ( -- how much there is
		row      INTEGER PRIMARY KEY,
		at       INTEGER NOT NULL, -- sheet and line
		shop     INTEGER NOT NULL, -- of importer.shops
		product  INTEGER NOT NULL, -- of said
		quantity INTEGER NOT NULL,
		expiry   TEXT NOT NULL,
		whole    INTEGER NOT NULL  -- of the level with its lots
	) STRICT;
	CREATE TEMP TABLE said ( -- what is said of products
		num  INTEGER PRIMARY KEY,
		at   INTEGER NOT NULL, -- where it is said first
		body BLOB NOT NULL     -- a saidProduct
	) STRICT;
	CREATE TEMP TABLE said_names ( -- what products are called by
		key   TEXT NOT NULL, -- folded
		kind  INTEGER NOT NULL,
		value TEXT NOT NULL, -- as it is written, where that counts
		said  INTEGER NOT NULL
	) STRICT;`

// Kinds of what a product is called by. The first three are identifiers, which
// tell products of the same name apart.
const (
	byBarcode = 1 << iota
	byID
	bySKU
	byName
	byOther // an alias, or a name in another language

	identifiers = byBarcode | byID | bySKU
)

// Bounds of what is kept in memory.
const (
	maxSaidShops = 100_000
	maxRecent    = 1 << 18 // descriptions of products that are known again
)

// saidShop is what a row says of a shop.
type saidShop struct {
	at int64
	store.Shop
	chainAliases []string
}

// stage puts the rows aside.
func (im *importer) stage(rows iter.Seq2[store.Row, error]) error {
	for r, err := range rows {
		if ended := im.ctx.Err(); ended != nil {
			return ended
		}
		if p, ok := errors.AsType[store.Problem](err); ok {
			im.problems.add(im.at(p.Sheet, p.Line), p)
			im.misread = true
			continue
		} else if err != nil {
			im.failed = err
			return err
		}
		im.report.Rows++
		im.stageRow(&r)
		if im.in.err != nil {
			return im.in.err
		}
		if im.o.Progress != nil && im.report.Rows%4096 == 0 {
			im.o.Progress(im.report.Rows, 0)
		}
	}
	if im.o.Progress != nil {
		im.o.Progress(im.report.Rows, 0)
	}
	return im.in.flush()
}

func (im *importer) stageRow(r *store.Row) {
	at := im.at(r.Sheet, r.Line)
	shop, product := im.stageShop(at, r), im.stageProduct(at, r)
	q := r.Quantity
	switch {
	case q == nil && shop == 0 && product == 0:
		im.bad(at, "", "", "it names neither a store nor a product")
	case q == nil && r.Expiry != "":
		im.bad(at, store.ColumnExpiry, string(r.Expiry), "there is no quantity that expires then; add it")
	case q == nil:
	case *q < 0 || *q > store.MaxQuantity:
		im.bad(at, store.ColumnQuantity, fmt.Sprint(*q), fmt.Sprintf("a quantity is from 0 to %d", store.MaxQuantity))
	case shop == 0:
		im.bad(at, store.ColumnStore, "", fmt.Sprintf("there is a quantity, %d, but no store that has it; name the store", *q))
	case product == 0:
		im.bad(at, store.ColumnProduct, "", fmt.Sprintf("there is a quantity, %d, but no product that it is of; name the product", *q))
	case product > 0:
		if r.Expiry != "" {
			if _, err := store.ParseDate(string(r.Expiry)); err != nil {
				im.bad(at, store.ColumnExpiry, string(r.Expiry), err.Error())
				return
			}
		}
		im.quantities++
		im.in.insert(`temp.staged (at, shop, product, quantity, expiry, whole)`, at, shop, product, *q, string(r.Expiry), saysNoDates(r.Sheet))
	}
}

// saysNoDates reports whether a sheet has no column of expiry dates: what it has
// then is of levels as a whole, and their lots stay as far as they can.
func saysNoDates(s *store.Sheet) bool { return s != nil && s.Columns[store.ColumnExpiry] == "" }

// stageShop returns the number of what r says of a shop, or 0.
func (im *importer) stageShop(at int64, r *store.Row) int {
	s := saidShop{at, r.Shop, r.ChainAliases}
	if strings.TrimSpace(s.Name) == "" {
		s.Name = ""
	}
	if s.ID == "" && s.Name == "" {
		return 0
	}
	if l := s.Location; l != nil {
		s.Location = new(*l)
		if !(math.Abs(l.Latitude) <= 90) {
			im.bad(at, store.ColumnLatitude, fmt.Sprint(l.Latitude), "a latitude is from -90 to 90")
			s.Location = nil
		} else if !(math.Abs(l.Longitude) <= 180) {
			im.bad(at, store.ColumnLongitude, fmt.Sprint(l.Longitude), "a longitude is from -180 to 180")
			s.Location = nil
		}
	}
	b := appendTexts(im.buf[:0], s.ID, s.Name, s.Chain, s.Address, s.Hours)
	b = appendTexts(appendList(appendList(b, s.Aliases), s.chainAliases), fmt.Sprint(s.Location == nil))
	if s.Location != nil {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.Location.Latitude))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.Location.Longitude))
	}
	im.buf = b
	sum := im.sum(b)
	num, ok := im.recentShops[sum]
	if !ok {
		if len(im.shops) == maxSaidShops {
			im.in.err = problem(fmt.Sprintf("the rows describe more than %d stores", maxSaidShops),
				"check that the column of stores is the right one")
			return 0
		}
		s.Aliases, s.chainAliases = slices.Clone(s.Aliases), slices.Clone(s.chainAliases)
		makeValid(s.Aliases, s.chainAliases)
		for _, text := range []*string{&s.ID, &s.Name, &s.Chain, &s.Address, &s.Hours} {
			*text = strings.ToValidUTF8(*text, "\uFFFD")
		}
		im.shops = append(im.shops, s)
		num = len(im.shops)
		im.recentShops[sum] = num
	}
	return num
}

// stageProduct returns the number of what r says of a product: 0 if nothing, -1
// if it is of no use.
func (im *importer) stageProduct(at int64, r *store.Row) int {
	p := saidProduct{r.Product, r.ReorderPoint}
	if strings.TrimSpace(p.Name) == "" {
		p.Name = ""
	}
	if p.ID == "" && p.SKU == "" && p.Name == "" && len(p.Barcodes) == 0 {
		return 0
	}
	if p.Price != "" && !store.IsDecimal(p.Price) {
		im.bad(at, store.ColumnPrice, p.Price, "a price is a decimal such as 13 or 4.50")
		p.Price = ""
	}
	if n := p.reorder; n != nil && (*n < 0 || *n > store.MaxQuantity) {
		im.bad(at, store.ColumnReorderPoint, fmt.Sprint(*n), fmt.Sprintf("a reorder point is from 0 to %d", store.MaxQuantity))
		p.reorder = nil
	}
	for _, code := range p.Barcodes {
		if fold.String(code) == "" {
			im.bad(at, store.ColumnBarcode, code, "a barcode has digits or letters")
			return -1
		}
	}
	im.buf = p.append(im.buf[:0])
	sum := im.sum(im.buf)
	if num, ok := im.recent[sum]; ok {
		return num
	}
	if len(im.recent) == maxRecent {
		clear(im.recent)
	}
	im.said++
	num := im.said
	im.recent[sum] = num
	if !utf8.Valid(im.buf) {
		p.makeValid()
		im.buf = p.append(im.buf[:0])
	}
	im.in.insert(`temp.said (num, at, body)`, num, at, slices.Clone(im.buf))
	im.kinds = append(im.kinds, 0)
	im.someIDs = im.someIDs || p.ID != ""
	p.called(func(key string, kind uint8, value string) {
		im.kinds[num] |= kind
		im.in.insert(`temp.said_names (key, kind, value, said)`, key, kind, value, num)
	})
	return num
}

// at returns where a row stands as one number, in the order of rows.
func (im *importer) at(s *store.Sheet, line int) int64 {
	num, ok := im.sheetNums[s]
	if !ok {
		num = len(im.sheets)
		im.sheets = append(im.sheets, s)
		im.sheetNums[s] = num
	}
	return int64(num)<<lineBits | int64(line)&(1<<lineBits-1)
}

// lineBits are those of a line in the place of a row.
const lineBits = 40

// place is the opposite of at.
func (im *importer) place(at int64) (*store.Sheet, int) {
	return im.sheets[at>>lineBits], int(at & (1<<lineBits - 1))
}

// sum is what a description is known again by.
func (im *importer) sum(b []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(im.seeds[0], b), maphash.Bytes(im.seeds[1], b)}
}
