package main

import (
	"context"
	"errors"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
)

// Names mean on the command line what they mean to the tools.

// place is what --store means: one shop, all of a chain's, or, where it is
// zero, everywhere.
type place struct {
	shop  store.Shop // without an ID where it is not one shop
	chain string
}

// findPlace finds the shop or the chain that text means.
func findPlace(ctx context.Context, s database, text string) (at place, err error) {
	if text != "" {
		at.shop, at.chain, err = tools.FindPlace(ctx, s, text)
	}
	return at, err
}

// findShop finds the one shop that text means.
func findShop(ctx context.Context, s database, text string) (store.Shop, error) {
	if text == "" {
		return store.Shop{}, &usageError{errors.New("--store is missing"), "name the store, such as --store KOKO大安"}
	}
	return tools.FindShop(ctx, s, text)
}

// findProduct finds the one product that text means.
func findProduct(ctx context.Context, s database, text string) (store.Product, error) {
	if text == "" {
		return store.Product{}, &usageError{errors.New("--product is missing"), "name the product, or give its barcode, such as --product 茶葉蛋"}
	}
	return tools.FindProduct(ctx, s, text)
}
