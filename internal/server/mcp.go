package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

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
	if r = s.authenticate(a, a, r); r == nil {
		return
	}
	if r.Method != http.MethodPost {
		a.notAllowed(allow, "send messages by POST, subscriptions/listen among them; there are no sessions here")
		return
	}
	s.post(a, r)
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
		if body, f := s.body(a, r); f == nil {
			a.call, _ = readMessage(body)
		}
		a.fail(a.call.id, &failure{status: http.StatusNotFound, code: codeTransport,
			message: "there is no MCP here: add /mcp to the URL, that is " + s.endpoint(r)})
	default:
		a.notAllowed(allow, "send messages by POST to "+s.endpoint(r))
	}
}

// endpoint returns the URL that clients are given.
func (s *Server) endpoint(r *http.Request) string {
	if s.config.Local || s.config.URL == nil || s.config.URL() == "" {
		return "http://" + r.Host + "/mcp"
	}
	return s.config.URL() + "/mcp"
}

// post answers one message.
func (s *Server) post(a *answer, r *http.Request) {
	if f := checkMedia(r.Header); f != nil {
		a.fail(nil, f)
		return
	}
	body, f := s.body(a, r)
	if f == nil {
		a.call, f = readMessage(body)
	}
	if f == nil {
		f = checkRevision(r.Header, a.call.method)
	}
	if f != nil {
		a.fail(a.call.id, f)
		return
	}
	if !s.authorize(a, r) {
		return
	}
	a.Header()["Cache-Control"] = headerNoStore
	if a.call.method == string(mcp.MethodNotificationCancelled) {
		// Mcp-go knows requests by session and id. There are no sessions, and
		// the ids of different clients are the same: it would cancel anybody's.
		a.WriteHeader(http.StatusAccepted)
		return
	}
	if a.call.method == string(mcp.MethodSubscriptionsListen) && mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		s.listen(a, r, body)
		return
	}
	s.mcp.Handle(a, &mcpserver.HTTPRequest{
		Method:  r.Method,
		Header:  r.Header,
		Body:    body,
		Context: r.Context(),
	})
	if a.status == 0 {
		// Mcp-go has no answer for whoever hangs up. Net/http takes it for
		// that, too, when a client only closes its own side.
		a.fail(a.call.id, errCancelled)
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

// body reads the body of a request.
func (s *Server) body(a *answer, r *http.Request) ([]byte, *failure) {
	limit := s.config.MaxBody
	if r.ContentLength > limit {
		s.swallow(a, r)
		return nil, tooLarge(limit)
	}
	var body []byte
	var err error
	const small = 64 << 10 // allocated on a client's word
	if 0 <= r.ContentLength && r.ContentLength <= small {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(a.w, r.Body, limit))
	}
	if err == nil {
		return body, nil
	}
	// What is left of the body cannot be told from the next request.
	a.Header().Set("Connection", "close")
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &failure{status: http.StatusRequestTimeout, code: codeTransport, message: "the body did not arrive in time"}
	default:
		return nil, &failure{status: http.StatusBadRequest, code: mcp.PARSE_ERROR, message: "the body ends early or is badly framed"}
	}
}

// swallow reads a part of a body that is refused, for a moment: many clients
// look for an answer only once they have sent it all.
func (s *Server) swallow(a *answer, r *http.Request) {
	a.Header().Set("Connection", "close")
	if r.Header.Get("Expect") != "" {
		return // the client waits for the answer
	}
	_ = http.NewResponseController(a.w).SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = io.CopyN(io.Discard, r.Body, 8*s.config.MaxBody)
}

func tooLarge(limit int64) *failure {
	return &failure{status: http.StatusRequestEntityTooLarge, code: codeTransport,
		message: fmt.Sprintf("the body is larger than %d bytes", limit)}
}
