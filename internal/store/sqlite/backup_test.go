package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// exported returns all that a store says of itself.
func exported(t *testing.T, s store.Store) []store.Row {
	t.Helper()
	var rows []store.Row
	for r, err := range s.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

func checkVerified(t *testing.T, s store.Store) {
	t.Helper()
	found, err := s.Verify(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		t.Errorf("verify: %v", d)
	}
}

// filesOf returns the names of all files in the folder of path.
func filesOf(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBackupWhileOthersWriteIsOneMoment(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: func() store.Catalog { return storetest.Large(20, 100) }})
	ctx, cancel := context.WithCancel(t.Context())
	writing, done := make(chan struct{}), make(chan error)
	go func() {
		for i := 0; ; i++ {
			_, err := db.Move(ctx, store.Move{ShopID: "shop-0003", ProductID: "product-000007", Delta: 1, Reason: store.Delivery})
			if i == 0 {
				close(writing)
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	<-writing
	for i := range 3 {
		path := filepath.Join(t.TempDir(), "a copy #1?.db")
		if err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if names := filesOf(t, path); len(names) != 1 {
			t.Errorf("backup %d left %q", i, names)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("backup %d: %v, %v, want a file of mode 600", i, info.Mode(), err)
		}
		copied := mustOpen(t, sqlite.Config{Path: path})
		checkVerified(t, copied)
		checkSummary(t, copied, store.Summary{Shops: 20, Products: 100, Demo: true})
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestBackupRefuses(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: seed})
	dir := t.TempDir()
	there := filepath.Join(dir, "there.db")
	write(t, there, []byte("precious"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx  context.Context
		path string
		want string
	}{
		{t.Context(), there, "there is such a file already"},
		{t.Context(), filepath.Join(dir, "nowhere", "copy.db"), `folder "` + dir + `/nowhere" does not exist`},
		{t.Context(), "", "no path is given"},
		{ended, filepath.Join(dir, "copy.db"), "context canceled"},
	} {
		err := db.Backup(tt.ctx, tt.path)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Backup to %q: %v, want %s", tt.path, err, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"there.db"}, filesOf(t, there)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if b, _ := os.ReadFile(there); string(b) != "precious" {
		t.Errorf("the file that was there is %q", b)
	}
}
