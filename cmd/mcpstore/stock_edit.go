package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpstore/mcpstore/internal/store"
)

func stockEditCommand(e *env) *cobra.Command {
	var o stockOptions
	var product string
	cmd := &cobra.Command{
		Use:   "edit (--product PRODUCT | --store STORE) FLAGS",
		Short: "Change what is known of a product or a store",
		Long: `Edit changes what the flags name of one product or one store, and leaves the
rest. A flag that may be repeated replaces the whole list; an empty value
empties it. A name that is changed stays as an alias, unless aliases are given.`,
		Example: `  mcpstore stock edit --product 茶葉蛋 --price 15 --reorder-point 10
  mcpstore stock edit --product 茶葉蛋 --alias 茶香蛋 --alias "tea egg"
  mcpstore stock edit --store KOKO大安 --name "KOKO便利店 和平店"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (product == "") == (o.store == "") {
				return &usageError{errors.New("edit takes either --product or --store"), "mcpstore stock edit --help shows examples"}
			}
			return o.with(cmd, e, func(ctx context.Context, db database) error {
				if product != "" {
					return editProduct(ctx, cmd.Flags(), e, db, product, o.json)
				}
				return editShop(ctx, cmd.Flags(), e, db, o.store, o.json)
			})
		},
	}
	o.addFlags(cmd, e, "the `store` to edit")
	f := cmd.Flags()
	f.StringVar(&product, "product", "", "the `product` to edit")
	f.String("name", "", "of the product or the store")
	f.StringArray("alias", nil, "what else people call it (may be repeated)")
	for _, name := range productOnly {
		switch name {
		case "barcode":
			f.StringArray(name, nil, "of the product (may be repeated)")
		case "reorder-point":
			f.Int64(name, 0, "order more of the product at or below this many; 0 for never")
		case "currency":
			f.String(name, "", "of the price, such as TWD")
		default:
			f.String(name, "", "of the product")
		}
	}
	for _, name := range storeOnly {
		f.String(name, "", "of the store")
	}
	return cmd
}

// What only one of the two has, by its flag.
var (
	productOnly = []string{"sku", "category", "unit", "price", "currency", "barcode", "reorder-point"}
	storeOnly   = []string{"chain", "address", "hours"}
)

// edits are the flags that were given.
type edits struct{ flags *pflag.FlagSet }

func (e edits) text(name string) *string {
	if !e.flags.Changed(name) {
		return nil
	}
	return new(strings.TrimSpace(e.flags.Lookup(name).Value.String()))
}

func (e edits) list(name string) *[]string {
	if !e.flags.Changed(name) {
		return nil
	}
	given, _ := e.flags.GetStringArray(name)
	list := []string{}
	for _, text := range given {
		if text = strings.TrimSpace(text); text != "" {
			list = append(list, text)
		}
	}
	return &list
}

// aliases are those that were given; or, where the name alone is to change, the
// present ones with the old name, which people and tills go on saying.
func (e edits) aliases(name string, present []string) *[]string {
	given, renamed := e.list("alias"), e.text("name")
	if given != nil || renamed == nil || *renamed == name {
		return given
	}
	all := append(slices.Clone(present), name)
	all = slices.DeleteFunc(all, func(alias string) bool { return alias == *renamed })
	return &all
}

func (e edits) number(name string) *int64 {
	if !e.flags.Changed(name) {
		return nil
	}
	n, _ := e.flags.GetInt64(name)
	return &n
}

// check refuses flags of the other kind, and a call without any.
func (e edits) check(kind string, others, own []string) error {
	for _, name := range others {
		if e.flags.Changed(name) {
			return &usageError{fmt.Errorf("a %s has no --%s", kind, name), "mcpstore stock edit --help lists what each has"}
		}
	}
	for _, name := range append([]string{"name", "alias"}, own...) {
		if e.flags.Changed(name) {
			return nil
		}
	}
	return &usageError{errors.New("edit is not told what to change"), "mcpstore stock edit --help lists what there is, such as --name"}
}

func editProduct(ctx context.Context, flags *pflag.FlagSet, e *env, db database, text string, asJSON bool) error {
	given := edits{flags}
	if err := given.check("product", storeOnly, productOnly); err != nil {
		return err
	}
	p, err := findProduct(ctx, db, text)
	if err != nil {
		return err
	}
	aliases := given.aliases(p.Name, p.Aliases)
	p, err = db.EditProduct(ctx, p.ID, store.ProductEdit{
		Name:         given.text("name"),
		SKU:          given.text("sku"),
		Category:     given.text("category"),
		Unit:         given.text("unit"),
		Price:        given.text("price"),
		Currency:     given.text("currency"),
		Aliases:      aliases,
		Barcodes:     given.list("barcode"),
		ReorderPoint: given.number("reorder-point"),
	})
	if err != nil {
		return refused(ctx, db, err)
	}
	if asJSON {
		return printJSON(e.stdout, map[string]any{
			"id": p.ID, "name": p.Name, "names": p.Names, "aliases": p.Aliases, "sku": p.SKU, "category": p.Category,
			"unit": p.Unit, "price": p.Price, "currency": p.Currency, "barcodes": p.Barcodes, "reorder_point": p.ReorderPoint,
		})
	}
	return printFacts(e, "id", p.ID, "name", p.Name, "aliases", strings.Join(p.Aliases, ", "), "sku", p.SKU,
		"category", p.Category, "unit", p.Unit, "price", strings.TrimSpace(p.Price+" "+p.Currency),
		"barcodes", strings.Join(p.Barcodes, ", "), "reorder point", fmt.Sprint(p.ReorderPoint))
}

func editShop(ctx context.Context, flags *pflag.FlagSet, e *env, db database, text string, asJSON bool) error {
	given := edits{flags}
	if err := given.check("store", productOnly, storeOnly); err != nil {
		return err
	}
	s, err := findShop(ctx, db, text)
	if err != nil {
		return err
	}
	aliases := given.aliases(s.Name, s.Aliases)
	s, err = db.EditShop(ctx, s.ID, store.ShopEdit{
		Name:    given.text("name"),
		Chain:   given.text("chain"),
		Address: given.text("address"),
		Hours:   given.text("hours"),
		Aliases: aliases,
	})
	if err != nil {
		return refused(ctx, db, err)
	}
	if asJSON {
		return printJSON(e.stdout, map[string]any{
			"id": s.ID, "name": s.Name, "chain": s.Chain, "aliases": s.Aliases, "address": s.Address, "hours": s.Hours,
		})
	}
	return printFacts(e, "id", s.ID, "name", s.Name, "chain", s.Chain, "aliases", strings.Join(s.Aliases, ", "), "address", s.Address, "hours", s.Hours)
}

// printFacts prints names and values, and leaves out those without a value.
func printFacts(e *env, facts ...string) error {
	for i := 0; i < len(facts); i += 2 {
		if facts[i+1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(e.stdout, "%-14s %s\n", facts[i], printable(facts[i+1])); err != nil {
			return err
		}
	}
	return nil
}
