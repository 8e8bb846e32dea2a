package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// publisher is a site on what is taken for the public internet: names are found
// as it says, and 192.0.43.8 is a server of the test's.
type publisher struct {
	*httptest.Server
	addrs   atomic.Value // []netip.Addr, of every name
	fetched atomic.Int64
	dialed  atomic.Value // netip.AddrPort
}

func publish(t *testing.T, serve http.HandlerFunc) *publisher {
	t.Helper()
	p := &publisher{}
	p.addrs.Store([]netip.Addr{netip.MustParseAddr("192.0.43.8")})
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetched.Add(1)
		serve(w, r)
	}))
	p.EnableHTTP2 = false
	p.Config.ErrorLog = quiet
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

// config looks at the internet as the publisher has it. The certificate of
// httptest is for example.com.
func (p *publisher) config() Config {
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	return Config{
		RootCAs: roots,
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return p.addrs.Load().([]netip.Addr), nil
		},
		Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			p.dialed.Store(to)
			return new(net.Dialer).DialContext(ctx, "tcp", p.Listener.Addr().String())
		},
	}
}

// quiet is for handshakes that are broken off.
var quiet = log.New(io.Discard, "", 0)

const documentID = "https://example.com/oauth/client.json"

func document200(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, text)
}

const goodDocument = `{"client_id":"` + documentID + `","client_name":"Chat\u202eGPT","redirect_uris":["https://example.com/cb"]}`

func TestDocumentsMakeClientsKnown(t *testing.T) {
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	d := newDocuments(p.config(), func() time.Time { return now })
	for range 2 {
		got, err := d.client(t.Context(), documentID)
		if err != nil || got.name != "ChatGPT" || got.host != "example.com" || !got.mayGoTo("https://example.com/cb") || got.mayGoTo("https://evil.example/cb") {
			t.Fatalf("client = %+v, %v", got, err)
		}
	}
	if n := p.fetched.Load(); n != 1 {
		t.Errorf("fetched %d times within %v", n, shortestKept)
	}
	now = now.Add(shortestKept)
	if _, err := d.client(t.Context(), documentID); err != nil || p.fetched.Load() != 2 {
		t.Errorf("after %v fetched %d times, %v", shortestKept, p.fetched.Load(), err)
	}
	if to := p.dialed.Load().(netip.AddrPort); to.String() != "192.0.43.8:443" {
		t.Errorf("dialed %v", to)
	}
}

// ChatGPT's prefers to sign what it sends, and can do without: see
// [metadata.AuthMethods].
func TestDocumentsMayPreferASignature(t *testing.T) {
	const more = `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["private_key_jwt","none"],"jwks_uri":"https://example.com/jwks.json"}`
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) {
		document200(w, strings.TrimSuffix(goodDocument, "}")+more)
	})
	h := openHouse(t, func(c *Config) {
		found := p.config()
		c.Lookup, c.Dial, c.RootCAs = found.Lookup, found.Dial, found.RootCAs
	})
	code := h.letIn(params(documentID, "redirect_uri", "https://example.com/cb"))
	if got := h.redeem(documentID, code, "redirect_uri", "https://example.com/cb"); got.Status != http.StatusOK {
		t.Errorf("POST /token = %d %s", got.Status, got.Text)
	}
	if n := p.fetched.Load(); n != 1 {
		t.Errorf("fetched %d documents, want the client's alone", n)
	}
}

func TestBadDocumentsAreRefused(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"of another client": func(w http.ResponseWriter, _ *http.Request) {
			document200(w, strings.ReplaceAll(goodDocument, "/client.json", "/other.json"))
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth/client.json" {
				http.Redirect(w, r, "https://example.com/there", http.StatusFound)
				return
			}
			document200(w, goodDocument)
		},
		"not found": func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"a web page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, goodDocument)
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { document200(w, "client") },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			document200(w, goodDocument+strings.Repeat(" ", maxDocument))
		},
		"huge header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", maxHeaderOfThem))
			document200(w, goodDocument)
		},
		"without redirects": func(w http.ResponseWriter, _ *http.Request) {
			document200(w, `{"client_id":"`+documentID+`"}`)
		},
		"with a script for a redirect": func(w http.ResponseWriter, _ *http.Request) {
			document200(w, strings.ReplaceAll(goodDocument, "https://example.com/cb", "javascript:alert(1)"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, serve)
			now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
			d := newDocuments(p.config(), func() time.Time { return now })
			for range 3 {
				if _, err := d.client(t.Context(), documentID); !errors.As(err, new(*documentError)) {
					t.Fatalf("error %v", err)
				}
			}
			if n := p.fetched.Load(); n != 1 {
				t.Errorf("fetched %d times within %v", n, failureKept)
			}
		})
	}
}

