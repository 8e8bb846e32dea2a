package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

func TestEachModeTakesItsTokens(t *testing.T) {
	for _, test := range []struct {
		mode                   access.Mode
		nobody, api, signed, x int
	}{
		{access.None, 200, 200, 200, 200},
		{access.Tokens, 401, 200, 401, 401},
		{access.OAuth, 401, 200, 200, 401},
		{access.OIDC, 401, 200, 401, 401},
	} {
		c := access.Config{Mode: test.mode}
		if test.mode == access.OIDC {
			c.Issuer = newProvider(t).open(t, access.IssuerConfig{})
		}
		s := openShop(t, c)
		api, _ := s.apiToken(store.Token{Scopes: both})
		signed, _ := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(time.Hour)})
		for _, who := range []struct {
			name, token string
			status      int
		}{{"nobody", "", test.nobody}, {"the bearer of an API token", api, test.api}, {"who signed in", signed, test.signed}, {"the bearer of a made-up token", said.Keep(secret.New(secret.API)), test.x}} {
			if got := s.ask(call(checkStock, who.token)); got.status != who.status {
				t.Errorf("--auth %s answers %s %d %s, want %d", test.mode, who.name, got.status, got.body, who.status)
			}
		}
	}
}

func TestBadTokensAreToldApart(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	ctx := t.Context()
	hour := s.clock.Now().Add(time.Hour)
	good, _ := s.apiToken(store.Token{Scopes: both})
	revoked, id := s.apiToken(store.Token{Scopes: both})
	if err := s.db.RevokeToken(ctx, id); err != nil {
		t.Fatal(err)
	}
	expired, _ := s.apiToken(store.Token{Scopes: both, ExpiresAt: s.clock.Now().Add(-time.Second)})
	endsNow, _ := s.apiToken(store.Token{Scopes: both, ExpiresAt: s.clock.Now()})
	old, _ := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(-time.Second)})
	withdrawn, grant := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: hour})
	if err := s.db.RevokeGrant(ctx, grant); err != nil {
		t.Fatal(err)
	}
	elsewhere, _ := s.signIn(store.Token{Scopes: both, Resource: "https://other.example/mcp", ExpiresAt: hour})
	nowhere, _ := s.signIn(store.Token{Scopes: both, ExpiresAt: hour})
	swapped := strings.ToUpper(good[5:])

	for _, test := range []struct{ name, header, want string }{
		{"unknown", "Bearer " + said.Keep(secret.New(secret.Access)), "not known here"},
		{"cut off", "Bearer " + good[:len(good)-1], "mistyped or cut off"},
		{"in another case", "Bearer " + good[:5] + swapped, "mistyped or cut off"},
		{"doubled", "Bearer " + good + good, "mistyped or cut off"},
		{"a refresh token", "Bearer " + said.Keep(secret.New(secret.Refresh)), "not a token for calling"},
		{"a code", "Bearer " + said.Keep(secret.New(secret.Code)), "not a token for calling"},
		{"somebody else's", "Bearer " + said.Keep("ghp_0123456789abcdefghij"), "not a token for calling"},
		{"revoked", "Bearer " + revoked, "was revoked"},
		{"expired", "Bearer " + expired, "expired at 2026-11-22T11:59:59Z; make a new one"},
		{"expired now", "Bearer " + endsNow, "expired at"},
		{"an expired access token", "Bearer " + old, "expired at 2026-11-22T11:59:59Z; refresh it, or sign in again"},
		{"of a grant that was withdrawn", "Bearer " + withdrawn, "was revoked"},
		{"for another server", "Bearer " + elsewhere, "issued for https://other.example/mcp, and this server is now https://shop.example/mcp; sign in again"},
		{"for no server", "Bearer " + nowhere, "issued for "},
		{"without a scheme", good, "must be the word Bearer"},
		{"of another scheme", "Basic " + good, "must be the word Bearer"},
		{"only the scheme", "Bearer", "no token after"},
		{"only the scheme and spaces", "Bearer   ", "no token after"},
		{"the scheme twice", "Bearer Bearer " + good, "send Bearer once"},
		{"two of them", "Bearer " + good + ", Bearer " + good, "send Bearer once"},
		{"an empty header", "", "must be the word Bearer"},
	} {
		r := call(ping, "")
		r.Header["Authorization"] = []string{test.header}
		got := s.ask(r)
		code, text := got.refusal(t)
		if got.status != 401 || code != "invalid_token" || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s %q, want 401 invalid_token %q", test.name, got.status, code, text, test.want)
		}
		for _, want := range []string{`Bearer error="invalid_token", error_description="` + text + `"`, `, scope="stock:read stock:write"`, `, resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`} {
			if !strings.Contains(got.challenge(), want) {
				t.Errorf("%s: WWW-Authenticate: %s lacks %s", test.name, got.challenge(), want)
			}
		}
	}

	r := call(ping, good)
	r.Header.Add("Authorization", "Bearer "+good)
	if _, text := s.ask(r).refusal(t); !strings.Contains(text, "several Authorization headers") {
		t.Errorf("two headers: %q", text)
	}
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		r := call(ping, "")
		r.Header.Set("Authorization", scheme+good)
		if got := s.ask(r); got.status != 200 {
			t.Errorf("the scheme %q: %d %s", scheme, got.status, got.body)
		}
	}
}

