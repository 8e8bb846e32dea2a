package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// isLocalHost reports whether the Host of a request is one by which a server
// without a tunnel is called. A page that has its own name lead here (DNS
// rebinding) sends that name as the Host, so names must be known: those of
// AllowHosts; loopback ones where this machine calls; and the address itself at
// which the connection arrived, which is no name at all.
func (s *Server) isLocalHost(r *http.Request, here *address) bool {
	name := hostname(r.Host)
	switch {
	case s.hosts[strings.ToLower(r.Host)], s.hosts[name]:
		return true
	case loopback(r.Host):
		return peer(r).IsLoopback()
	case here.is(r.Host):
		return true
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	arrived, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if arrived == nil {
		return false
	}
	at, err := netip.ParseAddrPort(arrived.String())
	return err == nil && normalAddr(at.Addr()) == normalAddr(addr)
}

// peer returns the address at the other end of the connection, the zero Addr
// where that is not known.
func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return normalAddr(addr.Addr())
}

func normalAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// hostname returns a Host in lower case without its port, and without the
// brackets of an IPv6 address.
func hostname(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.ToLower(name)
}
