package sqlite

import (
	"path/filepath"
	"testing"

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

// The index is one for all in the process who have the database open, since to
// close it ends the locks of all.
func TestWALIndexIsOpenOnce(t *testing.T) {
	one, other := openTwice(t)
	if one.tokens.index == nil || one.tokens.index != other.tokens.index {
		t.Fatalf("the indexes are %p and %p", one.tokens.index, other.tokens.index)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := one.tokens.index.header(); !ok {
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
