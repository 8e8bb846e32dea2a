package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Outcomes of calls in the audit log, beside the [status] of what asks for a
// second yes or has got a no.
const (
	outcomeOK       = "ok"
	outcomeInvalid  = "invalid_argument"
	outcomeReplayed = "replayed"
	outcomeFailed   = "failed"
	outcomeRefused  = "refused: " // and a [code]
)

// auditTool has every call leave a trace: in the transaction of the change that
// it makes or, where it makes none, with Config.Audit.
func (h *handler) auditTool(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		call := h.begin(ctx, q.Params.Name, h.traces[q.Params.Name](q.Params, mostOf(store.CallerFrom(ctx))))
		defer h.end(call)
		result, err := next(store.WithCall(ctx, call), q)
		if call.Outcome == "" && result != nil && result.IsError {
			call.Outcome = outcomeInvalid // it was refused before the tool saw it
		}
		return result, err
	}
}

func (h *handler) auditResource(next mcpserver.ResourceHandlerFunc) mcpserver.ResourceHandlerFunc {
	return func(ctx context.Context, q mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		end := h.auditRequest(ctx, mcp.MethodResourcesRead, member{"uri", q.Params.URI})
		contents, err := next(ctx, q)
		end(err)
		return contents, err
	}
}

func (h *handler) auditPrompt(next mcpserver.PromptHandlerFunc) mcpserver.PromptHandlerFunc {
	return func(ctx context.Context, q mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		end := h.auditRequest(ctx, mcp.MethodPromptsGet, member{"name", q.Params.Name},
			member{"product", q.Params.Arguments["product"]}, member{"store", q.Params.Arguments["store"]})
		result, err := next(ctx, q)
		end(err)
		return result, err
	}
}

// auditRequest begins the entry of a request that is no call of a tool, with
// those of members that are not empty. The function that it returns ends it, with
// what the request came to.
func (h *handler) auditRequest(ctx context.Context, method mcp.MCPMethod, members ...member) (end func(error)) {
	if h.audit == nil {
		return func(error) {}
	}
	call := h.begin(ctx, string(method), traceTexts(ctx, members...))
	return func(err error) {
		if call.Outcome = outcomeOK; err != nil {
			call.Outcome = failedOutcome(err)
		}
		h.end(call)
	}
}

// completionEvery is how often a caller's completions leave an entry: there is
// one at each key that a person types.
const completionEvery = time.Minute

// maxCompleting is how many callers' completions are told apart.
const maxCompleting = 1024

// auditCompletion is auditRequest for a completion. Within completionEvery, only
// the first of a caller leaves an entry.
func (h *handler) auditCompletion(ctx context.Context, of string, a mcp.CompleteArgument) (end func(error)) {
	c := store.CallerFrom(ctx)
	who := c.ID + " " + c.Address
	now := h.now()
	if last, ok := h.completed.Get(who); ok && now.Sub(last) < completionEvery {
		return func(error) {}
	}
	h.completed.Add(who, now)
	return h.auditRequest(ctx, mcp.MethodCompletionComplete, member{"of", of}, member{"argument", a.Name}, member{"value", a.Value})
}

func (h *handler) begin(ctx context.Context, tool, arguments string) *store.Call {
	c := store.CallerFrom(ctx)
	return &store.Call{
		At:     h.now(),
		Caller: c.ID, Name: c.Name, Client: cmp.Or(c.Client, clientOf(ctx)), Address: c.Address,
		Tool: tool, Arguments: arguments,
	}
}

func (h *handler) end(call *store.Call) {
	if call.Recorded {
		return
	}
	call.Took = h.now().Sub(call.At)
	h.audit(*call)
}

// came notes what the call in ctx came to.
func (h *handler) came(ctx context.Context, r reply, err error) {
	if h.audit == nil {
		return
	}
	if call := store.CallFrom(ctx); call != nil && !call.Recorded {
		call.Outcome = outcomeOf(r, err)
	}
}

func outcomeOf(r reply, err error) string {
	if err != nil {
		return failedOutcome(err)
	}
	switch r := r.(type) {
	case inquiry:
		return string(statusUnconfirmed)
	case answer:
		if out, ok := r.data.(*changed); ok && out.Replayed {
			return outcomeReplayed
		} else if ok && out.Status != statusDone {
			return string(out.Status)
		}
	}
	return outcomeOK
}

