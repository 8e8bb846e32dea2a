package access_test

import (
	"fmt"
	"strings"
)

// elsewhere is an attack by redirect URIs that are not the registered one.
func elsewhere(name, tries, registered string, uris ...string) attack {
	return attack{name: name, tries: tries, want: onlyAPage, so: "never a redirect", by: func(h *house) {
		p := h.program(registered)
		for _, uri := range uris {
			h.refused(uri, p.asks("redirect_uri", uri))
			// Nor does it help to be sent there with an error.
			h.refused(uri, p.asks("redirect_uri", uri, "response_type", "token"))
		}
		p.page()
	}}
}

// unregistrable is an attack by redirect URIs that nobody may register.
func unregistrable(name, tries string, uris ...string) attack {
	return attack{name: name, tries: tries, want: want{400, "invalid_redirect_uri"}, by: func(h *house) {
		for _, uri := range uris {
			for _, list := range []string{fmt.Sprintf("[%q]", uri), fmt.Sprintf(`["https://client.example/callback",%q]`, uri)} {
				list = strings.NewReplacer(`\x00`, `\u0000`, `\x7f`, `\u007f`, `\a`, `\u0007`, `\v`, `\u000b`).Replace(list)
				h.refused(list, h.send("POST", "/register", `{"client_name":"c","redirect_uris":`+list+`}`, "Content-Type", "application/json"))
			}
		}
		h.program("https://client.example/callback", "http://127.0.0.1/callback", "http://[::1]:7777/callback", "com.example.app:/callback", "cursor://anysphere.cursor/callback", "workbuddy://oauth/callback")
	}}
}