func TestCallersWithoutATokenAreToldHowToGetOne(t *testing.T) {
	issuer := newProvider(t).open(t, access.IssuerConfig{})
	for _, test := range []struct {
		mode access.Mode
		want string
	}{
		{access.Tokens, `Bearer realm="mcpstore"`},
		{access.OAuth, `Bearer scope="stock:read stock:write", resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`},
		{access.OIDC, `Bearer scope="stock:read stock:write", resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`},
	} {
		s := openShop(t, access.Config{Mode: test.mode, Issuer: issuer})
		got := s.ask(call(ping, ""))
		if code, _ := got.refusal(t); got.status != 401 || got.challenge() != test.want || code != "unauthorized" {
			t.Errorf("--auth %s: %d %s, WWW-Authenticate: %s, want 401 and %s", test.mode, got.status, got.body, got.challenge(), test.want)
		}
	}
	readOnly := openShop(t, access.Config{Mode: access.OAuth, Offered: store.ScopeRead})
	if got := readOnly.ask(call(ping, "")); !strings.HasPrefix(got.challenge(), `Bearer scope="stock:read", `) {
		t.Errorf("where only reading is offered, WWW-Authenticate: %s", got.challenge())
	}
	s := openShop(t, access.Config{Mode: access.Tokens})
	if got := s.ask(call(ping, said.Keep(secret.New(secret.API)))); got.challenge() != `Bearer error="invalid_token", error_description="the token is not known here"` {
		t.Errorf("--auth token, a bad token: WWW-Authenticate: %s", got.challenge())
	}
}

func TestRefusalsCanBeReadByPages(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	r := call(ping, "")
	r.Header.Set("Origin", "http://localhost:6274")
	got := s.ask(r)
	if got.status != 401 || got.header.Get("Access-Control-Allow-Origin") != "http://localhost:6274" ||
		!strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page is answered %d %v", got.status, got.header)
	}
}

func TestTokensInTheURLAreRefused(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.Tokens, PublicReads: true})
	good, _ := s.apiToken(store.Token{Scopes: both})
	for _, query := range []string{
		"access_token=" + good, "token=x", "Authorization=Bearer%20x", "key=x", "api_key=x", "ACCESS_TOKEN=", "a=1&access%5Ftoken=x",
		"x=" + good, good, "x=%6d" + good[1:], "x;" + good,
	} {
		for _, token := range []string{"", good} {
			r := call(ping, token)
			r.URL.RawQuery = query
			got := s.ask(r)
			if code, text := got.refusal(t); got.status != 400 || code != "invalid_request" || !strings.Contains(text, "revoke it") {
				t.Errorf("a token in the query: %d %s %q", got.status, code, text)
			}
		}
	}
	r := call(ping, good)
	r.URL.RawQuery = "lang=en&keyboard=x"
	if got := s.ask(r); got.status != 200 {
		t.Errorf("a query without a token: %d %s", got.status, got.body)
	}
	r = call(ping, "")
	r.URL.RawQuery = "token=" + good
	if got := openShop(t, access.Config{}).ask(r); got.status != 200 {
		t.Errorf("where no tokens are, a token in the query: %d %s", got.status, got.body)
	}
}

