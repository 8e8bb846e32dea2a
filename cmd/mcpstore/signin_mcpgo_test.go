package main

import (
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

func (s *stage) mcpGoSignsIn(t *testing.T) {
	shop, back := s.shop(t, "mcpgo"), newCallback(t)
	kept := client.NewMemoryTokenStore()
	c, err := client.NewOAuthStreamableHttpClient(shop.endpoint, client.OAuthConfig{
		RedirectURI: back.url,
		Scopes:      []string{"stock:read"},
		TokenStore:  kept,
		PKCEEnabled: true,
		HTTPClient:  s.edge.Client(),
	}, transport.WithHTTPBasicClient(s.edge.Client()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	init := mcp.InitializeRequest{}
	init.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	init.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
	_, err = c.Initialize(t.Context(), init)
	if !client.IsOAuthAuthorizationRequiredError(err) {
		t.Fatalf("Initialize without a token = %v", err)
	}
	handler := client.GetOAuthHandler(err)

	if err := handler.RegisterClient(t.Context(), "mcp-go"); err != nil {
		t.Fatal(err)
	}
	verifier, err := client.GenerateCodeVerifier()
	if err != nil {
		t.Fatal(err)
	}
	authorize, err := handler.GetAuthorizationURL(t.Context(), "a state", client.GenerateCodeChallenge(verifier))
	if err != nil {
		t.Fatal(err)
	}
	p := s.browser.open(t, authorize, "en")
	p.enter(passphrase)
	p.press("Allow")
	came := back.await(t, p)
	if err := handler.ProcessAuthorizationResponse(t.Context(), came.Get("code"), came.Get("state"), verifier); err != nil {
		t.Fatal(err)
	}

	if _, err := c.Initialize(t.Context(), init); err != nil {
		t.Fatal(err)
	}
	listed, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
	if err != nil || len(listed.Tools) == 0 {
		t.Fatalf("ListTools = %v, %v", listed, err)
	}
	check := mcp.CallToolRequest{}
	check.Params.Name = "check_stock"
	check.Params.Arguments = map[string]any{"product": "茶葉蛋", "store": "KOKO便利店"}
	call := func() error {
		t.Helper()
		result, err := c.CallTool(t.Context(), check)
		if err != nil {
			return err
		}
		if text := mcp.GetTextFromContent(result.Content[0]); result.IsError || !strings.Contains(text, "12 顆") {
			t.Errorf("check_stock = %q, error %v", text, result.IsError)
		}
		return nil
	}
	if err := call(); err != nil {
		t.Fatal(err)
	}

	before, err := kept.GetToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expired := *before
	expired.ExpiresAt = expired.ExpiresAt.AddDate(-1, 0, 0)
	if err := kept.SaveToken(t.Context(), &expired); err != nil {
		t.Fatal(err)
	}
	if err := call(); err != nil {
		t.Fatalf("with an expired token that can be refreshed: %v", err)
	}
	if after, err := kept.GetToken(t.Context()); err != nil || after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken {
		t.Errorf("the client kept its tokens, %v, want that it refreshed them", err)
	}

	shop.revoke(t)
	if err := call(); !client.IsOAuthAuthorizationRequiredError(err) {
		t.Errorf("after the grant was revoked: %v, want that it must sign in", err)
	}
}
