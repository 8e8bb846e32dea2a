package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How long what no longer holds is kept.
const (
	ClientFresh     = 15 * time.Minute // to be let in undisturbed
	ClientUngranted = 24 * time.Hour
	ClientKept      = 90 * 24 * time.Hour
	TokenKept       = 7 * 24 * time.Hour
)

// How often, and for how long after its first use, a refresh token may be used
// again. The time is fixed: using it again does not extend it.
const (
	RenewWindow  = 2 * time.Minute
	RenewRepeats = 20
)

// How many calls are kept at the most: whoever has the URL of an open server
// could fill a disk with them.
const (
	CallsKept          = 2_000_000
	StrangersCallsKept = 200_000
)

// Hash is a SHA-256 of a secret that is too long to be guessed.
type Hash [sha256.Size]byte

// HashOf returns the hash of a secret.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// Scopes is what somebody may do: a set of scopes.
type Scopes uint8

// The scopes. To change stock does not include reading it.
const (
	ScopeRead  Scopes = 1 << iota // stock:read
	ScopeWrite                    // stock:write
)

var scopeNames = []struct {
	scope Scopes
	name  string
}{
	{ScopeRead, "stock:read"},
	{ScopeWrite, "stock:write"},
}

// Has reports whether every scope of t is in s.
func (s Scopes) Has(t Scopes) bool { return s&t == t }

// Names returns the names of s, such as "stock:read".
func (s Scopes) Names() []string {
	names := []string{}
	for _, n := range scopeNames {
		if s.Has(n.scope) {
			names = append(names, n.name)
		}
	}
	return names
}

// String returns the names with spaces between them, as OAuth has it
// (RFC 6749, section 3.3).
func (s Scopes) String() string { return strings.Join(s.Names(), " ") }

// ParseScopes returns the scopes of the given names.
func ParseScopes(names ...string) (Scopes, error) {
	var s Scopes
	for _, name := range names {
		scope := KnownScopes(name)
		if scope == 0 {
			return 0, fmt.Errorf("scope %q is none of stock:read and stock:write", name)
		}
		s |= scope
	}
	return s, nil
}

// KnownScopes returns the scopes of those names that are a scope's. Clients ask
// for others, too, which are for other servers.
func KnownScopes(names ...string) Scopes {
	var s Scopes
	for _, n := range scopeNames {
		if slices.Contains(names, n.name) {
			s |= n.scope
		}
	}
	return s
}

// TokenKind says what a token is for.
type TokenKind string

// The kinds of tokens.
const (
	APIToken     TokenKind = "api"     // that the owner made for a program
	AccessToken  TokenKind = "access"  // of a grant
	RefreshToken TokenKind = "refresh" // of a grant; may be renewed, or redeemed once
	CodeToken    TokenKind = "code"    // of a grant; an authorization code, which may be redeemed once
	OneTimeCode  TokenKind = "once"    // that the owner is shown instead of a passphrase; may be redeemed once
)

// Token lets whoever holds its secret in, or is exchanged for one that does.
type Token struct {
	ID        int64
	Kind      TokenKind
	Hash      Hash
	Name      string // by which the owner knows an API token
	Scopes    Scopes
	Shop      string // the ID of the only shop that it lets see and change; "" for all
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
	LastUsed  time.Time // zero for never; an API token's and a grant's alone
	RevokedAt time.Time // zero for not; be it the grant that was
	SpentAt   time.Time // when it was redeemed; zero for not

	Grant    int64  // 0 for none
	Resource string // what it is for (RFC 8707); "" for an API token
	Redirect string // of a code: the redirect URI it was sent to
	// Challenge is the PKCE challenge of a code, by S256 (RFC 7636, section 4.2).
	Challenge string

	// As the grant says, when it is read.
	ClientID, ClientName string
	Withheld             Scopes
}

// Holds reports whether t lets anybody in at the given time.
func (t Token) Holds(now time.Time) bool {
	return t.RevokedAt.IsZero() && t.SpentAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// Renewal is what a refresh token is exchanged for.
type Renewal struct {
	Access  Token
	Refresh Token // the successor
	// Sealed is the successor's secret, encrypted so that only a bearer of the
	// old token can read it. It is kept until the window has ended.
	Sealed []byte
}

// Renewed is what came of a [Renewal].
type Renewed struct {
	Scopes Scopes // of the access token that was added
	Repeat int    // how often the token was used before; 0 for the first use
	Sealed []byte // as the first use sealed it
}

// Grant is the owner's yes to a client.
type Grant struct {
	ID           int64
	ClientID     string
	ClientName   string // as it calls itself
	RedirectHost string // where the code went, such as "chatgpt.com"
	Scopes       Scopes
	Withheld     Scopes // that the client, when it lacked them, asked for, and the owner refused
	Resource     string
	CreatedAt    time.Time
	LastUsed     time.Time // zero for never
	RevokedAt    time.Time // zero for not
	ChallengedAt time.Time // when its client was last told that it lacks a scope; zero for never
}

// Client is a program that registered itself (RFC 7591). All are public
// clients: they have no secret.
type Client struct {
	ID           string
	Name         string
	RedirectURIs []string
	URI          string // of its home page; "" if it did not say
	Scope        string // what it registered to ask for; "" if it did not say
	CreatedAt    time.Time
	LastUsed     time.Time // when something was granted last; zero for never
}

// Call is an entry of the audit log: a call of a tool, or of what else is
// worth a trace.
type Call struct {
	ID        int64
	At        time.Time
	Caller    string // its ID; "" for whoever is not known
	Name      string // what the owner knows the caller by
	Client    string // the program that they use
	Address   string // where they called from; "" where unknown
	Tool      string
	Arguments string // JSON, without secrets and notes
	Outcome   string // "ok", "refused: insufficient_stock", "failed" and the like
	Took      time.Duration

	// Recorded is set by a change that recorded the call with itself.
	Recorded bool
}

// CallQuery asks for calls. The conditions that are set must all hold.
type CallQuery struct {
	Since  time.Time
	Caller string
	Page
}

type callKey struct{}

// WithCall returns a context in which changes are made by the call. A change
// that is kept records it in its own transaction, as "ok" and with the time
// that it took until then, and sets c.Recorded; the call is not for others to
// touch before the change returns.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallFrom returns the call that is being made in ctx, or nil.
func CallFrom(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// Errors of access, for [errors.Is].
var (
	// ErrSpent says that a code or token was used up before.
	ErrSpent = errors.New("used before")
	// ErrFull says that as much is kept as there may be.
	ErrFull = errors.New("full")
)
