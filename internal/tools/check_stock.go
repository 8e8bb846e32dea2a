package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type checkStockInput struct {
	Product, Store string
	Limit          int64
	Cursor         string
}

func (h *handler) checkStockTool() tool[checkStockInput] {
	return tool[checkStockInput]{
		name:        "check_stock",
		title:       "查庫存 Check stock",
		description: `How many of a product are left: in one store, in a chain (the sum and its branches), or, without store, everywhere, most first. Use this first for any question about stock. Pass what the user said, untranslated: 「KOKO便利店的茶葉蛋還有幾個」 is {"product":"茶葉蛋","store":"KOKO便利店"}.`,
		params: params[checkStockInput]{list: []param[checkStockInput]{
			{name: "product", required: true, example: `"茶葉蛋"`, maxLength: 200,
				description: "Name or part of it in any language, SKU, barcode or ID",
				text:        func(in *checkStockInput) *string { return &in.Product }},
			{name: "store", example: `"KOKO便利店"`, maxLength: 200,
				description: "Store or chain: name, part of it, or ID. Leave out for all",
				text:        func(in *checkStockInput) *string { return &in.Store }},
			{name: "limit", example: "20", minimum: 1, maximum: store.MaxLimit,
				description: "Stores a page; default 20",
				integer:     func(in *checkStockInput) *int64 { return &in.Limit }},
			{name: "cursor", example: `"next_cursor of the page before"`, maxLength: 500,
				description: "next_cursor of the page before",
				text:        func(in *checkStockInput) *string { return &in.Cursor }},
		}},
		card:   true,
		answer: h.checkStock,
	}
}

// checkStock finds what the words mean, and then how much there is.
func (h *handler) checkStock(ctx context.Context, meta *mcp.Meta, in checkStockInput) (answer, error) {
	say := languageOf(meta, in.Product, in.Store)
	var where place // everywhere
	if in.Store != "" {
		f, err := h.findPlace(ctx, in.Store)
		if err != nil {
			return answer{}, err
		}
		if !f.ok {
			return answer{say: say, text: f.ask(say, in.Store, unknownStore), data: &stock{Status: f.status(unknownStore), choices: f.choices()}}, nil
		}
		where = f.one
	}
	f, err := h.findProduct(ctx, in.Product)
	if err != nil {
		return answer{}, err
	}
	if !f.settled() && in.Store == "" {
		if where, f, err = h.findBoth(ctx, in.Product, f); err != nil {
			return answer{}, err
		}
	}
	if !f.ok {
		out := stock{Status: f.status(unknownProduct), choices: f.choices()}
		out.at(where)
		return answer{say: say, text: f.ask(say, in.Product, unknownProduct), data: &out}, nil
	}
	return h.stockOf(ctx, say, f.one, where, store.Page{Limit: int(in.Limit), Cursor: in.Cursor})
}

// stockOf answers how much of p there is somewhere; page is of the stores,
// where that is more than one.
func (h *handler) stockOf(ctx context.Context, say language, p store.Product, where place, page store.Page) (answer, error) {
	out := stock{Product: new(refProduct(p)), Unit: oneLine(p.Unit), Price: p.Price, Currency: p.Currency}
	out.at(where)
	var err error
	if where.shop.ID != "" {
		err = h.countShop(ctx, &out)
	} else {
		err = h.countShops(ctx, &out, where.chain, page)
	}
	// Whoever is held to one shop is told of no other, nor that there is none.
	if err == nil && out.Status != inStock && !where.everywhere() && store.CallerFrom(ctx).Shop == "" {
		err = h.lookElsewhere(ctx, &out)
	}
	if err != nil {
		return answer{}, err
	}
	name := where.name()
	if name == "" && store.CallerFrom(ctx).Shop != "" && len(out.Stores) == 1 { // all that they see
		name = out.Stores[0].Name
	}
	return answer{say: say, text: stockLine(say, name, p, out), data: &out}, nil
}

// countShop counts out's product in out's shop.
func (h *handler) countShop(ctx context.Context, out *stock) error {
	level, err := h.store.Level(ctx, out.Store.ID, out.Product.ID)
	if errors.Is(err, store.ErrNotFound) {
		out.Status = notCarried
		return nil
	}
	if err == nil {
		out.quantities, out.Status = h.count(store.TotalOf(level))
	}
	return err
}

// countShops counts out's product in a chain, or everywhere: the sum, and a page
// of the shops that carry it.
func (h *handler) countShops(ctx context.Context, out *stock, chain string, page store.Page) error {
	// Of a chain all branches that carry it count; elsewhere, those that have it.
	everywhere := chain == ""
	levels, next, err := h.store.Levels(ctx, store.LevelQuery{ProductID: out.Product.ID, Chain: chain, InStock: everywhere, Page: page})
	if err != nil {
		return err
	}
	total := sum(levels)
	if everywhere || page.Cursor != "" || next != "" { // these are not all
		if total, err = h.store.Total(ctx, out.Product.ID, chain); err != nil {
			return err
		}
	}
	out.Stores, out.NextCursor = h.refLevels(levels), next
	if out.StoreCount = total.Shops; total.Shops == 0 {
		out.Status = notCarried
		return nil
	}
	out.quantities, out.Status = h.count(total)
	return nil
}

// lookElsewhere lists a few shops that do have out's product.
func (h *handler) lookElsewhere(ctx context.Context, out *stock) error {
	levels, _, err := h.store.Levels(ctx, store.LevelQuery{ProductID: out.Product.ID, InStock: true, Page: store.Page{Limit: maxSuggestions}})
	out.AvailableAt, out.looked = h.refLevels(levels), true
	return err
}

// stockLine is the answer in one line, beginning with the place, which may be
// empty, and the product.
func stockLine(say language, where string, p store.Product, out stock) string {
	what := say.product(p)
	if out.Status == notCarried {
		line := say.say("沒有門市販售%s", "No store carries %s", what)
		if where != "" {
			line = say.say("%s沒有販售%s", "%s does not carry %s", where, what)
		}
		return line + elsewhere(say, out)
	}
	if where == "" {
		where = say.say("全部門市", "all stores")
	}
	line := say.say("%[1]s %[2]s：%[3]s", "%[2]s at %[1]s: %[3]s", where, what, say.left(*out.quantities, p))
	if have := counts(out.Stores, out.Chain); have != nil {
		line += say.say("（%s）", " (%s)", say.rows(have, out.NextCursor != ""))
	}
	return line + elsewhere(say, out)
}

// elsewhere says where else the product is to be had.
func elsewhere(say language, out stock) string {
	switch {
	case !out.looked:
		return ""
	case len(out.AvailableAt) == 0:
		return say.say("，其他門市也沒有", "; no other store has it")
	}
	return say.say("；有貨的門市：%s", "; available at %s", say.rows(counts(out.AvailableAt, ""), false))
}

// counts names the stores that have some, and how many, without the name of a
// chain that has been said already.
func counts(stores []storeStock, chain string) []string {
	var list []string
	for _, s := range stores {
		if s.Available > 0 {
			list = append(list, fmt.Sprint(cmp.Or(oneLine(strings.TrimPrefix(s.Name, chain)), oneLine(s.Name)), " ", s.Available))
		}
	}
	return list
}
