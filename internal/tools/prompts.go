package tools

import (
	"context"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

const checkStockPrompt = "check_stock"

// addPrompts offers the question that most people come with.
func (h *handler) addPrompts(srv *mcpserver.MCPServer) {
	srv.AddPrompt(mcp.NewPrompt(checkStockPrompt,
		mcp.WithPromptTitle("還有幾個？ How many are left?"),
		mcp.WithPromptDescription("Ask how many of a product are left, in a store or everywhere."),
		mcp.WithArgument("product", mcp.RequiredArgument(),
			mcp.ArgumentTitle("商品 Product"), mcp.ArgumentDescription("What to look for, such as 茶葉蛋")),
		mcp.WithArgument("store",
			mcp.ArgumentTitle("門市 Store"), mcp.ArgumentDescription("A store or a chain; leave out for all stores")),
	), promptCheckStock)
}

func promptCheckStock(_ context.Context, q mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	product := shorten(oneLine(q.Params.Arguments["product"]), 200)
	shop := shorten(oneLine(q.Params.Arguments["store"]), 200)
	say := languageOf(q.Params.Meta, product, shop)
	var question string
	switch {
	case product == "":
		question = say.say("我想查庫存，請先問我要查哪一項商品。", "I want to check stock. First ask me for which product.")
	case shop == "":
		question = say.say("%s還有幾個？哪些門市有？", "How much %s is left, and which stores have it?", product)
	default:
		question = say.say("%[2]s的%[1]s還有幾個？", "How much %[1]s is left at %[2]s?", product, shop)
	}
	return mcp.NewGetPromptResult("", []mcp.PromptMessage{
		mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(question)),
	}), nil
}

// completions completes what a person types into the prompt and into the
// templates' URIs.
type completions struct{ *handler }

// CompletePromptArgument offers products and stores by name.
func (c completions) CompletePromptArgument(ctx context.Context, prompt string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	kind := ""
	if prompt == checkStockPrompt {
		kind = a.Name
	}
	return c.complete(ctx, prompt, kind, a, func(o option) string { return o.Name })
}

// CompleteResourceArgument offers the IDs of stores and products by name.
func (c completions) CompleteResourceArgument(ctx context.Context, uri string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	kind, ok := strings.CutSuffix(uri, "://"+idTemplate)
	if !ok || a.Name != "id" {
		kind = ""
	}
	return c.complete(ctx, uri, kind, a, func(o option) string { return o.ID })
}

// complete offers a value of each thing of a kind whose name has the argument's
// value in it. Of is what has the argument: a prompt or a template.
func (c completions) complete(ctx context.Context, of, kind string, a mcp.CompleteArgument, value func(option) string) (_ *mcp.Completion, err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	end := c.auditCompletion(ctx, of, a)
	if !c.mayRead(ctx) {
		end(&forbidden{need: store.ScopeRead})
		return &mcp.Completion{}, nil
	}
	defer func() { end(err) }()
	defer c.rescue(ctx, "completion/complete", &err)
	found, more, err := c.called(ctx, kind, shorten(oneLine(a.Value), 200))
	if err != nil {
		return nil, c.failed(ctx, "completion/complete", err)
	}
	out := &mcp.Completion{HasMore: more}
	for _, o := range found {
		if v := value(o); v != "" { // a chain has no ID
			out.Values = append(out.Values, v)
		}
	}
	return out, nil
}

// checkPrompt leaves an entry of a prompt that does not exist: no middleware
// sees it.
func (h *handler) checkPrompt(ctx context.Context, _ any, q *mcp.GetPromptRequest) {
	if q.Params.Name != checkStockPrompt {
		h.auditRequest(ctx, mcp.MethodPromptsGet, member{"name", q.Params.Name})(badArguments("no such prompt"))
	}
}

// called returns at most 100 things of a kind, which is MCP's bound too.
func (c completions) called(ctx context.Context, kind, text string) (found []option, more bool, err error) {
	page := store.Page{Limit: store.MaxLimit}
	switch kind {
	case "product":
		products, next, err := c.store.Products(ctx, store.ProductQuery{Text: text, Page: page})
		return options(products, productOption), next != "", err
	case "store":
		chains, err := c.store.Chains(ctx, text, store.Contains, maxCandidates)
		if err != nil {
			return nil, false, err
		}
		page.Limit -= len(chains)
		shops, next, err := c.store.Shops(ctx, store.ShopQuery{Text: text, Page: page})
		return append(options(chains, chainOption), options(shops, shopOption)...), next != "", err
	}
	return nil, false, nil
}
