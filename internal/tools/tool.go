package tools

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"slices"
	"strings"

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
	card        bool // hosts show its answers as the stock card
	answer      func(ctx context.Context, meta *mcp.Meta, in In) (answer, error)
}

// reply is what a call comes to.
type reply interface {
	result() *mcp.CallToolResult
}

// answer is one answer in two forms. Some clients show a model the text alone,
// some the structure alone, so each has all that the model must know.
type answer struct {
	say     language
	text    string    // in words; if empty, the structure as JSON
	data    structure // for programs
	ignored []string  // the names of arguments that were
}

// structure is the structured form of an answer.
type structure interface {
	// annotate adds what is the same for all answers.
	annotate(message string, ignored []string)
	// cursor is that of the next page, "" where there is none.
	cursor() string
}

// annotations are what every answer's structure has.
type annotations struct {
	Message    string   `json:"message,omitempty"` // the answer in words
	Ignored    []string `json:"ignored,omitempty"` // arguments that were
	NextCursor string   `json:"next_cursor,omitempty"`
}

func (a *annotations) annotate(message string, ignored []string) {
	a.Message, a.Ignored = message, ignored
}

func (a *annotations) cursor() string { return a.NextCursor }

func (a answer) result() *mcp.CallToolResult {
	text := a.text
	if odd := slices.DeleteFunc(slices.Clone(a.ignored), isAddition); len(odd) > 0 {
		text += a.say.say("（沒有用到的參數：%s）", " (ignored arguments: %s)", strings.Join(odd, ", "))
	}
	a.data.annotate(text, a.ignored)
	if next := a.data.cursor(); next != "" {
		text += a.say.say("；下一頁的 cursor：%s", "; cursor of the next page: %s", next)
	}
	if a.text == "" {
		text = asJSON(a.data)
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: text}},
		StructuredContent: a.data,
	}
}

// asJSON is data of ours as JSON.
func asJSON(data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // it holds nothing but texts and numbers
	}
	return string(text)
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
		Meta: h.metaOf(store.ScopeRead, t.card),
	}
	h.traces[t.name] = t.params.traceCall
	srv.AddTool(definition, func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		a, err := t.read(ctx, h, q)
		return h.finish(ctx, t.name, a, err), nil
	})
}

func (t *tool[In]) read(ctx context.Context, h *handler, q mcp.CallToolRequest) (answer, error) {
	if err := h.permit(ctx, q.Params.Meta, store.ScopeRead); err != nil {
		return answer{}, err
	}
	in, notes, err := t.params.decode(t.params.argumentsOf(q.Params), false)
	if err != nil {
		return answer{}, err
	}
	a, err := t.answer(withNumbers(ctx, notes.numbers), q.Params.Meta, in)
	a.ignored = notes.ignored
	return a, err
}

// finish makes what a call came to into a result. What a model can mend or
// wait out is a failed result, which it reads, and not a protocol error, which
// it may never see.
func (h *handler) finish(ctx context.Context, tool string, r reply, err error) *mcp.CallToolResult {
	h.came(ctx, r, err)
	var result *mcp.CallToolResult
	if err != nil {
		result = h.explain(ctx, tool, err)
	} else {
		result = r.result()
	}
	h.nameServer(ctx, result)
	return result
}

// nameServer names the server in a result, as the revision of 2026 has it in
// every one. Left to mcp-go, that is title, description and icon too.
func (h *handler) nameServer(ctx context.Context, result interface{ EnsureResultMeta() *mcp.Meta }) {
	if mcpserver.IsModernRequest(ctx) {
		result.EnsureResultMeta().SetServerInfo(h.server)
	}
}

// explain is the result of a call that came to an error.
func (h *handler) explain(ctx context.Context, tool string, err error) *mcp.CallToolResult {
	var bad badArguments
	var no *refused
	var not *forbidden
	switch {
	case errors.As(err, &not):
		return not.result(h.auth.Challenge)
	case errors.As(err, &bad):
		return failure(bad)
	case errors.As(err, &no):
		if no.err != nil {
			_ = h.failed(ctx, tool, no.err)
		}
		result := failure(no)
		result.StructuredContent = no
		return result
	case isBadCursor(err):
		return failure(badArguments("cursor must be the next_cursor of the page before, sent with the same other arguments; leave it out for the first page"))
	}
	tell := h.failed(ctx, tool, err)
	if errors.Is(err, store.ErrUncertain) {
		tell = errUncertain
	}
	return failure(tell)
}

func isBadCursor(err error) bool { return errors.Is(err, store.ErrBadCursor) }

// failure is the result of a call that failed, which says err.
func failure(err error) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content: []mcp.Content{mcp.TextContent{Type: "text", Text: err.Error()}},
		IsError: true,
	}
}
