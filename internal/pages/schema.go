package pages

import (
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What pages tell programs is schema.org's, as JSON-LD: a Product with its
// Offers, or a Store with what it makes an Offer of.

type object = map[string]any

// stocked is a product and how much of it there is.
type stocked struct {
	store.Product
	store.Level
}

// productData is a product, offered by each of the shops that carry it.
func productData(at func(string) string, p store.Product, total store.Total, levels []store.ShopLevel) object {
	offers := []object{}
	for _, l := range levels {
		offer := offerOf(p, l.Level)
		offer["availableAtOrFrom"] = without(object{"@type": "Store", "name": l.Shop.Name, "url": at(ShopPage(l.Shop.ID)), "address": l.Shop.Address})
		offers = append(offers, offer)
	}
	data := describe(at, p)
	data["@context"] = "https://schema.org"
	if len(offers) > 0 {
		data["offers"] = offers
	}
	data["inventoryLevel"] = quantity(total.Available(), p.Unit)
	return without(data)
}

// shopData is a shop, and what it offers.
func shopData(at func(string) string, s store.Shop, stock []stocked) object {
	data := object{
		"@context": "https://schema.org", "@type": "Store", "@id": at(ShopPage(s.ID)), "url": at(ShopPage(s.ID)),
		"name": s.Name, "address": s.Address, "openingHours": s.Hours,
	}
	if s.Chain != "" {
		data["parentOrganization"] = object{"@type": "Organization", "name": s.Chain}
	}
	if s.Location != nil {
		data["geo"] = object{"@type": "GeoCoordinates", "latitude": s.Location.Latitude, "longitude": s.Location.Longitude}
	}
	offers := []object{}
	for _, p := range stock {
		offer := offerOf(p.Product, p.Level)
		offer["itemOffered"] = without(describe(at, p.Product))
		offers = append(offers, offer)
	}
	if len(offers) > 0 {
		data["makesOffer"] = offers
	}
	return without(data)
}

func describe(at func(string) string, p store.Product) object {
	data := object{
		"@type": "Product", "@id": at(ProductPage(p.ID)), "url": at(ProductPage(p.ID)), "productID": p.ID,
		"name": p.Name, "alternateName": p.Names["en"], "sku": p.SKU, "category": p.Category,
	}
	for _, code := range p.Barcodes {
		if isGTIN(code) {
			data["gtin"] = code
			break
		}
	}
	return data
}

// offerOf is what a shop offers of a product.
func offerOf(p store.Product, l store.Level) object {
	availability := "https://schema.org/InStock"
	if l.Available() <= 0 {
		availability = "https://schema.org/OutOfStock"
	}
	return without(object{
		"@type": "Offer", "price": p.Price, "priceCurrency": p.Currency,
		"availability": availability, "inventoryLevel": quantity(l.Available(), p.Unit),
	})
}

func quantity(available int64, unit string) object {
	return without(object{"@type": "QuantitativeValue", "value": available, "unitText": unit})
}

// isGTIN reports whether a barcode has the form of a GTIN.
func isGTIN(code string) bool {
	switch len(code) {
	case 8, 12, 13, 14:
		return !strings.ContainsFunc(code, func(r rune) bool { return r < '0' || r > '9' })
	}
	return false
}

// without takes out of o what is empty.
func without(o object) object {
	for name, value := range o {
		if value == "" {
			delete(o, name)
		}
	}
	return o
}
