package oauth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

func TestAClientIsLetIn(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	for _, part := range []string{"ChatGPT", "client.example", "shop.example"} {
		if !strings.Contains(p.Body.String(), part) {
			t.Errorf("the page does not name %q", part)
		}
	}
	to := p.allow(passphrase).leaves()
	code := said.Keep(to.Query().Get("code"))
	want := url.Values{"code": {code}, "state": {"a state"}, "iss": {issuer}}
	if diff := cmp.Diff(want, to.Query()); diff != "" || !strings.HasPrefix(to.String(), back+"?") {
		t.Errorf("goes back to %s (-want +got):\n%s", to.Host, diff)
	}
	wantGrant := []store.Grant{{ID: 1, ClientID: client, ClientName: "ChatGPT", RedirectHost: "client.example", Scopes: store.ScopeRead, Resource: issuer + "/mcp", CreatedAt: h.now()}}
	if diff := cmp.Diff(wantGrant, h.grants()); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}

	got := h.redeem(client, code)
	if got.Status != http.StatusOK || got.Type != "Bearer" || got.Expires != 3600 || got.Scope != "stock:read" || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("POST /token = %d %s", got.Status, got.Text)
	}
	if secret.Check(got.Access, secret.Access) != nil || secret.Check(got.Refresh, secret.Refresh) != nil {
		t.Error("the tokens do not say what they are")
	}
	kept, err := h.db.Token(t.Context(), store.HashOf(got.Access))
	wantToken := store.Token{Kind: store.AccessToken, Scopes: store.ScopeRead, Resource: issuer + "/mcp", Grant: 1, ClientID: client, ClientName: "ChatGPT", ExpiresAt: h.now().Add(time.Hour)}
	if diff := cmp.Diff(wantToken, kept, cmpopts.IgnoreFields(store.Token{}, "ID", "Hash", "CreatedAt")); diff != "" || err != nil {
		t.Errorf("access token (-want +got), %v:\n%s", err, diff)
	}

	again := h.refresh(client, got.Refresh)
	if again.Status != http.StatusOK || again.Refresh == got.Refresh || !h.holds(again.Access) {
		t.Fatalf("refreshing = %d %s", again.Status, again.Text)
	}
	if revoked := h.post("/revoke", url.Values{"client_id": {client}, "token": {again.Refresh}}); revoked.Status != http.StatusOK {
		t.Errorf("revoking = %d %s", revoked.Status, revoked.Text)
	}
	if h.holds(again.Access) || len(h.grants()) > 0 {
		t.Error("a grant that was given back still holds")
	}
}

// Replicas share everything but the clock in their machine.
func TestAnyReplicaGoesOn(t *testing.T) {
	h := openHouse(t)
	one, two := h.server, h.replica()
	client := h.register("Roamer", back)
	h.server = two
	p := h.asked(params(client))
	h.server = one
	to := p.allow(passphrase).leaves()
	h.server = two
	if got := h.redeem(client, to.Query().Get("code")); got.Status != http.StatusOK {
		t.Errorf("POST /token = %d %s", got.Status, got.Text)
	}
}

func TestAClientIsKnownByItsDocument(t *testing.T) {
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) { document200(w, goodDocument) })
	h := openHouse(t, func(c *Config) {
		found := p.config()
		c.Lookup, c.Dial, c.RootCAs = found.Lookup, found.Dial, found.RootCAs
	})
	v := params(documentID, "redirect_uri", "https://example.com/cb")
	shown := h.asked(v)
	if body := shown.Body.String(); !strings.Contains(body, "vouched for by <code>example.com</code>") {
		t.Errorf("the page does not say whose document it is:\n%s", body)
	}
	got := h.redeem(documentID, h.letIn(v), "redirect_uri", "https://example.com/cb")
	if got.Status != http.StatusOK {
		t.Errorf("POST /token = %d %s", got.Status, got.Text)
	}
}

