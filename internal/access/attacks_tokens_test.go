package access_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

var (
	badToken     = want{401, "invalid_token"}
	noToken      = want{401, "unauthorized"}
	inURL        = want{400, "invalid_request"}
	byTokenAlone = func(o *options) { o.Mode = access.Tokens }
)

var tokenAttacks = area{"tokens", "What lets nobody in", []attack{
	{
		name: "none", tries: "calling, listing, reading, completing, and other methods of HTTP, without a token",
		want: noToken, so: "before the body is read, with the way to get a token in WWW-Authenticate",
		by: func(h *house) {
			for _, message := range []string{checkEggs, toolsList, ping, "", "not JSON", strings.Repeat("x", 2<<20)} {
				r := h.message(message)
				h.refused(fmt.Sprintf("%.40q", message), r)
				want := `Bearer scope="stock:read stock:write", resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`
				if r.challenge() != want {
					h.Errorf("challenge = %s, want %s", r.challenge(), want)
				}
			}
			for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"} {
				h.refused(method, h.send(method, "/mcp", ""))
			}
			h.worked("with a token", h.ask(h.key()))
		},
	}, {
		name: "unknown", tries: "a token of the right form that nobody gave out, and the hash of one from a stolen database",
		want: badToken,
		by: func(h *house) {
			text, kept := h.token(store.Token{Scopes: both})
			h.refused("made up, the owner's", h.ask(said.Keep(secret.New(secret.API))))
			h.refused("made up, a grant's", h.ask(said.Keep(secret.New(secret.Access))))
			h.refused("hash", h.ask(hex.EncodeToString(kept.Hash[:])))
			h.refused("hash with the prefix", h.ask("mcps_"+hex.EncodeToString(kept.Hash[:])))
			h.refused("hash in Base64", h.ask(base64.RawURLEncoding.EncodeToString(kept.Hash[:])))
			h.refused("its ID", h.ask(fmt.Sprintf("token:%d", kept.ID)))
			h.refused("its name", h.ask(kept.Name))
			h.worked("the token", h.ask(text))
		},
	}, {
		name: "truncated", tries: "a token without its end or its beginning, at every length",
		want: badToken, so: "told apart from a wrong one, and not looked up",
		in: func(o *options) { o.store = countLookups },
		by: func(h *house) {
			key := h.key()
			for n := 1; n < len(key); n += 4 {
				h.refused(fmt.Sprintf("the first %d", n), h.ask(key[:n]))
				h.refused(fmt.Sprintf("without the first %d", n), h.ask(key[n:]))
			}
			if n := lookups(h); n != 0 {
				h.Errorf("%d were looked up", n)
			}
			h.worked("whole", h.ask(key))
		},
	}, {
		name: "mistyped", tries: "a token with one character changed, case swapped, doubled, quoted, or with something after it",
		want: badToken,
		by: func(h *house) {
			key := h.key()
			for i := range key {
				if i%6 != 0 {
					continue
				}
				other := byte('x')
				if key[i] == other {
					other = 'y'
				}
				h.refused(fmt.Sprintf("character %d", i), h.ask(key[:i]+string(other)+key[i+1:]))
			}
			for _, text := range []string{strings.ToUpper(key), strings.ToLower(key), key + key, `"` + key + `"`, "<" + key + ">", key + "=", key + "0", "Bearer " + key, key + " " + key, key + "," + key, key + "\t" + key} {
				h.refused("changed", h.ask(text))
			}
			h.worked("as it is", h.ask(key))
		},
	}, {
		name: "foreign", tries: "other services' tokens, a prefix that is none, a JWT, rubbish",
		want: badToken,
		by: func(h *house) {
			key := h.key()
			for _, text := range []string{
				"ghp_" + key[5:], "mcpx_" + key[5:], "mcpa_" + key[5:], "mcpr_" + key[5:], "sk-proj-" + key[5:], "null", "undefined", "0", "true", "%", "..", "*",
				"eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciIsInNjb3BlIjoic3RvY2s6d3JpdGUifQ.", "' OR 1=1 --", strings.Repeat("A", 16<<10),
			} {
				h.refused(fmt.Sprintf("%.20q", text), h.ask(text))
			}
			h.worked("ours", h.ask(key))
		},
	}, {
		name: "expired", tries: "a token of the owner's, and one of a grant, past their time",
		want: badToken,
		by: func(h *house) {
			key, _ := h.token(store.Token{Scopes: both, ExpiresAt: h.clock.Now().Add(time.Hour)})
			signedIn := h.program().signsIn()
			h.worked("in time", h.ask(key))
			h.worked("in time", h.ask(signedIn.access))
			h.pass(time.Hour)
			h.refused("the owner's", h.ask(key))
			h.refused("of a grant", h.ask(signedIn.access))
		},
	}, {
		name: "revoked", tries: "a token, and a grant's, after another process revoked them",
		want: badToken, so: "from the next request on",
		by: func(h *house) {
			key, kept := h.token(store.Token{Scopes: both})
			signedIn := h.program().signsIn()
			h.worked("before", h.ask(key))
			h.worked("before", h.ask(signedIn.access))
			owner := h.openAgain()
			if err := owner.RevokeToken(h.Context(), kept.ID); err != nil {
				h.Fatal(err)
			}
			h.refused("the owner's", h.ask(key))
			grants, err := owner.Grants(h.Context())
			if err != nil || len(grants) != 1 {
				h.Fatal(grants, err)
			}
			if err := owner.RevokeGrant(h.Context(), grants[0].ID); err != nil {
				h.Fatal(err)
			}
			h.refused("of a grant", h.ask(signedIn.access))
		},
	}, {
		name: "refresh_as_access", tries: "a refresh token, an authorization code, and a one-time code in place of an access token",
		want: badToken, so: "and none of them is used up by it",
		in: func(o *options) { o.codes = true },
		by: func(h *house) {
			p := h.program()
			g := p.page()
			h.refused("one-time code", h.ask(h.code()))
			to := h.worked("allowing", g.types(h.code())).sentTo()
			code := said.Keep(to.Query().Get("code"))
			h.refused("code", h.ask(code))
			signedIn := h.got(p.redeems(code))
			h.refused("refresh token", h.ask(signedIn.refresh))
			h.got(p.renews(signedIn.refresh))
		},
	}, {
		name: "of_another_mode", tries: "an access token of a grant on a server that takes the owner's tokens alone",
		want: badToken, in: byTokenAlone,
		by: func(h *house) {
			text := said.Keep(secret.New(secret.Access))
			code := store.Token{Kind: store.CodeToken, Hash: store.HashOf("code"), ExpiresAt: h.clock.Now().Add(time.Minute)}
			if _, err := h.db.AddGrant(h.Context(), store.Grant{ClientID: "c", Scopes: both, Resource: publicURL + "/mcp"}, code); err != nil {
				h.Fatal(err)
			}
			if err := h.db.Redeem(h.Context(), code.Hash, store.Token{Kind: store.AccessToken, Hash: store.HashOf(text), Scopes: both,
				Resource: publicURL + "/mcp", ExpiresAt: h.clock.Now().Add(time.Hour)}); err != nil {
				h.Fatal(err)
			}
			h.look()
			h.refused("access token", h.ask(text))
			h.worked("the owner's token", h.ask(h.key()))
		},
	}, {
		name: "of_another_url", tries: "an access token that was issued for the URL that the server had before",
		want: badToken, so: "told to sign in again, and the log says why",
		by: func(h *house) {
			signedIn := h.program().signsIn()
			h.worked("at its URL", h.ask(signedIn.access))
			h.move("https://other.example")
			h.refused("at another", h.ask(signedIn.access))
			h.refused("at another, by the name of the old", h.message(checkEggs, append(bearer(signedIn.access), "X-Forwarded-Host", "shop.example")...))
			if !strings.Contains(h.log.String(), "the URL has changed") {
				h.Error("the log does not say that the URL has changed")
			}
			h.worked("the owner's token, which is for no URL", h.ask(h.key()))
		},
	}, {
		name: "query", tries: "a token in the query string, under any name, escaped, or beside one in the header",
		want: inURL, so: "told to revoke it",
		by: func(h *house) {
			key := h.key()
			for _, name := range []string{"access_token", "token", "Authorization", "auth", "key", "api_key", "apikey", "bearer", "x", "ACCESS_TOKEN"} {
				h.refused(name, h.send(http.MethodPost, "/mcp?"+name+"="+key, checkEggs, "Content-Type", "application/json"))
			}
			h.refused("bare", h.send(http.MethodPost, "/mcp?"+key, checkEggs, "Content-Type", "application/json"))
			h.refused("escaped", h.send(http.MethodPost, "/mcp?x=%6d%63%70s_"+key[5:], checkEggs, "Content-Type", "application/json"))
			h.refused("beside a header", h.send(http.MethodPost, "/mcp?access_token="+key, checkEggs, append(bearer(key), "Content-Type", "application/json")...))
			h.worked("in the header", h.ask(key))
		},
	}, {
		name: "elsewhere", tries: "a token in the body (as a form, in _meta, in the arguments), in a cookie, or in headers that are not Authorization",
		want: noToken,
		by: func(h *house) {
			key := h.key()
			h.refused("form", h.form("/mcp", url.Values{"access_token": {key}}))
			h.refused("_meta", h.message(rpc("tools/call", `{"name":"check_stock","arguments":{"product":"tea-egg"},"_meta":{"authorization":"Bearer `+key+`"}}`)))
			h.refused("arguments", h.message(toolCall("check_stock", `{"product":"tea-egg","access_token":"`+key+`"}`)))
			for _, name := range []string{"Cookie", "X-Api-Key", "X-Authorization", "Proxy-Authorization", "X-Access-Token", "X-Forwarded-Authorization", "Mcp-Session-Id", "X-Original-Authorization", "Authorization_"} {
				h.refused(name, h.message(checkEggs, name, "Bearer "+key))
			}
			h.refused("cookie", h.message(checkEggs, "Cookie", "access_token="+key+"; Authorization=Bearer "+key+"; __Host-mcpstore="+key))
			h.worked("in Authorization", h.ask(key))
		},
	}, {
		name: "several", tries: "two Authorization headers, in either order, or two tokens in one",
		want: badToken,
		by: func(h *house) {
			key, wrong := h.key(), said.Keep(secret.New(secret.API))
			h.refused("right and wrong", h.message(checkEggs, append(bearer(key), bearer(wrong)...)...))
			h.refused("wrong and right", h.message(checkEggs, append(bearer(wrong), bearer(key)...)...))
			h.refused("twice the same", h.message(checkEggs, append(bearer(key), bearer(key)...)...))
			h.refused("right and empty", h.message(checkEggs, append(bearer(key), "Authorization", "")...))
			h.refused("list", h.message(checkEggs, "Authorization", "Bearer "+wrong+", Bearer "+key))
			h.worked("one", h.ask(key))
		},
	}, {
		name: "scheme", tries: "Basic with the token as the name or the password, other schemes, none",
		want: badToken,
		by: func(h *house) {
			key := h.key()
			for _, text := range []string{basic(key, ""), basic("", key), basic("owner", key), basic("owner", passphrase), "Token " + key, "DPoP " + key, "Digest " + key, key, "Bearer", "Bearer ", "Bearer:" + key, "Bearer\t" + key, "Bearerx " + key, ""} {
				h.refused(fmt.Sprintf("%.7s", text), h.message(checkEggs, "Authorization", text))
			}
			h.worked("Bearer", h.message(checkEggs, "Authorization", "bEARER "+key))
		},
	}, {
		name: "connection", tries: "a second request without a token over a connection on which one was let in",
		want: noToken,
		by: func(h *house) {
			key := h.key()
			one := func(header string) string {
				return fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", header, len(checkEggs), checkEggs)
			}
			replies := h.raw(one("Authorization: Bearer "+key+"\r\n") + one("Connection: close\r\n"))
			if len(replies) != 2 {
				h.Fatalf("%d answers, want 2", len(replies))
			}
			h.worked("with", replies[0])
			h.refused("without", replies[1])
		},
	}, {
		name: "timing", tries: "telling from the time that it takes whether a token was ever given out",
		want: badToken, so: "unknown, revoked and expired ones take the same way: one look for a hash, of which no part can be guessed",
		in: func(o *options) { o.store = countLookups },
		by: func(h *house) {
			expired, _ := h.token(store.Token{Scopes: both, ExpiresAt: h.clock.Now().Add(time.Minute)})
			revoked, kept := h.token(store.Token{Scopes: both})
			if err := h.db.RevokeToken(h.Context(), kept.ID); err != nil {
				h.Fatal(err)
			}
			h.pass(time.Hour)
			for what, text := range map[string]string{"expired": expired, "revoked": revoked, "unknown": said.Keep(secret.New(secret.API))} {
				before := lookups(h)
				h.refused(what, h.ask(text))
				if n := lookups(h) - before; n != 1 {
					h.Errorf("%s was looked up %d times, want once", what, n)
				}
			}
			h.worked("one that holds", h.ask(h.key()))
		},
	},
}}

// lookedUp is a store that counts how often a token was looked up.
type lookedUp struct {
	access.Storage
	times atomic.Int64
}

func countLookups(s access.Storage) access.Storage { return &lookedUp{Storage: s} }

func (l *lookedUp) Token(ctx context.Context, hash store.Hash) (store.Token, error) {
	l.times.Add(1)
	return l.Storage.Token(ctx, hash)
}

func lookups(h *house) int64 { return h.given.(*lookedUp).times.Load() }

// basic is an Authorization header of RFC 7617.
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
