package tunnel

import "testing"

func TestURLIsTheSameInEveryForm(t *testing.T) {
	for text, want := range map[string]string{
		"https://shop.ngrok.app":            "https://shop.ngrok.app",
		"https://shop.ngrok.app/":           "https://shop.ngrok.app",
		"https://SHOP.ngrok.app:443":        "https://shop.ngrok.app",
		"https://shop.example.test:8443/x/": "https://shop.example.test:8443",
		"":                                  "",
		"shop.ngrok.app":                    "",
	} {
		if got := normalURL(text); got != want {
			t.Errorf("normalURL(%q) = %q, want %q", text, got, want)
		}
	}
}
