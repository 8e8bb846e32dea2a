package access_test

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

// outside opens a shop whose callers sign in at the provider.
func outside(t *testing.T, p *provider, c access.IssuerConfig) *shop {
	t.Helper()
	clock := newClock()
	c.Now = clock.Now
	return openShopAt(t, clock, access.Config{Mode: access.OIDC, Issuer: p.open(t, c)})
}

func TestTokensOfTheIssuerLetIn(t *testing.T) {
	p := newProvider(t)
	_, ed, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.keys["ed"] = ed })
	s := outside(t, p, access.IssuerConfig{})
	now := s.clock.Now()
	for _, test := range []struct {
		name, kid string
		changes   map[string]any
	}{
		{"signed with RSA", "rsa", nil},
		{"signed with ECDSA", "ec", nil},
		{"signed with Ed25519", "ed", nil},
		{"for several audiences", "ec", map[string]any{"aud": []string{"https://other.example", audience}}},
		{"with scp", "ec", map[string]any{"scope": nil, "scp": "stock:read"}},
		{"with a list of scp", "ec", map[string]any{"scope": nil, "scp": []string{"openid", "stock:read"}}},
		{"whose time has just come", "ec", map[string]any{"nbf": now.Unix()}},
		{"by a clock that is a bit ahead", "ec", map[string]any{"nbf": now.Add(20 * time.Second).Unix()}},
		{"by a clock that is a bit behind", "ec", map[string]any{"exp": now.Add(-20 * time.Second).Unix()}},
		{"with fractions of a second", "ec", map[string]any{"exp": float64(now.Unix()) + 60.5}},
	} {
		if got := s.ask(call(checkStock, p.sign(test.kid, p.claims(now, test.changes)))); got.status != 200 {
			t.Errorf("a token %s: %d %s", test.name, got.status, got.body)
		}
	}
	typed := token(t, ecKey(), map[string]any{"kid": "ec", "typ": "at+jwt"}, p.claims(now, nil))
	if got := s.ask(call(checkStock, typed)); got.status != 200 {
		t.Errorf("a token of type at+jwt: %d %s", got.status, got.body)
	}
	untyped := token(t, ecKey(), map[string]any{}, p.claims(now, nil))
	if got := s.ask(call(checkStock, untyped)); got.status != 200 {
		t.Errorf("a token that names neither its type nor its key: %d %s", got.status, got.body)
	}
}

