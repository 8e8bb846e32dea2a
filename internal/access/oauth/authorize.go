package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// request is what a client asks the owner for (OAuth 2.1, section 4.1.1).
type request struct {
	query     string // as it came: what the form is bound to
	client    client
	redirect  string
	state     string
	challenge string
	resource  string
	scopes    store.Scopes
}

// pageError is a request that no client is told of, since it cannot be trusted
// to be one's: the person is.
type pageError struct{ text string }

func (e *pageError) Error() string { return e.text }

// clientError is what the client is told by a redirect (OAuth 2.1, section
// 4.1.2.1).
type clientError struct{ code, text string }

func (e *clientError) Error() string { return e.text }

// maxState bounds the state of a client, in bytes.
const maxState = 4 << 10

// readRequest reads what is asked for. With a [clientError] the request says
// where to send it.
func (s *Server) readRequest(ctx context.Context, rawQuery string) (*request, error) {
	params, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, &pageError{"the address is damaged: " + strings.TrimPrefix(err.Error(), "invalid ")}
	}
	q := &request{query: rawQuery}
	// Until it is known who asks and where to, errors are for the person.
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(params[name]) > 1 {
			return nil, &pageError{name + " is there twice"}
		}
	}
	if q.client, err = s.client(ctx, params.Get("client_id")); err != nil {
		if errors.Is(err, errUnknownClient) || errors.As(err, new(*documentError)) {
			return nil, &pageError{err.Error()}
		}
		return nil, err
	}
	q.redirect = params.Get("redirect_uri")
	switch {
	case q.redirect == "" && len(q.client.redirects) == 1:
		q.redirect = q.client.redirects[0]
	case q.redirect == "":
		return nil, &pageError{"redirect_uri is missing"}
	case !q.client.mayGoTo(q.redirect):
		return nil, &pageError{"the redirect_uri is none that the client has registered"}
	}
	for name, values := range params {
		if len(values) > 1 && name != "resource" {
			return q, &clientError{"invalid_request", name + " is there twice"}
		}
	}
	q.state = params.Get("state")
	if len(q.state) > maxState {
		q.state = ""
		return q, &clientError{"invalid_request", "the state is too long"}
	}
	return q, s.readDetails(q, params)
}

func (s *Server) readDetails(q *request, params url.Values) error {
	switch kind := params.Get("response_type"); {
	case kind == "":
		return &clientError{"invalid_request", "response_type is missing; it has to be code"}
	case kind != "code":
		return &clientError{"unsupported_response_type", "response_type has to be code"}
	}
	if mode := params.Get("response_mode"); mode != "" && mode != "query" {
		return &clientError{"invalid_request", "response_mode has to be query"}
	}
	for _, name := range []string{"request", "request_uri"} {
		if params.Has(name) {
			return &clientError{name + "_not_supported", "send the parameters themselves"}
		}
	}
	q.challenge = params.Get("code_challenge")
	switch {
	case params.Get("code_challenge_method") != "S256":
		return &clientError{"invalid_request", "code_challenge_method has to be S256"}
	case !isChallenge(q.challenge):
		return &clientError{"invalid_request", "code_challenge has to be the S256 of a code_verifier"}
	}
	q.resource = s.resource()
	for _, resource := range params["resource"] {
		if !s.ours(resource) {
			return &clientError{"invalid_target", "the resource here is " + q.resource}
		}
	}
	var err error
	if q.scopes, err = s.scopes(params.Get("scope")); err != nil {
		return err
	}
	if prompt := params.Get("prompt"); prompt == "none" {
		return &clientError{"interaction_required", "the owner has to be asked"}
	}
	return nil
}

// scopes returns what a client asks for and is offered; reading, where it does
// not say.
func (s *Server) scopes(text string) (store.Scopes, error) {
	names := strings.Fields(text)
	if len(names) == 0 {
		return store.ScopeRead & s.config.Offered, nil
	}
	asked, err := store.ParseScopes(names...)
	if err != nil {
		return 0, &clientError{"invalid_scope", "scopes are " + s.config.Offered.String()}
	}
	if asked &= s.config.Offered; asked == 0 {
		return 0, &clientError{"invalid_scope", "only " + s.config.Offered.String() + " is offered here"}
	}
	return asked, nil
}

// isChallenge reports whether text can be the SHA-256 of a verifier (RFC 7636,
// section 4.2).
func isChallenge(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(b) == sha256.Size
}

// serveAuthorize shows the owner who asks for what, and takes their answer.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q, err := s.readRequest(r.Context(), r.URL.RawQuery)
	if toClient, ok := errors.AsType[*clientError](err); ok {
		s.sendBack(w, r, q, url.Values{"error": {toClient.code}, "error_description": {toClient.text}})
		return
	}
	v := s.newView(r, q)
	if toPerson, ok := errors.AsType[*pageError](err); ok {
		v.show(w, http.StatusBadRequest, "error", toPerson.text)
		return
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "signing in failed", "path", r.URL.Path, "err", err)
		v.show(w, http.StatusServiceUnavailable, "error", v.say("現在無法查詢，請稍後再試", "this cannot be looked up now; try again in a while"))
		return
	}
	if r.Method == http.MethodPost {
		s.decide(w, r, q, v)
		return
	}
	s.ask(w, r, q, v, http.StatusOK, "")
}

// answerTo is where the owner's browser goes with an answer to the client.
func (s *Server) answerTo(q *request, params url.Values) string {
	params.Set("iss", s.config.URL()) // RFC 9207
	if q.state != "" {
		params.Set("state", q.state)
	}
	return withQuery(q.redirect, params)
}

// sendBack sends the browser back to the client with an error before anybody
// was asked.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, q *request, params url.Values) {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", s.answerTo(q, params))
	w.WriteHeader(http.StatusSeeOther)
	s.log.InfoContext(r.Context(), "a client asked to be let in, wrongly", "client", q.client.label(), "redirect_host", redirectHost(q.redirect), "error", params.Get("error"))
}
