package store_test

import (
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*store.Catalog)
		want  string // "" for no error
	}{
		{"nothing", func(*store.Catalog) {}, ""},
		{"chain that only a shop names", func(c *store.Catalog) { c.Shops[0].Chain = "KOKO" }, ""},
		{"no price", func(c *store.Catalog) { c.Products[0].Price, c.Products[0].Currency = "", "" }, ""},
		{"price with a point", func(c *store.Catalog) { c.Products[0].Price = "4.50" }, ""},
		{"chain twice", func(c *store.Catalog) { c.Chains = []store.Chain{{Name: "A"}, {Name: "A"}} }, `chain "A": name is used twice`},
		{"chain without a name", func(c *store.Catalog) { c.Chains = []store.Chain{{}} }, `chain "": name is empty`},
		{"shop twice", func(c *store.Catalog) { c.Shops = append(c.Shops, c.Shops[0]) }, `shop "s": ID is used twice`},
		{"shop without an ID", func(c *store.Catalog) { c.Shops[0].ID = " " }, `shop " ": ID is empty`},
		{"shop without a name", func(c *store.Catalog) { c.Shops[0].Name = "" }, `shop "s": name is empty`},
		{"shop off the globe", func(c *store.Catalog) { c.Shops[0].Location = &store.Location{Latitude: 121, Longitude: 25} },
			`shop "s": location 121, 25 is not on the globe`},
		{"product twice", func(c *store.Catalog) { c.Products = append(c.Products, c.Products[0]) }, `product "p": ID is used twice`},
		{"product without a name", func(c *store.Catalog) { c.Products[0].Name = "\t" }, `product "p": name is empty`},
		{"price in words", func(c *store.Catalog) { c.Products[0].Price = "13 元" }, `product "p": price "13 元" is not a decimal such as 13 or 4.50`},
		{"price without an end", func(c *store.Catalog) { c.Products[0].Price = "4." }, `product "p": price "4." is not a decimal such as 13 or 4.50`},
		{"price below zero", func(c *store.Catalog) { c.Products[0].Price = "-4" }, `product "p": price "-4" is not a decimal such as 13 or 4.50`},
		{"price without a currency", func(c *store.Catalog) { c.Products[0].Currency = "" }, `product "p": price "13" goes with currency ""`},
		{"reorder point below zero", func(c *store.Catalog) { c.Products[0].ReorderPoint = -1 }, `product "p": reorder point -1 is less than nothing`},
		{"level of no shop", func(c *store.Catalog) { c.Levels[0].ShopID = "x" }, `level of product "p" in shop "x": no such shop`},
		{"level of no product", func(c *store.Catalog) { c.Levels[0].ProductID = "x" }, `level of product "x" in shop "s": no such product`},
		{"level twice", func(c *store.Catalog) { c.Levels = append(c.Levels, c.Levels[0]) }, `level of product "p" in shop "s": given twice`},
		{"level below zero", func(c *store.Catalog) { c.Levels[0].OnHand = -1 }, `level of product "p" in shop "s": on hand -1 and reserved 2: less than nothing`},
		{"more reserved than there is", func(c *store.Catalog) { c.Levels[0].Reserved = 4 }, `level of product "p" in shop "s": reserved 4 of 3 on hand`},
		{"more in lots than there is", func(c *store.Catalog) {
			c.Levels[0].Lots = []store.Lot{{Expiry: "2026-11-03", OnHand: 2}, {Expiry: "2026-11-04", OnHand: 2}}
		}, `level of product "p" in shop "s": lots have 4 of 3 on hand`},
		{"lot twice", func(c *store.Catalog) {
			c.Levels[0].Lots = []store.Lot{{Expiry: "2026-11-03", OnHand: 1}, {Expiry: "2026-11-03", OnHand: 1}}
		}, `level of product "p" in shop "s": lot of 2026-11-03 is given twice`},
		{"empty lot", func(c *store.Catalog) { c.Levels[0].Lots = []store.Lot{{Expiry: "2026-11-03"}} }, `level of product "p" in shop "s": lot of 2026-11-03 has 0`},
		{"lot of no day", func(c *store.Catalog) { c.Levels[0].Lots = []store.Lot{{Expiry: "soon", OnHand: 1}} }, `level of product "p" in shop "s": "soon" is not a date such as 2026-11-30`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := store.Catalog{
				Shops:    []store.Shop{{ID: "s", Name: "小店"}},
				Products: []store.Product{{ID: "p", Name: "茶葉蛋", Price: "13", Currency: "TWD"}},
				Levels:   []store.CatalogLevel{{ShopID: "s", ProductID: "p", OnHand: 3, Reserved: 2}},
			}
			tt.spoil(&c)
			got := ""
			if err := c.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate = %q, want %q", got, tt.want)
			}
		})
	}
}
