package tools

import (
	"context"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// findProduct finds what text means: the product whose name or number it is.
// Other words are shared more often than not: an alias, a part of a name, and a
// category are taken for a product only where they fit no other, and left to
// the caller to choose from where they fit several. Text in which a question
// or a plural hides the product is looked up again without them, and a number
// with the zeros that it may have lost.
func (h *handler) findProduct(ctx context.Context, text string) (found[store.Product], error) {
	f, err := h.matchProduct(ctx, text)
	if err != nil || f.settled() {
		return f, err
	}
	near, err := h.products(ctx, store.ProductQuery{Text: text, Match: store.Near}, maxSuggestions)
	return none[store.Product](options(near, productOption)), err
}

// matchProduct is findProduct without suggestions where nothing is found: they
// take longest to look up.
func (h *handler) matchProduct(ctx context.Context, text string) (found[store.Product], error) {
	for said := range readings(text) {
		exact, err := h.products(ctx, store.ProductQuery{Text: said, Match: store.Exact}, maxCandidates+1)
		if err != nil {
			return found[store.Product]{}, err
		}
		more, err := longer(ctx, said, len(exact) > 0, func(number string) ([]store.Product, error) {
			exact, err := h.products(ctx, store.ProductQuery{Text: number, Match: store.Exact}, maxCandidates+1)
			return calledExactly(exact, number), err
		})
		if err != nil {
			return found[store.Product]{}, err
		}
		if called := distinct(calledExactly(exact, said), more); len(called) > 0 {
			return productOrOptions(called), nil
		}
		parts, err := h.products(ctx, store.ProductQuery{Text: said}, maxCandidates+1)
		if err != nil {
			return found[store.Product]{}, err
		}
		category, err := h.products(ctx, store.ProductQuery{Category: said}, maxCandidates+1)
		if err != nil {
			return found[store.Product]{}, err
		}
		if fits := distinct(exact, parts, category); len(fits) > 0 {
			return productOrOptions(fits), nil
		}
	}
	return found[store.Product]{}, nil
}

// calledExactly returns those of products whose own name or number text is.
func calledExactly(products []store.Product, text string) []store.Product {
	var called []store.Product
	for _, p := range products {
		isIt := func(name string) bool { return same(name, text) }
		if isIt(p.Name) || isIt(p.ID) || isIt(p.SKU) || slices.Contains(p.Barcodes, text) ||
			slices.ContainsFunc(slices.Collect(maps.Values(p.Names)), isIt) {
			called = append(called, p)
		}
	}
	return called
}

// distinct returns each product of lists once, in their order.
func distinct(lists ...[]store.Product) []store.Product {
	var all []store.Product
	seen := make(map[string]bool)
	for _, p := range slices.Concat(lists...) {
		if !seen[p.ID] {
			seen[p.ID] = true
			all = append(all, p)
		}
	}
	return all
}

// productOrOptions is the only one of products, or a choice.
func productOrOptions(products []store.Product) found[store.Product] {
	if len(products) == 1 {
		return exactly(products[0])
	}
	return oneOf[store.Product](options(products, productOption))
}

// readings yields text, and then what is left of it without a question about
// how many there are, and without the endings of English plurals, where that
// is something else.
func readings(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(text) {
			return
		}
		bare := strings.TrimSpace(asking.ReplaceAllString(text, ""))
		if bare != "" && bare != text && !yield(bare) {
			return
		}
		if one := plural.ReplaceAllString(bare, "$1"); one != "" && one != bare {
			yield(one)
		}
	}
}

var (
	// 茶葉蛋還有幾個？ 茶葉蛋有沒有貨
	asking = regexp.MustCompile(`(還|请问|請問|目前|現在|现在)*(有|剩|剩下|要)*(多少|幾|几|沒有|没有|嗎|吗|貨|货).{0,3}$`)
	plural = regexp.MustCompile(`(?i)\b([a-z]+(?:[a-rt-z]|(?:s|x|ch|sh)e))s\b`)
)

func (h *handler) products(ctx context.Context, q store.ProductQuery, limit int) ([]store.Product, error) {
	q.Limit = limit
	products, _, err := h.store.Products(ctx, q)
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
		if p, err := h.matchProduct(ctx, rest); err != nil || p.ok {
			return place{chain: chains[0]}, p, err
		}
	}
	for first, second := range splits(text) {
		p, err := h.matchProduct(ctx, second)
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
