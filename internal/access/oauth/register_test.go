package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func (h *house) postClient(body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, issuer+"/register", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	setHeaders(r, headers)
	return h.do(r)
}

func TestClientsAreToldWhatTheyGet(t *testing.T) {
	h := openHouse(t)
	w := h.postClient(`{"client_name":"Chat\u202eGPT\u0000","client_uri":"https://client.example","redirect_uris":["https://client.example/cb","http://127.0.0.1/cb"],
		"token_endpoint_auth_method":"client_secret_basic","grant_types":["implicit"],"response_types":["token"],"scope":"admin","logo_uri":"javascript:alert(1)","software_id":7}`)
	var got registration
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("POST /register = %d %s (%v)", w.Code, w.Body, err)
	}
	want := registration{
		ID: got.ID, IssuedAt: h.now().Unix(), Name: "ChatGPT", URI: "https://client.example", RedirectURIs: []string{"https://client.example/cb", "http://127.0.0.1/cb"},
		AuthMethod: "none", GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, Scope: "stock:read stock:write",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.ID) < 20 {
		t.Errorf("registration (-want +got):\n%s", diff)
	}
	kept, err := h.db.Client(t.Context(), got.ID)
	if diff := cmp.Diff(store.Client{ID: got.ID, Name: want.Name, URI: want.URI, RedirectURIs: want.RedirectURIs, Scope: "stock:read", CreatedAt: h.now()}, kept); diff != "" || err != nil {
		t.Errorf("kept (-want +got), %v:\n%s", err, diff)
	}
}

func TestClientsThatAreRefused(t *testing.T) {
	h := openHouse(t)
	many := strings.TrimSuffix(strings.Repeat(`"https://client.example/cb",`, maxRedirects+1), ",")
	for name, test := range map[string]struct {
		body, header string
		status       int
		code         string
	}{
		"a form":               {`redirect_uris=x`, "application/x-www-form-urlencoded", 400, "invalid_client_metadata"},
		"no JSON":              {`{`, "", 400, "invalid_client_metadata"},
		"a list":               {`[]`, "", 400, "invalid_client_metadata"},
		"a redirect as a text": {`{"redirect_uris":"https://client.example/cb"}`, "", 400, "invalid_client_metadata"},
		"too large":            {`{"redirect_uris":["https://client.example/cb"],"x":"` + strings.Repeat("x", maxBody) + `"}`, "", 413, "invalid_client_metadata"},
		"no redirect":          {`{}`, "", 400, "invalid_redirect_uri"},
		"many redirects":       {`{"redirect_uris":[` + many + `]}`, "", 400, "invalid_redirect_uri"},
		"http":                 {`{"redirect_uris":["http://client.example/cb"]}`, "", 400, "invalid_redirect_uri"},
		"a script":             {`{"redirect_uris":["https://client.example/cb","javascript:alert(1)"]}`, "", 400, "invalid_redirect_uri"},
	} {
		w := h.postClient(test.body)
		if test.header != "" {
			w = h.postClient(test.body, "Content-Type", test.header)
		}
		if w.Code != test.status || !strings.Contains(w.Body.String(), `"error":"`+test.code+`"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// fullStore is one in which as many clients are kept as may be.
type fullStore struct{ Store }

func (s fullStore) AddClient(ctx context.Context, c store.Client, most int) error {
	return s.Store.AddClient(ctx, c, min(most, 2))
}

func TestFloodsOfClientsEnd(t *testing.T) {
	h := openHouse(t, func(c *Config) { c.Store = fullStore{c.Store} })
	known := h.register("ChatGPT", back)
	h.register("Flood", back)
	w := h.postClient(`{"redirect_uris":["https://client.example/cb"]}`)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "temporarily_unavailable") {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	h.letIn(params(known)) // the others go on, and who was let in takes no place
	h.register("After", back)
}
