package access_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// unfetched tries client IDs for which nothing may be connected to.
func unfetched(name, tries, so string, urls ...string) attack {
	return attack{name: name, tries: tries, want: onlyAPage, so: so, in: serving(nil), by: func(h *house) {
		for _, url := range urls {
			h.refused(url, h.documented(url).asks())
		}
		if n := h.web.called(); n > 0 {
			h.Errorf("connected to %v", h.web.dials)
		}
		h.documented(documentURL).signsIn()
	}}
}

// answered serves a document in a way in which it does not count.
func answered(name, tries string, in func(w http.ResponseWriter, r *http.Request), paths ...string) attack {
	serve := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/id.json" {
			return false
		}
		in(w, r)
		return true
	}
	return attack{name: name, tries: tries, want: onlyAPage, in: serving(serve), by: func(h *house) {
		for _, path := range paths {
			before := h.web.called()
			h.refused(path, h.documented("https://client.example"+path).asks())
			if n := h.web.called() - before; n != 1 {
				h.Errorf("%s: connected %d times, want once", path, n)
			}
		}
		h.documented(documentURL).signsIn()
	}}
}

var privateAddresses = []string{
	"127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1",
	"224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "203.0.113.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
	"::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001::7f00:1", "2001:db8::1", "fec0::1", "100::1", "5f00::1",
}

