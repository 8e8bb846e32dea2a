package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
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
	if body := h.asked(params(h.register("\u200b", back))).Body.String(); !strings.Contains(body, "It gives no name.") {
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
		p := h.asked(params(client, "redirect_uri", asked)).allow(passphrase)
		to, err := url.Parse(p.find(leavePattern) + p.find(clickPattern)) // one of the two is there
		if err != nil {
			t.Fatal(err)
		}
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

// whatIsClaimed is what the page says first: its heading, and what is beneath.
var whatIsClaimed = regexp.MustCompile(`(?s)<h1>(.*?</p>)`)

func TestPagesNameTheHostFirst(t *testing.T) {
	h := openHouse(t)
	for _, test := range []struct {
		name, redirect, accept, want string
	}{
		{"Notes", "https://evil.example/cb", "en", "evil.example wants to use your stock It calls itself “Notes”; nobody has checked that."},
		{"Notes", "https://evil.example:8443/cb", "en", "evil.example:8443 wants to use your stock It calls itself “Notes”; nobody has checked that."},
		{"Claude Code", "http://127.0.0.1:7777/cb", "en", "A program on this computer wants to use your stock It calls itself “Claude Code”; nobody has checked that."},
		{"WorkBuddy", "workbuddy://chatgpt.com/cb", "en", "The program that opens workbuddy: links wants to use your stock It calls itself “WorkBuddy”; nobody has checked that."},
		{"", "https://evil.example/cb", "en", "evil.example wants to use your stock It gives no name."},
		{"Notes” is from “OpenAI", "http://localhost/cb", "en", "A program on this computer wants to use your stock It calls itself “Notes is from OpenAI”; nobody has checked that."},
		{"記事」由 OpenAI「提供", "https://evil.example/cb", "zh-TW", "evil.example 想使用您的庫存 它自稱「記事由 OpenAI提供」，未經查證。"},
		{"Notes", "http://[::1]:1/cb", "zh-TW", "這台電腦上的程式想使用您的庫存 它自稱「Notes」，未經查證。"},
		{"Notes", "com.example.notes:/cb", "zh-TW", "開啟 com.example.notes: 連結的程式想使用您的庫存 它自稱「Notes」，未經查證。"},
	} {
		p := h.ask(params(h.register(test.name, test.redirect), "redirect_uri", test.redirect), "Accept-Language", test.accept)
		said := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.ReplaceAll(p.find(whatIsClaimed), "</h1>", " "), "")
		if got := strings.Join(strings.Fields(html.UnescapeString(said)), " "); got != test.want {
			t.Errorf("%q to %s says\n%s\nwant\n%s", test.name, test.redirect, got, test.want)
		}
	}
}

// Which program on this computer it is, only its document says.
func TestProgramsAreNamedWithTheHostOfTheirDocument(t *testing.T) {
	for redirect, want := range map[string]string{
		"http://127.0.0.1/cb":  "A program on this computer (example.com) wants to use your stock",
		"workbuddy:/cb":        "The program that opens workbuddy: links (example.com) wants to use your stock",
		"https://other.test/a": "other.test wants to use your stock",
	} {
		p := publish(t, func(w http.ResponseWriter, _ *http.Request) {
			document200(w, strings.ReplaceAll(goodDocument, "https://example.com/cb", redirect))
		})
		h := openHouse(t, func(c *Config) {
			found := p.config()
			c.Lookup, c.Dial, c.RootCAs = found.Lookup, found.Dial, found.RootCAs
		})
		body := h.asked(params(documentID, "redirect_uri", redirect)).Body.String()
		if !strings.Contains(body, "<title>"+want+"</title>") || !strings.Contains(body, "<code>example.com</code></dd>") {
			t.Errorf("%s: want %s\n%s", redirect, want, body)
		}
		if got, warned := strings.Contains(body, "could pretend to be"), redirect != "https://other.test/a"; got != warned {
			t.Errorf("%s: says that any program could pretend to be it: %v", redirect, got)
		}
	}
}

