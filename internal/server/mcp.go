package server

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// serveMCP serves the endpoint.
func (s *Server) serveMCP(a *answer, r *http.Request) {
	const allow = "POST, OPTIONS"
	switch {
	case r.Method == http.MethodOptions:
		a.options(r, allow)
		return
	case r.Method == http.MethodGet && wantsPage(r):
		s.servePage(a, r)
		return
	}
	if s.authenticate(a, a, r) != nil {
		a.notAllowed(allow, "send messages by POST, subscriptions/listen among them; there are no sessions here")
	}
}

// post answers a POST to the endpoint. Callers are known before their bodies
// are read, and these are there before the request takes a place.
func (s *Server) post(a *answer, r *http.Request) {
	if r = s.enter(a, r); r == nil {
		return
	}
	if r = s.authenticate(a, a, r); r == nil {
		return
	}
	if f := checkMedia(r.Header); f != nil {
		a.fail(nil, f)
		return
	}
	body, f := s.body(a, r, s.config.MaxBody)
	if f != nil {
		a.refuse(f)
		return
	}
	s.limited(a, r, func(a *answer, r *http.Request) {
		if isBatch(body) && takesBatches(r.Header) {
			s.answerBatch(a, r, body)
			return
		}
		s.answerMessage(a, r, body)
	})
}

// serveRoot serves the page, and helps those who forgot the path.
func (s *Server) serveRoot(a *answer, r *http.Request) {
	const allow = "GET, HEAD, OPTIONS"
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.servePage(a, r)
	case http.MethodOptions:
		a.options(r, allow)
	case http.MethodPost:
		s.notHere(a, r, "there is no MCP here: add /mcp to the URL, that is "+s.endpoint(r))
	default:
		a.notAllowed(allow, "send messages by POST to "+s.endpoint(r))
	}
}

// serveSSE helps clients of the transport that streamable HTTP has replaced.
func (s *Server) serveSSE(a *answer, r *http.Request) {
	text := "the SSE transport is not served here: use /mcp, that is " + s.endpoint(r) + ", by streamable HTTP"
	switch r.Method {
	case http.MethodOptions:
		a.options(r, "OPTIONS")
	case http.MethodPost:
		s.notHere(a, r, text)
	default:
		a.text(http.StatusNotFound, text)
	}
}

// notHere answers a message that was sent to another path than the endpoint's.
func (s *Server) notHere(a *answer, r *http.Request, text string) {
	if body, err := io.ReadAll(r.Body); err == nil {
		a.call, _ = readMessage(body)
	}
	a.fail(a.call.id, &failure{status: http.StatusNotFound, code: codeTransport, message: text})
}

// endpoint returns the URL that clients are given.
func (s *Server) endpoint(r *http.Request) string {
	if !s.config.Local && s.config.URL != nil {
		if url := s.config.URL(); url != "" {
			return url + "/mcp"
		}
	}
	return "http://" + r.Host + "/mcp"
}

// answerMessage answers the one message in a body.
func (s *Server) answerMessage(a *answer, r *http.Request, body []byte) {
	var f *failure
	if a.call, f = readMessage(body); f == nil {
		f = checkRevision(r.Header, a.call.method)
	}
	if f != nil {
		a.fail(a.call.id, f)
		return
	}
	if !s.authorize(a, r, a.call) {
		return
	}
	a.Header()["Cache-Control"] = headerNoStore
	if a.call.method == string(mcp.MethodSubscriptionsListen) && mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		s.listen(a, r, a.call.body)
		return
	}
	s.handle(a, r, a.call)
	if a.status == 0 {
		// Mcp-go does not answer a client that hangs up. Net/http takes it for
		// that, too, when a client only closes its own side.
		a.fail(a.call.id, errCancelled)
	}
}

// handle has mcp-go answer a message.
func (s *Server) handle(w mcpserver.HTTPResponseWriter, r *http.Request, m message) {
	if m.method == string(mcp.MethodNotificationCancelled) {
		// Mcp-go knows requests by session and id. There are no sessions, and
		// the ids of different clients are the same: it would cancel anybody's.
		w.WriteHeader(http.StatusAccepted)
		return
	}
	ctx := r.Context()
	if m.problem != "" {
		ctx = context.WithValue(ctx, problemKey{}, m.problem)
	}
	s.mcp.Handle(&reworded{w, m}, &mcpserver.HTTPRequest{
		Method:  r.Method,
		Header:  r.Header,
		Body:    m.body,
		Context: ctx,
	})
}

// problemKey is the key of why the arguments of a call cannot be understood.
type problemKey struct{}

// refuseArguments answers a call whose arguments cannot be understood by a
// failed result, which a model reads and can act on.
func refuseArguments(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if problem, ok := ctx.Value(problemKey{}).(string); ok {
			return mcp.NewToolResultError(problem), nil
		}
		return next(ctx, q)
	}
}

// checkMedia returns what is wrong with how the body is said to be written.
func checkMedia(h http.Header) *failure {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &failure{status: http.StatusUnsupportedMediaType, code: codeTransport,
			message: fmt.Sprintf("the Content-Encoding %q is not supported; send the body as it is", clip(encoding))}
	}
	got := h.Get("Content-Type")
	if got == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(got)
	charset := params["charset"]
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &failure{status: http.StatusUnsupportedMediaType, code: codeTransport,
			message: fmt.Sprintf("the Content-Type must be application/json, in UTF-8, and is %q", clip(got))}
	}
	return nil
}

// checkRevision refuses revisions of the protocol that nobody knows. What
// initialize asks for is agreed on in its body; where a known revision and
// the message do not go together, mcp-go tells. But it would let sessions of
// old subscribe, which are none here: they would never hear of anything.
func checkRevision(h http.Header, method string) *failure {
	revision := h.Get(mcp.HeaderProtocolVersion)
	if !mcp.IsModernProtocol(revision) && (method == string(mcp.MethodResourcesSubscribe) || method == string(mcp.MethodResourcesUnsubscribe)) {
		return &failure{status: http.StatusOK, code: mcp.METHOD_NOT_FOUND,
			message: method + " needs a session, and there are none here; subscriptions/listen of 2026-07-28 does without"}
	}
	if revision == "" || mcp.IsValidProtocolVersion(revision) ||
		method == string(mcp.MethodInitialize) && !mcp.IsModernProtocol(revision) {
		return nil
	}
	return &failure{
		status:  http.StatusBadRequest,
		code:    mcp.UNSUPPORTED_PROTOCOL_VERSION,
		message: fmt.Sprintf("the %s %q is unknown", mcp.HeaderProtocolVersion, clip(revision)),
		data:    mcp.UnsupportedProtocolVersionData{Supported: mcp.ValidProtocolVersions, Requested: clip(revision)},
	}
}
