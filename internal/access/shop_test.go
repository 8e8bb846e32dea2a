package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tools"
)

const (
	publicURL = "https://shop.example"
	both      = store.ScopeRead | store.ScopeWrite
)

// shop is a whole server over the demo data, with a gate before it.
type shop struct {
	t   testing.TB
	db  *sqlite.DB
	url atomic.Pointer[string]
	*clock
	log  buffer // what this shop logged
	gate *access.Gate
	*server.Server
}

// clock is a clock that tests set.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time       { return time.Unix(0, c.now.Load()).UTC() }
func (c *clock) pass(d time.Duration) { c.now.Add(int64(d)) }

// buffer is what many write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// demoFile is a database with the demo data.
var demoFile = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "mcpstore")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "store.db")
	db, err := sqlite.Open(context.Background(), sqlite.Config{Path: path, Seed: demo.Catalog, Now: newClock().Now})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		panic(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return file
})

// openShop opens a shop whose gate is set up as c says. What c lacks it gets.
func openShop(t testing.TB, c access.Config) *shop {
	t.Helper()
	return openShopAt(t, newClock(), c)
}

// openShopAt is openShop by a clock that others look at, too.
func openShopAt(t testing.TB, now *clock, c access.Config) *shop {
	t.Helper()
	s := &shop{t: t, clock: now}
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, demoFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s.db = db
	s.move(publicURL)
	if c.Store == nil {
		c.Store = db
	}
	if c.Offered == 0 {
		c.Offered = both
	}
	if c.Log == nil {
		c.Log = newLog(&s.log)
	}
	c.URL, c.ScopeOf, c.Now = func() string { return *s.url.Load() }, tools.ScopeOf, s.clock.Now
	s.gate = access.New(c)
	config := tools.Config{AllowWrites: c.Offered.Has(store.ScopeWrite), Log: c.Log, Now: s.clock.Now}
	if c.Mode != access.None {
		config.Auth = &tools.Auth{OAuth: c.Mode != access.Tokens, PublicReads: c.PublicReads, Challenge: s.gate.Challenge}
	}
	s.Server = server.New(server.Config{MCP: tools.New(store.Confine(db), config), Access: s.gate, URL: c.URL, Log: c.Log})
	return s
}

// move gives the shop another URL.
func (s *shop) move(url string) { s.url.Store(&url) }

// apiToken makes a token of the owner's.
func (s *shop) apiToken(t store.Token) (text string, id int64) {
	s.t.Helper()
	text = said.Keep(secret.New(secret.API))
	t.Kind, t.Hash = store.APIToken, store.HashOf(text)
	if t.Name == "" {
		t.Name = fmt.Sprintf("t%x", t.Hash[:4])
	}
	kept, err := s.db.AddToken(s.t.Context(), t)
	if err != nil {
		s.t.Fatal(err)
	}
	return text, kept.ID
}

// signIn lets ChatGPT in and returns its access token, and the grant.
func (s *shop) signIn(t store.Token) (text string, grant int64) {
	s.t.Helper()
	ctx := s.t.Context()
	code := store.Token{Kind: store.CodeToken, Hash: store.HashOf(secret.New(secret.Code)), ExpiresAt: s.clock.Now().Add(time.Minute)}
	g, err := s.db.AddGrant(ctx, store.Grant{ClientID: "chatgpt", ClientName: "ChatGPT", RedirectHost: "chatgpt.com", Scopes: t.Scopes, Resource: t.Resource}, code)
	if err != nil {
		s.t.Fatal(err)
	}
	text = said.Keep(secret.New(secret.Access))
	t.Kind, t.Hash, t.Grant = store.AccessToken, store.HashOf(text), g.ID
	if err := s.db.Redeem(ctx, code.Hash, t); err != nil {
		s.t.Fatal(err)
	}
	return text, g.ID
}

// Messages.
const (
	ping       = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	toolsList  = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	checkStock = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"check_stock","arguments":{"product":"茶葉蛋","store":"KOKO便利店 大安店"}}}`
	undo       = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"undo_movement","arguments":{"movement_id":1}}}`
)

// call is a call of the endpoint by a bearer, or without a token if it is "".
func call(message, token string) *http.Request {
	r := httptest.NewRequest("POST", "/mcp", strings.NewReader(message))
	r.Host = "shop.example"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// get is a look at a path.
func get(path string) *http.Request {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "shop.example"
	return r
}

// reply is what a request is answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request.
func (s *shop) ask(r *http.Request) reply {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	fmt.Fprintln(&said, w.Code, w.Header(), w.Body)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// refusal returns what the body of a refusal says.
func (r reply) refusal(t testing.TB) (code, text string) {
	t.Helper()
	var body struct {
		Error       string
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("the answer %d %s of type %q is no refusal: %v", r.status, r.body, r.header.Get("Content-Type"), err)
	}
	return body.Error, body.Description
}

func (r reply) challenge() string { return r.header.Get("WWW-Authenticate") }
