package access

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// caller returns who calls the endpoint, and counts the request: as the
// caller's where the token was seen to hold before, else as the address's,
// before anybody is asked whether it does.
func (g *Gate) caller(r *http.Request) (store.Caller, *refusal) {
	now := g.config.Now()
	var token string
	var f *refusal
	if g.config.Mode != None {
		token, f = credentials(r)
	}
	if f != nil || token == "" {
		if wait := g.limits.addresses.take(neighbours(g.address(r)), now); wait > 0 {
			return store.Caller{}, tooMany(wait)
		}
		if f == nil && g.config.Mode != None && !g.config.PublicReads {
			f = g.noToken()
		}
		return store.Caller{}, f
	}

	hash := store.HashOf(token)
	limit, seen := g.limits.bearers.Get(hash)
	if !seen {
		limit = g.limits.addresses.of(neighbours(g.address(r)))
	}
	if wait := take(limit, now); wait > 0 {
		return store.Caller{}, tooMany(wait)
	}
	caller, id, f := g.identify(r.Context(), token, hash)
	if f != nil {
		if f.status == http.StatusUnauthorized {
			g.limits.bearers.Remove(hash)
		}
		return store.Caller{}, f
	}
	if !seen {
		limit = g.limits.callers.of(caller.ID)
		if wait := take(limit, now); wait > 0 {
			return store.Caller{}, tooMany(wait)
		}
		g.limits.bearers.Add(hash, limit)
	}
	if id != 0 && g.config.Recorder != nil {
		g.config.Recorder.Used(id, now)
	}
	return caller, nil
}

// identify returns whose token this is, and its ID if it is one of ours.
func (g *Gate) identify(ctx context.Context, token string, hash store.Hash) (store.Caller, int64, *refusal) {
	var caller store.Caller
	var id int64
	var f *refusal
	switch err := secret.Check(token, g.prefixes...); {
	case err == nil:
		caller, id, f = g.bearer(ctx, hash)
	case errors.Is(err, secret.ErrMistyped):
		f = badToken("the token is mistyped or cut off; copy the whole of it again")
	case g.config.Mode == OIDC:
		caller, f = g.config.Issuer.caller(ctx, token, hash)
	default:
		f = badToken("this is not a token for calling this server")
	}
	caller.Scopes &= g.config.Offered
	caller.Scopes |= g.public() // nobody may do less for having a token
	return caller, id, f
}

// bearer returns to whom the token of this hash was given.
func (g *Gate) bearer(ctx context.Context, hash store.Hash) (store.Caller, int64, *refusal) {
	t, err := g.config.Store.Token(ctx, hash)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		if ctx.Err() == nil {
			g.config.Log.ErrorContext(ctx, "looking up a token failed", "err", err)
		}
		return store.Caller{}, 0, unavailable("tokens cannot be looked up now; try again in a second", time.Second)
	}
	again := "make a new one"
	if t.Kind == store.AccessToken {
		again = "refresh it, or sign in again"
	}
	switch now := g.config.Now(); {
	case err != nil, t.Kind != store.APIToken && (t.Kind != store.AccessToken || g.config.Mode != OAuth):
		return store.Caller{}, 0, badToken("the token is not known here")
	case !t.RevokedAt.IsZero():
		return store.Caller{}, 0, badToken("the token was revoked; " + again)
	case !t.Holds(now):
		return store.Caller{}, 0, badToken("the token expired at " + t.ExpiresAt.UTC().Format(time.RFC3339) + "; " + again)
	case t.Kind == store.APIToken:
		return store.Caller{ID: "token:" + strconv.FormatInt(t.ID, 10), Name: t.Name, Scopes: t.Scopes, Shop: t.Shop}, t.ID, nil
	}
	if here := g.resource(); t.Resource != here {
		if last := g.moved.Swap(&here); last == nil || *last != here {
			g.config.Log.WarnContext(ctx, "the URL has changed: those who signed in at the old one must sign in again", "was", t.Resource, "is", here)
		}
		return store.Caller{}, 0, badToken("this token was issued for " + t.Resource + ", and this server is now " + here + "; sign in again")
	}
	return store.Caller{ID: store.GrantCaller(t.Grant), Name: t.ClientName, Scopes: t.Scopes, Shop: t.Shop, Withheld: t.Withheld}, t.ID, nil
}

// credentials returns the token that a request shows, "" where it shows none
// (RFC 6750, section 2.1).
func credentials(r *http.Request) (string, *refusal) {
	if r.URL.RawQuery != "" && tokenInQuery(r.URL.RawQuery) {
		return "", &refusal{status: http.StatusBadRequest, code: "invalid_request",
			text: "a token does not belong into the URL, which is written down everywhere: revoke it, and send a new one in the Authorization header"}
	}
	lines := r.Header["Authorization"]
	switch len(lines) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", badToken("there are several Authorization headers; send one")
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	token = strings.Trim(token, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", badToken("the Authorization header must be the word Bearer, a space, and the token")
	case token == "":
		return "", badToken("there is no token after the word Bearer in the Authorization header")
	case strings.ContainsAny(token, " ,\t"):
		return "", badToken("there is more than a token after the word Bearer in the Authorization header; send Bearer once, and one token")
	}
	return token, nil
}

// tokenInQuery reports whether a query seems to have a token in it.
func tokenInQuery(query string) bool {
	values, _ := url.ParseQuery(query) // what cannot be read is left out
	for name, list := range values {
		switch strings.ToLower(name) {
		case "access_token", "token", "authorization", "auth", "bearer", "key", "api_key", "apikey", "api-key":
			return true
		}
		for _, value := range list {
			if secret.Pattern.MatchString(value) {
				return true
			}
		}
	}
	return secret.Pattern.MatchString(query)
}
