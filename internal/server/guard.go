package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// address is what a URL of the server says about requests.
type address struct {
	url string
	origin
}

// is reports whether a Host is that of the URL. An address that there is none of
// is that of no Host.
func (a *address) is(host string) bool {
	return a != nil && (host == a.host || normalHost(a.scheme, host) == a.host)
}

// currentAddress returns the address of the URL as it is now, nil before there
// is one.
func (s *Server) currentAddress() *address {
	if s.config.URL == nil {
		return nil
	}
	now := s.config.URL()
	if a := s.address.Load(); a != nil && a.url == now {
		return a
	}
	u, err := url.Parse(now)
	if err != nil || u.Host == "" {
		return nil
	}
	scheme := strings.ToLower(u.Scheme)
	a := &address{now, origin{scheme, normalHost(scheme, u.Host)}}
	s.address.Store(a)
	return a
}

// admit answers those who may not call: a Host that is not the server's, by
// which a page could reach it under the page's own name (DNS rebinding), and
// pages of other sites. It marks the answers that pages may read.
func (s *Server) admit(a *answer, r *http.Request) bool {
	here := s.currentAddress()
	switch {
	case s.config.Local && s.isLocalHost(r, here):
	case !s.config.Local && here.is(r.Host):
	case !s.config.Local && here == nil:
		a.Header().Set("Retry-After", "1")
		a.fail(nil, errOffline)
		return false
	default:
		hint := "call it by its own URL"
		if s.config.Local {
			hint += ", or have its owner allow this name with --allow-host"
		}
		a.fail(nil, &failure{status: http.StatusMisdirectedRequest, code: codeTransport,
			message: fmt.Sprintf("the Host %q is not this server's; %s", clip(r.Host), hint)})
		return false
	}
	h := a.Header()
	h["Vary"] = varyOrigin
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	from, ok := parseOrigin(origins[0])
	ok = ok && len(origins) == 1
	trusted := ok && s.trusts(from, r, here)
	if !trusted && !(ok && from.onLoopback()) {
		a.fail(nil, &failure{status: http.StatusForbidden, code: codeTransport,
			message: fmt.Sprintf("pages of the Origin %q may not call this server; whoever runs it can allow them with --allow-origin", clip(origins[0]))})
		return false
	}
	a.reads = !trusted
	h["Access-Control-Allow-Origin"] = origins
	h["Access-Control-Expose-Headers"] = exposedHeaders
	return true
}

// trusts reports whether pages of an origin may do all that their caller may:
// the server's own, and those of AllowOrigins.
func (s *Server) trusts(o origin, r *http.Request, here *address) bool {
	return here != nil && o == here.origin ||
		s.config.Local && o.isWeb() && o.host == normalHost(o.scheme, r.Host) || // which isLocalHost has found to be ours
		slices.ContainsFunc(s.origins, func(p originPattern) bool { return p.matches(o) })
}

// normalHost returns host in lower case without the port that scheme has
// anyway.
func normalHost(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	default:
		return host
	}
}

// loopback reports whether host, with or without a port, names this machine.
func loopback(host string) bool {
	name := hostname(host)
	ip, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && ip.IsLoopback()
}

// What browser pages are told in the protocols of both eras.
var (
	varyOrigin     = []string{"Origin"}
	varyPreflight  = []string{"Origin, Access-Control-Request-Headers"}
	exposedHeaders = []string{"Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After"}
	pageMethods    = []string{"GET, POST, DELETE, OPTIONS"} // GET and DELETE so that a page sees their 405
)

// pageHeaders are the headers that a page may send. The last one passes
// ngrok's warning page.
const pageHeaders = "Content-Type, Accept, Authorization, Last-Event-ID, Mcp-Session-Id, " +
	"MCP-Protocol-Version, Mcp-Method, Mcp-Name, traceparent, tracestate, ngrok-skip-browser-warning"

// paramPrefix begins the headers that mirror a tool's arguments; their names
// are the tool's, so they are allowed as they are asked for.
const paramPrefix = "mcp-param-"

// options answers an OPTIONS request, a browser's preflight or not.
func (a *answer) options(r *http.Request, allow string) {
	h := a.Header()
	h.Set("Allow", allow)
	if h["Access-Control-Allow-Origin"] != nil && r.Header.Get("Access-Control-Request-Method") != "" {
		headers := pageHeaders
		for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
			name = strings.TrimSpace(name)
			if len(name) > len(paramPrefix) && strings.EqualFold(name[:len(paramPrefix)], paramPrefix) {
				headers += ", " + name
			}
		}
		h["Vary"] = varyPreflight
		h["Access-Control-Allow-Methods"] = pageMethods
		h.Set("Access-Control-Allow-Headers", headers)
		h.Set("Access-Control-Max-Age", "7200")
	}
	a.WriteHeader(http.StatusNoContent)
}