func TestWhoLacksAScopeLeavesATrace(t *testing.T) {
	audit := openShop(t, access.Config{}).db
	recorder := access.NewRecorder(audit, time.Hour, newLog())
	s := openShop(t, access.Config{Mode: access.Tokens, Recorder: recorder})
	read, id := s.apiToken(store.Token{Name: "till-7", Scopes: store.ScopeRead})
	if got := s.ask(call(undo, read)); got.status != 403 {
		t.Fatalf("changing with a token to read: %d %s", got.status, got.body)
	}
	recorder.Close()
	calls, _, err := audit.Calls(t.Context(), store.CallQuery{Caller: fmt.Sprint("token:", id)})
	if err != nil || len(calls) != 1 || calls[0].Tool != "undo_movement" || calls[0].Name != "till-7" || calls[0].Outcome != "refused: insufficient_scope" {
		t.Errorf("Calls = %+v, %v", calls, err)
	}
}

func TestATokenDoesWhatItsScopesSay(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	read, _ := s.apiToken(store.Token{Scopes: store.ScopeRead})
	write, _ := s.apiToken(store.Token{Scopes: store.ScopeWrite})
	all, _ := s.apiToken(store.Token{Scopes: both})
	const metadata = `, resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`
	for _, test := range []struct {
		name, message, token string
		status               int
		challenge            string
	}{
		{"to read, reading", checkStock, read, 200, ""},
		{"to read, changing", undo, read, 403, `Bearer error="insufficient_scope", error_description="the token lets its bearer do stock:read, and this needs stock:write", scope="stock:read stock:write"` + metadata},
		{"to change, reading", checkStock, write, 403, `Bearer error="insufficient_scope", error_description="the token lets its bearer do stock:write, and this needs stock:read", scope="stock:read stock:write"` + metadata},
		{"to change, changing", undo, write, 200, ""},
		{"for both, reading", checkStock, all, 200, ""},
		{"for both, changing", undo, all, 200, ""},
		{"to change, what needs nothing", toolsList, write, 200, ""},
		{"to change, reading a resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"mcpstore://stores"}}`, write, 403, `scope="stock:read stock:write"`},
	} {
		got := s.ask(call(test.message, test.token))
		if got.status != test.status || !strings.Contains(got.challenge(), test.challenge) {
			t.Errorf("a token %s: %d %s, WWW-Authenticate: %s, want %d %s", test.name, got.status, got.body, got.challenge(), test.status, test.challenge)
		}
		if test.status == 403 {
			if code, _ := got.refusal(t); code != "insufficient_scope" {
				t.Errorf("a token %s is refused with %q", test.name, code)
			}
		}
	}
	readOnly := openShop(t, access.Config{Mode: access.Tokens, Offered: store.ScopeRead})
	token, _ := readOnly.apiToken(store.Token{Scopes: store.ScopeRead})
	if got := readOnly.ask(call(undo, token)); got.status == 403 {
		t.Errorf("what nobody is offered asks for a scope: %d %s", got.status, got.challenge())
	}
}

// A program that signed in to read sees what it could ask for, and is refused with
// what it takes; the owner's tokens stay what they are.
func TestProgramsThatSignedInSeeWhatTheyCanAskFor(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	resource, hour := publicURL+"/mcp", s.clock.Now().Add(time.Hour)
	grant, _ := s.signIn(store.Token{Scopes: store.ScopeRead, Resource: resource, ExpiresAt: hour})
	refused, id := s.signIn(store.Token{Scopes: store.ScopeRead, Resource: resource, ExpiresAt: hour})
	if err := s.db.Withhold(t.Context(), id, store.ScopeWrite); err != nil {
		t.Fatal(err)
	}
	read, _ := s.apiToken(store.Token{Scopes: store.ScopeRead})
	for name, test := range map[string]struct {
		token   string
		listed  bool
		status  int
		isError bool
	}{
		"a grant to read":                 {grant, true, 403, false},
		"a grant that was refused to":     {refused, true, 200, true},
		"a token of the owner's, to read": {read, false, 403, false},
	} {
		list := s.ask(call(toolsList, test.token))
		if got := strings.Contains(list.body, `"undo_movement"`); list.status != 200 || got != test.listed {
			t.Errorf("%s: undo_movement is listed: %v, want %v", name, got, test.listed)
		}
		if test.listed && !strings.Contains(list.body, `"securitySchemes":[{"scopes":["stock:write"],"type":"oauth2"}]`) && !strings.Contains(list.body, `"securitySchemes":[{"type":"oauth2","scopes":["stock:write"]}]`) {
			t.Errorf("%s: the list doesn't say how to get the scope: %s", name, list.body)
		}
		got := s.ask(call(undo, test.token))
		if got.status != test.status || strings.Contains(got.body, `"isError":true`) != test.isError ||
			(got.status == 403) != strings.Contains(got.challenge(), `scope="stock:read stock:write"`) || test.isError && strings.Contains(got.body, "www_authenticate") {
			t.Errorf("%s: changing is answered %d %s, WWW-Authenticate: %s", name, got.status, got.body, got.challenge())
		}
	}
}

// What is kept of a grant that was told to ask for more is known to those who then
// show the page, and to other processes.
func TestAGrantThatLacksAScopeIsKeptAsToldSo(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	signed, id := s.signIn(store.Token{Scopes: store.ScopeRead, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(time.Hour)})
	api, _ := s.apiToken(store.Token{Scopes: store.ScopeRead})
	challenged := func() time.Time {
		t.Helper()
		all, err := s.db.Grants(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != id {
			t.Fatalf("Grants = %+v, %v", all, err)
		}
		return all[0].ChallengedAt
	}
	s.ask(call(checkStock, signed))
	s.ask(call(undo, api))
	if at := challenged(); !at.IsZero() {
		t.Errorf("before it lacked anything, it was challenged at %v", at)
	}
	if got := s.ask(call(undo, signed)); got.status != 403 || challenged() != s.clock.Now() {
		t.Errorf("%d, and it was challenged at %v", got.status, challenged())
	}
}

func TestPublicReads(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, PublicReads: true})
	if got := s.ask(call(checkStock, "")); got.status != 200 || strings.Contains(got.body, `"isError":true`) {
		t.Errorf("reading without a token: %d %s", got.status, got.body)
	}
	got := s.ask(call(undo, ""))
	if got.status != 200 || !strings.Contains(got.body, `"isError":true`) || !strings.Contains(got.body, "mcp/www_authenticate") {
		t.Errorf("changing without a token: %d %s", got.status, got.body)
	}
	for _, token := range []string{said.Keep(secret.New(secret.Access)), "x"} {
		if got := s.ask(call(checkStock, token)); got.status != 401 {
			t.Errorf("reading with a bad token: %d %s", got.status, got.body)
		}
	}
	write, _ := s.apiToken(store.Token{Scopes: store.ScopeWrite})
	if got := s.ask(call(checkStock, write)); got.status != 200 {
		t.Errorf("reading with a token that need not be: %d %s", got.status, got.body)
	}
	want := `Bearer error="insufficient_scope", error_description="sign in to do this", scope="stock:read stock:write", ` +
		`resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"`
	if got := s.gate.Challenge(store.ScopeWrite); got != want {
		t.Errorf("Challenge(stock:write) = %s, want %s", got, want)
	}
	want = `Bearer error="insufficient_scope", error_description="a token that may do stock:write is needed", scope="stock:read stock:write"`
	if got := openShop(t, access.Config{Mode: access.Tokens, PublicReads: true}).gate.Challenge(store.ScopeWrite); got != want {
		t.Errorf("with tokens alone, Challenge(stock:write) = %s, want %s", got, want)
	}
}

