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

func TestReconnectKeepsTheURLWhereTheSDKLogsNoBind(t *testing.T) {
	const url = "https://shop.ngrok.app"
	tun := &ngrokTunnel{states: newStateQueue(nil)}
	s := &session{t: tun, online: true, url: url}
	s.connected()
	if got := tun.URL(); got != url {
		t.Errorf("URL after a reconnect = %q, want %q", got, url)
	}
}
