package tunneltest_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"testing"

	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func publicPort(t *testing.T, edge *tunneltest.Edge) string {
	t.Helper()
	_, port, err := net.SplitHostPort(edge.PublicAddr())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestDevDomainStaysWithTheAuthtoken(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	urlFor := func(authtoken string) string {
		agent, _ := connect(t, edge, ngrok.WithAuthtoken(authtoken))
		defer agent.Disconnect()
		listener := listen(t, agent)
		defer listener.Close()
		return listener.URL().String()
	}
	one, again, other := urlFor("authtoken_of_one_shop"), urlFor("authtoken_of_one_shop"), urlFor("authtoken_of_another")
	if want := regexp.MustCompile(`^https://[a-z0-9-]+\.ngrok-free\.test:` + publicPort(t, edge) + `$`); !want.MatchString(one) {
		t.Errorf("URL = %q, want %s", one, want)
	}
	if one != again {
		t.Errorf("URL was %q, then %q", one, again)
	}
	if one == other {
		t.Errorf("two authtokens have the URL %q", one)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{DevDomain: "demo.ngrok-free.test"})
	port := publicPort(t, edge)
	for _, tt := range []struct{ asked, want string }{
		{"", "https://demo.ngrok-free.test:" + port},
		{"https://shop.example.test", "https://shop.example.test:" + port},
		{"https://Shop.Example.test:" + port, "https://shop.example.test:" + port},
		{"https://shop.example.test:443", "https://shop.example.test"},
		{"shop.example.test", "https://shop.example.test:" + port},
	} {
		agent, _ := connect(t, edge)
		var opts []ngrok.EndpointOption
		if tt.asked != "" {
			opts = append(opts, ngrok.WithURL(tt.asked))
		}
		url := serve(t, agent, say("here"), opts...)
		if url != tt.want {
			t.Errorf("asked for %q, got %q, want %q", tt.asked, url, tt.want)
		}
		wantBody(t, edge, url, "here")
		agent.Disconnect()
		if err := edge.AwaitNoSession(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOtherProtocolsAreRefused(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	for _, url := range []string{"tcp://", "http://shop.example.test", "tls://shop.example.test"} {
		if _, err := agent.Listen(t.Context(), ngrok.WithURL(url)); err == nil {
			t.Errorf("Listen(%q) succeeded", url)
		}
	}
}

func wantListenError(t *testing.T, agent ngrok.Agent, code string, opts ...ngrok.EndpointOption) {
	t.Helper()
	_, err := agent.Listen(t.Context(), opts...)
	var refused ngrok.Error
	if !errors.As(err, &refused) || refused.Code() != code {
		t.Errorf("Listen = %v, want %s", err, code)
	}
}

func TestTakenURLIsRefused(t *testing.T) {
	t.Parallel()
	const url = "https://shop.example.test"
	for _, tt := range []struct {
		name             string
		holder, newcomer bool // whether they allow pooling
	}{
		{"neither pools", false, false},
		{"only the holder pools", true, false},
		{"only the newcomer pools", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.Start(t, tunneltest.Config{})
			holder, _ := connect(t, edge)
			held := listen(t, holder, ngrok.WithURL(url), ngrok.WithPoolingEnabled(tt.holder))
			newcomer, _ := connect(t, edge)
			wantListenError(t, newcomer, "ERR_NGROK_334", ngrok.WithURL(url), ngrok.WithPoolingEnabled(tt.newcomer))

			if err := held.Close(); err != nil {
				t.Fatal(err)
			}
			wantBody(t, edge, serve(t, newcomer, say("new"), ngrok.WithURL(url)), "new")
		})
	}
}

func TestPoolTakesTurns(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	pool := []ngrok.EndpointOption{ngrok.WithURL("https://shop.example.test"), ngrok.WithPoolingEnabled(true)}
	agents := map[string]ngrok.Agent{}
	var url string
	for _, name := range []string{"a", "b"} {
		agents[name], _ = connect(t, edge)
		url = serve(t, agents[name], say(name), pool...)
	}
	for _, want := range []string{"a", "b", "a", "b"} {
		wantBody(t, edge, url, want)
	}
	agents["a"].Endpoints()[0].Close()
	for range 3 {
		wantBody(t, edge, url, "b")
	}
}

func TestEndpointIsGoneWhenItIsClosed(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, say("here"))
	wantBody(t, edge, url, "here")
	if err := agent.Endpoints()[0].Close(); err != nil {
		t.Fatal(err)
	}
	wantOffline(t, edge, url)
	if got := edge.Sessions(); len(got) != 1 || len(got[0].Endpoints) != 0 {
		t.Errorf("Sessions = %+v, want one without endpoints", got)
	}
}

func TestEndpointCanBeUpdated(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	forwarder, err := agent.Forward(lifetime(t), ngrok.WithUpstream("http://127.0.0.1:1"), ngrok.WithMetadata("before"))
	if err != nil {
		t.Fatal(err)
	}
	updater := forwarder.(interface {
		Update(ctx context.Context, name, description, metadata *string, pooling *bool, trafficPolicy *string) error
	})
	if err := updater.Update(t.Context(), nil, new("new words"), nil, new(true), nil); err != nil {
		t.Fatal(err)
	}
	got, err := edge.AwaitEndpoint(t.Context(), forwarder.URL().String())
	if err != nil {
		t.Fatal(err)
	}
	if got.Description != "new words" || got.Metadata != "before" || !got.PoolingEnabled {
		t.Errorf("endpoint = %+v", got)
	}
}
