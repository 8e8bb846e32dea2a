package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
		call := h.begin(ctx, q.Params.Name, h.traces[q.Params.Name](argumentsOf(q.Params), mostOf(store.CallerFrom(ctx))))
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
		call := h.begin(ctx, string(mcp.MethodResourcesRead), traceURI(q.Params.URI))
		defer h.end(call)
		contents, err := next(ctx, q)
		if call.Outcome = outcomeOK; err != nil {
			call.Outcome = outcomeFailed
		}
		return contents, err
	}
}

// auditNoResource leaves the trace of a resource that is read by nobody.
func (h *handler) auditNoResource(ctx context.Context, uri, outcome string) {
	if h.audit == nil {
		return
	}
	call := h.begin(ctx, string(mcp.MethodResourcesRead), traceURI(uri))
	call.Outcome = outcome
	h.end(call)
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
		names := ps.names()
		for _, name := range slices.Sorted(maps.Keys(args)) {
			if slices.Contains(names, name) {
				continue
			}
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

func traceURI(uri string) string {
	b := appendText([]byte(`{"uri":`), oneLine(shorten(uri, maxTraced)))
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
