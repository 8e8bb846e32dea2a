// Package tunneltest is a stand-in for ngrok's edge on the loopback interface.
// It speaks ngrok's agent protocol to the real, unmodified ngrok SDK and
// serves public HTTPS for the endpoints that it gives out, so that everything
// between an agent and the clients of its URL can be tried without a network
// and without an account. It also plays what goes wrong at an edge: see the
// methods CutSessions, Down, Freeze, RefuseAuth, RefuseBind and their kin.
//
// It is reached as ngrok is: by an address to connect to and a CA to trust.
//
//	edge := tunneltest.Start(t, tunneltest.Config{})
//	agent, err := ngrok.NewAgent(
//		ngrok.WithAuthtoken(tunneltest.Authtoken),
//		ngrok.WithAgentConnectURL(edge.ConnectAddr()),
//		ngrok.WithAgentConnectCAs(edge.CAPool()))
//	…
//	resp, err := edge.Client().Get(listener.URL().String())
//
// Begin at [Start], or at [New] outside of tests. Command edge, in the folder
// of that name, serves it alone.
package tunneltest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// Authtoken is a well-formed authtoken, which an [Edge] accepts unless its
// [Config] names others.
const Authtoken = "any_well_formed_authtoken"

// Config says how an [Edge] is. The zero value works.
type Config struct {
	// Authtokens are those that are accepted; if empty, every well-formed one.
	Authtokens []string
	// Account is the name that agents are told; if empty, "tunneltest".
	Account string
	// DevDomain is the host name for an agent that asks for none; if empty, a
	// name under ngrok-free.test that stays the same for an authtoken.
	DevDomain string
	// ConnectAddr is where agents connect; if empty, a free port of 127.0.0.1.
	ConnectAddr string
	// PublicAddr is where public HTTPS is served; if empty, a free port of
	// 127.0.0.1.
	PublicAddr string
	// CAFile is where the CA's certificate is written, as PEM; if empty,
	// nowhere.
	CAFile string
	// Log is told about sessions and endpoints, and never an authtoken; if
	// nil, nobody is.
	Log *slog.Logger
}

// Edge is a stand-in for ngrok's edge. Its methods may be called from many
// goroutines at once.
type Edge struct {
	cfg     Config
	log     *slog.Logger
	ca      *authority
	connect net.Addr
	public  net.Addr
	server  *http.Server
	client  *http.Client
	wg      sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change of what follows
	closed  bool
	agents  net.Listener // nil while down
	dials   int
	links   map[*link]bool
	online  []*session        // oldest first
	cookies map[string]string // of the sessions ever seen, by client ID
	bound   map[string]string // URLs ever given out, by bind token
	pools   map[string]*pool  // what is online, by host name
	held    map[string]bool   // host names that somebody else has
	faults  faults
}

// Start starts an Edge for a test and closes it when the test ends. It logs to
// the test and, unless cfg says otherwise, writes its CA's certificate to a
// file of the test's.
func Start(t testing.TB, cfg Config) *Edge {
	t.Helper()
	if cfg.CAFile == "" {
		cfg.CAFile = t.TempDir() + "/ca.pem"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// SkipUnderRace skips a test in a run with the race detector, which reports
// races inside the ngrok SDK and muxado when a session is cut and when the
// agent receives a heartbeat.
func SkipUnderRace(t testing.TB) {
	t.Helper()
	if RaceDetector {
		t.Skip("the ngrok SDK itself races here; run without -race")
	}
}

// New starts an Edge, which runs until [Edge.Close].
func New(cfg Config) (*Edge, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	if cfg.CAFile != "" {
		if err := os.WriteFile(cfg.CAFile, ca.pem, 0o644); err != nil {
			return nil, fmt.Errorf("write the CA's certificate: %w", err)
		}
	}
	agents, err := net.Listen("tcp", cmp.Or(cfg.ConnectAddr, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("listen for agents: %w", err)
	}
	public, err := net.Listen("tcp", cmp.Or(cfg.PublicAddr, "127.0.0.1:0"))
	if err != nil {
		agents.Close()
		return nil, fmt.Errorf("listen for the public: %w", err)
	}
	e := &Edge{
		cfg:     cfg,
		log:     cfg.Log,
		ca:      ca,
		connect: agents.Addr(),
		public:  public.Addr(),
		changed: make(chan struct{}),
		agents:  agents,
		links:   make(map[*link]bool),
		cookies: make(map[string]string),
		bound:   make(map[string]string),
		pools:   make(map[string]*pool),
		held:    make(map[string]bool),
		faults:  faults{thawed: closedChan()},
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.server = &http.Server{
		Handler:           http.HandlerFunc(e.servePublic),
		TLSConfig:         &tls.Config{GetCertificate: ca.certificate},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	e.client = e.newClient()
	e.wg.Go(func() { e.acceptAgents(agents) })
	e.wg.Go(func() { e.server.ServeTLS(public, "", "") })
	return e, nil
}

// Close hangs up on everybody, stops listening, and waits until all has ended.
func (e *Edge) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()

	e.Down()
	err := e.server.Close()
	e.client.CloseIdleConnections()
	e.wg.Wait()
	return err
}

// ConnectAddr is where agents connect: the host and port to give to
// ngrok.WithAgentConnectURL.
func (e *Edge) ConnectAddr() string { return e.connect.String() }

// PublicAddr is where the public HTTPS of all endpoints is served.
func (e *Edge) PublicAddr() string { return e.public.String() }

// CAFile is the file with the certificate of the CA that agents and clients
// have to trust, or "" where the [Config] names none.
func (e *Edge) CAFile() string { return e.cfg.CAFile }

// CAPool holds the CA that agents and clients have to trust.
func (e *Edge) CAPool() *x509.CertPool { return e.ca.pool }

// Client returns the Edge's own client, which finds every host name at
// [Edge.PublicAddr] and trusts the CA. It speaks HTTP/2, as clients of ngrok
// do.
func (e *Edge) Client() *http.Client { return e.client }

func (e *Edge) newClient() *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", e.public.String())
		},
		TLSClientConfig:   &tls.Config{RootCAs: e.ca.pool},
		ForceAttemptHTTP2: true,
	}}
}

// begin counts a public request as something to wait for at the end, unless
// the end has come.
func (e *Edge) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.wg.Add(1)
	return true
}

// notify wakes whoever awaits a change. It is called with e.mu held.
func (e *Edge) notify() {
	close(e.changed)
	e.changed = make(chan struct{})
}

func closedChan() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