func TestWhoCalls(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, PublicReads: true, Offered: store.ScopeRead, Behind: true})
	bound, id := s.apiToken(store.Token{Name: "till", Scopes: both, Shop: "koko-daan"})
	if id != 1 {
		t.Fatalf("the first token is %d", id)
	}
	signed, grant := s.signIn(store.Token{Scopes: store.ScopeRead, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(time.Hour)})
	if grant != 1 {
		t.Fatalf("the first grant is %d", grant)
	}
	open := openShop(t, access.Config{Behind: true})
	for _, test := range []struct {
		shop  *shop
		token string
		want  store.Caller
	}{
		{s, "", store.Caller{Address: "203.0.113.7", Scopes: store.ScopeRead}},
		{s, bound, store.Caller{ID: "token:1", Name: "till", Address: "203.0.113.7", Scopes: store.ScopeRead, Shop: "koko-daan"}},
		{s, signed, store.Caller{ID: "grant:1", Name: "ChatGPT", Address: "203.0.113.7", Scopes: store.ScopeRead}},
		{open, bound, store.Caller{Address: "203.0.113.7", Scopes: both}},
	} {
		r := call(ping, test.token)
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
		got := test.shop.enter(r)
		if got == nil {
			t.Fatalf("%+v is not let in", test.want)
		}
		if diff := cmp.Diff(test.want, store.CallerFrom(got.Context())); diff != "" {
			t.Errorf("the caller (-want +got):\n%s", diff)
		}
		if id := test.shop.gate.Caller(got); id != test.want.ID {
			t.Errorf("Caller = %q, want %q", id, test.want.ID)
		}
	}
}

