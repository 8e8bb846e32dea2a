package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

func demoAbout(context.Context) About {
	return About{Version: "v1.2.3", Stores: 8, Products: 80, Demo: true, Question: "KOKO便利店的茶葉蛋還有幾個"}
}

const browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

func TestPage(t *testing.T) {
	addr := start(t, Config{About: demoAbout})
	tests := []struct {
		request string
		lang    string
		words   []string
	}{
		{get("/", browser, "Accept-Language: zh-TW,zh;q=0.9,en;q=0.8"), "zh-TW", []string{
			"KOKO便利店的茶葉蛋還有幾個", "<b>8</b> 間門市", "<b>80</b> 項商品</span>（示範資料）", publicURL + "/mcp", "OpenAI Playground", "外掛（Plugins）", "Developer mode", "v1.2.3"}},
		{get("/mcp", browser, "Accept-Language: en-US,en;q=0.9"), "en", []string{
			"KOKO便利店的茶葉蛋還有幾個", "<b>8</b> stores", "<b>80</b> products (demo data)", publicURL + "/mcp", "OpenAI Playground", "Plugins", "Developer mode", "v1.2.3"}},
		{get("/mcp/?lang=zh-TW", browser, "Accept-Language: en"), "zh-TW", nil},
		{get("/?lang=en", "Accept-Language: zh-TW"), "en", nil},
		{get("/?lang=xx", "Accept-Language: zh-CN;q=0.5, fr"), "zh-TW", nil},
		{get("/", "Accept-Language: en;q=0.3, zh;q=0.4"), "zh-TW", nil},
		{get("/", "Accept-Language: zh;q=0, *"), "en", nil},
		{get("/"), "en", nil},
	}
	for _, test := range tests {
		got := send(t, addr, test.request)
		line, _, _ := strings.Cut(test.request, "\r\n")
		if got.status != 200 || !strings.Contains(got.body, `<html lang="`+test.lang+`">`) || got.header.Get("Content-Language") != test.lang {
			t.Errorf("%s = %d in %q, want 200 in %q", line, got.status, got.header.Get("Content-Language"), test.lang)
		}
		for _, words := range test.words {
			if !strings.Contains(got.body, words) {
				t.Errorf("%s is without %q", line, words)
			}
		}
	}
	got := send(t, addr, request("HEAD", "/", ""))
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" || got.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD / = %d %v", got.status, got.header)
	}
}

func TestPageSaysHowToBeLetIn(t *testing.T) {
	for sign, want := range map[string]struct{ has, not string }{
		"":      {"authentication: None", "OAuth"},
		"token": {"authentication: Access token", "ChatGPT</a>"},
		"oauth": {"authentication: OAuth", "None"},
	} {
		addr := start(t, Config{About: func(context.Context) About { return About{SignIn: sign} }})
		got := send(t, addr, get("/?lang=en"))
		if !strings.Contains(got.body, want.has) || strings.Contains(got.body, want.not) {
			t.Errorf("with %q the page is\n%s", sign, got.body)
		}
		chinese := send(t, addr, get("/?lang=zh-TW")).body
		if strings.Contains(chinese, "驗證方式選 None") != (sign == "") || strings.Contains(chinese, "OAuth") != (sign == "oauth") {
			t.Errorf("with %q the page in Chinese is\n%s", sign, chinese)
		}
	}
}

func TestPageOfALocalServer(t *testing.T) {
	addr := start(t, Config{Local: true})
	for lang, words := range map[string]string{"en": "OpenAI cannot reach this URL", "zh-TW": "OpenAI 連不到這個網址"} {
		got := send(t, addr, get("/?lang="+lang, "Host: localhost:8000"))
		if !strings.Contains(got.body, words) || !strings.Contains(got.body, "http://localhost:8000/mcp") || strings.Contains(got.body, "Playground") {
			t.Errorf("the page in %s is\n%s", lang, got.body)
		}
	}
}

func TestPageEscapesWhatItIsGiven(t *testing.T) {
	addr := start(t, Config{About: func(context.Context) About {
		return About{Version: `<script>1</script>`, Question: `<img src=x>&amp;`}
	}})
	got := send(t, addr, get("/"))
	if strings.Contains(got.body, "<script>") || strings.Contains(got.body, "<img") || !strings.Contains(got.body, "&lt;img src=x&gt;&amp;amp;") {
		t.Errorf("not escaped:\n%s", got.body)
	}
}

func TestPageIsSelfContained(t *testing.T) {
	addr := start(t, Config{About: demoAbout})
	for _, path := range []string{"/?lang=en", "/?lang=zh-TW"} {
		got := send(t, addr, get(path))
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
		if style == nil {
			t.Fatalf("%s has no style", path)
		}
		sum := sha256.Sum256([]byte(style[1]))
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "frame-ancestors 'none'",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q is without %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(got.body, "style=") || strings.Contains(got.body, "<script") {
			t.Errorf("%s needs more than its own style", path)
		}
		for _, source := range regexp.MustCompile(`(?:src|<link[^>]*href)="([^"]*)"`).FindAllStringSubmatch(got.body, -1) {
			if !strings.HasPrefix(source[1], "data:") {
				t.Errorf("%s loads %s", path, source[1])
			}
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache", "Server": "",
		} {
			if value := got.header.Get(name); value != want {
				t.Errorf("%s: %s is %q, want %q", path, name, value, want)
			}
		}
		if vary := strings.Join(got.header.Values("Vary"), ", "); vary != "Origin, Accept, Accept-Language" {
			t.Errorf("%s: Vary %q", path, vary)
		}
	}
}
