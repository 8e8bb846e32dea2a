package access

import (
	"cmp"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Limits say how often anybody may call. A caller is who a token was given to;
// those who have none are told apart by address, and by network in IPv6.
type Limits struct {
	PerMinute int // requests of one caller, or [Unlimited]; if 0, [DefaultPerMinute]
	Burst     int // how many of them may come at once; if 0, a third of them

	// Besides, an address may do so often what lets callers in.
	Authorize Rate // look at the page for it; if zero, 30 a minute
	Consent   Rate // send in its form; if zero, 10 a minute, 20 at once
	Token     Rate // ask for tokens, or have them revoked; if zero, 60 a minute
	Register  Rate // register a client; if zero, 10 a minute, 20 at once

	Kept int // how many callers and addresses are told apart at once; if 0, 8192
}

// Numbers per minute.
const (
	Unlimited        = -1 // no limit
	DefaultPerMinute = 1200
)

// Rate is how often something may happen.
type Rate struct {
	PerMinute int // or [Unlimited]
	Burst     int // if 0, PerMinute
}

// limits counts requests.
type limits struct {
	callers   *limiter[string]     // by the caller's ID
	addresses *limiter[netip.Addr] // of those whose token is not known to hold
	authorize *limiter[netip.Addr]
	consent   *limiter[netip.Addr]
	token     *limiter[netip.Addr]
	register  *limiter[netip.Addr]

	// bearers are the limits of callers by the tokens that they showed and that
	// held, so that these need not count as an address's before it is known
	// whose they are.
	bearers *lru.Cache[store.Hash, *rate.Limiter]
}

func newLimits(l Limits) *limits {
	perMinute := cmp.Or(l.PerMinute, DefaultPerMinute)
	general := Rate{perMinute, cmp.Or(l.Burst, max(perMinute/3, 1))}
	kept := cmp.Or(l.Kept, 8192)
	return &limits{
		callers:   newLimiter[string](general, kept),
		addresses: newLimiter[netip.Addr](general, kept),
		authorize: newLimiter[netip.Addr](cmp.Or(l.Authorize, Rate{PerMinute: 30}), kept),
		consent:   newLimiter[netip.Addr](cmp.Or(l.Consent, Rate{PerMinute: 10, Burst: 20}), kept),
		token:     newLimiter[netip.Addr](cmp.Or(l.Token, Rate{PerMinute: 60}), kept),
		register:  newLimiter[netip.Addr](cmp.Or(l.Register, Rate{PerMinute: 10, Burst: 20}), kept),
		bearers:   newCache[store.Hash, *rate.Limiter](kept),
	}
}

// request counts a request by its address, and returns how long to wait where
// it is one too many. What Authenticate is asked about counts there.
func (l *limits) request(r *http.Request, addr netip.Addr, now time.Time) time.Duration {
	addr = neighbours(addr)
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	path := r.URL.Path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if path == "/mcp" && !read && r.Method != http.MethodOptions {
		return 0
	}
	if wait := l.addresses.take(addr, now); wait > 0 || r.Method == http.MethodOptions {
		return wait
	}
	switch {
	case path == "/authorize" && read:
		return l.authorize.take(addr, now)
	case path == "/authorize":
		return l.consent.take(addr, now)
	case path == "/token", path == "/revoke":
		return l.token.take(addr, now)
	case path == "/register":
		return l.register.take(addr, now)
	}
	return 0
}

// limiter is the same limit for each of many, of whom those forget it first
// who were not seen for longest.
type limiter[K comparable] struct {
	limit rate.Limit
	burst int
	kept  *lru.Cache[K, *rate.Limiter]
}

func newLimiter[K comparable](r Rate, kept int) *limiter[K] {
	limit := rate.Inf
	if r.PerMinute != Unlimited {
		limit = rate.Limit(float64(r.PerMinute) / 60)
	}
	return &limiter[K]{limit, cmp.Or(r.Burst, r.PerMinute), newCache[K, *rate.Limiter](kept)}
}

// of returns the limit of k.
func (l *limiter[K]) of(k K) *rate.Limiter {
	if one, ok := l.kept.Get(k); ok {
		return one
	}
	one := rate.NewLimiter(l.limit, l.burst)
	if before, ok, _ := l.kept.PeekOrAdd(k, one); ok {
		return before
	}
	return one
}

func (l *limiter[K]) take(k K, now time.Time) time.Duration { return take(l.of(k), now) }

// take counts one, or returns how long to wait where it is one too many.
func take(l *rate.Limiter, now time.Time) time.Duration {
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	wait := missing / float64(l.Limit()) * float64(time.Second)
	return max(time.Duration(math.Ceil(wait)), 1)
}

func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	c, err := lru.New[K, V](size)
	if err != nil {
		panic(err) // a size below 1
	}
	return c
}
