package card_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// eggs is the question that everybody asks.
func eggs(store string) map[string]any {
	if store == "" {
		return map[string]any{"product": "茶葉蛋"}
	}
	return map[string]any{"product": "茶葉蛋", "store": store}
}

// wantText fails unless the card's element has all these texts.
func (b *tab) wantText(selector string, want ...string) {
	b.t.Helper()
	got := b.text(selector)
	for _, w := range want {
		if !strings.Contains(got, w) {
			b.t.Errorf("%s shows %q, want %q", selector, got, w)
		}
	}
}

func TestShowsHowManyAreLeft(t *testing.T) {
	s := openShop(t)
	t.Run("zh-TW", func(t *testing.T) {
		b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("zh-TW", "light")})
		b.wantText("h1", "茶葉蛋")
		b.wantText("#place", "KOKO便利店", "$13", "貨號 HF-0110")
		b.wantText("#figure", "12", "顆 可販售")
		b.wantText("#as-of", "最近異動：12 分鐘前（20")
		b.wantText("#list-title", "各門市庫存")
		b.wantText("#rows li:first-child", "KOKO便利店 信義店", "5 顆")
		b.wantText("#rows li:last-child", "KOKO便利店 西門店", "0 顆", "缺貨")
		widths := decode[[]string](b, b.inCard(`[...document.querySelectorAll("#rows .available")].map((e) => e.style.width)`))
		if got, want := strings.Join(widths, " "), "100% 80% 60% 0%"; got != want {
			t.Errorf("bars are %s wide, want %s", got, want)
		}
	})
	t.Run("en", func(t *testing.T) {
		b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("en-US", "light")})
		b.wantText("#place", "NT$13", "SKU HF-0110")
		b.wantText("#figure", "12", "available")
		b.wantText("#as-of", "Last changed 12 minutes ago (")
		b.wantText("#rows li:last-child", "sold out")
	})
}

func TestShowsWhatIsReservedApart(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "mug", "store": "neighbour-7"}, Context: in("zh-TW", "light")})
	b.wantText("#figure", "36", "另有 7 個 已保留")
	want := func(bar, want string) {
		t.Helper()
		got := decode[string](b, b.inCard(`[...document.querySelectorAll(a + " > *")].map((e) => e.className + e.style.width).join()`, bar))
		if got != want {
			t.Errorf("%s has %s, want %s", bar, got, want)
		}
	}
	want("#sum-bar", "available83.72%,reserved16.28%") // 36 and 7 of 43

	b = s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "mug", "store": "好鄰居"}, Context: in("zh-TW", "light")})
	b.wantText("#rows li:first-child", "75 個", "保留 14")
	want("#rows li:first-child .bar", "available 83.33%,reserved15.56%") // of 90, the most that any has

	b = s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("zh-TW", "light")})
	if decode[bool](b, b.inCard(`document.querySelector("#sum-bar").checkVisibility()`)) {
		t.Error("with nothing reserved, there is a bar that says nothing")
	}
}

func TestShowsWhatRunsLow(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "list_low_stock", Arguments: map[string]any{"store": "koko-ximen"}, Context: in("zh-TW", "light")})
	b.wantText("h1", "缺貨清單")
	b.wantText("#rows li:first-child", "茶葉蛋", "0 顆", "補貨點 10", "少 10")
	if rows := b.text("#rows"); strings.Contains(rows, "西門店") {
		t.Errorf("it repeats in each row the store that was asked about: %q", rows)
	}

	b = s.ask(t, question{Tool: "list_low_stock", Arguments: map[string]any{"store": "koko-ximen", "threshold": 2}, Context: in("en", "light")})
	b.wantText("#rows li:first-child", "茶葉蛋", "at most 2", "2 short")
}

func TestTellsExpiredFromTodayFromSoon(t *testing.T) {
	s := openShop(t)
	s.receive("koko-xinyi", "tea-egg", 3, -2)
	s.receive("koko-xinyi", "soft-boiled-egg", 4, 0)
	s.receive("koko-xinyi", "oden-daikon", 5, 1)
	b := s.ask(t, question{Tool: "list_expiring", Arguments: map[string]any{"store": "koko-xinyi"}, Context: in("en", "light")})
	b.wantText("h1", "Expiring stock")
	sections := decode[[]string](b, b.inCard(`[...document.querySelectorAll("#rows h3")].map((e) => e.textContent + " / " + e.nextSibling.textContent)`))
	if len(sections) != 3 {
		t.Fatalf("sections: %q, want 3", sections)
	}
	for i, want := range [][]string{{"✕Expired · 1", "茶葉蛋", "(2 days ago)"}, {"!Expires today · 1", "溏心蛋", "(today)"}, {"…Expires soon · 1", "關東煮白蘿蔔", "(1 day)"}} {
		for _, w := range want {
			if !strings.Contains(sections[i], w) {
				t.Errorf("section %q lacks %q", sections[i], w)
			}
		}
	}
}

