package tools

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What a caller is told of a failure: what went wrong is for the log only.
var (
	errPanic    = errors.New("this call failed inside the server; other calls work")
	errDatabase = errors.New("the stock database did not answer; try again")
	errReplaced = errors.New("the stock database's file was moved, removed or replaced while the server was using it: try again once the owner has looked at the server's log, which says what to do")
	errLate     = errors.New("the stock database did not answer in time; try again in a moment")
	// A change may have been made although its answer was lost.
	errUncertain = errors.New("the stock database did not answer, and may or may not have made the change: look with stock_history before trying again, or try again with the same idempotency_key")
)

// rescue makes a panic into errPanic. It is deferred around everything that
// answers a request.
func (h *handler) rescue(ctx context.Context, what string, err *error) {
	if r := recover(); r != nil {
		h.log.ErrorContext(ctx, "panic while answering", "request", what, "panic", r, "stack", string(debug.Stack()))
		*err = errPanic
		h.came(ctx, nil, errPanic)
	}
}

// failed logs err and returns what to tell the caller. A caller who has left
// is no failure of ours.
func (h *handler) failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != context.Canceled {
		h.log.ErrorContext(ctx, "the store failed", "request", what, "err", err)
	}
	switch {
	case errors.Is(err, store.ErrReplaced):
		return errReplaced
	case errors.Is(err, context.DeadlineExceeded):
		return errLate
	}
	return errDatabase
}

// callTime is the usual [Config.CallTime].
const callTime = 10 * time.Second

// bounded returns a context in which the store has the time of one call, after
// which it neither goes on nor changes anything. The context of the whole
// request must not end with it: mcp-go would not send the answer.
func (h *handler) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, h.callTime)
}

func (h *handler) boundTool(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		ctx, cancel := h.bounded(ctx)
		defer cancel()
		return next(ctx, q)
	}
}

func (h *handler) boundResource(next mcpserver.ResourceHandlerFunc) mcpserver.ResourceHandlerFunc {
	return func(ctx context.Context, q mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		ctx, cancel := h.bounded(ctx)
		defer cancel()
		return next(ctx, q)
	}
}

func (h *handler) recoverTool(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, q mcp.CallToolRequest) (result *mcp.CallToolResult, err error) {
		defer func() {
			if err == errPanic { // a failed call, which a model may read
				result, err = failure(err), nil
			}
		}()
		defer h.rescue(ctx, q.Params.Name, &err)
		return next(ctx, q)
	}
}

func (h *handler) recoverResource(next mcpserver.ResourceHandlerFunc) mcpserver.ResourceHandlerFunc {
	return func(ctx context.Context, q mcp.ReadResourceRequest) (_ []mcp.ResourceContents, err error) {
		defer h.rescue(ctx, q.Params.URI, &err)
		return next(ctx, q)
	}
}

func (h *handler) recoverPrompt(next mcpserver.PromptHandlerFunc) mcpserver.PromptHandlerFunc {
	return func(ctx context.Context, q mcp.GetPromptRequest) (_ *mcp.GetPromptResult, err error) {
		defer h.rescue(ctx, q.Params.Name, &err)
		return next(ctx, q)
	}
}
