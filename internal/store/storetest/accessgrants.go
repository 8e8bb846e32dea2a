package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// granted returns a grant, and the hash of its code.
func granted(t *testing.T, s Backend, c *clock, client string) (store.Grant, store.Hash) {
	t.Helper()
	hash := store.HashOf(fmt.Sprint("code of ", client, c.at.Load()))
	g, err := s.AddGrant(t.Context(), store.Grant{ClientID: client, ClientName: "ChatGPT", RedirectHost: "chatgpt.com",
		Scopes: store.ScopeRead, Withheld: store.ScopeWrite, Resource: "https://shop.example/mcp"}, store.Token{
		Kind: store.CodeToken, Hash: hash, Scopes: store.ScopeRead, Resource: "https://shop.example/mcp",
		Redirect: "https://chatgpt.com/cb", Challenge: "challenge", ExpiresAt: c.now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return g, hash
}

func accessOf(name string, c *clock) store.Token {
	return store.Token{Kind: store.AccessToken, Hash: store.HashOf(name), Scopes: store.ScopeRead, Resource: "https://shop.example/mcp", ExpiresAt: c.now().Add(time.Hour)}
}

func refreshOf(name string, c *clock) store.Token {
	t := accessOf(name, c)
	t.Kind, t.ExpiresAt = store.RefreshToken, c.now().Add(24*time.Hour)
	return t
}

func testGrants(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	first, code := granted(t, s, c, "one")
	if first.ID == 0 || first.CreatedAt != c.now() {
		t.Errorf("AddGrant = %+v", first)
	}
	got, err := s.Token(ctx, code)
	if err != nil || got.Grant != first.ID || got.ClientID != "one" || got.ClientName != "ChatGPT" || got.Withheld != store.ScopeWrite || got.Challenge != "challenge" || got.Redirect != "https://chatgpt.com/cb" {
		t.Errorf("Token of the code = %+v, %v", got, err)
	}
	second, _ := granted(t, s, c, "two")
	all, err := s.Grants(ctx)
	if diff := cmp.Diff([]store.Grant{second, first}, all); err != nil || diff != "" {
		t.Errorf("Grants = %v (-want +got):\n%s", err, diff)
	}
	if err := s.Withhold(ctx, second.ID, 0); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Grants(ctx); err != nil || all[0].Withheld != 0 || all[1].Withheld != store.ScopeWrite {
		t.Errorf("after Withhold Grants = %+v, %v", all, err)
	}
	wantError(t, "withhold from nothing", s.Withhold(ctx, 99, store.ScopeWrite), store.ErrNotFound)
	if err := s.RevokeGrant(ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeGrant(ctx, second.ID); err != nil {
		t.Errorf("revoked twice: %v", err)
	}
	wantError(t, "revoke nothing", s.RevokeGrant(ctx, 99), store.ErrNotFound)
	if all, err = s.Grants(ctx); err != nil || len(all) != 1 || all[0].ID != first.ID {
		t.Errorf("after one was revoked Grants = %+v, %v", all, err)
	}
	c.advance(2 * time.Minute)
	if all, err = s.Grants(ctx); err != nil || len(all) != 0 {
		t.Errorf("after the code expired Grants = %+v, %v", all, err)
	}
}

// testChallenge keeps when a client was last told that it lacks a scope, to the
// minute.
func testChallenge(t *testing.T, s Backend, c *clock) {
	g := signedIn(t, s, c)
	first := c.now()
	for _, step := range []struct {
		after time.Duration
		want  time.Time
	}{{0, first}, {59 * time.Second, first}, {time.Second, first.Add(time.Minute)}} {
		c.advance(step.after)
		if err := s.Challenge(t.Context(), g.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Grants(t.Context()); err != nil || len(all) != 1 || all[0].ChallengedAt != step.want {
			t.Errorf("%v later Grants = %+v, %v, want it challenged at %v", step.after, all, err, step.want)
		}
	}
	wantError(t, "challenge nothing", s.Challenge(t.Context(), 99), store.ErrNotFound)
}

func testRedeem(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	g, code := granted(t, s, c, "one")
	if err := s.Redeem(ctx, code, accessOf("a1", c), refreshOf("r1", c)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a1", "r1"} {
		got, err := s.Token(ctx, store.HashOf(name))
		if err != nil || got.Grant != g.ID || got.ClientID != "one" || !got.Holds(c.now()) {
			t.Errorf("Token of %s = %+v, %v", name, got, err)
		}
	}
	if err := s.Redeem(ctx, store.HashOf("r1"), accessOf("a2", c), refreshOf("r2", c)); err != nil {
		t.Fatal(err)
	}
	for name, holds := range map[string]bool{"a1": true, "r1": false, "a2": true, "r2": true} {
		if got, err := s.Token(ctx, store.HashOf(name)); err != nil || got.Holds(c.now()) != holds {
			t.Errorf("after renewing, %s holds: %v (%v), want %v", name, !holds, err, holds)
		}
	}
	if err := s.RevokeGrant(ctx, g.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a1", "a2", "r2"} {
		if got, err := s.Token(ctx, store.HashOf(name)); err != nil || got.Holds(c.now()) {
			t.Errorf("after its grant was revoked, %s holds (%v)", name, err)
		}
	}
}

func testRedeemTwice(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	_, code := granted(t, s, c, "one")
	if err := s.Redeem(ctx, code, accessOf("a", c), refreshOf("r", c)); err != nil {
		t.Fatal(err)
	}
	wantError(t, "a code twice", s.Redeem(ctx, code, accessOf("thief", c)), store.ErrSpent)
	_, err := s.Token(ctx, store.HashOf("thief"))
	wantError(t, "the token of the second", err, store.ErrNotFound)
	if got, err := s.Token(ctx, store.HashOf("a")); err != nil || got.Holds(c.now()) {
		t.Errorf("the first one's token holds still (%v)", err)
	}
	wantError(t, "the refresh token of the first", s.Redeem(ctx, store.HashOf("r"), accessOf("b", c)), store.ErrNotFound)
}

func testRedeemRefused(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	_, code := granted(t, s, c, "one")
	_, other := granted(t, s, c, "two")
	revoked, of := granted(t, s, c, "three")
	if err := s.RevokeGrant(ctx, revoked.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Redeem(ctx, other, accessOf("access", c)); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, apiToken("ci"))
	mustAdd(t, s, store.Token{Kind: store.OneTimeCode, Hash: store.HashOf("1234"), ExpiresAt: c.now().Add(time.Hour)})
	wantError(t, "nothing", s.Redeem(ctx, store.HashOf("nothing"), accessOf("a", c)), store.ErrNotFound)
	for _, secret := range []string{"secret of ci", "access"} {
		wantError(t, secret, s.Redeem(ctx, store.HashOf(secret), accessOf("a", c)), store.ErrNotFound)
		if got, err := s.Token(ctx, store.HashOf(secret)); err != nil || !got.Holds(c.now()) {
			t.Errorf("%s was used up (%v)", secret, err)
		}
	}
	if err := s.Redeem(ctx, store.HashOf("1234")); err != nil {
		t.Errorf("a one-time code: %v", err)
	}
	wantError(t, "a one-time code twice", s.Redeem(ctx, store.HashOf("1234")), store.ErrSpent)
	wantError(t, "a code of a revoked grant", s.Redeem(ctx, of, accessOf("a", c)), store.ErrNotFound)
	c.advance(time.Minute)
	wantError(t, "a code that has expired", s.Redeem(ctx, code, accessOf("a", c)), store.ErrNotFound)
	_, err := s.Token(ctx, store.HashOf("a"))
	wantError(t, "what was to be issued", err, store.ErrNotFound)
}

// testRedeemAtOnce redeems a code by many at once: one of them is let in, and
// what it got does not last, since the others were too.
func testRedeemAtOnce(t *testing.T, s Backend, c *clock) {
	_, code := granted(t, s, c, "one")
	var done, spent atomic.Int64
	var winner atomic.Value
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name := fmt.Sprint(i)
			switch err := s.Redeem(t.Context(), code, accessOf(name, c)); {
			case err == nil:
				done.Add(1)
				winner.Store(name)
			case errors.Is(err, store.ErrSpent):
				spent.Add(1)
			default:
				t.Errorf("Redeem: %v", err)
			}
		})
	}
	if wg.Wait(); done.Load() != 1 || spent.Load() != 15 {
		t.Fatalf("a code was redeemed %d times and refused as spent %d times, want 1 and 15", done.Load(), spent.Load())
	}
	if got, err := s.Token(t.Context(), store.HashOf(winner.Load().(string))); err != nil || got.RevokedAt.IsZero() {
		t.Errorf("the token of the first holds still (%v)", err)
	}
}

// testGrantsWithoutEnd asks for a grant whose token never expires.
func testGrantsWithoutEnd(t *testing.T, s Backend, c *clock) {
	g, code := granted(t, s, c, "one")
	refresh := refreshOf("r", c)
	refresh.ExpiresAt = time.Time{}
	if err := s.Redeem(t.Context(), code, refresh); err != nil {
		t.Fatal(err)
	}
	c.advance(1000 * 24 * time.Hour)
	if all, err := s.Grants(t.Context()); err != nil || len(all) != 1 || all[0].ID != g.ID {
		t.Errorf("Grants = %+v, %v; want the one that never expires", all, err)
	}
}
