package store

import (
	"fmt"
	"math"
	"strings"
)

// Validate reports the first thing in c that no backend takes: a name or ID
// that is missing or used twice, a level of something that is not there, more
// reserved than on hand, or a place or price that is none. A chain that only
// shops name is not a fault; it is a chain without aliases.
func (c Catalog) Validate() error {
	chains := make(map[string]bool, len(c.Chains))
	for _, ch := range c.Chains {
		if err := unused(chains, ch.Name); err != nil {
			return fmt.Errorf("chain %q: name %w", ch.Name, err)
		}
	}
	shops := make(map[string]bool, len(c.Shops))
	for _, s := range c.Shops {
		if err := unused(shops, s.ID); err != nil {
			return fmt.Errorf("shop %q: ID %w", s.ID, err)
		}
		if err := s.Validate(); err != nil {
			return fmt.Errorf("shop %q: %w", s.ID, err)
		}
	}
	products := make(map[string]bool, len(c.Products))
	for _, p := range c.Products {
		if err := unused(products, p.ID); err != nil {
			return fmt.Errorf("product %q: ID %w", p.ID, err)
		}
		if err := p.Validate(); err != nil {
			return fmt.Errorf("product %q: %w", p.ID, err)
		}
	}
	type place struct{ shop, product string }
	levels := make(map[place]bool, len(c.Levels))
	for _, l := range c.Levels {
		at := place{l.ShopID, l.ProductID}
		var err error
		switch {
		case !shops[l.ShopID]:
			err = fmt.Errorf("no such shop")
		case !products[l.ProductID]:
			err = fmt.Errorf("no such product")
		case levels[at]:
			err = fmt.Errorf("given twice")
		case l.OnHand < 0 || l.Reserved < 0:
			err = fmt.Errorf("on hand %d and reserved %d: less than nothing", l.OnHand, l.Reserved)
		case l.Reserved > l.OnHand:
			err = fmt.Errorf("reserved %d of %d on hand", l.Reserved, l.OnHand)
		default:
			err = validLots(l)
		}
		if err != nil {
			return fmt.Errorf("level of product %q in shop %q: %w", l.ProductID, l.ShopID, err)
		}
		levels[at] = true
	}
	return nil
}

// validLots reports what is wrong with the lots of a level.
func validLots(l CatalogLevel) error {
	var sum int64
	days := make(map[Date]bool, len(l.Lots))
	for _, lot := range l.Lots {
		if _, err := ParseDate(string(lot.Expiry)); err != nil {
			return err
		}
		if lot.OnHand <= 0 {
			return fmt.Errorf("lot of %s has %d", lot.Expiry, lot.OnHand)
		}
		if days[lot.Expiry] {
			return fmt.Errorf("lot of %s is given twice", lot.Expiry)
		}
		days[lot.Expiry] = true
		sum += lot.OnHand
	}
	if sum > l.OnHand {
		return fmt.Errorf("lots have %d of %d on hand", sum, l.OnHand)
	}
	return nil
}

// unused marks name as used, once.
func unused(used map[string]bool, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("is empty")
	case used[name]:
		return fmt.Errorf("is used twice")
	}
	used[name] = true
	return nil
}

// Validate reports what no backend takes of s.
func (s Shop) Validate() error {
	if strings.TrimSpace(s.Name) == "" {
		return fmt.Errorf("name is empty")
	}
	if l := s.Location; l != nil && !(math.Abs(l.Latitude) <= 90 && math.Abs(l.Longitude) <= 180) {
		return fmt.Errorf("location %v, %v is not on the globe", l.Latitude, l.Longitude)
	}
	return nil
}

// Validate reports what no backend takes of p.
func (p Product) Validate() error {
	switch {
	case strings.TrimSpace(p.Name) == "":
		return fmt.Errorf("name is empty")
	case p.Price != "" && !IsDecimal(p.Price):
		return fmt.Errorf("price %q is not a decimal such as 13 or 4.50", p.Price)
	case (p.Price == "") != (p.Currency == ""):
		return fmt.Errorf("price %q goes with currency %q", p.Price, p.Currency)
	case p.ReorderPoint < 0:
		return fmt.Errorf("reorder point %d is less than nothing", p.ReorderPoint)
	}
	return nil
}

// IsDecimal reports whether s is digits, and perhaps a point and more digits.
func IsDecimal(s string) bool {
	whole, part, point := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(part))
}
