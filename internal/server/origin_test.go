package server

import "testing"

func TestOriginsThatAreAllowed(t *testing.T) {
	addr := start(t, Config{AllowOrigins: []string{
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop", "moz-extension://6a2e1f2c-0000-4000-8000-000000000000", "app://obsidian.md", "tauri://localhost",
		"https://*.example.com", "https://*.shop.co.uk:8443", "https://*.amazonaws.com", "https://*.com",
	}})
	for origin, want := range map[string]int{
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop":  200,
		"chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba":  403,
		"moz-extension://abcdefghijklmnopabcdefghijklmnop":     403,
		"moz-extension://6a2e1f2c-0000-4000-8000-000000000000": 200,
		"app://obsidian.md":               200,
		"https://obsidian.md":             403,
		"app://evil.obsidian.md":          403,
		"tauri://localhost":               200,
		"capacitor://localhost":           403, // that it names this machine makes no page of it
		"app://127.0.0.1":                 403,
		"https://a.example.com":           200,
		"https://a.b.example.com":         200,
		"https://A.Example.com:443":       200,
		"https://example.com":             403,
		"https://.example.com":            403,
		"http://a.example.com":            403,
		"https://a.example.com:8443":      403,
		"https://aexample.com":            403,
		"https://a.example.com.evil.test": 403,
		"https://evil.test@a.example.com": 403,
		"https://*.example.com":           403,
		"https://till.shop.co.uk:8443":    200,
		"https://till.shop.co.uk":         403,
		"https://console.amazonaws.com":   200,
		"https://anyone.s3.amazonaws.com": 403, // whose hosts are other people's
		"https://s3.amazonaws.com":        403,
		"https://evil.com":                403,
		"null":                            403,
	} {
		if got := send(t, addr, post(echoCall, "Origin: "+origin)); got.status != want || got.status == 200 && got.header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("Origin %s = %d %s, want %d", origin, got.status, got.body, want)
		}
	}
}

func TestOriginsThatCannotMatchAreRefused(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://inspector.example":      true,
		"https://Inspector.example/":     true,
		"http://shop.test:80":            true,
		"http://[::1]:5173":              true,
		"http://192.168.1.5:8000":        true,
		"https://xn--fiq228c.example":    true,
		"chrome-extension://abcdefghijk": true,
		"app://obsidian.md":              true,
		"app://-":                        true,
		"https://*.example.com":          true,
		"https://*.a.example.com:8443":   true,
		"https://*.corp.intranet":        true,

		"":                                false,
		"*":                               false,
		"null":                            false,
		"inspector.example":               false,
		"inspector.example:443":           false,
		"https://":                        false,
		"https://:443":                    false,
		"https://inspector.example/path":  false,
		"https://inspector.example?x":     false,
		"https://inspector.example#x":     false,
		"https://user@inspector.example":  false,
		"https://inspector.example:":      false,
		"https://inspector.example:0":     false,
		"https://inspector.example:08":    false,
		"https://inspector.example:77777": false,
		"https://中文.example":              false,
		"https://127.1":                   false,
		"https://0x7f.1":                  false,
		"http://[0:0::1]":                 false,
		"file://":                         false,
		"file:///x":                       false,
		"data:text/html,x":                false,
		"wss://inspector.example":         false,
		"https://*":                       false,
		"https://*.":                      false,
		"https://*.com":                   false,
		"https://*.co.uk":                 false,
		"https://*.github.io":             false,
		"https://*.ngrok-free.app":        false,
		"https://*.s3.amazonaws.com":      false,
		"https://*.foo.ck":                false,
		"https://*.intranet":              false,
		"https://*.1.2.3.4":               false,
		"https://*.[::1]":                 false,
		"http://*.example.com":            false,
		"chrome-extension://*.example":    false,
		"chrome-extension://*":            false,
		"*://example.com":                 false,
		"https://a.*.example.com":         false,
		"https://*.*.example.com":         false,
		"https://*a.example.com":          false,
		"https://*.example.com/path":      false,
	} {
		if err := CheckOrigin(origin); (err == nil) != want {
			t.Errorf("CheckOrigin(%q) = %v", origin, err)
		}
	}
}
