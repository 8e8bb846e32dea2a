// Package store says what mcpstore knows: shops, products, how much of what
// is where, and how it came there. It holds the nouns, the promises that every backend keeps,
// and the errors that callers tell apart; the data lives in a backend, such
// as package sqlite. Package storetest holds every backend to the promises.
//
// Begin at [Store]: what it answers is here, how stock changes in ledger.go,
// what sheets hold in sheet.go, and who may ask in access.go.
package store

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Store is all that a backend keeps of the stock; who may ask, package access
// has it keep. All methods may be called from many
// goroutines at once, return promptly when ctx ends, and leave slices that they
// return to the caller.
type Store interface {
	Stock
	Catalogue
	Verifier
}

// Stock answers questions about the stock and changes it: what tools need.
type Stock interface {
	// Summary counts what there is.
	Summary(ctx context.Context) (Summary, error)

	// Shop returns the shop with the given ID, or [ErrNotFound].
	Shop(ctx context.Context, id string) (Shop, error)

	// Product returns the product with the given ID, or [ErrNotFound].
	Product(ctx context.Context, id string) (Product, error)

	// Shops lists the shops that q asks for: by distance where q.Near is set,
	// else nearest name first where q.Match is [Near], else by name. It returns
	// the cursor of the next page, "" on the last.
	Shops(ctx context.Context, q ShopQuery) (shops []Shop, next string, err error)

	// Chains lists the chains whose name or alias text matches as m says,
	// by name, or nearest first where m is [Near]; all chains where text is
	// empty. There are few chains, so they are not paged; at most limit are
	// returned, which is bounded as [Page.Limit] is.
	Chains(ctx context.Context, text string, m Match, limit int) ([]Chain, error)

	// Products lists the products that q asks for in display order (shorter
	// names first, then by name), or nearest first where q.Match is [Near].
	// It returns the cursor of the next page, "" on the last.
	Products(ctx context.Context, q ProductQuery) (products []Product, next string, err error)

	// Level returns the stock of one product in one shop, or [ErrNotFound]
	// where the shop does not carry it. A level of 0 is not an error.
	Level(ctx context.Context, shopID, productID string) (Level, error)

	// Levels lists where q's product is carried, most available first, then
	// by shop name. It returns the cursor of the next page, "" on the last.
	Levels(ctx context.Context, q LevelQuery) (levels []ShopLevel, next string, err error)

	// Total sums a product's levels over the shops of chain, or over all
	// shops where chain is empty. Shops is 0 where nobody carries it.
	Total(ctx context.Context, productID, chain string) (Total, error)

	Ledger

	// Ping returns nil if the store reads and writes, as far as it knows: it
	// reads something, and has kept the last change that it was asked for or a
	// trial since. Its error is an [ErrDiskFull], [ErrBusy] or [ErrReplaced]
	// where that is the reason.
	Ping(ctx context.Context) error

	// Close ends the store's use. Nothing may be called afterwards.
	Close() error
}

// Shop is one shop: a place with shelves. People and tools call it a store.
type Shop struct {
	ID       string
	Name     string // as the sign says, such as "KOKO便利店 大安店"
	Chain    string // the chain's name; "" where it belongs to none
	Address  string
	Location *Location // nil where unknown
	Hours    string    // as people write it, such as "24 小時"
	Aliases  []string  // what else people call it, in any language
}

// Location is a point on the globe, in degrees (WGS 84).
type Location struct {
	Latitude, Longitude float64
}

// Distance returns how far it is from l to other, in radians of a great circle.
func (l Location) Distance(other Location) float64 {
	const degree = math.Pi / 180
	sinLat := math.Sin((other.Latitude - l.Latitude) * degree / 2)
	sinLong := math.Sin((other.Longitude - l.Longitude) * degree / 2)
	h := sinLat*sinLat + math.Cos(l.Latitude*degree)*math.Cos(other.Latitude*degree)*sinLong*sinLong
	return 2 * math.Asin(math.Sqrt(min(1, h)))
}

// Clone returns a copy that shares nothing with s.
func (s Shop) Clone() Shop {
	s.Aliases = slices.Clone(s.Aliases)
	if s.Location != nil {
		s.Location = new(*s.Location)
	}
	return s
}

// Chain is a name that several shops share.
type Chain struct {
	Name    string
	Aliases []string
	Shops   int // how many shops it has
}

// Product is one thing that is sold.
type Product struct {
	ID           string
	SKU          string            // the owner's own number; "" where there is none
	Name         string            // in the owner's language
	Names        map[string]string // in other languages, by BCP 47 tag: {"en": "Tea egg"}
	Aliases      []string          // what else people call it
	Category     string
	Unit         string // what is counted, such as "顆"
	Price        string // a decimal without thousands marks, such as "13" or "4.50"; "" where unknown
	Currency     string // ISO 4217; "" where Price is
	Barcodes     []string
	ReorderPoint int64 // order more at or below this many; 0 where unset
}

