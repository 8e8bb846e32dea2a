// Package demo has the stock that a new database is filled with, so that there
// is something to ask about: eight shops of three made-up chains with what a
// Taiwanese convenience store sells. The data is in the CSV files beside this
// one; a list in a cell is separated by semicolons.
package demo

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

//go:embed *.csv
var files embed.FS

// CatalogOn returns the demo data, in which some of the food expires today and in
// the days after, so that there is something to ask about.
func CatalogOn(today store.Date) store.Catalog {
	c := Catalog()
	for _, r := range read("lots.csv") {
		i := slices.IndexFunc(c.Levels, func(l store.CatalogLevel) bool {
			return l.ProductID == r.text("product") && l.ShopID == r.text("shop")
		})
		if i < 0 {
			panic(fmt.Sprintf("demo: %s: the shop does not carry the product", r.where))
		}
		lot := store.Lot{Expiry: today.AddDays(int(r.int("days"))), OnHand: r.int("quantity")}
		c.Levels[i].Lots = append(c.Levels[i].Lots, lot)
	}
	return c
}

// Catalog returns the demo data without expiry dates, the same on every day, each
// call its own. The levels have no time: they are as of when they are loaded.
func Catalog() store.Catalog {
	var c store.Catalog
	for _, r := range read("chains.csv") {
		c.Chains = append(c.Chains, store.Chain{Name: r.text("name"), Aliases: r.list("aliases")})
	}
	for _, r := range read("shops.csv") {
		c.Shops = append(c.Shops, store.Shop{
			ID:       r.text("id"),
			Name:     r.text("name"),
			Chain:    r.text("chain"),
			Address:  r.text("address"),
			Location: &store.Location{Latitude: r.float("latitude"), Longitude: r.float("longitude")},
			Hours:    r.text("hours"),
			Aliases:  r.list("aliases"),
		})
	}
	for _, r := range read("products.csv") {
		c.Products = append(c.Products, store.Product{
			ID:           r.text("id"),
			SKU:          r.text("sku"),
			Name:         r.text("name"),
			Names:        map[string]string{"en": r.text("en"), "zh-Hans": r.text("zh-Hans")},
			Aliases:      r.list("aliases"),
			Category:     r.text("category"),
			Unit:         r.text("unit"),
			Price:        r.text("price"),
			Currency:     "TWD",
			Barcodes:     r.list("barcodes"),
			ReorderPoint: r.int("reorder_point"),
		})
	}
	for _, r := range read("levels.csv") {
		for _, shop := range c.Shops {
			// "5" on hand, "5/2" of which two are reserved, "" not carried.
			onHand, reserved, _ := strings.Cut(r.text(shop.ID), "/")
			if onHand == "" {
				continue
			}
			l := store.CatalogLevel{ShopID: shop.ID, ProductID: r.text("product"), OnHand: r.number(onHand)}
			if reserved != "" {
				l.Reserved = r.number(reserved)
			}
			c.Levels = append(c.Levels, l)
		}
	}
	return c
}

// record is a line of a file, by the names of its columns. The files are part
// of the program and tested with it, so what is wrong in them panics.
type record struct {
	where  string
	fields map[string]string
}

func read(name string) []record {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("demo: %s: %v", name, err))
	}
	var records []record
	for n, line := range lines[1:] {
		r := record{fmt.Sprintf("%s:%d", name, n+2), map[string]string{}}
		for i, column := range lines[0] {
			r.fields[column] = line[i]
		}
		records = append(records, r)
	}
	return records
}

func (r record) text(column string) string {
	text, ok := r.fields[column]
	if !ok {
		panic(fmt.Sprintf("demo: %s: no column %q", r.where, column))
	}
	return text
}

func (r record) list(column string) []string {
	if text := r.text(column); text != "" {
		return strings.Split(text, ";")
	}
	return nil
}

func (r record) int(column string) int64 { return r.number(r.text(column)) }

func (r record) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("demo: %s: %v", r.where, err))
	}
	return n
}

func (r record) float(column string) float64 {
	f, err := strconv.ParseFloat(r.text(column), 64)
	if err != nil {
		panic(fmt.Sprintf("demo: %s: %v", r.where, err))
	}
	return f
}
