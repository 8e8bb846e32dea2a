package tools

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// place is where somebody asks about: one shop, or a chain, which means all
// its shops.
type place struct {
	shop  store.Shop // without an ID where it is not one shop
	chain string     // the chain's name, where it is one
}

// everywhere reports whether p is no place in particular.
func (p place) everywhere() bool { return p.chain == "" && p.shop.ID == "" }

func (p place) name() string { return oneLine(cmp.Or(p.chain, p.shop.Name)) }

// findPlace finds what text means. In order, and each step only where the one
// before found nothing:
//
//  1. the shop whose name or ID it is, or would be with zeros before it;
//  2. the chain whose name or alias it is;
//  3. the shop whose alias it is;
//  4. what it is a part of: the chain, where it is a part of the chain's own
//     name and fits no shop of another, or else the shop;
//  5. a branch of a chain, where it names both: KOKO大安, 大安的KOKO;
//  6. what it is a part of without the words around a name: 大安門市;
//  7. the shop whose address it is a part of: 台北, 和平東路.
//
// What fits several things equally well is left to the caller to choose.
func (h *handler) findPlace(ctx context.Context, text string) (found[place], error) {
	if f, err := h.findCalled(ctx, text); err != nil || f.settled() {
		return f, err
	}
	shops, _, err := h.store.Shops(ctx, store.ShopQuery{Address: text, Page: store.Page{Limit: maxCandidates + 1}})
	if err != nil || len(shops) > 0 {
		return shopOrOptions(shops), err
	}
	return h.placesNear(ctx, text)
}

// findShop finds the one shop that text means by steps 1 to 6. A chain is a
// choice between its branches.
func (h *handler) findShop(ctx context.Context, text string) (found[place], error) {
	f, err := h.findCalled(ctx, text)
	switch {
	case err != nil:
		return f, err
	case !f.settled():
		return h.placesNear(ctx, text)
	case f.one.chain == "":
		return f, nil
	}
	branches, err := h.shops(ctx, "", store.Contains, f.one.chain, maxCandidates+1)
	return oneOf[place](options(branches, shopOption)), err
}

// findCalled takes steps 1 to 6.
func (h *handler) findCalled(ctx context.Context, text string) (found[place], error) {
	steps := []func(context.Context, string) (found[place], error){h.placeNamed, h.placeContaining, h.branchNamed}
	for _, step := range steps {
		if f, err := step(ctx, text); err != nil || f.settled() {
			return f, err
		}
	}
	if bare := trimFillers(fold.String(text)); bare != "" {
		return h.placeContaining(ctx, bare)
	}
	return found[place]{}, nil
}

// placeNamed takes steps 1 to 3.
func (h *handler) placeNamed(ctx context.Context, text string) (found[place], error) {
	shops, err := h.shops(ctx, text, store.Exact, "", maxCandidates+1)
	if err != nil {
		return found[place]{}, err
	}
	more, err := longer(ctx, text, len(shops) > 0, func(number string) ([]store.Shop, error) {
		shops, err := h.shops(ctx, number, store.Exact, "", maxCandidates+1)
		return shopsNamed(shops, number), err
	})
	if err != nil {
		return found[place]{}, err
	}
	if named := append(shopsNamed(shops, text), more...); len(named) > 0 {
		return shopOrOptions(named), nil
	}
	chains, err := h.store.Chains(ctx, text, store.Exact, maxCandidates+1)
	if err != nil {
		return found[place]{}, err
	}
	if i := slices.IndexFunc(chains, func(c store.Chain) bool { return same(c.Name, text) }); i >= 0 {
		return exactly(place{chain: chains[i].Name}), nil
	}
	switch len(chains) {
	case 0:
		return shopOrOptions(shops), nil
	case 1:
		return exactly(place{chain: chains[0].Name}), nil
	}
	return oneOf[place](options(chains, chainOption)), nil
}

// shopsNamed returns those of shops whose name or ID text is.
func shopsNamed(shops []store.Shop, text string) []store.Shop {
	return slices.DeleteFunc(slices.Clone(shops), func(s store.Shop) bool { return !same(s.Name, text) && !same(s.ID, text) })
}

// placeContaining takes step 4.
func (h *handler) placeContaining(ctx context.Context, text string) (found[place], error) {
	chains, err := h.store.Chains(ctx, text, store.Contains, maxCandidates+1)
	if err != nil {
		return found[place]{}, err
	}
	// As many as there may be: one shop of another chain makes a difference.
	shops, err := h.shops(ctx, text, store.Contains, "", store.MaxLimit)
	if err != nil {
		return found[place]{}, err
	}
	if len(chains) == 0 {
		return shopOrOptions(shops), nil
	}
	others := slices.DeleteFunc(shops, func(s store.Shop) bool {
		return slices.ContainsFunc(chains, func(c store.Chain) bool { return c.Name == s.Chain })
	})
	if len(chains) == 1 && len(others) == 0 {
		return exactly(place{chain: chains[0].Name}), nil
	}
	return oneOf[place](slices.Concat(options(chains, chainOption), options(others, shopOption))), nil
}

