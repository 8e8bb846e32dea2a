package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type transferStockInput struct {
	From, To, Product string
	Quantity          int64
	Note              string
	again
}

func (h *handler) transferStockTool() writer[transferStockInput] {
	type in = transferStockInput
	return writer[in]{
		name:        "transfer_stock",
		title:       "調撥 Transfer stock",
		description: `Move goods from one store to another, in one step. Expiry dates go along, the earliest first.`,
		destructive: true,
		params: params[in]{list: append([]param[in]{
			{name: "from_store", required: true, example: `"KOKO便利店 大安店"`, maxLength: 200,
				description: "One store: name or ID",
				text:        func(in *in) *string { return &in.From }},
			{name: "to_store", required: true, example: `"KOKO便利店 信義店"`, maxLength: 200,
				text: func(in *in) *string { return &in.To }},
			productParam(func(in *in) *string { return &in.Product }),
			{name: "quantity", required: true, example: "3", minimum: 1, maximum: store.MaxQuantity,
				integer: func(in *in) *int64 { return &in.Quantity }},
			noteParam(func(in *in) *string { return &in.Note }),
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.transferStock,
	}
}

func (h *handler) transferStock(ctx context.Context, meta *mcp.Meta, in transferStockInput) (plan, error) {
	say := languageOf(meta, in.Product, in.From, in.To, in.Note)
	from, product, err := h.aim(ctx, say, in.From, in.Product)
	if err != nil {
		return plan{}, err
	}
	to, err := h.aimAtShop(ctx, say, in.To)
	if err != nil {
		return plan{}, err
	}
	t := store.Transfer{FromShopID: from.ID, ToShopID: to.ID, ProductID: product.ID, Quantity: in.Quantity, Note: in.Note}
	return plan{
		say: say, again: in.again, change: t,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			t.Once = once
			return h.store.Transfer(ctx, t)
		},
		missing: notCarriedBy(say, from, product),
	}, nil
}
