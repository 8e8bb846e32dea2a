package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is what is known of a JSON-RPC message before mcp-go reads it.
type message struct {
	id     json.RawMessage // nil where there is none, or none that can be answered
	method string
	name   string // of the tool or prompt, or the URI of the resource, that it is about; "" for others

	body    []byte // as it goes on to mcp-go
	problem string // why the arguments of a call cannot be understood; "" where they can
}

// readMessage reads the message in a body. Mcp-go would answer much of what
// is refused here with the errors of Go's JSON decoder, as a success, or not
// at all. The message tells what could be read in any case. It may change body.
func readMessage(body []byte) (message, *failure) {
	r := reader{data: body}
	if r.value(&messageShape) {
		if r.space(); r.pos < len(r.data) {
			r.stop("there is more after the message")
		}
	}
	if r.bad != nil {
		switch {
		case len(body) == 0:
			r.bad.message = "the body is empty; send a JSON-RPC message"
		case bytes.HasPrefix(body, []byte("\ufeff")):
			r.bad.message = "the body begins with a byte order mark; send it without"
		}
		if r.bad.code == mcp.PARSE_ERROR {
			return message{}, r.bad
		}
	}
	var m message
	if id := r.parts[partID]; id != nil && string(id) != "null" {
		m.id = id
	}
	if method := r.parts[partMethod]; method != nil {
		m.method = unquote(method)
	}
	if name := r.parts[m.names()]; len(name) > 0 && name[0] == '"' {
		m.name = unquote(name)
	}
	if r.bad != nil {
		return m, r.bad
	}
	m.body = r.body()
	if m.method == string(mcp.MethodToolsCall) {
		m.problem = r.arguments.problem
	}
	return m, r.check(m)
}

// names returns the part of the message that names what it is about.
func (m message) names() part {
	switch m.method {
	case string(mcp.MethodToolsCall), string(mcp.MethodPromptsGet):
		return partName
	case string(mcp.MethodResourcesRead), string(mcp.MethodResourcesSubscribe), string(mcp.MethodResourcesUnsubscribe):
		return partURI
	}
	return noPart
}

// check returns what is wrong with a message that is JSON.
func (r *reader) check(m message) *failure {
	notification := m.id == nil && strings.HasPrefix(m.method, "notifications/")
	switch {
	case bytes.TrimLeft(r.data, " \t\r\n")[0] == '[':
		return invalidRequest("batches are not supported in this revision of the protocol; send one message a request")
	case r.complaints > 0:
		return r.misshapen()
	case string(r.parts[partVersion]) != `"2.0"`:
		return invalidRequest(`jsonrpc must be "2.0"`)
	case m.method == "" && (r.parts[partResult] != nil || r.parts[partError] != nil):
		return invalidRequest("this server sends no requests, so it takes no responses")
	case m.method == "":
		return invalidRequest("method is missing")
	case r.parts[partID] != nil && m.id == nil && !notification:
		return invalidRequest("id must not be null")
	}
	if m.method == string(mcp.MethodToolsCall) {
		return r.need("name", partName)
	}
	switch arguments := r.parts[partArguments]; {
	case r.arguments.problem != "":
		return invalidParams("params." + r.arguments.problem)
	case arguments != nil && arguments[0] != '{':
		return invalidParams("params.arguments must be an object")
	}
	switch m.method {
	case string(mcp.MethodPromptsGet):
		if f := r.need("name", partName); f != nil {
			return f
		}
		return r.promptArguments()
	case string(mcp.MethodResourcesRead):
		return r.need("uri", partURI)
	case string(mcp.MethodCompletionComplete):
		if f := r.need("ref", partRef); f != nil {
			return f
		}
		if ref := string(r.parts[partRefType]); ref != `"ref/prompt"` && ref != `"ref/resource"` {
			return invalidParams("params.ref.type must be ref/prompt or ref/resource")
		}
		return r.need("argument", partArgument)
	case string(mcp.MethodSubscriptionsListen):
		if f := r.need("notifications", partNotifications); f != nil {
			return f
		}
		return r.subscriptions()
	}
	return nil
}

// subscriptions checks that a listen is for no more than it may be.
func (r *reader) subscriptions() *failure {
	if len(r.data) > maxListenBytes {
		return tooLarge(maxListenBytes)
	}
	var uris []json.RawMessage
	if list := r.parts[partSubscriptions]; list != nil {
		if err := json.Unmarshal(list, &uris); err != nil {
			panic(err) // what the reader let through is JSON
		}
	}
	if len(uris) > maxListenURIs {
		return invalidParams(fmt.Sprintf("params.notifications.resourceSubscriptions has %d URIs; one listen takes %d, so open another one for the rest",
			len(uris), maxListenURIs))
	}
	return nil
}

// misshapen returns the failure for what is not of the shape.
func (r *reader) misshapen() *failure {
	path := r.path()
	if path == "" {
		return invalidRequest("the message " + r.wrong)
	}
	if path == "params" || strings.HasPrefix(path, "params.") {
		return invalidParams(path + " " + r.wrong)
	}
	return invalidRequest(path + " " + r.wrong)
}

func (r *reader) need(name string, p part) *failure {
	if r.parts[p] == nil {
		return invalidParams("params." + name + " is missing")
	}
	return nil
}

// promptArguments checks that a prompt's arguments are strings, as a tool's
// need not be.
func (r *reader) promptArguments() *failure {
	arguments := r.parts[partArguments]
	if arguments == nil {
		return nil
	}
	inner := reader{data: arguments}
	if inner.value(&stringsByName); inner.complaints == 0 {
		return nil
	}
	return invalidParams(inner.about("params.arguments"))
}

func invalidRequest(message string) *failure {
	return &failure{status: http.StatusBadRequest, code: mcp.INVALID_REQUEST, message: message}
}

func invalidParams(message string) *failure {
	return &failure{status: http.StatusBadRequest, code: mcp.INVALID_PARAMS, message: message}
}
