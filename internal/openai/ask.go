package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/openai/openai-go/v3/responses"
)

// Ask asks a question and tells w of the answer as it comes. The error is an
// [*Error], that of ctx, or one that w returned; the conversation then goes on
// from where it was before the question.
func (c *Conversation) Ask(ctx context.Context, question string, w Watcher) error {
	before := c.last
	c.called = false
	input := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(question, responses.EasyInputMessageRoleUser)}
	for {
		asked, err := c.respond(ctx, input, w)
		if err != nil {
			c.last = before
			if known, ok := errors.AsType[*Error](err); ok {
				known.Changed = c.called && c.config.Writes
			}
			return err
		}
		if len(asked) == 0 {
			return nil
		}
		input = nil
		for _, request := range asked {
			yes, err := c.approve(ctx, request, w)
			if err != nil {
				c.last = before
				return err
			}
			input = append(input, responses.ResponseInputItemParamOfMcpApprovalResponse(request.ID, yes))
		}
	}
}

// approve decides about a request for approval.
func (c *Conversation) approve(ctx context.Context, request responses.ResponseOutputItemMcpApprovalRequest, w Watcher) (bool, error) {
	if c.always[request.Name] {
		return true, nil
	}
	decision, err := w.Approve(ctx, Call{Tool: request.Name, Arguments: request.Arguments})
	if err != nil {
		return false, err
	}
	if decision == Always {
		c.always[request.Name] = true
	}
	return decision != No, nil
}

// respond sends input and tells w what comes back. It returns the requests for
// approval that the response ends with.
func (c *Conversation) respond(ctx context.Context, input responses.ResponseInputParam, w Watcher) ([]responses.ResponseOutputItemMcpApprovalRequest, error) {
	limited, cancel := context.WithTimeoutCause(ctx, c.config.Timeout, errTimeout)
	defer cancel()
	stream := c.client.NewStreaming(limited, c.params(input))
	defer stream.Close()
	r := reading{watcher: w}
	defer func() { c.called = c.called || r.called }()
	begun := false
	for ; stream.Next(); begun = true {
		if err := r.event(stream.Current()); err != nil {
			return nil, c.explain(err, true)
		}
		if r.id != "" {
			c.last = r.id
			return r.asked, nil
		}
	}
	switch err := stream.Err(); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return nil, c.explain(context.Cause(limited), begun)
	case err != nil:
		return nil, c.explain(err, begun)
	}
	return nil, c.explain(io.ErrUnexpectedEOF, begun)
}

// reading is what a stream has told so far.
type reading struct {
	watcher  Watcher
	asked    []responses.ResponseOutputItemMcpApprovalRequest
	refusal  strings.Builder
	said     bool   // some of the answer was told
	called   bool   // a tool was called, be it that nobody knows what came of it
	listless string // why the tools could not be listed
	id       string // of the response, once it is complete
}

// event takes in the next event of a stream.
func (r *reading) event(e responses.ResponseStreamEventUnion) error {
	switch e.Type {
	case "response.output_text.delta":
		r.said = true
		r.watcher.Text(e.Delta)
	case "response.mcp_call.in_progress":
		r.called = true
	case "response.refusal.delta":
		r.refusal.WriteString(e.Delta)
	case "response.mcp_list_tools.failed":
		r.listless = "the tools could not be listed"
	case "response.output_item.done":
		r.item(e.Item)
	case "response.completed":
		switch {
		case e.Response.Status == responses.ResponseStatusFailed:
			return r.failed(string(e.Response.Error.Code), e.Response.Error.Message)
		case r.refusal.Len() > 0:
			return &Error{Kind: Refused, Message: r.refusal.String()}
		case r.listless != "":
			return &Error{Kind: ToolList, Message: r.listless}
		}
		r.id = e.Response.ID
	case "response.incomplete":
		return incomplete(e.Response.IncompleteDetails.Reason)
	case "response.failed":
		return r.failed(string(e.Response.Error.Code), e.Response.Error.Message)
	case "error":
		return r.failed(e.Code, e.Message)
	}
	return nil
}

// item takes in an item of the response that is done.
func (r *reading) item(i responses.ResponseOutputItemUnion) {
	switch i.Type {
	case "mcp_approval_request":
		r.asked = append(r.asked, i.AsMcpApprovalRequest())
	case "mcp_list_tools":
		if raw := i.AsMcpListTools().JSON.Error.Raw(); raw != "" && raw != "null" {
			r.listless = unquoted(raw)
		}
	case "message":
		r.message(i.AsMessage())
	case "mcp_call":
		r.called = true
		call := i.AsMcpCall()
		r.watcher.Called(Call{Tool: call.Name, Arguments: call.Arguments, Output: call.Output, Failed: whyFailed(call)})
	}
}

// message takes in a message that is done. What it says has mostly been told
// in pieces.
func (r *reading) message(m responses.ResponseOutputMessage) {
	for _, part := range m.Content {
		switch {
		case part.Type == "refusal" && r.refusal.Len() == 0:
			r.refusal.WriteString(part.Refusal)
		case part.Type == "output_text" && !r.said:
			r.watcher.Text(part.Text)
		}
	}
	r.said = false // the next message is another
}

func (r *reading) failed(code, message string) error {
	if r.listless != "" {
		return &Error{Kind: ToolList, Message: message}
	}
	return fromCode(code, message)
}

// whyFailed says why a call failed, "" where it did not.
func whyFailed(call responses.ResponseOutputItemMcpCall) string {
	raw := call.JSON.Error.Raw()
	if raw == "" || raw == "null" {
		if call.Status == "failed" || call.Status == "incomplete" {
			return "it did not come to an end"
		}
		return ""
	}
	switch e := call.Error; {
	case e.Type == "mcp_tool_execution_error" && e.JSON.Content.Valid():
		return contentText(e.Content)
	case e.Type == "http_error" && !strings.Contains(e.Message, strconv.FormatInt(e.Code, 10)):
		return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Code, e.Message))
	case e.Message != "":
		return e.Message
	}
	return unquoted(raw)
}

// unquoted is JSON as people read it: a text without its quotation marks.
func unquoted(raw string) string {
	var text string
	if json.Unmarshal([]byte(raw), &text) != nil {
		text = raw
	}
	return cmp.Or(strings.TrimSpace(text), "it failed")
}

// contentText is the text of a failed tool's content, which is what MCP has in
// a result's content, or a text.
func contentText(content any) string {
	if text, ok := content.(string); ok {
		return text
	}
	data, err := json.Marshal(content)
	if err != nil {
		return "the tool failed"
	}
	var parts []struct {
		Text string `json:"text"`
	}
	var texts []string
	if json.Unmarshal(data, &parts) == nil {
		for _, p := range parts {
			texts = append(texts, p.Text)
		}
	}
	if text := strings.TrimSpace(strings.Join(texts, "\n")); text != "" {
		return text
	}
	return string(data)
}
