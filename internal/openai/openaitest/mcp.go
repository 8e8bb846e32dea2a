package openaitest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// What OpenAI says of itself, and the revisions that it speaks.
const (
	userAgent  = "openai-mcp/1.0.0"
	modern     = "2026-07-28"
	handshaken = "2025-11-25"
	discoverID = "openai-mcp-discover"
)

// mcpServer is an MCP server that is attached to a request.
type mcpServer struct {
	stand  *Server
	tool   tool
	tools  []listedTool
	legacy bool // it was initialized, rather than discovered
	known  bool // which of the two
	lastID int
}

// listedTool is a tool that a server has.
type listedTool struct {
	name     string
	readOnly bool
	raw      struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"inputSchema"`
		Annotations json.RawMessage `json:"annotations"`
	}
}

// read sets what calls depend on.
func (t *listedTool) read() {
	var hints struct {
		ReadOnly bool `json:"readOnlyHint"`
	}
	_ = json.Unmarshal(t.raw.Annotations, &hints) // without any, it is not read-only
	t.name, t.readOnly = t.raw.Name, hints.ReadOnly
}

// object is the tool as mcp_list_tools has it.
func (t listedTool) object() object {
	return object{"name": t.raw.Name, "description": orNull(t.raw.Description), "input_schema": t.raw.InputSchema, "annotations": t.raw.Annotations}
}

// list lists the tools, page by page.
func (m *mcpServer) list(ctx context.Context) error {
	if err := m.meet(ctx); err != nil {
		return err
	}
	for cursor := ""; ; {
		params := object{}
		if cursor != "" {
			params["cursor"] = cursor
		}
		var page struct {
			Tools      []json.RawMessage `json:"tools"`
			NextCursor string            `json:"nextCursor"`
		}
		if err := m.ask(ctx, "tools/list", params, &page); err != nil {
			return err
		}
		for _, raw := range page.Tools {
			var t listedTool
			if err := json.Unmarshal(raw, &t.raw); err != nil || t.raw.Name == "" || len(t.raw.InputSchema) == 0 {
				return says("Invalid tool in the list: %.100s", raw)
			}
			t.read()
			m.tools = append(m.tools, t)
		}
		if cursor = page.NextCursor; cursor == "" {
			return nil
		}
	}
}

// meet makes the handshake: of 2026-07-28, or else of 2025-11-25.
func (m *mcpServer) meet(ctx context.Context) error {
	if m.known {
		return nil
	}
	var told struct {
		SupportedVersions []string       `json:"supportedVersions"`
		Capabilities      map[string]any `json:"capabilities"`
	}
	err := m.ask(ctx, "server/discover", object{}, &told)
	if isRPC := errors.As(err, new(*rpcError)); err == nil {
		if !strings.Contains(strings.Join(told.SupportedVersions, " "), modern) || told.Capabilities["tools"] == nil {
			return says("Inconsistent answer to server/discover")
		}
		m.known = true
		return nil
	} else if status := statusOf(err); !isRPC && (status < 400 || status > 499 || status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests) {
		return err
	}
	m.legacy = true
	var agreed struct {
		ProtocolVersion string         `json:"protocolVersion"`
		Capabilities    map[string]any `json:"capabilities"`
	}
	if err := m.ask(ctx, "initialize", object{"protocolVersion": handshaken, "clientInfo": clientInfo, "capabilities": object{}}, &agreed); err != nil {
		return err
	}
	if agreed.ProtocolVersion == "" || agreed.Capabilities["tools"] == nil {
		return says("Inconsistent answer to initialize")
	}
	m.known = true
	_, err = m.post(ctx, object{"jsonrpc": "2.0", "method": "notifications/initialized"}, "")
	return err
}

var clientInfo = object{"name": "openai-mcp", "version": "1.0.0"}

// callResult is what a call came to.
type callResult struct {
	output     string // the texts of the result
	structured object
	failed     object // the error, or nil
}

// call calls a tool.
func (m *mcpServer) call(ctx context.Context, name, arguments string) *callResult {
	ctx, cancel := context.WithTimeout(ctx, m.stand.config.CallTimeout)
	defer cancel()
	var result struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
		Structured object `json:"structuredContent"`
		IsError    bool   `json:"isError"`
	}
	err := m.meet(ctx)
	if err == nil {
		err = m.ask(ctx, "tools/call", object{"name": name, "arguments": json.RawMessage(arguments)}, &result)
	}
	if rpc := (*rpcError)(nil); errors.As(err, &rpc) {
		return &callResult{failed: object{"type": "mcp_protocol_error", "code": rpc.Code, "message": rpc.Message}}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &callResult{failed: object{"type": "http_error", "code": http.StatusRequestTimeout, "message": "Request timed out"}}
	}
	if err != nil {
		return &callResult{failed: object{"type": "http_error", "code": statusOf(err), "message": err.Error()}}
	}
	var texts []string
	for _, c := range result.Content {
		texts = append(texts, c.Text)
	}
	if result.IsError {
		return &callResult{failed: object{"type": "mcp_tool_execution_error", "content": result.Content}}
	}
	return &callResult{output: strings.Join(texts, "\n"), structured: result.Structured}
}

// said is an error in OpenAI's words.
type said string

func (s said) Error() string { return string(s) }

func says(format string, args ...any) error { return said(fmt.Sprintf(format, args...)) }

// rpcError is an error that a server answered with.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return fmt.Sprintf("MCP error %d: %s", e.Code, e.Message) }

// httpError is an answer that is none of MCP's.
type httpError struct {
	status int
	text   string
}

func (e *httpError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("Http status code: %d (%s) %s", e.status, http.StatusText(e.status), e.text))
}

func statusOf(err error) int {
	if e := (*httpError)(nil); errors.As(err, &e) {
		return e.status
	}
	return 0
}

// ask sends a request and reads its result into v.
func (m *mcpServer) ask(ctx context.Context, method string, params object, v any) error {
	m.lastID++
	id := any(m.lastID)
	if method == "server/discover" {
		id = discoverID
	}
	if !m.legacy {
		params["_meta"] = object{
			"io.modelcontextprotocol/protocolVersion":    modern,
			"io.modelcontextprotocol/clientInfo":         clientInfo,
			"io.modelcontextprotocol/clientCapabilities": object{},
		}
	}
	name, _ := params["name"].(string)
	body, err := m.post(ctx, object{"jsonrpc": "2.0", "id": id, "method": method, "params": params}, name)
	if err != nil {
		return err
	}
	var answer struct {
		ID     any             `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil:
		return says("Invalid JSON-RPC message: %v", err)
	case fmt.Sprint(answer.ID) != fmt.Sprint(id):
		return says("Answer to another request: id %v, want %v", answer.ID, id)
	case answer.Error != nil:
		return answer.Error
	}
	return json.Unmarshal(answer.Result, v)
}