func TestPathsAndMethods(t *testing.T) {
	h := openHouse(t)
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/.well-known/oauth-authorization-server", 200, ""},
		{"GET", "/.well-known/oauth-authorization-server/mcp", 200, ""},
		{"HEAD", "/.well-known/openid-configuration", 200, ""},
		{"GET", "/token/.well-known/openid-configuration", 200, ""},
		{"POST", "/.well-known/openid-configuration", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/.well-known/openid-configuration", 204, "GET, HEAD, OPTIONS"},
		{"DELETE", "/authorize", 405, "GET, HEAD, POST, OPTIONS"},
		{"GET", "/token", 405, "POST, OPTIONS"},
		{"OPTIONS", "/token", 204, "POST, OPTIONS"},
		{"PUT", "/register", 405, "POST, OPTIONS"},
		{"GET", "/revoke", 405, "POST, OPTIONS"},
	} {
		w := h.do(httptest.NewRequest(test.method, issuer+test.path, nil))
		if w.Code != test.status || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s = %d, Allow %q; want %d, %q", test.method, test.path, w.Code, w.Header().Get("Allow"), test.status, test.allow)
		}
	}
	for _, path := range []string{"/", "/mcp", "/authorize/", "/token/x", "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server/x"} {
		if w := httptest.NewRecorder(); h.server.Handle(w, httptest.NewRequest("GET", issuer+path, nil)) || w.Code != 200 || len(w.Header()) > 0 {
			t.Errorf("%s is answered", path)
		}
	}
}

func TestPagesOfOtherOriginsMayAskWhereTheyAreLet(t *testing.T) {
	h := openHouse(t)
	for _, origin := range []string{"", "https://inspector.example"} {
		w := httptest.NewRecorder()
		if origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		h.server.Handle(w, httptest.NewRequest("OPTIONS", issuer+"/token", nil))
		want := map[bool]string{true: "POST, OPTIONS"}[origin != ""]
		if got := w.Header().Get("Access-Control-Allow-Methods"); got != want {
			t.Errorf("for origin %q Access-Control-Allow-Methods = %q, want %q", origin, got, want)
		}
	}
}

func TestNothingIsServedBeforeTheURLIsKnown(t *testing.T) {
	h := openHouse(t, func(c *Config) { c.URL = func() string { return "" } })
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/authorize"} {
		if w := h.get(path); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("GET %s = %d", path, w.Code)
		}
	}
}

func TestAStoreThatFailsIsSaidSo(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	got := h.redeem(client, h.letIn(params(client)))
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*page{"asking": h.ask(params(client)), "allowing": p.allow(passphrase)} {
		if p.Code != http.StatusServiceUnavailable || p.Header().Get("Retry-After") == "" || !strings.Contains(p.Body.String(), "Try again</a>") {
			t.Errorf("%s: %d %v\n%s", name, p.Code, p.Header(), p.Body)
		}
	}
	for name, got := range map[string]answered{
		"refreshing": h.refresh(client, got.Refresh),
		"revoking":   h.post("/revoke", url.Values{"client_id": {client}, "token": {got.Refresh}}),
	} {
		if got.Status != http.StatusServiceUnavailable || got.Error != "temporarily_unavailable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Error)
		}
	}
	if w := h.postClient(`{"redirect_uris":["https://client.example/cb"]}`); w.Code != http.StatusServiceUnavailable {
		t.Errorf("registering: %d %s", w.Code, w.Body)
	}
}

func TestMetadataIsOfTheURLAlone(t *testing.T) {
	h := openHouse(t)
	r := httptest.NewRequest("GET", "http://evil.example/.well-known/oauth-authorization-server", nil)
	setHeaders(r, []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example"})
	want := `{"issuer":"https://shop.example","authorization_endpoint":"https://shop.example/authorize","token_endpoint":"https://shop.example/token",` +
		`"registration_endpoint":"https://shop.example/register","revocation_endpoint":"https://shop.example/revoke",` +
		`"scopes_supported":["stock:read","stock:write"],"response_types_supported":["code"],"response_modes_supported":["query"],` +
		`"grant_types_supported":["authorization_code","refresh_token"],"token_endpoint_auth_methods_supported":["none"],` +
		`"revocation_endpoint_auth_methods_supported":["none"],"code_challenge_methods_supported":["S256"],"ui_locales_supported":["zh-TW","en"],` +
		`"service_documentation":"https://github.com/mcpstore/mcpstore/blob/main/docs/auth.md",` +
		`"authorization_response_iss_parameter_supported":true,"client_id_metadata_document_supported":true}` + "\n"
	if diff := cmp.Diff(want, h.do(r).Body.String()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}
