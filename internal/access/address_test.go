package access_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

func TestTheAddressIsWhatTheEdgeSays(t *testing.T) {
	here, behind := openShop(t, access.Config{}), openShop(t, access.Config{Behind: true})
	for _, test := range []struct {
		name      string
		shop      *shop
		remote    string
		forwarded []string
		want      string
	}{
		{"the peer's", here, "198.51.100.7:1234", nil, "198.51.100.7"},
		{"the peer's, whatever it says", here, "198.51.100.7:1234", []string{"203.0.113.7"}, "198.51.100.7"},
		{"the peer's in IPv6", here, "[2001:db8::7]:1234", nil, "2001:db8::7"},
		{"the peer's, with a zone", here, "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"the peer's, IPv4 in IPv6", here, "[::ffff:198.51.100.7]:1234", nil, "198.51.100.7"},
		{"a peer's without one", here, "@", nil, ""},
		{"the edge's word", behind, "127.0.0.1:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"the edge's word, after the caller's", behind, "127.0.0.1:1", []string{"10.0.0.1, 127.0.0.1,203.0.113.7"}, "203.0.113.7"},
		{"the edge's word, in a line of its own", behind, "127.0.0.1:1", []string{"10.0.0.1", " 203.0.113.7 "}, "203.0.113.7"},
		{"the edge's word in IPv6", behind, "127.0.0.1:1", []string{"2001:DB8::7"}, "2001:db8::7"},
		{"the edge's word, IPv4 in IPv6", behind, "127.0.0.1:1", []string{"::ffff:cb00:7107"}, "203.0.113.7"},
		{"the edge's word, with a zone", behind, "127.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"no word of the edge", behind, "127.0.0.1:1", nil, ""},
		{"an empty word", behind, "127.0.0.1:1", []string{"203.0.113.7,"}, ""},
		{"a name", behind, "127.0.0.1:1", []string{"localhost"}, ""},
		{"a port", behind, "127.0.0.1:1", []string{"203.0.113.7:80"}, ""},
		{"octal", behind, "127.0.0.1:1", []string{"0177.0.0.1"}, ""},
		{"a decimal", behind, "127.0.0.1:1", []string{"2130706433"}, ""},
	} {
		r := call(ping, "")
		r.RemoteAddr = test.remote
		r.Header["X-Forwarded-For"] = test.forwarded
		r.Header.Set("X-Real-Ip", "192.0.2.1")
		r.Header.Set("Forwarded", "for=192.0.2.1")
		if got := store.CallerFrom(test.shop.enter(r).Context()).Address; got != test.want {
			t.Errorf("%s: the address is %q, want %q", test.name, got, test.want)
		}
	}
}

func TestOnlyListedNetworksMayCall(t *testing.T) {
	s := openShop(t, access.Config{Behind: true, Allow: []netip.Prefix{
		netip.MustParsePrefix("203.0.113.7/32"), netip.MustParsePrefix("198.51.100.77/24"),
		netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:192.0.2.0/120"),
	}})
	for addr, status := range map[string]int{
		"203.0.113.7": 200, "198.51.100.1": 200, "2001:db8:1::1": 200, "192.0.2.200": 200, "::ffff:203.0.113.7": 200,
		"203.0.113.8": 403, "198.51.101.1": 403, "2001:db9::1": 403, "192.0.3.0": 403, "": 403, "203.0.113.7, 10.0.0.1": 403, "203.0.113.7, x": 403,
	} {
		for _, path := range []string{"/mcp", "/", "/.well-known/oauth-protected-resource", "/authorize"} {
			r := call(ping, "")
			r.Header.Set("X-Forwarded-For", addr)
			want := status
			if path != "/mcp" {
				r.URL.Path = path
				if want == 200 {
					want = 404
				}
			}
			got := s.ask(r)
			if got.status != want {
				t.Errorf("%s from %q: %d %s, want %d", path, addr, got.status, got.body, want)
			}
			if want != 403 {
				continue
			}
			if code, text := got.refusal(t); code != "access_denied" || !strings.Contains(text, "--allow-ip-file") {
				t.Errorf("%s from %q is refused with %s %q", path, addr, code, text)
			}
		}
	}
	r := get("/healthz")
	if got := s.ask(r); got.status != 200 {
		t.Errorf("/healthz from nowhere: %d %s", got.status, got.body)
	}
	nobody := openShop(t, access.Config{Allow: []netip.Prefix{}})
	if got := nobody.ask(call(ping, "")); got.status != 403 {
		t.Errorf("with an empty list: %d %s", got.status, got.body)
	}
}