var redirectAttacks = area{"redirects", "Where the code goes", []attack{
	elsewhere("suffix", "a redirect_uri that goes on where the registered one ends", clientRedirect,
		clientRedirect+"/", clientRedirect+"/more", clientRedirect+"x", clientRedirect+".evil.example", clientRedirect+"%20", clientRedirect+" ", clientRedirect+"\n", clientRedirect+"\x00", clientRedirect+";x"),
	elsewhere("prefix", "one that is the beginning of the registered one", clientRedirect,
		"https://client.example/callbac", "https://client.example/", "https://client.example", "https://client", "https://", "https:", "h"),
	elsewhere("case", "the registered one with another case of scheme, host or path", clientRedirect,
		"https://client.example/Callback", "https://client.example/CALLBACK", "https://CLIENT.example/callback", "HTTPS://client.example/callback"),
	elsewhere("port", "the registered one with a port, be it the one that it has anyway", clientRedirect,
		"https://client.example:443/callback", "https://client.example:8443/callback", "https://client.example:/callback", "https://client.example:0443/callback", "https://client.example:80/callback"),
	elsewhere("userinfo", "the registered host as the name of a user of another", clientRedirect,
		"https://client.example@evil.example/callback", "https://client.example:x@evil.example/callback", "https://evil.example@client.example/callback", "https://client.example%40evil.example/callback", "https://client.example&@evil.example#/callback"),
	elsewhere("idn", "a host that looks like the registered one: in Cyrillic, in full width, in Punycode, with another dot", clientRedirect,
		"https://сlient.example/callback", "https://xn--lient-0rf.example/callback", "https://ｃlient.example/callback", "https://client。example/callback", "https://client.exаmple/callback", "https://client\u200b.example/callback", "https://cl\u0131ent.example/callback"),
	elsewhere("query", "the registered one with a query, a fragment, or both", clientRedirect,
		clientRedirect+"?x=1", clientRedirect+"?", clientRedirect+"#", clientRedirect+"#x", clientRedirect+"?code=stolen", clientRedirect+"?next=https://evil.example", clientRedirect+"%3fx"),
	elsewhere("traversal", "a path that becomes another once dots, slashes or escapes are taken out", clientRedirect,
		"https://client.example/callback/../open?to=https://evil.example", "https://client.example/./callback", "https://client.example//callback", "https://client.example/x/../callback", "https://client.example/%63allback", "https://client.example/callback/%2e%2e/open", "https://client.example/callback/..;/open"),
	elsewhere("backslash", "backslashes, which browsers take for slashes", clientRedirect,
		`https://client.example\callback`, `https://evil.example\@client.example/callback`, `https:\\client.example/callback`, `https://client.example/callback\..\open`, `\\evil.example/callback`),
	elsewhere("scheme", "another scheme, or none", clientRedirect,
		"http://client.example/callback", "//client.example/callback", "client.example/callback", "/callback", "javascript://client.example/callback", "data:text/html,x", "ftp://client.example/callback", "wss://client.example/callback", "view-source:https://client.example/callback"),
	elsewhere("other_host", "a host above, below or beside the registered one", clientRedirect,
		"https://example/callback", "https://evil.client.example/callback", "https://client.example.evil.example/callback", "https://evil-client.example/callback", "https://client.example./callback", "https://clientxexample/callback", "https://.client.example/callback"),
	{
		name: "loopback_port", tries: "another host, path or scheme on the owner's machine than the one that was registered, or a port that is none",
		want: onlyAPage, so: "never a redirect; another port is allowed (RFC 8252, section 7.3)",
		by: func(h *house) {
			p := h.program("http://127.0.0.1:7777/callback")
			for _, uri := range []string{
				"http://127.0.0.1:77777/callback", "http://127.0.0.1:0/callback", "http://127.0.0.1:/callback", "http://127.0.0.1:-1/callback", "http://127.0.0.1:7778:7778/callback", "http://127.0.0.1:7778@evil.example/callback", "http://127.0.0.1:7778.evil.example/callback",
				"http://localhost:7777/callback", "http://localhost:7778/callback", "http://[::1]:7777/callback", "http://[::1]:7778/callback", "http://127.0.0.2:7778/callback", "http://127.1:7777/callback", "http://2130706433:7777/callback",
				"https://127.0.0.1:7777/callback", "HTTP://127.0.0.1:7778/callback", "http://127.0.0.1:7777/other", "http://127.0.0.1:7778/callback/", "http://127.0.0.1:7778/callback?x=1", "http://127.0.0.1:7778/callback#x", "http://127.0.0.1:7778//callback", "http://127.0.0.1:7778/x/../callback",
			} {
				h.refused(uri, p.asks("redirect_uri", uri))
				h.refused(uri, p.asks("redirect_uri", uri, "response_type", "token"))
			}
			// A code is for the URI that it was sent to, its port included.
			p.redirect = "http://127.0.0.1:49152/callback"
			code := p.code()
			if r := p.redeems(code, "redirect_uri", "http://127.0.0.1:7777/callback"); r.status != 400 || r.code() != "invalid_grant" {
				h.Errorf("a code for another port: %d %s", r.status, r.body)
			}
			p.signsIn()
		},
	},
	{
		name: "private_scheme", tries: "having the owner's browser open a program unasked, by an error of a request with a private-use scheme",
		want: onlyAPage, so: "a page shows the whole URI, and only a click opens it; so it is after the owner's yes or no",
		by: func(h *house) {
			const redirect = "workbuddy://oauth/callback?shop=1"
			p := h.program(redirect)
			unopened := func(what string, r reply) {
				h.Helper()
				if to := r.sentTo(); to != nil || r.header.Get("Refresh") != "" {
					h.Errorf("%s opens %s by itself", what, to)
				}
				if !strings.Contains(r.body, `<p class="uri"><a href="`+redirect+`&amp;`) || !strings.Contains(r.body, `">`+redirect+`&amp;`) {
					h.Errorf("%s: the page does not show the whole URI:\n%v", what, r)
				}
			}
			for _, changes := range [][]string{{"response_type", "token"}, {"response_type", gone}, {"code_challenge", "x"}, {"code_challenge_method", "plain"}, {"resource", "https://evil.example"}, {"prompt", "none"}, {"request", "x"}, {"state", strings.Repeat("x", 5000)}} {
				r := p.asks(changes...)
				h.refused(fmt.Sprint(changes), r)
				unopened(fmt.Sprint(changes), r)
			}
			for _, uri := range []string{"workbuddy://oauth/other", "workbuddy://oauth/callback", "workbuddy://oauth:1/callback?shop=1", "WORKBUDDY://oauth/callback?shop=1", "workbuddy:/oauth/callback?shop=1", "otherbuddy://oauth/callback?shop=1"} {
				h.refused(uri, p.asks("redirect_uri", uri, "response_type", "token"))
			}
			unopened("no", h.worked("no", p.page().types("", "decision", "deny")))
			unopened("yes", h.worked("yes", p.page().types(passphrase)))
		},
	},
	elsewhere("loopback_host", "another host, where one on the owner's machine was registered for any port", "http://127.0.0.1/callback",
		"http://127.0.0.1.evil.example:7777/callback", "http://127.0.0.1:7777@evil.example/callback", "http://evil.example:7777/callback", "http://127.0.0.1:7777.evil.example/callback", "http://127.0.0.2:7777/callback", "http://localhost:7777/callback", "http://127.0.0.1:7777/callback/", "http://127.0.0.1:7777/callback?x", "http://127.0.0.1:7777/callback#x", "http://127.0.0.1:x/callback", "http://127.0.0.1:7777:80/callback"),
	{
		name: "none_of_several", tries: "no redirect_uri, where several were registered", want: onlyAPage, so: "the server does not choose",
		by: func(h *house) {
			p := h.program(clientRedirect, "https://client.example/other")
			h.refused("missing", p.asks("redirect_uri", gone))
			h.refused("empty", p.asks("redirect_uri", ""))
			p.page()
		},
	}, {
		name: "of_another_client", tries: "a redirect_uri that another client registered", want: onlyAPage, so: "never a redirect",
		by: func(h *house) {
			p, evil := h.program(), h.program("https://evil.example/cb")
			h.refused("theirs", p.asks("redirect_uri", evil.redirect))
			h.refused("ours", evil.asks("redirect_uri", p.redirect))
			p.page()
		},
	},
	unregistrable("script", "registering a redirect that runs a script, or shows a page of the attacker's", "javascript:alert(1)", "javascript:/alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "javascript://client.example/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "blob:https://client.example/x", "about:blank", "filesystem:https://client.example/x", "view-source:https://client.example"),
	unregistrable("local_file", "registering a redirect to a file, to another protocol, or to a program that anything can be sent to", "file:///etc/passwd", "ftp://client.example/x", "ws://client.example/x", "mailto:a@client.example", "tel:1", "sms:1", "ms-settings:x", "chrome://settings", "x:/y", "steam://run/1", "ssh://client.example",
		"intent://x#Intent;end", "INTENT://x", "itms-services://?action=download-manifest", "ms-appinstaller:/x", "search-ms:/x", "search:/x", "x-apple.systempreferences:/x", "x-apple-reminder://x", "chrome-extension://x/y", "moz-extension://x/y", "edge://settings", "microsoft-edge:/x", "view-source:/x", "devtools://x", "applescript://x", "shortcuts://run-shortcut", "app-prefs:/x", "c:/windows/system32/calc.exe", "smb://client.example/x", "content://x", "market://x"),
	unregistrable("plain_http", "registering a redirect without TLS to another machine, or to one that only looks like this one", "http://client.example/cb", "http://127.0.0.1.evil.example/cb", "http://localhost.evil.example/cb", "http://127.0.0.1@evil.example/cb", "http://0.0.0.0/cb", "http://192.168.1.1/cb", "http://[::ffff:127.0.0.1]/cb", "http://127.1/cb", "http://2130706433/cb", "http://localhost./cb", "http:/cb", "http:///cb"),
	unregistrable("ambiguous", "registering a redirect that two readers understand differently", "https://client.example/cb#x", "https://client.example/cb#", "https://user@client.example/cb", "https://user:x@client.example/cb", `https://client.example\@evil.example/cb`, "https://client.example/c b", "https://client.example/cb\r\nX: y", "https://client.example/\x00", "https://сlient.example/cb", "https://client.example/茶", "https:///cb", "https:client.example/cb", "https://", "//client.example/cb", "/cb", "client.example", "", " https://client.example/cb", "https://client.example/<x>", `https://client.example/"x"`, "https://["),
}}
