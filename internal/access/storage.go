package access

import (
	"context"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Storage keeps who may call, how they were authorized, and what they called. It
// holds no secret itself: tokens and codes are known by their [store.Hash] alone. Everything in it survives a restart and is shared by every
// process that has the same data.
type Storage interface {
	// AddToken keeps a new token and returns it with its ID and CreatedAt. The
	// name of an API token that holds must not be taken: [store.ErrConflict].
	AddToken(ctx context.Context, t store.Token) (store.Token, error)

	// Token returns the token of this hash, whether it still holds or not, or
	// [store.ErrNotFound]. Every request is checked by it, so it is answered from
	// memory where nothing was written; what any process revoked before the call is
	// told by it.
	Token(ctx context.Context, hash store.Hash) (store.Token, error)

	// Tokens lists the API tokens, newest first, those that no longer hold
	// among them.
	Tokens(ctx context.Context) ([]store.Token, error)

	// RevokeToken ends the API token with this ID, or returns [store.ErrNotFound].
	// One that was revoked before stays as it was.
	RevokeToken(ctx context.Context, id int64) error

	// Redeem uses up the code or refresh token of this hash, and adds what is
	// issued for it, in one transaction. One that does not hold any longer is
	// [store.ErrNotFound]. One that was used up before is [store.ErrSpent], and its grant
	// is revoked: either now or then it was in the wrong hands.
	Redeem(ctx context.Context, hash store.Hash, issued ...store.Token) error

	// Renew exchanges the refresh token of this hash, in one transaction. The
	// first use is a Redeem that adds n.Access and n.Refresh, and keeps n.Sealed.
	// For [store.RenewWindow] after it, the same token may be used again up to
	// [store.RenewRepeats] times, since clients race with themselves and lose answers:
	// that adds n.Access alone, with no more scopes than the first use gave, and
	// returns what the first use sealed. After the window the token is
	// [store.ErrSpent], and its grant is revoked. One that does not hold, or whose
	// grant was revoked, is [store.ErrNotFound].
	Renew(ctx context.Context, hash store.Hash, n store.Renewal) (store.Renewed, error)

	// AddGrant keeps a new grant and the authorization code that stands for
	// it, whose Grant it sets, and returns it with its ID and CreatedAt.
	AddGrant(ctx context.Context, g store.Grant, code store.Token) (store.Grant, error)

	// Grants lists the grants that hold, newest first.
	Grants(ctx context.Context) ([]store.Grant, error)

	// RevokeGrant ends a grant and all its tokens, or returns [store.ErrNotFound].
	// One that was revoked before stays as it was.
	RevokeGrant(ctx context.Context, id int64) error

	// Challenge keeps with a grant, to the minute, that its client was told that
	// it lacks a scope; or it returns [store.ErrNotFound].
	Challenge(ctx context.Context, grant int64) error

	// Withhold keeps with a grant that its client asked for these scopes, too,
	// and the owner refused; or it returns [store.ErrNotFound].
	Withhold(ctx context.Context, grant int64, scopes store.Scopes) error

	// AddClient keeps a client that registered itself. Where most clients are
	// kept that were granted nothing, the oldest of them makes room; if that
	// one is not [store.ClientFresh] old, it is [store.ErrFull].
	AddClient(ctx context.Context, c store.Client, most int) error

	// Client returns the client with this ID, or [store.ErrNotFound].
	Client(ctx context.Context, id string) (store.Client, error)

	// Passphrase returns the hash of the owner's passphrase as [Storage.SetPassphrase]
	// kept it, "" where there is none.
	Passphrase(ctx context.Context) (hash string, err error)

	// SetPassphrase keeps the hash of the owner's passphrase, and forgets the
	// attempts that were counted; "" takes it away.
	SetPassphrase(ctx context.Context, hash string) error

	// Attempt counts an attempt at guessing by this name, before it is known
	// whether it is right. Where most were counted within the time, it counts
	// nothing and returns how long it is until the next may be made.
	Attempt(ctx context.Context, name string, most int, within time.Duration) (wait time.Duration, err error)

	// Locked returns how long it is until an attempt by this name can be made, as
	// [Storage.Attempt] would, and counts nothing.
	Locked(ctx context.Context, name string, most int, within time.Duration) (wait time.Duration, err error)

	// Uncount takes back one attempt that [Storage.Attempt] counted by this name,
	// because it was right.
	Uncount(ctx context.Context, name string) error

	// Forgive forgets the attempts by these names.
	Forgive(ctx context.Context, names ...string) error

	// Record adds calls to the audit log, and when tokens were used last, by ID.
	// No call is added that a change recorded with itself: see [store.WithCall].
	Record(ctx context.Context, calls []store.Call, used map[int64]time.Time) error

	// Calls lists the audit log, newest first. It returns the cursor of the
	// next page, "" on the last.
	Calls(ctx context.Context, q store.CallQuery) (calls []store.Call, next string, err error)

	// Forget removes what is no longer of use as of the given time: calls older
	// than keepCalls, clients that were granted nothing for a day or that went
	// unused for [store.ClientKept], and codes and tokens that expired, or were revoked,
	// longer than [store.TokenKept] ago, and what was sealed for a [store.RenewWindow] that
	// has ended. API tokens stay. Whatever the time is, it removes calls that are
	// not among the newest [store.CallsKept] or, of callers who are not known,
	// [store.StrangersCallsKept].
	Forget(ctx context.Context, asOf time.Time, keepCalls time.Duration) error
}
