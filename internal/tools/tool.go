package tools

import (
	"context"
	"embed"
	"encoding/json"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// tool is a tool that reads: what clients are told of it, how its arguments
// are read, and what answers.
type tool[In any] struct {
	name        string
	title       string
	description string // for a model: when to call it, and what to send
	params      params[In]
	answer      func(ctx context.Context, meta *mcp.Meta, in In) (answer, error)
}

// reply is what a call comes to.
type reply interface {
	result() *mcp.CallToolResult
}

// answer is one answer, said twice.
type answer struct {
	text string // a line for people
	data any    // the same for programs
}

func (a answer) result() *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: a.text}},
		StructuredContent: a.data,
	}
}

// output holds a JSON Schema of each tool's answer.data.
//
//go:embed output/*.json
var output embed.FS

// outputSchema is the schema of the given name.
func outputSchema(name string) json.RawMessage {
	b, err := output.ReadFile("output/" + name + ".json")
	if err != nil {
		panic(err) // the tool was given no schema: no test gets past it
	}
	return b
}

// register makes t callable on srv.
func register[In any](srv *mcpserver.MCPServer, h *handler, t tool[In]) {
	definition := mcp.Tool{
		Name:            t.name,
		Title:           t.title,
		Description:     t.description,
		RawInputSchema:  t.params.schema(),
		RawOutputSchema: outputSchema(t.name),
		Annotations: mcp.ToolAnnotation{
			Title:           t.title,
			ReadOnlyHint:    new(true),
			DestructiveHint: new(false),
			IdempotentHint:  new(true),
			OpenWorldHint:   new(false),
		},
	}
	srv.AddTool(definition, func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		in, err := t.params.decode(q.Params.Arguments)
		if err != nil {
			return h.finish(ctx, t.name, nil, err), nil
		}
		a, err := t.answer(ctx, q.Params.Meta, in)
		return h.finish(ctx, t.name, a, err), nil
	})
}

// finish makes what a call came to into a result. What a model can mend or
// wait out is a failed result, which it reads, and not a protocol error, which
// it may never see.
func (h *handler) finish(ctx context.Context, tool string, r reply, err error) *mcp.CallToolResult {
	var result *mcp.CallToolResult
	if err != nil {
		result = h.explain(ctx, tool, err)
	} else {
		result = r.result()
	}
	if mcpserver.IsModernRequest(ctx) {
		// The revision of 2026 has every result name its server. Left to
		// mcp-go, that is title, instructions' worth of text and icon too.
		result.EnsureResultMeta().SetServerInfo(h.server)
	}
	return result
}

// explain is the result of a call that came to an error.
func (h *handler) explain(ctx context.Context, tool string, err error) *mcp.CallToolResult {
	var bad badArguments
	var no *refused
	switch {
	case errors.As(err, &bad):
		return failure(bad)
	case errors.As(err, &no):
		result := failure(no)
		result.StructuredContent = no
		return result
	case errors.Is(err, store.ErrBadCursor):
		return failure(badArguments("cursor must be the next_cursor of the page before, sent with the same other arguments; leave it out for the first page"))
	}
	tell := h.failed(ctx, tool, err)
	if errors.Is(err, store.ErrUncertain) {
		tell = errUncertain
	}
	return failure(tell)
}

// failure is the result of a call that failed, which says err.
func failure(err error) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content: []mcp.Content{mcp.TextContent{Type: "text", Text: err.Error()}},
		IsError: true,
	}
}