func TestDocumentsComeFromThePublicInternetAlone(t *testing.T) {
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	for _, addrs := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1",
		"192.0.43.8 127.0.0.1", // one of two
	} {
		var list []netip.Addr
		for text := range strings.FieldsSeq(addrs) {
			list = append(list, netip.MustParseAddr(text))
		}
		p.addrs.Store(list)
		d := newDocuments(p.config(), time.Now)
		if _, err := d.client(t.Context(), documentID); !errors.As(err, new(*documentError)) || p.fetched.Load() > 0 {
			t.Errorf("%s: error %v, fetched %d times", addrs, err, p.fetched.Load())
		}
	}
	for _, addr := range []string{"192.0.43.8", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"} {
		if !isPublic(netip.MustParseAddr(addr)) {
			t.Errorf("%s is not public", addr)
		}
	}
}

func TestDocumentsAreKeptAsTheirServerWouldHaveIt(t *testing.T) {
	for said, want := range map[string]time.Duration{
		"":                               shortestKept,
		"no-store":                       shortestKept,
		"max-age=10":                     shortestKept,
		"public, MAX-AGE=3600":           time.Hour,
		"max-age=31536000, immutable":    longestKept,
		"max-age=99999999999999999999":   shortestKept,
		"max-age=-1, stale-if-error=600": shortestKept,
	} {
		if got := keepFor(http.Header{"Cache-Control": {said}}); got != want {
			t.Errorf("Cache-Control: %s is kept for %v, want %v", said, got, want)
		}
	}
}

// The address that is looked at is the one that is called: a name that changes
// its answer is asked only once.
func TestNamesAreAskedOnce(t *testing.T) {
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	c := p.config()
	asked := 0
	c.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		if asked++; asked > 1 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("192.0.43.8")}, nil
	}
	if _, err := newDocuments(c, time.Now).client(t.Context(), documentID); err != nil || asked != 1 {
		t.Errorf("error %v, asked %d times", err, asked)
	}
	if to := p.dialed.Load().(netip.AddrPort); to.Addr().String() != "192.0.43.8" {
		t.Errorf("dialed %v", to)
	}
}

func TestURLsThatAreNoClientIDs(t *testing.T) {
	d := newDocuments(Config{Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		t.Errorf("looked for %q", host)
		return nil, errors.New("no")
	}}, time.Now)
	for _, id := range []string{
		"https://example.com", "https://example.com/", "https://example.com/a/../b", "https://example.com/./a", "https://example.com/a#b",
		"https://example.com/a?b=c", "https://example.com/a?", "https://user@example.com/a", "https://example.com:8443/a", "https://example.com:443/a", "https://example.com:/a", "https://%D0%B5xample.com/a", "https://example.com/%2e%2e/a",
		"https://127.0.0.1/a", "https://2130706433/a", "https://0177.0.0.1/a", "https://0x7f.0.0.1/a", "https://0x7f000001/a", "https://127.1/a",
		"https://[::1]/a", "https://[::ffff:127.0.0.1]/a", "https://localhost/a", "https://intranet/a", "https://example.com\\@evil.example/a",
		"https://" + strings.Repeat("a", maxURI) + ".example/a", "https://EXAMPLE.com /a",
	} {
		if _, err := d.client(t.Context(), id); !errors.As(err, new(*documentError)) {
			t.Errorf("%q: error %v", id, err)
		}
	}
}

func TestSlowDocumentsAreGivenUp(t *testing.T) {
	c := Config{
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.43.8")}, nil
		},
		Dial:    func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		RootCAs: x509.NewCertPool(),
	}
	d := newDocuments(c, time.Now)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.client(ctx, documentID); err == nil {
		t.Error("a site that never answers has a document")
	}
	if d.known.Len() != 0 {
		t.Error("that a caller left is remembered as the client's fault")
	}
}

func TestDocumentsNeedACertificate(t *testing.T) {
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	p.TLS.MaxVersion = tls.VersionTLS13
	c := p.config()
	c.RootCAs = x509.NewCertPool()
	if _, err := newDocuments(c, time.Now).client(t.Context(), documentID); !errors.As(err, new(*documentError)) || p.fetched.Load() > 0 {
		t.Errorf("error %v, fetched %d times", err, p.fetched.Load())
	}
}
