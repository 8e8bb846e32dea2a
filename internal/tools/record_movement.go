package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type recordMovementInput struct {
	Store, Product       string
	Delta                int64
	Reason, Expiry, Note string
	again
}

func (h *handler) recordMovementTool() writer[recordMovementInput] {
	type in = recordMovementInput
	return writer[in]{
		name:        "record_movement",
		title:       "進出貨 Record movement",
		description: `Record a delivery, sale, waste or correction of one product in one store. Counts: count_stock; between stores: transfer_stock.`,
		destructive: true,
		params: params[in]{list: append([]param[in]{
			storeParam(func(in *in) *string { return &in.Store }),
			productParam(func(in *in) *string { return &in.Product }),
			{name: "delta", required: true, example: "-2", minimum: -store.MaxQuantity, maximum: store.MaxQuantity,
				description: "Above 0 in, below 0 out",
				integer:     func(in *in) *int64 { return &in.Delta }},
			{name: "reason", required: true, example: `"sale"`,
				oneOf: []string{string(store.Delivery), string(store.Sale), string(store.Waste), string(store.Correction)},
				text:  func(in *in) *string { return &in.Reason }},
			{name: "expiry", example: `"2026-11-30"`, maxLength: 10,
				description: "YYYY-MM-DD; else the earliest goes",
				text:        func(in *in) *string { return &in.Expiry }},
			noteParam(func(in *in) *string { return &in.Note }),
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.recordMovement,
	}
}

func (h *handler) recordMovement(ctx context.Context, meta *mcp.Meta, in recordMovementInput) (plan, error) {
	say := languageOf(meta, in.Product, in.Store, in.Note)
	if in.Expiry != "" {
		if _, err := store.ParseDate(in.Expiry); err != nil {
			return plan{}, refuse(codeInvalidArgument, "expiry: "+err.Error())
		}
	}
	shop, product, err := h.aim(ctx, say, in.Store, in.Product)
	if err != nil {
		return plan{}, err
	}
	m := store.Move{
		ShopID: shop.ID, ProductID: product.ID,
		Delta: in.Delta, Reason: store.Reason(in.Reason), Expiry: store.Date(in.Expiry), Note: in.Note,
	}
	return plan{
		say: say, again: in.again, change: m,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			m.Once = once
			return h.store.Move(ctx, m)
		},
		missing: notCarriedBy(say, shop, product),
	}, nil
}
