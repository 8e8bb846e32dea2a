package access_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

var (
	askedAgain = want{403, onPage}
	lockedOut  = want{429, onPage}
)

var consentAttacks = area{"consent", "The page on which the owner decides", []attack{
	{
		name: "no_cookie", tries: "sending the owner's passphrase in a form without the cookie of its page: from another browser",
		want: askedAgain,
		by: func(h *house) {
			g := h.program().page()
			for _, cookie := range []string{"", "__Host-mcpstore=", "mcpstore=" + g.cookies[0], "__Host-mcpstore=x", "__Host-mcpstore=x; " + g.cookies[0], g.cookies[0] + "; " + g.cookies[0], strings.ToLower(g.cookies[0])} {
				h.refused(cookie, h.form(g.action, g.typed(passphrase), "Origin", publicURL, "Cookie", cookie))
			}
			h.worked("with it", g.types(passphrase))
		},
	}, {
		name: "fixation", tries: "planting a cookie of the attacker's in the owner's browser, or a form of the attacker's in the owner's page",
		want: askedAgain, so: "a form counts only with the cookie of the same page, which is made anew each time",
		by: func(h *house) {
			evil := h.program("https://evil.example/cb")
			owner, attacker := h.program().page(), evil.page()
			mixed := *owner
			mixed.cookies = attacker.cookies
			h.refused("the owner's form, the attacker's cookie", mixed.types(passphrase))
			mixed = *owner
			mixed.fields = attacker.fields
			h.refused("the attacker's form, the owner's cookie", mixed.types(passphrase))
			mixed.cookies = attacker.cookies
			h.refused("both of the attacker's, for what the owner sees", mixed.types(passphrase))
			mixed = *attacker
			mixed.cookies, mixed.fields = owner.cookies, owner.fields
			h.refused("both of the owner's, for what the attacker asks", mixed.types(passphrase))
			if first, second := h.read(evil.asks()), h.read(evil.asks()); first.cookies[0] == second.cookies[0] || first.fields.Get("form") == second.fields.Get("form") {
				h.Error("two pages have the same cookie or form")
			}
			h.worked("the owner's own", owner.types(passphrase))
		},
	}, {
		name: "other_request", tries: "a form that the owner saw for one request, sent for another: client, redirect, scope, state, challenge, order",
		want: askedAgain,
		by: func(h *house) {
			p, evil := h.program(clientRedirect, "https://client.example/other"), h.program("https://evil.example/cb")
			g := p.page("scope", "stock:read")
			seen := *g
			for _, changes := range [][]string{
				{"client_id", evil.id, "redirect_uri", evil.redirect, "scope", "stock:read"}, {"redirect_uri", "https://client.example/other", "scope", "stock:read"},
				{"scope", "stock:read stock:write"}, {"scope", "stock:read", "state", "x"}, {"scope", "stock:read", "code_challenge", evil.challenge()}, {"scope", "stock:read", "resource", publicURL},
				{"scope", "stock:read", "x", "y"},
			} {
				seen.action = "/authorize?" + p.query(changes...).Encode()
				h.refused(seen.action, seen.types(passphrase))
			}
			h.worked("as it was", g.types(passphrase))
		},
	}, {
		name: "cross_origin", tries: "a page of another site that sends the form",
		want: want{403, "-32000"},
		by: func(h *house) {
			g := h.program().page()
			for _, origin := range []string{"https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example", "https://shop.example@evil.example", "https://shop.example:444", "", "https://shop.example https://evil.example"} {
				h.refused(origin, h.form(g.action, g.typed(passphrase), "Origin", origin, "Cookie", g.cookies[0]))
			}
			h.refused("two", h.form(g.action, g.typed(passphrase), "Origin", publicURL, "Origin", "https://evil.example", "Cookie", g.cookies[0]))
			h.worked("its own", g.types(passphrase))
		},
	}, {
		name: "cross_site", tries: "a page that may call the endpoint, or a browser that says where the form is from, or nothing of it",
		want: askedAgain,
		by: func(h *house) {
			g := h.program().page()
			send := func(headers ...string) reply {
				return h.form(g.action, g.typed(passphrase), append(headers, "Cookie", g.cookies[0])...)
			}
			h.refused("no origin", send())
			h.refused("no origin, but a referrer", send("Referer", publicURL+g.action))
			for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1", "https://[::1]"} {
				h.refused("a page on the owner's machine", send("Origin", origin))
			}
			for _, site := range []string{"cross-site", "same-site", "none", "x"} {
				h.refused(site, send("Origin", publicURL, "Sec-Fetch-Site", site))
			}
			h.worked("its own", g.types(passphrase))
		},
	}, {
		name: "other_form", tries: "the form as text, in parts, as JSON, without its seal, or in the URL of a POST",
		want: askedAgain,
		by: func(h *house) {
			g := h.program().page()
			headers := g.sameOrigin()
			body := g.typed(passphrase).Encode()
			for _, media := range []string{"text/plain", "multipart/form-data; boundary=x", "application/json", ""} {
				h.refused(media, h.send("POST", g.action, body, append(headers, "Content-Type", media)...))
			}
			h.refused("in the URL", h.send("POST", g.action+"&"+body, "", append(headers, "Content-Type", "application/x-www-form-urlencoded")...))
			for _, seal := range []string{gone, "", "x", g.fields.Get("form")[1:], g.fields.Get("form") + "A", "B" + g.fields.Get("form")[1:]} {
				h.refused("seal", g.types(passphrase, "form", seal))
			}
			h.refused("large", h.send("POST", g.action, body+"&x="+strings.Repeat("x", 20<<10), append(headers, "Content-Type", "application/x-www-form-urlencoded")...))
			h.worked("its own", g.types(passphrase))
		},
	}, {
		name: "get", tries: "the owner's yes by GET, which a link or an image sends",
		want: want{200, onPage}, so: "it asks, and does nothing",
		by: func(h *house) {
			g := h.program().page()
			h.refused("all in the URL", h.get(g.action+"&"+g.typed(passphrase).Encode(), g.sameOrigin()...))
			h.worked("by POST", g.types(passphrase))
		},
	}, {
		name: "stale", tries: "a page that was opened half an hour ago",
		want: askedAgain,
		by: func(h *house) {
			g := h.program().page()
			h.pass(30 * time.Minute)
			h.refused("late", g.types(passphrase))
			g = h.program().page()
			h.pass(29 * time.Minute)
			h.worked("in time", g.types(passphrase))
		},
	}, {
		name: "of_another_server", tries: "a form and a cookie of another mcpstore, which has the same URL and clients",
		want: askedAgain,
		by: func(h *house) {
			other := openHouse(h.T, attack{})
			p := h.program()
			if err := other.db.AddClient(h.Context(), mustClient(h, p.id), 10); err != nil {
				h.Fatal(err)
			}
			foreign := *p
			foreign.house = other
			g := foreign.page()
			g.house = h
			h.refused("its form", g.types(passphrase))
			h.worked("ours", p.page().types(passphrase))
		},
	}, {
		name: "clickjacking", tries: "the page in a frame, with scripts or styles of others, sent on with a referrer, or kept",
		want: want{200, onPage}, so: "frames, scripts, other styles and other forms' targets are forbidden, nothing is kept",
		by: func(h *house) {
			p := h.program()
			for what, r := range map[string]reply{"page": p.asks(), "after a wrong passphrase": p.page().types("wrong wrong wrong"), "error": p.asks("client_id", "nobody"), "leaving": p.page().types(passphrase)} {
				csp := r.header.Get("Content-Security-Policy")
				for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
					if !slices.Contains(strings.Split(csp, "; "), want) {
						h.Errorf("%s: the policy %s lacks %s", what, csp, want)
					}
				}
				for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
					if got := r.header.Get(name); got != want {
						h.Errorf("%s: %s = %q, want %q", what, name, got, want)
					}
				}
				if strings.Contains(csp, "unsafe") || strings.Contains(r.body, "<script") {
					h.Errorf("%s has scripts, or may: %s", what, csp)
				}
				if what == "leaving" && r.header.Get("Referrer-Policy") != "no-referrer" {
					h.Errorf("leaving tells where from: %s", r.header.Get("Referrer-Policy"))
				}
			}
			h.look()
			r := p.asks()
			h.refused("the page", r)
			if c := r.header.Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "Secure") || !strings.Contains(c, "SameSite=Strict") || strings.Contains(c, "Domain=") {
				h.Errorf("the cookie %s", c)
			}
			p.page()
		},
	}, {
		name: "more_scope", tries: "ticking what the client did not ask for, by changing the form",
		want: lacksScope,
		by: func(h *house) {
			p := h.program()
			to := h.worked("allowing", p.page("scope", "stock:read").types(passphrase, "write", "yes", "scope", "stock:write", "scopes", "stock:write")).sentTo()
			got := h.got(p.redeems(said.Keep(to.Query().Get("code"))))
			h.refused("writing", h.message(writes[0], bearer(got.access)...))
			h.worked("reading", h.ask(got.access))
		},
	}, {
		name: "preticked", tries: "having the owner allow writing with the passphrase alone: at the first time, under the name and redirect of a client that may read, or after its grant ended",
		want: lacksScope, so: "the box for writing starts unticked, but for a client that may read now and asks for more, of which the page says so",
		by: func(h *house) {
			tries := func(what string, p *program) {
				h.Helper()
				got := p.signsIn()
				h.refused(what, h.message(writes[0], bearer(got.access)...))
				h.worked("reading", h.ask(got.access))
			}
			p := h.program()
			p.signsIn()
			tries("its name and redirect", h.program())
			tries("its name, while it is told to ask for more", h.program("https://evil.example/cb"))
			for _, g := range h.before.Grants {
				if err := h.db.RevokeGrant(h.Context(), g); err != nil {
					h.Fatal(err)
				}
			}
			tries("after its grant was revoked", p)
			h.pass(90 * 24 * time.Hour)
			tries("after its grant has lapsed", p)
			if r := p.asks("ui_locales", "en"); !strings.Contains(r.body, "Until now it may only look things up") {
				h.Errorf("the page does not say that this is a step-up:\n%v", r)
			}
			h.worked("at a step-up", h.message(writes[0], bearer(p.signsIn().access)...))
		},
	}, {
		name: "no_decision", tries: "the owner's passphrase with a no, with no decision, or with one that is neither",
		want: want{200, "access_denied"},
		by: func(h *house) {
			p := h.program()
			for _, decision := range []string{"deny", "", gone, "ALLOW", "yes", "allow "} {
				h.refused(decision, p.page().types(passphrase, "decision", decision))
			}
			g := p.page()
			values := g.typed(passphrase)
			values["decision"] = []string{"deny", "allow"}
			h.refused("both", h.form(g.action, values, g.sameOrigin()...))
			h.worked("yes", p.page().types(passphrase))
		},
	}, {
		name: "markup", tries: "a client whose name is markup, a template, control characters, or text that runs backwards",
		want: want{200, onPage}, so: "shown as text, in one line, without what is not seen",
		by: func(h *house) {
			for _, name := range []string{
				`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><script>alert(1)</script>`, `' onclick='alert(1)`, `{{.Passphrase}}`, `<!--`,
				"a\r\nSet-Cookie: x=y\r\n\r\n<u>", "\u202eTPGtahC\u202c", "Chat\u2066GPT\u2069", "a\u200bb\ufeffc\u00ad", "\x1b[31mred\x07", "\u0000x", strings.Repeat("茶", 5000)[:3000], "<a href=//evil.example>",
			} {
				p := h.register(map[string]any{"client_name": name, "redirect_uris": []string{clientRedirect}})
				r := p.asks()
				h.refused(fmt.Sprintf("%.30q", name), r)
				shown, _, _ := strings.Cut(r.body, "<style>")
				_, after, _ := strings.Cut(r.body, "</style>")
				shown += after
				for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "<a href=//", "onclick='", "<u>", "<!--", "\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x07", "\x00"} {
					if strings.Contains(shown, bad) {
						h.Errorf("%.30q: the page has %q", name, bad)
					}
				}
				if len(r.body) > 12<<10 {
					h.Errorf("%.30q: the page has %d bytes", name, len(r.body))
				}
			}
			h.program().page()
		},
	}, {
		name: "reflected", tries: "markup in the parameters, to have the page run it",
		want: want{200, onPage}, so: "escaped",
		by: func(h *house) {
			p := h.program()
			const evil = `"><script>alert(1)</script><x y='`
			r := p.asks("state", evil, "ui_locales", evil, "x", evil, evil, "y")
			h.refused("everywhere", r)
			if strings.Contains(r.body, "<script") || strings.Contains(r.body, `"><`+"x") {
				h.Errorf("the page has it:\n%v", r)
			}
			r = p.asks("client_id", evil)
			if r.status != http.StatusBadRequest || strings.Contains(r.body, "<script") {
				h.Errorf("the page of an error has it:\n%v", r)
			}
			p.page()
		},
	}, {
		name: "impostor", tries: "a client that calls itself ChatGPT",
		want: want{200, onPage}, so: "the page names the host first, says that nobody has checked the name, and warns that the host is not ChatGPT's",
		by: func(h *house) {
			defer func() {
				if r := h.program("https://chatgpt.com/connector/oauth/x").page("scope", "stock:read"); strings.Contains(r.body, `class="warning"`) {
					h.Errorf("warned of a client that is not named so:\n%v", r.reply)
				}
			}()
			for _, name := range []string{"ChatGPT", "Claude Code", "OpenAI Codex", "Gemini CLI", "Cursor", "Visual Studio Code", "GitHub Copilot", "СhаtGРТ", "Chat G P T", "C1aude", "ⲥlaude", "🅲hat🅶PT", "ChatGPT” (verified) “"} {
				for _, redirect := range []string{"https://evil.example/chatgpt.com", "https://chatgpt.com.evil.example/cb", "evil://chatgpt.com/cb"} {
					p := h.register(map[string]any{"client_name": name, "redirect_uris": []string{redirect}})
					p.redirect = redirect
					r := p.asks("ui_locales", "zh-TW")
					h.refused(name, r)
					if !strings.Contains(r.body, `<p class="warning" role="alert">`) {
						h.Errorf("%s to %s: no warning:\n%v", name, redirect, r)
					}
				}
			}
			p := h.register(map[string]any{"client_name": "ChatGPT", "client_uri": "https://chatgpt.com", "logo_uri": "https://chatgpt.com/logo.png", "redirect_uris": []string{"https://evil.example/chatgpt.com"}})
			p.redirect = "https://evil.example/chatgpt.com"
			r := p.asks("ui_locales", "en")
			h.refused("the page", r)
			_, shown, _ := strings.Cut(r.body, "</style>")
			if !strings.Contains(shown, `<h1><span class="client">evil.example</span> wants`) || !strings.Contains(shown, `<code>evil.example</code> does not belong to ChatGPT`) || !strings.Contains(shown, `<code class="host">evil.example</code>`) || !strings.Contains(shown, "nobody has checked") || strings.Contains(shown, "logo.png") {
				h.Errorf("the page does not tell:\n%s", shown)
			}
			h.program().page()
		},
	}, {
		name: "quotation", tries: "a name that closes the page's quotation and goes on in the page's own words, or turns them round",
		want: want{200, onPage}, so: "quotation marks and what is not seen are taken out of names, and what is left stands apart from the page's words",
		by: func(h *house) {
			for name, shown := range map[string]string{
				"ChatGPT”, checked by ngrok. “": "ChatGPT, checked by ngrok.", "ChatGPT」，已經查證。「": "ChatGPT，已經查證。", `A" B` + "＂ C″ D״ E„ F«": "A B C D E F", "''A'' ''B": "A B",
				"A\u202eB\u2069C\u061cD\u200fE": "ABCDE", "A\u034fB\ufe0fC\u180eD\U000e0022E\u3164F": "ABCDEF", "O'Neil": "O&#39;Neil", "שלום": "שלום",
			} {
				p := h.register(map[string]any{"client_name": name, "redirect_uris": []string{clientRedirect}})
				for lang, quoted := range map[string]string{"en": "calls itself “<bdi>" + shown + "</bdi>”", "zh-TW": "自稱「<bdi>" + shown + "</bdi>」"} {
					r := p.asks("ui_locales", lang)
					h.refused(fmt.Sprintf("%q", name), r)
					if !strings.Contains(r.body, quoted) {
						h.Errorf("%q is not shown as %s:\n%v", name, quoted, r)
					}
				}
			}
			h.program().page()
		},
	}, {
		name: "remembered", tries: "a second client, in the browser in which the owner has just said yes to one",
		want: askedAgain, so: "nobody is signed in: each yes needs the passphrase",
		by: func(h *house) {
			g := h.program().page()
			r := h.worked("the first", g.types(passphrase))
			next := h.program("https://evil.example/cb").page()
			next.cookies = append(next.cookies, g.cookies...)
			for _, c := range (&http.Response{Header: r.header}).Cookies() {
				next.cookies = append(next.cookies, c.Name+"="+c.Value)
			}
			h.refused("all cookies", next.types(""))
			next = h.program("https://evil.example/cb").page()
			h.refused("no passphrase", next.types(""))
			h.worked("the passphrase", h.program().page().types(passphrase))
		},
	},
}}
