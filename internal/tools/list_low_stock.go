package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type listLowStockInput struct {
	Store     string
	Threshold *int64
	Limit     int64
	Cursor    string
}

func (h *handler) listLowStockTool() tool[listLowStockInput] {
	type in = listLowStockInput
	return tool[in]{
		name:        "list_low_stock",
		title:       "缺貨清單 List low stock",
		description: `What runs out and should be ordered: products available at or below their reorder point, least first, in a store, a chain, or everywhere.`,
		params: params[in]{list: append([]param[in]{
			placeParam(func(in *in) *string { return &in.Store }),
			{name: "threshold", example: "5", maximum: store.MaxQuantity,
				description: "Instead of the reorder points: available at or below this; 0 is sold out",
				integer:     func(in *in) *int64 { in.Threshold = new(int64); return in.Threshold }},
		}, pageParams(func(in *in) (*int64, *string) { return &in.Limit, &in.Cursor })...)},
		card:   true,
		answer: h.listLowStock,
	}
}

// lowList is the answer of list_low_stock.
type lowList struct {
	Status status `json:"status"`
	annotations
	Store *shopRef  `json:"store,omitempty"` // the shop asked about
	Chain string    `json:"chain,omitempty"` // or else the chain
	Items []lowItem `json:"items"`
	choices
}

type lowItem struct {
	Store   shopRef    `json:"store"`
	Product productRef `json:"product"`
	quantities
	Unit         string `json:"unit,omitempty"`
	ReorderPoint int64  `json:"reorder_point"`
	Shortfall    int64  `json:"shortfall"` // below the reorder point, or the threshold
}

func (h *handler) listLowStock(ctx context.Context, meta *mcp.Meta, in listLowStockInput) (answer, error) {
	say := languageOf(meta, in.Store)
	out := lowList{Status: statusFound, Items: []lowItem{}}
	where, ask, err := h.within(ctx, say, in.Store)
	if err != nil {
		return answer{}, err
	}
	if ask != nil {
		out.Status, out.choices = ask.status, ask.choices
		return answer{say: say, text: ask.text, data: &out}, nil
	}
	out.Store, out.Chain = where.refs()
	low, next, err := h.store.LowStock(ctx, store.LowStockQuery{
		ShopID: where.shop.ID, Chain: where.chain, Threshold: in.Threshold,
		Page: store.Page{Limit: int(in.Limit), Cursor: in.Cursor},
	})
	if err != nil {
		return answer{}, err
	}
	if out.NextCursor = next; len(low) == 0 {
		out.Status = statusNone
		return answer{say: say, text: where.prefix(say) + say.say("沒有缺貨的商品", "nothing runs out"), data: &out}, nil
	}
	lines := make([]string, len(low))
	for i, l := range low {
		item := lowItem{refShop(l.Shop), refProduct(l.Product), h.refLevel(l.Level), oneLine(l.Product.Unit), l.Product.ReorderPoint, 0}
		want := l.Product.ReorderPoint
		if in.Threshold != nil {
			want = *in.Threshold
		}
		item.Shortfall = max(0, want-l.Available())
		out.Items = append(out.Items, item)
		lines[i] = where.item(say, l.Shop, l.Product) + " " + say.left(item.quantities, l.Product)
		if in.Threshold == nil {
			lines[i] += say.say("（補貨點 %d，少 %d）", " (reorder at %d, %d short)", want, item.Shortfall)
		}
	}
	line := say.say("%d 項要補貨", "%d to reorder", len(low))
	if in.Threshold != nil {
		line = say.say("%d 項可賣的不超過 %d", "%d with at most %d available", len(low), *in.Threshold)
	}
	line += say.say("：", ": ") + say.rows(lines, next != "")
	return answer{say: say, text: where.prefix(say) + page(say, line, in.Cursor, next), data: &out}, nil
}
