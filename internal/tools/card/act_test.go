package card_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rows counts those that the card shows.
const rows = `document.querySelectorAll("#rows li").length`

func (b *tab) wantRows(want int) {
	b.t.Helper()
	if got := decode[int](b, b.inCard(rows)); got != want {
		b.t.Errorf("the card shows %d rows, want %d", got, want)
	}
}

// write fills a field as typing does.
func (b *tab) write(selector, text string) {
	b.t.Helper()
	b.inCard(`(() => {
		const field = document.querySelector(a);
		field.value = b;
		field.dispatchEvent(new InputEvent("input", { bubbles: true }));
	})()`, selector, text)
}

func TestRefreshShowsTheNewLevel(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("zh-TW", "light")})
	b.wantText("#figure", "12")
	s.do("record_movement", map[string]any{"store": "koko-daan", "product": "tea-egg", "delta": -3, "reason": "sale"})

	b.press("重新整理")
	b.await(`document.querySelector("#said").innerText === "已更新。"`)
	b.wantText("#figure", "9")
	b.wantText("#rows li:nth-child(3)", "KOKO便利店 大安店", "1 顆")
	type call struct {
		Name      string
		Arguments map[string]any
	}
	want := []call{{"check_stock", eggs("KOKO便利店")}}
	if diff := cmp.Diff(want, decode[[]call](b, b.inHost(`host.calls`))); diff != "" {
		t.Errorf("the card's calls (-want +got):\n%s", diff)
	}
}

func TestLoadsMoreStoresAndKeepsThemOnRefresh(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "限定馬克杯", "store": "好鄰居"}, Context: in("zh-TW", "light")})
	b.wantRows(20)
	b.wantText("#shown", "已載入 20 筆")
	const down = `document.querySelector("#rows").scrollTop`
	first := b.text("#rows li:first-child")
	for _, want := range []int{120, 200} {
		b.press("載入更多")
		b.await(rows+` === a`, want)
		b.await(`document.querySelector("main").ariaBusy === "false"`)
		if want == 120 {
			b.inCard(down + ` = 500`)
		}
	}
	if got := decode[int](b, b.inCard(down)); got != 500 {
		t.Errorf("the list is scrolled down by %d, want 500, as it was", got)
	}
	b.wantText("#shown", "共 200 筆")
	b.wantText("#said", "又載入 80 筆。")
	if decode[bool](b, b.inCard(`document.querySelector("#more").checkVisibility()`)) {
		t.Error("it offers still more")
	}
	names := decode[int](b, b.inCard(`new Set([...document.querySelectorAll("#rows li > :first-child")].map((e) => e.textContent)).size`))
	if names != 200 || b.text("#rows li:first-child") != first {
		t.Errorf("%d stores, want 200, of which the first %q", names, first)
	}

	b.press("重新整理")
	b.await(`document.querySelector("#said").innerText === "已更新。"`)
	b.wantRows(200)
}

func TestLongListsScroll(t *testing.T) {
	s := openShop(t)
	mugs := map[string]any{"product": "限定馬克杯", "store": "好鄰居", "limit": 100}
	b := s.ask(t, question{Tool: "check_stock", Arguments: mugs, Context: in("en", "light")})
	b.wantRows(100)
	const scrolls = `(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(document.querySelector("#rows"))`
	if !decode[bool](b, b.inCard(scrolls)) {
		t.Error("100 rows do not scroll")
	}
	if height := decode[int](b, b.inCard(`document.documentElement.offsetHeight`)); height > 1000 {
		t.Errorf("with 100 rows, the card is %d pixels high, want no more than 1000", height)
	}
	b.inHost(`host.bridge.setHostContext(a)`, map[string]any{"displayMode": "fullscreen"})
	b.await(`!` + scrolls)
}

