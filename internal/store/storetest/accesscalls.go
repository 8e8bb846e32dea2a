package storetest

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testCalls(t *testing.T, s Backend, c *clock) {
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

func testCallsOfChanges(t *testing.T, s Backend, c *clock) {
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

func testLastUsed(t *testing.T, s Backend, c *clock) {
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

func testForget(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	forget := func() {
		t.Helper()
		if err := s.Forget(ctx, c.now(), 90*24*time.Hour); err != nil {
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

// testCallTexts records a call whose texts are too long, and no texts.
func testCallTexts(t *testing.T, s Backend, c *clock) {
	long := strings.Repeat("長", 1<<16)
	call := store.Call{At: c.now(), Caller: long, Name: "caf\xe9", Client: long, Address: long, Tool: long, Arguments: long, Outcome: long}
	if err := s.Record(t.Context(), []store.Call{call}, nil); err != nil {
		t.Fatal(err)
	}
	calls, _, err := s.Calls(t.Context(), store.CallQuery{})
	if err != nil || len(calls) != 1 {
		t.Fatalf("Calls = %d calls, %v", len(calls), err)
	}
	got := calls[0]
	if got.Name != "caf" {
		t.Errorf("the name is kept as %q", got.Name)
	}
	for what, text := range map[string]string{"caller": got.Caller, "client": got.Client, "address": got.Address,
		"tool": got.Tool, "arguments": got.Arguments, "outcome": got.Outcome} {
		if !utf8.ValidString(text) || len(text) == 0 || len(text) > 16<<10 || !strings.HasSuffix(text, "長…") {
			t.Errorf("the %s is kept in %d bytes and ends with %q", what, len(text), text[max(0, len(text)-8):])
		}
	}
}

// testForgetRevokedGrants has a revoked grant gone, with its tokens, once
// nobody could be told that it was.
func testForgetRevokedGrants(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	g, code := granted(t, s, c, "one")
	refresh := refreshOf("r", c)
	refresh.ExpiresAt = time.Time{}
	if err := s.Redeem(ctx, code, refresh); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeGrant(ctx, g.ID); err != nil {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		if err := s.Forget(ctx, c.now(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(store.TokenKept)
	forget()
	if got, err := s.Token(ctx, refresh.Hash); err != nil || got.RevokedAt.IsZero() {
		t.Errorf("before its time Token = %+v, %v", got, err)
	}
	wantError(t, "its code again", s.Redeem(ctx, code), store.ErrSpent)
	c.advance(time.Second)
	forget()
	_, err := s.Token(ctx, refresh.Hash)
	wantError(t, "Token", err, store.ErrNotFound)
	wantError(t, "RevokeGrant", s.RevokeGrant(ctx, g.ID), store.ErrNotFound)
}
