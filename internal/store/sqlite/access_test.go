package sqlite

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// revokePath tells a process that it is the one of
// [TestAnotherProcessRevokes].
const revokePath = "MCPSTORE_TEST_REVOKE"

// TestAnotherProcessRevokes runs itself as a process that revokes a token, as
// the command does.
func TestAnotherProcessRevokes(t *testing.T) {
	path := os.Getenv(revokePath)
	revoke := path != ""
	if !revoke {
		path = filepath.Join(t.TempDir(), "shop.db")
	}
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if revoke {
		tokens, err := db.Tokens(t.Context())
		if err != nil || len(tokens) != 1 {
			t.Fatalf("Tokens = %+v, %v", tokens, err)
		}
		if err := db.RevokeToken(t.Context(), tokens[0].ID); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("revoked\n")
		io.ReadAll(os.Stdin) // the database stays open until the other has asked
		return
	}
	hash := store.HashOf(t.Name())
	if _, err := db.AddToken(t.Context(), store.Token{Kind: store.APIToken, Name: "ci", Hash: hash}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := db.Token(t.Context(), hash); err != nil || !got.RevokedAt.IsZero() {
			t.Fatalf("Token = %+v, %v", got, err)
		}
	}
	p, in, out := RunAgain(t, revokePath, path)
	said := make([]byte, len("revoked\n"))
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "revoked\n" {
		rest, _ := io.ReadAll(out)
		t.Fatalf("the other process: %v\n%s%s", err, said, rest)
	}
	if got, err := db.Token(t.Context(), hash); err != nil || got.RevokedAt.IsZero() {
		t.Errorf("after another process revoked it Token = %+v, %v", got, err)
	}
	in.Close()
	io.ReadAll(out)
	if err := p.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
}

// TestBackupHasWhoMayAsk looks for a token and a call in a backup.
func TestBackupHasWhoMayAsk(t *testing.T) {
	db, _ := openTwice(t)
	ctx := t.Context()
	token, err := db.AddToken(ctx, store.Token{Kind: store.APIToken, Name: "ci", Hash: store.HashOf("x"), Scopes: store.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Record(ctx, []store.Call{{Tool: "check_stock"}}, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := db.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	backup, err := Open(ctx, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if got, err := backup.Token(ctx, token.Hash); err != nil || got.ID != token.ID || !got.Holds(time.Now()) {
		t.Errorf("Token = %+v, %v", got, err)
	}
	if calls, _, err := backup.Calls(ctx, store.CallQuery{}); err != nil || len(calls) != 1 {
		t.Errorf("Calls = %+v, %v", calls, err)
	}
}
