package access

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Address returns what a request is limited by where its caller is not known:
// the address that it comes from or, of an IPv6 address, its network. It is the
// zero Addr where that is not known.
func (g *Gate) Address(r *http.Request) netip.Addr { return neighbours(g.address(r)) }

// address returns where a request comes from, the zero Addr where that is not
// known. An IPv4 address is one however it was written.
func (g *Gate) address(r *http.Request) netip.Addr {
	if !g.config.Behind {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Addr{}
		}
		return normalAddr(peer.Addr())
	}
	// Only what the proxy appended is true. The entries before it are what the
	// caller says.
	lines := r.Header["X-Forwarded-For"]
	if len(lines) == 0 {
		return netip.Addr{}
	}
	last := lines[len(lines)-1]
	last = last[strings.LastIndexByte(last, ',')+1:]
	addr, err := netip.ParseAddr(strings.TrimSpace(last))
	if err != nil {
		return netip.Addr{}
	}
	return normalAddr(addr)
}

func normalAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// normalNetworks returns networks in which normal addresses can be.
func normalNetworks(networks []netip.Prefix) []netip.Prefix {
	if networks == nil {
		return nil
	}
	normal := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		if n.Addr().Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
		}
		normal = append(normal, n.Masked())
	}
	return normal
}

// checkAddress refuses addresses that are in none of the networks. One that is
// not known is in none.
func (g *Gate) checkAddress(addr netip.Addr) *refusal {
	if g.config.Allow == nil {
		return nil
	}
	for _, n := range g.config.Allow {
		if n.Contains(addr) {
			return nil
		}
	}
	who := "an address that is not known"
	if addr.IsValid() {
		who = addr.String()
	}
	return &refusal{status: http.StatusForbidden, code: "access_denied",
		text: fmt.Sprintf("%s is not in the networks that may call; whoever runs this server can add it to the file of --allow-ip-file", who)}
}

// neighbours returns what is limited together: an IPv4 address, or the network
// of an IPv6 address that one customer has, in which addresses cost nothing.
func neighbours(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}
