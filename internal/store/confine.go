package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Confine returns s as callers from outside reach it, each of whom finds and
// changes only what is theirs.
//
//   - A [Caller] with a Shop is held to it. They find what they would if there
//     were no other shop, and no product but those that it carries; what else
//     there is, is [ErrNotFound].
//   - A reservation is its maker's: no one else finds or releases it.
//
// S itself stays the owner's. Confine embeds nothing, so that a method that is new
// in [Stock] does not compile before it is confined here.
func Confine(s Stock) Stock { return &confined{s} }

type confined struct{ s Stock }

func (c *confined) Ping(ctx context.Context) error { return c.s.Ping(ctx) }
func (c *confined) Close() error                   { return c.s.Close() }

// Secret is for the program, whoever calls.
func (c *confined) Secret(ctx context.Context, name string) ([]byte, error) {
	return c.s.Secret(ctx, name)
}

// sees reports whether the caller may know of a shop.
func sees(ctx context.Context, shopID string) bool {
	own := CallerFrom(ctx).Shop
	return own == "" || own == shopID
}

func notFound(what, id string) error { return fmt.Errorf("%s %q: %w", what, id, ErrNotFound) }

// check returns [ErrNotFound] where the caller may not know of the shop, or of
// the product.
func (c *confined) check(ctx context.Context, shopID, productID string) error {
	if !sees(ctx, shopID) {
		return notFound("shop", shopID)
	}
	return c.checkProduct(ctx, productID)
}

func (c *confined) checkProduct(ctx context.Context, id string) error {
	own := CallerFrom(ctx).Shop
	if own == "" {
		return nil
	}
	_, err := c.s.Level(ctx, own, id)
	if errors.Is(err, ErrNotFound) {
		return notFound("product", id)
	}
	return err
}

// narrow makes a question about a shop or a chain one about the caller's own
// shop. It reports false where that cannot be in the answer.
func (c *confined) narrow(ctx context.Context, shopID, chain *string) (bool, error) {
	own := CallerFrom(ctx).Shop
	switch {
	case own == "":
		return true, nil
	case *shopID != "" && *shopID != own:
		return false, nil
	}
	if *chain != "" {
		shop, err := c.s.Shop(ctx, own)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err != nil || shop.Chain != *chain {
			return false, nil
		}
	}
	*shopID, *chain = own, ""
	return true, nil
}

func (c *confined) Summary(ctx context.Context) (Summary, error) {
	own := CallerFrom(ctx).Shop
	sum, err := c.s.Summary(ctx)
	if err != nil || own == "" {
		return sum, err
	}
	sum.Shops, sum.Products = 0, 0
	if _, err := c.s.Shop(ctx, own); errors.Is(err, ErrNotFound) {
		return sum, nil
	} else if err != nil {
		return Summary{}, err
	}
	sum.Shops = 1
	q := ProductQuery{ShopID: own, Page: Page{Limit: MaxLimit}}
	for {
		products, next, err := c.s.Products(ctx, q)
		if err != nil {
			return Summary{}, err
		}
		if sum.Products += len(products); next == "" {
			return sum, nil
		}
		q.Cursor = next
	}
}

func (c *confined) Shop(ctx context.Context, id string) (Shop, error) {
	if !sees(ctx, id) {
		return Shop{}, notFound("shop", id)
	}
	return c.s.Shop(ctx, id)
}

func (c *confined) Product(ctx context.Context, id string) (Product, error) {
	if err := c.checkProduct(ctx, id); err != nil {
		return Product{}, err
	}
	return c.s.Product(ctx, id)
}

func (c *confined) Shops(ctx context.Context, q ShopQuery) ([]Shop, string, error) {
	if own := CallerFrom(ctx).Shop; own != "" {
		if q.ID != "" && q.ID != own {
			return nil, "", nil
		}
		q.ID = own
	}
	return c.s.Shops(ctx, q)
}

func (c *confined) Chains(ctx context.Context, text string, m Match, limit int) ([]Chain, error) {
	own := CallerFrom(ctx).Shop
	if own == "" {
		return c.s.Chains(ctx, text, m, limit)
	}
	shop, err := c.s.Shop(ctx, own)
	if errors.Is(err, ErrNotFound) || err == nil && shop.Chain == "" {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if text == "" { // any chain, of which there may be more than are listed
		text, m = shop.Chain, Exact
	}
	chains, err := c.s.Chains(ctx, text, m, MaxLimit)
	chains = slices.DeleteFunc(chains, func(other Chain) bool { return other.Name != shop.Chain })
	for i := range chains {
		chains[i].Shops = 1
	}
	return chains, err
}

func (c *confined) Products(ctx context.Context, q ProductQuery) ([]Product, string, error) {
	if ok, err := c.narrow(ctx, &q.ShopID, &q.Chain); err != nil || !ok {
		return nil, "", err
	}
	return c.s.Products(ctx, q)
}

func (c *confined) Level(ctx context.Context, shopID, productID string) (Level, error) {
	if !sees(ctx, shopID) {
		return Level{}, notFound("shop", shopID)
	}
	return c.s.Level(ctx, shopID, productID)
}

func (c *confined) Levels(ctx context.Context, q LevelQuery) ([]ShopLevel, string, error) {
	own := CallerFrom(ctx).Shop
	if own == "" {
		return c.s.Levels(ctx, q)
	}
	if q.Cursor != "" {
		return nil, "", ErrBadCursor // of at most one level there is no other page
	}
	only, err := c.ownLevel(ctx, own, q.ProductID, q.Chain)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && q.InStock && only.Available() <= 0:
		return nil, "", nil
	case err != nil:
		return nil, "", err
	}
	return []ShopLevel{only}, "", nil
}

func (c *confined) Total(ctx context.Context, productID, chain string) (Total, error) {
	own := CallerFrom(ctx).Shop
	if own == "" {
		return c.s.Total(ctx, productID, chain)
	}
	only, err := c.ownLevel(ctx, own, productID, chain)
	switch {
	case errors.Is(err, ErrNotFound):
		return Total{}, nil
	case err != nil:
		return Total{}, err
	}
	return TotalOf(only.Level), nil
}

// ownLevel returns the level in the caller's own shop, or [ErrNotFound] where
// that is not of the chain or does not carry the product.
func (c *confined) ownLevel(ctx context.Context, own, productID, chain string) (ShopLevel, error) {
	shop, err := c.s.Shop(ctx, own)
	if err == nil && chain != "" && shop.Chain != chain {
		err = notFound("chain", chain)
	}
	if err != nil {
		return ShopLevel{}, err
	}
	level, err := c.s.Level(ctx, own, productID)
	return ShopLevel{shop, level}, err
}
