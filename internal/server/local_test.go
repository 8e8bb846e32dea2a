package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// arriving makes a call with a Host over a connection from one address to
// another.
func arriving(host, from, at string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", "/mcp", strings.NewReader(echoCall))
	r.Host, r.RemoteAddr = host, from
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(at)))))
}

func statusOf(s *Server, r *http.Request) int {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

// A server without a tunnel that listens on all addresses, as on the command
// line with --listen 0.0.0.0:8000.
func local(hosts ...string) *Server {
	return New(Config{MCP: newShop().MCPServer, Local: true, AllowHosts: hosts, Log: slog.New(slog.DiscardHandler),
		URL: func() string { return "http://127.0.0.1:8000" }})
}

func TestHostOnTheNetwork(t *testing.T) {
	const (
		here, lan, wan = "127.0.0.1:50000", "192.168.1.9:50000", "203.0.113.9:50000"
		atLoop, atLAN  = "127.0.0.1:8000", "192.168.1.5:8000"
		bridge, inside = "172.17.0.1:50000", "172.17.0.2:8000" // a container's port mapping
	)
	for _, test := range []struct {
		name, host, from, at string
		hosts                []string
		want                 int
	}{
		{"this machine", "127.0.0.1:8000", here, atLoop, nil, 200},
		{"this machine by name", "localhost:8000", here, atLoop, nil, 200},
		{"this machine through a forwarded port", "localhost:9000", here, atLoop, nil, 200},
		{"this machine by IPv6", "[::1]:8000", "[::1]:50000", "[::1]:8000", nil, 200},
		{"this machine, mapped", "127.0.0.1:8000", "[::ffff:127.0.0.1]:50000", "[::ffff:127.0.0.1]:8000", nil, 200},
		{"the network by the address", "192.168.1.5:8000", lan, atLAN, nil, 200},
		{"the network by the address, mapped", "192.168.1.5:8000", "[::ffff:192.168.1.9]:50000", "[::ffff:192.168.1.5]:8000", nil, 200},
		{"the network by IPv6", "[2001:db8::5]:8000", "[2001:db8::9]:50000", "[2001:db8::5]:8000", nil, 200},
		{"the network by a link-local address", "[fe80::5]:8000", "[fe80::9%eth0]:50000", "[fe80::5%eth0]:8000", nil, 200},
		{"this machine by its address on the network", "192.168.1.5:8000", "192.168.1.5:50000", atLAN, nil, 200},
		{"the network by another address", "192.168.1.6:8000", lan, atLAN, nil, 421},
		{"the network by a loopback name", "localhost:8000", lan, atLAN, nil, 421},
		{"the network by a loopback address", "127.0.0.1:8000", lan, atLAN, nil, 421},
		{"the network by the announced URL", "127.0.0.1:8000", wan, atLAN, nil, 421},
		{"the network by a name", "nas.local:8000", lan, atLAN, nil, 421},
		{"the network by a name that is allowed", "NAS.local:8000", lan, atLAN, []string{"nas.local"}, 200},
		{"an allowed name of another port", "nas.local:9000", lan, atLAN, []string{"nas.local:8000"}, 421},
		{"an allowed name and port", "nas.local:8000", lan, atLAN, []string{"Nas.Local:8000"}, 200},
		{"below an allowed name", "x.nas.local:8000", lan, atLAN, []string{"nas.local"}, 421},
		{"an allowed address", "[2001:DB8::7]:8000", lan, atLAN, []string{"2001:db8::7"}, 200},
		{"a container by a loopback name", "localhost:8000", bridge, inside, nil, 421},
		{"a container by a loopback name that is allowed", "localhost:8000", bridge, inside, []string{"localhost"}, 200},
		{"a container by the machine's address", "192.168.1.5:8000", bridge, inside, nil, 421},
		{"a container by its own address", "172.17.0.2:8000", bridge, inside, nil, 200},
		{"a rebound name", "evil.example:8000", here, atLoop, nil, 421},
		{"a rebound name that looks like the address", "192.168.1.5.evil.example:8000", lan, atLAN, nil, 421},
		{"an address written otherwise", "3232235781:8000", lan, atLAN, nil, 421},
		{"no Host", "", lan, atLAN, nil, 421},
	} {
		if got := statusOf(local(test.hosts...), arriving(test.host, test.from, test.at)); got != test.want {
			t.Errorf("%s: Host %s from %s at %s = %d, want %d", test.name, test.host, test.from, test.at, got, test.want)
		}
	}
}

func TestLoopbackPagesOnlyReadWhereWritesAreAllowed(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, Local: true, Log: slog.New(slog.DiscardHandler), AllowHosts: []string{"nas.local"},
		URL:          func() string { return "http://127.0.0.1:8000" },
		AllowOrigins: []string{"http://localhost:6274"},
		Writes:       func(method, name string) bool { return method == "tools/call" && name == "echo" },
	})
	const list = `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`
	for _, test := range []struct {
		origin, host  string
		reads, writes int
	}{
		{"http://127.0.0.1:8000", "127.0.0.1:8000", 200, 200},
		{"http://localhost:8000", "localhost:8000", 200, 200},
		{"http://localhost:9000", "localhost:9000", 200, 200}, // a forwarded port
		{"http://nas.local:8000", "nas.local:8000", 200, 200},
		{"http://localhost:6274", "127.0.0.1:8000", 200, 200},
		{"http://localhost:6275", "127.0.0.1:8000", 200, 403},
		{"http://localhost:6275", "localhost:8000", 200, 403},
		{"http://localhost:8000", "localhost:9000", 200, 403},
		{"http://[::1]:5173", "127.0.0.1:8000", 200, 403},
		{"http://evil.example", "127.0.0.1:8000", 403, 403},
		{"http://evil.example:8000", "nas.local:8000", 403, 403},
		{"null", "127.0.0.1:8000", 403, 403},
	} {
		for body, want := range map[string]int{list: test.reads, echoCall: test.writes, batchOf(list, echoCall): test.writes} {
			r := arriving(test.host, "127.0.0.1:50000", "127.0.0.1:8000", "Origin", test.origin)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			if got := statusOf(s, r); got != want {
				t.Errorf("Origin %s, Host %s: %.40s = %d, want %d", test.origin, test.host, body, got, want)
			}
		}
	}
	if got := statusOf(s, arriving("127.0.0.1:8000", "127.0.0.1:50000", "127.0.0.1:8000")); got != 200 {
		t.Errorf("a program that is no page = %d", got)
	}
}
