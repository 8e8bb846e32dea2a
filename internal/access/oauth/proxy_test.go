package oauth

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testProxy is a proxy on loopback that leads to one place, whatever it is asked
// for.
type testProxy struct {
	url *url.URL
	to  net.Addr

	mu     sync.Mutex
	asked  []string // host:port, with the user in front
	refuse bool
}

// startProxy starts a proxy of a scheme: http, https or socks5.
func startProxy(t *testing.T, scheme string, to net.Addr) *testProxy {
	t.Helper()
	p := &testProxy{to: to}
	var addr net.Addr
	switch scheme {
	case "http", "https":
		srv := httptest.NewUnstartedServer(http.HandlerFunc(p.serveHTTP))
		srv.Config.ErrorLog = quiet
		if scheme == "https" {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		t.Cleanup(srv.Close)
		addr = srv.Listener.Addr()
	case "socks5":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go p.serveSOCKS(conn)
			}
		}()
		addr = l.Addr()
	}
	p.url = &url.URL{Scheme: scheme, User: url.UserPassword("chen", "pass word"), Host: addr.String()}
	return p
}

// hears notes what is asked for, and reports whether to go there.
func (p *testProxy) hears(user, target string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, user+"@"+target)
	return !p.refuse
}

func (p *testProxy) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *testProxy) setRefuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

func (p *testProxy) serveHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	if r.Method != http.MethodConnect || !p.hears(user+":"+password, r.Host) {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.join(conn)
}

// serveSOCKS speaks as much of SOCKS 5 (RFC 1928, RFC 1929) as clients need.
func (p *testProxy) serveSOCKS(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	next := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(r, b)
		return b
	}
	next(int(next(2)[1])) // the methods
	conn.Write([]byte{5, 2})
	user := next(int(next(2)[1]))
	password := next(int(next(1)[0]))
	conn.Write([]byte{1, 0})
	if head := next(4); head[3] != 3 { // an address, where a name is wanted
		p.hears("", fmt.Sprint("an address: ", head))
		return
	}
	host := next(int(next(1)[0]))
	port := binary.BigEndian.Uint16(next(2))
	if !p.hears(string(user)+":"+string(password), fmt.Sprintf("%s:%d", host, port)) {
		conn.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	p.join(conn)
}

// join passes on what comes, both ways.
func (p *testProxy) join(conn net.Conn) {
	defer conn.Close()
	to, err := net.Dial(p.to.Network(), p.to.String())
	if err != nil {
		return
	}
	defer to.Close()
	go func() { defer to.Close(); io.Copy(to, conn) }()
	io.Copy(conn, to)
}

// through has a configuration use the proxy, where there is no resolver.
func (p *testProxy) through(t *testing.T, c *Config) {
	c.Proxy = func(*url.URL) (*url.URL, error) { return p.url, nil }
	c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no resolver") }
	c.Dial = func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
		t.Errorf("connected to %v beside the proxy", to)
		return nil, errors.New("no route")
	}
}

func TestDocumentsAreFetchedThroughTheProxy(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			site := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
			proxy := startProxy(t, scheme, site.Listener.Addr())
			c := site.config()
			proxy.through(t, &c)
			got, err := newDocuments(c, time.Now).client(t.Context(), documentID)
			if err != nil || got.host != "example.com" || !got.mayGoTo("https://example.com/cb") {
				t.Errorf("client = %+v, %v", got, err)
			}
			if diff := cmp.Diff([]string{"chen:pass word@example.com:443"}, proxy.heard()); diff != "" {
				t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// A proxy may reach what the internet does not: nothing of that kind is asked of
// it, and no redirect is followed there.
func TestProxiesAreAskedForThePublicInternetAlone(t *testing.T) {
	site := publish(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://inside.example/", http.StatusFound)
	})
	proxy := startProxy(t, "http", site.Listener.Addr())
	c := site.config()
	proxy.through(t, &c)
	c.Lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "inside.example":
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
		case "both.example":
			return []netip.Addr{netip.MustParseAddr("192.0.43.8"), netip.MustParseAddr("::1")}, nil
		}
		return nil, errors.New("no such host")
	}
	d := newDocuments(c, time.Now)
	for _, id := range []string{
		"https://inside.example/id", "https://both.example/id",
		"http://example.com/id", "https://example.com:8443/id", "https://example.com:443/id",
		"https://10.0.0.1/id", "https://[::1]/id", "https://2130706433/id", "https://0x7f.1/id",
		"https://proxy/id", "https://localhost/id", "https://x.localhost/id", "https://printer.local/id", "https://PRINTER.LOCAL/id", "https://printer.local./id",
		"https://metadata.google.internal/id", "https://internal/id", "https://nas.home.arpa/id", "https://home.arpa/id",
		"https://a..example/id", "https://a,b.example/id", "https://a;b.example/id", "https://*.example/id", "https://" + strings.Repeat("a", 64) + ".example/id",
	} {
		if _, err := d.client(t.Context(), id); !errors.As(err, new(*documentError)) {
			t.Errorf("%s: error %v", id, err)
		}
	}
	if got := proxy.heard(); len(got) > 0 {
		t.Fatalf("the proxy was asked for %q", got)
	}
	if _, err := d.client(t.Context(), documentID); err == nil {
		t.Error("a redirect is taken for a document")
	}
	if diff := cmp.Diff([]string{"chen:pass word@example.com:443"}, proxy.heard()); diff != "" {
		t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
	}
}

