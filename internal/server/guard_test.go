package server

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestHost(t *testing.T) {
	public := start(t, Config{})
	local := start(t, Config{Local: true, URL: func() string { return "http://192.168.1.5:8000" }})
	tests := []struct {
		host          string
		public, local int
	}{
		{"shop.example", 200, 421},
		{"SHOP.Example", 200, 421},
		{"shop.example:443", 200, 421},
		{"shop.example:80", 421, 421},
		{"shop.example.evil.example", 421, 421},
		{"evil.example", 421, 421},
		{"evil.example:8000", 421, 421},
		{"localhost", 421, 200},
		{"LocalHost:8000", 421, 200},
		{"127.0.0.1:1", 421, 200},
		{"127.1.2.3", 421, 200},
		{"[::1]", 421, 200},
		{"[::1]:8000", 421, 200},
		{"localhost.evil.example", 421, 421},
		{"127.0.0.1.evil.example", 421, 421},
		{"192.168.1.5:8000", 421, 200},
		{"192.168.1.5", 421, 421},
		{"10.0.0.1", 421, 421},
	}
	for _, test := range tests {
		for where, want := range map[string]int{public: test.public, local: test.local} {
			got := send(t, where, post(echoCall, "Host: "+test.host))
			if got.status != want || want == 421 && got.code() != codeTransport {
				t.Errorf("Host %s (local: %v) = %d %s, want %d", test.host, where == local, got.status, got.body, want)
			}
		}
	}
}

func TestHostFollowsTheURL(t *testing.T) {
	var url atomic.Value
	url.Store("")
	addr := start(t, Config{URL: func() string { return url.Load().(string) }})
	check := func(host string, status int) {
		t.Helper()
		if got := send(t, addr, post(echoCall, "Host: "+host)); got.status != status {
			t.Errorf("Host %s at %q = %d %s, want %d", host, url.Load(), got.status, got.body, status)
		}
	}
	check("one.example", 503)
	url.Store("https://one.example")
	check("one.example", 200)
	url.Store("https://Two.example:443")
	check("one.example", 421)
	check("two.example", 200)
}

func TestOrigin(t *testing.T) {
	addr := start(t, Config{AllowOrigins: []string{"https://Inspector.example/", "http://shop.test:80"}})
	tests := map[string]int{
		"https://shop.example":           200,
		"https://shop.example:443":       200,
		"http://shop.example":            403,
		"https://inspector.example":      200,
		"http://inspector.example":       403,
		"https://inspector.example:8443": 403,
		"http://shop.test":               200,
		"http://localhost":               200,
		"http://localhost:6274":          200,
		"https://127.0.0.1:3000":         200,
		"http://127.8.9.1":               200,
		"http://[::1]:5173":              200,
		"https://evil.example":           403,
		"https://localhost.evil.example": 403,
		"https://shop.example.evil.test": 403,
		"https://evil.example@localhost": 403,
		"https://shop.example/path":      403,
		"null":                           403,
		"file://":                        403,
		"chrome-extension://abc":         403,
		"localhost":                      403,
		"%zz":                            403,
	}
	for origin, want := range tests {
		got := send(t, addr, post(echoCall, "Origin: "+origin))
		if got.status != want {
			t.Errorf("Origin %s = %d %s, want %d", origin, got.status, got.body, want)
		}
		allowed := got.header.Get("Access-Control-Allow-Origin")
		if want == 200 && allowed != origin || want == 403 && (allowed != "" || got.code() != codeTransport) {
			t.Errorf("Origin %s: Access-Control-Allow-Origin %q, %s", origin, allowed, got.body)
		}
		if vary := got.header.Get("Vary"); vary != "Origin" {
			t.Errorf("Origin %s: Vary %q", origin, vary)
		}
	}
	twice := strings.Replace(post(echoCall, "Origin: http://localhost"), "\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n", 1)
	if got := send(t, addr, twice); got.status != 403 {
		t.Errorf("two Origins = %d %s", got.status, got.body)
	}
}

func TestPagesCanReadRefusals(t *testing.T) {
	addr := start(t, Config{})
	for name, request := range map[string]string{
		"405": get("/mcp", "Origin: http://localhost", "Accept: text/event-stream"),
		"400": post("{", "Origin: http://localhost"),
		"404": request("POST", "/", echoCall, "Origin: http://localhost"),
	} {
		got := send(t, addr, request)
		if got.header.Get("Access-Control-Allow-Origin") != "http://localhost" || !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
			t.Errorf("the headers of a %s are %v", name, got.header)
		}
	}
}

func TestPreflight(t *testing.T) {
	addr := start(t, Config{})
	for _, path := range []string{"/mcp", "/mcp/", "/"} {
		got := send(t, addr, request("OPTIONS", path, "", "Origin: http://localhost:6274",
			"Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: content-type,mcp-method,mcp-param-Store, mcp-param-,x-other"))
		if got.status != 204 || got.body != "" {
			t.Errorf("OPTIONS %s = %d %q", path, got.status, got.body)
		}
		headers := strings.Split(strings.ToLower(got.header.Get("Access-Control-Allow-Headers")), ", ")
		allowed := make(map[string]bool)
		for _, name := range headers {
			allowed[name] = true
		}
		for _, name := range []string{"content-type", "accept", "authorization", "mcp-session-id", "mcp-protocol-version",
			"mcp-method", "mcp-name", "last-event-id", "mcp-param-store"} {
			if !allowed[name] {
				t.Errorf("OPTIONS %s does not allow %s: %q", path, name, headers)
			}
		}
		for _, name := range []string{"x-other", "mcp-param-", "*"} {
			if allowed[name] {
				t.Errorf("OPTIONS %s allows %s: %q", path, name, headers)
			}
		}
		if methods := got.header.Get("Access-Control-Allow-Methods"); !strings.Contains(methods, "POST") {
			t.Errorf("OPTIONS %s allows the methods %q", path, methods)
		}
		if vary := got.header.Get("Vary"); vary != "Origin, Access-Control-Request-Headers" {
			t.Errorf("OPTIONS %s: Vary %q", path, vary)
		}
	}
	if got := send(t, addr, request("OPTIONS", "/mcp", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST")); got.status != 403 {
		t.Errorf("a preflight from elsewhere = %d", got.status)
	}
	if got := send(t, addr, request("OPTIONS", "/mcp", "")); got.status != 204 || got.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("OPTIONS /mcp without an Origin = %d, Allow %q", got.status, got.header.Get("Allow"))
	}
}
