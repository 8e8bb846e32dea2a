package access_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

const (
	metadataPath = "/.well-known/oauth-protected-resource"
	metadataMCP  = metadataPath + "/mcp"
)

func TestMetadataSaysWhereToSignIn(t *testing.T) {
	provider := newProvider(t)
	for _, test := range []struct {
		mode      access.Mode
		offered   store.Scopes
		authority string
		scopes    []any
	}{
		{access.OAuth, store.ScopeRead, publicURL, []any{"stock:read"}},
		{access.OAuth, both, publicURL, []any{"stock:read", "stock:write"}},
		{access.OIDC, store.ScopeRead, provider.URL, []any{"stock:read"}},
	} {
		s := openShop(t, access.Config{Mode: test.mode, Offered: test.offered, Issuer: provider.open(t, access.IssuerConfig{})})
		for _, path := range []string{metadataPath, metadataMCP} {
			r := get(path)
			r.Header.Set("Origin", "http://localhost:6274")
			r.Header.Set("X-Forwarded-Host", "evil.example")
			r.Header.Set("X-Forwarded-Proto", "http")
			got := s.ask(r)
			var document map[string]any
			if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.status != 200 {
				t.Fatalf("GET %s = %d %s: %v", path, got.status, got.body, err)
			}
			want := map[string]any{
				"resource": publicURL + "/mcp", "authorization_servers": []any{test.authority}, "scopes_supported": test.scopes,
				"bearer_methods_supported": []any{"header"}, "resource_name": "mcpstore",
			}
			if diff := cmp.Diff(want, document); diff != "" {
				t.Errorf("--auth %s, GET %s (-want +got):\n%s", test.mode, path, diff)
			}
			for name, value := range map[string]string{
				"Content-Type": "application/json", "Cache-Control": "max-age=60", "Access-Control-Allow-Origin": "http://localhost:6274", "X-Content-Type-Options": "nosniff",
			} {
				if h := got.header.Get(name); h != value {
					t.Errorf("GET %s: %s: %q, want %q", path, name, h, value)
				}
			}
		}
	}
}

func TestMetadataMovesWithTheURL(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	s.move("https://other.example")
	r := get(metadataMCP)
	r.Host = "other.example"
	var document struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal([]byte(s.ask(r).body), &document); err != nil {
		t.Fatal(err)
	}
	if document.Resource != "https://other.example/mcp" || !cmp.Equal(document.Servers, []string{"https://other.example"}) {
		t.Errorf("the metadata at the new URL is %+v", document)
	}
}

func TestMetadataIsOnlyWhereOneCanSignIn(t *testing.T) {
	for _, mode := range []access.Mode{access.None, access.Tokens} {
		s := openShop(t, access.Config{Mode: mode})
		for _, path := range []string{metadataPath, metadataMCP} {
			if got := s.ask(get(path)); got.status != 404 {
				t.Errorf("--auth %s: GET %s = %d %s", mode, path, got.status, got.body)
			}
		}
	}
	s := openShop(t, access.Config{Mode: access.OAuth})
	for _, path := range []string{metadataPath + "/", metadataMCP + "/", metadataPath + "/other", metadataPath + "x", "/mcp" + metadataPath} {
		if got := s.ask(get(path)); got.status != 404 {
			t.Errorf("GET %s = %d %s", path, got.status, got.body)
		}
	}
}

func TestMetadataIsOnlyRead(t *testing.T) {
	s := openShop(t, access.Config{Mode: access.OAuth})
	for method, status := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "DELETE": 405, "PUT": 405} {
		r := httptest.NewRequest(method, metadataMCP, nil)
		r.Host = "shop.example"
		r.Header.Set("Origin", "http://localhost:6274")
		got := s.ask(r)
		if got.status != status {
			t.Errorf("%s = %d %s, want %d", method, got.status, got.body, status)
		}
		if allow := got.header.Get("Allow"); (allow == "GET, HEAD, OPTIONS") != (status == 405 || status == 204) {
			t.Errorf("%s: Allow: %q", method, allow)
		}
		if allowed := got.header.Get("Access-Control-Allow-Headers") != ""; allowed != (method == "OPTIONS") {
			t.Errorf("%s: %v", method, got.header)
		}
	}
}
