package storetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testAccess tests what keeps who may ask.
func testAccess(t *testing.T, openAt OpenAt) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, Backend, *clock)
	}{
		{"Tokens", testAPITokens},
		{"TokenNames", testTokenNames},
		{"AccessTexts", testAccessTexts},
		{"Grants", testGrants},
		{"GrantsWithoutEnd", testGrantsWithoutEnd},
		{"Challenge", testChallenge},
		{"Redeem", testRedeem},
		{"RedeemTwice", testRedeemTwice},
		{"RedeemRefused", testRedeemRefused},
		{"RedeemAtOnce", testRedeemAtOnce},
		{"Renew", testRenew},
		{"RenewAgain", testRenewAgain},
		{"RenewAfterTheWindow", testRenewAfterTheWindow},
		{"RenewTooOften", testRenewTooOften},
		{"RenewRefused", testRenewRefused},
		{"RenewAtOnce", testRenewAtOnce},
		{"Clients", testClients},
		{"Passphrase", testPassphrase},
		{"Attempts", testAttempts},
		{"AttemptsAtOnce", testAttemptsAtOnce},
		{"AttemptsOfTheFuture", testAttemptsOfTheFuture},
		{"Calls", testCalls},
		{"CallsOfChanges", testCallsOfChanges},
		{"LastUsed", testLastUsed},
		{"CallTexts", testCallTexts},
		{"Forget", testForget},
		{"ForgetRevokedGrants", testForgetRevokedGrants},
		{"AccessOutlivesImport", testAccessOutlivesImport},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{}
			c.set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
			tt.test(t, openAt(t, sample(), c.now), c)
		})
	}
}

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.at.Store(t.UnixMicro()) }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

func apiToken(name string) store.Token {
	return store.Token{Kind: store.APIToken, Hash: store.HashOf("secret of " + name), Name: name, Scopes: store.ScopeRead}
}

func mustAdd(t *testing.T, s Backend, token store.Token) store.Token {
	t.Helper()
	kept, err := s.AddToken(t.Context(), token)
	if err != nil {
		t.Fatalf("AddToken(%q): %v", token.Name, err)
	}
	return kept
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func testAPITokens(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	want := store.Token{Kind: store.APIToken, Hash: store.HashOf("x"), Name: "收銀機 7", Scopes: store.ScopeRead | store.ScopeWrite,
		Shop: "koko-daan", ExpiresAt: c.now().Add(time.Hour)}
	got := mustAdd(t, s, want)
	want.ID, want.CreatedAt = got.ID, c.now()
	if diff := cmp.Diff(want, got); diff != "" || got.ID == 0 {
		t.Errorf("AddToken (-want +got):\n%s", diff)
	}
	second := mustAdd(t, s, apiToken("second"))
	got, err := s.Token(ctx, want.Hash)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Token = %v (-want +got):\n%s", err, diff)
	}
	_, err = s.Token(ctx, store.HashOf("y"))
	wantError(t, "a token that was never given out", err, store.ErrNotFound)

	c.advance(time.Minute)
	if err := s.RevokeToken(ctx, want.ID); err != nil {
		t.Fatal(err)
	}
	want.RevokedAt = c.now()
	if got, err = s.Token(ctx, want.Hash); err != nil || got.RevokedAt != want.RevokedAt || got.Holds(c.now()) {
		t.Errorf("after it was revoked Token = %+v, %v", got, err)
	}
	c.advance(time.Minute)
	if err := s.RevokeToken(ctx, want.ID); err != nil {
		t.Errorf("revoked twice: %v", err)
	}
	all, err := s.Tokens(ctx)
	if diff := cmp.Diff([]store.Token{second, want}, all); err != nil || diff != "" {
		t.Errorf("Tokens = %v (-want +got):\n%s", err, diff)
	}
	wantError(t, "revoke nothing", s.RevokeToken(ctx, 99), store.ErrNotFound)
}

func testTokenNames(t *testing.T, s Backend, c *clock) {
	named := func(secret string, expires time.Time) store.Token {
		token := apiToken("ci")
		token.Hash, token.ExpiresAt = store.HashOf(secret), expires
		return token
	}
	first := mustAdd(t, s, named("first", time.Time{}))
	_, err := s.AddToken(t.Context(), named("second", time.Time{}))
	wantError(t, "the same name twice", err, store.ErrConflict)
	if err := s.RevokeToken(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, named("after it was revoked", c.now().Add(time.Hour)))
	_, err = s.AddToken(t.Context(), named("third", time.Time{}))
	wantError(t, "the name of one that expires later", err, store.ErrConflict)
	c.advance(time.Hour)
	mustAdd(t, s, named("after it expired", time.Time{}))
}

// testAccessTexts tries what is too long to keep, and what is no text.
func testAccessTexts(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	for _, text := range []string{strings.Repeat("長", 1<<16), "caf\xe9"} {
		token := apiToken(text)
		_, err := s.AddToken(ctx, token)
		wantInvalid(t, "AddToken", err)
		code := accessOf("code", c)
		code.Kind, code.Redirect = store.CodeToken, text
		_, err = s.AddGrant(ctx, store.Grant{ClientID: "one"}, code)
		wantInvalid(t, "AddGrant with the redirect URI", err)
		_, err = s.AddGrant(ctx, store.Grant{ClientID: text}, accessOf("code", c))
		wantInvalid(t, "AddGrant with the client ID", err)
		wantInvalid(t, "AddClient with the name", s.AddClient(ctx, store.Client{ID: "one", Name: text}, 10))
		wantInvalid(t, "AddClient with the redirect URI", s.AddClient(ctx, store.Client{ID: "one", RedirectURIs: []string{text}}, 10))
		_, err = s.Attempt(ctx, text, 1, time.Minute)
		wantInvalid(t, "Attempt", err)
	}
	if tokens, err := s.Tokens(ctx); err != nil || len(tokens) != 0 {
		t.Errorf("Tokens = %+v, %v; want none", tokens, err)
	}
	if grants, err := s.Grants(ctx); err != nil || len(grants) != 0 {
		t.Errorf("Grants = %+v, %v; want none", grants, err)
	}
}

func wantInvalid(t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*store.InvalidError](err); !ok {
		t.Errorf("%s: error %v, want a store.InvalidError", what, err)
	}
}

func testAccessOutlivesImport(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	mustAdd(t, s, apiToken("ci"))
	g, _ := granted(t, s, c, "one")
	one := int64(1)
	row := store.Row{Line: 2, Shop: store.Shop{Name: "巷口雜貨"}, Product: store.Product{Name: "新的東西"}, Quantity: &one}
	_, err := s.Import(ctx, func(yield func(store.Row, error) bool) { yield(row, nil) }, store.ImportOptions{Mode: store.Replace})
	if err != nil {
		t.Fatal(err)
	}
	if tokens, err := s.Tokens(ctx); err != nil || len(tokens) != 1 {
		t.Errorf("Tokens = %+v, %v", tokens, err)
	}
	if grants, err := s.Grants(ctx); err != nil || len(grants) != 1 || grants[0].ID != g.ID {
		t.Errorf("Grants = %+v, %v", grants, err)
	}
	if found, err := s.Verify(context.WithoutCancel(ctx), 10); err != nil || len(found) != 0 {
		t.Errorf("Verify = %v, %v", found, err)
	}
}
