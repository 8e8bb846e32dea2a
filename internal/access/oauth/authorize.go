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
	query     string // as [url.Values.Encode] has it: what the form is bound to
	client    client
	redirect  string
	state     string
	challenge string
	resource  string
	scopes    store.Scopes
	withheld  store.Scopes // that it asked for as a step-up, and the owner refused
}

// pageError is a request that no client is told of, since it cannot be trusted
// to be one's: the person is.
type pageError struct{ chinese, english string }

func (e *pageError) Error() string { return e.english }

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
		return nil, &pageError{"這個網址不完整或已損壞。", "This address is damaged or cut off."}
	}
	q := &request{query: params.Encode()}
	// Until it is known who asks and where to, errors are for the person.
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(params[name]) > 1 {
			return nil, &pageError{"這個網址有兩個 " + name + "。", "This address has " + name + " twice."}
		}
	}
	if q.client, err = s.client(ctx, params.Get("client_id")); err != nil {
		if document, ok := errors.AsType[*documentError](err); ok {
			return nil, &pageError{"無法使用這個程式公布的說明文件：" + document.text + "。", "The document in which this program describes itself cannot be used: " + document.text + "."}
		}
		return nil, err
	}
	q.redirect = params.Get("redirect_uri")
	switch {
	case q.redirect == "" && len(q.client.redirects) == 1:
		q.redirect = q.client.redirects[0]
	case q.redirect == "":
		return nil, &pageError{"這個網址沒有說之後要回到哪裡（redirect_uri）。", "This address does not say where to go back to (redirect_uri)."}
	case !q.client.mayGoTo(q.redirect):
		return nil, &pageError{"這個網址要帶您去的地方（redirect_uri），不是這個程式註冊的。", "This address would take you to a place (redirect_uri) that the program has not registered."}
	}
	if states := params["state"]; len(states) == 1 {
		if len(states[0]) > maxState {
			return q, &clientError{"invalid_request", "the state is too long"}
		}
		q.state = states[0]
	}
	if name := twice(params); name != "" {
		return q, &clientError{"invalid_request", name + " is there twice"}
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
		if params.Get(name) != "" {
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
	if !s.ours(params["resource"]) {
		return &clientError{"invalid_target", "the resource here is " + q.resource}
	}
	q.scopes = s.scopes(params.Get("scope"), q.client.scope)
	if prompt := params.Get("prompt"); prompt == "none" {
		return &clientError{"interaction_required", "the owner has to be asked"}
	}
	return nil
}

// scopes returns what a client asks for: by the scope of its request, or else
// of its registration, or else all that is offered. What is not known or not
// offered here is ignored, since clients add what other servers know (RFC 6749,
// section 3.3); where nothing is left, the client asks to read.
func (s *Server) scopes(requested, registered string) store.Scopes {
	names := strings.Fields(requested)
	if len(names) == 0 {
		names = strings.Fields(registered)
	}
	if len(names) == 0 {
		return s.config.Offered
	}
	if known := store.KnownScopes(names...) & s.config.Offered; known != 0 {
		return known
	}
	return store.ScopeRead & s.config.Offered
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
	if errors.Is(err, errUnknownClient) {
		// Some programs ask by themselves, before they open a browser, whether
		// they have to register again.
		if prefersJSON(r) {
			fail(w, http.StatusBadRequest, "invalid_client", errUnknownClient.Error())
			return
		}
		err = &pageError{"這裡不認得這個程式（client_id）；它可能太久沒有使用，需要重新註冊。", "This program (client_id) is not known here; it may have gone unused for too long, and has to register again."}
	}
	v := s.newView(r, q)
	if toPerson, ok := errors.AsType[*pageError](err); ok {
		v.show(w, http.StatusBadRequest, "error", v.say(toPerson.chinese, toPerson.english))
		return
	}
	if err != nil {
		s.pageUnavailable(w, r, v, err)
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

// sendBack sends the browser back to the client with an error before the owner
// was asked. A program is opened by a click alone: see [Server.leave].
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, q *request, params url.Values) {
	to := s.answerTo(q, params)
	if isPrivate(to) {
		v := s.newView(r, q)
		v.goTo(to)
		v.Failed = true
		v.show(w, http.StatusBadRequest, "leave", "")
	} else {
		h := w.Header()
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}
	s.log.InfoContext(r.Context(), "invalid authorization request", "client", q.client.label(), "redirect_host", redirectHost(q.redirect), "error", params.Get("error"))
}
