// Package server is the part of mcpstore that the internet talks to: which
// paths there are, who may call them from where, how much of anything one
// caller may send, and the page that a person sees. It knows nothing of the
// data; a [mark3labs/mcp-go] server answers the messages that it lets through.
//
// Begin at [New]. What happens to a message before mcp-go sees it is in mcp.go
// and message.go; the one kind of answer that goes on is in listen.go; what a
// server must know of callers, somebody else tells it by [Access].
//
// [mark3labs/mcp-go]: https://pkg.go.dev/github.com/mark3labs/mcp-go
package server

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Config is how a [Server] is set up. Only MCP must be there.
type Config struct {
	// MCP answers the messages.
	MCP *mcpserver.MCPServer

	// URL returns where the server is reached, such as
	// "https://name.ngrok-free.dev", without a path; "" before it is online.
	// A request whose Host is another is refused. If nil, always "".
	URL func() string

	// Local says that there is no tunnel. Besides the URL's, the Host of a
	// request may then be the address at which its connection arrived, one of
	// AllowHosts or, for callers on this machine, a loopback name.
	Local bool

	// AllowHosts are names by which a Local server is called too, such as
	// "nas.local". One with a port is for that port only.
	AllowHosts []string

	// AllowOrigins are the origins of browser pages that may call, besides
	// the server's own and those on a loopback address: of sites, of extensions
	// and apps (chrome-extension://…, app://obsidian.md), or of all hosts below
	// a domain (https://*.example.com). What [CheckOrigin] refuses matches
	// nothing.
	AllowOrigins []string

	// Writes reports whether a message of this method about the tool of this
	// name changes the stock. If it is there, pages on a loopback address that
	// are neither the server's own nor of AllowOrigins may not send those.
	Writes func(method, name string) bool

	// Address returns what a request is counted for while its body is awaited.
	// If nil, that is the other end of its connection.
	Address func(*http.Request) netip.Addr

	// Access says who may call. If nil, everybody may.
	Access Access

	// Ready returns nil when questions can be answered. Its error is shown to
	// anyone who asks: it names what is not ready, and nothing more. If nil,
	// the server is always ready.
	Ready func(context.Context) error

	// About returns what the page tells people. If nil, the page tells only
	// how to connect.
	About func(context.Context) About

	// Pages shows stores and products to people. If nil, nothing does.
	Pages Pages

	// Challenge is answered at /.well-known/openai-apps-challenge, by which
	// OpenAI's portal knows whose domain this is. If "", nothing is there.
	Challenge string

	Log           *slog.Logger // if nil, [slog.Default]
	MaxConcurrent int          // requests at once, without listens; if 0, 256
	MaxListens    int          // subscriptions/listen at once; if 0, 64
	MaxBody       int64        // bytes of a request's body; if 0, 1 MiB
}

// Server is the public [http.Handler].
type Server struct {
	config   Config
	log      *slog.Logger
	mcp      *mcpserver.StreamableHTTPServer
	origins  []originPattern
	hosts    map[string]bool         // AllowHosts, in lower case
	address  atomic.Pointer[address] // of the URL that was seen last
	requests atomic.Int64            // that have come and are not answered yet, listens among them
	places   atomic.Int64            // taken by those that are being served, listens among them
	listens  atomic.Int64            // being served
	full     atomic.Bool             // since it was logged
	awaited  awaited
	large    chan struct{} // has one for each request with a large body
	draining atomic.Bool
	idle     chan struct{}   // told when no request is left while draining
	stopping context.Context // ends when Drain is called
	stop     context.CancelFunc

	pulse, patience time.Duration // of listens
	bodyPatience    time.Duration
}

