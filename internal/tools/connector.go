package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Connector says where people find what search and fetch tell of: it returns
// the absolute URLs of their pages.
type Connector struct {
	ShopPage    func(id string) string
	ProductPage func(id string) string
}

// The tools search and fetch are those by which OpenAI's deep research and
// company knowledge read, with the names and the shapes that these want:
// https://developers.openai.com/api/docs/mcp. The document that a result stands
// for is a store or a product, and its ID is the URI of the resource.

type searchInput struct{ Query string }

func (h *handler) searchTool() tool[searchInput] {
	return tool[searchInput]{
		name:        "search",
		title:       "搜尋 Search",
		description: `Find stores and products as documents to cite; fetch reads them. For a plain question about stock use check_stock.`,
		params: params[searchInput]{list: []param[searchInput]{
			{name: "query", required: true, example: `"KOKO 茶葉蛋"`, maxLength: 500,
				description: "Words that name products or stores",
				text:        func(in *searchInput) *string { return &in.Query }},
		}},
		answer: h.searchDocuments,
	}
}

type fetchInput struct{ ID string }

func (h *handler) fetchTool() tool[fetchInput] {
	return tool[fetchInput]{
		name:        "fetch",
		title:       "讀取 Fetch",
		description: `Read one document that search found: a store or a product, with its stock now.`,
		params: params[fetchInput]{list: []param[fetchInput]{
			{name: "id", required: true, example: `"product://TEA-EGG"`, maxLength: 500,
				description: "id of a result of search",
				text:        func(in *fetchInput) *string { return &in.ID }},
		}},
		answer: h.fetchDocument,
	}
}

// The answers of search and fetch have no message: their callers look for the
// same members as JSON in the text.

// foundDocuments is the answer of search.
type foundDocuments struct {
	Results []documentRef `json:"results"`
	Ignored []string      `json:"ignored,omitempty"`
}

func (d *foundDocuments) annotate(_ string, ignored []string) { d.Ignored = ignored }
func (d *foundDocuments) cursor() string                      { return "" }