var documentAttacks = area{"documents", "Clients known by a document, which the server fetches", []attack{
	{
		name: "private", tries: "a name that leads to this machine, to the network it is in, to a cloud's metadata, or there by way of IPv6",
		want: onlyAPage, so: "nothing is connected to", in: serving(nil),
		by: func(h *house) {
			for i, addr := range privateAddresses {
				h.web.point("inside.example", addr)
				h.refused(addr, h.documented(fmt.Sprintf("https://inside.example/%d", i)).asks())
				h.web.point("inside.example", publicAddress, addr)
				h.refused("a public one and "+addr, h.documented(fmt.Sprintf("https://inside.example/%d/x", i)).asks())
				h.web.point("inside.example", addr, publicAddress)
				h.refused(addr+" and a public one", h.documented(fmt.Sprintf("https://inside.example/%d/y", i)).asks())
			}
			h.web.point("inside.example")
			h.refused("none", h.documented("https://inside.example/none").asks())
			if n := h.web.called(); n > 0 {
				h.Errorf("connected to %v", h.web.dials)
			}
			h.documented(documentURL).signsIn()
		},
	}, {
		name: "rebinding", tries: "a name whose answer changes: public when it is looked at, private when it is called",
		want: onlyAPage, so: "it is looked up once for each call, and the address that was looked at is the one that is called", in: serving(nil),
		by: func(h *house) {
			p := h.documented(documentURL)
			p.signsIn()
			h.web.mu.Lock()
			if got := fmt.Sprint(h.web.lookups, h.web.dials); got != "[client.example] ["+publicAddress+":443]" {
				h.Errorf("looked up and connected to %s", got)
			}
			h.web.mu.Unlock()
			h.web.point("client.example", "169.254.169.254")
			h.pass(24 * time.Hour)
			h.refused("private now", p.asks())
			h.web.point("client.example", "1.1.1.1")
			h.pass(time.Hour)
			p.page()
			if got := h.web.dials[len(h.web.dials)-1]; h.web.called() != 2 || got.Addr().String() != "1.1.1.1" {
				h.Errorf("connected to %v", h.web.dials)
			}
		},
	},
	unfetched("literal", "an address in place of a name: decimal, octal, hexadecimal, short, in brackets, mapped, with a zone", "not looked up, not connected to",
		"https://127.0.0.1/id", "https://2130706433/id", "https://0x7f000001/id", "https://0x7f.0.0.1/id", "https://0177.0.0.1/id", "https://017700000001/id", "https://127.1/id", "https://127.0.1/id", "https://0/id",
		"https://[::1]/id", "https://[::ffff:127.0.0.1]/id", "https://[::ffff:7f00:1]/id", "https://[fe80::1%25eth0]/id", "https://[fd00:ec2::254]/id", "https://169.254.169.254/latest/meta-data", "https://2852039166/latest", "https://0xa9fea9fe/latest",
		"https://127.0.0.1./id", "https://127.0.0.01/id", "https://１２７.0.0.1/id", "https://①②⑦.0.0.1/id", "https://127。0。0。1/id", "https://8.8.8.8/id"),
	unfetched("local_name", "a name without a dot, or with nothing after it", "not looked up, not connected to",
		"https://localhost/id", "https://localhost./id", "https://intranet/id", "https://metadata/computeMetadata", "https://LOCALHOST/id", "https://./id", "https://../id", "https:///id", "https://.example/../id"),
	unfetched("port", "another port than that of https", "not connected to",
		"https://client.example:22/id.json", "https://client.example:8443/id.json", "https://client.example:443/id.json", "https://client.example:0/id.json", "https://client.example:6379/id.json", "https://client.example:99999/id.json", "https://client.example:x/id.json"),
	unfetched("scheme", "another scheme than https", "not connected to",
		"http://client.example/id.json", "HTTP://client.example/id.json", "ftp://client.example/id.json", "file:///etc/passwd", "gopher://client.example/x", "//client.example/id.json", "https:client.example/id.json", "https:/client.example/id.json", "https//client.example/id.json", "unix:///var/run/docker.sock", "data:application/json,{}", "HTTPS://client.example/id.json"),
	unfetched("url_tricks", "a user, a query, a fragment, dots, escapes, backslashes or line breaks in the URL, or no path", "not connected to",
		"https://client.example@127.0.0.1/id.json", "https://127.0.0.1@client.example/id.json", "https://user:x@client.example/id.json", "https://client.example/id.json?x=1", "https://client.example/id.json#x", "https://client.example/id.json?",
		"https://client.example/x/../id.json", "https://client.example/./id.json", "https://client.example//id.json", `https://client.example\@127.0.0.1/id.json`, "https://client.example/id.json\r\nHost: 127.0.0.1", "https://client.example/ id.json", "https://client.example", "https://client.example/",
		"https://client.example/"+strings.Repeat("x", 3000), "https://client.example/茶", "https://client.example%00.evil.example/id", "https://client.example%2f@evil.example/id"),
	answered("redirected", "a document that redirects: to this machine, to a cloud's metadata, to another document", func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/301": "http://127.0.0.1/", "/302": "http://169.254.169.254/latest/meta-data", "/303": documentURL, "/307": "https://[::1]/", "/308": "file:///etc/passwd", "/300": documentURL, "/refresh": documentURL}[r.URL.Path]
		w.Header().Set("Location", to)
		w.Header().Set("Refresh", "0;url="+to)
		status := http.StatusOK
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
	}, "/301", "/302", "/303", "/307", "/308", "/300", "/refresh"),
	answered("not_there", "a document that is answered with an error", func(w http.ResponseWriter, r *http.Request) {
		status := 0
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, strings.Replace(goodDocument, "/id.json", r.URL.Path, 1))
	}, "/201", "/203", "/206", "/401", "/404", "/418", "/500", "/503"),
	answered("not_json", "a page, a script or a picture in place of a document", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", map[string]string{"/html": "text/html", "/text": "text/plain", "/js": "application/javascript", "/none": "", "/odd": "application/json, text/html", "/long": strings.Repeat("x", 5000), "/jsonp": "application/jsonp"}[r.URL.Path])
		io.WriteString(w, strings.Replace(goodDocument, "/id.json", r.URL.Path, 1))
	}, "/html", "/text", "/js", "/none", "/odd", "/long", "/jsonp"),
	answered("huge", "a document that is large, never ends, or has a header that does not", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		good := strings.Replace(goodDocument, "/id.json", r.URL.Path, 1)
		switch r.URL.Path {
		case "/large":
			io.WriteString(w, good+strings.Repeat(" ", 64<<10))
		case "/endless":
			for line := bytes.Repeat([]byte(" "), 32<<10); ; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 64<<10))
			io.WriteString(w, good)
		case "/headers":
			for i := range 3000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), "xxxxxxxxxxxxxxxx")
			}
			io.WriteString(w, good)
		case "/cut":
			w.Header().Set("Content-Length", "5000")
			io.WriteString(w, good)
		case "/nested":
			io.WriteString(w, `{"x":`+strings.Repeat("[", 60<<10))
		}
	}, "/large", "/endless", "/header", "/headers", "/cut", "/nested"),
	answered("of_another", "a document that names another client_id, or none, or has it twice", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		here := "https://client.example" + r.URL.Path
		id := map[string]string{"/other": `"https://evil.example/id.json"`, "/none": `null`, "/number": `1`, "/slash": fmt.Sprintf("%q", here+"/"), "/case": fmt.Sprintf("%q", strings.ToUpper(here)), "/http": fmt.Sprintf("%q", "http"+here[5:]), "/list": fmt.Sprintf("[%q]", here), "/twice": fmt.Sprintf(`%q,"client_id":"https://evil.example/id.json"`, here)}[r.URL.Path]
		fmt.Fprintf(w, `{"client_id":%s,"redirect_uris":[%q]}`, id, clientRedirect)
	}, "/other", "/none", "/number", "/slash", "/case", "/http", "/list", "/twice"),
	answered("bad_redirects", "a document whose redirects run scripts, lead elsewhere without TLS, or are missing", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		uris := map[string]string{"/script": `["javascript:alert(1)"]`, "/data": `["data:text/html,x"]`, "/http": `["http://client.example/cb"]`, "/one": `["https://client.example/callback","javascript:x"]`, "/none": `[]`, "/null": `null`, "/text": `"https://client.example/callback"`, "/fragment": `["https://client.example/callback#x"]`}[r.URL.Path]
		fmt.Fprintf(w, `{"client_id":%q,"redirect_uris":%s}`, "https://client.example"+r.URL.Path, uris)
	}, "/script", "/data", "/http", "/one", "/none", "/null", "/text", "/fragment"),
	{
		name: "other_redirect", tries: "a redirect_uri that the document does not list",
		want: onlyAPage, so: "never a redirect", in: serving(nil),
		by: func(h *house) {
			p := h.documented(documentURL)
			for _, uri := range []string{"https://client.example/other", "https://evil.example/callback", clientRedirect + "/", "https://client.example/id.json"} {
				h.refused(uri, p.asks("redirect_uri", uri))
			}
			p.signsIn()
		},
	}, {
		name: "forged_server", tries: "a document from whoever answers at the name, without a certificate for it",
		want: onlyAPage, in: serving(nil),
		by: func(h *house) {
			h.refused("of another name", h.documented("https://forged.example/id.json").asks())
			h.documented(documentURL).signsIn()
		},
	}, {
		name: "vouched", tries: "a document whose name is a famous one's",
		want: want{200, onPage}, so: "the page names the host that the document is from, and warns that it is not the famous one's",
		in: serving(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Host != "evil.example" {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"client_id":"https://evil.example/chatgpt.com","client_name":"ChatGPT (chatgpt.com)","redirect_uris":[%q]}`, clientRedirect)
			return true
		}),
		by: func(h *house) {
			r := h.documented("https://evil.example/chatgpt.com").asks()
			h.refused("famous", r)
			if !strings.Contains(r.body, "vouched for by <code>evil.example</code>") || !strings.Contains(r.body, `<p class="warning"`) {
				h.Errorf("the page does not say whose document it is:\n%v", r)
			}
			h.documented(documentURL).signsIn()
		},
	}, {
		name: "hammer", tries: "having the server ask another one again and again",
		want: onlyAPage, so: "once a minute for each document, and four at once", in: func(o *options) {
			stuck, free := make(chan struct{}), make(chan struct{})
			serving(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/stuck") {
					stuck <- struct{}{}
					<-free
				}
				if r.URL.Path == "/id.json" {
					return false
				}
				http.NotFound(w, r)
				return true
			})(o)
			o.web.stuck, o.web.free = stuck, free
		},
		by: func(h *house) {
			p := h.documented("https://client.example/missing")
			for range 20 {
				h.refused("again", p.asks())
			}
			if n := h.web.called(); n != 1 {
				h.Errorf("asked %d times", n)
			}
			var done atomic.Int32
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					h.documented(fmt.Sprintf("https://client.example/stuck%d", i)).asks()
					done.Add(1)
				})
				<-h.web.stuck
			}
			h.refused("a fifth", h.documented("https://client.example/fifth").asks())
			if done.Load() != 0 || h.web.called() != 5 {
				h.Errorf("%d were answered, %d asked", done.Load(), h.web.called())
			}
			close(h.web.free)
			all.Wait()
			h.look()
			h.documented(documentURL).signsIn()
		},
	}, {
		name: "proxy", tries: "having the proxy that the server uses fetch what it alone can reach: addresses, local names, other ports and schemes, names that are private here, redirects",
		want: onlyAPage, so: "the proxy is asked for https at port 443 of names of the public internet alone",
		in: proxied(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/redirect" {
				return false
			}
			http.Redirect(w, r, "https://inside.example/", http.StatusFound)
			return true
		}),
		by: func(h *house) {
			for i, addr := range privateAddresses {
				h.web.point("inside.example", addr)
				h.refused(addr, h.documented(fmt.Sprintf("https://inside.example/%d", i)).asks())
				h.web.point("inside.example", publicAddress, addr)
				h.refused("a public one and "+addr, h.documented(fmt.Sprintf("https://inside.example/%d/x", i)).asks())
			}
			for _, url := range []string{
				"https://127.0.0.1/id", "https://169.254.169.254/latest/meta-data", "https://[::1]/id", "https://2130706433/id", "https://0x7f.1/id", "https://127。0。0。1/id",
				"https://proxy/id", "https://localhost/id", "https://x.localhost/id", "https://printer.local/id", "https://PRINTER.LOCAL/id", "https://printer.local./id", "https://metadata.google.internal/id", "https://nas.home.arpa/id", "https://home.arpa/id",
				"https://client.example:8443/id.json", "https://client.example:22/id.json", "http://client.example/id.json", "ftp://client.example/id.json", "https://client.example@127.0.0.1/id.json", "https://client.example%0d%0aX:y/id", "https://client.example\r\nX: y/id",
			} {
				h.refused(url, h.documented(url).asks())
			}
			if n := h.web.called(); n > 0 {
				h.Errorf("the proxy was asked for %v, and %v was connected to", h.web.asked, h.web.dials)
			}
			h.refused("a redirect", h.documented("https://client.example/redirect").asks())
			h.documented(documentURL).signsIn()
			if got := fmt.Sprint(h.web.asked); got != "[CONNECT client.example:443 CONNECT client.example:443]" || len(h.web.dials) > 0 {
				h.Errorf("the proxy was asked for %s, and %v was connected to", got, h.web.dials)
			}
		},
	}, {
		name: "withdrawn", tries: "having the server stop advertising documents, by ones that are not there, and going on with one that its host took away",
		want: onlyAPage, so: "only that a well-known host cannot be reached stops it; then documents that are known go on working, until their host itself says otherwise",
		in: proxied(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Host == "chatgpt.com" {
				http.NotFound(w, r)
				return true
			}
			return false
		}),
		by: func(h *house) {
			advertised := func() bool {
				return h.get("/.well-known/oauth-authorization-server").member("client_id_metadata_document_supported") == true
			}
			h.refused("not there", h.documented("https://chatgpt.com/made/up.json").asks())
			p := h.documented(documentURL)
			p.signsIn()
			h.web.cut(true)
			h.refused("a host that anybody can have", h.documented("https://evil.example/id.json").asks())
			if !advertised() {
				h.Error("a client had it withdrawn")
			}
			h.refused("a well-known host that cannot be reached", h.documented("https://chatgpt.com/oauth/client.json").asks())
			if advertised() {
				h.Error("advertised, though none can be fetched")
			}
			h.pass(24 * time.Hour)
			p.signsIn()
			h.web.cut(false)
			h.web.empty.Store(true)
			h.pass(time.Hour)
			h.refused("taken away by its host", p.asks())
			h.program().signsIn()
		},
	}, {
		name: "slow", tries: "a server that accepts and says nothing, or says a document a byte a second",
		want: onlyAPage, so: "given up after five seconds", in: serving(nil),
		by: func(h *house) {
			var slow []reply
			for what, serve := range map[string]func(net.Conn){"nothing": func(c net.Conn) { io.Copy(io.Discard, c) }, "a byte a second": trickle} {
				synctest.Test(h.T, func(t *testing.T) {
					begin := time.Now()
					slow = append(slow, h.askAlone(serve))
					if took := time.Since(begin); took != 5*time.Second {
						t.Errorf("%s: took %v", what, took)
					}
				})
			}
			for _, r := range slow {
				h.refused("slow", r)
			}
			h.documented(documentURL).signsIn()
		},
	},
}}