// New returns a server that serves as c says.
func New(c Config) *Server {
	s := &Server{config: c, log: cmp.Or(c.Log, slog.Default()), hosts: make(map[string]bool), idle: make(chan struct{}, 1),
		large: make(chan struct{}, maxLarge), pulse: listenPulse, patience: listenPatience, bodyPatience: bodyPatience}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.config.MaxConcurrent = cmp.Or(c.MaxConcurrent, 256)
	s.config.MaxListens = cmp.Or(c.MaxListens, 64)
	s.config.MaxBody = cmp.Or(c.MaxBody, 1<<20)
	for _, origin := range c.AllowOrigins {
		if pattern, err := parseOriginPattern(origin); err == nil {
			s.origins = append(s.origins, pattern)
		}
	}
	for _, host := range c.AllowHosts {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = hostname(host)
		}
		s.hosts[strings.ToLower(host)] = true
	}
	c.MCP.Use(refuseArguments)
	// Every message stands alone, so that any replica can answer it and a
	// restart breaks nobody.
	s.mcp = mcpserver.NewStreamableHTTPServer(c.MCP,
		mcpserver.WithStateLess(true),
		mcpserver.WithStreamableHTTPLogger(s.log),
	)
	return s
}

// HTTPServer returns a server for s that gives up on slow and greedy callers.
// A tool has a minute to answer, which is as long as OpenAI waits.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // of bodies that nothing reads; see Server.body for the others
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// ServeHTTP serves one request. A panic in it is one failed request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{w: w, start: time.Now()}
	defer s.done(a, r)
	a.Header()["X-Content-Type-Options"] = headerNoSniff
	if r.URL.Path == "/healthz" {
		s.serveHealth(a, r)
		return
	}
	s.requests.Add(1)
	defer s.served()
	a.late = s.draining.Load()
	switch {
	case r.URL.Path == "/readyz":
		s.limited(a, r, s.serveReady)
	case !s.admit(a, r):
	case r.Method == http.MethodPost && isEndpoint(r.URL.Path):
		s.post(a, r)
	case s.receive(a, r):
		s.limited(a, r, s.serve)
	}
}

// isEndpoint reports whether messages are sent to path.
func isEndpoint(path string) bool { return path == "/mcp" || path == "/mcp/" }

// serve serves the paths that are for those whom admit and Access let in, those
// of Access among them. There is no [http.ServeMux], since it would redirect.
func (s *Server) serve(a *answer, r *http.Request) {
	if r.URL.Path == challengePath && s.config.Challenge != "" {
		s.serveChallenge(a, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	if r = s.enter(a, r.WithContext(ctx)); r == nil {
		return
	}
	switch path := r.URL.Path; {
	case isEndpoint(path):
		s.serveMCP(a, r)
	case path == "/":
		s.serveRoot(a, r)
	case path == "/sse", path == "/sse/":
		s.serveSSE(a, r)
	default:
		if s.config.Pages != nil {
			if resource := s.config.Pages.Resource(r.URL.EscapedPath()); resource != "" {
				s.serveStock(a, r, resource)
				return
			}
		}
		a.text(http.StatusNotFound, "not found")
	}
}

// answerTime is how long a page or a step of signing in may take, waiting for
// others that write included. What answers messages bounds itself: mcp-go sends no
// answer once the request's context has ended.
const answerTime = 10 * time.Second

// challengePath is where OpenAI's portal looks for its token.
const challengePath = "/.well-known/openai-apps-challenge"

// limited serves a request by serve unless too many are being served already.
// What of the request must come first is there.
func (s *Server) limited(a *answer, r *http.Request, serve func(*answer, *http.Request)) {
	if a.late {
		a.refuse(errStopping)
		return
	}
	limit := int64(s.config.MaxConcurrent)
	n := s.places.Add(1) - s.listens.Load()
	defer s.places.Add(-1)
	if n > limit {
		if s.full.CompareAndSwap(false, true) {
			s.log.Warn("too many requests at once: refusing some", "limit", limit)
		}
		a.refuse(errBusy)
		return
	}
	if n <= limit/2 && s.full.Load() {
		s.full.Store(false)
	}
	serve(a, r)
}

// served counts a request as answered.
func (s *Server) served() {
	if s.requests.Add(-1) == 0 && s.draining.Load() {
		select {
		case s.idle <- struct{}{}:
		default:
		}
	}
}

// Drain refuses new requests from now on and ends the listens. It returns when
// those that have come before have their answers, or ctx ends. It comes before
// [http.Server.Shutdown], which would close the listener first: what reaches
// that at the same moment may get no answer at all.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	s.stop()
	for s.requests.Load() > 0 {
		select {
		case <-s.idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
