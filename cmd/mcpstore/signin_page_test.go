package main

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// interstitial is a proxy before the edge that shows browsers a page of its
// own first, as ngrok does on free accounts (ERR_NGROK_6024): its button sets a
// cookie and loads the same URL again.
type interstitial struct {
	proxy *httputil.ReverseProxy
	shown chan string
}

func newInterstitial(edge *tunneltest.Edge) *interstitial {
	return &interstitial{
		proxy: &httputil.ReverseProxy{
			Transport: edge.Client().Transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme = "https"
				r.Out.URL.Host = r.In.Host
			},
		},
		shown: make(chan string, 10),
	}
}

func (i *interstitial) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const cookie = "abuse_interstitial"
	if _, err := r.Cookie(cookie); err == nil || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		i.proxy.ServeHTTP(w, r)
		return
	}
	i.shown <- r.URL.String()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Ngrok-Error-Code", "ERR_NGROK_6024")
	io.WriteString(w, `<!doctype html><title>ngrok</title><p>You are about to visit a site that is served for free.
		<button onclick="document.cookie='`+cookie+`=seen; path=/; secure'; location.reload()">Visit Site</button>`)
}

func (s *stage) behindInterstitial(t *testing.T) {
	shop, back := s.shop(t, "visited"), newCallback(t)
	g := shop.guest(t, "Visitor", back.url)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "en")
	select {
	case shown := <-s.visit.shown:
		if !strings.HasSuffix(r.url, shown) {
			t.Errorf("the interstitial page was at %q", shown)
		}
	default:
		t.Fatalf("the interstitial page was not shown:\n%s", p.seen())
	}
	p.submit("Visit Site")
	p.enter(passphrase)
	p.press("Allow")
	checkServed(t, shop, g.redeem(t, r, back.await(t, p)).Access)
}

func (s *stage) oneTimeCode(t *testing.T) {
	back := newCallback(t)
	shop := s.shopOn(t, filepath.Join(t.TempDir(), "shop.db"), "code")
	g := shop.guest(t, "Newcomer", back.url)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "en")
	said := shop.stderr.String()
	found := regexp.MustCompile(`type this code on its page: (\S+)`).FindStringSubmatch(said)
	if found == nil || !strings.Contains(said, "Newcomer") {
		t.Fatalf("no code for Newcomer on the terminal:\n%s", said)
	}
	p.enter(found[1])
	p.press("Allow")
	checkServed(t, shop, g.redeem(t, r, back.await(t, p)).Access)
}

func (s *stage) denied(t *testing.T) {
	shop, back := s.shop(t, "denied"), newCallback(t)
	r := shop.guest(t, "Stranger", back.url).request(t, "stock:read")
	p := s.browser.open(t, r.url, "en")
	p.press("Deny")
	came := back.await(t, p)
	came.Del("error_description")
	want := url.Values{"error": {"access_denied"}, "state": {r.state}, "iss": {shop.issuer}}
	if diff := cmp.Diff(want, came); diff != "" {
		t.Errorf("came back with (-want +got):\n%s", diff)
	}
	if grants := shop.grants(t); len(grants) > 0 {
		t.Errorf("grants = %+v, want none", grants)
	}
}

func (s *stage) wrongPassphrase(t *testing.T) {
	shop, back := s.shop(t, "wrong"), newCallback(t)
	g := shop.guest(t, "Forgetful", back.url)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "en")
	p.enter("hunter2 hunter2 hunter2")
	p.submit("Allow")
	if alert := p.textOf("[role=alert]"); alert == "" {
		t.Errorf("the page does not say that it was wrong:\n%s", p.seen())
	}
	p.enter(passphrase)
	p.press("Allow")
	checkServed(t, shop, g.redeem(t, r, back.await(t, p)).Access)
}

func (s *stage) programByClick(t *testing.T) {
	const redirect = "workbuddy://oauth/callback?shop=1"
	shop := s.shop(t, "click")
	g := shop.guest(t, "WorkBuddy", redirect)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "en")
	if text := p.text(); !strings.Contains(text, redirect) || !strings.Contains(text, "workbuddy: links wants to use your stock") {
		t.Errorf("the page does not name the program, or its whole redirect:\n%s", text)
	}
	p.enter(passphrase)
	p.submit("Allow")
	link := p.attribute(".uri a", "href")
	if shown := p.textOf(".uri"); shown != link || !strings.HasPrefix(link, redirect+"&code=") {
		t.Errorf("the page shows %q for a link to %q", shown, link)
	}
	if location, err := chromedp.Run(p.ctx, chromedp.Location()); err != nil || !strings.HasPrefix(location, shop.issuer+"/authorize?") {
		t.Errorf("the browser went to %s, %v", location, err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	checkServed(t, shop, g.redeem(t, r, u.Query()).Access)
}

func (s *stage) languages(t *testing.T) {
	shop, back := s.shop(t, "languages"), newCallback(t)
	g := shop.guest(t, "Polyglot", back.url)
	r := g.request(t, "stock:read")
	p := s.browser.open(t, r.url, "zh-TW,zh;q=0.9,en;q=0.8")
	check := func(lang string, said ...string) {
		t.Helper()
		if got := p.attribute("html", "lang"); got != lang {
			t.Errorf("lang = %q, want %q", got, lang)
		}
		text := p.text()
		for _, part := range append(said, "Polyglot", "127.0.0.1") {
			if !strings.Contains(text, part) {
				t.Errorf("the page does not say %q:\n%s", part, text)
			}
		}
	}
	check("zh-TW", "通行碼", "允許", "拒絕")
	p.submit("English")
	check("en", "passphrase", "Allow", "Deny")
	p.submit("中文")
	check("zh-TW", "通行碼", "允許", "拒絕")
	p.enter(passphrase)
	p.press("允許") // the request is still the same
	g.redeem(t, r, back.await(t, p))
}

// Who allows a client to read need not allow it to write.
func (s *stage) writingLeftOut(t *testing.T) {
	shop, back := s.shop(t, "leftout", "--allow-writes"), newCallback(t)
	g := shop.guest(t, "Greedy", back.url)
	r := g.request(t, "stock:read stock:write")
	p := s.browser.open(t, r.url, "en") // the box for writing starts unticked
	p.enter(passphrase)
	p.press("Allow")
	got := g.redeem(t, r, back.await(t, p))
	if got.Scope != "stock:read" {
		t.Errorf("granted %q, want stock:read", got.Scope)
	}
	if left := shop.available(t, got.Access); left != 12 {
		t.Errorf("check_stock = %d, want 12", left)
	}
	if refused := shop.ask(t, got.Access, sellEgg); refused.status != http.StatusForbidden {
		t.Errorf("a change: %d\n%s", refused.status, refused.body)
	}
}

// clickBox ticks the box for writing, or unticks it.
func (p *tab) clickBox() {
	p.do("click the box", chromedp.Click(chromedp.CSS("input[type=checkbox]")))
}
