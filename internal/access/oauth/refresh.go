package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// refresh exchanges a refresh token for new tokens (OAuth 2.1, section 4.3). For
// [store.RenewWindow] after its first use it gives the same successor again, and
// a new access token that ends with the first: clients refresh one token from
// several processes at once, and send it again when an answer was lost.
func (s *Server) refresh(r *http.Request, form url.Values) (issued, error) {
	old := form.Get("refresh_token")
	t, err := s.find(r, old, secret.Refresh, store.RefreshToken)
	if err != nil {
		return issued{}, err
	}
	if t.ClientID != form.Get("client_id") {
		if t.RevokedAt.IsZero() {
			s.recordReuse(r, t, "refused: sent by another client", map[string]any{})
		}
		return issued{}, s.burn(r, t, badGrant("the refresh token was given to another client; it is used up now"))
	}
	if !s.ours(form["resource"]) {
		return issued{}, s.badTarget()
	}
	scopes, err := s.goodFor(t)
	if err != nil {
		return issued{}, err
	}
	if asked := store.KnownScopes(strings.Fields(form.Get("scope"))...) & scopes; asked != 0 {
		scopes = asked
	}
	got, access, successor := s.newTokens(t, scopes)
	if !t.SpentAt.IsZero() {
		// A repeat's access token ends with that of the first use. Sessions refresh
		// when it ends, so they meet within the next window again, instead of
		// drifting apart by each delay until one of them is too late.
		access.ExpiresAt = t.SpentAt.Add(accessTime)
		got.Expires = int64(access.ExpiresAt.Sub(s.now()).Seconds())
	}
	// A caller that hangs up in the middle of a replay must not keep it from counting.
	renewed, err := s.config.Store.Renew(context.WithoutCancel(r.Context()), t.Hash,
		store.Renewal{Access: access, Refresh: successor, Sealed: secret.Seal(old, got.Refresh)})
	if errors.Is(err, store.ErrSpent) {
		s.recordReuse(r, t, "refused: used again after its time", map[string]any{})
	}
	if err != nil {
		return issued{}, s.notExchanged(r, t, err)
	}
	if renewed.Repeat == 0 {
		return got, nil
	}
	s.recordReuse(r, t, "repeated", map[string]any{"repeat": renewed.Repeat})
	s.log.InfoContext(r.Context(), "a refresh token was used again within its time", "grant", t.Grant, "client", t.ClientName, "repeat", renewed.Repeat)
	got.Scope = renewed.Scopes.String()
	got.Refresh, err = secret.Open(old, renewed.Sealed)
	return got, err
}

// recordReuse adds to the audit log that a refresh token was used again, or by
// another client.
func (s *Server) recordReuse(r *http.Request, t store.Token, outcome string, details map[string]any) {
	s.record(r, store.Call{Caller: store.GrantCaller(t.Grant), Name: t.ClientName, Client: t.ClientName, Tool: "refresh", Outcome: outcome}, details)
}
