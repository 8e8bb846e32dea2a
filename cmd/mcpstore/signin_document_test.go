package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/oauth"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
	"github.com/mcpstore/mcpstore/internal/tunnel"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// chatGPT is a stand-in for chatgpt.com at the edge: the document by which
// ChatGPT is known, and its redirect URIs.
type chatGPT struct{ mux *http.ServeMux }

const chatGPTDocument = "https://chatgpt.com/oauth/client.json"

func (s *stage) startChatGPT(t *testing.T) *chatGPT {
	t.Helper()
	tun := s.tunnel(t, "https://chatgpt.com")
	c := &chatGPT{http.NewServeMux()}
	c.mux.HandleFunc("GET /oauth/client.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{
			"client_id":      chatGPTDocument,
			"client_name":    "ChatGPT",
			"redirect_uris":  []string{redirectTo("documented")},
			"grant_types":    []string{"authorization_code", "refresh_token"},
			"response_types": []string{"code"},
			// As the real one is reported to: it prefers to sign, and can do without.
			"token_endpoint_auth_method":            "private_key_jwt",
			"token_endpoint_auth_methods_supported": []string{"private_key_jwt", "none"},
			"token_endpoint_auth_signing_alg":       "RS256",
			"jwks_uri":                              "https://chatgpt.com/oauth/jwks.json",
		})
	})
	srv := &http.Server{Handler: c.mux}
	go srv.Serve(tun)
	t.Cleanup(func() { srv.Close() })
	return c
}

func redirectTo(id string) string { return "https://chatgpt.com/connector/oauth/" + id }

// callback begins to await the browser at a redirect URI.
func (c *chatGPT) callback(id string) *callback {
	back := &callback{url: redirectTo(id), came: make(chan url.Values, 1)}
	c.mux.Handle("GET /connector/oauth/"+id, back)
	return back
}

func (s *stage) tunnel(t *testing.T, url string) tunnel.Tunnel {
	t.Helper()
	tun, err := tunnel.Open(t.Context(), tunnel.Config{
		Authtoken:   tunneltest.Authtoken,
		URL:         url,
		ConnectAddr: s.edge.ConnectAddr(),
		ConnectCAs:  s.edge.CAPool(),
		Log:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tun.Hangup)
	return tun
}

// shopOnInternet starts what mcpstore starts, but that it takes the edge for
// the internet when it looks for a client's document: chatgpt.com is there, and
// inside.example claims to be at an address of the machine's own.
func (s *stage) shopOnInternet(t *testing.T, name string) *shop {
	t.Helper()
	o := serveOptions{gate: gateOptions{auth: string(access.OAuth)}}
	e := &env{now: time.Now, zone: time.UTC}
	db, path, err := e.openExisting(t.Context(), s.copyPrepared(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tun := s.tunnel(t, "https://"+name+domain)
	p := &program{endpoint: tun.URL() + "/mcp", stderr: new(syncBuffer)}
	log := slog.New(slog.NewTextHandler(p.stderr, nil))
	g := &gate{recorder: access.NewRecorder(db, 0, log)}
	t.Cleanup(func() { g.recorder.Close() })
	g.Gate = access.New(access.Config{
		Mode:     access.OAuth,
		Store:    db,
		URL:      tun.URL,
		Offered:  store.ScopeRead,
		ScopeOf:  tools.ScopeOf,
		Behind:   true,
		Recorder: g.recorder,
		Log:      log,
		Authority: oauth.New(oauth.Config{
			Store:   db,
			URL:     tun.URL,
			Offered: store.ScopeRead,
			Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
				addr, ok := map[string]string{"chatgpt.com": "104.18.32.47", "inside.example": "127.0.0.1"}[host]
				if !ok {
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				return []netip.Addr{netip.MustParseAddr(addr)}, nil
			},
			Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				if !to.Addr().IsGlobalUnicast() {
					t.Errorf("mcpstore looked for a document at %s", to)
				}
				return new(net.Dialer).DialContext(ctx, "tcp", s.edge.PublicAddr())
			},
			RootCAs: s.edge.CAPool(),
			Log:     log,
		}),
	})
	g.auth = &tools.Auth{OAuth: true, Challenge: g.Challenge}
	site := &site{env: e, tun: tun, gate: g, log: log}
	srv := site.newHandler(site.newTools(db, &o), db, &o, panel{}).HTTPServer()
	go srv.Serve(tun)
	t.Cleanup(func() { srv.Close() })
	return &shop{program: p, issuer: tun.URL(), db: path, http: s.edge.Client()}
}

func (s *stage) knownByDocument(t *testing.T) {
	shop, back := s.shopOnInternet(t, "documents"), s.chatgpt.callback("documented")
	g := &guest{shop: shop, metadata: shop.metadata(t), id: chatGPTDocument, redirect: back.url}
	got := s.signIn(t, g, back, "stock:read")
	checkServed(t, shop, g.refresh(t, got).Access)
	if grants := shop.grants(t); len(grants) != 1 || grants[0].ClientID != chatGPTDocument {
		t.Errorf("grants = %+v, want one of %s", grants, chatGPTDocument)
	}
	shop.revoke(t)
	if refused := shop.ask(t, got.Access, listTools); refused.status != http.StatusUnauthorized {
		t.Errorf("after the grant was revoked: %d, want 401", refused.status)
	}

	g.redirect = redirectTo("another")
	g.refused(t, "a redirect URI that is not in the document")
	g.id = "https://inside.example/client.json"
	g.refused(t, "a document on the machine itself")
}

// refused checks that the request gets a page for people, with nothing on it to
// allow.
func (g *guest) refused(t *testing.T, what string) {
	t.Helper()
	page := g.shop.get(t, g.request(t, "stock:read").url)
	if page.status != http.StatusBadRequest || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || strings.Contains(page.body, "<form") {
		t.Errorf("%s: %d %s\n%s", what, page.status, page.header.Get("Content-Type"), page.body)
	}
}
