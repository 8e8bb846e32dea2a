package access_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
)

var (
	notAllowed = want{403, "access_denied"}
	allowed    = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8:5::/48")}
)

const inside, outsider = "203.0.113.7", "198.51.100.1"

// listed lets allowed networks in alone.
func listed(o *options) { o.Allow = allowed }

// fewRequests are limits that are soon met.
func fewRequests(o *options) { o.Limits = access.Limits{PerMinute: 6, Burst: 3} }

// addressHeaders are those by which programs are told an address.
var addressHeaders = []string{"X-Real-Ip", "Forwarded", "X-Client-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "Fastly-Client-Ip", "X-Originating-Ip", "X-Remote-Addr", "Ngrok-Client-Ip", "Via"}

var addressAttacks = area{"addresses", "Where one calls from, and how often", []attack{
	{
		name: "not_listed", tries: "every path, from an address that is not listed",
		want: notAllowed, in: listed,
		by: func(h *house) {
			key := h.key()
			h.refused("endpoint", h.ask(key))
			for _, path := range []string{"/", "/mcp", "/authorize", "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server", "/nothing"} {
				h.refused(path, h.get(path, bearer(key)...))
			}
			for _, path := range []string{"/token", "/register", "/revoke", "/authorize", "/mcp"} {
				h.refused(path, h.registersAt(path))
			}
			h.from = inside
			h.worked("from a listed one", h.ask(key))
			h.from = "2001:db8:5:9::1"
			h.worked("from a listed one", h.ask(key))
		},
	}, {
		name: "forged", tries: "a listed address in X-Forwarded-For, or in other headers, through the tunnel",
		want: notAllowed, so: "only what the edge appended counts", in: listed,
		by: func(h *house) {
			key := h.key()
			for _, forged := range []string{inside, inside + ", " + inside, inside + ",", "127.0.0.1", "", " ", `"` + inside + `"`, inside + ":80", "[2001:db8:5::1]", "unknown", strings.Repeat(inside+", ", 500)} {
				h.refused(forged, h.message(checkEggs, append(bearer(key), "X-Forwarded-For", forged)...))
				h.refused("two lines of "+forged, h.message(checkEggs, append(bearer(key), "X-Forwarded-For", inside, "X-Forwarded-For", forged)...))
			}
			for _, name := range addressHeaders {
				h.refused(name, h.message(checkEggs, append(bearer(key), name, inside)...))
				h.refused(name, h.message(checkEggs, append(bearer(key), name, "for="+inside)...))
			}
			h.from = inside
			h.worked("from it", h.message(checkEggs, append(bearer(key), "X-Forwarded-For", outsider)...))
		},
	}, {
		name: "forged_here", tries: "a listed address in X-Forwarded-For, where there is no tunnel",
		want: notAllowed, so: "the header counts for nothing", in: func(o *options) { listed(o); o.Behind, o.local = false, true },
		by: func(h *house) {
			key := h.key()
			for _, name := range append(addressHeaders, "X-Forwarded-For") {
				h.refused(name, h.message(checkEggs, append(bearer(key), name, inside)...))
			}
			h.worked("the health, which is for all", h.get("/healthz"))
		},
	}, {
		name: "no_address", tries: "an address that is none, or none at all, where addresses are listed",
		want: notAllowed, in: listed,
		by: func(h *house) {
			key := h.key()
			for _, addr := range []string{"", " ", "unknown", "_hidden", "203.0.113", "203.0.113.7.", "203.0.113.7:80", "[203.0.113.7]", "203.0.113.07", "0xcb.0.113.7", "3405803783", "203.0.113.7/24", "::ffff:198.51.100.1", "2001:db8:6::1", "\u0662\u0660\u0663.0.113.7", "203.0.113.7\t203.0.113.7", "203.0.113.256"} {
				h.from = addr
				h.refused(addr, h.ask(key))
			}
			for _, addr := range []string{inside, "::ffff:" + inside, "2001:db8:5::1%eth0", " " + inside + " "} {
				h.from = addr
				h.worked(addr, h.ask(key))
			}
		},
	}, {
		name: "dodging", tries: "a new X-Forwarded-For for each request, to be somebody else each time",
		want: flooded, so: "with Retry-After; other addresses are not held up", in: fewRequests,
		by: func(h *house) {
			for range 3 {
				h.get("/")
			}
			for i := range 10 {
				r := h.get("/", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i), "X-Real-Ip", fmt.Sprintf("203.0.113.%d", i))
				h.refused("one more", r)
				if r.header.Get("Retry-After") != "10" {
					h.Errorf("Retry-After: %s", r.header.Get("Retry-After"))
				}
			}
			h.from = "203.0.113.200"
			h.worked("another", h.get("/"))
			h.from = outsider
			h.pass(10 * time.Second)
			h.worked("later", h.get("/"))
		},
	}, {
		name: "one_network", tries: "a new IPv6 address for each request, of the 2⁶⁴ that one customer has",
		want: flooded, in: fewRequests,
		by: func(h *house) {
			for i := range 8 {
				h.from = fmt.Sprintf("2001:db8:1:2:%x::1", i)
				if r := h.get("/"); i >= 3 {
					h.refused(h.from, r)
				}
			}
			h.from = "2001:db8:1:3::1"
			h.worked("another network", h.get("/"))
		},
	}, {
		name: "token_flood", tries: "trying tokens from one address",
		want: flooded, so: "before the database is asked; who has a token is not held up", in: func(o *options) { fewRequests(o); o.store = countLookups },
		by: func(h *house) {
			key := h.key()
			h.worked("the owner", h.ask(key))
			for i := range 10 {
				before := lookups(h)
				if r := h.ask(said.Keep(secret.New(secret.API))); i >= 2 {
					h.refused("one more", r)
					if lookups(h) != before {
						h.Error("the database was asked")
					}
				}
			}
			h.worked("the owner, from the same address", h.ask(key))
		},
	}, {
		name: "sign_in_flood", tries: "opening the page, sending its form, exchanging codes and revoking, again and again",
		want: flooded, in: func(o *options) {
			o.Limits = access.Limits{Authorize: access.Rate{PerMinute: 2}, Consent: access.Rate{PerMinute: 2}, Token: access.Rate{PerMinute: 2}}
		},
		by: func(h *house) {
			for _, each := range []func() reply{
				func() reply { return h.get("/authorize?client_id=x") },
				func() reply { return h.form("/authorize?client_id=x", nil) },
				func() reply { return h.form("/token", nil) },
			} {
				each()
				each()
				for range 3 {
					h.refused("one more", each())
				}
			}
			h.refused("revoking", h.form("/revoke", nil))
			h.from = "203.0.113.7"
			h.worked("from elsewhere", h.program().asks())
		},
	},
}}
