package tools

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools/card"
)

// A resource's URI is one of these and an ID, escaped.
const (
	storeScheme   = "store://"
	productScheme = "product://"
	idTemplate    = "{id}"
	jsonType      = "application/json"
)

// addResources offers stores and products by their IDs. Stores are listed as
// well, a page at a time; products would be too many.
func (h *handler) addResources(srv *mcpserver.MCPServer) {
	addCard(srv)
	srv.AddResourceTemplate(mcp.NewResourceTemplate(storeScheme+idTemplate, "store",
		mcp.WithTemplateTitle("門市 Store"),
		mcp.WithTemplateDescription("A store: name, chain, address, place and opening hours."),
		mcp.WithTemplateMIMEType(jsonType),
	), h.readResource)
	srv.AddResourceTemplate(mcp.NewResourceTemplate(productScheme+idTemplate, "product",
		mcp.WithTemplateTitle("商品 Product"),
		mcp.WithTemplateDescription("A product: names, numbers, price, and stock over all stores."),
		mcp.WithTemplateMIMEType(jsonType),
	), h.readResource)
}

func (h *handler) readResource(ctx context.Context, q mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	data, err := h.resource(ctx, q.Params.URI)
	if err != nil {
		return nil, h.failed(ctx, q.Params.URI, err)
	}
	return contents(q.Params.URI, data)
}

// resource is what uri names, or [store.ErrNotFound].
func (h *handler) resource(ctx context.Context, uri string) (any, error) {
	if id := idOf(uri, storeScheme); id != "" {
		shop, err := h.store.Shop(ctx, id)
		return refStore(shop, nil), err
	}
	p, err := h.store.Product(ctx, idOf(uri, productScheme))
	if err != nil {
		return nil, err
	}
	return h.detailsOf(ctx, p)
}

func contents(uri string, data any) ([]mcp.ResourceContents, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: uri, MIMEType: jsonType, Text: string(b)}}, nil
}

// uriOf is the URI of what has the given ID, with every character escaped
// that a template does not match as it is.
func uriOf(scheme, id string) string {
	return scheme + strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
}

// idOf is the ID that uri names, "" where it is no URI of the scheme. People
// write URIs by hand, and seldom escape Chinese.
func idOf(uri, scheme string) string {
	rest, ok := strings.CutPrefix(uri, scheme)
	if !ok {
		return ""
	}
	if id, err := url.PathUnescape(rest); err == nil {
		return id
	}
	return rest
}

// hooks do what mcp-go has no handlers for: a list that comes from the store,
// and "not found" for an ID that a template matches and nothing has.
func (h *handler) hooks() *mcpserver.Hooks {
	hooks := &mcpserver.Hooks{}
	hooks.AddBeforeReadResource(h.checkResource)
	hooks.AddBeforeListResources(h.checkStorePage)
	hooks.AddAfterListResources(h.fillStorePage)
	refuseCursors(hooks)
	return hooks
}

// checkResource makes the URI of what exists match its template, and that of
// what does not match none, which is what mcp-go answers "not found" to in the
// way of each protocol revision; an error of a handler would be an internal
// one. What follows the URI there tells the reason; package server shortens the
// URI.
func (h *handler) checkResource(ctx context.Context, _ any, q *mcp.ReadResourceRequest) {
	ctx, cancel := h.bounded(ctx)
	defer cancel()
	var err error
	defer h.rescue(ctx, q.Params.URI, &err)
	uri := q.Params.URI
	if !h.mayRead(ctx) {
		q.Params.URI = uri + " (reading needs the scope stock:read)"
		h.auditRequest(ctx, mcp.MethodResourcesRead, member{"uri", uri})(&forbidden{need: store.ScopeRead})
		return
	}
	if anyCard.MatchString(uri) {
		q.Params.URI = card.URI()
	} else if id := idOf(uri, storeScheme); id != "" {
		q.Params.URI = uriOf(storeScheme, id)
		_, err = h.store.Shop(ctx, id)
	} else if id := idOf(uri, productScheme); id != "" {
		q.Params.URI = uriOf(productScheme, id)
		_, err = h.store.Product(ctx, id)
	} else {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		q.Params.URI = uri + " (nothing has this ID; resources/list lists stores, search_products finds products)"
		h.auditRequest(ctx, mcp.MethodResourcesRead, member{"uri", uri})(nil)
	}
}

