package access_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// few lets three requests in at once, and one every ten seconds.
var few = access.Limits{PerMinute: 6, Burst: 3}

// allowed sends a request until it is one too many, and returns how often it
// was not.
func (s *shop) allowed(request func() *http.Request) int {
	s.t.Helper()
	for n := range 1000 {
		got := s.ask(request())
		if got.status != 429 {
			continue
		}
		if code, _ := got.refusal(s.t); code != "too_many_requests" || got.header.Get("Retry-After") == "" {
			s.t.Errorf("one too many is answered %s, Retry-After: %q", got.body, got.header.Get("Retry-After"))
		}
		return n
	}
	return 1000
}

// from is a call from an address.
func from(addr, token string) func() *http.Request {
	return func() *http.Request {
		r := call(ping, token)
		r.Header.Set("X-Forwarded-For", addr)
		return r
	}
}

func TestTooManyRequestsMustWait(t *testing.T) {
	s := openShop(t, access.Config{Behind: true, Limits: few})
	if n := s.allowed(from("203.0.113.7", "")); n != 3 {
		t.Errorf("%d requests at once, want 3", n)
	}
	if got := s.ask(from("203.0.113.7", "")()); got.header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After: %s, want 10", got.header.Get("Retry-After"))
	}
	s.clock.pass(9*time.Second + 500*time.Millisecond)
	if got := s.ask(from("203.0.113.7", "")()); got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("half a second early: %d, Retry-After: %s, want 1", got.status, got.header.Get("Retry-After"))
	}
	s.clock.pass(500 * time.Millisecond)
	if got := s.ask(from("203.0.113.7", "")()); got.status != 200 {
		t.Errorf("after the wait: %d %s", got.status, got.body)
	}
}

func TestAddressesAreLimitedApart(t *testing.T) {
	s := openShop(t, access.Config{Behind: true, Limits: few})
	for _, test := range []struct {
		addr string
		want int
	}{
		{"203.0.113.7", 3},
		{"203.0.113.7", 0},
		{"::ffff:203.0.113.7", 0},
		{"203.0.113.8", 3},
		{"10.9.8.7, 203.0.113.8", 0}, // the caller's own word
		{"2001:db8::1", 3},
		{"2001:db8::ffff:1", 0}, // of the same network
		{"2001:db8:0:1::1", 3},
		{"garbage", 3},
		{"", 0}, // nor known
	} {
		if n := s.allowed(from(test.addr, "")); n != test.want {
			t.Errorf("%d requests from %q, want %d", n, test.addr, test.want)
		}
	}
}

func TestCallersAreLimitedApartFromTheirAddress(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, Behind: true, Limits: few})
	one, _ := s.apiToken(store.Token{Scopes: both})
	two, _ := s.apiToken(store.Token{Scopes: both})
	const shared = "203.0.113.7"
	for _, token := range []string{one, two} { // seen, each at the cost of one of the address's
		if got := s.ask(from(shared, token)()); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if n := s.allowed(from(shared, "")); n != 1 {
		t.Errorf("%d requests without a token, want what is left of the address's", n)
	}
	for _, token := range []string{one, two} {
		if n := s.allowed(from(shared, token)); n != 2 {
			t.Errorf("%d requests of a caller at an address of which too many come, want the 2 that are left", n)
		}
		if n := s.allowed(from("198.51.100.1", token)); n != 0 {
			t.Errorf("%d requests of the same caller from elsewhere, want 0", n)
		}
	}
	if n := s.allowed(from("192.0.2.1", one)); n != 0 {
		t.Errorf("%d more requests of a caller, want 0", n)
	}
}

func TestAGrantIsOneCallerWhateverItsTokens(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, Limits: access.Limits{PerMinute: 60, Burst: 3}})
	access := store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(time.Hour)}
	first, grant := s.signIn(access)
	if n := s.allowed(from("", first)); n != 3 {
		t.Fatalf("%d requests, want 3", n)
	}
	second := said.Keep(secret.New(secret.Access))
	access.Kind, access.Hash, access.Grant = store.AccessToken, store.HashOf(second), grant
	if _, err := s.db.AddToken(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	if n := s.allowed(from("", second)); n != 0 {
		t.Errorf("%d requests with another token of the grant, want 0", n)
	}
}

// counting counts how often the store is asked for a token.
type counting struct {
	access.Storage
	asked atomic.Int64
}

func (c *counting) Token(context.Context, store.Hash) (store.Token, error) {
	c.asked.Add(1)
	return store.Token{}, store.ErrNotFound
}

