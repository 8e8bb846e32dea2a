// Package oauth is an OAuth 2.1 authorization server for one resource, the MCP
// endpoint that it shares its URL with, and one person, its owner. Clients
// register themselves or are known by a document; the owner lets them in on a
// page, by a passphrase or by a code that is shown on the terminal.
//
// Begin at [Server.Handle], which lists the paths. What a client asks for is
// read in authorize.go, put to the owner in consent.go, and exchanged for
// tokens in token.go. Everything that outlives a request is in the store, so
// that any replica can go on with what another one began.
package oauth

import (
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

// Store is what a [Server] keeps things in.
type Store interface {
	access.Storage
	// Secret returns 32 random bytes that are the same for all who share the
	// data and ask by this name.
	Secret(ctx context.Context, name string) ([]byte, error)
}

// Config is how a [Server] is set up. Store and URL must be there.
type Config struct {
	Store Store

	// URL returns where the server is reached, such as
	// "https://name.ngrok.app", without a path; "" before it is online. It is
	// the issuer (RFC 8414, section 2).
	URL func() string

	// Offered is what anybody can be let do.
	Offered store.Scopes

	// ShowCode shows the owner a one-time code, where there is no passphrase.
	// If nil, there must be one.
	ShowCode func(Notice)

	// Proxy returns the proxy to fetch a client's document through, nil for none;
	// it may be http, https or socks5. If nil, there is none.
	Proxy func(*url.URL) (*url.URL, error)

	// NoDocuments has the metadata not advertise that clients can be known by a
	// document, which this server may be unable to fetch.
	NoDocuments bool

	// Where documents of clients are looked for. If nil, Lookup asks the
	// system's resolver, Dial connects by TCP, and RootCAs are the system's.
	// Dial is asked only for addresses on the public internet, and not where a
	// proxy is.
	Lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	RootCAs *x509.CertPool

	Log *slog.Logger     // if nil, [slog.Default]
	Now func() time.Time // if nil, [time.Now]
}

// Notice is a one-time code, and who asks for it to be typed.
type Notice struct {
	Code         string // such as "1234-5678"
	Client       string // as the client calls itself
	RedirectHost string // where the owner is sent back to
	Expires      time.Time
}

// Server is the authorization server.
type Server struct {
	config    Config
	log       *slog.Logger
	now       func() time.Time
	documents *documents
	codes     codes
	hashing   chan struct{} // holds one for each passphrase that is being hashed
}

// New returns a server that is set up as c says.
func New(c Config) *Server {
	s := &Server{config: c, log: cmp.Or(c.Log, slog.Default()), now: c.Now, hashing: make(chan struct{}, 2)}
	if s.now == nil {
		s.now = time.Now
	}
	s.documents = newDocuments(c, s.now)
	return s
}

// Handle answers a request for one of the server's own paths, and reports
// whether it is one.
func (s *Server) Handle(w http.ResponseWriter, r *http.Request) bool {
	var serve func(http.ResponseWriter, *http.Request)
	allow := "POST, OPTIONS"
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp",
		"/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp",
		"/mcp/.well-known/openid-configuration", "/token/.well-known/openid-configuration":
		serve, allow = s.serveMetadata, "GET, HEAD, OPTIONS"
	case "/authorize":
		serve, allow = s.serveAuthorize, "GET, HEAD, POST, OPTIONS"
	case "/token":
		serve = s.serveToken
	case "/register":
		serve = s.serveRegister
	case "/revoke":
		serve = s.serveRevoke
	default:
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch {
	case r.Method == http.MethodOptions:
		preflight(h, allow)
		w.WriteHeader(http.StatusNoContent)
	case !allowed(r.Method, allow):
		h.Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "invalid_request", "send this by one of "+allow)
	case s.config.URL() == "":
		h.Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "temporarily_unavailable", "not online yet; try again in a second")
	default:
		serve(w, r)
	}
	return true
}

// resource is what tokens are for: the MCP endpoint (RFC 8707).
func (s *Server) resource() string { return s.config.URL() + "/mcp" }

// ours reports whether every resource that a client names is the endpoint: its
// URL with or without a slash at the end, or the server's. What has no value
// counts as not there (RFC 6749, section 3.1).
func (s *Server) ours(resources []string) bool {
	url := s.config.URL()
	for _, resource := range resources {
		if resource != "" && !slices.Contains([]string{url + "/mcp", url + "/mcp/", url, url + "/"}, resource) {
			return false
		}
	}
	return true
}
