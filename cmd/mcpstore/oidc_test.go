package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// identityProvider is one on loopback, which signs what it is told to.
type identityProvider struct {
	*httptest.Server
	key ed25519.PrivateKey
}

func startIdentityProvider(t *testing.T) *identityProvider {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &identityProvider{key: key}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var document any
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			document = map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/a", "token_endpoint": p.URL + "/t"}
		case "/keys":
			document = map[string]any{"keys": []any{map[string]any{
				"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": base64.RawURLEncoding.EncodeToString(public)}}}
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(document)
	}))
	t.Cleanup(p.Close)
	return p
}

// token returns a JWT with the claims.
func (p *identityProvider) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"1","typ":"at+jwt"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(p.key, []byte(text)))
}

func TestAnOutsideIssuerVouchesForCallers(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	provider := startIdentityProvider(t)
	const audience = "https://stock.example/mcp"
	p := start(t, edge, "--auth", "oidc", "--oidc-issuer", provider.URL, "--oidc-audience", audience,
		"--oidc-claim", "realm_access.roles", "--oidc-role", "clerk=stock:read", "--oidc-role", "manager=stock:read,stock:write", "--allow-writes")
	base := strings.TrimSuffix(p.endpoint, "/mcp")

	resp, err := edge.Client().Get(base + "/.well-known/oauth-protected-resource/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var metadata struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&metadata); err != nil || metadata.Resource != p.endpoint || len(metadata.Servers) != 1 || metadata.Servers[0] != provider.URL {
		t.Errorf("the metadata of the resource is %+v, %v", metadata, err)
	}
	if resp, err := edge.Client().Get(base + "/.well-known/oauth-authorization-server"); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("with an outside issuer there is an authorization server here: %v, %v", resp, err)
	}

	claims := func(role, aud string, expires time.Time) map[string]any {
		return map[string]any{"iss": provider.URL, "sub": "chen", "aud": aud, "exp": expires.Unix(), "realm_access": map[string]any{"roles": []string{role}}}
	}
	later := time.Now().Add(time.Hour)
	const sale = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"record_movement","arguments":{"product":"茶葉蛋","store":"信義店","delta":-1,"reason":"sale"}}}`
	const check = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"check_stock","arguments":{"product":"茶葉蛋","store":"信義店"}}}`
	for _, tt := range []struct {
		name, token, message string
		status               int
		words                string
	}{
		{"a clerk reads", provider.token(t, claims("clerk", audience, later)), check, 200, "5 顆"},
		{"a clerk sells", provider.token(t, claims("clerk", audience, later)), sale, 403, "insufficient_scope"},
		{"a manager sells", provider.token(t, claims("manager", audience, later)), sale, 200, "5 → 4"},
		{"a guest reads", provider.token(t, claims("guest", audience, later)), check, 403, "insufficient_scope"},
		{"for somebody else", provider.token(t, claims("manager", "https://other.example", later)), check, 401, "invalid_token"},
		{"too late", provider.token(t, claims("manager", audience, time.Now().Add(-time.Hour))), check, 401, "invalid_token"},
		{"unsigned", strings.TrimRight(provider.token(t, claims("manager", audience, later)), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), check, 401, "invalid_token"},
		{"nobody", "", check, 401, "resource_metadata"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.endpoint, strings.NewReader(tt.message))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if tt.token != "" {
			req.Header.Set("Authorization", "Bearer "+tt.token)
		}
		resp, err := edge.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(resp.Header.Get("WWW-Authenticate")+string(body), tt.words) {
			t.Errorf("%s: %d %s %s, %v; want %d with %q", tt.name, resp.StatusCode, resp.Header.Get("WWW-Authenticate"), body, err, tt.status, tt.words)
		}
	}
}
