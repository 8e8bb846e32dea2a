package tools

import (
	"cmp"
	"context"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What the tools that list the stock of a place have in common.

func placeParam[In any](of func(*In) *string) param[In] {
	return param[In]{name: "store", example: `"KOKO便利店"`, maxLength: 200,
		description: "Store or chain; leave out for all", text: of}
}

// pageParams are the limit and the cursor.
func pageParams[In any](of func(*In) (limit *int64, cursor *string)) []param[In] {
	return []param[In]{
		{name: "limit", example: "20", minimum: 1, maximum: store.MaxLimit,
			description: "A page; default 20",
			integer:     func(in *In) *int64 { limit, _ := of(in); return limit }},
		{name: "cursor", example: `"next_cursor of the page before"`, maxLength: 500,
			description: "next_cursor of the page before",
			text:        func(in *In) *string { _, cursor := of(in); return cursor }},
	}
}

// page says of a line that it is of one page, where there are others.
func page(say language, line, cursor, next string) string {
	if cursor == "" && next == "" {
		return line
	}
	return say.say("本頁 ", "On this page, ") + line
}

// unclear is what to ask about words that mean no one place.
type unclear struct {
	status status
	choices
	text string
}

// within finds the place that text means, which is everywhere where it is
// empty, or what to ask about it.
func (h *handler) within(ctx context.Context, say language, text string) (place, *unclear, error) {
	if text == "" {
		return place{}, nil, nil
	}
	f, err := h.findPlace(ctx, text)
	if err != nil || f.ok {
		return f.one, nil, err
	}
	return place{}, &unclear{f.status(unknownStore), f.choices(), f.ask(say, text, unknownStore)}, nil
}

// refs are p as answers name it: a shop, or a chain, or neither.
func (p place) refs() (*shopRef, string) {
	if p.shop.ID == "" {
		return nil, oneLine(p.chain)
	}
	return new(refShop(p.shop)), ""
}

// prefix begins a sentence about p.
func (p place) prefix(say language) string {
	if p.everywhere() {
		return ""
	}
	return p.name() + say.say("：", ": ")
}

// item names what is in a list of p: a product, and where, so far as p does not
// say that.
func (p place) item(say language, s store.Shop, product store.Product) string {
	if p.shop.ID != "" {
		return say.product(product)
	}
	where := cmp.Or(oneLine(strings.TrimPrefix(s.Name, p.chain)), oneLine(s.Name))
	return say.say("%[1]s %[2]s", "%[2]s at %[1]s", where, say.product(product))
}