// refusedCursor is no base64, and so a cursor that mcp-go refuses.
const refusedCursor = "!"

// refuseCursors refuses any cursor of the lists that have a single page, and so
// never gave one out. Mcp-go would leave out what sorts before it.
func refuseCursors(hooks *mcpserver.Hooks) {
	refuse := func(cursor *mcp.Cursor) {
		if *cursor != "" {
			*cursor = refusedCursor
		}
	}
	hooks.AddBeforeListTools(func(_ context.Context, _ any, q *mcp.ListToolsRequest) { refuse(&q.Params.Cursor) })
	hooks.AddBeforeListPrompts(func(_ context.Context, _ any, q *mcp.ListPromptsRequest) { refuse(&q.Params.Cursor) })
	hooks.AddBeforeListResourceTemplates(func(_ context.Context, _ any, q *mcp.ListResourceTemplatesRequest) { refuse(&q.Params.Cursor) })
}

// checkStorePage refuses a page that is not to be had: fillStorePage, which
// has it, can refuse no more.
func (h *handler) checkStorePage(ctx context.Context, _ any, q *mcp.ListResourcesRequest) {
	ctx, cancel := h.bounded(ctx)
	defer cancel()
	var err error
	defer func() {
		if err != nil {
			q.Params.Cursor = refusedCursor
		}
	}()
	defer h.rescue(ctx, "resources/list", &err)
	_, _, err = h.storePage(ctx, q.Params.Cursor)
	if err != nil {
		if failedOutcome(err) == outcomeFailed {
			err = h.failed(ctx, "resources/list", err)
		}
		h.auditRequest(ctx, mcp.MethodResourcesList, member{"cursor", string(q.Params.Cursor)})(err)
	}
}

// fillStorePage puts a page of stores into the list.
func (h *handler) fillStorePage(ctx context.Context, _ any, q *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	ctx, cancel := h.bounded(ctx)
	defer cancel()
	var err error
	end := h.auditRequest(ctx, mcp.MethodResourcesList, member{"cursor", string(q.Params.Cursor)})
	defer func() { end(err) }()
	defer h.rescue(ctx, "resources/list", &err)
	var shops []store.Shop
	var next string
	shops, next, err = h.storePage(ctx, q.Params.Cursor)
	if err != nil {
		_ = h.failed(ctx, "resources/list", err)
		result.SetCacheHints(0, mcp.CacheScopePrivate)
		return
	}
	result.Resources = make([]mcp.Resource, len(shops))
	for i, s := range shops {
		result.Resources[i] = mcp.Resource{
			URI:         uriOf(storeScheme, s.ID),
			Name:        oneLine(s.Name),
			Description: oneLine(s.Address),
			MIMEType:    jsonType,
		}
	}
	result.NextCursor = mcp.Cursor(base64.StdEncoding.EncodeToString([]byte(next)))
}

// storePage returns a page of the stores. mcp-go takes cursors in base64 only.
func (h *handler) storePage(ctx context.Context, cursor mcp.Cursor) ([]store.Shop, string, error) {
	raw, err := base64.StdEncoding.DecodeString(string(cursor))
	switch {
	case !h.mayRead(ctx):
		return nil, "", &forbidden{need: store.ScopeRead}
	case err != nil:
		return nil, "", store.ErrBadCursor
	}
	return h.store.Shops(ctx, store.ShopQuery{Page: store.Page{Limit: store.MaxLimit, Cursor: string(raw)}})
}
