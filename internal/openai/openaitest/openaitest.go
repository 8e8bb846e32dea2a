// Package openaitest is a stand-in for OpenAI's Responses API with an MCP tool
// attached, on loopback, for tests. It is used as users use OpenAI: by
// OPENAI_BASE_URL and OPENAI_API_KEY. As OpenAI does, it connects to the MCP
// server by its URL, lists its tools, asks for approval, calls, and streams an
// answer; only the model is missing, in whose place a [Script] says which tools
// are called for a question, and what is answered then.
package openaitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// APIKey is the key that a server takes unless it is told of another.
const APIKey = "sk-test-0123456789abcdefghijklmnop"

// Model is the model that a server has unless it is told of others.
const Model = "gpt-5.4-mini"

// Config is how a [Server] is set up. Its zero value works for MCP servers with
// certificates that this machine trusts.
type Config struct {
	APIKey string   // if "", [APIKey]
	Models []string // if nil, [Model] alone

	// Transport reaches the MCP servers. If nil, [http.DefaultTransport].
	Transport http.RoundTripper

	// CallTimeout is how long a tool may take; if 0, a minute, as OpenAI waits.
	CallTimeout time.Duration

	// MayDial also lets MCP servers be reached whose URL is not public: plain
	// http, or a loopback name. OpenAI cannot reach those.
	MayDial bool
}

// Server is the stand-in. Its methods may be called at any time, from any
// goroutine.
type Server struct {
	config Config
	http   *httptest.Server
	mcp    *http.Client

	mu        sync.Mutex
	script    Script
	faults    []Fault
	responses map[string]*response // by ID, for the next of the conversation
	lastID    int
	shutdowns map[string]string // the days on which models shut down, as the list of models has them
	wire      bytes.Buffer
	held      chan struct{} // closed when the server closes
	holding   chan struct{} // sent to when an answer is held up
	hungUp    chan struct{} // sent to when the client of such an answer has gone
}

// New starts a server. Close ends it.
func New(c Config) *Server {
	if c.APIKey == "" {
		c.APIKey = APIKey
	}
	if c.Models == nil {
		c.Models = []string{Model}
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = time.Minute
	}
	s := &Server{
		config:    c,
		responses: make(map[string]*response),
		shutdowns: make(map[string]string),
		held:      make(chan struct{}),
		holding:   make(chan struct{}, 16),
		hungUp:    make(chan struct{}, 16),
		mcp: &http.Client{
			Transport:     c.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/responses", s.serveResponses)
	mux.HandleFunc("GET /v1/models", s.serveModels)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		apiError{http.StatusNotFound, "invalid_request_error", "", fmt.Sprintf("Invalid URL (%s %s)", r.Method, r.URL.Path), ""}.write(w)
	})
	s.http = httptest.NewServer(mux)
	return s
}

// URL is what OPENAI_BASE_URL is set to.
func (s *Server) URL() string { return s.http.URL + "/v1" }

// Close lets go of what is held up, and stops.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.held:
	default:
		close(s.held)
	}
	s.mu.Unlock()
	s.http.Close()
}

// Use has the model follow a script from now on.
func (s *Server) Use(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// ShutDown has the list of models say that one shuts down on a day, such as
// "2026-12-11". A model that is not there is added to the list, and to no more.
func (s *Server) ShutDown(model, day string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutdowns[model] = day
}

// serveModels serves GET /v1/models.
func (s *Server) serveModels(w http.ResponseWriter, r *http.Request) {
	if fail := s.authorize(r); fail != nil {
		fail.write(w)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Clone(s.config.Models)
	for name := range s.shutdowns {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	data := []object{}
	for _, name := range names {
		data = append(data, object{"id": name, "object": "model", "created": 1767225600, "owned_by": "openai", "shutdown_date": orNull(s.shutdowns[name])})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{"object": "list", "data": data})
}

// Fail has the next requests go wrong, one by each fault.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Holding is sent to when an answer is held up by [FaultHang], and HungUp when
// its client has gone.
func (s *Server) Holding() <-chan struct{} { return s.holding }

// HungUp is sent to when the client of an answer that was held up has gone.
func (s *Server) HungUp() <-chan struct{} { return s.hungUp }

func (s *Server) nextFault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 {
		return ""
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

// newID returns an ID of OpenAI's kind, such as "resp_0001".
func (s *Server) newID(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return fmt.Sprintf("%s_%04d", prefix, s.lastID)
}

// serveResponses serves POST /v1/responses.
func (s *Server) serveResponses(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	s.record("POST /v1/responses\n", body)
	fault := s.nextFault()
	if fail, ok := fault.refusal(); ok {
		fail.write(w)
		return
	}
	if fault == FaultDrop {
		hangUp(w)
		return
	}
	if fail := s.authorize(r); fail != nil {
		fail.write(w)
		return
	}
	q, fail := s.read(body)
	if fail != nil {
		fail.write(w)
		return
	}
	out := newOutput(s, w, q, fault)
	s.run(r.Context(), q, out)
	out.end()
}

// authorize checks the key.
func (s *Server) authorize(r *http.Request) *apiError {
	switch auth := r.Header.Get("Authorization"); auth {
	case "Bearer " + s.config.APIKey:
		return nil
	case "", "Bearer ":
		return &apiError{http.StatusUnauthorized, "invalid_request_error", "", "You didn't provide an API key.", ""}
	default:
		return &apiError{http.StatusUnauthorized, "invalid_request_error", "", "Incorrect API key provided: " + auth[len("Bearer "):], "invalid_api_key"}
	}
}

// apiError is an error of the API: {"error": {…}}.
type apiError struct {
	status                     int
	kind, param, message, code string
}

func (e apiError) object() object {
	return object{"message": e.message, "type": e.kind, "param": orNull(e.param), "code": orNull(e.code)}
}

func (e apiError) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "req_test")
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After-Ms", "1")
	}
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(object{"error": e.object()})
}

// object is a JSON object.
type object = map[string]any

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
}