// post posts a message and returns the one that answers it.
func (m *mcpServer) post(ctx context.Context, message object, name string) ([]byte, error) {
	u, err := url.Parse(m.tool.ServerURL)
	if err != nil {
		return nil, &httpError{status: http.StatusBadRequest, text: "Invalid URL"}
	}
	if !m.stand.config.MayDial && !public(u) {
		return nil, &httpError{status: http.StatusFailedDependency, text: "The server could not be reached"}
	}
	body, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	method := message["method"].(string)
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	switch {
	case !m.legacy:
		req.Header.Set("Mcp-Protocol-Version", modern)
		req.Header.Set("Mcp-Method", method)
		if name != "" {
			req.Header.Set("Mcp-Name", name)
		}
	case method != "initialize":
		req.Header.Set("Mcp-Protocol-Version", handshaken)
	}
	for name, value := range m.tool.Headers {
		req.Header.Set(name, value)
	}
	if m.tool.Authorization != "" {
		req.Header.Set("Authorization", "Bearer "+m.tool.Authorization)
	}
	m.stand.recordRequest(req, body)
	resp, err := m.stand.mcp.Do(req)
	if err != nil {
		m.stand.record("no answer\n", nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &httpError{status: http.StatusFailedDependency, text: "The server could not be reached"}
	}
	defer resp.Body.Close()
	answer, err := read(resp)
	m.stand.record(fmt.Sprintf("%d\n", resp.StatusCode), answer)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		var known struct {
			Error *rpcError `json:"error"`
		}
		if json.Unmarshal(answer, &known) == nil && known.Error != nil && resp.StatusCode == http.StatusBadRequest {
			return nil, known.Error
		}
		return nil, &httpError{resp.StatusCode, ""}
	}
	return answer, nil
}

// public reports whether OpenAI could reach a server by this URL.
func public(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" && u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback() && !addr.IsPrivate())
}

// read reads an answer: JSON, or a stream that ends with it.
func read(resp *http.Response) ([]byte, error) {
	limited := io.LimitReader(resp.Body, 4<<20)
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media != "text/event-stream" {
		return io.ReadAll(limited)
	}
	var last []byte
	for lines := bufio.NewScanner(limited); lines.Scan(); {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok {
			last = bytes.Clone(bytes.TrimSpace(data))
		}
	}
	return last, nil
}
