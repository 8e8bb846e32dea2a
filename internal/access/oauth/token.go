package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// How long tokens hold.
const (
	accessTime  = time.Hour
	refreshTime = 90 * 24 * time.Hour // since it was last renewed
)

// tokenError is why no token is issued (RFC 6749, section 5.2).
type tokenError struct {
	status     int
	code, text string
}

func (e *tokenError) Error() string { return e.text }

func badRequest(text string) error {
	return &tokenError{http.StatusBadRequest, "invalid_request", text}
}

func badGrant(text string) error { return &tokenError{http.StatusBadRequest, "invalid_grant", text} }

// badTarget is for a token that is wanted for another server (RFC 8707, section
// 2).
func (s *Server) badTarget() error {
	return &tokenError{http.StatusBadRequest, "invalid_target", "the resource here is " + s.resource()}
}

// issued is what a client gets (RFC 6749, section 5.1).
type issued struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int64  `json:"expires_in"` // in seconds
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	var got issued
	if err == nil {
		switch form.Get("grant_type") {
		case "authorization_code":
			got, err = s.redeemAuthorization(r, form)
		case "refresh_token":
			got, err = s.refresh(r, form)
		case "":
			err = badRequest("grant_type is missing")
		default:
			err = &tokenError{http.StatusBadRequest, "unsupported_grant_type", "grant_type has to be authorization_code or refresh_token"}
		}
	}
	if refused, ok := errors.AsType[*tokenError](err); ok && refused.code == "invalid_grant" {
		err = s.checkClient(r, form.Get("client_id"), refused)
	}
	if refused, ok := errors.AsType[*tokenError](err); ok {
		s.log.InfoContext(r.Context(), "issued no token", "error", refused.code, "reason", refused.text)
		if refused.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="mcpstore"`)
		}
		fail(w, refused.status, refused.code, refused.text)
		return
	}
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	w.Header().Set("Pragma", "no-cache")
	answer(w, http.StatusOK, got)
}

// readForm reads the parameters of a request by a client.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" {
		return nil, badRequest("the parameters go into the body, not into the URL, which is written down everywhere")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, badRequest("send the parameters as application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("the body is too large or damaged")
	}
	form := r.PostForm
	if name := twice(form); name != "" {
		return nil, badRequest(name + " is there twice")
	}
	return form, authenticate(r, form)
}

// authenticate takes the client's ID from where a client without a secret may
// put it. One that sends a secret takes itself for another kind of client.
func authenticate(r *http.Request, form url.Values) error {
	wrong := &tokenError{http.StatusUnauthorized, "invalid_client", "clients have no secret here: send client_id in the body, and no Authorization"}
	if header := r.Header.Get("Authorization"); header != "" {
		id, password, ok := r.BasicAuth()
		id, err := url.QueryUnescape(id)
		if !ok || password != "" || err != nil || form.Get("client_id") != "" && form.Get("client_id") != id {
			return wrong
		}
		form.Set("client_id", id)
	}
	if form.Get("client_secret") != "" || form.Get("client_assertion") != "" {
		return wrong
	}
	if form.Get("client_id") == "" {
		return badRequest("client_id is missing")
	}
	return nil
}

// checkClient returns invalid_client instead of refused where the client is not
// registered: that has clients register anew, where by refused they would send
// the owner to /authorize with an ID that is not known there either. It is asked
// last, since a client whose token is exchanged needs no other proof.
func (s *Server) checkClient(r *http.Request, id string, refused error) error {
	if isDocumentURL(id) {
		return refused // it registers nowhere
	}
	if _, err := s.client(r.Context(), id); err == nil {
		return refused
	} else if !errors.Is(err, errUnknownClient) {
		return err
	}
	return &tokenError{http.StatusUnauthorized, "invalid_client", errUnknownClient.Error()}
}

// find returns the token that a client sends, if it is of the kind.
func (s *Server) find(r *http.Request, text string, prefix secret.Prefix, kind store.TokenKind) (store.Token, error) {
	if secret.Check(text, prefix) != nil {
		return store.Token{}, badGrant("it is none that was issued here, or cut off")
	}
	t, err := s.config.Store.Token(r.Context(), store.HashOf(text))
	if errors.Is(err, store.ErrNotFound) || err == nil && t.Kind != kind {
		return store.Token{}, badGrant("it is none that was issued here, or too old")
	}
	return t, err
}

// burn uses up what was sent by somebody who could not have it.
func (s *Server) burn(r *http.Request, t store.Token, refused error) error {
	// A caller that hangs up in the middle of a replay must not keep it from counting.
	err := s.config.Store.Redeem(context.WithoutCancel(r.Context()), t.Hash)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrSpent) {
		return err
	}
	return refused
}

// redeemAuthorization exchanges an authorization code for tokens (OAuth 2.1,
// section 4.1.3).
func (s *Server) redeemAuthorization(r *http.Request, form url.Values) (issued, error) {
	t, err := s.find(r, form.Get("code"), secret.Code, store.CodeToken)
	if err != nil {
		return issued{}, err
	}
	redirect := form.Get("redirect_uri")
	switch {
	case t.ClientID != form.Get("client_id"):
		return issued{}, s.burn(r, t, badGrant("the code was given to another client; it is used up now"))
	case redirect != "" && redirect != t.Redirect:
		return issued{}, s.burn(r, t, badGrant("the code was sent to another redirect_uri; it is used up now"))
	case !verifies(t.Challenge, form.Get("code_verifier")):
		return issued{}, s.burn(r, t, badGrant("the code_verifier does not fit the code_challenge; the code is used up now"))
	case !s.ours(form["resource"]):
		return issued{}, s.burn(r, t, s.badTarget())
	}
	return s.issue(r, t)
}

// verifies reports whether a verifier is the one of a challenge by S256 (RFC
// 7636, section 4.6).
func verifies(challenge, verifier string) bool {
	if n := len(verifier); n < 43 || n > 128 {
		return false
	}
	for _, c := range []byte(verifier) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("-._~", c) < 0 {
			return false
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// issue uses up a code, and issues tokens for it.
func (s *Server) issue(r *http.Request, t store.Token) (issued, error) {
	scopes, err := s.goodFor(t)
	if err != nil {
		return issued{}, err
	}
	got, access, refresh := s.newTokens(t, scopes)
	// A caller that hangs up in the middle of a replay must not keep it from counting.
	if err := s.config.Store.Redeem(context.WithoutCancel(r.Context()), t.Hash, access, refresh); err != nil {
		return issued{}, s.notExchanged(r, t, err)
	}
	return got, nil
}

// goodFor returns the scopes that a code or refresh token can be exchanged for
// here and now.
func (s *Server) goodFor(t store.Token) (store.Scopes, error) {
	if t.Resource != s.resource() {
		return 0, badGrant("it is for " + t.Resource + ", which is not the URL any longer; ask the owner anew by /authorize")
	}
	scopes := t.Scopes & s.config.Offered
	if scopes == 0 {
		return 0, &tokenError{http.StatusBadRequest, "invalid_scope", "only " + s.config.Offered.String() + " is offered here"}
	}
	return scopes, nil
}

// newTokens makes the tokens that are issued for a code or refresh token: one
// for access with the scopes, and one to refresh it with all that t has.
func (s *Server) newTokens(t store.Token, scopes store.Scopes) (got issued, access, refresh store.Token) {
	got = issued{Access: secret.New(secret.Access), Type: "Bearer", Expires: int64(accessTime.Seconds()), Refresh: secret.New(secret.Refresh), Scope: scopes.String()}
	now := s.now()
	access = store.Token{Kind: store.AccessToken, Hash: store.HashOf(got.Access), Scopes: scopes, Resource: t.Resource, ExpiresAt: now.Add(accessTime)}
	refresh = store.Token{Kind: store.RefreshToken, Hash: store.HashOf(got.Refresh), Scopes: t.Scopes, Resource: t.Resource, ExpiresAt: now.Add(refreshTime)}
	return got, access, refresh
}

// notExchanged is what a client is told when the store did not exchange t.
func (s *Server) notExchanged(r *http.Request, t store.Token, err error) error {
	switch {
	case errors.Is(err, store.ErrSpent):
		s.log.WarnContext(r.Context(), "a code or refresh token was used again: its grant is revoked, since it may have been stolen",
			"grant", t.Grant, "client", t.ClientName)
		return badGrant("it was used before; the grant is revoked, ask the owner anew by /authorize")
	case errors.Is(err, store.ErrNotFound):
		return badGrant("it has expired or was revoked; ask the owner anew by /authorize")
	}
	return err
}

// twice names a parameter that came more than once (OAuth 2.1, section 3.1), or
// is "". Only resource may (RFC 8707, section 2).
func twice(params url.Values) string {
	for name, values := range params {
		if len(values) < 2 || name == "resource" {
			continue
		}
		if len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return "a parameter" // by a name that is not for repeating
		}
		return name
	}
	return ""
}
