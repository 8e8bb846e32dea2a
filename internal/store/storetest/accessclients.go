package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testClients(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	want := store.Client{ID: "client-1", Name: "ChatGPT", RedirectURIs: []string{"https://chatgpt.com/a", "http://127.0.0.1/b"}, URI: "https://chatgpt.com", Scope: "stock:read"}
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
	c.advance(store.ClientFresh - time.Second)
	wantError(t, "one too many, a moment early", s.AddClient(ctx, store.Client{ID: "client-3"}, 2), store.ErrFull)
	granted(t, s, c, "client-1")
	if got, err = s.Client(ctx, "client-1"); err != nil || got.LastUsed != c.now() {
		t.Errorf("after a grant Client = %+v, %v", got, err)
	}
	if err := s.AddClient(ctx, store.Client{ID: "client-3"}, 2); err != nil {
		t.Errorf("one that was let in counts still: %v", err)
	}

	// Those that nobody let in make room, the oldest first.
	c.advance(2 * time.Second)
	if err := s.AddClient(ctx, store.Client{ID: "client-4"}, 2); err != nil {
		t.Errorf("there is no room for a client, though one is no longer fresh: %v", err)
	}
	_, err = s.Client(ctx, "client-2")
	wantError(t, "the oldest client that nobody let in", err, store.ErrNotFound)
	for _, id := range []string{"client-1", "client-3", "client-4"} {
		if _, err := s.Client(ctx, id); err != nil {
			t.Errorf("Client(%s) = %v", id, err)
		}
	}
	wantError(t, "one too many fresh ones", s.AddClient(ctx, store.Client{ID: "client-5"}, 2), store.ErrFull)
}

func testPassphrase(t *testing.T, s Backend, _ *clock) {
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

func testAttempts(t *testing.T, s Backend, c *clock) {
	ctx := t.Context()
	try := func(name string, want time.Duration) {
		t.Helper()
		if wait, err := s.Locked(ctx, name, 2, time.Minute); err != nil || wait != want {
			t.Errorf("Locked(%q) = %v, %v; want %v", name, wait, err, want)
		}
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
	for _, name := range []string{"a", "nobody"} {
		if err := s.Uncount(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	try("a", 0)
	try("a", time.Minute)
	for range 5 { // no more than were made
		if err := s.Uncount(ctx, "a"); err != nil {
			t.Fatal(err)
		}
	}
	try("a", 0)
	try("a", 0)
	try("a", time.Minute)
	c.advance(time.Minute)
	try("a", 0)
	try("b", 0)
	try("b", 0)
	if err := s.SetPassphrase(ctx, "another"); err != nil {
		t.Fatal(err)
	}
	try("b", 0)
}

func testAttemptsAtOnce(t *testing.T, s Backend, _ *clock) {
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

// testAttemptsOfTheFuture sets the clock back, which must not keep the owner
// out until it has caught up.
func testAttemptsOfTheFuture(t *testing.T, s Backend, c *clock) {
	for range 2 {
		if wait, err := s.Attempt(t.Context(), "a", 1, time.Minute); err != nil || wait != 0 {
			t.Errorf("Attempt = %v, %v; want no wait", wait, err)
		}
		if wait, err := s.Attempt(t.Context(), "a", 1, time.Minute); err != nil || wait != time.Minute {
			t.Errorf("the second Attempt = %v, %v; want a minute's wait", wait, err)
		}
		c.advance(-30 * 24 * time.Hour)
	}
}