// enter passes the gate, and returns nil if it is closed.
func (s *shop) enter(r *http.Request) *http.Request {
	w := discard{}
	if r = s.gate.Admit(w, r); r == nil {
		return nil
	}
	return s.gate.Authenticate(w, r)
}

// discard is a ResponseWriter that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return make(http.Header) }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestACallerHoldsUntilTheTokenDoesNot(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth, PublicReads: true})
	hour := s.clock.Now().Add(time.Hour)
	revoked, id := s.apiToken(store.Token{Scopes: both})
	expiring, _ := s.apiToken(store.Token{Scopes: both, ExpiresAt: hour.Add(-time.Minute)})
	withdrawn, grant := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: hour})
	moved, _ := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: hour})
	for _, test := range []struct {
		name, token string
		end         func() error
	}{
		{"revoked", revoked, func() error { return s.db.RevokeToken(t.Context(), id) }},
		{"of a withdrawn grant", withdrawn, func() error { return s.db.RevokeGrant(t.Context(), grant) }},
		{"expired", expiring, func() error { s.clock.pass(59 * time.Minute); return nil }},
		{"for another URL", moved, func() error { s.move("https://other.example"); return nil }},
	} {
		r := s.enter(call(ping, test.token))
		if r == nil || !s.gate.Holds(r) {
			t.Fatalf("a token before it is %s does not hold", test.name)
		}
		if err := test.end(); err != nil {
			t.Fatal(err)
		}
		if s.gate.Holds(r) {
			t.Errorf("a token that is %s holds", test.name)
		}
	}
	if r := s.enter(call(ping, "")); !s.gate.Holds(r) {
		t.Error("whoever may read without a token does not hold")
	}
}

func TestAChangedURLIsLoggedOnce(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	token, _ := s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: s.clock.Now().Add(time.Hour)})
	s.move("https://other.example")
	logged := func() int { return strings.Count(s.log.String(), "the URL has changed") }
	for range 3 {
		r := call(ping, token)
		r.Host = "other.example"
		if got := s.ask(r); got.status != 401 || logged() != 1 {
			t.Errorf("a token for the old URL is answered %d, and that is logged %d times", got.status, logged())
		}
	}
	r := call(ping, token)
	r.Header.Set("X-Forwarded-Host", "shop.example")
	r.Host = "shop.example"
	if got := s.ask(r); got.status != 421 {
		t.Errorf("a request that claims the old Host is answered %d", got.status)
	}
	s.move(publicURL)
	if got := s.ask(call(ping, token)); got.status != 200 {
		t.Errorf("back at the old URL: %d %s", got.status, got.body)
	}
}

// failing is a store that does not answer.
type failing struct{ access.Storage }

func (failing) Token(context.Context, store.Hash) (store.Token, error) {
	return store.Token{}, errors.New("disk on fire")
}

func TestAStoreThatFailsLetsNobodyIn(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.Tokens, Store: failing{}})
	got := s.ask(call(ping, said.Keep(secret.New(secret.API))))
	if code, _ := got.refusal(t); got.status != 503 || code != "temporarily_unavailable" || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d %s, Retry-After: %s", got.status, got.body, got.header.Get("Retry-After"))
	}
	if !strings.Contains(s.log.String(), "disk on fire") || strings.Contains(got.body, "fire") {
		t.Errorf("answered %s, and logged %s", got.body, s.log.String())
	}
}
