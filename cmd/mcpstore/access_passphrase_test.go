package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

func TestPassphraseResetLiftsTheLockAndKeepsThePassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const hash = "$argon2id$kept"
	if err := db.SetPassphrase(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	try := func() time.Duration {
		t.Helper()
		wait, err := db.Attempt(t.Context(), "passphrase", 1, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	try()
	if try() == 0 {
		t.Fatal("attempts are not counted")
	}
	for args, want := range map[string]int{"--reset": exitDone, "--reset --remove": exitCalled} {
		var out bytes.Buffer
		args := append([]string{"access", "passphrase", "--db", path}, strings.Fields(args)...)
		if code := run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &out); code != want {
			t.Errorf("%q = %d, want %d\n%s", args, code, want, &out)
		}
	}
	if wait := try(); wait != 0 {
		t.Errorf("after --reset the next attempt is in %v", wait)
	}
	if got, err := db.Passphrase(t.Context()); got != hash || err != nil {
		t.Errorf("the passphrase became %q, %v", got, err)
	}
}
