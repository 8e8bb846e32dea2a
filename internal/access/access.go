// Package access decides who may call the server and what they may do: by
// address, by rate, by token. Begin at [Gate], which stands in front of the
// endpoint; who has signed in elsewhere is known by an [Issuer], and what was
// asked for is kept by a [Recorder]. Signing in here is package oauth's.
//
// A caller is found out from the request's token alone, and travels on as a
// [store.Caller] in the context. What the server itself is called comes from
// [Config.URL], never from a request.
package access

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// Mode says how callers become known.
type Mode string

// The modes. The owner's own tokens are good in all but None.
const (
	None   Mode = "none"  // nobody is known, and everybody may do what is offered
	Tokens Mode = "token" // by tokens that the owner made
	OAuth  Mode = "oauth" // by signing in here
	OIDC   Mode = "oidc"  // by signing in elsewhere
)

// Config is how a [Gate] is set up. Store, URL and ScopeOf must be there.
type Config struct {
	Mode Mode // if empty, None

	// PublicReads lets callers without a token read, in modes other than None.
	PublicReads bool

	// Store knows the tokens.
	Store Storage

	// URL returns where the server is reached, such as
	// "https://name.ngrok.app", without a path; "" before it is online.
	URL func() string

	// Offered is what anybody can be let do here.
	Offered store.Scopes

	// ScopeOf returns what a message of the method about the tool, prompt or
	// resource of the name needs; 0 where nothing.
	ScopeOf func(method, name string) store.Scopes

	// Authority answers the requests for its own paths, by which callers sign
	// in here, and reports whether it did. It must be there in mode OAuth.
	Authority interface {
		Handle(http.ResponseWriter, *http.Request) bool
	}

	// Issuer vouches for callers who sign in elsewhere. It must be there in
	// mode OIDC.
	Issuer *Issuer

	// Allow are the networks whose addresses may call; if nil, all may.
	Allow []netip.Prefix

	// Behind says that every request comes through a proxy that appends the
	// caller's address to X-Forwarded-For. Without it that header is nothing.
	Behind bool

	Limits   Limits
	Recorder *Recorder        // told when tokens were used; may be nil
	Log      *slog.Logger     // if nil, [slog.Default]
	Now      func() time.Time // if nil, [time.Now]
}

// Gate decides who may call and what they may do. Its methods may be called
// from many goroutines at once.
type Gate struct {
	config   Config
	prefixes []secret.Prefix // of the tokens that are good here
	limits   *limits
	moved    atomic.Pointer[string] // the resource for which a token was refused last
}

// New returns a gate that decides as c says.
func New(c Config) *Gate {
	g := &Gate{config: c, prefixes: []secret.Prefix{secret.API}, limits: newLimits(c.Limits)}
	g.config.Mode = cmp.Or(c.Mode, None)
	g.config.Log = cmp.Or(c.Log, slog.Default())
	if g.config.Now == nil {
		g.config.Now = time.Now
	}
	if g.config.Mode == OAuth {
		g.prefixes = append(g.prefixes, secret.Access)
	}
	g.config.Allow = normalNetworks(c.Allow)
	return g
}

// signIn reports whether callers can become known by signing in, here or
// elsewhere.
func (g *Gate) signIn() bool { return g.config.Mode == OAuth || g.config.Mode == OIDC }

// resource returns what tokens are for: the endpoint's URL (RFC 8707).
func (g *Gate) resource() string { return g.config.URL() + "/mcp" }

// public is what callers may do who are not known.
func (g *Gate) public() store.Scopes {
	switch {
	case g.config.Mode == None:
		return g.config.Offered
	case g.config.PublicReads:
		return g.config.Offered & store.ScopeRead
	}
	return 0
}

// Admit looks at the address from which any request comes, and answers those
// for the paths of signing in. It returns r with a [store.Caller] in its
// context of whom nothing but the address is known, or nil if it answered.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request) *http.Request {
	addr := g.address(r)
	if f := g.checkAddress(addr); f != nil {
		g.refuse(w, f)
		return nil
	}
	if wait := g.limits.request(r, addr, g.config.Now()); wait > 0 {
		g.refuse(w, tooMany(wait))
		return nil
	}
	caller := store.Caller{Scopes: g.public()}
	if addr.IsValid() {
		caller.Address = addr.String()
	}
	r = r.WithContext(store.WithCaller(r.Context(), caller))
	if g.serveMetadata(w, r) || g.config.Authority != nil && g.config.Authority.Handle(w, r) {
		return nil
	}
	return r
}

// Authenticate finds out who calls the endpoint. It returns r with the
// [store.Caller] in its context, or nil if it answered.
func (g *Gate) Authenticate(w http.ResponseWriter, r *http.Request) *http.Request {
	caller, f := g.caller(r)
	if f != nil {
		g.refuse(w, f)
		return nil
	}
	if caller.ID == "" {
		return r // Admit said all there is to say
	}
	caller.Address = store.CallerFrom(r.Context()).Address
	return r.WithContext(store.WithCaller(r.Context(), caller))
}

// Authorize reports whether the caller may send a message of this method about
// the tool, prompt or resource of this name; if not, it has answered. Callers
// who are not known pass where they may read: only a tool can tell them within
// its answer that they must sign in. So do those who were refused by the owner what
// they lack: a client that is told to ask for it here asks again and again. So
// does what is offered to no one, which does not exist.
func (g *Gate) Authorize(w http.ResponseWriter, r *http.Request, method, name string) bool {
	caller := store.CallerFrom(r.Context())
	need := g.config.ScopeOf(method, name) & g.config.Offered
	if lacks := need &^ caller.Scopes; caller.ID == "" || caller.Withheld.Has(lacks) {
		return true
	}
	if g.config.Recorder != nil {
		g.config.Recorder.Record(store.Call{At: g.config.Now(), Caller: caller.ID, Name: caller.Name, Address: caller.Address,
			Tool: cmp.Or(name, method), Outcome: "refused: insufficient_scope"})
	}
	if grant, ok := caller.Grant(); ok {
		// What its client now asks the owner for is a step-up.
		if err := g.config.Store.Challenge(r.Context(), grant); err != nil {
			g.config.Log.ErrorContext(r.Context(), "keeping that a grant lacks a scope failed", "grant", grant, "err", err)
		}
	}
	g.refuse(w, &refusal{
		status: http.StatusForbidden,
		code:   "insufficient_scope",
		text:   "the token lets its bearer do " + orNothing(caller.Scopes) + ", and this needs " + need.String(),
		scope:  need | caller.Scopes,
	})
	return false
}

// Holds reports whether the caller whom Authenticate found still may call.
func (g *Gate) Holds(r *http.Request) bool {
	was := store.CallerFrom(r.Context())
	if was.ID == "" {
		return true
	}
	token, f := credentials(r)
	if f != nil {
		return false
	}
	caller, _, f := g.identify(r.Context(), token, store.HashOf(token))
	return f == nil && caller.ID == was.ID
}

// Caller returns the ID of the caller whom Authenticate found, "" for whoever
// is not known.
func (g *Gate) Caller(r *http.Request) string { return store.CallerFrom(r.Context()).ID }

func orNothing(s store.Scopes) string { return cmp.Or(s.String(), "nothing") }
