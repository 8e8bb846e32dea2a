package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// renewal exchanges a refresh token for the access token and the successor of
// these names.
func renewal(access, refresh string, c *clock) store.Renewal {
	return store.Renewal{Access: accessOf(access, c), Refresh: refreshOf(refresh, c), Sealed: []byte("sealed " + refresh)}
}

// signedIn returns a grant whose refresh token is "r0".
func signedIn(t *testing.T, s Backend, c *clock) store.Grant {
	t.Helper()
	g, code := granted(t, s, c, "one")
	if err := s.Redeem(t.Context(), code, accessOf("a0", c), refreshOf("r0", c)); err != nil {
		t.Fatal(err)
	}
	return g
}

func renews(t *testing.T, s Backend, token string, n store.Renewal, want store.Renewed) {
	t.Helper()
	got, err := s.Renew(t.Context(), store.HashOf(token), n)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Renew(%s): %v (-want +got):\n%s", token, err, diff)
	}
}

func wantHolds(t *testing.T, s Backend, c *clock, want map[string]bool) {
	t.Helper()
	for name, holds := range want {
		if got, err := s.Token(t.Context(), store.HashOf(name)); err != nil || got.Holds(c.now()) != holds {
			t.Errorf("%s holds: %v (%v), want %v", name, !holds, err, holds)
		}
	}
}

func testRenew(t *testing.T, s Backend, c *clock) {
	g := signedIn(t, s, c)
	renews(t, s, "r0", renewal("a1", "r1", c), store.Renewed{Scopes: store.ScopeRead, Sealed: []byte("sealed r1")})
	wantHolds(t, s, c, map[string]bool{"a0": true, "r0": false, "a1": true, "r1": true})
	if got, err := s.Token(t.Context(), store.HashOf("r1")); err != nil || got.Grant != g.ID || got.ClientID != "one" {
		t.Errorf("the successor is %+v, %v", got, err)
	}
}

// testRenewAgain uses a refresh token again within its window: also where its
// successor was used meanwhile, and where the token itself would have expired.
func testRenewAgain(t *testing.T, s Backend, c *clock) {
	_, code := granted(t, s, c, "one")
	old := refreshOf("r0", c)
	old.Scopes, old.ExpiresAt = store.ScopeRead|store.ScopeWrite, c.now().Add(time.Minute)
	if err := s.Redeem(t.Context(), code, old); err != nil {
		t.Fatal(err)
	}
	renews(t, s, "r0", renewal("a1", "r1", c), store.Renewed{Scopes: store.ScopeRead, Sealed: []byte("sealed r1")})
	c.advance(store.RenewWindow - time.Second)
	renews(t, s, "r1", renewal("a2", "r2", c), store.Renewed{Scopes: store.ScopeRead, Sealed: []byte("sealed r2")})
	for i, scopes := range []store.Scopes{store.ScopeRead, store.ScopeRead | store.ScopeWrite, store.ScopeWrite} {
		again := renewal(fmt.Sprint("again ", i), fmt.Sprint("unwanted ", i), c)
		again.Access.Scopes = scopes
		renews(t, s, "r0", again, store.Renewed{Scopes: store.ScopeRead, Repeat: i + 1, Sealed: []byte("sealed r1")})
		got, err := s.Token(t.Context(), again.Access.Hash)
		if err != nil || got.Scopes != store.ScopeRead || !got.Holds(c.now()) {
			t.Errorf("the access token of repeat %d is %+v, %v; want no more than the first got", i+1, got, err)
		}
		_, err = s.Token(t.Context(), again.Refresh.Hash)
		wantError(t, "a second successor", err, store.ErrNotFound)
	}
	renews(t, s, "r1", renewal("a3", "unwanted", c), store.Renewed{Scopes: store.ScopeRead, Repeat: 1, Sealed: []byte("sealed r2")})
	wantHolds(t, s, c, map[string]bool{"a1": true, "a2": true, "a3": true, "r1": false, "r2": true})
}

