package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/mcpstore/mcpstore/internal/store"
)

// How an [Issuer] is asked.
const (
	issuerTime     = 5 * time.Second  // for one answer
	issuerPace     = 10 * time.Second // between asking for the same again
	issuerRenew    = time.Hour        // after which it is asked anew where its keys are, and which
	issuerWaiting  = 32               // tokens that are looked at, at once
	verifiedFor    = 5 * time.Minute  // that a token need not be looked at again
	verifiedTokens = 4096
	clockLeeway    = 30 * time.Second // that clocks may differ by
	longestJWT     = 16 << 10
)

// IssuerConfig is how an [Issuer] is set up. URL and Audience must be there.
type IssuerConfig struct {
	// URL is the issuer exactly as its tokens name it; https, or http on a
	// loopback address.
	URL string

	// Audience is what tokens are meant for: each must name one of these. It
	// must not be the ID of a client, or else ID tokens would do, which are for
	// that client's eyes.
	Audience []string

	// Claim names the claim that holds roles, as a string or a list of them.
	// Where no claim is called so, dots lead into objects, as in
	// "realm_access.roles". If empty, the token's scopes count.
	Claim string

	// Roles are what the roles may do.
	Roles map[string]store.Scopes

	Transport http.RoundTripper // if nil, [http.DefaultTransport]
	Log       *slog.Logger      // if nil, [slog.Default]
	Now       func() time.Time  // if nil, [time.Now]
}

// Issuer knows callers by the JWTs of an OpenID provider. A token must be
// signed by one of the provider's keys of now with RSA, ECDSA or EdDSA; its
// iss must be the issuer, its aud one that is wanted, and its exp yet to come.
type Issuer struct {
	config   IssuerConfig
	client   *http.Client
	looking  chan struct{} // has one for each token that is looked at
	verified *lru.Cache[store.Hash, verdict]
	failing  atomic.Bool // since it was logged

	mu      sync.Mutex
	keys    *oidc.RemoteKeySet // nil before the issuer was reached
	renewed time.Time
}

// verdict is what a token was found to say.
type verdict struct {
	caller store.Caller
	until  time.Time
}

// OpenIssuer returns an issuer, which need not be reachable yet.
func OpenIssuer(c IssuerConfig) (*Issuer, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the issuer %q is not a URL", c.URL)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the issuer %q is not a URL of a server and a path alone", c.URL)
	case !secure(u):
		return nil, fmt.Errorf("the issuer %q must be https; http is for loopback addresses", c.URL)
	case len(c.Audience) == 0:
		return nil, errors.New("no audience is given that tokens must be meant for")
	}
	i := &Issuer{
		config:   c,
		looking:  make(chan struct{}, issuerWaiting),
		verified: newCache[store.Hash, verdict](verifiedTokens),
	}
	i.config.Log = cmp.Or(c.Log, slog.Default())
	if i.config.Now == nil {
		i.config.Now = time.Now
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	i.client = &http.Client{Timeout: issuerTime, Transport: &pacedTransport{next: transport, now: i.config.Now, had: make(map[string]document)}}
	return i, nil
}

// secure reports whether what is at u comes from whom it seems to.
func secure(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback())
}

// caller returns whose token this is.
func (i *Issuer) caller(ctx context.Context, token string, hash store.Hash) (store.Caller, *refusal) {
	now := i.config.Now()
	if v, ok := i.verified.Get(hash); ok && now.Before(v.until) {
		return v.caller, nil
	}
	if len(token) > longestJWT || strings.Count(token, ".") != 2 {
		return store.Caller{}, badToken("this is neither a token of this server nor a JWT of its issuer")
	}
	select {
	case i.looking <- struct{}{}:
		defer func() { <-i.looking }()
	default:
		return store.Caller{}, unavailable("too many tokens are being looked at; try again in a second", time.Second)
	}
	c, err := i.verify(ctx, token)
	switch {
	case errors.Is(err, errUnreachable):
		if ctx.Err() == nil && i.failing.CompareAndSwap(false, true) {
			i.config.Log.WarnContext(ctx, "the issuer cannot be asked for its keys: callers must wait until it can", "issuer", i.config.URL, "err", clip(err.Error()))
		}
		return store.Caller{}, unavailable("the issuer of the token cannot be asked for its keys now; try again in a while", issuerPace)
	case err != nil:
		return store.Caller{}, badToken("the token is none that the issuer signed")
	}
	if i.failing.CompareAndSwap(true, false) {
		i.config.Log.InfoContext(ctx, "the issuer can be asked again", "issuer", i.config.URL)
	}
	if f := c.check(i, token, now); f != nil {
		return store.Caller{}, f
	}
	v := verdict{c.caller(i), now.Add(verifiedFor)}
	if expiry, _ := c.time("exp"); expiry.Add(clockLeeway).Before(v.until) {
		v.until = expiry.Add(clockLeeway)
	}
	i.verified.Add(hash, v)
	return v.caller, nil
}

// errUnreachable says that nobody knows whether a token is good.
var errUnreachable = errors.New("the issuer did not tell its keys")

// algorithms are those of which only the issuer has the secret.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512,
	oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.EdDSA,
}

// verify returns what a token says if the issuer signed it. All else about it
// is yet to be checked.
func (i *Issuer) verify(ctx context.Context, token string) (claims, error) {
	keys, err := i.keySet()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	var fetching error // which the verifier's own error only tells in words
	verifier := oidc.NewVerifier(i.config.URL, keySet(func(ctx context.Context, token string) ([]byte, error) {
		payload, err := keys.VerifySignature(ctx, token)
		if err != nil && strings.HasPrefix(err.Error(), "fetching keys ") {
			fetching = err
		}
		return payload, err
	}), &oidc.Config{
		SupportedSigningAlgs: algorithms,
		SkipIssuerCheck:      true, // these three are checked by claims
		SkipClientIDCheck:    true,
		SkipExpiryCheck:      true,
	})
	verified, err := verifier.Verify(ctx, token)
	if fetching != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, fetching)
	}
	if err != nil {
		return nil, err
	}
	var c claims
	return c, verified.Claims(&c)
}

// keySet is a function as an [oidc.KeySet].
type keySet func(ctx context.Context, token string) ([]byte, error)

func (f keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	return f(ctx, token)
}

// keySet returns the issuer's keys, which fetches new ones when it meets one
// that it does not know. From time to time it is made anew, since it never
// forgets those that the issuer withdrew.
func (i *Issuer) keySet() (*oidc.RemoteKeySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys != nil && i.config.Now().Sub(i.renewed) < issuerRenew {
		return i.keys, nil
	}
	// Whoever asked first may leave, and others need the answer.
	ctx, cancel := context.WithTimeout(oidc.ClientContext(context.Background(), i.client), issuerTime)
	defer cancel()
	found, err := oidc.NewProvider(ctx, i.config.URL)
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = found.Claims(&document)
	}
	if err == nil && document.Keys == "" {
		err = errors.New("its discovery document names no jwks_uri")
	}
	if err != nil {
		if i.keys != nil {
			return i.keys, nil // better than none
		}
		return nil, err
	}
	i.keys, i.renewed = oidc.NewRemoteKeySet(ctx, document.Keys), i.config.Now()
	return i.keys, nil
}
