package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var stylePattern = regexp.MustCompile(`(?s)<style>(.*)</style>`)

func TestPagesAreTightlyShut(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	consent := h.asked(params(client))
	for name, p := range map[string]*page{
		"consent": consent,
		"error":   h.ask(params("nobody")),
		"leave":   consent.press(url.Values{"decision": {"deny"}}),
	} {
		sum := sha256.Sum256([]byte(p.find(stylePattern)))
		want := http.Header{
			"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
			"X-Frame-Options":        {"DENY"},
			"X-Content-Type-Options": {"nosniff"},
			"X-Robots-Tag":           {"noindex"},
			"Referrer-Policy":        {map[bool]string{true: "no-referrer", false: "same-origin"}[name == "leave"]},
			"Cache-Control":          {"no-store"},
			"Content-Type":           {"text/html; charset=utf-8"},
			"Content-Language":       {"en"},
			"Vary":                   {"Accept-Language, Cookie"},
		}
		got := p.Header().Clone()
		got.Del("Content-Length")
		got.Del("Set-Cookie")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		body := p.Body.String()
		for _, part := range []string{"<script", "style=", " on", "src=", "@import", "url("} {
			if strings.Contains(strings.ToLower(tagsOf(body)), part) {
				t.Errorf("%s has %q", name, part)
			}
		}
	}
}

// tagsOf returns what is between angle brackets.
func tagsOf(page string) string {
	return strings.Join(regexp.MustCompile(`<[^>]*>`).FindAllString(page, -1), "\n")
}

func TestWhatClientsSayIsText(t *testing.T) {
	h := openHouse(t)
	const name = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;`
	p := h.asked(params(h.register(name, back), "state", `"><script>alert(2)</script>`, "ui_locales", `"><script>`))
	for _, p := range []*page{p, p.press(url.Values{"decision": {"deny"}}), h.ask(params(`<script>alert(3)</script>`))} {
		if tags := tagsOf(p.Body.String()); strings.Contains(tags, "<script") || strings.Contains(tags, "<img") {
			t.Errorf("the page has tags of the client's:\n%s", tags)
		}
	}
	if body := p.Body.String(); !strings.Contains(body, "&lt;script&gt;alert(1)") {
		t.Errorf("the page does not show the name:\n%s", body)
	}
}

func TestClientsWithoutANameAreShownAsSuch(t *testing.T) {
	h := openHouse(t)
	if body := h.asked(params(h.register("\u200b", back))).Body.String(); !strings.Contains(body, "(no name)") {
		t.Errorf("the page says:\n%s", body)
	}
}

func TestPagesAreInTheLanguageOfWhoReads(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for _, test := range []struct{ locales, accept, want string }{
		{"", "", english},
		{"", "zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", chinese},
		{"", "zh-CN,zh;q=0.9", chinese},
		{"", "zh-HK", chinese},
		{"", "en-GB,zh-TW;q=0.5", english},
		{"", "fr-FR,zh-TW;q=0.5", chinese},
		{"", "fr-FR", english},
		{"zh-TW", "en", chinese},
		{"fr zh-Hant en", "en", chinese},
		{"en", "zh-TW", english},
		{"xx-\x00", "zh-TW", chinese},
	} {
		v := params(client, "ui_locales", test.locales)
		p := h.ask(v, "Accept-Language", test.accept)
		if got := p.Header().Get("Content-Language"); got != test.want || !strings.Contains(p.Body.String(), `<html lang="`+test.want+`">`) {
			t.Errorf("ui_locales %q, Accept-Language %q: page in %q, want %q", test.locales, test.accept, got, test.want)
		}
	}
	for accept, want := range map[string]string{"zh-TW": "這個程式", "en": "This program"} {
		if body := h.ask(params("nobody"), "Accept-Language", accept).Body.String(); !strings.Contains(body, want) {
			t.Errorf("the page in %s says:\n%s", accept, body)
		}
	}
}

var otherPattern = regexp.MustCompile(`<a href="([^"]*)" lang=`)

func TestTheOtherLanguageIsOfTheSameRequest(t *testing.T) {
	h := openHouse(t)
	v := params(h.register("ChatGPT", back), "state", `odd (a|b)'&=%`)
	p := h.asked(v)
	for _, want := range []string{chinese, english} {
		other := p.find(otherPattern)
		p = h.newPage(h.get(other))
		if got := p.Header().Get("Content-Language"); got != want {
			t.Fatalf("the other page is in %q, want %q", got, want)
		}
	}
	if q := p.allow(passphrase).leaves().Query(); q.Get("state") != v.Get("state") {
		t.Errorf("goes back with state %q", q.Get("state"))
	}
}

// Programs on this machine, and those with a scheme of their own, are reached
// by the page as well.
func TestProgramsAreReached(t *testing.T) {
	h := openHouse(t)
	for registered, asked := range map[string]string{
		"http://127.0.0.1/cb":                    "http://127.0.0.1:49152/cb",
		"http://localhost:3000/cb":               "http://localhost:3000/cb",
		"cursor://anysphere.cursor-mcp/oauth/cb": "cursor://anysphere.cursor-mcp/oauth/cb",
		"com.example.app:/oauth":                 "com.example.app:/oauth",
		"https://client.example/cb(1)?a='b'":     "https://client.example/cb(1)?a='b'",
	} {
		client := h.register("Program", registered)
		to := h.asked(params(client, "redirect_uri", asked)).allow(passphrase).leaves()
		code := said.Keep(to.Query().Get("code"))
		want, err := url.Parse(asked)
		if err != nil || to.Scheme != want.Scheme || to.Host != want.Host || to.Path != want.Path || to.Query().Get("a") != want.Query().Get("a") {
			t.Errorf("goes back to %s, want %s", to, asked)
		}
		if got := h.redeem(client, code, "redirect_uri", asked); got.Status != http.StatusOK {
			t.Errorf("%s: %d %s", asked, got.Status, got.Text)
		}
	}
}