func TestAFloodOfUnknownTokensDoesNotReachTheStore(t *testing.T) {
	tokens := &counting{}
	s := openShop(t, access.Config{Mode: access.OAuth, Store: tokens, Limits: few})
	for range 50 {
		s.ask(call(ping, said.Keep(secret.New(secret.Access))))
	}
	if n := tokens.asked.Load(); n != 3 {
		t.Errorf("the store was asked %d times, want 3", n)
	}
	mistyped := openShop(t, access.Config{Mode: access.OAuth, Store: &counting{}, Limits: few})
	if n := mistyped.allowed(from("", "mcps_oops")); n != 3 {
		t.Errorf("%d mistyped tokens, want 3", n)
	}
}

func TestARevokedTokenCountsAsAnyUnknownOne(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.Tokens, Behind: true, Limits: access.Limits{PerMinute: 6, Burst: 4}})
	token, id := s.apiToken(store.Token{Scopes: both})
	s.ask(from("203.0.113.7", token)())
	if err := s.db.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.ask(from("203.0.113.7", token)()) // by which it is found out
	if n := s.allowed(from("203.0.113.7", token)); n != 3 {
		t.Errorf("%d requests, want what is left of the address's", n)
	}
	if n := s.allowed(from("203.0.113.7", "")); n != 0 {
		t.Errorf("%d requests without a token, want 0", n)
	}
}

// authority answers for the paths of signing in.
type authority struct{}

func (authority) Handle(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/authorize", "/token", "/revoke", "/register":
		fmt.Fprint(w, store.CallerFrom(r.Context()).Address)
		return true
	}
	return false
}

func TestSigningInIsLimitedByItself(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, Authority: authority{}, Limits: access.Limits{
		Authorize: access.Rate{PerMinute: 5}, Consent: access.Rate{PerMinute: 4}, Token: access.Rate{PerMinute: 3}, Register: access.Rate{PerMinute: 1, Burst: 2},
	}})
	request := func(method, path string) func() *http.Request {
		return func() *http.Request {
			r := httptest.NewRequest(method, path, strings.NewReader("a=b"))
			r.Host = "shop.example"
			return r
		}
	}
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/authorize", 5},
		{"HEAD", "/authorize", 0},
		{"POST", "/authorize", 4},
		{"POST", "/authorize/", 0},
		{"POST", "/token", 3},
		{"POST", "/revoke", 0}, // counts as /token
		{"POST", "/register", 2},
	} {
		if n := s.allowed(request(test.method, test.path)); n != test.want {
			t.Errorf("%d times %s %s, want %d", n, test.method, test.path, test.want)
		}
	}
	if got := s.ask(call(ping, "")); got.status != 401 {
		t.Errorf("a call meanwhile: %d %s", got.status, got.body)
	}
	for path, status := range map[string]int{"/authorize": 200, "/elsewhere": 404} {
		s.clock.pass(time.Minute)
		got := s.ask(get(path))
		if got.status != status || status == 200 && got.body != "192.0.2.1" {
			t.Errorf("GET %s: %d %s", path, got.status, got.body)
		}
	}
}

func TestEveryPathIsLimited(t *testing.T) {
	for _, path := range []string{"/", "/mcp", "/.well-known/oauth-protected-resource", "/nothing"} {
		s := openShop(t, access.Config{Mode: access.OAuth, Limits: few})
		page := func() *http.Request {
			r := get(path)
			r.Header.Set("Accept", "text/html")
			return r
		}
		if n := s.allowed(page); n != 3 {
			t.Errorf("%d times GET %s, want 3", n, path)
		}
		if got := s.ask(get("/healthz")); got.status != 200 {
			t.Errorf("/healthz then: %d", got.status)
		}
	}
}

func TestTheUsualLimitsAreForNoChat(t *testing.T) {
	s := openShop(t, access.Config{})
	if n := s.allowed(from("", "")); n != 400 {
		t.Errorf("%d requests at once, want 400", n)
	}
	unlimited := openShop(t, access.Config{Limits: access.Limits{PerMinute: access.Unlimited}})
	if n := unlimited.allowed(from("", "")); n != 1000 {
		t.Errorf("%d requests without a limit", n)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	limits := few
	limits.Kept = 2
	s := openShop(t, access.Config{Behind: true, Limits: limits})
	for _, test := range []struct {
		addr string
		want int
	}{{"203.0.113.1", 3}, {"203.0.113.2", 3}, {"203.0.113.1", 0}, {"203.0.113.3", 3}, {"203.0.113.1", 0}, {"203.0.113.2", 3}} {
		if n := s.allowed(from(test.addr, "")); n != test.want {
			t.Errorf("%d requests from %s, want %d", n, test.addr, test.want)
		}
	}
}
