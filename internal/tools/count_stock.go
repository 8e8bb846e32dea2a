package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type countStockInput struct {
	Store, Product string
	Quantity       int64
	Note           string
	again
}

func (h *handler) countStockTool() writer[countStockInput] {
	type in = countStockInput
	return writer[in]{
		name:        "count_stock",
		title:       "盤點 Count stock",
		description: `Set how many are on the shelf to what somebody counted there, reserved ones included. Where fewer are left than are reserved, the newest reservations are released.`,
		destructive: true,
		idempotent:  true,
		params: params[in]{list: append([]param[in]{
			storeParam(func(in *in) *string { return &in.Store }),
			productParam(func(in *in) *string { return &in.Product }),
			{name: "quantity", required: true, example: "12", maximum: store.MaxQuantity,
				description: "What was counted",
				integer:     func(in *in) *int64 { return &in.Quantity }},
			noteParam(func(in *in) *string { return &in.Note }),
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.countStock,
	}
}

func (h *handler) countStock(ctx context.Context, meta *mcp.Meta, in countStockInput) (plan, error) {
	say := languageOf(meta, in.Product, in.Store, in.Note)
	shop, product, err := h.aim(ctx, say, in.Store, in.Product)
	if err != nil {
		return plan{}, err
	}
	c := store.Count{ShopID: shop.ID, ProductID: product.ID, Quantity: in.Quantity, Note: in.Note}
	return plan{
		say: say, again: in.again, change: c, counts: true,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			c.Once = once
			return h.store.Count(ctx, c)
		},
		missing: notCarriedBy(say, shop, product),
	}, nil
}
