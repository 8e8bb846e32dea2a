package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
)

// metadata is an authorization server's (RFC 8414).
type metadata struct {
	Issuer                string
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	ScopesSupported       []string `json:"scopes_supported"`
	ClientIDDocuments     bool     `json:"client_id_metadata_document_supported"`
	IssuerInAnswer        bool     `json:"authorization_response_iss_parameter_supported"`
}

func (s *shop) metadata(t *testing.T) metadata {
	t.Helper()
	var m metadata
	s.get(t, s.issuer+"/.well-known/oauth-authorization-server").json(t, http.StatusOK, &m)
	return m
}

// guest is a client of the test's own making, which asks as ChatGPT does.
type guest struct {
	shop     *shop
	metadata metadata
	id       string
	redirect string
}

// guest registers a client that is redirected to where.
func (s *shop) guest(t *testing.T, name, redirect string) *guest {
	t.Helper()
	g := &guest{shop: s, metadata: s.metadata(t), redirect: redirect}
	body, err := json.Marshal(map[string]any{
		"client_name":                name,
		"redirect_uris":              []string{redirect},
		"grant_types":                []string{"authorization_code", "refresh_token"},
		"response_types":             []string{"code"},
		"token_endpoint_auth_method": "none",
	})
	if err != nil {
		t.Fatal(err)
	}
	var registered struct {
		ClientID string `json:"client_id"`
	}
	s.do(t, http.MethodPost, g.metadata.RegistrationEndpoint, "application/json", string(body), "").json(t, http.StatusCreated, &registered)
	g.id = registered.ClientID
	return g
}

// request is a request to be let in.
type request struct {
	url, state, verifier string
}

// request asks for the scopes. More parameters come in pairs.
func (g *guest) request(t *testing.T, scopes string, more ...string) request {
	t.Helper()
	verifier, err := transport.GenerateCodeVerifier()
	if err != nil {
		t.Fatal(err)
	}
	state, err := transport.GenerateState()
	if err != nil {
		t.Fatal(err)
	}
	values := url.Values{
		"response_type":         {"code"},
		"client_id":             {g.id},
		"redirect_uri":          {g.redirect},
		"scope":                 {scopes},
		"state":                 {state},
		"resource":              {g.shop.endpoint},
		"code_challenge":        {transport.GenerateCodeChallenge(verifier)},
		"code_challenge_method": {"S256"},
	}
	for pair := range slices.Chunk(more, 2) {
		values.Set(pair[0], pair[1])
	}
	return request{g.metadata.AuthorizationEndpoint + "?" + values.Encode(), state, verifier}
}

// tokens are what a code or refresh token is exchanged for.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string
}

// redeem exchanges the code that came back for tokens.
func (g *guest) redeem(t *testing.T, r request, came url.Values) tokens {
	t.Helper()
	if came.Get("state") != r.state || came.Get("iss") != g.metadata.Issuer || came.Get("code") == "" {
		t.Fatalf("came back with %v, want a code, the state %q and the issuer %q", slices.Sorted(maps.Keys(came)), r.state, g.metadata.Issuer)
	}
	return g.exchange(t, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {came.Get("code")},
		"redirect_uri":  {g.redirect},
		"code_verifier": {r.verifier},
	})
}

func (g *guest) refresh(t *testing.T, old tokens) tokens {
	t.Helper()
	return g.exchange(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
}

func (g *guest) exchange(t *testing.T, values url.Values) tokens {
	t.Helper()
	var got tokens
	g.send(t, values).json(t, http.StatusOK, &got)
	if got.Access == "" || got.Refresh == "" || !strings.EqualFold(got.Type, "Bearer") || got.Expires <= 0 {
		t.Fatalf("tokens: access %t, refresh %t, type %q, expires in %d s", got.Access != "", got.Refresh != "", got.Type, got.Expires)
	}
	return got
}

func (g *guest) send(t *testing.T, values url.Values) answer {
	t.Helper()
	values.Set("client_id", g.id)
	values.Set("resource", g.shop.endpoint)
	return g.shop.form(t, g.metadata.TokenEndpoint, values)
}

// callback is where a client awaits the browser.
type callback struct {
	url  string
	came chan url.Values
}

// newCallback listens on a loopback port, as programs on the owner's machine do.
func newCallback(t *testing.T) *callback {
	c := &callback{came: make(chan url.Values, 1)}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	c.url = srv.URL + "/callback"
	return c
}

func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(c.url, r.URL.Path) {
		http.NotFound(w, r) // such as /favicon.ico
		return
	}
	c.came <- r.URL.Query()
	io.WriteString(w, "You can close this page.")
}

// await returns the parameters with which the browser comes.
func (c *callback) await(t *testing.T, p *tab) url.Values {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case came := <-c.came:
		return came
	case <-ctx.Done():
		t.Fatalf("the browser did not come back to the client\n%s", p.seen())
		return nil
	}
}