type documentRef struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// document is the answer of fetch.
type document struct {
	documentRef
	Text     string            `json:"text"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Ignored  []string          `json:"ignored,omitempty"`
}

func (d *document) annotate(_ string, ignored []string) { d.Ignored = ignored }
func (d *document) cursor() string                      { return "" }

// maxDocuments bounds what search returns.
const maxDocuments = 20

func (h *handler) searchDocuments(ctx context.Context, meta *mcp.Meta, in searchInput) (answer, error) {
	say := languageOf(meta, in.Query)
	out := foundDocuments{Results: []documentRef{}}
	seen := make(map[string]bool)
	add := func(ref documentRef) {
		if !seen[ref.ID] && len(out.Results) < maxDocuments {
			seen[ref.ID] = true
			out.Results = append(out.Results, ref)
		}
	}
	// What the words mean as a whole comes first: a product, and where.
	f, err := h.matchProduct(ctx, in.Query)
	if err != nil {
		return answer{}, err
	}
	var where place
	if !f.settled() {
		if where, f, err = h.findBoth(ctx, in.Query, f); err != nil {
			return answer{}, err
		}
	}
	if f.ok {
		add(h.productRef(say, f.one))
	}
	if where.shop.ID != "" {
		add(h.shopRef(where.shop))
	}
	queries := append([]string{in.Query}, terms(in.Query)...)
	for i, words := range queries {
		if slices.Contains(queries[:i], words) {
			continue
		}
		if err := h.documentsFor(ctx, say, words, add); err != nil {
			return answer{}, err
		}
	}
	return answer{data: &out}, nil
}

// documentsFor adds the products and stores that have words in their names.
func (h *handler) documentsFor(ctx context.Context, say language, words string, add func(documentRef)) error {
	const each = 10
	products, _, err := h.search(ctx, store.ProductQuery{Text: words, Page: store.Page{Limit: each}})
	if err != nil {
		return err
	}
	for _, p := range products {
		add(h.productRef(say, p))
	}
	shops, _, err := h.store.Shops(ctx, store.ShopQuery{Text: words, Page: store.Page{Limit: each}})
	for _, s := range shops {
		add(h.shopRef(s))
	}
	return err
}

// terms are the words of a query, the first few.
func terms(query string) []string {
	const most = 8
	words := strings.FieldsFunc(query, func(r rune) bool {
		return r == '的' || unicode.IsSpace(r) || unicode.IsPunct(r) && r != '-'
	})
	return words[:min(len(words), most)]
}

func (h *handler) productRef(say language, p store.Product) documentRef {
	return documentRef{uriOf(productScheme, p.ID), say.product(p), h.connector.ProductPage(p.ID)}
}

func (h *handler) shopRef(s store.Shop) documentRef {
	return documentRef{uriOf(storeScheme, s.ID), oneLine(s.Name), h.connector.ShopPage(s.ID)}
}

func (h *handler) fetchDocument(ctx context.Context, meta *mcp.Meta, in fetchInput) (answer, error) {
	say := languageOf(meta)
	if id := idOf(in.ID, productScheme); id != "" {
		p, err := h.store.Product(ctx, id)
		if err == nil {
			return h.productDocument(ctx, say, p)
		} else if !errors.Is(err, store.ErrNotFound) {
			return answer{}, err
		}
	} else if id := idOf(in.ID, storeScheme); id != "" {
		s, err := h.store.Shop(ctx, id)
		if err == nil {
			return h.shopDocument(ctx, say, s)
		} else if !errors.Is(err, store.ErrNotFound) {
			return answer{}, err
		}
	}
	return answer{}, badArguments("there is no document with this id: send the id of a result of search, such as product://TEA-EGG, unchanged")
}

// productDocument tells of a product, and how much of it is where.
func (h *handler) productDocument(ctx context.Context, say language, p store.Product) (answer, error) {
	details, err := h.detailsOf(ctx, p)
	if err != nil {
		return answer{}, err
	}
	levels, next, err := h.store.Levels(ctx, store.LevelQuery{ProductID: p.ID, Page: store.Page{Limit: store.MaxLimit}})
	if err != nil {
		return answer{}, err
	}
	lines := []string{detailsLine(say, p, details)}
	for _, l := range levels {
		lines = append(lines, stockLineOf(say, oneLine(l.Shop.Name), l.Level, p))
	}
	lines = append(lines, rest(say, next)...)
	out := document{documentRef: h.productRef(say, p), Text: strings.Join(lines, "\n"), Metadata: map[string]string{
		"kind": "product", "sku": oneLine(p.SKU), "category": oneLine(p.Category), "unit": oneLine(p.Unit),
		"price": p.FullPrice(),
	}}
	if details.quantities != nil {
		out.Metadata["available"], out.Metadata["as_of"] = fmt.Sprint(details.Available), details.AsOf
	}
	return answer{data: out.known()}, nil
}

// shopDocument tells of a store, and how much of what it has.
func (h *handler) shopDocument(ctx context.Context, say language, s store.Shop) (answer, error) {
	products, next, err := h.store.Products(ctx, store.ProductQuery{ShopID: s.ID, Page: store.Page{Limit: store.MaxLimit}})
	if err != nil {
		return answer{}, err
	}
	lines := []string{oneLine(cmp.Or(strings.Join([]string{s.Name, s.Address, s.Hours}, " "), s.ID))}
	for _, p := range products {
		level, err := h.store.Level(ctx, s.ID, p.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // sold there a moment ago
		}
		if err != nil {
			return answer{}, err
		}
		lines = append(lines, stockLineOf(say, say.product(p), level, p))
	}
	lines = append(lines, rest(say, next)...)
	out := document{documentRef: h.shopRef(s), Text: strings.Join(lines, "\n"), Metadata: map[string]string{
		"kind": "store", "chain": oneLine(s.Chain), "address": oneLine(s.Address), "hours": oneLine(s.Hours),
	}}
	return answer{data: out.known()}, nil
}

// known leaves out of a document's metadata what is not known.
func (d *document) known() *document {
	for name, value := range d.Metadata {
		if value == "" {
			delete(d.Metadata, name)
		}
	}
	return d
}

// stockLineOf says how much of p there is under a name.
func stockLineOf(say language, name string, l store.Level, p store.Product) string {
	return say.say("%s：%s", "%s: %s", name, say.left(quantitiesOf(store.TotalOf(l)), p))
}

// rest says that a document does not tell all.
func rest(say language, next string) []string {
	if next == "" {
		return nil
	}
	return []string{say.say("……還有更多；check_stock 和 search_products 可以逐頁查詢", "… and more; check_stock and search_products list all, page by page")}
}
