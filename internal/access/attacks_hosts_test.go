package access_test

import (
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/access"
)

var (
	misdirected = want{421, "-32000"}
	wrongPage   = want{403, "-32000"}
)

var wellKnown = []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}

var hostAttacks = area{"hosts", "What the server is called", []attack{
	{
		name: "host", tries: "another Host: the attacker's, a part of the server's, its address, another port, several at once",
		want: misdirected,
		by: func(h *house) {
			key := h.key()
			for _, host := range []string{"evil.example", "shop.example.evil.example", "evil-shop.example", "example", "shop", "shop.example:80", "shop.example:8443", "shop.example.", "127.0.0.1", "localhost", "localhost:" + h.addr[strings.LastIndex(h.addr, ":")+1:], h.addr, "[::1]", "shop.example,evil.example", "shop.example@evil.example", "shop.example%00.evil.example", "xn--shop-", "*"} {
				h.refused(host, h.message(checkEggs, append(bearer(key), "Host", host)...))
				for _, path := range append(wellKnown, "/", "/authorize", "/nothing") {
					h.refused(host+path, h.get(path, "Host", host))
				}
			}
			h.worked("its own", h.message(checkEggs, append(bearer(key), "Host", "SHOP.example:443")...))
		},
	}, {
		name: "rebinding", tries: "a page whose name was pointed at the server (DNS rebinding), with the page's own Host and Origin",
		want: misdirected,
		by: func(h *house) {
			key := h.key()
			for _, host := range []string{"evil.example", "127.0.0.1.nip.io", "a.b.evil.example:443"} {
				h.refused(host, h.message(checkEggs, append(bearer(key), "Host", host, "Origin", "https://"+host)...))
				h.refused(host, h.send("OPTIONS", "/mcp", "", "Host", host, "Origin", "https://"+host, "Access-Control-Request-Method", "POST"))
			}
			h.worked("its own page", h.message(checkEggs, append(bearer(key), "Origin", publicURL)...))
		},
	}, {
		name: "rebinding_local", tries: "the same to a server on the owner's machine, without a tunnel",
		want: misdirected, in: func(o *options) { o.local, o.Behind = true, false },
		by: func(h *house) {
			key := h.key()
			for _, host := range []string{"evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost@evil.example", "0.0.0.0", "169.254.169.254", "192.168.1.1"} {
				h.refused(host, h.message(checkEggs, append(bearer(key), "Host", host)...))
			}
			h.worked("on the machine", h.message(checkEggs, append(bearer(key), "Host", "localhost:8000")...))
		},
	}, {
		name: "rebinding_network", tries: "the same to a server that listens to the network and answers to a name of its own (--allow-host)",
		want: misdirected, in: func(o *options) { o.local, o.Behind, o.hosts = true, false, []string{"nas.local"} },
		by: func(h *house) {
			key := h.key()
			for _, host := range []string{"evil.example", "nas.local.evil.example", "x.nas.local", "evil-nas.local", "nas.local@evil.example", "nas.local.", "nas", "192.168.1.1", "[2001:db8::1]", "2130706433", "0x7f.1"} {
				h.refused(host, h.message(checkEggs, append(bearer(key), "Host", host, "Origin", "http://"+host)...))
				h.refused(host, h.message(checkEggs, append(bearer(key), "Host", host+":8000")...))
			}
			h.worked("its name", h.message(checkEggs, append(bearer(key), "Host", "NAS.local:8000", "Origin", "http://nas.local:8000")...))
			h.worked("its address", h.message(checkEggs, append(bearer(key), "Host", h.addr)...))
		},
	}, {
		name: "local_page", tries: "a page of another program on the owner's machine that changes the stock of a server without a tunnel",
		want: wrongPage, so: "it may read", in: func(o *options) { o.Mode, o.local, o.Behind = access.None, true, false },
		by: func(h *house) {
			for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000", "https://localhost"} {
				for _, call := range writes {
					h.refused(origin, h.message(call, "Host", h.addr, "Origin", origin))
					h.refused(origin, h.message(batch(checkEggs, call), "Host", h.addr, "Origin", origin))
				}
				h.worked("reading", h.message(checkEggs, "Host", h.addr, "Origin", origin))
			}
			h.worked("its own page", h.message(writes[0], "Host", h.addr, "Origin", "http://"+h.addr))
			h.worked("no page", h.message(writes[0], "Host", h.addr))
		},
	}, {
		name: "absolute", tries: "a whole URL as the request's target, which names another server than Host",
		want: misdirected,
		by: func(h *house) {
			key := h.key()
			for _, target := range []string{"https://evil.example/mcp", "http://evil.example/mcp", "http://127.0.0.1/mcp", "https://shop.example@evil.example/mcp"} {
				replies := h.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", target, key, len(checkEggs), checkEggs))
				if len(replies) != 1 {
					h.Fatalf("%d answers", len(replies))
				}
				h.refused(target, replies[0])
			}
			h.worked("its own", h.ask(key))
		},
	}, {
		name: "two_hosts", tries: "two Hosts, none, or one that is malformed",
		want: want{400, ""}, so: "the connection ends",
		by: func(h *house) {
			for _, lines := range []string{"Host: shop.example\r\nHost: evil.example\r\n", "Host: evil.example\r\nHost: shop.example\r\n", "", "Host: shop example\r\n", "Host: shop.example\x00\r\n", "Host : shop.example\r\n", " Host: shop.example\r\n", "Host: shop.example\r\n Host: evil.example\r\n"} {
				for _, r := range h.raw("GET / HTTP/1.1\r\n" + lines + "Connection: close\r\n\r\n") {
					h.refused(lines, r)
				}
			}
			h.worked("one", h.get("/"))
		},
	}, {
		name: "forwarded_host", tries: "X-Forwarded-Host, -Proto, -Port and the like, to have the metadata name another server",
		want: want{200, ""}, so: "the metadata names the tunnel's URL all the same",
		by: func(h *house) {
			spoofed := []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "X-Forwarded-Port", "8080", "X-Forwarded-Server", "evil.example", "X-Forwarded-Prefix", "/evil", "Forwarded", "host=evil.example;proto=http", "X-Original-Host", "evil.example", "X-Host", "evil.example", "X-Url-Scheme", "http", "Referer", "https://evil.example/"}
			for _, path := range wellKnown {
				plain := h.worked(path, h.get(path))
				r := h.get(path, spoofed...)
				h.refused(path, r)
				if r.body != plain.body || strings.Contains(r.body, "evil") || !strings.Contains(r.body, publicURL) {
					h.Errorf("%s: %s", path, r.body)
				}
			}
			if c := h.message(checkEggs, spoofed...).challenge(); !strings.Contains(c, `resource_metadata="`+publicURL+`/.well-known/`) || strings.Contains(c, "evil") {
				h.Errorf("challenge = %s", c)
			}
			r := h.program().asks("response_type", "token")
			if iss := r.sentTo().Query().Get("iss"); iss != publicURL {
				h.Errorf("iss = %s", iss)
			}
		},
	}, {
		name: "origin", tries: "a page of another site that calls the endpoint, with a token that it got hold of",
		want: wrongPage,
		by: func(h *house) {
			key := h.key()
			for _, origin := range []string{"https://evil.example", "null", "http://shop.example", "https://shop.example:8443", "https://shop.example.evil.example", "https://shop.example@evil.example", "file://", "chrome-extension://x", "https://shop.example/path", "*", "", "shop.example", "https://shop.example https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io"} {
				h.refused(origin, h.message(checkEggs, append(bearer(key), "Origin", origin)...))
				h.refused(origin, h.send("OPTIONS", "/mcp", "", "Origin", origin, "Access-Control-Request-Method", "POST"))
			}
			h.refused("two", h.message(checkEggs, append(bearer(key), "Origin", publicURL, "Origin", "https://evil.example")...))
			h.worked("its own", h.message(checkEggs, append(bearer(key), "Origin", publicURL)...))
		},
	}, {
		name: "origin_below", tries: "a page that is nearly of a domain whose hosts may call, or nearly the extension or app that may",
		want: wrongPage, so: "a domain stands for the hosts below it alone, never for those below a public suffix; an extension for itself",
		in: func(o *options) {
			o.origins = []string{"https://*.example.com", "https://*.amazonaws.com", "https://*.com", "https://*.github.io", "chrome-extension://abcdefghijklmnop", "app://obsidian.md"}
		},
		by: func(h *house) {
			key := h.key()
			for _, origin := range []string{
				"https://example.com", "https://evilexample.com", "https://a.example.com.evil.example", "http://a.example.com", "https://a.example.com:8443", "https://.example.com", "https://*.example.com", "https://a@b.example.com",
				"https://evil.com", "https://evil.github.io", "https://evil.s3.amazonaws.com", "https://s3.amazonaws.com",
				"chrome-extension://ponmlkjihgfedcba", "moz-extension://abcdefghijklmnop", "https://abcdefghijklmnop", "app://evil.obsidian.md", "https://obsidian.md", "app://localhost", "chrome-extension://127.0.0.1",
			} {
				h.refused(origin, h.message(checkEggs, append(bearer(key), "Origin", origin)...))
				h.refused(origin, h.send("OPTIONS", "/mcp", "", "Origin", origin, "Access-Control-Request-Method", "POST"))
			}
			for _, origin := range []string{"https://a.example.com", "https://b.a.example.com", "chrome-extension://abcdefghijklmnop", "app://obsidian.md"} {
				h.worked(origin, h.message(checkEggs, append(bearer(key), "Origin", origin)...))
			}
		},
	}, {
		name: "rewritten", tries: "headers that have some proxies take another path or method",
		want: want{404, ""},
		by: func(h *house) {
			key := h.key()
			for _, name := range []string{"X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Original-Uri", "X-Http-Method-Override", "X-Method-Override", "X-Forwarded-Method"} {
				h.refused(name, h.send("POST", "/nothing", checkEggs, append(bearer(key), "Content-Type", "application/json", name, "/mcp")...))
			}
			h.worked("the path itself", h.ask(key))
		},
	}, {
		name: "paths", tries: "the endpoint by other paths, which what stands before it may not know",
		want: want{404, ""},
		by: func(h *house) {
			key := h.key()
			for _, path := range []string{"//mcp", "/MCP", "/mcp//", "/x/../mcp", "/./mcp", "/mcp;x", "/mcp%00", "/mcp%20", "/mcp.json", "/mcp/x", "/%2fmcp", "/mcp/..", `/\mcp`, "/console", "/debug/pprof/", "/metrics", "/.git/config", "/.env", "/store.db", "/..%2f..%2fetc/passwd"} {
				h.refused(path, h.sendTo(path, key))
			}
			h.worked("its own", h.ask(key))
		},
	},
}}

// sendTo posts to a path as it is written.
func (h *house) sendTo(path, key string) reply {
	h.Helper()
	replies := h.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		path, h.from, key, len(checkEggs), checkEggs))
	if len(replies) != 1 {
		h.Fatalf("%s: %d answers", path, len(replies))
	}
	return replies[0]
}
