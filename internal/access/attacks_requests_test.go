package access_test

import (
	"fmt"
	"net/http"
	"strings"
)

var (
	onlyAPage  = want{400, onPage}
	badRequest = want{303, "invalid_request"}
	badTarget  = want{303, "invalid_target"}
)

// otherResources are what a token is not for, though it may look so.
var otherResources = []string{
	"https://other.example/mcp", "https://shop.example/mcp/more", "https://shop.example/mcpx", "https://shop.example/other", "http://shop.example/mcp",
	"https://shop.example:443/mcp", "https://shop.example:8443/mcp", "https://shop.example.evil.example/mcp", "https://evil.example/?https://shop.example/mcp",
	"https://owner@shop.example/mcp", "https://shop.example/mcp?x=1", "https://shop.example/mcp#x", "https://shop.example/../mcp", "https://shop.example//mcp",
	"HTTPS://SHOP.EXAMPLE/mcp", "https://shop.example/MCP", "shop.example/mcp", "/mcp", "mcp", "*", "https://shop.example./mcp", "https://shop\u3002example/mcp",
}

var requestAttacks = area{"requests", "Asking to be let in", []attack{
	{
		name: "unknown_client", tries: "a client_id that nobody registered, with a redirect_uri of the attacker's",
		want: onlyAPage, so: "never a redirect",
		by: func(h *house) {
			p := h.program()
			for _, id := range []string{"nobody", "", strings.ToLower(p.id), p.id + " ", p.id + "\x00", p.id[:len(p.id)-1], strings.Repeat("x", 5000), "' OR 1=1 --", "%", "../" + p.id, gone} {
				h.refused(fmt.Sprintf("%.20q", id), p.asks("client_id", id, "redirect_uri", "https://evil.example/cb"))
				h.refused(fmt.Sprintf("%.20q", id), p.asks("client_id", id))
			}
			p.page()
		},
	}, {
		name: "no_pkce", tries: "a request without a code_challenge, or without its method, which would mean plain",
		want: badRequest,
		by: func(h *house) {
			p := h.program()
			h.refused("no challenge", p.asks("code_challenge", gone))
			h.refused("no method", p.asks("code_challenge_method", gone))
			h.refused("neither", p.asks("code_challenge", gone, "code_challenge_method", gone))
			h.refused("empty", p.asks("code_challenge", ""))
			p.page()
		},
	}, {
		name: "plain_pkce", tries: "a code_challenge_method other than S256",
		want: badRequest,
		by: func(h *house) {
			p := h.program()
			for _, method := range []string{"plain", "PLAIN", "s256", "S256 ", "S512", "none", "S256,plain", ""} {
				h.refused(method, p.asks("code_challenge_method", method))
			}
			p.page()
		},
	}, {
		name: "bad_challenge", tries: "a code_challenge that is no SHA-256: too short, too long, in another alphabet, padded",
		want: badRequest,
		by: func(h *house) {
			p := h.program()
			good := p.challenge()
			for _, challenge := range []string{good[:42], good + "A", good + "=", good + good, "a", strings.Repeat("+", 43), strings.Repeat("!", 43), good[:42] + "\n", strings.Repeat("A", 5000)} {
				h.refused(fmt.Sprintf("%.50q", challenge), p.asks("code_challenge", challenge))
			}
			p.page()
		},
	}, {
		name: "implicit", tries: "a response_type that would put tokens into the URL",
		want: want{303, "unsupported_response_type"},
		by: func(h *house) {
			p := h.program()
			for _, kind := range []string{"token", "id_token", "code token", "code id_token", "token code", "none", "CODE"} {
				h.refused(kind, p.asks("response_type", kind))
			}
			p.page()
		},
	}, {
		name: "response_mode", tries: "a response_mode that sends the code elsewhere: fragment, form_post, web_message",
		want: badRequest,
		by: func(h *house) {
			p := h.program()
			for _, mode := range []string{"fragment", "form_post", "web_message", "query.jwt", "jwt"} {
				h.refused(mode, p.asks("response_mode", mode))
			}
			p.page("response_mode", "query")
		},
	}, {
		name: "request_object", tries: "parameters in a signed object, or at a URL that the server is to fetch",
		want: want{303, "request_uri_not_supported"},
		by: func(h *house) {
			p := h.program()
			h.refused("at a URL", p.asks("request_uri", "http://169.254.169.254/latest/meta-data"))
			h.refused("of the PAR kind", p.asks("request_uri", "urn:ietf:params:oauth:request_uri:x"))
			p.page()
		},
	}, {
		name: "unknown_scope", tries: "scopes that do not exist, alone or beside ones that do, or no scope at all",
		want: lacksScope, so: "what is not known counts for nothing, and the answer's scope says what was granted",
		by: func(h *house) {
			for _, scope := range []string{gone, "admin", "*", "stock:*", "stock:read stock:admin", "STOCK:WRITE", "stock:read,stock:write", "openid offline_access"} {
				got := h.program().signsIn("scope", scope)
				if got.scope != "stock:read" {
					h.Errorf("for %q got the scope %q", scope, got.scope)
				}
				h.refused(scope, h.message(writes[0], bearer(got.access)...))
				h.worked("reading", h.ask(got.access))
			}
		},
	}, {
		name: "other_resource", tries: "a resource that is another server's, or looks like this one's",
		want: badTarget,
		by: func(h *house) {
			p := h.program()
			for _, resource := range otherResources {
				h.refused(resource, p.asks("resource", resource))
			}
			q := p.query()
			q["resource"] = []string{publicURL + "/mcp", "https://other.example/mcp"}
			h.refused("ours and another", p.get("/authorize?"+q.Encode()))
			q["resource"] = []string{"https://other.example/mcp", publicURL + "/mcp"}
			h.refused("another and ours", p.get("/authorize?"+q.Encode()))
			p.page()
		},
	}, {
		name: "twice", tries: "parameters that are there twice, so that two readers take different ones",
		want: badRequest,
		by: func(h *house) {
			p := h.program()
			for _, name := range []string{"response_type", "scope", "state", "code_challenge", "code_challenge_method"} {
				q := p.query()
				q[name] = append(q[name], q[name][0])
				h.refused(name, p.get("/authorize?"+q.Encode()))
			}
			p.page()
		},
	}, {
		name: "twice_who", tries: "client_id or redirect_uri twice, one of them the attacker's",
		want: onlyAPage, so: "never a redirect",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			for _, other := range []string{evil.id, p.id} {
				q := p.query()
				q["client_id"] = []string{p.id, other}
				h.refused("client_id", p.get("/authorize?"+q.Encode()))
				q["client_id"] = []string{other, p.id}
				h.refused("client_id", p.get("/authorize?"+q.Encode()))
			}
			q := p.query()
			q["redirect_uri"] = []string{p.redirect, "https://evil.example/cb"}
			h.refused("redirect_uri", p.get("/authorize?"+q.Encode()))
			q["redirect_uri"] = []string{"https://evil.example/cb", p.redirect}
			h.refused("redirect_uri", p.get("/authorize?"+q.Encode()))
			p.page()
		},
	}, {
		name: "silent", tries: "prompt=none, by which a page in the background would be let in without anybody being asked",
		want: want{303, "interaction_required"},
		by: func(h *house) {
			p := h.program()
			h.refused("before", p.asks("prompt", "none"))
			p.signsIn()
			h.refused("after the owner said yes once", p.asks("prompt", "none"))
			p.page("prompt", "consent")
		},
	}, {
		name: "damaged_query", tries: "a query that two readers take apart differently: semicolons, half an escape",
		want: onlyAPage,
		by: func(h *house) {
			p := h.program()
			q := p.query().Encode()
			for _, extra := range []string{";scope=admin", "&scope=%zz", "&%=1", "&state=%e4%b"} {
				h.refused(extra, p.get("/authorize?"+q+extra))
			}
			p.page()
		},
	}, {
		name: "crlf", tries: "line breaks in state, scope and the rest, to write headers or a body of one's own into the answer",
		want: want{303, "unsupported_response_type"}, so: "they come back escaped",
		by: func(h *house) {
			p := h.program()
			const evil = "x\r\nSet-Cookie: __Host-mcpstore=evil\r\n\r\n<script>alert(1)</script>"
			r := p.asks("state", evil, "response_type", evil, "scope", evil, "ui_locales", evil)
			h.refused("everywhere", r)
			if to := r.sentTo(); to.Query().Get("state") != evil || strings.ContainsAny(r.header.Get("Location"), "\r\n<>") || r.header.Get("Set-Cookie") != "" {
				h.Errorf("headers: %q", r.header)
			}
			if to := p.worked("allowing", p.page("state", evil).types(passphrase)).sentTo(); to.Query().Get("state") != evil {
				h.Errorf("the state came back as %q", to.Query().Get("state"))
			}
		},
	}, {
		name: "long_state", tries: "a state that is too long to be kept, or a query that is too long to be read",
		want: badRequest, so: "without the state",
		by: func(h *house) {
			p := h.program()
			r := p.asks("state", strings.Repeat("x", 5<<10))
			h.refused("long", r)
			if len(r.header.Get("Location")) > 1000 {
				h.Error("the state was sent back")
			}
			if r := p.asks("state", strings.Repeat("x", 64<<10)); r.status != http.StatusRequestHeaderFieldsTooLarge {
				h.Errorf("a query of 64 KiB: %d", r.status)
			}
			p.page()
		},
	}, {
		name: "open_redirect", tries: "an error on purpose, to have the browser sent to the attacker's site",
		want: onlyAPage, so: "errors go where a code would go, or nowhere",
		by: func(h *house) {
			p := h.program()
			for name, value := range map[string]string{"response_type": "token", "response_mode": "fragment", "code_challenge": "x", "resource": "https://other.example", "prompt": "none"} {
				h.refused(name, p.asks(name, value, "redirect_uri", "https://evil.example/cb"))
				h.refused(name, p.asks(name, value, "redirect_uri", "//evil.example/cb"))
				h.refused(name, p.asks(name, value, "redirect_uri", p.redirect+"/../../evil"))
			}
			if r := p.asks("response_type", "token"); r.sentTo() == nil || r.sentTo().Host != "client.example" {
				h.Errorf("an error went to %v", r.sentTo())
			}
			p.page()
		},
	}, {
		name: "mix_up", tries: "having an answer of this server taken for that of another",
		want: want{303, "unsupported_response_type"}, so: "every answer names its issuer (RFC 9207), an error, too, and a client cannot have it named otherwise",
		by: func(h *house) {
			p := h.program()
			r := p.asks("response_type", "token", "iss", "https://other.example")
			h.refused("an error", r)
			if got := r.sentTo().Query()["iss"]; len(got) != 1 || got[0] != publicURL {
				h.Errorf("iss = %q", got)
			}
			p.code("iss", "https://other.example")
		},
	}, {
		name: "paths", tries: "the page by other paths than its own, which what stands before it may not know",
		want: want{404, ""},
		by: func(h *house) {
			p := h.program()
			q := "?" + p.query().Encode()
			for _, path := range []string{"/authorize/", "//authorize", "/Authorize", "/x/../authorize", "/authorize;x", "/authorize/x", "/authorize%2f", "/mcp/authorize", "/authorize%00"} {
				h.refused(path, p.get(path+q))
			}
			p.page()
		},
	},
}}
