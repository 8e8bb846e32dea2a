package smoke

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

func TestWhatStandsInTheWayIsTold(t *testing.T) {
	tests := []struct {
		name        string
		answer      func(http.ResponseWriter, asked)
		words, hint string
	}{
		{"no token", status(401), "401", "--header"},
		{"forbidden", status(403), "403 Forbidden): Forbidden", "exactly as mcpstore printed it"},
		{"too many requests", status(429), "429", "try again"},
		{"bad gateway", status(502), "502 Bad Gateway", "mcpstore's own output"},
		{"busy", func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "503", "Retry-After says (7)"},
		{"ngrok offline", func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Ngrok-Error-Code", "ERR_NGROK_3200")
			http.Error(w, "The endpoint is offline.", http.StatusNotFound)
		}, "no server is online at this ngrok URL (ERR_NGROK_3200)", "start mcpstore"},
		{"ngrok with another code", func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Ngrok-Error-Code", "ERR_NGROK_9999")
			w.WriteHeader(http.StatusBadGateway)
		}, "ngrok answers in the server's stead (ERR_NGROK_9999)", "https://ngrok.com/docs/errors/err_ngrok_9999"},
		{"ngrok's page for browsers", func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<p>You are about to visit … ERR_NGROK_6024")
		}, "warning page for browsers", "ngrok-skip-browser-warning"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, teaEggs.mcpGo(), instead(func(asked) bool { return true }, tt.answer))
			wantUnreachable(t, Config{URL: base + "/mcp"}, tt.words, tt.hint)
		})
	}
}

func TestPath(t *testing.T) {
	t.Run("without /mcp", func(t *testing.T) {
		for _, path := range []string{"", "/"} {
			base := serve(t, teaEggs.mcpGo())
			report := smoke(t, Config{URL: base + path})
			c := named(t, report, "path")
			if len(failures(report)) != 1 || !strings.Contains(c.Detail, "lacks /mcp") || !strings.Contains(c.Hint, base+"/mcp") {
				t.Errorf("failures %q, hint %q: want only the path to fail, with the right URL", failures(report), c.Hint)
			}
		}
	})
	t.Run("a server of its own path", func(t *testing.T) {
		base := serve(t, http.StripPrefix("/shops", teaEggs.mcpGo()), func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = strings.Replace(r.URL.Path, "/stock", "/shops/mcp", 1)
				next.ServeHTTP(w, r)
			})
		})
		if report := smoke(t, Config{URL: base + "/stock"}); !report.OK {
			t.Errorf("failures: %v", failures(report))
		}
	})
	t.Run("nothing there", func(t *testing.T) {
		for path, words := range map[string]string{"/shop/mcp": "nothing is at this path", "/shop": "nor at"} {
			report := smoke(t, Config{URL: serve(t, teaEggs.mcpGo()) + path})
			if c := named(t, report, "path"); len(failures(report)) != 1 || !strings.Contains(c.Detail, words) {
				t.Errorf("%s: failures %q, want only the path to fail, with %q", path, failures(report), words)
			}
		}
	})
}

func TestPlainHTTPIsForLoopback(t *testing.T) {
	for host, loopback := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "shop.localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"shop.example": false, "192.168.1.2": false, "localhost.example": false, "fe80::1": false, "127.0.0.1.example": false,
	} {
		if got := isLoopback(host); got != loopback {
			t.Errorf("isLoopback(%q) = %t, want %t", host, got, loopback)
		}
	}
	wantUnreachable(t, Config{URL: "http://shop.example/mcp"}, "for loopback addresses only", "https://shop.example")
}

func TestTLS(t *testing.T) {
	authority := newAuthority(t)
	good := authority.issue(t, time.Now().Add(24*time.Hour), "shop.example")
	expired := authority.issue(t, time.Now().Add(-24*time.Hour), "shop.example")

	base := serveTLS(t, teaEggs.mcpGo(), good)
	port := base.Port()
	shopURL := "https://shop.example:" + port + "/mcp"
	resolve := []string{"shop.example:" + port + ":127.0.0.1"}

	report := smoke(t, Config{URL: shopURL, CA: authority.pem, Resolve: resolve})
	if !report.OK {
		t.Errorf("failures: %v", failures(report))
	}
	if c := named(t, report, "reachable"); !strings.Contains(c.Detail, "TLS 1.3, certificate valid until 20") {
		t.Errorf("reachable says %q", c.Detail)
	}
	if report := smoke(t, Config{URL: "https://shop.example/mcp", CA: authority.pem, Resolve: []string{"shop.example:443:127.0.0.1:" + port}}); !report.OK {
		t.Errorf("with a port in the address: failures: %v", failures(report))
	}
	wantUnreachable(t, Config{URL: shopURL, Resolve: resolve}, "authority that this machine does not trust", "--ca")
	wantUnreachable(t, Config{URL: base.String() + "/mcp", CA: authority.pem}, `for shop.example, not for "127.0.0.1"`, "--resolve")
	wantUnreachable(t, Config{URL: serveTLS(t, teaEggs.mcpGo(), expired).String() + "/mcp", CA: authority.pem}, "expired on 20", "clock")
	wantUnreachable(t, Config{URL: strings.Replace(serve(t, teaEggs.mcpGo()), "http:", "https:", 1) + "/mcp"}, "plain HTTP, not TLS", "http://")
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	wantUnreachable(t, Config{URL: "http://" + l.Addr().String() + "/mcp"}, "was refused", "is mcpstore running")
}

