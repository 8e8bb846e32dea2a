package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
		test func(*testing.T, store.Store, *clock)
	}{
		{"Tokens", testAPITokens},
		{"TokenNames", testTokenNames},
		{"Grants", testGrants},
		{"Redeem", testRedeem},
		{"RedeemTwice", testRedeemTwice},
		{"RedeemRefused", testRedeemRefused},
		{"RedeemAtOnce", testRedeemAtOnce},
		{"Clients", testClients},
		{"Passphrase", testPassphrase},
		{"Attempts", testAttempts},
		{"AttemptsAtOnce", testAttemptsAtOnce},
		{"Calls", testCalls},
		{"CallsOfChanges", testCallsOfChanges},
		{"LastUsed", testLastUsed},
		{"Forget", testForget},
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

func mustAdd(t *testing.T, s store.Store, token store.Token) store.Token {
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

func testAPITokens(t *testing.T, s store.Store, c *clock) {
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

func testTokenNames(t *testing.T, s store.Store, _ *clock) {
	first := mustAdd(t, s, apiToken("ci"))
	again := apiToken("ci")
	again.Hash = store.HashOf("another secret")
	_, err := s.AddToken(t.Context(), again)
	wantError(t, "the same name twice", err, store.ErrConflict)
	if err := s.RevokeToken(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, again)
}

// granted returns a grant, and the hash of its code.
func granted(t *testing.T, s store.Store, c *clock, client string) (store.Grant, store.Hash) {
	t.Helper()
	hash := store.HashOf(fmt.Sprint("code of ", client, c.at.Load()))
	g, err := s.AddGrant(t.Context(), store.Grant{ClientID: client, ClientName: "ChatGPT", RedirectHost: "chatgpt.com",
		Scopes: store.ScopeRead, Resource: "https://shop.example/mcp"}, store.Token{
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

func testGrants(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	first, code := granted(t, s, c, "one")
	if first.ID == 0 || first.CreatedAt != c.now() {
		t.Errorf("AddGrant = %+v", first)
	}
	got, err := s.Token(ctx, code)
	if err != nil || got.Grant != first.ID || got.ClientID != "one" || got.ClientName != "ChatGPT" || got.Challenge != "challenge" || got.Redirect != "https://chatgpt.com/cb" {
		t.Errorf("Token of the code = %+v, %v", got, err)
	}
	second, _ := granted(t, s, c, "two")
	all, err := s.Grants(ctx)
	if diff := cmp.Diff([]store.Grant{second, first}, all); err != nil || diff != "" {
		t.Errorf("Grants = %v (-want +got):\n%s", err, diff)
	}
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

func testRedeem(t *testing.T, s store.Store, c *clock) {
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

func testRedeemTwice(t *testing.T, s store.Store, c *clock) {
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

func testRedeemRefused(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	_, code := granted(t, s, c, "one")
	mustAdd(t, s, apiToken("ci"))
	mustAdd(t, s, store.Token{Kind: store.OneTimeCode, Hash: store.HashOf("1234"), ExpiresAt: c.now().Add(time.Hour)})
	wantError(t, "nothing", s.Redeem(ctx, store.HashOf("nothing")), store.ErrNotFound)
	wantError(t, "an API token", s.Redeem(ctx, store.HashOf("secret of ci")), store.ErrNotFound)
	if got, err := s.Token(ctx, store.HashOf("secret of ci")); err != nil || !got.Holds(c.now()) {
		t.Errorf("the API token was used up (%v)", err)
	}
	if err := s.Redeem(ctx, store.HashOf("1234")); err != nil {
		t.Errorf("a one-time code: %v", err)
	}
	wantError(t, "a one-time code twice", s.Redeem(ctx, store.HashOf("1234")), store.ErrSpent)
	c.advance(time.Minute)
	wantError(t, "a code that has expired", s.Redeem(ctx, code, accessOf("a", c)), store.ErrNotFound)
}

func testRedeemAtOnce(t *testing.T, s store.Store, c *clock) {
	_, code := granted(t, s, c, "one")
	var done atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if s.Redeem(t.Context(), code, accessOf(fmt.Sprint(i), c)) == nil {
				done.Add(1)
			}
		})
	}
	if wg.Wait(); done.Load() != 1 {
		t.Errorf("a code was redeemed %d times", done.Load())
	}
}

func testClients(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	want := store.Client{ID: "client-1", Name: "ChatGPT", RedirectURIs: []string{"https://chatgpt.com/a", "http://127.0.0.1/b"}, URI: "https://chatgpt.com"}
	if err := s.AddClient(ctx, want, 2); err != nil {
		t.Fatal(err)
	}
	want.CreatedAt = c.now()
	got, err := s.Client(ctx, "client-1")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Client = %v (-want +got):\n%s", err, diff)
	}
	_, err = s.Client(ctx, "client-2")
	wantError(t, "an unknown client", err, store.ErrNotFound)
	if err := s.AddClient(ctx, store.Client{ID: "client-2"}, 2); err != nil {
		t.Fatal(err)
	}
	wantError(t, "one too many", s.AddClient(ctx, store.Client{ID: "client-3"}, 2), store.ErrFull)
	granted(t, s, c, "client-1")
	if got, err = s.Client(ctx, "client-1"); err != nil || got.LastUsed != c.now() {
		t.Errorf("after a grant Client = %+v, %v", got, err)
	}
	if err := s.AddClient(ctx, store.Client{ID: "client-3"}, 2); err != nil {
		t.Errorf("one that was let in counts still: %v", err)
	}
}

func testPassphrase(t *testing.T, s store.Store, _ *clock) {
	ctx := t.Context()
	for _, want := range []string{"", "$argon2id$1", "$argon2id$2", ""} {
		if err := s.SetPassphrase(ctx, want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Passphrase(ctx); err != nil || got != want {
			t.Errorf("Passphrase = %q, %v; want %q", got, err, want)
		}
	}
}

func testAttempts(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	try := func(name string, want time.Duration) {
		t.Helper()
		if wait, err := s.Attempt(ctx, name, 2, time.Minute); err != nil || wait != want {
			t.Errorf("Attempt(%q) = %v, %v; want %v", name, wait, err, want)
		}
	}
	try("a", 0)
	c.advance(10 * time.Second)
	try("a", 0)
	try("b", 0)
	try("a", 50*time.Second)
	c.advance(20 * time.Second)
	try("a", 30*time.Second)
	try("b", 0)
	if err := s.Forgive(ctx, "a", "nobody"); err != nil {
		t.Fatal(err)
	}
	try("a", 0)
	try("a", 0)
	try("a", time.Minute)
	try("b", 40*time.Second)
	c.advance(time.Minute)
	try("a", 0)
	try("b", 0)
	try("b", 0)
	if err := s.SetPassphrase(ctx, "another"); err != nil {
		t.Fatal(err)
	}
	try("b", 0)
}

func testAttemptsAtOnce(t *testing.T, s store.Store, _ *clock) {
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if wait, err := s.Attempt(t.Context(), "x", 5, time.Hour); err == nil && wait == 0 {
				made.Add(1)
			}
		})
	}
	if wg.Wait(); made.Load() != 5 {
		t.Errorf("%d attempts were let through, want 5", made.Load())
	}
}

func testCalls(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	var want []store.Call
	for i := range 5 {
		c.advance(time.Second)
		call := store.Call{At: c.now(), Caller: []string{"", "token:1"}[i%2], Name: "ci", Client: "test 1", Address: "203.0.113.7",
			Tool: "check_stock", Arguments: `{"product":"茶葉蛋"}`, Outcome: "ok", Took: time.Duration(i) * time.Millisecond}
		if err := s.Record(ctx, []store.Call{call, {Tool: "already", At: c.now(), Recorded: true}}, nil); err != nil {
			t.Fatal(err)
		}
		want = append([]store.Call{call}, want...)
	}
	var got []store.Call
	q := store.CallQuery{Page: store.Page{Limit: 2}}
	for {
		calls, next, err := s.Calls(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, calls...)
		if q.Cursor = next; next == "" {
			break
		}
	}
	for i := range got {
		if got[i].ID == 0 {
			t.Errorf("call %d has no ID", i)
		}
		got[i].ID = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Calls (-want +got):\n%s", diff)
	}
	since, _, err := s.Calls(ctx, store.CallQuery{Since: want[2].At, Caller: "token:1"})
	if err != nil || len(since) != 1 || since[0].At != want[1].At {
		t.Errorf("Calls of one caller since %v = %+v, %v", want[2].At, since, err)
	}
	_, _, err = s.Calls(ctx, store.CallQuery{Page: store.Page{Cursor: "nonsense"}})
	wantError(t, "a cursor of nobody's", err, store.ErrBadCursor)
}

func testCallsOfChanges(t *testing.T, s store.Store, c *clock) {
	call := &store.Call{At: c.now(), Caller: "token:1", Tool: "record_movement"}
	ctx := store.WithCall(t.Context(), call)
	sale := store.Move{ShopID: "koko-daan", ProductID: "tea-egg", Delta: 1, Reason: store.Delivery}
	count := func(want int) {
		t.Helper()
		if calls, _, err := s.Calls(t.Context(), store.CallQuery{}); err != nil || len(calls) != want {
			t.Errorf("%d calls are recorded (%v), want %d", len(calls), err, want)
		}
	}
	dry := sale
	dry.DryRun = true
	if _, err := s.Move(ctx, dry); err != nil || call.Recorded {
		t.Fatalf("dry run: %v, recorded: %v", err, call.Recorded)
	}
	refused := sale
	refused.Delta, refused.Reason = -1_000_000, store.Sale
	if _, err := s.Move(ctx, refused); err == nil || call.Recorded {
		t.Fatalf("a refused sale: %v, recorded: %v", err, call.Recorded)
	}
	count(0)
	c.advance(3 * time.Millisecond)
	sale.Key = "once"
	if _, err := s.Move(ctx, sale); err != nil || !call.Recorded {
		t.Fatalf("a delivery: %v, recorded: %v", err, call.Recorded)
	}
	calls, _, err := s.Calls(t.Context(), store.CallQuery{})
	if err != nil || len(calls) != 1 || calls[0].Outcome != "ok" || calls[0].Tool != "record_movement" || calls[0].Took != 3*time.Millisecond {
		t.Errorf("Calls = %+v, %v", calls, err)
	}
	call.Recorded = false
	if r, err := s.Move(ctx, sale); err != nil || !r.Replayed || call.Recorded {
		t.Errorf("again: %v, replayed: %v, recorded: %v", err, r.Replayed, call.Recorded)
	}
	count(1)
}

func testLastUsed(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	api := mustAdd(t, s, apiToken("ci"))
	_, code := granted(t, s, c, "one")
	if err := s.Redeem(ctx, code, accessOf("a", c), refreshOf("r", c)); err != nil {
		t.Fatal(err)
	}
	access, err := s.Token(ctx, store.HashOf("a"))
	if err != nil {
		t.Fatal(err)
	}
	later, earlier := c.now().Add(time.Minute), c.now().Add(time.Second)
	for _, at := range []time.Time{later, earlier} {
		if err := s.Record(ctx, nil, map[int64]time.Time{api.ID: at, access.ID: at, 99: at}); err != nil {
			t.Fatal(err)
		}
	}
	tokens, err := s.Tokens(ctx)
	if err != nil || tokens[0].LastUsed != later {
		t.Errorf("Tokens = %+v, %v; want the last use at %v", tokens, err, later)
	}
	grants, err := s.Grants(ctx)
	if err != nil || len(grants) != 1 || grants[0].LastUsed != later {
		t.Errorf("Grants = %+v, %v; want the last use at %v", grants, err, later)
	}
}

func testForget(t *testing.T, s store.Store, c *clock) {
	ctx := t.Context()
	forget := func() {
		t.Helper()
		if err := s.Forget(ctx, c.now().Add(-90*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	known := func(id string) bool { _, err := s.Client(ctx, id); return err == nil }
	mustAdd(t, s, apiToken("ci"))
	for _, id := range []string{"never", "once", "still"} {
		if err := s.AddClient(ctx, store.Client{ID: id}, 10); err != nil {
			t.Fatal(err)
		}
	}
	_, lapsed := granted(t, s, c, "once")
	c.advance(time.Microsecond)
	g, code := granted(t, s, c, "still")
	long := refreshOf("long", c)
	long.ExpiresAt = c.now().Add(200 * 24 * time.Hour)
	if err := s.Redeem(ctx, code, long); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(ctx, []store.Call{{At: c.now(), Tool: "old"}, {At: c.now().Add(24 * time.Hour), Tool: "newer"}}, nil); err != nil {
		t.Fatal(err)
	}
	forget()
	if !known("never") || !known("once") || !known("still") {
		t.Error("a client is gone at once")
	}
	c.advance(store.ClientUngranted + time.Second)
	forget()
	if known("never") || !known("once") {
		t.Errorf("after a day the client that nobody let in is known: %v, the other: %v", known("never"), known("once"))
	}
	c.advance(90*24*time.Hour - 12*time.Hour)
	forget()
	if known("once") || !known("still") {
		t.Errorf("after %v the unused client is known: %v, the one in use: %v", store.ClientKept, known("once"), known("still"))
	}
	_, err := s.Token(ctx, lapsed)
	wantError(t, "a code that expired long ago", err, store.ErrNotFound)
	if got, err := s.Token(ctx, long.Hash); err != nil || !got.Holds(c.now()) || got.Grant != g.ID {
		t.Errorf("a refresh token that holds: %+v, %v", got, err)
	}
	if calls, _, err := s.Calls(ctx, store.CallQuery{}); err != nil || len(calls) != 1 || calls[0].Tool != "newer" {
		t.Errorf("Calls = %+v, %v; want the newer one", calls, err)
	}
	if tokens, err := s.Tokens(ctx); err != nil || len(tokens) != 1 {
		t.Errorf("Tokens = %+v, %v; API tokens stay", tokens, err)
	}
}

func testAccessOutlivesImport(t *testing.T, s store.Store, c *clock) {
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
