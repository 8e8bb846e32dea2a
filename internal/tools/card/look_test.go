package card_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestLook keeps a picture of what people see, to be looked at: see
// docs/stock-card.md.
func TestLook(t *testing.T) {
	s := openShop(t)
	s.receive("koko-xinyi", "oden-daikon", 3, -2)
	s.receive("koko-xinyi", "soft-boiled-egg", 4, 0)
	s.receive("koko-daan", "oden-daikon", 5, 0)
	s.receive("koko-xinyi", "oden-fish-cake", 5, 1)
	s.receive("orange-daan", "oden-fish-cake", 12, 3)
	dir := t.ArtifactDir()
	big := map[string]any{"product": "限定馬克杯", "store": "好鄰居", "limit": 100}
	for _, p := range []struct {
		name, tool, locale, theme string
		width                     int64
		arguments                 map[string]any
		deed                      func(b *tab)
	}{
		{"light-zh", "check_stock", "zh-TW", "light", 760, eggs("KOKO便利店"), nil},
		{"dark-zh", "check_stock", "zh-TW", "dark", 760, eggs("KOKO便利店"), nil},
		{"light-en", "check_stock", "en", "light", 760, eggs(""), nil},
		{"phone-light-zh", "check_stock", "zh-TW", "light", 360, eggs(""), nil},
		{"phone-dark-en", "check_stock", "en", "dark", 320, big, nil},
		{"one-store-zh", "check_stock", "zh-TW", "light", 560, map[string]any{"product": "限定馬克杯", "store": "neighbour-7"}, nil},
		{"sold-out-zh", "check_stock", "zh-TW", "light", 560, eggs("koko-ximen"), nil},
		{"which-zh", "check_stock", "zh-TW", "light", 560, eggs("大安店"), nil},
		{"error-en", "check_stock", "en", "dark", 560, map[string]any{"product": ""}, nil},
		{"low-zh", "list_low_stock", "zh-TW", "light", 760, map[string]any{}, nil},
		{"low-dark-en", "list_low_stock", "en", "dark", 360, map[string]any{"store": "koko-ximen"}, nil},
		{"expiring-zh", "list_expiring", "zh-TW", "light", 760, map[string]any{}, nil},
		{"expiring-dark-en", "list_expiring", "en", "dark", 360, map[string]any{}, nil},
		{"200-stores-zh", "check_stock", "zh-TW", "light", 760, big, func(b *tab) {
			b.press("載入更多")
			b.await(rows + ` === 200`)
			b.await(`document.querySelector("main").ariaBusy === "false"`)
		}},
	} {
		t.Run(p.name, func(t *testing.T) {
			context := in(p.locale, p.theme)
			b := s.ask(t, question{Tool: p.tool, Arguments: p.arguments, Context: context}, chromedp.EmulateViewport(p.width, 400, chromedp.EmulateScale(2)))
			if p.deed != nil {
				p.deed(b)
			}
			b.inHost(`document.documentElement.style.colorScheme = a`, p.theme)
			b.await(`innerHeight === Math.ceil(document.documentElement.getBoundingClientRect().height)`)
			if !decode[bool](b, b.inCard(`document.documentElement.scrollWidth <= innerWidth`)) {
				t.Errorf("at %d pixels, the card is wider than its frame", p.width)
			}
			picture := order(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
				Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true), FromSurface: new(true),
			})
			file := filepath.Join(dir, "stock-card-"+p.name+".png")
			if err := os.WriteFile(file, picture.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}
