package tools

import (
	"context"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type getProductInput struct {
	ID, Barcode string
}

func (h *handler) getProductTool() tool[getProductInput] {
	type in = getProductInput
	return tool[in]{
		name:        "get_product",
		title:       "商品資料 Product details",
		description: `One product in full: its names in all languages, numbers, price, and stock over all stores. Send its id, as other tools give it, or a scanned barcode, not both. By name, call check_stock.`,
		params: params[in]{exactlyOne: true, list: []param[in]{
			{name: "id", example: `"tea-egg"`, maxLength: 200,
				description: "product.id of another answer",
				text:        func(in *in) *string { return &in.ID }},
			{name: "barcode", example: `"4719972846795"`, maxLength: 64,
				description: "EAN, UPC or the like: the digits",
				text:        func(in *in) *string { return &in.Barcode }},
		}},
		answer: h.getProduct,
	}
}

// details is the answer of get_product.
type details struct {
	Status status `json:"status"`
	annotations
	Product *productFull `json:"product,omitempty"`
	*quantities
	StoreCount int `json:"store_count,omitempty"`
}

type productFull struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Names    map[string]string `json:"names,omitempty"`
	Aliases  []string          `json:"aliases,omitempty"`
	SKU      string            `json:"sku"`
	Barcodes []string          `json:"barcodes,omitempty"`
	Category string            `json:"category"`
	Unit     string            `json:"unit"`
	Price    string            `json:"price,omitempty"`
	Currency string            `json:"currency,omitempty"`
}

func (h *handler) getProduct(ctx context.Context, meta *mcp.Meta, in getProductInput) (answer, error) {
	say := languageOf(meta) // a number is in no language
	p, err := h.productByNumber(ctx, in)
	if errors.Is(err, store.ErrNotFound) {
		line := say.say("找不到商品%s；用名稱找請用 check_stock 或 search_products", "There is no product %s; to find it by name, use check_stock or search_products", say.quote(in.ID+in.Barcode))
		return answer{say: say, text: line, data: &details{Status: unknownProduct}}, nil
	}
	if err != nil {
		return answer{}, err
	}
	out, err := h.detailsOf(ctx, p)
	if err != nil {
		return answer{}, err
	}
	return answer{say: say, text: detailsLine(say, p, out), data: &out}, nil
}

// detailsOf is all there is to tell of p.
func (h *handler) detailsOf(ctx context.Context, p store.Product) (details, error) {
	total, err := h.store.Total(ctx, p.ID, "")
	if err != nil {
		return details{}, err
	}
	out := details{Status: notCarried, Product: &productFull{
		p.ID, oneLine(p.Name), p.Names, oneLines(p.Aliases), oneLine(p.SKU), p.Barcodes, oneLine(p.Category), oneLine(p.Unit), p.Price, p.Currency,
	}}
	for language, name := range p.Names {
		p.Names[language] = oneLine(name)
	}
	if total.Shops > 0 {
		out.StoreCount = total.Shops
		out.quantities, out.Status = h.count(total)
	}
	return out, nil
}

// productByNumber returns the product asked for, or [store.ErrNotFound].
func (h *handler) productByNumber(ctx context.Context, in getProductInput) (store.Product, error) {
	name, number, look := "barcode", in.Barcode, h.productsWithBarcode
	if number == "" {
		name, number, look = "id", in.ID, h.productsWithID
	}
	products, err := look(ctx, number)
	if err != nil {
		return store.Product{}, err
	}
	more, err := longer(ctx, number, len(products) > 0, func(number string) ([]store.Product, error) { return look(ctx, number) })
	if err != nil {
		return store.Product{}, err
	}
	switch products = distinct(products, more); len(products) {
	case 0:
		return store.Product{}, store.ErrNotFound
	case 1:
		return products[0], nil
	}
	return store.Product{}, badArguments(fmt.Sprintf("%s %s may have lost the zeros that it began with, and fits several products so: send it in quotes, with all its digits", name, number))
}

func (h *handler) productsWithBarcode(ctx context.Context, barcode string) ([]store.Product, error) {
	products, _, err := h.store.Products(ctx, store.ProductQuery{Barcode: barcode, Page: store.Page{Limit: 1}})
	return products, err
}

func (h *handler) productsWithID(ctx context.Context, id string) ([]store.Product, error) {
	p, err := h.store.Product(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return []store.Product{p}, err
}

func detailsLine(say language, p store.Product, out details) string {
	line := say.product(p)
	if other := oneLine(p.Names["en"]); say == zhTW && other != "" && other != line {
		line += fmt.Sprintf("（%s）", other)
	}
	if p.Price != "" {
		line += say.say("，%s %s", ", %s %s", p.Currency, p.Price)
	}
	if out.StoreCount == 0 {
		return line + say.say("，沒有門市販售", ", carried by no store")
	}
	return line + say.say("，%[1]d 間門市有賣，共 %[2]s", ", carried by %[1]d stores: %[2]s", out.StoreCount, say.left(*out.quantities, p))
}
