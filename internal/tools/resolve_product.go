package tools

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// findProduct finds what text means: the product whose ID, SKU, barcode or
// name it is; or else whose alias it is; or else the only one that it is a
// part of. What fits several is left to the caller to choose.
func (h *handler) findProduct(ctx context.Context, text string) (found[store.Product], error) {
	for _, match := range []store.Match{store.Exact, store.Contains} {
		products, err := h.products(ctx, text, match, maxCandidates+1)
		if err != nil {
			return found[store.Product]{}, err
		}
		if len(products) > 1 && match == store.Exact {
			products = calledExactly(products, text)
		}
		switch len(products) {
		case 0:
		case 1:
			return exactly(products[0]), nil
		default:
			return oneOf[store.Product](options(products, productOption)), nil
		}
	}
	near, err := h.products(ctx, text, store.Near, maxSuggestions)
	return none[store.Product](options(near, productOption)), err
}

// calledExactly returns those of products whose own name or number text is,
// where there are any: another's alias is no match for that.
func calledExactly(products []store.Product, text string) []store.Product {
	var called []store.Product
	for _, p := range products {
		if same(p.Name, text) || same(p.ID, text) || same(p.SKU, text) {
			called = append(called, p)
		}
	}
	if called == nil {
		return products
	}
	return called
}

func (h *handler) products(ctx context.Context, text string, m store.Match, limit int) ([]store.Product, error) {
	products, _, err := h.store.Products(ctx, store.ProductQuery{Text: text, Match: m, Page: store.Page{Limit: limit}})
	return products, err
}

// findBoth reads a text that says the place as well, such as KOKO的茶葉蛋,
// "大安店 茶葉蛋" or KOKO便利店茶葉蛋. Both must be clear, or it returns no place
// and what was found before.
func (h *handler) findBoth(ctx context.Context, text string, before found[store.Product]) (place, found[store.Product], error) {
	chains, mention, err := h.chainsMentioned(ctx, text)
	if err != nil {
		return place{}, before, err
	}
	if rest, ok := strings.CutPrefix(fold.String(text), mention); ok && rest != "" && len(chains) == 1 {
		if p, err := h.findProduct(ctx, rest); err != nil || p.ok {
			return place{chain: chains[0]}, p, err
		}
	}
	for first, second := range splits(text) {
		p, err := h.findProduct(ctx, second)
		if err != nil {
			return place{}, before, err
		}
		if !p.ok {
			continue
		}
		if where, err := h.findPlace(ctx, first); err != nil || where.ok {
			return where.one, p, err
		}
	}
	return place{}, before, nil
}

// splits yields what stands before and after each of the first three 的 and
// spaces of text.
func splits(text string) func(yield func(before, after string) bool) {
	return func(yield func(before, after string) bool) {
		const most = 3
		found := 0
		for i, r := range text {
			if r != '的' && !unicode.IsSpace(r) {
				continue
			}
			before, after := strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+utf8.RuneLen(r):])
			if before == "" || after == "" {
				continue
			}
			if found++; found > most || !yield(before, after) {
				return
			}
		}
	}
}
