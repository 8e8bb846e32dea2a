package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Whoever has the URL of an open server could otherwise fill a disk.
func TestTheAuditLogIsBounded(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "shop.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const more = 3 * forgetRows / 2
	now := time.Now().UnixMicro()
	if _, err := db.write.ExecContext(t.Context(), `
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO calls (at, caller, name, client, address, tool, arguments, outcome, took)
		SELECT ?2, CASE WHEN i % 1000 = 1 THEN 'token:1' ELSE '' END, '', '', '', 'check_stock', '{}', 'ok', 1 FROM n`,
		store.StrangersCallsKept+more, now); err != nil {
		t.Fatal(err)
	}
	if err := db.Forget(t.Context(), time.Time{}, time.Hour); err != nil {
		t.Fatal(err)
	}
	var strangers, known, oldest int
	if err := db.queryRow(t.Context(), `SELECT sum(caller = ''), sum(caller <> ''), min(CASE WHEN caller = '' THEN num END) FROM calls`).Scan(&strangers, &known, &oldest); err != nil {
		t.Fatal(err)
	}
	if want := (store.StrangersCallsKept + more) / 1000; strangers > store.StrangersCallsKept || strangers < store.StrangersCallsKept*99/100 || known < want || oldest <= more {
		t.Errorf("kept %d of strangers and %d of known callers, the oldest of a stranger being %d", strangers, known, oldest)
	}
}

// What was sealed for a refresh token's window is on the disk no longer than the
// window: the next renewal of anybody's removes it, or else Forget.
func TestWhatIsSealedForAWindowGoesWithIt(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "shop.db"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	add := func(kind store.TokenKind, secret string) store.Token {
		return store.Token{Kind: kind, Hash: store.HashOf(secret), Scopes: store.ScopeRead, ExpiresAt: now.Add(24 * time.Hour)}
	}
	renew := func(old, access, refresh string) {
		t.Helper()
		if _, err := db.Renew(t.Context(), store.HashOf(old), store.Renewal{
			Access: add(store.AccessToken, access), Refresh: add(store.RefreshToken, refresh), Sealed: []byte("sealed"),
		}); err != nil {
			t.Fatal(err)
		}
	}
	wantSealed := func(when string, want int) {
		t.Helper()
		var got int
		if err := db.queryRow(t.Context(), `SELECT count(*) FROM tokens WHERE successor IS NOT NULL`).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d successors are kept (%v), want %d", when, got, err, want)
		}
	}
	for _, client := range []string{"one", "two"} {
		if _, err := db.AddGrant(t.Context(), store.Grant{ClientID: client}, add(store.RefreshToken, client+"/r0")); err != nil {
			t.Fatal(err)
		}
	}
	renew("one/r0", "one/a1", "one/r1")
	now = now.Add(store.RenewWindow - time.Second)
	if err := db.Forget(t.Context(), now, time.Hour); err != nil {
		t.Fatal(err)
	}
	wantSealed("within the window", 1)
	now = now.Add(time.Second)
	renew("two/r0", "two/a1", "two/r1")
	wantSealed("after the window of the first", 1)
	now = now.Add(store.RenewWindow)
	if err := db.Forget(t.Context(), now, time.Hour); err != nil {
		t.Fatal(err)
	}
	wantSealed("after both windows", 0)
}