// FullPrice is the price with its currency, such as "TWD 13"; "" if it has none.
func (p Product) FullPrice() string { return strings.TrimSpace(p.Currency + " " + p.Price) }

// Clone returns a copy that shares nothing with p.
func (p Product) Clone() Product {
	p.Names, p.Aliases, p.Barcodes = maps.Clone(p.Names), slices.Clone(p.Aliases), slices.Clone(p.Barcodes)
	return p
}

// Level is how much of one product is in one shop, in the product's unit.
type Level struct {
	OnHand   int64     // on the shelf
	Reserved int64     // of those, held for somebody; never more than OnHand
	Expired  int64     // on the shelf in lots that expired before the shop's today; never kept, but found when read
	AsOf     time.Time // the level's last change, in UTC
}

// Available is what can still be sold: neither reserved nor expired.
func (l Level) Available() int64 { return max(0, l.OnHand-l.Reserved-l.Expired) }

// Overbooked is how many more are reserved than have not expired.
func (l Level) Overbooked() int64 { return max(0, l.Reserved+l.Expired-l.OnHand) }

// ShopLevel is a level with the shop that it is in.
type ShopLevel struct {
	Shop Shop
	Level
}

// Total is a sum of levels.
type Total struct {
	Level            // AsOf is the latest of those summed
	Shops      int   // how many shops carry the product, even if they have none
	Overbooked int64 // the sum of what each shop is overbooked by
}

// Add adds the level of one more shop.
func (t *Total) Add(l Level) {
	t.Shops++
	t.OnHand += l.OnHand
	t.Reserved += l.Reserved
	t.Expired += l.Expired
	t.Overbooked += l.Overbooked()
	if l.AsOf.After(t.AsOf) {
		t.AsOf = l.AsOf
	}
}

// TotalOf returns the total of the level of one shop.
func TotalOf(l Level) (t Total) {
	t.Add(l)
	return t
}

// Available is the sum of what is available in each shop: what one shop is
// overbooked by takes nothing from the others.
func (t Total) Available() int64 { return t.OnHand - t.Reserved - t.Expired + t.Overbooked }

// Summary says what a store holds.
type Summary struct {
	Shops    int
	Products int
	Demo     bool // everything is the embedded demo data
}

// Match says how a text is compared with names. All comparisons are of folded
// text (see package fold): width, case, spaces, punctuation, and 繁/簡 do not
// count. A text of which nothing is left matches nothing. "By name" is the
// order of folded names, character by character, and of IDs among equals.
type Match int

const (
	// Contains matches a name or an alias that contains the text; of a
	// product, text that begins with a letter of an alphabet or a digit must
	// be where a word begins, so that "ham" does not find shampoo.
	Contains Match = iota
	// Exact matches a name, an alias, an ID, a SKU or a barcode that equals
	// the text.
	Exact
	// Near matches names, or parts of them, that differ from the text by a slip
	// or two: suggestions, never an answer, and bounded in number.
	Near
)

// Page asks for a part of a list.
type Page struct {
	Limit  int    // at most this many, up to [MaxLimit]; if 0 or less, [DefaultLimit]
	Cursor string // where the page before ended; "" for the first page
}

// Bounds of [Page.Limit].
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// ShopQuery asks for shops. The conditions that are set must all hold.
type ShopQuery struct {
	ID      string    // only the shop with this ID
	Text    string    // if empty, any name
	Match   Match     // how Text is compared
	Chain   string    // only shops of the chain of exactly this name
	Address string    // only shops whose address contains this, compared folded
	Near    *Location // order by distance from here; shops without a location come last
	Page
}

// ProductQuery asks for products. The conditions that are set must all hold.
type ProductQuery struct {
	Text     string // if empty, any name
	Match    Match  // how Text is compared
	Barcode  string // only the product with exactly this barcode, but for zeros before a GTIN
	ShopID   string // only what this shop carries
	Chain    string // only what a shop of this chain carries
	Category string // only of this category, compared folded
	InStock  bool   // only what is available: in ShopID or Chain where one is set, else anywhere
	Page
}

// LevelQuery asks where a product is.
type LevelQuery struct {
	ProductID string
	Chain     string // only shops of this chain
	InStock   bool   // only where it is available
	Page
}

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNotFound says that what was asked for by its ID is not there.
	ErrNotFound = errors.New("not found")
	// ErrBadCursor says that a cursor did not come from the page before.
	ErrBadCursor = errors.New("cursor is not one that this list gave out")
)
