package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

func TestPanelWarnsOfOwnDataThatIsPublic(t *testing.T) {
	own := store.Summary{Shops: 3, Products: 40}
	for _, tc := range []struct {
		name  string
		panel panel
		warns bool
	}{
		{"own data in public", panel{Stock: own, Open: true}, true},
		{"own data on this machine", panel{Stock: own, Open: true, Local: true}, false},
		{"own data behind a login", panel{Stock: own, Auth: access.OAuth}, false},
		{"own data that anyone may read, behind a login for changes", panel{Stock: own, Auth: access.OAuth, Open: true}, true},
		{"demo data in public", panel{Stock: store.Summary{Shops: 8, Products: 80, Demo: true}, Open: true}, false},
		{"nothing in public", panel{Open: true}, false},
	} {
		for lang, warning := range map[string]string{"en_US.UTF-8": "anyone who has the URL can read it", "zh_TW.UTF-8": "任何知道網址的人都讀得到"} {
			if got := printed(t, tc.panel, lang); strings.Contains(got, warning) != tc.warns {
				t.Errorf("%s, %s: warning is there: %v, want %v\n%s", tc.name, lang, !tc.warns, tc.warns, got)
			}
		}
	}
}

func TestLogForMachinesWarnsOfOwnDataThatIsPublic(t *testing.T) {
	for demo, warns := range map[bool]bool{false: true, true: false} {
		var logged strings.Builder
		a := announcer{
			log:  slog.New(slog.NewJSONHandler(&logged, nil)),
			view: panel{Endpoint: "https://shop.example/mcp", Stock: store.Summary{Shops: 3, Products: 40, Demo: demo}, Open: true},
		}
		if err := a.tellPeople(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(logged.String(), "anyone who has the URL can read it") != warns || !strings.Contains(logged.String(), "https://shop.example/mcp") {
			t.Errorf("demo data %v: logged\n%s", demo, logged.String())
		}
	}
}

func TestLogForMachinesSaysThatNobodyCanBeLetIn(t *testing.T) {
	for name, tc := range map[string]struct {
		panel panel
		warns bool
	}{
		"without a passphrase": {panel{Auth: access.OAuth}, true},
		"with one":             {panel{Auth: access.OAuth, Passphrase: true}, false},
		"where none is needed": {panel{Auth: access.Tokens}, false},
	} {
		var logged strings.Builder
		a := announcer{log: slog.New(slog.NewJSONHandler(&logged, nil)), view: tc.panel}
		if err := a.tellPeople(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(logged.String(), "mcpstore access passphrase") != tc.warns {
			t.Errorf("%s: logged\n%s", name, logged.String())
		}
	}
}

func TestPanelSaysHowToGetIn(t *testing.T) {
	for name, tc := range map[string]struct {
		panel  panel
		en, zh []string
	}{
		"nobody is asked": {panel{Auth: access.None, Open: true}, []string{"authentication: none", "Plugins"}, []string{"驗證方式選 None"}},
		"by token": {panel{Auth: access.Tokens}, []string{"with a token", "access token create", "--auth oauth"},
			[]string{"需要權杖", "access token create", "--auth oauth"}},
		"by passphrase": {panel{Auth: access.OAuth, Passphrase: true, Writes: true}, []string{"type your passphrase", "who has the scope stock:write"},
			[]string{"輸入您的通行碼", "有 stock:write 權限的"}},
		"by one-time code": {panel{Auth: access.OAuth, Open: true}, []string{"one-time code", "reading is open"}, []string{"一次性代碼", "任何人不必登入就能查詢"}},
		"elsewhere":        {panel{Auth: access.OIDC, Issuer: "https://login.example"}, []string{"https://login.example vouches"}, []string{"由 https://login.example 驗證身分"}},
	} {
		for lang, words := range map[string][]string{"en_US.UTF-8": tc.en, "zh_TW.UTF-8": tc.zh} {
			got := printed(t, tc.panel, lang)
			for _, want := range words {
				if !strings.Contains(got, want) {
					t.Errorf("%s, %s: no %q in\n%s", name, lang, want, got)
				}
			}
		}
	}
}

func TestPanelSpeaksTheUsersLanguage(t *testing.T) {
	p := panel{Endpoint: "https://shop.example/mcp", Stock: store.Summary{Shops: 8, Products: 80, Demo: true}, Database: "/data/shop.db", Question: "KOKO便利店的茶葉蛋還有幾個"}
	for lang, words := range map[string]string{
		"en_US.UTF-8": "8 stores, 80 products (demo data)",
		"C":           "Ctrl-C stops it",
		"":            "Ctrl-C stops it",
		"zh_TW.UTF-8": "8 間門市、80 項商品（示範資料）",
	} {
		got := printed(t, p, lang)
		for _, want := range []string{words, p.Endpoint, p.Database, p.Question, "Playground", "ChatGPT"} {
			if !strings.Contains(got, want) {
				t.Errorf("LANG=%s: no %q in\n%s", lang, want, got)
			}
		}
	}
}

func printed(t *testing.T, p panel, lang string) string {
	t.Helper()
	var out strings.Builder
	if err := p.print(&out, func(name string) string {
		if name == "LANG" {
			return lang
		}
		return ""
	}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
