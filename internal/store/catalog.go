package store

import "time"

// Catalog is a whole shop chain's stock at one moment: what a sheet says, what
// the demo data is, and what a backend is filled with. Levels name their shop
// and product by ID.
type Catalog struct {
	Chains   []Chain
	Shops    []Shop
	Products []Product
	Levels   []CatalogLevel
}

// CatalogLevel is how much of a product a shop has. A shop and product without
// one means that the shop does not carry the product.
type CatalogLevel struct {
	ShopID, ProductID string
	OnHand, Reserved  int64
	AsOf              time.Time // if zero, the time of loading
	Lots              []Lot     // what of OnHand has an expiry date; the rest has none
}