// Hosts that are not for the proxy are reached as if there were none: by the
// guard.
func TestHostsBesideTheProxyAreGuarded(t *testing.T) {
	site := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	c := site.config()
	c.Proxy = func(u *url.URL) (*url.URL, error) { return nil, nil }
	d := newDocuments(c, time.Now)
	if _, err := d.client(t.Context(), documentID); err != nil || site.dialed.Load() == nil {
		t.Errorf("error %v, dialed %v", err, site.dialed.Load())
	}
	site.addrs.Store([]netip.Addr{netip.MustParseAddr("10.0.0.1")})
	if _, err := d.client(t.Context(), "https://example.com/other"); !errors.Is(err, errPrivate) {
		t.Errorf("at a private address: %v", err)
	}
}

func TestASilentProxyIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // which takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	proxy := &testProxy{url: &url.URL{Scheme: "http", Host: l.Addr().String()}}
	c := Config{RootCAs: x509.NewCertPool()}
	proxy.through(t, &c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := newDocuments(c, time.Now).client(ctx, documentID); err == nil {
		t.Error("a proxy that says nothing has a document")
	}
}

// wellKnownID is of a document at a host whose reachability counts.
const wellKnownID = "https://chatgpt.com/oauth/client.json"

// reachingHouse is a house that fetches documents of chatgpt.com through a
// proxy.
func reachingHouse(t *testing.T, serve http.HandlerFunc, set ...func(*Config)) (*house, *testProxy, *publisher) {
	site := publish(t, serve)
	proxy := startProxy(t, "http", site.Listener.Addr())
	h := openHouse(t, append(set, func(c *Config) {
		proxy.through(t, c)
		c.RootCAs = site.config().RootCAs
	})...)
	h.server.documents.proxied.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // as its certificate says
	return h, proxy, site
}

func (h *house) advertises() bool {
	h.t.Helper()
	return strings.Contains(h.get("/.well-known/oauth-authorization-server").Body.String(), `"client_id_metadata_document_supported":true`)
}

func TestDocumentsAreWithdrawnWhileTheyCannotBeFetched(t *testing.T) {
	fetched := make(chan struct{}, 10)
	var log bytes.Buffer
	h, proxy, _ := reachingHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		fetched <- struct{}{}
		document200(w, strings.ReplaceAll(goodDocument, "example.com", "chatgpt.com"))
	}, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(io.MultiWriter(&log, &said), nil)) })
	if !h.advertises() {
		t.Fatal("documents are not advertised at the start")
	}
	// A host that anybody may have says nothing about the network.
	proxy.setRefuse(true)
	h.ask(params("https://client.example/id.json"))
	if !h.advertises() {
		t.Error("withdrawn for a host that is not well known")
	}
	if p := h.ask(params(wellKnownID)); p.Code != http.StatusBadRequest || h.advertises() {
		t.Errorf("after a failure: %d, advertised %v", p.Code, h.advertises())
	}
	if log := log.String(); !strings.Contains(log, "documents of clients cannot be fetched") || !strings.Contains(log, "host=chatgpt.com") || strings.Contains(log, "pass word") {
		t.Error("the log does not say so, or has the proxy's password")
	}
	// It comes back once one is fetched: the server itself tries, once a minute.
	proxy.setRefuse(false)
	asked := len(proxy.heard())
	for range 5 {
		if h.advertises() {
			t.Fatal("advertised before one was fetched")
		}
	}
	if n := len(proxy.heard()); n != asked {
		t.Errorf("%d attempts within the minute", n-asked)
	}
	h.wait(failureKept)
	h.advertises()
	<-fetched
	for deadline := time.Now().Add(10 * time.Second); !h.advertises(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not advertised, though one was fetched")
		}
	}
	if p := h.ask(params(wellKnownID, "redirect_uri", "https://chatgpt.com/cb")); p.Code != http.StatusOK {
		t.Errorf("signing in = %d\n%s", p.Code, p.Body)
	}
}

// That a well-known host answers is enough: what is at the URL is up to who
// sent the client_id.
func TestAnAnswerFromAWellKnownHostWithdrawsNothing(t *testing.T) {
	h, _, site := reachingHouse(t, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	if p := h.ask(params("https://chatgpt.com/made/up.json")); p.Code != http.StatusBadRequest || site.fetched.Load() != 1 || !h.advertises() {
		t.Errorf("a document that is not there: %d, fetched %d times, advertised %v", p.Code, site.fetched.Load(), h.advertises())
	}
}

func TestDocumentsThatAreKnownGoOnWorking(t *testing.T) {
	gone := false
	h, proxy, site := reachingHouse(t, func(w http.ResponseWriter, r *http.Request) {
		if gone {
			http.NotFound(w, r)
			return
		}
		document200(w, strings.ReplaceAll(goodDocument, "example.com", "chatgpt.com"))
	})
	v := params(wellKnownID, "redirect_uri", "https://chatgpt.com/cb")
	h.asked(v)
	proxy.setRefuse(true)
	for range 3 {
		h.wait(longestKept)
		h.asked(v).allow(passphrase).leaves()
		if h.advertises() {
			t.Error("advertised, though none can be fetched")
		}
	}
	if p := h.ask(params("https://chatgpt.com/oauth/other.json")); p.Code != http.StatusBadRequest {
		t.Errorf("a document that was never seen = %d", p.Code)
	}
	// What the host itself says counts at once.
	proxy.setRefuse(false)
	gone = true
	h.wait(failureKept)
	if p := h.ask(v); p.Code != http.StatusBadRequest || site.fetched.Load() != 2 {
		t.Errorf("a document that its host took away = %d, fetched %d times", p.Code, site.fetched.Load())
	}
}

func TestDocumentsNeedNotBeAdvertised(t *testing.T) {
	if h := openHouse(t, func(c *Config) { c.NoDocuments = true }); h.advertises() {
		t.Error("advertised")
	}
}