// branchNamed takes step 5: what is left of text without the chain must be a
// part of the branch's name.
func (h *handler) branchNamed(ctx context.Context, text string) (found[place], error) {
	mentioned, mention, err := h.chainsMentioned(ctx, text)
	if err != nil || mention == "" {
		return found[place]{}, err
	}
	rest := strings.Replace(fold.String(text), mention, "", 1)
	bare := trimFillers(rest)
	if bare == "" { // KOKO的門市
		if len(mentioned) == 1 {
			return exactly(place{chain: mentioned[0]}), nil
		}
		return found[place]{}, nil
	}
	for _, part := range slices.Compact([]string{rest, bare}) {
		var shops []store.Shop
		for _, chain := range mentioned {
			some, err := h.shops(ctx, part, store.Contains, chain, maxCandidates+1)
			if err != nil {
				return found[place]{}, err
			}
			shops = append(shops, some...)
		}
		if f := shopOrOptions(shops); f.settled() {
			return f, nil
		}
	}
	return found[place]{}, nil
}

// chainsMentioned returns the chains whose name or alias, or the longest
// beginning of one, stands in text, and the folded words that mention them.
func (h *handler) chainsMentioned(ctx context.Context, text string) (names []string, mention string, err error) {
	chains, err := h.store.Chains(ctx, "", store.Contains, store.MaxLimit)
	if err != nil {
		return nil, "", err
	}
	folded := fold.String(text)
	for _, c := range chains {
		for _, form := range append([]string{c.Name}, c.Aliases...) {
			m := beginning(fold.String(form), folded)
			switch {
			case m == "" || len(m) < len(mention):
			case m == mention:
				names = append(names, c.Name)
			default:
				names, mention = []string{c.Name}, m
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), mention, nil
}

// beginning returns the longest beginning of name that stands in text, "" for
// one so short that it stands there by chance.
func beginning(name, text string) string {
	for name != "" {
		if strings.Contains(text, name) {
			if letters := utf8.RuneCountInString(name); letters >= 3 || letters == 2 && len(name) > letters {
				return name
			}
			return ""
		}
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return ""
}

// placesNear suggests what text may be a slip of.
func (h *handler) placesNear(ctx context.Context, text string) (found[place], error) {
	chains, err := h.store.Chains(ctx, text, store.Near, maxSuggestions)
	if err != nil {
		return found[place]{}, err
	}
	shops, err := h.shops(ctx, text, store.Near, "", maxSuggestions)
	if err != nil {
		return found[place]{}, err
	}
	near := slices.Concat(options(chains, chainOption), options(shops, shopOption))
	if len(near) == 0 { // a branch that the chain does not have
		mentioned, _, err := h.chainsMentioned(ctx, text)
		if err != nil {
			return found[place]{}, err
		}
		for _, chain := range mentioned {
			near = append(near, chainOption(store.Chain{Name: chain}))
		}
	}
	return none[place](near), nil
}

// shops asks the store for shops by what they are called.
func (h *handler) shops(ctx context.Context, text string, m store.Match, chain string, limit int) ([]store.Shop, error) {
	shops, _, err := h.store.Shops(ctx, store.ShopQuery{Text: text, Match: m, Chain: chain, Page: store.Page{Limit: limit}})
	return shops, err
}

// shopOrOptions is the only one of shops, or a choice.
func shopOrOptions(shops []store.Shop) found[place] {
	switch len(shops) {
	case 0:
		return found[place]{}
	case 1:
		return exactly(place{shop: shops[0]})
	}
	return oneOf[place](options(shops, shopOption))
}

// fillers are words that people put around a shop's name.
var fillers = foldAll("的", "在", "那家", "那間", "這家", "這間", "分店", "門市", "店", "the", "at", "store", "shop", "branch")

func foldAll(words ...string) []string {
	for i, w := range words {
		words[i] = fold.String(w)
	}
	return words
}

// trimFillers returns folded text without fillers at either end.
func trimFillers(text string) string {
	for {
		before := text
		for _, filler := range fillers {
			text = strings.TrimSuffix(strings.TrimPrefix(text, filler), filler)
		}
		if text == before {
			return text
		}
	}
}
