package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// The go-sdk registers anew each time it asks to be authorized.
func (s *stage) goSDKSignsIn(t *testing.T) {
	shop, back := s.shop(t, "gosdk", "--allow-writes"), newCallback(t)
	asked := 0
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "go-sdk", RedirectURIs: []string{back.url}, TokenEndpointAuthMethod: "none",
		}},
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			asked++
			p := s.browser.open(t, args.URL, "en")
			if stepUp := strings.Contains(p.text(), "Until now it may only look things up"); stepUp != (asked > 1) {
				t.Errorf("the page says that request %d is a step-up: %v", asked, stepUp)
			}
			p.enter(passphrase)
			p.press("Allow")
			came := back.await(t, p)
			return &auth.AuthorizationResult{Code: came.Get("code"), State: came.Get("state"), Iss: came.Get("iss")}, nil
		},
		Client: s.edge.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: shop.endpoint, HTTPClient: s.edge.Client(), DisableStandaloneSSE: true, OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	listed, err := session.ListTools(t.Context(), nil)
	if err != nil || !slices.ContainsFunc(listed.Tools, func(tool *mcp.Tool) bool { return tool.Name == "record_movement" }) {
		t.Errorf("ListTools = %+v, %v, want record_movement among them", listed, err)
	}
	sold, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "record_movement", Arguments: map[string]any{"product": "茶葉蛋", "store": "KOKO便利店 大安店", "delta": -1, "reason": "sale"}})
	if err != nil || sold.IsError {
		t.Errorf("a change after a step-up: %+v, %v", sold, err)
	}
	if asked != 2 {
		t.Errorf("the owner was asked %d times, want once to sign in and once to step up", asked)
	}
}
