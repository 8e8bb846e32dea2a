package access_test

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

var refreshAttacks = area{"refresh", "Renewing tokens", []attack{
	{
		name: "reuse", tries: "a refresh token that was used before, by the thief or by its client",
		want: badGrant, so: "all that ever came of the grant dies",
		by: func(h *house) {
			p := h.program()
			first := p.signsIn()
			second := h.got(p.renews(first.refresh))
			third := h.got(p.renews(second.refresh))
			h.worked("the third", h.ask(third.access))
			h.refused("the first again", p.renews(first.refresh))
			for what, access := range map[string]string{"the first": first.access, "the second": second.access, "the third": third.access} {
				h.dead(what, access)
			}
			h.refused("the newest", p.renews(third.refresh))
		},
	}, {
		name: "race", tries: "one refresh token, sixteen times at once",
		want: badGrant, so: "once at most, and then all tokens are dead, since it was in two hands",
		by: func(h *house) {
			p := h.program()
			form := p.renewal(p.signsIn().refresh)
			replies := make([]reply, 16)
			var all sync.WaitGroup
			for i := range replies {
				all.Go(func() { replies[i] = h.form("/token", form) })
			}
			all.Wait()
			lucky := 0
			for _, r := range replies {
				if r.status == http.StatusOK {
					lucky++
					h.dead("what one of them got", h.got(r).access)
				} else {
					h.refused("one of them", r)
				}
			}
			if lucky > 1 {
				h.Errorf("%d of them got tokens", lucky)
			}
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
		name: "more_scope", tries: "renewing with more than the owner allowed",
		want: want{400, "invalid_scope"}, so: "less may be asked for",
		by: func(h *house) {
			p := h.program()
			got := p.signsIn("scope", "stock:read")
			for _, scope := range []string{"stock:write", "stock:read stock:write", "admin", "*", "stock:read admin"} {
				h.refused(scope, p.renews(got.refresh, "scope", scope))
			}
			h.got(p.renews(got.refresh, "scope", "stock:read"))
		},
	}, {
		name: "widened", tries: "renewing with less, and then with all that the owner allowed another client",
		want: want{400, "invalid_scope"},
		by: func(h *house) {
			rich, poor := h.program(), h.program("https://poor.example/cb")
			rich.signsIn()
			got := poor.signsIn("scope", "stock:read")
			h.refused("another's", poor.renews(got.refresh, "scope", "stock:read stock:write"))
			h.got(poor.renews(got.refresh))
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
