package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// openTwice opens one file as two processes would.
func openTwice(t *testing.T) (one, other *DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.db")
	for _, db := range []**DB{&one, &other} {
		var err error
		if *db, err = Open(t.Context(), Config{Path: path, Seed: demo.Catalog}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*db).Close() })
	}
	return one, other
}

func TestWhatAnyoneRevokesCountsAtOnce(t *testing.T) {
	one, other := openTwice(t)
	ctx := t.Context()
	for range 50 {
		token, err := other.AddToken(ctx, store.Token{Kind: store.APIToken, Name: "ci", Hash: store.HashOf(t.Name()), Scopes: store.ScopeRead})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // remembered from the second on
			if got, err := one.Token(ctx, token.Hash); err != nil || !got.RevokedAt.IsZero() {
				t.Fatalf("Token = %+v, %v", got, err)
			}
		}
		if err := other.RevokeToken(ctx, token.ID); err != nil {
			t.Fatal(err)
		}
		if got, err := one.Token(ctx, token.Hash); err != nil || got.RevokedAt.IsZero() {
			t.Fatalf("after it was revoked Token = %+v, %v", got, err)
		}
		if _, err := other.write.Exec(`DELETE FROM tokens`); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTokensAreRemembered(t *testing.T) {
	one, other := openTwice(t)
	ctx := t.Context()
	hash := store.HashOf(t.Name())
	if _, err := one.AddToken(ctx, store.Token{Kind: store.APIToken, Name: "ci", Hash: hash}); err != nil {
		t.Fatal(err)
	}
	remembered := func() bool {
		t.Helper()
		_, _, ok := one.tokens.get(hash)
		return ok
	}
	if remembered() {
		t.Error("remembered before anybody asked")
	}
	if _, err := one.Token(ctx, hash); err != nil || !remembered() {
		t.Errorf("Token = %v, remembered: %v", err, remembered())
	}
	if _, err := other.Move(ctx, store.Move{ShopID: "koko-xinyi", ProductID: "tea-egg", Delta: 1, Reason: store.Delivery}); err != nil {
		t.Fatal(err)
	}
	if remembered() {
		t.Error("remembered after somebody wrote")
	}
}

// TestOwnWritesLeaveWhatIsRemembered records calls and moves stock, as happens
// all the time: neither names nor tokens are looked up anew for that.
func TestOwnWritesLeaveWhatIsRemembered(t *testing.T) {
	one, other := openTwice(t)
	ctx := t.Context()
	var tokens []store.Token
	for _, name := range []string{"used", "unused"} {
		token, err := one.AddToken(ctx, store.Token{Kind: store.APIToken, Name: name, Hash: store.HashOf(name)})
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name                string
		do                  func() error
		names, used, unused bool // are remembered afterwards
	}{
		{"calls", func() error { return one.Record(ctx, []store.Call{{At: at, Tool: "check_stock"}}, nil) }, true, true, true},
		{"last use", func() error { return one.Record(ctx, nil, map[int64]time.Time{tokens[0].ID: at}) }, true, false, true},
		{"movement", func() error { return move(ctx, one) }, true, true, true},
		{"attempt", func() error { _, err := one.Attempt(ctx, "x", 1, time.Hour); return err }, true, true, true},
		{"attempt that is refused", func() error { _, err := one.Attempt(ctx, "x", 1, time.Hour); return err }, true, true, true},
		{"revocation", func() error { return one.RevokeToken(ctx, tokens[0].ID) }, true, false, false},
		{"another's movement", func() error { return move(ctx, other) }, false, false, false},
		{"another's calls", func() error { return other.Record(ctx, []store.Call{{At: at}}, nil) }, false, false, false},
		{"own calls after another's", func() error {
			if err := other.Record(ctx, []store.Call{{At: at}}, nil); err != nil {
				return err
			}
			return one.Record(ctx, []store.Call{{At: at}}, nil)
		}, false, false, false},
	} {
		look := func() uint64 {
			one.recent.checking.Lock()
			defer one.recent.checking.Unlock()
			one.recent.check()
			return one.recent.version.Load()
		}
		for _, token := range tokens {
			if _, err := one.Token(ctx, token.Hash); err != nil {
				t.Fatal(err)
			}
		}
		version := look()
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		names := look() == version
		_, _, used := one.tokens.get(tokens[0].Hash)
		_, _, unused := one.tokens.get(tokens[1].Hash)
		if names != tt.names || used != tt.used || unused != tt.unused {
			t.Errorf("after %s names, the token used and the other are remembered: %v, %v, %v; want %v, %v, %v",
				tt.name, names, used, unused, tt.names, tt.used, tt.unused)
		}
	}
	if got, err := one.Token(ctx, tokens[0].Hash); err != nil || !got.LastUsed.Equal(at) {
		t.Errorf("Token = %+v, %v; want it used at %v", got, err, at)
	}
}

func move(ctx context.Context, db *DB) error {
	_, err := db.Move(ctx, store.Move{ShopID: "koko-xinyi", ProductID: "tea-egg", Delta: 1, Reason: store.Delivery})
	return err
}

// TestTokensOfALinkedDatabase opens a database by a symbolic link, beside which
// lies what SQLite does not look at.
func TestTokensOfALinkedDatabase(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "shop.db"), filepath.Join(dir, "link.db")
	other, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := os.Symlink(path, link); err != nil {
		t.Skip("there are no symbolic links here:", err)
	}
	left, err := os.ReadFile(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(link+"-shm", left, 0o600); err != nil {
		t.Fatal(err)
	}
	one, err := Open(t.Context(), Config{Path: link})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	token, err := one.AddToken(t.Context(), store.Token{Kind: store.APIToken, Name: "ci", Hash: store.HashOf("x")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := one.Token(t.Context(), token.Hash); err != nil || !got.RevokedAt.IsZero() {
		t.Fatalf("Token = %+v, %v", got, err)
	}
	if err := other.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := one.Token(t.Context(), token.Hash); err != nil || got.RevokedAt.IsZero() {
		t.Errorf("after it was revoked Token = %+v, %v", got, err)
	}
}

// The index is one for all in the process who have the database open, since to
// close it ends the locks of all.
func TestWALIndexIsOpenOnce(t *testing.T) {
	one, other := openTwice(t)
	if one.index == nil || one.index != other.index {
		t.Fatalf("the indexes are %p and %p", one.index, other.index)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := one.index.header(); !ok {
		t.Error("the index went with the first who closed it")
	}
}

func BenchmarkToken(b *testing.B) {
	db, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "shop.db"), Seed: demo.Catalog})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	hash := store.HashOf(b.Name())
	if _, err := db.AddToken(b.Context(), store.Token{Kind: store.APIToken, Name: "ci", Hash: hash}); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	index := db.tokens.index
	for name, use := range map[string]*walIndex{"remembered": index, "looked-up": nil} {
		b.Run(name, func(b *testing.B) {
			db.tokens.index = use
			defer func() { db.tokens.index = index }()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Token(ctx, hash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
