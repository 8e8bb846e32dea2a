package access_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/oauth"
)

// web is the internet as the server sees it: names, the addresses that they
// have, and what is served at each.
type web struct {
	http.Handler
	addresses map[string][]string // of names; others have a public one

	empty   atomic.Bool // there is nothing anywhere
	proxied bool        // there is no way out but a proxy, and no resolver

	stuck, free chan struct{} // told by those who wait, and closed to let them go

	mu      sync.Mutex
	lookups []string
	dials   []netip.AddrPort
	asked   []string // of the proxy
	down    bool     // the proxy refuses everything
}

const publicAddress = "93.184.215.14"

// documentURL is where a client has its document.
const documentURL = "https://client.example/id.json"

// goodDocument is what is to be found there.
var goodDocument = fmt.Sprintf(`{"client_id":%q,"client_name":"Documented","redirect_uris":[%q]}`, documentURL, clientRedirect)

// cert is one that everything on this internet has.
var cert = sync.OnceValue(func() tls.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"client.example", "evil.example", "inside.example", "chatgpt.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, ecKey().Public(), ecKey())
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: ecKey()}
})

func (w *web) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lookups = append(w.lookups, host)
	list, ok := w.addresses[host]
	if !ok && w.proxied {
		return nil, errors.New("no resolver")
	}
	if !ok {
		list = []string{publicAddress}
	}
	var addrs []netip.Addr
	for _, text := range list {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

// called returns how often anything was connected to.
func (w *web) called() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.dials) + len(w.asked)
}

// cut has the proxy refuse everything, or not.
func (w *web) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// proxyTo returns an HTTP proxy that leads to one address, whatever is asked of
// it.
func (w *web) proxyTo(addr string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Method+" "+r.Host)
		down := w.down
		w.mu.Unlock()
		to, err := net.Dial("tcp", addr)
		if err != nil || down || r.Method != http.MethodConnect {
			http.Error(rw, "no", http.StatusForbidden)
			return
		}
		defer to.Close()
		from, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { defer to.Close(); io.Copy(to, from) }()
		io.Copy(from, to)
	})
}

func (w *web) point(host string, addresses ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addresses[host] = addresses
}

// open puts a web where the server looks for documents.
func (w *web) open(t *testing.T, c *oauth.Config) {
	l := httptest.NewUnstartedServer(w.Handler)
	l.TLS = &tls.Config{Certificates: []tls.Certificate{cert()}}
	l.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // refused handshakes
	l.StartTLS()
	t.Cleanup(l.Close)
	c.RootCAs = x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	c.RootCAs.AddCert(leaf)
	c.Lookup = w.lookup
	if w.proxied {
		proxy := httptest.NewServer(w.proxyTo(l.Listener.Addr().String()))
		t.Cleanup(proxy.Close)
		to, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		c.Proxy = func(*url.URL) (*url.URL, error) { return to, nil }
	}
	c.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		w.mu.Lock()
		w.dials = append(w.dials, to)
		w.mu.Unlock()
		return new(net.Dialer).DialContext(ctx, "tcp", l.Listener.Addr().String())
	}
}

// serving has the web serve the good document, and whatever else serve does
// first and reports to have answered.
func serving(serve func(w http.ResponseWriter, r *http.Request) bool) func(*options) {
	return func(o *options) {
		o.web = &web{addresses: map[string][]string{}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if serve != nil && serve(w, r) {
				return
			}
			if o.web.empty.Load() {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, goodDocument)
		})}
	}
}

// proxied is serving through a proxy, where there is no other way out.
func proxied(serve func(w http.ResponseWriter, r *http.Request) bool) func(*options) {
	return func(o *options) {
		serving(serve)(o)
		o.web.proxied = true
	}
}

// documented is a client that is known by the document at a URL.
func (h *house) documented(url string) *program {
	h.redirects = append(h.redirects, clientRedirect)
	return h.known(url)
}

// trickle serves a document a byte a second.
func trickle(c net.Conn) {
	t := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert()}})
	defer t.Close()
	if _, err := http.ReadRequest(bufio.NewReader(t)); err != nil {
		return
	}
	io.WriteString(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
	for _, b := range []byte(goodDocument) {
		time.Sleep(time.Second)
		if _, err := t.Write([]byte{b}); err != nil {
			return
		}
	}
}

// clientless is a store without clients.
type clientless struct {
	access.Storage
}

func (clientless) Secret(context.Context, string) ([]byte, error) { return nil, errors.New("none") }

// askAlone asks an authorization server for the page of a client whose document
// is served so, within a bubble of its own time.
func (h *house) askAlone(serve func(net.Conn)) reply {
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert().Certificate[0])
	if err != nil {
		h.Fatal(err)
	}
	roots.AddCert(leaf)
	authority := oauth.New(oauth.Config{
		Store: clientless{}, URL: func() string { return publicURL }, Offered: both, Log: newLog(&h.log), RootCAs: roots,
		Lookup: h.web.lookup,
		Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			near, far := net.Pipe()
			go func() { defer far.Close(); serve(far) }()
			return near, nil
		},
	})
	w := httptest.NewRecorder()
	authority.Handle(w, get("/authorize?"+h.documented(documentURL).query().Encode()))
	return reply{w.Code, w.Header(), w.Body.String()}
}
