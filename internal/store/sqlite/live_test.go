package sqlite_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// contents returns the files in the folder of path, but for the index of the log.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range filesOf(t, path) {
		if strings.HasSuffix(name, "-shm") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(b)
	}
	return found
}

// TestDatabasePutUnderALiveProcessIsRefusedUntilThatIsGone puts a backup where
// another process has the database open. Nothing may open it as long as that is
// so; and what the process leaves when it is killed is not replayed into it.
func TestDatabasePutUnderALiveProcessIsRefusedUntilThatIsGone(t *testing.T) {
	if path := os.Getenv(holdPath); path != "" {
		db := mustOpen(t, sqlite.Config{Path: path})
		if _, err := db.Move(t.Context(), store.Move{ShopID: "shop-0000", ProductID: "product-000001", Delta: 5, Reason: store.Delivery}); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin) // until it is killed
		return
	}
	backup, want := backedUp(t)
	data, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(t *testing.T, path string){
		"cp": func(t *testing.T, path string) { write(t, path, data) },
		"mv": func(t *testing.T, path string) {
			write(t, path+".new", data)
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
		"rm": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stock.db")
			made(t, path)
			p, _, out := sqlite.RunAgain(t, holdPath, path)
			if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
				t.Fatal(err)
			}
			put(t, path)
			before := contents(t, path)
			if len(before["stock.db-wal"]) == 0 {
				t.Error("the process has written nothing")
			}
			for range 2 {
				db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: seed})
				if err == nil {
					db.Close()
				}
				if err == nil || !strings.Contains(err.Error(), "the file was replaced while another mcpstore has the one before open") {
					t.Errorf("Open while another process has the database open: %v", err)
				}
				var hinted interface{ Hint() string }
				if errors.As(err, &hinted) && !strings.Contains(hinted.Hint(), "mcpstore db restore FILE") {
					t.Errorf("hint is %q", hinted.Hint())
				}
				if _, err := sqlite.Restore(t.Context(), backup, path); err == nil {
					t.Error("Restore succeeded while another process has the database open")
				}
			}
			if diff := cmp.Diff(before, contents(t, path)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}

			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			p.Wait()
			if name == "rm" {
				if _, err := sqlite.Restore(t.Context(), backup, path); err != nil {
					t.Fatal(err)
				}
			}
			db := mustOpen(t, sqlite.Config{Path: path})
			checkVerified(t, db)
			if diff := cmp.Diff(want, exported(t, db)); diff != "" {
				t.Errorf("rows (-backup +opened):\n%s", diff)
			}
			kept := false
			for _, b := range contents(t, path) {
				kept = kept || b == before["stock.db-wal"]
			}
			if !kept {
				t.Errorf("the log that the process left is not kept: there are %q", filesOf(t, path))
			}
		})
	}
}

// TestSecondProcessOpensWhatAnotherHasOpen holds that a database that is in use is
// not taken for one that was put there.
func TestSecondProcessOpensWhatAnotherHasOpen(t *testing.T) {
	if path := os.Getenv(holdPath); path != "" {
		db := mustOpen(t, sqlite.Config{Path: path})
		if _, err := db.Move(t.Context(), store.Move{ShopID: "shop-0000", ProductID: "product-000001", Delta: 5, Reason: store.Delivery}); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin)
		checkVerified(t, db)
		return
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	made(t, path)
	p, in, out := sqlite.RunAgain(t, holdPath, path)
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		db := mustOpen(t, sqlite.Config{Path: path})
		if _, err := db.Move(t.Context(), store.Move{ShopID: "shop-0000", ProductID: "product-000001", Delta: 5, Reason: store.Delivery}); err != nil {
			t.Fatal(err)
		}
		checkVerified(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	in.Close()
	if said, _ := io.ReadAll(out); p.Wait() != nil {
		t.Errorf("the other process: %s", said)
	}
}