func TestForgedAndMisplacedTokensAreRefused(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	now := s.clock.Now()
	good := p.claims(now, nil)
	public, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	asJWK, err := json.Marshal(jwk("rsa", rsaKey().Public()))
	if err != nil {
		t.Fatal(err)
	}
	mine := newECKey()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the keys are fetched from where the token says")
	}))
	t.Cleanup(elsewhere.Close)
	kid := func(kid string) map[string]any { return map[string]any{"kid": kid, "typ": "JWT"} }
	signed := func(changes map[string]any) string { return p.sign("ec", p.claims(now, changes)) }
	ec := strings.Split(signed(nil), ".")
	other := strings.Split(signed(map[string]any{"sub": "owner"}), ".")
	const forged = "none that the issuer signed"

	for _, test := range []struct{ name, token, want string }{
		{"unsigned", token(t, nil, kid("rsa"), good), forged},
		{"of alg None", token(t, nil, map[string]any{"alg": "None"}, good), forged},
		{"without an alg", token(t, nil, map[string]any{"alg": ""}, good), forged},
		{"HMAC with the public key as PEM", token(t, asPEM, kid("rsa"), good), forged},
		{"HMAC with the public key as DER", token(t, public, kid("rsa"), good), forged},
		{"HMAC with the public key as JWK", token(t, asJWK, kid("rsa"), good), forged},
		{"HMAC with nothing", token(t, []byte{}, kid("rsa"), good), forged},
		{"by another key of the same name", token(t, mine, kid("ec"), good), forged},
		{"by another key of another name", token(t, mine, kid("mine"), good), forged},
		{"by a key of another kind than its name", token(t, ecKey(), kid("rsa"), good), forged},
		{"saying RS256 for an ECDSA signature", token(t, ecKey(), map[string]any{"alg": "RS256", "kid": "ec"}, good), forged},
		{"that brings its key along", token(t, mine, map[string]any{"kid": "ec", "jwk": jwk("ec", mine.Public())}, good), forged},
		{"that says where its key is", token(t, mine, map[string]any{"kid": "mine", "jku": elsewhere.URL, "x5u": elsewhere.URL}, good), forged},
		{"with an extension that must be understood", token(t, ecKey(), map[string]any{"kid": "ec", "crit": []string{"exp"}, "exp": 1}, good), forged},
		{"with another one's claims", said.Keep(ec[0] + "." + other[1] + "." + ec[2]), forged},
		{"without its signature", said.Keep(ec[0] + "." + ec[1] + "."), forged},
		{"cut off", said.Keep(strings.Join(ec, ".")[:len(strings.Join(ec, "."))-4]), forged},
		{"in two parts", said.Keep(ec[0] + "." + ec[1]), "neither a token of this server nor a JWT"},
		{"encrypted", said.Keep(strings.Join(ec, ".") + ".e30.e30"), "neither a token of this server nor a JWT"},
		{"that is no JSON", said.Keep("x.y.z-0123456789abcdefghijkl"), forged},
		{"as JSON", `{"payload":"` + ec[1] + `","protected":"` + ec[0] + `","signature":"` + ec[2] + `"}`, "more than a token"},
		{"that is too long", signed(map[string]any{"x": strings.Repeat("x", 20000)}), "neither a token of this server nor a JWT"},
		{"of another issuer", signed(map[string]any{"iss": "https://evil.example"}), "of another issuer than " + p.URL},
		{"of nearly the issuer", signed(map[string]any{"iss": p.URL + "/"}), "of another issuer"},
		{"of no issuer", signed(map[string]any{"iss": nil}), "of another issuer"},
		{"whose issuer is written ISS", signed(map[string]any{"iss": "https://evil.example", "ISS": p.URL}), "of another issuer"},
		{"for another audience", signed(map[string]any{"aud": "https://other.example/mcp"}), "another audience"},
		{"for nearly the audience", signed(map[string]any{"aud": audience + "/"}), "another audience"},
		{"for no audience", signed(map[string]any{"aud": nil}), "another audience"},
		{"for a list of none", signed(map[string]any{"aud": []string{}}), "another audience"},
		{"expired", signed(map[string]any{"exp": now.Add(-31 * time.Second).Unix()}), "has expired"},
		{"that never expires", signed(map[string]any{"exp": nil}), "does not say when it expires"},
		{"that expires at a text", signed(map[string]any{"exp": "9999999999"}), "does not say when it expires"},
		{"that expires beyond time", signed(map[string]any{"exp": 1e300}), ""},
		{"of tomorrow", signed(map[string]any{"nbf": now.Add(31 * time.Second).Unix()}), "does not hold yet"},
		{"of a time that is a text", signed(map[string]any{"nbf": "1"}), "does not hold yet"},
		{"of nobody", signed(map[string]any{"sub": nil}), "whose it is"},
		{"bound to a key", signed(map[string]any{"cnf": map[string]any{"jkt": "x"}}), "bound to a key"},
		{"that is an ID token of Cognito's", signed(map[string]any{"token_use": "id"}), "not an access token"},
		{"that is an ID token of Keycloak's", signed(map[string]any{"typ": "ID"}), "not an access token"},
		{"for logging out", token(t, ecKey(), map[string]any{"kid": "ec", "typ": "logout+jwt"}, good), "not an access token"},
		{"whose type is none", token(t, ecKey(), map[string]any{"kid": "ec", "typ": 1}, good), ""},
	} {
		got := s.ask(call(checkStock, test.token))
		code, text := got.refusal(t)
		if got.status != 401 || code != "invalid_token" || !strings.Contains(text, test.want) {
			t.Errorf("a token %s: %d %s %q, want 401 invalid_token %q", test.name, got.status, code, text, test.want)
		}
	}
	if got := s.ask(call(checkStock, strings.Join(ec, "."))); got.status != 200 {
		t.Errorf("a good token then: %d %s", got.status, got.body)
	}
	if n := p.times("/keys"); n != 1 {
		t.Errorf("a flood of bad tokens asked for the keys %d times, want once in a while", n)
	}
}

