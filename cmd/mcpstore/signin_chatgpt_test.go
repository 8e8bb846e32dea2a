package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (s *stage) chatGPTSignsIn(t *testing.T) {
	shop := s.shop(t, "chatgpt")

	refused := shop.ask(t, "", `{"jsonrpc":"2.0","id":"openai-mcp-discover","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"openai-mcp","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}}}`)
	challenge := refused.header.Get("WWW-Authenticate")
	if refused.status != http.StatusUnauthorized {
		t.Fatalf("server/discover without a token: %d, want 401", refused.status)
	}
	if scope := parameter(challenge, "scope"); scope != "stock:read" {
		t.Errorf("scope of the challenge = %q, want stock:read", scope)
	}
	resourceMetadata := parameter(challenge, "resource_metadata")
	for _, at := range []string{resourceMetadata, shop.issuer + "/.well-known/oauth-protected-resource"} {
		var resource struct {
			Resource             string
			AuthorizationServers []string `json:"authorization_servers"`
			ScopesSupported      []string `json:"scopes_supported"`
		}
		shop.get(t, at).json(t, http.StatusOK, &resource)
		if resource.Resource != shop.endpoint || !slices.Equal(resource.AuthorizationServers, []string{shop.issuer}) || !slices.Equal(resource.ScopesSupported, []string{"stock:read"}) {
			t.Errorf("%s: %+v", at, resource)
		}
	}
	want := shop.metadata(t)
	if want.Issuer != shop.issuer || !slices.Equal(want.ChallengeMethods, []string{"S256"}) || !want.ClientIDDocuments || !want.IssuerInAnswer {
		t.Errorf("metadata of the authorization server: %+v", want)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/token/.well-known/openid-configuration"} {
		var got metadata
		shop.get(t, shop.issuer+path).json(t, http.StatusOK, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-oauth-authorization-server +got):\n%s", path, diff)
		}
	}

	back := s.chatgpt.callback("registered")
	g := shop.guest(t, "ChatGPT", back.url)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "zh-TW,zh;q=0.9,en;q=0.8")
	for _, said := range []string{"ChatGPT", "chatgpt.com"} {
		if text := p.text(); !strings.Contains(text, said) {
			t.Errorf("the page does not say %q:\n%s", said, text)
		}
	}
	p.enter(passphrase)
	p.press("允許")
	first := g.redeem(t, r, back.await(t, p))
	if first.Scope != "stock:read" {
		t.Errorf("granted %q, want stock:read", first.Scope)
	}
	checkServed(t, shop, first.Access)

	second := g.refresh(t, first)
	if second.Access == first.Access || second.Refresh == first.Refresh {
		t.Error("refreshing brought the same tokens")
	}
	checkServed(t, shop, second.Access)

	if diff := cmp.Diff([]grant{{Client: "ChatGPT", ClientID: g.id, RedirectHost: "chatgpt.com", Scopes: []string{"stock:read"}, Resource: shop.endpoint}}, shop.grants(t), ignoreID); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	shop.revoke(t)
	refused = shop.ask(t, second.Access, listTools)
	if refused.status != http.StatusUnauthorized || parameter(refused.header.Get("WWW-Authenticate"), "error") != "invalid_token" {
		t.Errorf("after the grant was revoked: %d, WWW-Authenticate %q", refused.status, refused.header.Get("WWW-Authenticate"))
	}
	var failed struct{ Error string }
	g.send(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.Refresh}}).json(t, http.StatusBadRequest, &failed)
	if failed.Error != "invalid_grant" {
		t.Errorf("refreshing after the grant was revoked: %q, want invalid_grant", failed.Error)
	}
}

var ignoreID = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" }, cmp.Ignore())

// parameter returns a parameter of a challenge (RFC 9110, section 11.4).
func parameter(challenge, name string) string {
	found := regexp.MustCompile(`(?:^Bearer |[, ])` + name + `="([^"]*)"`).FindStringSubmatch(challenge)
	if found == nil {
		return ""
	}
	return found[1]
}

// checkServed checks that the token lets its bearer list and call.
func checkServed(t *testing.T, shop *shop, token string) {
	t.Helper()
	var listed struct {
		Result struct{ Tools []struct{ Name string } }
	}
	shop.ask(t, token, listTools).json(t, http.StatusOK, &listed)
	var names []string
	for _, tool := range listed.Result.Tools {
		names = append(names, tool.Name)
	}
	if !slices.Contains(names, "check_stock") || slices.Contains(names, "record_movement") {
		t.Errorf("tools = %v, want check_stock among them and none that changes the stock", names)
	}
	if got := shop.available(t, token); got != 12 {
		t.Errorf("check_stock = %d, want 12", got)
	}
}
