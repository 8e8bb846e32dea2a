package access_test

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

var (
	badGrant      = want{400, "invalid_grant"}
	badForm       = want{400, "invalid_request"}
	wrongResource = want{400, "invalid_target"}
)

// burns tries to redeem a code as p should not, and sees that nobody can then.
func (p *program) burns(what string, try func(code string) reply) {
	p.Helper()
	code := p.code()
	p.refused(what, try(code))
	p.refused(what+", and then rightly", p.redeems(code))
}

var codeAttacks = area{"codes", "Exchanging a code", []attack{
	{
		name: "replay", tries: "a code that was exchanged before, by its client or by another",
		want: badGrant, so: "the tokens of the first exchange die, access and refresh",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			for what, thief := range map[string]*program{"the client": p, "another": evil} {
				code := p.code()
				first := p.got(p.redeems(code))
				h.worked("the first", h.ask(first.access))
				h.refused(what, p.redeems(code, "client_id", thief.id))
				h.dead("the access token", first.access)
				h.refused("the refresh token", p.renews(first.refresh))
			}
		},
	}, {
		name: "race", tries: "one code, exchanged sixteen times at once",
		want: badGrant, so: "once at most, and then the tokens are dead, since the code was in two hands",
		by: func(h *house) {
			p := h.program()
			form := p.redemption(p.code())
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
			p.signsIn()
		},
	}, {
		name: "of_another_client", tries: "a code that another client was given",
		want: badGrant, so: "the code is used up",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			p.burns("another client", func(code string) reply { return p.redeems(code, "client_id", evil.id) })
			p.burns("another client with its own redirect", func(code string) reply { return p.redeems(code, "client_id", evil.id, "redirect_uri", evil.redirect) })
			p.signsIn()
		},
	}, {
		name: "of_unknown_client", tries: "a code or refresh token by a client that is not registered",
		want: want{401, "invalid_client"}, so: "it is used up; a client that was forgotten learns that it has to register anew",
		by: func(h *house) {
			p := h.program()
			for _, id := range []string{"nobody", "client-AAAAAAAAAAAAAAAAAAAAAAAAAA", "mcp", "http://client.example/id.json"} {
				code := p.code()
				h.refused("a code", p.redeems(code, "client_id", id))
				if r := p.redeems(code); r.code() != badGrant.code {
					h.Errorf("and then rightly: %d %s", r.status, r.code())
				}
				got := p.signsIn()
				h.refused("a refresh token", p.renews(got.refresh, "client_id", id))
				h.refused("a made-up one", p.renews(said.Keep(secret.New(secret.Refresh)), "client_id", id))
				if r := p.renews(got.refresh); r.code() != badGrant.code {
					h.Errorf("and then rightly: %d %s", r.status, r.code())
				}
			}
			p.signsIn()
		},
	}, {
		name: "other_redirect", tries: "a code with another redirect_uri than it was sent to",
		want: badGrant, so: "the code is used up",
		by: func(h *house) {
			p := h.program(clientRedirect, "https://client.example/other")
			for _, uri := range []string{"https://client.example/other", clientRedirect + "/", "https://evil.example/cb", "x"} {
				p.burns(uri, func(code string) reply { return p.redeems(code, "redirect_uri", uri) })
			}
			p.signsIn()
		},
	}, {
		name: "expired", tries: "a code that is a minute old",
		want: badGrant,
		by: func(h *house) {
			p := h.program()
			code := p.code()
			h.pass(time.Minute)
			h.refused("late", p.redeems(code))
			code = p.code()
			h.pass(59 * time.Second)
			h.got(p.redeems(code))
		},
	}, {
		name: "no_verifier", tries: "a code without the code_verifier, or with one that is too short, too long, or of other characters",
		want: badGrant, so: "the code is used up",
		by: func(h *house) {
			p := h.program()
			for _, verifier := range []string{gone, "", p.verifier[:42], strings.Repeat("x", 129), strings.Repeat("x", 8000), p.verifier[:42] + "!", strings.Repeat("é", 43), p.verifier + "\n", p.verifier + "\x00"} {
				p.burns("verifier", func(code string) reply { return p.redeems(code, "code_verifier", verifier) })
			}
			p.signsIn()
		},
	}, {
		name: "wrong_verifier", tries: "a code with a code_verifier that does not fit: another one, the challenge itself, another case",
		want: badGrant, so: "the code is used up",
		by: func(h *house) {
			p := h.program()
			for _, verifier := range []string{h.known("x").verifier, p.challenge(), strings.ToLower(p.verifier), p.verifier + "x", "x" + p.verifier[1:]} {
				p.burns("verifier", func(code string) reply { return p.redeems(code, "code_verifier", verifier) })
			}
			p.signsIn()
		},
	}, {
		name: "downgrade", tries: "exchanging a code of S256 as one of plain, with the challenge for a verifier",
		want: badGrant,
		by: func(h *house) {
			p := h.program()
			p.burns("plain", func(code string) reply {
				return p.redeems(code, "code_verifier", p.challenge(), "code_challenge_method", "plain", "code_challenge", p.challenge())
			})
			p.signsIn()
		},
	}, {
		name: "other_resource", tries: "a code exchanged for tokens for another resource, or one that looks like this",
		want: wrongResource, so: "the code is used up",
		by: func(h *house) {
			p := h.program()
			for _, resource := range otherResources {
				code := p.code()
				h.refused(resource, p.redeems(code, "resource", resource))
				if r := p.redeems(code); r.status == http.StatusOK {
					h.Errorf("%s: and then rightly: %d", resource, r.status)
				}
			}
			form := p.redemption(p.code())
			form["resource"] = []string{publicURL + "/mcp", "https://other.example/mcp"}
			h.refused("ours and another", h.form("/token", form))
			p.signsIn()
		},
	}, {
		name: "old_url", tries: "a code of the URL that the server had before",
		want: badGrant,
		by: func(h *house) {
			p := h.program()
			code := p.code()
			h.move("https://other.example")
			h.refused("for the new", p.redeems(code, "resource", "https://other.example/mcp"))
			h.refused("for nothing", p.redeems(code, "resource", gone))
			h.move(publicURL)
			h.got(p.redeems(code))
		},
	}, {
		name: "more_scope", tries: "a code exchanged for more than the owner allowed",
		want: badGrant, so: "what is asked for here counts for nothing",
		by: func(h *house) {
			p := h.program()
			code := p.code("scope", "stock:read")
			got := h.got(p.redeems(code, "scope", "stock:read stock:write"))
			if got.scope != "stock:read" {
				h.Errorf("got the scope %q", got.scope)
			}
			if r := h.message(writes[0], bearer(got.access)...); r.status != http.StatusForbidden {
				h.Errorf("it may change the stock: %d", r.status)
			}
			h.refused("once more", p.redeems(code, "scope", "stock:read stock:write"))
		},
	}, {
		name: "other_kinds", tries: "the owner's token, an access or refresh token, or a made-up code in place of a code",
		want: badGrant, so: "and none of them is used up by it",
		by: func(h *house) {
			p := h.program()
			key, signedIn := h.key(), p.signsIn()
			for _, text := range []string{key, signedIn.access, signedIn.refresh, said.Keep(secret.New(secret.Code)), "mcpc_", "", "x", "' OR 1=1 --", "mcpc_" + key[5:]} {
				h.refused("instead", p.redeems(text))
			}
			h.worked("the owner's token", h.ask(key))
			h.worked("the access token", h.ask(signedIn.access))
			h.got(p.renews(signedIn.refresh))
		},
	}, {
		name: "other_grants", tries: "other ways to get a token: a password, no user at all, a device, a JWT, another token",
		want: want{400, "unsupported_grant_type"},
		by: func(h *house) {
			p := h.program()
			for _, kind := range []string{"password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange", "AUTHORIZATION_CODE", "code", "authorization_code "} {
				form := p.redemption(p.code(), "grant_type", kind, "username", "owner", "password", passphrase, "subject_token", h.key(), "assertion", "x")
				h.refused(kind, h.form("/token", form))
			}
			p.signsIn()
		},
	}, {
		name: "other_media", tries: "the parameters as JSON, as text, in parts, in the URL, or without saying as what",
		want: badForm, so: "so that no page can send them without being asked, and no URL has a code in it",
		by: func(h *house) {
			p := h.program()
			code := p.code()
			form := p.redemption(code).Encode()
			json := `{"grant_type":"authorization_code","code":"` + code + `","client_id":"` + p.id + `","code_verifier":"` + p.verifier + `"}`
			h.refused("JSON", h.send("POST", "/token", json, "Content-Type", "application/json"))
			h.refused("text", h.send("POST", "/token", form, "Content-Type", "text/plain"))
			h.refused("nothing", h.send("POST", "/token", form))
			h.refused("parts", h.send("POST", "/token", "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n"+code+"\r\n--x--", "Content-Type", "multipart/form-data; boundary=x"))
			h.refused("in the URL", h.send("POST", "/token?"+form, "", "Content-Type", "application/x-www-form-urlencoded"))
			h.refused("in both", h.send("POST", "/token?"+form, form, "Content-Type", "application/x-www-form-urlencoded"))
			h.refused("nothing in the URL", h.send("POST", "/token?x", form, "Content-Type", "application/x-www-form-urlencoded"))
			h.got(p.redeems(code))
		},
	}, {
		name: "twice", tries: "parameters that are there twice, so that two readers take different ones; half an escape",
		want: badForm,
		by: func(h *house) {
			p := h.program()
			code := p.code()
			for _, name := range []string{"grant_type", "code", "client_id", "redirect_uri", "code_verifier"} {
				form := p.redemption(code)
				form[name] = append(form[name], form[name][0])
				h.refused(name, h.form("/token", form))
			}
			damaged := p.redemption(code).Encode() + "&x=%zz"
			h.refused("damaged", h.send("POST", "/token", damaged, "Content-Type", "application/x-www-form-urlencoded"))
			h.refused("large", h.send("POST", "/token", p.redemption(code).Encode()+"&x="+strings.Repeat("x", 20<<10), "Content-Type", "application/x-www-form-urlencoded"))
			h.got(p.redeems(code))
		},
	}, {
		name: "secret", tries: "a client that takes itself for one with a secret, or shows somebody's token as one",
		want: want{401, "invalid_client"},
		by: func(h *house) {
			p := h.program()
			code, key := p.code(), h.key()
			h.refused("in the form", p.redeems(code, "client_secret", "x"))
			h.refused("assertion", p.redeems(code, "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
			h.refused("Bearer", h.form("/token", p.redemption(code), bearer(key)...))
			h.refused("Basic", h.form("/token", p.redemption(code), "Authorization", basic(p.id, "x")))
			h.refused("Basic for another", h.form("/token", p.redemption(code), "Authorization", basic("other", "")))
			h.got(p.redeems(code))
		},
	}, {
		name: "get", tries: "the token endpoint by GET, which a link or an image sends, or by other methods",
		want: want{405, "invalid_request"},
		by: func(h *house) {
			p := h.program()
			code := p.code()
			for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
				h.refused(method, h.send(method, "/token?"+p.redemption(code).Encode(), "", "Content-Type", "application/x-www-form-urlencoded"))
				h.refused(method, h.send(method, "/token", p.redemption(code).Encode(), "Content-Type", "application/x-www-form-urlencoded"))
			}
			h.got(p.redeems(code))
		},
	}, {
		name: "other_page", tries: "a page of another site that exchanges a code, or registers a client",
		want: want{403, "-32000"},
		by: func(h *house) {
			p := h.program()
			code := p.code()
			for _, origin := range []string{"https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example", "https://shop.example:8443"} {
				h.refused(origin, h.form("/token", p.redemption(code), "Origin", origin))
				h.refused(origin, h.send("POST", "/register", `{"redirect_uris":["https://evil.example"]}`, "Content-Type", "application/json", "Origin", origin))
			}
			h.got(p.redeems(code))
		},
	},
}}
