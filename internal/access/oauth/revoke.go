package oauth

import (
	"errors"
	"net/http"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// serveRevoke ends the grant that a client sends a token of (RFC 7009). A
// token that nobody knows is revoked already.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if refused, ok := errors.AsType[*tokenError](err); ok {
		fail(w, refused.status, refused.code, refused.text)
		return
	}
	text := form.Get("token")
	if text == "" {
		fail(w, http.StatusBadRequest, "invalid_request", "token is missing")
		return
	}
	if secret.Check(text, secret.Access, secret.Refresh) == nil {
		t, err := s.config.Store.Token(r.Context(), store.HashOf(text))
		if err == nil && t.Grant != 0 && t.ClientID != form.Get("client_id") {
			fail(w, http.StatusBadRequest, "invalid_grant", "the token was given to another client")
			return
		}
		if err == nil && t.Grant != 0 {
			if err = s.config.Store.RevokeGrant(r.Context(), t.Grant); err == nil {
				s.log.InfoContext(r.Context(), "a client gave its grant back", "grant", t.Grant, "client", t.ClientName)
			}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.unavailable(w, r, err)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}