func TestConnectionIsClosed(t *testing.T) {
	base := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	wantUnreachable(t, Config{URL: base + "/mcp"}, "closed without an answer", "")
}

// These depend on the network, or on luck, to happen for real.
func TestUnreachableInWords(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", IsNotFound: true}, `there is no host "shop.example" in DNS`},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, "DNS did not answer"},
		{&net.DNSError{Err: "server misbehaving"}, "DNS failed to find"},
		{os.ErrDeadlineExceeded, "no answer in time"},
		{context.DeadlineExceeded, "no answer in time"},
		{io.ErrUnexpectedEOF, "closed without an answer"},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{
			Cert: &x509.Certificate{NotBefore: time.Now().Add(time.Hour)}, Reason: x509.Expired}}, "not valid before"},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{
			Cert: &x509.Certificate{}, Reason: x509.NotAuthorizedToSign}}, "certificate is not valid"},
		{io.ErrNoProgress, "no answer: multiple Read calls"},
	}
	u := &url.URL{Scheme: "https", Host: "shop.example", RawQuery: "token=secret"}
	for _, tt := range tests {
		got := unreachable(&url.Error{Op: "Post", URL: u.String(), Err: tt.err}, u)
		if !strings.Contains(got.Error(), tt.want) || strings.Contains(got.Error(), "secret") {
			t.Errorf("unreachable(%v) = %q, want it to say %q, and no secret", tt.err, got, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	good := map[string][2]string{
		"shop.example:443:127.0.0.1":      {"shop.example:443", "127.0.0.1:443"},
		"Shop.Example:443:127.0.0.1":      {"shop.example:443", "127.0.0.1:443"},
		"shop.example:443:::1":            {"shop.example:443", "[::1]:443"},
		"shop.example:443:[::1]":          {"shop.example:443", "[::1]:443"},
		"shop.example:443:127.0.0.1:8443": {"shop.example:443", "127.0.0.1:8443"},
		"shop.example:443:[::1]:8443":     {"shop.example:443", "[::1]:8443"},
	}
	for text, want := range good {
		from, to, err := parseResolve(text)
		if err != nil || from != want[0] || to != want[1] {
			t.Errorf("parseResolve(%q) = %q, %q, %v, want %q", text, from, to, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                            "want host:port:address",
		"shop.example:127.0.0.1":      "want host:port:address",
		":443:127.0.0.1":              "want host:port:address",
		"shop.example:https:10.0.0.1": `"https" is not a port`,
		"shop.example:0:10.0.0.1":     `"0" is not a port`,
		"shop.example:443:localhost":  `"localhost" is not an IP address`,
	} {
		if _, _, err := parseResolve(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseResolve(%q): %v, want it to say %q", text, err, want)
		}
	}
}

// wantUnreachable runs the checks and wants the first to fail with these words
// and nothing to be tried after it.
func wantUnreachable(t *testing.T, cfg Config, words, hint string) {
	t.Helper()
	report := smoke(t, cfg)
	c := report.Checks[0]
	if c.Name != "reachable" || c.Status != Failed || !strings.Contains(c.Detail, words) || !strings.Contains(c.Hint, hint) {
		t.Errorf("%s: %s: %s: %q, hint %q; want reachable to fail with %q and %q", cfg.URL, c.Name, c.Status, c.Detail, c.Hint, words, hint)
	}
	for _, c := range report.Checks[1:] {
		if c.Status != Skipped {
			t.Errorf("%s: %s: %s, want it skipped", cfg.URL, c.Name, c.Status)
		}
	}
}

// serveTLS starts h with cert on HTTP/2 and HTTP/1.1.
func serveTLS(t *testing.T, h http.Handler, cert tls.Certificate) *url.URL {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	srv.StartTLS()
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a authority) issue(t *testing.T, until time.Time, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		NotBefore:    a.cert.NotBefore,
		NotAfter:     until,
		DNSNames:     []string{host},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