func testRenewAfterTheWindow(t *testing.T, s Backend, c *clock) {
	signedIn(t, s, c)
	renews(t, s, "r0", renewal("a1", "r1", c), store.Renewed{Scopes: store.ScopeRead, Sealed: []byte("sealed r1")})
	c.advance(store.RenewWindow / 2) // to use it again doesn't extend the window
	renews(t, s, "r0", renewal("a2", "unwanted", c), store.Renewed{Scopes: store.ScopeRead, Repeat: 1, Sealed: []byte("sealed r1")})
	c.advance(store.RenewWindow / 2)
	_, err := s.Renew(t.Context(), store.HashOf("r0"), renewal("a3", "unwanted", c))
	wantError(t, "after the window", err, store.ErrSpent)
	wantHolds(t, s, c, map[string]bool{"a0": false, "a1": false, "a2": false, "r1": false})
	_, err = s.Renew(t.Context(), store.HashOf("r1"), renewal("a3", "unwanted", c))
	wantError(t, "the successor, once the grant ended", err, store.ErrNotFound)
	_, err = s.Token(t.Context(), store.HashOf("a3"))
	wantError(t, "what was to be issued", err, store.ErrNotFound)
}

func testRenewTooOften(t *testing.T, s Backend, c *clock) {
	signedIn(t, s, c)
	for i := range 1 + store.RenewRepeats {
		renews(t, s, "r0", renewal(fmt.Sprint("a", i+1), fmt.Sprint("r", i+1), c), store.Renewed{Scopes: store.ScopeRead, Repeat: i, Sealed: []byte("sealed r1")})
	}
	_, err := s.Renew(t.Context(), store.HashOf("r0"), renewal("a", "r", c))
	wantError(t, "once more", err, store.ErrSpent)
	wantHolds(t, s, c, map[string]bool{"a1": false, "r1": false})
}

func testRenewRefused(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	refuse := func(what, token string, want error) {
		t.Helper()
		_, err := s.Renew(ctx, store.HashOf(token), renewal("a", "r", c))
		wantError(t, what, err, want)
		_, err = s.Token(ctx, store.HashOf("a"))
		wantError(t, what+": what was to be issued", err, store.ErrNotFound)
	}
	g, code := granted(t, s, c, "one")
	if err := s.Redeem(ctx, code, accessOf("a0", c), refreshOf("r0", c)); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, apiToken("ci"))
	for what, token := range map[string]string{"nothing": "nothing", "an access token": "a0", "the owner's token": "secret of ci"} {
		refuse(what, token, store.ErrNotFound)
	}
	wantHolds(t, s, c, map[string]bool{"a0": true, "r0": true, "secret of ci": true})
	renews(t, s, "r0", renewal("a1", "r1", c), store.Renewed{Scopes: store.ScopeRead, Sealed: []byte("sealed r1")})
	if err := s.RevokeGrant(ctx, g.ID); err != nil {
		t.Fatal(err)
	}
	refuse("within the window, but revoked", "r0", store.ErrNotFound)
	refuse("the successor of a revoked grant", "r1", store.ErrNotFound)

	// One that was used up in the wrong hands has no window.
	_, code = granted(t, s, c, "two")
	if err := s.Redeem(ctx, code, refreshOf("stolen", c)); err != nil {
		t.Fatal(err)
	}
	if err := s.Redeem(ctx, store.HashOf("stolen")); err != nil {
		t.Fatal(err)
	}
	refuse("one that was redeemed", "stolen", store.ErrSpent)

	c.advance(time.Second)
	_, code = granted(t, s, c, "three")
	if err := s.Redeem(ctx, code, refreshOf("old", c)); err != nil {
		t.Fatal(err)
	}
	c.advance(24 * time.Hour)
	refuse("one that has expired", "old", store.ErrNotFound)
}

// testRenewAtOnce renews one token by many at once: all get the same successor,
// and the grant holds.
func testRenewAtOnce(t *testing.T, s Backend, c *clock) {
	signedIn(t, s, c)
	const callers = 16
	var firsts atomic.Int64
	sealed := make([]string, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			got, err := s.Renew(t.Context(), store.HashOf("r0"), renewal(fmt.Sprint("a", i+1), fmt.Sprint("r", i+1), c))
			if err != nil {
				t.Errorf("Renew: %v", err)
			}
			if got.Repeat == 0 {
				firsts.Add(1)
			}
			sealed[i] = string(got.Sealed)
		})
	}
	wg.Wait()
	for i, got := range sealed {
		if got != sealed[0] {
			t.Errorf("caller %d got %q, and caller 0 %q", i, got, sealed[0])
		}
		wantHolds(t, s, c, map[string]bool{fmt.Sprint("a", i+1): true})
	}
	if firsts.Load() != 1 {
		t.Errorf("%d were the first", firsts.Load())
	}
}