func TestFiltersStores(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "限定馬克杯", "store": "好鄰居", "limit": 60}, Context: in("zh-TW", "light")})
	b.write("#filter", "台北") // which the stores write 臺北
	b.wantText("#shown", "筆，已載入 60 筆")
	shown := decode[[]string](b, b.inCard(`[...document.querySelectorAll("#rows li")].map((e) => e.innerText)`))
	for _, row := range shown {
		if !strings.Contains(row, "臺北") {
			t.Errorf("row %q fits no filter of 台北", row)
		}
	}
	if len(shown) == 0 || len(shown) == 60 {
		t.Errorf("%d rows fit", len(shown))
	}
	b.write("#filter", "月球")
	b.wantRows(0)
	b.wantText("#shown", "沒有符合的項目")
	if got := decode[string](b, b.inCard(`document.querySelector("#shown").role`)); got != "status" {
		t.Errorf("the count has the role %q: a screen reader will not tell it", got)
	}
	b.write("#filter", "")
	b.wantRows(60)
}

func TestAsksTheModelAboutAnotherStore(t *testing.T) {
	s := openShop(t)
	for _, test := range []struct {
		tool, locale, button, want string
		arguments                  map[string]any
	}{
		{"check_stock", "zh-TW", "詢問", "請查 KOKO大安店 的茶葉蛋還有幾個", eggs("KOKO便利店")},
		{"check_stock", "en", "Ask", "How many 茶葉蛋 are left at KOKO大安店?", eggs("KOKO便利店")},
		{"list_low_stock", "zh-TW", "詢問", "請列出 KOKO大安店 的缺貨商品", map[string]any{}},
		{"list_expiring", "en", "Ask", "What is expiring soon at KOKO大安店?", map[string]any{}},
	} {
		b := s.ask(t, question{Tool: test.tool, Arguments: test.arguments, Context: in(test.locale, "light")})
		b.press(test.button) // with no name yet
		b.wantMessages()
		b.write("#ask-store", " KOKO大安店\t")
		b.press(test.button)
		b.await(`document.querySelector("#said").innerText !== "" && document.querySelector("#ask-store").value === ""`)
		b.wantMessages(test.want)
	}
}

func TestKeepsTheQuestionThatTheHostRefuses(t *testing.T) {
	b := openShop(t).ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("zh-TW", "light"), Refuses: true})
	b.write("#ask-store", "大安店")
	b.press("詢問")
	b.await(`document.querySelector("#said").innerText.startsWith("對話沒有收下這個問題")`)
	if got := decode[string](b, b.inCard(`document.querySelector("#ask-store").value`)); got != "大安店" {
		t.Errorf("the field has %q", got)
	}
}

func TestOffersWhatWasMeant(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("大安店"), Context: in("zh-TW", "light")})
	b.press("小橘燈超商 大安店")
	b.await(`document.querySelector("#said").innerText === "已交給對話。"`)
	b.wantMessages("請查 小橘燈超商 大安店 的茶葉蛋還有幾個")

	b = s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "茶葉旦", "store": "KOKO便利店"}, Context: in("en", "light")})
	b.press("茶葉蛋")
	b.await(`document.querySelector("#said").innerText === "Passed on to the chat."`)
	b.wantMessages("How many 茶葉蛋 (HF-0110) are left at KOKO便利店?")
}

func TestDropsWhatComesTooLate(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: eggs("KOKO便利店"), Context: in("en", "light")})
	// While the card asks anew, the host sends it another answer.
	b.inHost(`(host.bridge.oncalltool = () => new Promise((answer) => { host.answer = answer; }))`)
	b.press("Refresh")
	b.await(`document.querySelector("main").ariaBusy === "true"`)
	other := func(text string) map[string]any {
		return map[string]any{"content": []any{}, "structuredContent": map[string]any{"status": "in_stock", "product": map[string]any{"name": text}}}
	}
	b.inHost(`host.send(a)`, other("the newer"))
	b.await(`document.querySelector("h1").innerText === "the newer"`)
	b.inHost(`host.answer(a)`, other("the older"))
	b.await(`document.querySelector("main").ariaBusy === "false"`)
	b.wantText("h1", "the newer")
}
