package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// domain is what the names of this test's shops end in.
const domain = ".ngrok-free.test"

// stage is what the tests of signing in share.
type stage struct {
	edge     *tunneltest.Edge
	browser  *browser
	chatgpt  *chatGPT
	visit    *interstitial
	prepared string // a database in which the passphrase is set, to be copied
}

// TestSignIn lets clients in at mcpstore's own page, through the stand-in edge
// and with a real browser.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, test := range map[string]func(*testing.T){
		"as ChatGPT does":                          s.chatGPTSignsIn,
		"as a client known by its document":        s.knownByDocument,
		"with mcp-go":                              s.mcpGoSignsIn,
		"with go-sdk":                              s.goSDKSignsIn,
		"with the TypeScript SDK":                  s.typeScriptSignsIn,
		"conformance":                              s.conformance,
		"more scopes are asked for when needed":    s.stepUp,
		"a client that is refused asks no more":    s.stepUpWithheld,
		"to change what anybody may read":          s.signInToChange,
		"behind ngrok's interstitial page":         s.behindInterstitial,
		"with a one-time code":                     s.oneTimeCode,
		"denied":                                   s.denied,
		"a wrong passphrase can be corrected":      s.wrongPassphrase,
		"a program is opened by a click alone":     s.programByClick,
		"the page is in the reader's language":     s.languages,
		"writing can be left out by who allows it": s.writingLeftOut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{edge: tunneltest.Start(t, tunneltest.Config{})}
	text, err := os.ReadFile(s.edge.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	s.chatgpt = s.startChatGPT(t)
	s.visit = newInterstitial(s.edge)
	visit := httptest.NewTLSServer(s.visit)
	t.Cleanup(visit.Close)
	s.browser = startBrowser(t, map[string]string{
		"*" + domain:       "127.0.0.1",
		"visited" + domain: visit.Listener.Addr().String(),
		"chatgpt.com":      s.edge.PublicAddr(),
	}, authority, visit.Certificate())
	s.prepared = filepath.Join(t.TempDir(), "shop.db")
	mcpstore(t, passphrase+"\n", "access", "passphrase", "--db", s.prepared)
	return s
}

const (
	listTools  = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	oneEggSold = `{"product":"茶葉蛋","store":"KOKO便利店 大安店","delta":-1,"reason":"sale"}`
	sellEgg    = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"record_movement","arguments":` + oneEggSold + `}}`
)

// signIn lets a guest in with the passphrase, after what the owner does on the
// page before, and returns its tokens.
func (s *stage) signIn(t *testing.T, g *guest, back *callback, scopes string, before ...func(*tab)) tokens {
	t.Helper()
	r := g.request(t, scopes)
	p := s.browser.open(t, r.url, "en")
	for _, do := range before {
		do(p)
	}
	p.enter(passphrase)
	p.press("Allow")
	return g.redeem(t, r, back.await(t, p))
}

func (s *stage) stepUp(t *testing.T) {
	shop, back := s.shop(t, "stepup", "--allow-writes"), newCallback(t)
	g := shop.guest(t, "Clerk", back.url)
	reads := s.signIn(t, g, back, "stock:read")
	refused := shop.ask(t, reads.Access, sellEgg)
	challenge := refused.header.Get("WWW-Authenticate")
	if refused.status != http.StatusForbidden || parameter(challenge, "error") != "insufficient_scope" {
		t.Fatalf("a change with stock:read alone: %d, WWW-Authenticate %q\n%s", refused.status, challenge, refused.body)
	}
	needed := parameter(challenge, "scope")
	if needed != "stock:read stock:write" {
		t.Errorf("scope of the challenge = %q, want stock:read stock:write", needed)
	}
	both := s.signIn(t, g, back, needed, func(p *tab) {
		if text := p.text(); !strings.Contains(text, "Until now it may only look things up") {
			t.Errorf("the page does not say that this is a step-up:\n%s", text)
		}
	})
	if sold := shop.ask(t, both.Access, sellEgg); sold.status != http.StatusOK {
		t.Errorf("a change with both scopes: %d\n%s", sold.status, sold.body)
	}
	if got := shop.available(t, both.Access); got != 11 {
		t.Errorf("left after one was sold: %d, want 11", got)
	}
}

// What the owner does not allow when a client steps up, the client is told in the
// result of its call: the SDK asks for no more, and gives its caller that result.
func (s *stage) stepUpWithheld(t *testing.T) {
	shop := s.shop(t, "withheld", "--allow-writes")
	c := s.sdkClient(t, shop)
	s.allow(t, c, c.order(t, `{"order":"connect"}`))
	sell := `{"order":"call","name":"record_movement","arguments":` + oneEggSold + `}`
	a := s.allow(t, c, c.order(t, sell), (*tab).clickBox)
	for range 2 {
		var result struct {
			IsError bool
			Content []struct{ Text string }
		}
		if err := json.Unmarshal(a.Result, &result); err != nil || a.Authorize != "" || !result.IsError || !strings.Contains(result.Content[0].Text, "沒有允許") {
			t.Errorf("a change that the owner did not allow: %s, asks %q, %v", a.Result, a.Authorize, err)
		}
		a = c.order(t, sell)
	}
}

// With --public-reads a tool's answer is what asks to sign in.
func (s *stage) signInToChange(t *testing.T) {
	shop, back := s.shop(t, "publicreads", "--allow-writes", "--public-reads"), newCallback(t)
	if got := shop.available(t, ""); got != 12 {
		t.Errorf("anybody finds %d, want 12", got)
	}
	var asked struct {
		Result struct {
			IsError bool
			Meta    map[string][]string `json:"_meta"`
		}
	}
	shop.ask(t, "", sellEgg).json(t, http.StatusOK, &asked)
	challenges := asked.Result.Meta["mcp/www_authenticate"]
	if !asked.Result.IsError || len(challenges) != 1 {
		t.Fatalf("a change without a token: %+v", asked.Result)
	}
	got := s.signIn(t, shop.guest(t, "Clerk", back.url), back, parameter(challenges[0], "scope"), (*tab).clickBox)
	if sold := shop.ask(t, got.Access, sellEgg); sold.status != http.StatusOK {
		t.Errorf("a change after signing in: %d\n%s", sold.status, sold.body)
	}
	if got := shop.available(t, ""); got != 11 {
		t.Errorf("left after one was sold: %d, want 11", got)
	}
}
