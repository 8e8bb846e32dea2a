package tools

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type reserveStockInput struct {
	Store, Product string
	Quantity       int64
	Minutes        int64
	Note           string
	again
}

func (h *handler) reserveStockTool() writer[reserveStockInput] {
	type in = reserveStockInput
	return writer[in]{
		name:        "reserve_stock",
		title:       "保留 Reserve stock",
		description: `Hold goods for somebody until a time; they stay on the shelf and can't be sold meanwhile. The hold lapses by itself; release_reservation ends it early.`,
		params: params[in]{list: append([]param[in]{
			storeParam(func(in *in) *string { return &in.Store }),
			productParam(func(in *in) *string { return &in.Product }),
			{name: "quantity", required: true, example: "2", minimum: 1, maximum: store.MaxQuantity,
				integer: func(in *in) *int64 { return &in.Quantity }},
			{name: "minutes", example: "30", minimum: 1, maximum: int64(store.MaxHold / time.Minute),
				description: "How long; default 30",
				integer:     func(in *in) *int64 { return &in.Minutes }},
			noteParam(func(in *in) *string { return &in.Note }),
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.reserveStock,
	}
}

func (h *handler) reserveStock(ctx context.Context, meta *mcp.Meta, in reserveStockInput) (plan, error) {
	say := languageOf(meta, in.Product, in.Store, in.Note)
	shop, product, err := h.aim(ctx, say, in.Store, in.Product)
	if err != nil {
		return plan{}, err
	}
	r := store.Reserve{
		ShopID: shop.ID, ProductID: product.ID, Quantity: in.Quantity,
		For: time.Duration(in.Minutes) * time.Minute, Note: in.Note,
	}
	return plan{
		say: say, again: in.again, change: r,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			r.Once = once
			return h.store.Reserve(ctx, r)
		},
		missing: notCarriedBy(say, shop, product),
	}, nil
}
