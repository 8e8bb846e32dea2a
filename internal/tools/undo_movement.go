package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type undoMovementInput struct {
	Movement int64
	Note     string
	again
}

func (h *handler) undoMovementTool() writer[undoMovementInput] {
	type in = undoMovementInput
	return writer[in]{
		name:        "undo_movement",
		title:       "復原異動 Undo a movement",
		description: `Reverse a movement, and all that was done in one go with it, by a movement that says so. Its number is in the answer of the change, and in stock_history. Always asks for confirmation.`,
		destructive: true,
		idempotent:  true,
		params: params[in]{list: append([]param[in]{
			{name: "movement", required: true, example: "1234", minimum: 1, maximum: maxNumber,
				integer: func(in *in) *int64 { return &in.Movement }},
			noteParam(func(in *in) *string { return &in.Note }),
		}, againParams(func(in *in) *again { return &in.again })...)},
		plan: h.undoMovement,
	}
}

func (h *handler) undoMovement(_ context.Context, meta *mcp.Meta, in undoMovementInput) (plan, error) {
	say := languageOf(meta, in.Note)
	u := store.Undo{Movement: in.Movement, Note: in.Note}
	return plan{
		say: say, again: in.again, change: u, asks: true,
		do: func(ctx context.Context, once store.Once) (store.Receipt, error) {
			u.Once = once
			return h.store.Undo(ctx, u)
		},
		missing: refuse(codeUnknownMovement, say.say("沒有異動 %d；stock_history 會列出異動", "There is no movement %d; stock_history lists them", in.Movement)),
	}, nil
}
