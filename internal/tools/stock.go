package tools

import "github.com/mcpstore/mcpstore/internal/store"

// status says which kind of answer it is.
type status string

const (
	inStock        status = "in_stock"
	outOfStock     status = "out_of_stock"
	notCarried     status = "not_carried"
	unknownStore   status = "unknown_store"
	unknownProduct status = "unknown_product"
	ambiguous      status = "ambiguous"

	statusFound status = "found" // by a search
	statusNone  status = "none"  // none was
)

// stock is the answer of check_stock.
type stock struct {
	Status status `json:"status"`
	annotations
	Store       *shopRef     `json:"store,omitempty"` // the shop asked about
	Chain       string       `json:"chain,omitempty"` // or else the chain
	Product     *productRef  `json:"product,omitempty"`
	*quantities              // there, in all
	Unit        string       `json:"unit,omitempty"`
	Price       string       `json:"price,omitempty"`
	Currency    string       `json:"currency,omitempty"`
	StoreCount  int          `json:"store_count,omitempty"`  // how many stores carry it there
	Stores      []storeStock `json:"stores,omitempty"`       // a page of them
	AvailableAt []storeStock `json:"available_at,omitempty"` // other stores that have it
	choices

	looked bool // for other stores, of which AvailableAt has some
}

type shopRef struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Chain string `json:"chain"`
}

type productRef struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	SKU     string `json:"sku"`
	Barcode string `json:"barcode"`
}

type quantities struct {
	OnHand    int64  `json:"on_hand"`
	Reserved  int64  `json:"reserved"`
	Expired   int64  `json:"expired,omitempty"`
	Available int64  `json:"available"`
	AsOf      string `json:"as_of"`

	overbooked int64 // how many more are reserved than have not expired
}

type storeStock struct {
	shopRef
	quantities
}

// at sets where it is asked about.
func (s *stock) at(where place) {
	if s.Chain = oneLine(where.chain); where.shop.ID != "" {
		s.Store = new(refShop(where.shop))
	}
}

// count returns how much there is, and whether that is any.
func (h *handler) count(t store.Total) (*quantities, status) {
	q := quantitiesOf(t)
	q.AsOf = h.timestamp(t.AsOf)
	if t.Available() > 0 {
		return &q, inStock
	}
	return &q, outOfStock
}

// sum is the total of levels.
func sum(levels []store.ShopLevel) store.Total {
	var t store.Total
	for _, l := range levels {
		t.Add(l.Level)
	}
	return t
}

// What refers to a shop or a product carries no text that could pass for
// anything else than a name: see [oneLine].

func refShop(s store.Shop) shopRef {
	return shopRef{ID: s.ID, Name: oneLine(s.Name), Chain: oneLine(s.Chain)}
}

func refProduct(p store.Product) productRef {
	ref := productRef{ID: p.ID, Name: oneLine(p.Name), SKU: oneLine(p.SKU)}
	if len(p.Barcodes) > 0 {
		ref.Barcode = p.Barcodes[0]
	}
	return ref
}

// quantitiesOf is what t sums up, but for its time.
func quantitiesOf(t store.Total) quantities {
	return quantities{OnHand: t.OnHand, Reserved: t.Reserved, Expired: t.Expired, Available: t.Available(), overbooked: t.Overbooked}
}

func (h *handler) refLevel(l store.Level) quantities {
	q := quantitiesOf(store.TotalOf(l))
	q.AsOf = h.timestamp(l.AsOf)
	return q
}

func (h *handler) refLevels(levels []store.ShopLevel) []storeStock {
	list := make([]storeStock, len(levels))
	for i, l := range levels {
		list[i] = storeStock{refShop(l.Shop), h.refLevel(l.Level)}
	}
	return list
}
