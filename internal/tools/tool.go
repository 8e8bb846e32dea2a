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

// answer is one answer, said twice.
type answer struct {
	text string // a line for people
	data any    // the same for programs
}

// output holds a JSON Schema of each tool's answer.data.
//
//go:embed output/*.json
var output embed.FS

// outputSchema is the schema of what the tool of the given name answers.
func outputSchema(tool string) json.RawMessage {
	b, err := output.ReadFile("output/" + tool + ".json")
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
		result := h.call(ctx, t.name, func() (answer, error) {
			in, err := t.params.decode(q.Params.Arguments)
			if err != nil {
				return answer{}, err
			}
			return t.answer(ctx, q.Params.Meta, in)
		})
		if mcpserver.IsModernRequest(ctx) {
			// The revision of 2026 has every result name its server. Left to
			// mcp-go, that is title, instructions' worth of text and icon too.
			result.EnsureResultMeta().SetServerInfo(h.server)
		}
		return result, nil
	})
}

// call makes what ask answers into a result. What a model can mend or wait
// out is a failed result, which it reads, and not a protocol error, which it
// may never see.
func (h *handler) call(ctx context.Context, tool string, ask func() (answer, error)) *mcp.CallToolResult {
	a, err := ask()
	var bad badArguments
	switch {
	case errors.As(err, &bad):
		return refusal(bad)
	case errors.Is(err, store.ErrBadCursor):
		return refusal(badArguments("cursor must be the next_cursor of the page before, sent with the same other arguments; leave it out for the first page"))
	case err != nil:
		return refusal(h.failed(ctx, tool, err))
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: a.text}},
		StructuredContent: a.data,
	}
}

// refusal is the result of a call that failed.
func refusal(err error) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content: []mcp.Content{mcp.TextContent{Type: "text", Text: err.Error()}},
		IsError: true,
	}
}
