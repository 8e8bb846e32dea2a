package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type searchProductsInput struct {
	Query, Store, Category string
	InStock                bool
	Limit                  int64
	Cursor                 string
}

func (h *handler) searchProductsTool() tool[searchProductsInput] {
	type in = searchProductsInput
	return tool[in]{
		name:        "search_products",
		title:       "找商品 Search products",
		description: `Find products by part of a name, store, category or stock: "which teas does KOKO便利店 have?". All conditions must hold; none lists everything. It tells names and prices, not quantities: for those, call check_stock.`,
		params: params[in]{list: []param[in]{
			{name: "query", example: `"茶"`, maxLength: 200,
				description: "Part of a name in any language, or a SKU or barcode",
				text:        func(in *in) *string { return &in.Query }},
			{name: "store", example: `"KOKO便利店"`, maxLength: 200,
				description: "Only what this store or chain carries",
				text:        func(in *in) *string { return &in.Store }},
			{name: "category", example: `"飲料"`, maxLength: 100,
				description: "Only this category, as results name it",
				text:        func(in *in) *string { return &in.Category }},
			{name: "in_stock", example: "true",
				description: "Only what is available there",
				boolean:     func(in *in) *bool { return &in.InStock }},
			{name: "limit", example: "20", minimum: 1, maximum: store.MaxLimit,
				description: "Products a page; default 20",
				integer:     func(in *in) *int64 { return &in.Limit }},
			{name: "cursor", example: `"next_cursor of the page before"`, maxLength: 500,
				description: "next_cursor of the page before",
				text:        func(in *in) *string { return &in.Cursor }},
		}},
		answer: h.searchProducts,
	}
}

// productList is the answer of search_products.
type productList struct {
	Status status `json:"status"`
	annotations
	Store    *shopRef      `json:"store,omitempty"` // the shop asked about
	Chain    string        `json:"chain,omitempty"` // or else the chain
	Products []productItem `json:"products"`
	choices
}

type productItem struct {
	productRef
	Category string `json:"category"`
	Unit     string `json:"unit"`
	Price    string `json:"price,omitempty"`
	Currency string `json:"currency,omitempty"`
}

func (h *handler) searchProducts(ctx context.Context, meta *mcp.Meta, in searchProductsInput) (answer, error) {
	say := languageOf(meta, in.Query, in.Store, in.Category)
	out := productList{Status: statusFound, Products: []productItem{}}
	q := store.ProductQuery{
		Text: in.Query, Category: in.Category, InStock: in.InStock,
		Page: store.Page{Limit: int(in.Limit), Cursor: in.Cursor},
	}
	if in.Store != "" {
		f, err := h.findPlace(ctx, in.Store)
		if err != nil {
			return answer{}, err
		}
		if !f.ok {
			out.Status, out.choices = f.status(unknownStore), f.choices()
			return answer{say: say, text: f.ask(say, in.Store, unknownStore), data: &out}, nil
		}
		if out.Chain, q.Chain = oneLine(f.one.chain), f.one.chain; f.one.chain == "" {
			out.Store, q.ShopID = new(refShop(f.one.shop)), f.one.shop.ID
		}
	}
	products, next, err := h.search(ctx, q)
	if err != nil {
		return answer{}, err
	}
	if len(products) == 0 {
		return h.noProducts(ctx, say, in, out)
	}
	names := namesOf(say, options(products, productOption))
	for _, p := range products {
		out.Products = append(out.Products, refItem(p))
	}
	out.NextCursor = next
	line := say.say("%d 項商品：%s", "%d products: %s", len(products), say.rows(names, next != ""))
	return answer{say: say, text: page(say, line, in.Cursor, next), data: &out}, nil
}

// search asks for products by a part of their names or, where that finds
// none, by their numbers, which are known in full only.
func (h *handler) search(ctx context.Context, q store.ProductQuery) ([]store.Product, string, error) {
	products, next, err := h.store.Products(ctx, q)
	if err == nil && len(products) == 0 && q.Text != "" && q.Cursor == "" {
		q.Match = store.Exact
		products, next, err = h.store.Products(ctx, q)
	}
	return products, next, err
}

// noProducts answers that there are none, and what the query fits without the
// other conditions, or what it may be a slip of.
func (h *handler) noProducts(ctx context.Context, say language, in searchProductsInput, out productList) (answer, error) {
	out.Status = statusNone
	line := say.say("沒有符合的商品", "No product matches")
	if in.Query == "" {
		if in.Category != "" {
			line += say.say("；不填 category 可以看到有哪些分類", "; without category, the results show which there are")
		}
		return answer{say: say, text: line, data: &out}, nil
	}
	f, err := h.findProduct(ctx, in.Query)
	if err != nil {
		return answer{}, err
	}
	if f.ok {
		f.options = []option{productOption(f.one)}
	}
	if out.Suggestions = f.options; len(f.options) == 0 {
		return answer{say: say, text: line, data: &out}, nil
	}
	if f.settled() {
		line += say.say("；不限條件則有：%s", "; without the other conditions: %s", say.rows(f.names(say), f.more))
	} else {
		line += say.say("，是不是：%s？", ". Did you mean: %s?", say.rows(f.names(say), f.more))
	}
	return answer{say: say, text: line, data: &out}, nil
}

func refItem(p store.Product) productItem {
	return productItem{refProduct(p), oneLine(p.Category), oneLine(p.Unit), p.Price, p.Currency}
}