func TestTellsWhatThereIsNot(t *testing.T) {
	s := openShop(t)
	for _, test := range []struct {
		name, tool string
		arguments  map[string]any
		want       []string
	}{
		{"sold out", "check_stock", eggs("koko-ximen"), []string{"缺貨", "有貨的其他門市", "豆苗生鮮超市 左營店", "14 顆"}},
		{"not carried", "check_stock", eggs("sprout-taichung"), []string{"豆苗生鮮超市 公益店沒有販售茶葉蛋", "有貨的其他門市", "14 顆"}},
		{"nowhere", "check_stock", map[string]any{"product": "hostile", "store": "koko-xinyi"}, []string{"沒有販售", "有貨的其他門市"}},
		{"which store", "check_stock", eggs("大安店"), []string{"「大安店」可能指好幾個", "KOKO便利店 大安店", "小橘燈超商 大安店"}},
		{"no such store", "check_stock", eggs("月球店"), []string{"找不到門市「月球店」"}},
		{"no such product", "check_stock", map[string]any{"product": "茶葉旦"}, []string{"茶葉蛋"}},
		{"nothing low", "list_low_stock", map[string]any{"store": "hostile"}, []string{"沒有缺貨的商品"}},
		{"nothing expires", "list_expiring", map[string]any{"store": "hostile"}, []string{"沒有即期或過期的商品"}},
		{"a tool's error", "check_stock", map[string]any{"product": ""}, []string{"product"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.ask(t, question{Tool: test.tool, Arguments: test.arguments, Context: in("zh-TW", "light")}).wantText("main", test.want...)
		})
	}
}

func TestFollowsItsHost(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs(""), Context: in("en-GB", "light")})
	look := func() string {
		return decode[string](b, b.inCard(`getComputedStyle(document.documentElement).backgroundColor + " " + document.documentElement.lang`))
	}
	want := func(want string) {
		t.Helper()
		if got := look(); got != want {
			t.Errorf("the card looks %s, want %s", got, want)
		}
	}
	set := func(context map[string]any) {
		t.Helper()
		b.inHost(`host.bridge.setHostContext(a)`, context)
	}
	want("rgb(255, 255, 255) en")
	b.wantText("#as-of", "Last changed")

	set(map[string]any{"theme": "dark", "locale": "zh-Hant", "timeZone": "Asia/Kolkata"})
	b.await(`document.documentElement.dataset.theme === "dark"`)
	want("rgb(28, 30, 33) zh-Hant-TW")
	asOf := decode[time.Time](b, b.inCard(`document.querySelector("time").dateTime`)).In(newfoundland)
	b.wantText("#as-of", "最近異動", asOf.Format("2006年1月2日"), asOf.Format("3:04")+" -03:30") // wherever the reader is

	colours := map[string]any{"--color-background-primary": "#102030", "--color-text-primary": "#ffffff", "--color-text-secondary": "#dddddd", "--color-background-secondary": "#203040"}
	set(map[string]any{"theme": "dark", "locale": "fr", "styles": map[string]any{"variables": colours}})
	b.await(`document.documentElement.lang === "en"`)
	want("rgb(16, 32, 48) en")

	colours["--color-text-primary"] = "#223344" // on #102030, nobody can read that
	set(map[string]any{"theme": "dark", "locale": "zh", "styles": map[string]any{"variables": colours}})
	b.await(`document.documentElement.lang === "zh-Hant-TW"`)
	want("rgb(28, 30, 33) zh-Hant-TW")
}

// prefer has the browser prefer something.
func prefer(what, value string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: what, Value: value}},
		})
		return chromedp.Void{}, err
	}
}

func TestWithoutAWordFromItsHostFollowsTheBrowser(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Deaf: true}, prefer("prefers-color-scheme", "dark"))
	b.wantText("#figure", "12") // though the host never said hello
	if got := decode[string](b, b.inCard(`getComputedStyle(document.documentElement).backgroundColor`)); got != "rgb(28, 30, 33)" {
		t.Errorf("the card is %s in a dark browser", got)
	}
	if shown := decode[bool](b, b.inCard(`document.querySelector("#refresh").checkVisibility() || document.querySelector("#ask").checkVisibility()`)); shown {
		t.Error("it offers what needs a host that answers")
	}
}

func TestKeepsStillForThoseWhoWantIt(t *testing.T) {
	b := openShop(t).ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("en", "light")})
	b.inCard(`document.querySelector("main").ariaBusy = "true"`)
	for _, test := range []struct{ motion, want string }{{"no-preference", "0.25s turn"}, {"reduce", "0s none"}} {
		b.do("prefer", prefer("prefers-reduced-motion", test.motion))
		if got := decode[string](b, b.inCard(`getComputedStyle(document.querySelector("#sum-bar > *")).transitionDuration + " " + getComputedStyle(document.querySelector("#refresh svg")).animationName`)); got != test.want {
			t.Errorf("with %s, what moves is %q, want %q", test.motion, got, test.want)
		}
	}
}

func TestShowsHowFarTheQuestionIs(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Waits: true, Context: in("zh-TW", "light")})
	b.await(`document.querySelector("#note").innerText === "正在查詢KOKO便利店 茶葉蛋…"`)
	b.inHost(`host.bridge.sendToolCancelled({ reason: "user" })`)
	b.await(`document.querySelector("#note").innerText === "查詢已取消。"`)
}

func TestShowsTheTextOfAResultWithoutStructure(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs(""), Context: in("en", "light"),
		Result: map[string]any{"content": []any{map[string]any{"type": "text", "text": "12 left <b>here</b>"}}}})
	b.wantText("#note", "12 left <b>here</b>")
}

func TestShowsWhatHasExpiredApart(t *testing.T) {
	s := openShop(t)
	s.receive("neighbour-7", "mug", 5, -400)
	one := map[string]any{"product": "mug", "store": "neighbour-7"}
	b := s.ask(t, question{Tool: "check_stock", Arguments: one, Context: in("zh-TW", "light")})
	b.wantText("#figure", "36", "另有 7 個 已保留", "另有 5 個 已過期")
	b = s.ask(t, question{Tool: "check_stock", Arguments: one, Context: in("en-US", "light")})
	b.wantText("#figure", "36", "5 more have expired")
}