func TestECDSASignaturesMustFitTheCurve(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	text := strings.Split(p.sign("ec", p.claims(s.clock.Now(), nil)), ".")
	order := elliptic.P256().Params().N.FillBytes(make([]byte, 32))
	for name, signature := range map[string][]byte{"zero": make([]byte, 64), "the order": append(order, order...)} {
		forged := text[0] + "." + text[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
		if got := s.ask(call(checkStock, forged)); got.status != 401 {
			t.Errorf("a signature of %s: %d %s", name, got.status, got.body)
		}
	}
}

func TestCallersOfTheIssuer(t *testing.T) {
	roles := map[string]store.Scopes{"clerk": store.ScopeRead, "manager": both, "a b": both}
	for _, test := range []struct {
		name, claim string
		changes     map[string]any
		want        store.Caller
	}{
		{"by scope", "", map[string]any{"preferred_username": "Anna"}, store.Caller{ID: "oidc:anna", Name: "Anna", Scopes: store.ScopeRead}},
		{"by both scopes", "", map[string]any{"scope": "stock:write stock:read", "email": "anna@example.com"}, store.Caller{ID: "oidc:anna", Name: "anna@example.com", Scopes: both}},
		{"by no scope", "", map[string]any{"scope": "openid stock:readall"}, store.Caller{ID: "oidc:anna"}},
		{"by a scope in other words", "", map[string]any{"Scope": "stock:write"}, store.Caller{ID: "oidc:anna", Scopes: store.ScopeRead}},
		{"by a role, not by scope", "role", map[string]any{"scope": "stock:write"}, store.Caller{ID: "oidc:anna"}},
		{"by a role", "role", map[string]any{"role": "manager"}, store.Caller{ID: "oidc:anna", Scopes: both}},
		{"by roles", "realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []any{"guest", "clerk", 7}}}, store.Caller{ID: "oidc:anna", Scopes: store.ScopeRead}},
		{"by a role in a claim with dots", "https://shop.example/roles", map[string]any{"https://shop.example/roles": []string{"manager"}}, store.Caller{ID: "oidc:anna", Scopes: both}},
		{"by a role of two words", "roles", map[string]any{"roles": []string{"a b"}}, store.Caller{ID: "oidc:anna", Scopes: both}},
		{"by a path that leads nowhere", "roles.of.mine", map[string]any{"roles": []string{"manager"}}, store.Caller{ID: "oidc:anna"}},
		{"with a name over two lines", "", map[string]any{"name": "An\nna\u202e!\x00"}, store.Caller{ID: "oidc:anna", Name: "Anna!", Scopes: store.ScopeRead}},
	} {
		p := newProvider(t)
		s := outside(t, p, access.IssuerConfig{Claim: test.claim, Roles: roles})
		r := s.enter(call(ping, p.sign("ec", p.claims(s.clock.Now(), test.changes))))
		if r == nil {
			t.Errorf("%s: not let in", test.name)
			continue
		}
		test.want.Address = "192.0.2.1"
		if diff := cmp.Diff(test.want, store.CallerFrom(r.Context())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestSubjectsDoNotBecomeOthers(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	seen := make(map[string]string)
	long := strings.Repeat("a", 200)
	for _, sub := range []string{"anna", "an\nna", "an\tna", "anna ", "Anna", long, long + "a"} {
		r := s.enter(call(ping, p.sign("ec", p.claims(s.clock.Now(), map[string]any{"sub": sub}))))
		id := s.gate.Caller(r)
		if other, ok := seen[id]; ok || len(id) > 150 || strings.ContainsAny(id, "\n\t") {
			t.Errorf("the subjects %q and %q are both %q", sub, other, id)
		}
		seen[id] = sub
		again := s.enter(call(ping, p.sign("ec", p.claims(s.clock.Now(), map[string]any{"sub": strings.TrimPrefix(id, "oidc:"), "jti": id}))))
		if sub != strings.TrimPrefix(id, "oidc:") && s.gate.Caller(again) == id {
			t.Errorf("the subject %q can be had by the name %q", sub, id)
		}
	}
}

func TestAnIssuerTokenWithoutScopesGets403(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	got := s.ask(call(checkStock, p.sign("ec", p.claims(s.clock.Now(), map[string]any{"scope": "openid"}))))
	if got.status != 403 || !strings.Contains(got.challenge(), `error="insufficient_scope"`) || !strings.Contains(got.challenge(), `the token lets its bearer do nothing`) {
		t.Errorf("%d %s, WWW-Authenticate: %s", got.status, got.body, got.challenge())
	}
}

func TestAnIssuerThatIsAwayIsWaitedFor(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func(p *provider)
		mend func(p *provider)
	}{
		{"is down", func(p *provider) { p.down = true }, func(p *provider) { p.down = false }},
		{"calls itself something else", func(p *provider) { p.discovery = map[string]any{"issuer": "https://evil.example"} }, func(p *provider) { p.discovery = nil }},
		{"has no keys", func(p *provider) { p.discovery = map[string]any{"jwks_uri": ""} }, func(p *provider) { p.discovery = nil }},
		{"has its keys where they are not", func(p *provider) { p.discovery = map[string]any{"jwks_uri": p.URL + "/nowhere"} }, func(p *provider) { p.discovery = nil }},
		{"has its keys where nobody is who they are", func(p *provider) { p.discovery = map[string]any{"jwks_uri": "http://192.0.2.1/keys"} }, func(p *provider) { p.discovery = nil }},
	} {
		p := newProvider(t)
		p.set(func() { test.fail(p) })
		s := outside(t, p, access.IssuerConfig{})
		token := p.sign("ec", p.claims(s.clock.Now(), nil))
		api, _ := s.apiToken(store.Token{Scopes: both})
		for range 20 {
			got := s.ask(call(checkStock, token))
			code, text := got.refusal(t)
			if got.status != 503 || code != "temporarily_unavailable" || got.header.Get("Retry-After") != "10" || !strings.Contains(text, "the issuer") {
				t.Fatalf("while the issuer %s: %d %s, Retry-After: %s", test.name, got.status, got.body, got.header.Get("Retry-After"))
			}
		}
		if n := p.times("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("while the issuer %s it is asked %d times", test.name, n)
		}
		if got := s.ask(call(checkStock, api)); got.status != 200 {
			t.Errorf("while the issuer %s, a token of the owner's: %d %s", test.name, got.status, got.body)
		}
		p.set(func() { test.mend(p) })
		s.pass(time.Hour + time.Second)
		if got := s.ask(call(checkStock, p.sign("ec", p.claims(s.clock.Now(), nil)))); got.status != 200 {
			t.Errorf("when the issuer no longer %s: %d %s", test.name, got.status, got.body)
		}
	}
}

func TestKeysAreRotated(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	old := p.sign("ec", p.claims(s.clock.Now(), map[string]any{"exp": s.clock.Now().Add(24 * time.Hour).Unix()}))
	if got := s.ask(call(checkStock, old)); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	next := newECKey()
	p.set(func() { delete(p.keys, "ec"); p.keys["next"] = next })
	s.pass(10 * time.Second)
	if got := s.ask(call(checkStock, p.sign("next", p.claims(s.clock.Now(), nil)))); got.status != 200 {
		t.Errorf("a token by the new key: %d %s", got.status, got.body)
	}
	if got := s.ask(call(checkStock, old)); got.status != 200 {
		t.Errorf("a token by the old key, a moment after it was looked at: %d %s", got.status, got.body)
	}
	s.pass(5 * time.Minute)
	if got := s.ask(call(checkStock, old)); got.status != 401 {
		t.Errorf("a token by the old key: %d %s", got.status, got.body)
	}
}

func TestAKeyThatIsWithdrawnEndsWithinTheHour(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	token := p.sign("ec", p.claims(s.clock.Now(), map[string]any{"exp": s.clock.Now().Add(24 * time.Hour).Unix()}))
	if got := s.ask(call(checkStock, token)); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	p.set(func() { delete(p.keys, "ec") })
	s.pass(time.Hour)
	if got := s.ask(call(checkStock, token)); got.status != 401 {
		t.Errorf("a token by a key that was withdrawn an hour ago: %d %s", got.status, got.body)
	}
	p.set(func() { p.keys["ec"] = ecKey(); p.discovery = map[string]any{"issuer": "https://evil.example"} })
	s.pass(2 * time.Hour)
	if got := s.ask(call(checkStock, p.sign("rsa", p.claims(s.clock.Now(), nil)))); got.status != 200 {
		t.Errorf("while the issuer cannot be asked anew, a token by a known key: %d %s", got.status, got.body)
	}
}

func TestALookedAtTokenExpires(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	token := p.sign("ec", p.claims(s.clock.Now(), map[string]any{"exp": s.clock.Now().Add(time.Minute).Unix()}))
	r := s.enter(call(ping, token))
	s.pass(89 * time.Second)
	if got := s.ask(call(checkStock, token)); got.status != 200 || !s.gate.Holds(r) {
		t.Errorf("within the leeway: %d %s", got.status, got.body)
	}
	s.pass(time.Second)
	if got := s.ask(call(checkStock, token)); got.status != 401 || s.gate.Holds(r) {
		t.Errorf("after it: %d %s", got.status, got.body)
	}
}

func TestManyTokensAreLookedAtAtOnce(t *testing.T) {
	p := newProvider(t)
	s := outside(t, p, access.IssuerConfig{})
	var wait sync.WaitGroup
	for n := range 20 {
		token := p.sign("ec", p.claims(s.clock.Now(), map[string]any{"jti": n}))
		wait.Go(func() {
			for range 3 {
				if got := s.ask(call(ping, token)); got.status != 200 {
					t.Errorf("%d %s", got.status, got.body)
				}
			}
		})
	}
	wait.Wait()
	if n := p.times("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestIssuersThatCannotBe(t *testing.T) {
	for url, want := range map[string]string{
		"":                                 "a server and a path",
		"login.example.com":                "a server and a path",
		"http://login.example.com":         "must be https",
		"http://127.0.0.1.example.com":     "must be https",
		"http://localhost.example.com":     "must be https",
		"ftp://login.example.com":          "must be https",
		"https://me@login.example.com":     "a server and a path",
		"https://login.example.com?a=b":    "a server and a path",
		"https://login.example.com/#a":     "a server and a path",
		"https://login.example.com:port/x": "not a URL",
	} {
		if _, err := access.OpenIssuer(access.IssuerConfig{URL: url, Audience: []string{audience}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenIssuer(%q) = %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"https://login.example.com/", "https://login.example.com/realms/shop", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} {
		if _, err := access.OpenIssuer(access.IssuerConfig{URL: url, Audience: []string{audience}}); err != nil {
			t.Errorf("OpenIssuer(%q) = %v", url, err)
		}
	}
	if _, err := access.OpenIssuer(access.IssuerConfig{URL: "https://login.example.com/"}); err == nil {
		t.Error("an issuer whose tokens may be for anybody is opened")
	}
}
