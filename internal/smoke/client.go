package smoke

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// revision is a version of the protocol.
type revision string

// From modern on, requests carry what used to be agreed on by initialize.
const modern revision = "2026-07-28"

// revisions are what a server must speak, in the order in which they are
// checked.
var revisions = []revision{modern, "2025-11-25", "2025-06-18"}

// maxAnswer is more than any answer to these checks needs.
const maxAnswer = 4 << 20

// client sends requests and keeps the server to the transport's rules.
type client struct {
	http   *http.Client
	header http.Header
	limit  time.Duration // for one request
	lastID int
}

func newClient(transport http.RoundTripper, header http.Header, limit time.Duration) *client {
	return &client{
		http: &http.Client{
			Transport: transport,
			// Clients of MCP do not follow redirects with a POST's body, and a
			// secret in a header must not travel on.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		header: header,
		limit:  limit,
	}
}

// session is what initialize agreed on.
type session struct {
	revision revision
	id       string // "" from a stateless server
}

// object is a JSON object.
type object = map[string]any

// reply is an HTTP answer.
type reply struct {
	id     int // of the request
	status int
	header http.Header
	media  string // the content type without its parameters
	body   []byte // in a stream, the message that answers the request
	tls    string // of the connection; "" where it has none
}

// message is the answer to a JSON-RPC request: an error, or else a result.
type message struct {
	result json.RawMessage
	err    *rpcError
}

type rpcError struct {
	Code    *int   `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return fmt.Sprintf("error %d: %s", *e.Code, e.Message) }

// call asks for method and returns the server's answer to it, which may be an
// error of the method's.
func (c *client) call(ctx context.Context, to *url.URL, s session, method string, params object) (message, error) {
	r, err := c.send(ctx, to, s, method, params)
	if err != nil {
		return message{}, err
	}
	return r.message()
}

// send posts a request and returns whatever is answered. It fails only where
// there is no answer.
func (c *client) send(ctx context.Context, to *url.URL, s session, method string, params object) (reply, error) {
	c.lastID++
	if s.revision >= modern {
		params = maps.Clone(params)
		if params == nil {
			params = object{}
		}
		params["_meta"] = object{
			"io.modelcontextprotocol/protocolVersion":    s.revision,
			"io.modelcontextprotocol/clientInfo":         clientInfo,
			"io.modelcontextprotocol/clientCapabilities": object{},
		}
	}
	request := object{"jsonrpc": "2.0", "id": c.lastID, "method": method}
	if params != nil {
		request["params"] = params
	}
	return c.post(ctx, to, s, request)
}

// notify posts a notification.
func (c *client) notify(ctx context.Context, to *url.URL, s session, method string) (reply, error) {
	return c.post(ctx, to, s, object{"jsonrpc": "2.0", "method": method})
}

var clientInfo = object{"name": "mcpstore-smoke", "version": "1"}

func (c *client) post(ctx context.Context, to *url.URL, s session, request object) (reply, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return reply{}, err
	}
	header := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/json, text/event-stream"},
	}
	if request["method"] != "initialize" {
		header.Set("MCP-Protocol-Version", string(s.revision))
	}
	if s.id != "" {
		header.Set("Mcp-Session-Id", s.id)
	}
	if s.revision >= modern {
		header.Set("Mcp-Method", request["method"].(string))
		if name, ok := request["params"].(object)["name"].(string); ok {
			header.Set("Mcp-Name", name)
		}
	}
	return c.do(ctx, http.MethodPost, to, header, body)
}

// do sends one HTTP request with the user's headers and reads the answer.
func (c *client) do(ctx context.Context, method string, to *url.URL, header http.Header, body []byte) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header = header
	req.Header.Set("User-Agent", "mcpstore-smoke")
	maps.Copy(req.Header, c.header)

	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, unreachable(err, to)
	}
	defer resp.Body.Close()
	r := reply{id: c.lastID, status: resp.StatusCode, header: resp.Header}
	r.media, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.TLS != nil {
		r.tls = describeTLS(resp.TLS)
	}
	if method != http.MethodPost {
		return r, nil // a stream's body might never end
	}
	limited := io.LimitReader(resp.Body, maxAnswer+1)
	if r.media == "text/event-stream" {
		r.body, err = readEvents(limited, r.id)
	} else {
		r.body, err = io.ReadAll(limited)
	}
	if err != nil {
		return reply{}, unreachable(err, to)
	}
	if len(r.body) > maxAnswer {
		return reply{}, wrong("the answer is larger than %d MiB", maxAnswer>>20)
	}
	return r, nil
}

// readEvents returns the message in a stream of server-sent events that
// answers the request id. Others, such as notifications, go unread.
func readEvents(body io.Reader, id int) ([]byte, error) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxAnswer)
	var data []byte
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			data = append(append(data, strings.TrimPrefix(text, " ")...), '\n')
			continue
		}
		if lines.Text() != "" { // another field, or a comment
			continue
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if json.Unmarshal(data, &m) == nil && m.Method == "" && string(m.ID) == fmt.Sprint(id) {
			return data, nil
		}
		data = nil
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, wrong("the answer is larger than %d MiB", maxAnswer>>20)
		}
		return nil, err
	}
	return nil, wrong("the event stream ended without an answer to the request")
}

// message reads r as the answer to a JSON-RPC request.
func (r reply) message() (message, error) {
	if err := r.refusal(); err != nil {
		return message{}, err
	}
	status := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	if location := r.header.Get("Location"); location != "" && r.status/100 == 3 {
		return message{}, wrong("answered %s to %s; clients do not follow a redirect of a POST", status, location)
	}
	if r.media != "application/json" && r.media != "text/event-stream" {
		return message{}, wrong("answered %s with the content type %q, not JSON: %s", status, r.media, excerpt(r.body))
	}
	if r.status >= 500 {
		return message{}, wrong("answered %s: %s", status, excerpt(r.body))
	}
	var m struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  json.RawMessage `json:"result"`
		Error   *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		return message{}, wrong("answered %s with what is not a JSON-RPC message (%v): %s", status, err, excerpt(r.body))
	}
	switch {
	case m.Version != "2.0":
		return message{}, wrong(`the answer's jsonrpc is %q, want "2.0"`, m.Version)
	case string(m.ID) != fmt.Sprint(r.id):
		return message{}, wrong("the answer's id is %s, want %d as in the request", m.ID, r.id)
	case (m.Result == nil) == (m.Error == nil):
		return message{}, wrong("the answer has to have either a result or an error: %s", excerpt(r.body))
	case m.Error != nil && (m.Error.Code == nil || strings.TrimSpace(m.Error.Message) == ""):
		return message{}, wrong("the answer's error lacks a code or a message: %s", excerpt(r.body))
	case m.Error == nil && r.status != http.StatusOK:
		return message{}, wrong("a result came with the status %s", status)
	}
	return message{m.Result, m.Error}, nil
}

// into decodes a result, and returns the error that came in its stead.
func (m message) into(v any) error {
	if m.err != nil {
		return wrong("answered %v", m.err)
	}
	if err := json.Unmarshal(m.result, v); err != nil {
		return wrong("the result has another form than the protocol's: %v", err)
	}
	return nil
}

// excerpt is a body on one line. It is cut short where secrets are taken out,
// lest half of one remain.
func excerpt(body []byte) string {
	if text := strings.Join(strings.Fields(string(body)), " "); text != "" {
		return text
	}
	return "(no body)"
}
