package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
)

// provider is an OpenID provider on loopback.
type provider struct {
	t testing.TB
	*httptest.Server

	mu        sync.Mutex
	keys      map[string]crypto.Signer
	down      bool
	discovery map[string]any // in place of the usual members
	asked     map[string]int // by path
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{t: t, keys: map[string]crypto.Signer{"rsa": rsaKey(), "ec": ecKey()}, asked: make(map[string]int)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	ecKey = sync.OnceValue(newECKey)
)

func newECKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// set changes the provider.
func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// times returns how often a path was asked for.
func (p *provider) times(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[r.URL.Path]++
	document := map[string]any{}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		document = map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
		maps.Copy(document, p.discovery)
	case "/keys":
		var keys []map[string]any
		for kid, key := range p.keys {
			keys = append(keys, jwk(kid, key.Public()))
		}
		document["keys"] = keys
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if p.down {
		w.WriteHeader(http.StatusBadGateway)
	}
	_ = json.NewEncoder(w).Encode(document)
}

// RoundTrip asks the provider, and nobody else.
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if "http://"+r.URL.Host != p.URL {
		p.t.Errorf("%s is asked for", r.URL)
	}
	return p.Client().Transport.RoundTrip(r)
}

// audience is what the tokens of these tests are for.
const audience = publicURL + "/mcp"

// open returns the provider as an issuer, for the audience if c has none.
func (p *provider) open(t testing.TB, c access.IssuerConfig) *access.Issuer {
	t.Helper()
	c.URL, c.Transport = p.URL, p
	if c.Audience == nil {
		c.Audience = []string{"https://elsewhere.example", audience}
	}
	if c.Log == nil {
		c.Log = newLog()
	}
	i, err := access.OpenIssuer(c)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// claims returns those of a good token, with changes; nil takes one away.
func (p *provider) claims(now time.Time, changes map[string]any) map[string]any {
	c := map[string]any{"iss": p.URL, "aud": audience, "sub": "anna", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "scope": "openid stock:read"}
	for name, value := range changes {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
	return c
}

// sign returns a token with these claims, signed by the provider's key.
func (p *provider) sign(kid string, claims map[string]any) string {
	p.t.Helper()
	p.mu.Lock()
	key := p.keys[kid]
	p.mu.Unlock()
	return token(p.t, key, map[string]any{"kid": kid, "typ": "JWT"}, claims)
}

// token returns a token that the key signed, whatever its header says; its alg
// is the key's if the header has none. A nil key leaves the signature empty.
func token(t testing.TB, key any, header, claims map[string]any) string {
	t.Helper()
	header = maps.Clone(header)
	sign := func([]byte) ([]byte, error) { return nil, nil }
	alg := "none"
	switch key := key.(type) {
	case *rsa.PrivateKey:
		alg = "RS256"
		sign = func(b []byte) ([]byte, error) {
			sum := sha256.Sum256(b)
			return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		}
	case *ecdsa.PrivateKey:
		alg = "ES256"
		sign = func(b []byte) ([]byte, error) {
			sum := sha256.Sum256(b)
			r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
		}
	case ed25519.PrivateKey:
		alg = "EdDSA"
		sign = func(b []byte) ([]byte, error) { return ed25519.Sign(key, b), nil }
	case []byte:
		alg = "HS256"
		sign = func(b []byte) ([]byte, error) {
			mac := hmac.New(sha256.New, key)
			mac.Write(b)
			return mac.Sum(nil), nil
		}
	}
	if header["alg"] == nil {
		header["alg"] = alg
	}
	text := encode(t, header) + "." + encode(t, claims)
	signature, err := sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return said.Keep(text + "." + base64.RawURLEncoding.EncodeToString(signature))
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// jwk returns a key as RFC 7517 writes it.
func jwk(kid string, key crypto.PublicKey) map[string]any {
	number := func(n *big.Int, size int) string {
		return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, size)))
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kid": kid, "use": "sig", "kty": "RSA", "n": number(key.N, 256), "e": "AQAB"}
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, X, Y
		if err != nil {
			panic(err)
		}
		x, y := point[1:33], point[33:]
		return map[string]any{"kid": kid, "use": "sig", "kty": "EC", "crv": "P-256",
			"x": base64.RawURLEncoding.EncodeToString(x), "y": base64.RawURLEncoding.EncodeToString(y)}
	case ed25519.PublicKey:
		return map[string]any{"kid": kid, "use": "sig", "kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(key)}
	}
	panic("a key of another kind")
}
