package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type releaseReservationInput struct {
	Reservation int64
	again
}

func (h *handler) releaseReservationTool() writer[releaseReservationInput] {
	type in = releaseReservationInput
	return writer[in]{
		name:        "release_reservation",
		title:       "放開保留 Release a reservation",
		description: `End a reservation before its time, so that what it held can be sold. Its number is in the answer of reserve_stock, and in stock_history.`,
		destructive: true,
		idempotent:  true,
		params: params[in]{list: append([]param[in]{
			{name: "reservation", required: true, example: "17", minimum: 1, maximum: maxNumber,
				integer: func(in *in) *int64 { return &in.Reservation }},
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.releaseReservation,
	}
}

func (h *handler) releaseReservation(_ context.Context, meta *mcp.Meta, in releaseReservationInput) (plan, error) {
	say := languageOf(meta) // a number is in no language
	r := store.Release{Reservation: in.Reservation}
	return plan{
		say: say, again: in.again, change: r,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			r.Once = once
			return h.store.Release(ctx, r)
		},
		missing: refuse(codeUnknownReservation, say.say("沒有保留 %d；stock_history 會列出保留中的", "There is no reservation %d; stock_history lists those that are held", in.Reservation)),
	}, nil
}
