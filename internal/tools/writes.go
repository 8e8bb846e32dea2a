package tools

import (
	"context"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// writer is a tool that changes the stock. All of them answer alike.
type writer[In any] struct {
	name        string
	title       string
	description string
	destructive bool // it takes something away, or overwrites it
	idempotent  bool // a second call of the same changes nothing more
	params      params[In]
	plan        func(ctx context.Context, meta *mcp.Meta, in In) (plan, error)
}

// plan is a change that somebody asked for, with all its words understood.
type plan struct {
	say    language
	change any // a store.Move, store.Count or the like: what a yes is to
	do     func(context.Context, store.Once) (store.Receipt, error)
	again

	asks    bool     // for a second yes, however small it is
	counts  bool     // a yes is to the difference from the level there was
	missing *refused // what [store.ErrNotFound] means
}

// again is what every change takes for being asked for twice.
type again struct{ key, confirmation string }

// againParams are the arguments of an again.
func againParams[In any](of func(*In) *again) []param[In] {
	return []param[In]{
		{name: "idempotency_key", example: `"sale-20261103-17"`, maxLength: store.MaxKey,
			description: "Same key: done once",
			text:        func(in *In) *string { return &of(in).key }},
		{name: "confirmation", private: true, example: `"confirmation of the answer before"`, maxLength: maxSealed,
			description: "From the preview, once the user agreed",
			text:        func(in *In) *string { return &of(in).confirmation }},
	}
}

// registerWriter makes w callable on srv.
func registerWriter[In any](srv *mcpserver.MCPServer, h *handler, w writer[In]) {
	definition := mcp.Tool{
		Name:            w.name,
		Title:           w.title,
		Description:     w.description,
		RawInputSchema:  w.params.schema(),
		RawOutputSchema: outputSchema("changed"),
		Annotations: mcp.ToolAnnotation{
			Title:           w.title,
			ReadOnlyHint:    new(false),
			DestructiveHint: &w.destructive,
			IdempotentHint:  &w.idempotent,
			OpenWorldHint:   new(false),
		},
		Meta: h.metaOf(store.ScopeWrite, false),
	}
	h.traces[w.name] = w.params.traceCall
	srv.AddTool(definition, func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		r, err := w.write(ctx, h, q)
		return h.finish(ctx, w.name, r, err), nil
	})
}

func (w *writer[In]) write(ctx context.Context, h *handler, q mcp.CallToolRequest) (reply, error) {
	if call := store.CallFrom(ctx); call != nil && h.redact != nil {
		call.Client, call.Arguments = h.redact(call.Client), h.redact(call.Arguments) // nobody else sees it before it is kept
	}
	if err := h.permit(ctx, q.Params.Meta, store.ScopeWrite); err != nil {
		return nil, err
	}
	in, notes, err := w.params.decode(w.params.argumentsOf(q.Params), true)
	if err != nil {
		return nil, refuse(codeInvalidArgument, err.Error())
	}
	ctx = withNumbers(ctx, notes.numbers)
	p, err := w.plan(ctx, q.Params.Meta, in)
	if err != nil {
		return nil, err
	}
	r, err := h.change(withClient(ctx), q, p)
	if a, ok := r.(answer); ok {
		a.ignored = notes.ignored
		r = a
	}
	return r, err
}

// change does what p says, if need be after a second yes. Where the stock has
// moved since it was looked at, so that a yes is needed after all, it asks.
func (h *handler) change(ctx context.Context, q mcp.CallToolRequest, p plan) (reply, error) {
	for {
		r, err := h.tryChange(ctx, q, p)
		if !errors.Is(err, store.ErrOverLimit) || ctx.Err() != nil {
			return r, err
		}
	}
}

func (h *handler) tryChange(ctx context.Context, q mcp.CallToolRequest, p plan) (reply, error) {
	preview, err := p.do(ctx, store.Once{Key: p.key, DryRun: true})
	if err != nil {
		return nil, h.refusal(ctx, p, err)
	}
	once := store.Once{Most: &h.confirmAbove}
	if !preview.Replayed && (p.asks || size(preview) > h.confirmAbove) {
		var ask reply
		if once, ask, err = h.confirm(ctx, q, p, preview); err != nil || ask != nil {
			return ask, err
		}
		if p.counts {
			once.From = new(p.from(preview))
		}
	}
	once.Key = p.key
	receipt, err := p.do(ctx, once)
	switch {
	case err == nil:
		// It was made, and is told as made, even where no time is left.
		line, out := h.describe(context.WithoutCancel(ctx), p.say, receipt)
		return answer{say: p.say, text: h.doneLine(p.say, receipt, line), data: &out}, nil
	case errors.Is(err, store.ErrChanged):
		return nil, invalidConfirmation(p.say)
	}
	return nil, h.refusal(ctx, p, err)
}

// size is the most that a receipt changes anywhere, on hand or reserved.
func size(r store.Receipt) int64 {
	var most int64
	for _, l := range r.Levels {
		most = max(most, magnitude(l.After.OnHand-l.Before.OnHand), magnitude(l.After.Reserved-l.Before.Reserved))
	}
	return most
}

// from is the level that a yes to p holds for; zero where it holds for any.
func (p plan) from(preview store.Receipt) store.Level {
	if !p.counts || len(preview.Levels) == 0 {
		return store.Level{}
	}
	before := preview.Levels[0].Before
	return store.Level{OnHand: before.OnHand, Reserved: before.Reserved}
}

// doneLine is line, with the numbers by which to take it back.
func (h *handler) doneLine(say language, r store.Receipt, line string) string {
	if len(r.Movements) > 0 {
		line += say.say("；異動編號 %d", "; movement %d", r.Movements[0].ID)
	}
	if made := r.Reservation; made != nil && made.State == store.Held {
		line += say.say("；保留編號 %d", "; reservation %d", made.ID)
	}
	if r.Replayed {
		line = say.say("之前已經做過，沒有再做一次。", "Done before, and not again. ") + line
	}
	return line
}

// withClient returns a context in which the caller's program is known, where
// the request names it.
func withClient(ctx context.Context) context.Context {
	c := store.CallerFrom(ctx)
	if c.Client == "" {
		if c.Client = clientOf(ctx); c.Client != "" {
			return store.WithCaller(ctx, c)
		}
	}
	return ctx
}

// clientOf is the caller's program, "" where the request does not name it.
func clientOf(ctx context.Context) string {
	info := mcpserver.RequestProtocolInfoFromContext(ctx)
	if info == nil || info.ClientInfo == nil {
		return ""
	}
	return shorten(oneLine(info.ClientInfo.Name+" "+info.ClientInfo.Version), maxClient)
}

// maxClient bounds what a client may call itself, in characters.
const maxClient = 100
