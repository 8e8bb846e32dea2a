package access_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/oauth"
	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tools"
)

// options are how a house differs from the usual one, which is what
// mcpstore --auth oauth --allow-writes serves through a tunnel.
type options struct {
	access.Config

	local    bool     // there is no tunnel
	hosts    []string // by which a local one is called
	origins  []string // whose pages may call
	noWrites bool
	codes    bool // instead of a passphrase
	mute     bool // nobody is shown codes

	store func(access.Storage) access.Storage // what the gate is given

	web *web // where documents of clients are; nil for nowhere

	provider *access.IssuerConfig // of the provider, in mode OIDC
}

// house is the whole server over the demo data, as the program puts it
// together, on a socket. What is asked of it comes as from the tunnel's edge.
type house struct {
	*testing.T
	*clock
	attack    attack
	db        *sqlite.DB
	path      string // of the database
	url       atomic.Pointer[string]
	gate      *access.Gate
	given     access.Storage // to the gate
	recorder  *access.Recorder
	log       buffer
	addr      string // of the socket
	edge      bool   // requests come through one
	from      string // the address that the edge appends
	client    *http.Client
	web       *web
	provider  *provider
	redirects []string // that programs registered

	mu      sync.Mutex
	notices []oauth.Notice

	before              state
	refusals, successes int
}

const passphrase = "correct horse battery staple"

// cheapHash is what is kept of the passphrase, but for the cost of a real one.
func cheapHash() string {
	salt := []byte("some salt of 16 b")
	key := argon2.IDKey([]byte(passphrase), salt, 1, 64, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=64,t=1,p=1$%s$%s", argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// unlimited are no limits, for attacks that are not about them.
var unlimited = access.Limits{
	PerMinute: access.Unlimited,
	Authorize: access.Rate{PerMinute: access.Unlimited}, Consent: access.Rate{PerMinute: access.Unlimited},
	Token: access.Rate{PerMinute: access.Unlimited}, Register: access.Rate{PerMinute: access.Unlimited},
}

// openHouse opens the house in which the attack is tried.
func openHouse(t *testing.T, a attack) *house {
	o := options{Config: access.Config{Mode: access.OAuth, Limits: unlimited, Behind: true}}
	if a.in != nil {
		a.in(&o)
	}
	h := &house{T: t, clock: newClock(), attack: a, from: "198.51.100.1", edge: !o.local}
	said.Keep(passphrase)
	h.move(publicURL)
	h.openStore(o)
	log := slog.New(slog.NewTextHandler(io.MultiWriter(&h.log, &said), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: access.RedactAttr}))
	h.recorder = access.NewRecorder(h.db, time.Hour, log)
	t.Cleanup(h.recorder.Close)

	o.Store, o.Offered = h.db, store.ScopeRead
	if o.store != nil {
		o.Store = o.store(h.db)
	}
	if !o.noWrites {
		o.Offered |= store.ScopeWrite
	}
	o.URL, o.ScopeOf, o.Recorder, o.Log, o.Now = func() string { return *h.url.Load() }, tools.ScopeOf, h.recorder, log, h.clock.Now
	if o.Mode == access.OAuth {
		c := oauth.Config{
			Store: h.db, URL: o.URL, Offered: o.Offered, ShowCode: h.showCode,
			Lookup: offline, Log: log, Now: h.clock.Now,
		}
		if h.web = o.web; h.web != nil {
			h.web.open(t, &c)
		}
		if o.mute {
			c.ShowCode = nil
		}
		o.Authority = oauth.New(c)
	}
	if o.provider != nil {
		h.provider = newProvider(t)
		o.provider.Now, o.provider.Log = h.clock.Now, log
		o.Issuer = h.provider.open(t, *o.provider)
	}
	h.given = o.Store
	h.gate = access.New(o.Config)
	config := tools.Config{AllowWrites: !o.noWrites, Audit: h.recorder.Record, Redact: access.Redact, Log: log, Now: h.clock.Now}
	if o.Mode != access.None {
		config.Auth = &tools.Auth{OAuth: o.Mode != access.Tokens, PublicReads: o.PublicReads, Challenge: h.gate.Challenge}
	}
	c := server.Config{
		MCP: tools.New(store.Confine(h.db), config), Access: h.gate, URL: o.URL, Local: o.local, AllowHosts: o.hosts, AllowOrigins: o.origins, Address: h.gate.Address, Log: log,
	}
	if o.local {
		c.Writes = func(method, name string) bool { return tools.ScopeOf(method, name).Has(store.ScopeWrite) }
	}
	h.serve(server.New(c))
	h.look()
	return h
}

func (h *house) openStore(o options) {
	h.path = filepath.Join(h.TempDir(), "store.db")
	if err := os.WriteFile(h.path, demoFile(), 0o600); err != nil {
		h.Fatal(err)
	}
	h.db = h.openAgain()
	if o.Mode != access.OAuth || o.codes {
		return
	}
	if err := h.db.SetPassphrase(h.Context(), cheapHash()); err != nil {
		h.Fatal(err)
	}
}

// openAgain opens the database as another process does.
func (h *house) openAgain() *sqlite.DB {
	h.Helper()
	db, err := sqlite.Open(h.Context(), sqlite.Config{Path: h.path, Now: h.clock.Now})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { db.Close() })
	return db
}

// serve serves on a socket until the test ends.
func (h *house) serve(s *server.Server) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	srv := s.HTTPServer()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	h.addr = l.Addr().String()
	transport := &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", h.addr)
		},
	}
	h.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	h.Cleanup(func() { transport.CloseIdleConnections(); srv.Close(); <-done })
}

// offline is a lookup where there is no internet.
func offline(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("offline") }

// move gives the house another URL.
func (h *house) move(url string) { h.url.Store(&url) }

func (h *house) showCode(n oauth.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	said.Keep(n.Code)
	h.notices = append(h.notices, n)
}

// code is the one-time code that the owner was shown last.
func (h *house) code() string {
	h.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.notices) == 0 {
		h.Fatal("the owner was shown no code")
	}
	return h.notices[len(h.notices)-1].Code
}