func failedOutcome(err error) string {
	_, bad := errors.AsType[badArguments](err)
	no, isRefused := errors.AsType[*refused](err)
	_, isForbidden := errors.AsType[*forbidden](err)
	switch {
	case isForbidden:
		return outcomeRefused + string(codeInsufficientScope)
	case bad, isBadCursor(err), isRefused && no.Code == codeInvalidArgument:
		return outcomeInvalid
	case isRefused:
		return outcomeRefused + string(no.Code)
	}
	return outcomeFailed
}

// Bounds of the arguments in the audit log.
const (
	maxTraced = 200  // characters of a text
	maxTrace  = 2048 // bytes of all
	maxOfNone = 512  // likewise, of a caller whom nobody knows: they might fill a disk
)

// mostOf is how many bytes of arguments are kept of a caller's calls.
func mostOf(c store.Caller) int {
	if c.ID == "" {
		return maxOfNone
	}
	return maxTrace
}

// cut stands where something is left out.
const cut = `"…"`

// traceCall is trace for a call as it comes.
func (ps params[In]) traceCall(p mcp.CallToolParams, most int) string {
	return ps.trace(ps.argumentsOf(p), most)
}

// trace returns a call's arguments as JSON of at most so many bytes for the
// audit log, in the order of the parameters, without what is private or not
// among them.
func (ps params[In]) trace(arguments any, most int) string {
	args, ok := arguments.(map[string]any)
	if !ok && arguments != nil {
		return cut
	}
	b := append(make([]byte, 0, 256), '{')
	known := 0
	for i := range ps.list {
		p := &ps.list[i]
		if value, sent := args[p.name]; sent {
			known++
			start := len(b)
			b = appendName(b, p.name)
			named := len(b)
			b = fit(p.appendTrace(b, value), start, named, most)
		}
	}
	if known < len(args) {
		for _, name := range ps.others(args) {
			start := len(b)
			b = appendName(b, shorten(oneLine(name), 40))
			if b = fit(append(b, cut...), start, len(b), most); len(b) == start {
				break
			}
		}
	}
	return string(append(b, '}'))
}

// fit returns b, which ends with a member that begins at start and whose value
// begins at named, without that value where it is too long, and without all of
// it where that is not enough.
func fit(b []byte, start, named, most int) []byte {
	most -= len("}")
	if len(b) > most {
		b = append(b[:named], cut...)
	}
	if len(b) > most {
		b = b[:start]
	}
	return b
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendText(b, name), ':')
}

// appendTrace appends what the audit log keeps of a value: what the tool takes
// it for.
func (p *param[In]) appendTrace(b []byte, value any) []byte {
	if known := p.understand(value); known != nil {
		value = known
	}
	switch value := value.(type) {
	case nil, bool:
		return appendJSON(b, value)
	case string:
		if p.text != nil && !p.private {
			return appendText(b, oneLine(shorten(value, maxTraced)))
		}
	case float64:
		if whole := int64(value); float64(whole) == value && -maxNumber <= whole && whole <= maxNumber {
			return strconv.AppendInt(b, whole, 10)
		}
		return appendJSON(b, value)
	case json.Number:
		if !p.private && len(value) <= maxTraced {
			return append(b, value...)
		}
	case map[string]any:
		if p.point != nil {
			if at, problem := decodePoint(p.name, value); problem == "" {
				return fmt.Appendf(b, `{"latitude":%v,"longitude":%v}`, at.Latitude, at.Longitude)
			}
		}
	}
	return append(b, cut...)
}

// member is one of what the audit log keeps of a request.
type member struct{ name, text string }

// traceTexts returns those of members that are not empty as JSON, bounded as the
// arguments of calls are.
func traceTexts(ctx context.Context, members ...member) string {
	most := mostOf(store.CallerFrom(ctx))
	b := []byte{'{'}
	for _, m := range members {
		if m.text == "" {
			continue
		}
		start := len(b)
		b = appendName(b, m.name)
		named := len(b)
		b = fit(appendText(b, oneLine(shorten(m.text, maxTraced))), start, named, most)
	}
	return string(append(b, '}'))
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
		return appendJSON(b, s)
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendJSON appends a value that came as JSON.
func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return append(b, cut...)
	}
	return append(b, text...)
}
