package access_test

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

var refreshAttacks = area{"refresh", "Renewing tokens", []attack{
	{
		name: "reuse", tries: "a refresh token that was used more than two minutes before, by the thief or by its client",
		want: badGrant, so: "all that ever came of the grant dies",
		by: func(h *house) {
			p := h.program()
			first := p.signsIn()
			second := h.got(p.renews(first.refresh))
			h.pass(2 * time.Minute)
			third := h.got(p.renews(second.refresh))
			h.worked("the third", h.ask(third.access))
			h.refused("the first again", p.renews(first.refresh))
			for what, access := range map[string]string{"the first": first.access, "the second": second.access, "the third": third.access} {
				h.dead(what, access)
			}
			h.refused("the newest", p.renews(third.refresh))
		},
	}, {
		name: "race", tries: "one refresh token, thirty times at once",
		want: badGrant, so: "the 21 first get the same successor, as parallel sessions of a client do; one more, and all tokens are dead",
		by: func(h *house) {
			p := h.program()
			atOnce := func(n int) []reply {
				form := p.renewal(p.signsIn().refresh)
				replies := make([]reply, n)
				var all sync.WaitGroup
				for i := range replies {
					all.Go(func() { replies[i] = h.form("/token", form) })
				}
				all.Wait()
				return replies
			}
			var first tokens
			for _, r := range atOnce(21) {
				got := h.got(r)
				if first.refresh == "" {
					first = got
				}
				if got.refresh != first.refresh {
					h.Error("parallel sessions got different refresh tokens")
				}
				h.worked("with what one of them got", h.ask(got.access))
			}
			h.got(p.renews(first.refresh))

			lucky := 0
			for _, r := range atOnce(30) {
				if r.status == http.StatusOK {
					lucky++
					h.dead("what one of them got", h.got(r).access)
				} else {
					h.refused("one of them", r)
				}
			}
			if lucky > 21 {
				h.Errorf("%d of them got tokens", lucky)
			}
		},
	}, {
		name: "stolen_in_the_window", tries: "a thief who uses a stolen refresh token at the same time as its client, and goes on",
		want: badGrant, so: "both have the same successor, and an access token for no more than was granted and no longer than the first, so that whoever renews second, two minutes after the other, ends it all",
		by: func(h *house) {
			p := h.program()
			stolen := p.signsIn("scope", "stock:read").refresh
			owner := h.got(p.renews(stolen))
			h.pass(119 * time.Second)
			thief := h.got(p.renews(stolen, "scope", "stock:read stock:write"))
			if thief.refresh != owner.refresh || thief.scope != "stock:read" {
				h.Errorf("the thief got another refresh token, or the scope %q", thief.scope)
			}
			h.pass(time.Hour - 119*time.Second)
			h.dead("the thief's, when the owner's ends", thief.access)
			next := h.got(p.renews(thief.refresh))
			h.pass(2 * time.Minute)
			h.refused("the other of the two", p.renews(owner.refresh))
			for what, access := range map[string]string{"the owner's": owner.access, "the thief's": thief.access, "the next": next.access} {
				h.dead(what, access)
			}
			h.refused("the newest", p.renews(next.refresh))
		},
	}, {
		name: "after_the_window", tries: "a refresh token 121 seconds after its first use, though it was used again meanwhile",
		want: badGrant, so: "the window is not extended, and all tokens are dead",
		by: func(h *house) {
			p := h.program()
			first := p.signsIn()
			second := h.got(p.renews(first.refresh))
			h.pass(119 * time.Second)
			again := h.got(p.renews(first.refresh)) // an answer was lost
			h.worked("the second", h.ask(again.access))
			h.pass(2 * time.Second)
			h.refused("too late", p.renews(first.refresh))
			for _, access := range []string{first.access, second.access, again.access} {
				h.dead("an access token", access)
			}
		},
	}, {
		name: "window_of_another", tries: "within the window, a refresh token by another client, or after the grant was revoked",
		want: badGrant, so: "another client's use ends the grant, and revoking counts at once",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			first := p.signsIn()
			second := h.got(p.renews(first.refresh))
			h.refused("another client", p.renews(first.refresh, "client_id", evil.id))
			h.dead("the access token", second.access)
			h.refused("its client, then", p.renews(second.refresh))

			first = p.signsIn()
			second = h.got(p.renews(first.refresh))
			grants, err := h.db.Grants(h.Context())
			if err != nil || len(grants) != 1 {
				h.Fatal(grants, err)
			}
			if err := h.openAgain().RevokeGrant(h.Context(), grants[0].ID); err != nil {
				h.Fatal(err)
			}
			h.refused("revoked", p.renews(first.refresh))
			h.dead("the access token", second.access)
		},
	}, {
		name: "window_in_the_database", tries: "what a stolen database keeps of a refresh token's successor",
		want: badGrant, so: "it is encrypted under the old token, of which there is only a hash",
		by: func(h *house) {
			p := h.program()
			first := p.signsIn()
			second := h.got(p.renews(first.refresh))
			var file []byte
			for _, name := range []string{h.path, h.path + "-wal"} {
				part, err := os.ReadFile(name)
				if err != nil {
					h.Fatal(err)
				}
				file = append(file, part...)
			}
			for what, text := range map[string]string{"the old token": first.refresh, "its successor": second.refresh, "an access token": second.access} {
				if bytes.Contains(file, []byte(text)) {
					h.Errorf("the database has %s", what)
				}
			}
			hash := store.HashOf(first.refresh)
			h.refused("a hash", p.renews("mcpr_"+hex.EncodeToString(hash[:])[:49]))
			h.got(p.renews(second.refresh))
		},
	}, {
		name: "of_another_client", tries: "a refresh token of another client",
		want: badGrant, so: "it is used up, and its grant ends when its client notices",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			got := p.signsIn()
			h.refused("another", p.renews(got.refresh, "client_id", evil.id))
			h.refused("its client, then", p.renews(got.refresh))
			h.dead("the access token", got.access)
			p.signsIn()
		},
	}, {
		name: "more_scope", tries: "renewing with more than the owner allowed, at first or within the window",
		want: lacksScope, so: "the answer's scope says what was granted: what the grant has of what is asked for",
		by: func(h *house) {
			p := h.program()
			got := p.signsIn("scope", "stock:read")
			for _, scope := range []string{"stock:write", "stock:read stock:write", "admin", "*", "stock:read admin"} {
				for range 2 {
					renewed := h.got(p.renews(got.refresh, "scope", scope))
					if renewed.scope != "stock:read" {
						h.Errorf("for %q got the scope %q", scope, renewed.scope)
					}
					h.refused(scope, h.message(writes[0], bearer(renewed.access)...))
					h.worked("reading", h.ask(renewed.access))
				}
			}
		},
	}, {
		name: "widened", tries: "renewing with less, and then within the window with all that the owner allowed, it or another client",
		want: lacksScope, so: "a repeat gives no more than the first use did",
		by: func(h *house) {
			rich, poor := h.program(), h.program("https://poor.example/cb")
			all := rich.signsInToWrite()
			h.got(rich.renews(all.refresh, "scope", "stock:read"))
			for _, scope := range []string{gone, "stock:write", "stock:read stock:write"} {
				again := h.got(rich.renews(all.refresh, "scope", scope))
				h.refused("its own", h.message(writes[0], bearer(again.access)...))
			}
			got := h.got(poor.renews(poor.signsIn("scope", "stock:read").refresh, "scope", "stock:read stock:write"))
			h.refused("another's", h.message(writes[0], bearer(got.access)...))
			h.worked("all, with the successor", h.message(writes[0], bearer(h.got(rich.renews(h.got(rich.renews(all.refresh)).refresh)).access)...))
		},
	}, {
		name: "other_resource", tries: "renewing for another resource",
		want: wrongResource,
		by: func(h *house) {
			p := h.program()
			got := p.signsIn()
			for _, resource := range otherResources {
				h.refused(resource, p.renews(got.refresh, "resource", resource))
			}
			h.got(p.renews(got.refresh))
		},
	}, {
		name: "expired", tries: "a refresh token that was not used for 90 days, or is of a URL from before",
		want: badGrant,
		by: func(h *house) {
			p := h.program()
			got := p.signsIn()
			h.move("https://other.example")
			h.refused("at another URL", p.renews(got.refresh, "resource", "https://other.example/mcp"))
			h.move(publicURL)
			h.pass(90*24*time.Hour - time.Second)
			got = h.got(p.renews(got.refresh))
			h.pass(90 * 24 * time.Hour)
			h.refused("late", p.renews(got.refresh))
		},
	}, {
		name: "revoked", tries: "a refresh token of a grant that the owner, or its client, gave up",
		want: badGrant,
		by: func(h *house) {
			p := h.program()
			got := p.signsIn()
			grants, err := h.db.Grants(h.Context())
			if err != nil || len(grants) != 1 {
				h.Fatal(grants, err)
			}
			if err := h.openAgain().RevokeGrant(h.Context(), grants[0].ID); err != nil {
				h.Fatal(err)
			}
			h.refused("by the owner", p.renews(got.refresh))
			got = p.signsIn()
			h.worked("giving up", h.form("/revoke", url.Values{"token": {got.refresh}, "client_id": {p.id}}))
			h.refused("by the client", p.renews(got.refresh))
			h.dead("the access token", got.access)
		},
	}, {
		name: "other_kinds", tries: "an access token, a code, or the owner's token in place of a refresh token",
		want: badGrant, so: "and none of them is used up by it",
		by: func(h *house) {
			p := h.program()
			key, got, code := h.key(), p.signsIn(), p.code()
			for _, text := range []string{key, got.access, code, said.Keep(secret.New(secret.Refresh)), "", "x", got.refresh[:20], got.refresh + "x"} {
				h.refused("instead", p.renews(text))
			}
			h.worked("the owner's token", h.ask(key))
			h.worked("the access token", h.ask(got.access))
			h.got(p.redeems(code))
			h.got(p.renews(got.refresh))
		},
	}, {
		name: "revoking_others", tries: "revoking another client's tokens",
		want: want{400, "invalid_grant"}, so: "the tokens hold on",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			got := p.signsIn()
			for _, text := range []string{got.access, got.refresh} {
				h.refused("another's", h.form("/revoke", url.Values{"token": {text}, "client_id": {evil.id}}))
			}
			h.worked("the access token", h.ask(got.access))
			h.got(p.renews(got.refresh))
		},
	}, {
		name: "revoking_what_is_not_revocable", tries: "revoking the owner's token, or what nobody was given",
		want: want{200, ""}, so: "nothing is revoked, and nothing is said about whether there was anything",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			key, got := h.key(), p.signsIn()
			for _, text := range []string{key, said.Keep(secret.New(secret.Access)), "x"} {
				h.refused("another's", h.form("/revoke", url.Values{"token": {text}, "client_id": {evil.id}}))
			}
			h.refused("the owner's", h.form("/revoke", url.Values{"token": {key}, "client_id": {p.id}}))
			h.worked("the owner's token", h.ask(key))
			h.worked("the access token", h.ask(got.access))
			h.got(p.renews(got.refresh))
		},
	},
}}
