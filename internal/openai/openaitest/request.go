package openaitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// request is a request for a response. Settings that change nothing here, such
// as metadata, are taken and not looked at.
type request struct {
	Model    string          `json:"model"`
	Input    json.RawMessage `json:"input"`
	Previous string          `json:"previous_response_id"`
	Tools    []tool          `json:"tools"`
	Stream   bool            `json:"stream"`

	before []item // the conversation so far
	input  []item
}

// tool is an MCP server that is attached to a request.
type tool struct {
	Type              string            `json:"type"`
	ServerLabel       string            `json:"server_label"`
	ServerURL         string            `json:"server_url"`
	ServerDescription string            `json:"server_description"`
	Authorization     string            `json:"authorization"`
	Headers           map[string]string `json:"headers"`
	AllowedTools      json.RawMessage   `json:"allowed_tools"`
	RequireApproval   json.RawMessage   `json:"require_approval"`
}

// item is an item of a conversation, be it put in or come out.
type item struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"` // a string, or parts

	ServerLabel string `json:"server_label"`
	Name        string `json:"name"`
	Arguments   string `json:"arguments"`
	Output      string `json:"output"`

	ApprovalRequestID string `json:"approval_request_id"`
	Approve           bool   `json:"approve"`

	Tools []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
		Annotations json.RawMessage `json:"annotations"`
	} `json:"tools"`

	tools  []listedTool // of mcp_list_tools
	result *callResult  // of mcp_call
}

// text is what a message says.
func (i item) text() string {
	var text string
	if json.Unmarshal(i.Content, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(i.Content, &parts)
	for _, p := range parts {
		text += p.Text
	}
	return text
}

// recall has the tools of an mcp_list_tools that came back count as listed.
func (i *item) recall() {
	for _, t := range i.Tools {
		var listed listedTool
		listed.raw.Name, listed.raw.Description, listed.raw.InputSchema, listed.raw.Annotations = t.Name, t.Description, t.InputSchema, t.Annotations
		listed.read()
		i.tools = append(i.tools, listed)
	}
}

var labels = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// read reads a request, and refuses what the API would.
func (s *Server) read(body []byte) (*request, *apiError) {
	bad := func(param, format string, args ...any) *apiError {
		return &apiError{http.StatusBadRequest, "invalid_request_error", param, fmt.Sprintf(format, args...), ""}
	}
	q := new(request)
	if err := json.Unmarshal(body, q); err != nil {
		return nil, bad("", "We could not parse the JSON body of your request: %v", err)
	}
	if !slices.Contains(s.config.Models, q.Model) {
		return nil, &apiError{http.StatusBadRequest, "invalid_request_error", "model", fmt.Sprintf("The requested model '%s' does not exist.", q.Model), "model_not_found"}
	}
	if q.Previous != "" {
		s.mu.Lock()
		before := s.responses[q.Previous]
		s.mu.Unlock()
		if before == nil {
			return nil, &apiError{http.StatusBadRequest, "invalid_request_error", "previous_response_id",
				fmt.Sprintf("Previous response with id '%s' not found.", q.Previous), "previous_response_not_found"}
		}
		q.before = before.items
	}
	if text := ""; json.Unmarshal(q.Input, &text) == nil {
		content, _ := json.Marshal(text)
		q.input = []item{{Type: "message", Role: "user", Content: content}}
	} else if err := json.Unmarshal(q.Input, &q.input); err != nil || len(q.input) == 0 {
		return nil, bad("input", "Missing required parameter: 'input'.")
	}
	for n := range q.input { // a client that keeps the conversation itself sends back what it got
		q.input[n].recall()
	}
	for _, i := range q.input {
		if i.Type == "mcp_approval_response" && !slices.ContainsFunc(q.items(), func(asked item) bool {
			return asked.Type == "mcp_approval_request" && asked.ID == i.ApprovalRequestID
		}) {
			return nil, bad("input", "No approval request with id '%s' found.", i.ApprovalRequestID)
		}
	}
	seen := make(map[string]bool)
	for i, t := range q.Tools {
		param := fmt.Sprintf("tools[%d]", i)
		switch {
		case t.Type != "mcp":
			return nil, bad(param+".type", "Invalid value: '%s'. This server takes 'mcp' alone.", t.Type)
		case !labels.MatchString(t.ServerLabel):
			return nil, bad(param+".server_label", "Invalid 'server_label': string does not match pattern. Expected a string that matches the pattern '%s'.", labels)
		case seen[t.ServerLabel]:
			return nil, bad(param+".server_label", "Duplicate server_label '%s' found.", t.ServerLabel)
		case t.ServerURL == "":
			return nil, bad(param, "Missing required parameter: one of 'server_url', 'connector_id' or 'tunnel_id' must be provided.")
		case t.Authorization != "" && hasAuthorization(t.Headers):
			return nil, bad(param+".authorization", "Cannot provide both 'authorization' and an Authorization header.")
		}
		if _, err := t.approval(); err != nil {
			return nil, bad(param+".require_approval", "%v", err)
		}
		seen[t.ServerLabel] = true
	}
	return q, nil
}

func hasAuthorization(headers map[string]string) bool {
	for name := range headers {
		if strings.EqualFold(name, "Authorization") {
			return true
		}
	}
	return false
}

// items are all that the model has before it.
func (q *request) items() []item { return slices.Concat(q.before, q.input) }

// filter is some of a server's tools.
type filter struct {
	ToolNames []string `json:"tool_names"`
	ReadOnly  *bool    `json:"read_only"`
}

// has reports whether a tool is one of those. One that fails either condition
// is not.
func (f *filter) has(t listedTool) bool {
	return f != nil && (f.ToolNames == nil || slices.Contains(f.ToolNames, t.name)) &&
		(f.ReadOnly == nil || *f.ReadOnly == t.readOnly)
}

// approval returns which calls need one: all, unless require_approval says
// otherwise.
func (t tool) approval() (needs func(listedTool) bool, err error) {
	always := func(listedTool) bool { return true }
	if t.RequireApproval == nil || string(t.RequireApproval) == "null" {
		return always, nil
	}
	switch string(t.RequireApproval) {
	case `"always"`:
		return always, nil
	case `"never"`:
		return func(listedTool) bool { return false }, nil
	}
	var by struct {
		Always *filter `json:"always"`
		Never  *filter `json:"never"`
	}
	dec := json.NewDecoder(bytes.NewReader(t.RequireApproval))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&by); err != nil || by.Always == nil && by.Never == nil {
		return nil, says("Invalid value: %s. Supported values are: 'always', 'never', and a filter object.", t.RequireApproval)
	}
	return func(t listedTool) bool { return by.Always.has(t) || !by.Never.has(t) }, nil
}

// allows reports whether the model may know of a tool.
func (t tool) allows(listed listedTool) bool {
	if t.AllowedTools == nil || string(t.AllowedTools) == "null" {
		return true
	}
	var names []string
	if json.Unmarshal(t.AllowedTools, &names) == nil {
		return slices.Contains(names, listed.name)
	}
	var f filter
	return json.Unmarshal(t.AllowedTools, &f) == nil && f.has(listed)
}
