package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestPanelWarnsOfOwnDataThatIsPublic(t *testing.T) {
	own := store.Summary{Shops: 3, Products: 40}
	for _, tc := range []struct {
		name  string
		panel panel
		warns bool
	}{
		{"own data in public", panel{Stock: own}, true},
		{"own data on this machine", panel{Stock: own, Local: true}, false},
		{"demo data in public", panel{Stock: store.Summary{Shops: 8, Products: 80, Demo: true}}, false},
		{"nothing in public", panel{}, false},
	} {
		for lang, warning := range map[string]string{"en_US.UTF-8": "there is no authentication", "zh_TW.UTF-8": "目前沒有驗證身分"} {
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
			view: panel{Endpoint: "https://shop.example/mcp", Stock: store.Summary{Shops: 3, Products: 40, Demo: demo}},
		}
		if err := a.tellPeople(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(logged.String(), "there is no authentication") != warns || !strings.Contains(logged.String(), "https://shop.example/mcp") {
			t.Errorf("demo data %v: logged\n%s", demo, logged.String())
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