func TestImpostors(t *testing.T) {
	for _, test := range []struct {
		name, redirect, document string
		product, foreign         string
	}{
		{"ChatGPT", "https://chatgpt.com/connector/oauth/x", "", "", ""},
		{"ChatGPT", "https://chatgpt.com/connector/oauth/x", "chatgpt.com", "", ""},
		{"ChatGPT", "https://CHATGPT.com./x", "", "", ""},
		{"Claude", "https://claude.ai/api/mcp/auth_callback", "", "", ""},
		{"Claude Code", "http://localhost:3118/callback", "claude.ai", "", ""},
		{"Claude Code", "http://127.0.0.1/callback", "", "", ""},
		{"Cursor", "cursor://anysphere.cursor-mcp/oauth/cb", "", "", ""},
		{"Visual Studio Code", "https://vscode.dev/redirect", "", "", ""},
		{"GitHub Copilot for VS Code", "https://vscode.dev/redirect", "", "", ""},
		{"ChatGPT", "com.openai.chat:/cb", "", "", ""},
		{"Notes", "https://evil.example/cb", "", "", ""},

		{"ChatGPT", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"chat-gpt by Open AI", "https://chatgpt.com.evil.example/cb", "", "ChatGPT", "chatgpt.com.evil.example"},
		{"ChatGPT", "https://notchatgpt.com:8443/cb", "", "ChatGPT", "notchatgpt.com:8443"},
		{"ChatGPT", "https://chatgpt.com/cb", "evil.example", "ChatGPT", "evil.example"},
		{"ChatGPT", "http://127.0.0.1/cb", "evil.example", "ChatGPT", "evil.example"},
		{"ChatGPT", "evil://chatgpt.com/cb", "", "ChatGPT", "evil:"},
		{"ChatGPT", "com.evil.openai:/cb", "", "ChatGPT", "com.evil.openai:"},
		{"Claude", "https://chatgpt.com/cb", "", "Claude", "chatgpt.com"},
		{"СhаtGРТ", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"ChatGPΤ", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"Ｃｈａｔ ＧＰＴ", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"𝐂𝐡𝐚𝐭𝐆𝐏𝐓", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"C\u0301hatGPT", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"CIaude", "https://evil.example/cb", "", "Claude", "evil.example"},
		{"C1aude", "https://evil.example/cb", "", "Claude", "evil.example"},
		{"Gernini", "https://evil.example/cb", "", "Gemini", "evil.example"},
		{"ϲlaude", "https://evil.example/cb", "", "Claude", "evil.example"}, // Greek
		{"ⲥlaude", "https://evil.example/cb", "", "Claude", "evil.example"}, // Coptic
		{"Ꮯłaude", "https://evil.example/cb", "", "Claude", "evil.example"}, // Cherokee, and a stroke
		{"🅒laude", "https://evil.example/cb", "", "Claude", "evil.example"},
		{"🅲hat🅶PT", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"ƇhatGPT", "https://evil.example/cb", "", "ChatGPT", "evil.example"},
		{"ಠ_ಠ", "https://evil.example/cb", "", "", ""},
		{"เครื่องมือ code", "https://evil.example/cb", "", "", ""},
		{"我的code助手", "https://evil.example/cb", "", "", ""},
		{"Gemini", "https://script.google.com/macros/x", "", "Gemini", "script.google.com"},
		{"Codex CLI", "https://evil.example/cb", "", "Codex", "evil.example"},
		{"VS Code", "https://evil.example/cb", "", "VS Code", "evil.example"},
		{"Microsoft Copilot", "https://evil.example/cb", "", "Copilot", "evil.example"},
		{"cursor", "vscode://evil/cb", "", "Cursor", "vscode:"},
	} {
		product, foreign := impostor(client{name: cleanName(test.name), host: test.document}, test.redirect)
		if product != test.product || foreign != test.foreign {
			t.Errorf("%q of %q to %s: %q, %q; want %q, %q", test.name, test.document, test.redirect, product, foreign, test.product, test.foreign)
		}
	}
}

func TestImpostorsAreWarnedOf(t *testing.T) {
	h := openHouse(t)
	const warning = `class="warning" role="alert"`
	for redirect, want := range map[string]bool{"https://evil.example/cb": true, "https://chatgpt.com/cb": false, "http://127.0.0.1/cb": false, "evil://cb/x": true} {
		p := h.asked(params(h.register("ChatGPT", redirect), "redirect_uri", redirect))
		if got := strings.Contains(p.Body.String(), warning); got != want {
			t.Errorf("ChatGPT to %s: warned %v", redirect, got)
		}
	}
}

// A page must not open programs by itself, and people must see what they open.
func TestPrivateSchemesAreOpenedByAClick(t *testing.T) {
	h := openHouse(t)
	for _, redirect := range []string{"workbuddy://oauth/cb?x=1", "com.example.app:/oauth", "cursor://anysphere.cursor-mcp/oauth/cb"} {
		client := h.register("Program", redirect)
		v := params(client, "redirect_uri", redirect)
		consent := h.asked(v)
		if !strings.Contains(consent.Body.String(), ">"+html.EscapeString(redirect)+"</code>") {
			t.Errorf("%s is not shown whole before it is allowed:\n%s", redirect, consent.Body)
		}
		for what, test := range map[string]struct {
			page   *page
			status int
			has    string
		}{
			"allowed":         {consent.allow(passphrase), http.StatusOK, "code"},
			"denied":          {h.asked(v).press(url.Values{"decision": {"deny"}}), http.StatusOK, "error"},
			"nothing allowed": {h.asked(params(client, "redirect_uri", redirect, "scope", "stock:write")).press(url.Values{"decision": {"allow"}, "passphrase": {passphrase}}), http.StatusOK, "error"},
			"an error":        {h.ask(params(client, "redirect_uri", redirect, "response_type", "token")), http.StatusBadRequest, "error"},
			"another error":   {h.ask(params(client, "redirect_uri", redirect, "prompt", "none")), http.StatusBadRequest, "error"},
		} {
			p := test.page
			if p.Code != test.status || p.Header().Get("Location") != "" || p.find(leavePattern) != "" || p.Header().Get("Refresh") != "" {
				t.Errorf("%s, %s: %d goes on by itself", redirect, what, p.Code)
			}
			to := p.find(clickPattern)
			if u, err := url.Parse(to); err != nil || !strings.HasPrefix(to, redirect) || u.Query().Get(test.has) == "" || u.Query().Get("state") != "a state" {
				t.Errorf("%s, %s: a click leads to %q", redirect, what, to)
			}
			if shown := html.UnescapeString(p.find(regexp.MustCompile(`<p class="uri"><a href="[^"]*">(.*)</a></p>`))); shown != to {
				t.Errorf("%s, %s: shows %q, and leads to %q", redirect, what, shown, to)
			}
		}
	}
}

// On a phone, a field with the focus would be scrolled to, and the host and the
// warning above it out of sight. Once those were seen, what went wrong is beside
// the field.
func TestThePageIsShownFromItsTop(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("ChatGPT", back)))
	if strings.Contains(p.Body.String(), "autofocus") {
		t.Error("the page moves to a field by itself")
	}
	again := p.press(url.Values{"decision": {"allow"}, "passphrase": {"wrong"}})
	if !strings.Contains(again.Body.String(), "autofocus") {
		t.Error("after a wrong passphrase the page does not move to the field")
	}
}
