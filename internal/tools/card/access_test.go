package card_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestAxeFindsNoFault(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(clients(t), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	s := openShop(t)
	s.receive("koko-xinyi", "tea-egg", 3, -2)
	s.receive("koko-xinyi", "soft-boiled-egg", 4, 0)
	s.receive("koko-xinyi", "oden-daikon", 5, 1)
	for _, ask := range []question{
		{Tool: "check_stock", Arguments: map[string]any{"product": "限定馬克杯", "store": "好鄰居"}},
		{Tool: "check_stock", Arguments: eggs("koko-ximen")},
		{Tool: "check_stock", Arguments: eggs("大安店")},
		{Tool: "list_low_stock", Arguments: map[string]any{}},
		{Tool: "list_expiring", Arguments: map[string]any{}},
	} {
		ask.Context = in("zh-TW", "light")
		b := s.ask(t, ask)
		b.inCard(`new Function(a)()`, string(axe))
		for _, theme := range []string{"light", "dark"} {
			b.inHost(`host.bridge.setHostContext(a)`, in("zh-TW", theme))
			b.await(`document.documentElement.dataset.theme === a`, theme)
			type fault struct {
				ID, Impact, Help string
				Nodes            []struct{ HTML, FailureSummary string }
			}
			for _, f := range decode[[]fault](b, b.inCard(`(await axe.run(document, { resultTypes: ["violations"] })).violations`)) {
				t.Errorf("%s %v in %s: %s (%s): %s: %+v", ask.Tool, ask.Arguments, theme, f.ID, f.Impact, f.Help, f.Nodes)
			}
			if checked := decode[int](b, b.inCard(`(await axe.run(document)).passes.length`)); checked < 15 {
				t.Errorf("%s in %s: axe checked only %d rules", ask.Tool, theme, checked)
			}
		}
	}
}

func TestWorksByKeyboard(t *testing.T) {
	s := openShop(t)
	b := s.ask(t, question{Tool: "check_stock", Arguments: map[string]any{"product": "限定馬克杯", "store": "好鄰居", "limit": 60}, Context: in("zh-TW", "light")})
	names := map[string]string{
		"refresh": "重新整理", "filter": "篩選門市", "rows": "各門市庫存", "more": "載入更多", "ask-store": "問另一家門市", "ask-send": "詢問",
	}
	focused := func(want string) {
		t.Helper()
		b.await(`document.hasFocus() && document.activeElement.id === a`, want)
		if name := decode[string](b, b.inCard(`(({ labels, ariaLabel, ariaLabelledByElements, innerText }) =>
			labels?.[0]?.innerText || ariaLabel || ariaLabelledByElements?.[0].innerText || innerText)(document.activeElement)`)); name != names[want] {
			t.Errorf("a screen reader calls %s %q, want %q", want, name, names[want])
		}
		if decode[float64](b, b.inCard(`parseFloat(getComputedStyle(document.activeElement).outlineWidth)`)) < 2 {
			t.Errorf("one cannot see that the focus is on %s", want)
		}
	}
	tab := func() { b.do("press tab", chromedp.KeyEvent(kb.Tab)) }
	b.inHost(`host.frame.focus()`)
	for _, id := range []string{"refresh", "filter", "rows", "more", "ask-store", "ask-send"} {
		tab()
		focused(id)
	}
	b.do("go back", chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	focused("ask-store")
	b.do("type", chromedp.KeyEvent("KOKO"))
	// This Enter only picks characters, as people do who type Chinese.
	b.inCard(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }))`)
	b.do("ask", chromedp.KeyEvent(kb.Enter))
	b.await(`document.querySelector("#said").innerText === "已交給對話。"`)
	b.wantMessages("請查 KOKO 的限定馬克杯還有幾個")

	for range 2 {
		b.do("go back", chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	}
	focused("rows")
	if got := decode[string](b, b.inCard(`document.activeElement.getAttribute("tabindex")`)); got != "0" {
		t.Errorf("the list has tabindex %q: not every browser lets one reach what scrolls", got)
	}
	b.do("scroll", chromedp.KeyEvent(kb.PageDown))
	b.await(`document.activeElement.scrollTop > 0`)
}
