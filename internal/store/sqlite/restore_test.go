package sqlite_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// backedUp returns a backup of the demo data, and what was exported of it.
func backedUp(t *testing.T) (path string, rows []store.Row) {
	t.Helper()
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: demo.Catalog})
	path = filepath.Join(t.TempDir(), "backup.db")
	if err := db.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path, exported(t, db)
}

func TestRestorePutsTheBackupInPlaceAndKeepsWhatWas(t *testing.T) {
	backup, want := backedUp(t)
	before, _ := os.ReadFile(backup)
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
	if _, err := db.Move(t.Context(), store.Move{ShopID: "shop-0000", ProductID: "product-000001", Delta: 5, Reason: store.Delivery}); err != nil {
		t.Fatal(err)
	}
	was := exported(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	kept, err := sqlite.Restore(t.Context(), backup, path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(filepath.Base(kept), "stock-before-restore-20") || filepath.Dir(kept) != filepath.Dir(path) {
		t.Errorf("the old database is kept as %q", kept)
	}
	if diff := cmp.Diff([]string{filepath.Base(kept), "stock.db"}, filesOf(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	restored, old := mustOpen(t, sqlite.Config{Path: path}), mustOpen(t, sqlite.Config{Path: kept})
	checkVerified(t, restored)
	checkVerified(t, old)
	if diff := cmp.Diff(want, exported(t, restored)); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(was, exported(t, old)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if after, _ := os.ReadFile(backup); string(before) != string(after) {
		t.Error("the backup is not what it was")
	}
	if diff := cmp.Diff([]string{"backup.db"}, filesOf(t, backup)); diff != "" {
		t.Errorf("files beside the backup (-want +got):\n%s", diff)
	}
}

func TestRestoreToWhereThereIsNothing(t *testing.T) {
	backup, want := backedUp(t)
	path := filepath.Join(t.TempDir(), "new", "stock.db")
	kept, err := sqlite.Restore(t.Context(), backup, path)
	if err != nil || kept != "" {
		t.Fatalf("Restore = %q, %v, want nothing kept", kept, err)
	}
	if diff := cmp.Diff(want, exported(t, mustOpen(t, sqlite.Config{Path: path}))); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}

// TestRestoreOverADamagedDatabase damages it in ways that SQLite notices sooner
// and later; what its log holds must not come over the new one.
func TestRestoreOverADamagedDatabase(t *testing.T) {
	backup, want := backedUp(t)
	for name, damage := range map[string]func(b []byte) []byte{
		"no header":  func(b []byte) []byte { clear(b[:100]); return b },
		"cut off":    func(b []byte) []byte { return b[:len(b)/2] },
		"overwrites": func(b []byte) []byte { clear(b[8192:]); return b },
		"a text": func(b []byte) []byte {
			return []byte("not a database at all, and longer than a header of one hundred bytes is: this is a text that somebody saved")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stock.db")
			made(t, path)
			b, _ := os.ReadFile(path)
			b = damage(b)
			write(t, path, b)
			write(t, path+"-wal", []byte("of the old one"))
			kept, err := sqlite.Restore(t.Context(), backup, path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(kept); err != nil {
				t.Errorf("what was there is not kept: %v", err)
			}
			restored := mustOpen(t, sqlite.Config{Path: path})
			checkVerified(t, restored)
			if diff := cmp.Diff(want, exported(t, restored)); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRestoreIsRefused(t *testing.T) {
	backup, _ := backedUp(t)
	damaged := func(t *testing.T, change string) string {
		path, _ := backedUp(t)
		exec(t, path, change)
		return path
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	b, _ := os.ReadFile(backup)
	write(t, broken, b[:len(b)/2])
	text := filepath.Join(t.TempDir(), "text.db")
	write(t, text, []byte("店名,品名\n"))
	foreign := filepath.Join(t.TempDir(), "bookmarks.db")
	exec(t, foreign, `CREATE TABLE bookmarks (url TEXT)`)
	for _, tt := range []struct {
		name, from, to string // to is a new database if empty
		want           string
	}{
		{"no backup", filepath.Join(t.TempDir(), "nothing.db"), "", "there is no such backup"},
		{"no database", text, "", "the backup is not a database"},
		{"cut off", broken, "", "file is damaged"},
		{"another program's", foreign, "", "database belongs to another program"},
		{"over another program's", backup, foreign, "the database belongs to another program"},
		{"newer", damaged(t, `PRAGMA user_version = 99`), "", "database was made by a newer mcpstore"},
		{"doctored", damaged(t, `UPDATE levels SET on_hand = on_hand + 1 WHERE product = (SELECT min(product) FROM levels)`), "",
			"the backup is damaged: product "},
		{"itself", backup, backup, "the backup is the database itself"},
		{"folder", t.TempDir(), "", "the backup is not a file"},
		{"nothing", "", "", "no path is given"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.to
			if path == "" {
				path = filepath.Join(t.TempDir(), "stock.db")
				made(t, path)
			}
			before, _ := os.ReadFile(path)
			files := filesOf(t, path)
			kept, err := sqlite.Restore(t.Context(), tt.from, path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || kept != "" {
				t.Errorf("Restore = %q, %v, want %s", kept, err, tt.want)
			}
			if err != nil && !errors.As(err, new(interface {
				error
				Hint() string
			})) {
				t.Errorf("Restore: %v has no hint", err)
			}
			if after, _ := os.ReadFile(path); string(before) != string(after) {
				t.Error("the database is not what it was")
			}
			if diff := cmp.Diff(files, filesOf(t, path)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}
		})
	}
}

// TestRestoreOfADamagedBackup restores what opens, and names what is wrong first.
func TestRestoreOfADamagedBackup(t *testing.T) {
	for _, tt := range []struct{ name, damage, want string }{
		{"nothing wrong", `SELECT 1`, ``},
		{"level", `UPDATE levels SET on_hand = on_hand + 1 WHERE product = (SELECT min(product) FROM levels)`, `on hand: the ledger says`},
		{"names that do not parse", `UPDATE products SET names = 'x' WHERE num = (SELECT min(num) FROM products)`, `its names do not parse`},
		{"trigger", `DROP TRIGGER levels_update`, `trigger levels_update: is not there`},
		{"what a copy made anew would not have", `PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'reserved BETWEEN 0 AND on_hand', 'reserved > 1000') WHERE name = 'levels'`, `levels`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, _ := backedUp(t)
			exec(t, backup, tt.damage)
			path := filepath.Join(t.TempDir(), "stock.db")
			made(t, path)
			var told string
			kept, err := sqlite.RestoreDamaged(t.Context(), backup, path, 10, func(found []store.Discrepancy) {
				for _, d := range found {
					told += d.String() + "\n"
				}
				if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*-before-restore-*")); err != nil || len(files) > 0 {
					t.Errorf("it is told of after %v, %v", files, err)
				}
			})
			if err != nil || kept == "" {
				t.Fatalf("RestoreDamaged: %q, %v", kept, err)
			}
			if !strings.Contains(told, tt.want) || (told == "") != (tt.want == "") {
				t.Errorf("it names %q, want %q", told, tt.want)
			}
			if err := mustOpen(t, sqlite.Config{Path: path}).Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	backup, _ := backedUp(t)
	b, _ := os.ReadFile(backup)
	write(t, backup, b[:len(b)/2])
	path := filepath.Join(t.TempDir(), "stock.db")
	if _, err := sqlite.RestoreDamaged(t.Context(), backup, path, 10, func([]store.Discrepancy) {}); err == nil {
		t.Error("half a file was restored")
	} else if _, err := os.Stat(path); err == nil {
		t.Error("half a file was put in place")
	}
}

func TestRestoreIsRefusedWhileTheDatabaseIsOpen(t *testing.T) {
	backup, _ := backedUp(t)
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
	if _, err := sqlite.Restore(t.Context(), backup, path); err == nil || !strings.Contains(err.Error(), "the database is in use") {
		t.Errorf("Restore over an open database: %v", err)
	}
	if _, err := db.Move(t.Context(), store.Move{ShopID: "shop-0000", ProductID: "product-000001", Delta: 5, Reason: store.Delivery}); err != nil {
		t.Errorf("writing afterwards: %v", err)
	}
	checkVerified(t, db)
}

// What tells a process what it is to do, and where.
const (
	holdPath    = "MCPSTORE_TEST_HOLD"
	restorePath = "MCPSTORE_TEST_RESTORE"
)

func TestRestoreIsRefusedWhileAnIdleProcessHasTheDatabase(t *testing.T) {
	if path := os.Getenv(holdPath); path != "" {
		db := mustOpen(t, sqlite.Config{Path: path})
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	backup, want := backedUp(t)
	path := filepath.Join(t.TempDir(), "stock.db")
	made(t, path)
	p, in, out := sqlite.RunAgain(t, holdPath, path)
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), backup, path); err == nil || !strings.Contains(err.Error(), "the database is in use") {
		t.Errorf("Restore over a database that another process has: %v", err)
	}
	in.Close()
	io.ReadAll(out)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), backup, path); err != nil {
		t.Fatalf("Restore once it is free: %v", err)
	}
	if diff := cmp.Diff(want, exported(t, mustOpen(t, sqlite.Config{Path: path}))); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}

// TestRestoreThatIsKilledLeavesTheOldOrTheNew kills processes that restore, at
// moments that move through the time that it takes.
func TestRestoreThatIsKilledLeavesTheOldOrTheNew(t *testing.T) {
	if path := os.Getenv(restorePath); path != "" {
		os.Stdout.WriteString("ready\n")
		if _, err := sqlite.Restore(t.Context(), filepath.Join(filepath.Dir(path), "backup.db"), path); err != nil {
			t.Error(err)
		}
		return
	}
	dir := t.TempDir()
	sizes := []store.Catalog{storetest.Large(3, 40), storetest.Large(5, 60)}
	source := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "source.db")})
	if err := source.Load(t.Context(), sizes[1], false); err != nil {
		t.Fatal(err)
	}
	if err := source.Backup(t.Context(), filepath.Join(dir, "backup.db")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "stock.db")
	var took time.Duration
	for i := range 6 {
		db := mustOpen(t, sqlite.Config{Path: path})
		if err := db.Load(t.Context(), sizes[0], false); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		p, _, out := sqlite.RunAgain(t, restorePath, path)
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if i > 0 {
			time.AfterFunc(took*time.Duration(i)/6, func() { p.Process.Kill() })
		}
		io.ReadAll(out)
		if i == 0 {
			took = time.Since(began)
		}
		p.Wait()

		db = mustOpen(t, sqlite.Config{Path: path})
		checkVerified(t, db)
		got, err := db.Summary(t.Context())
		if err != nil || got.Shops != 3 && got.Shops != 5 || got.Shops == 3 && got.Products != 40 || got.Shops == 5 && got.Products != 60 {
			t.Errorf("killed after %d: %+v, %v", i, got, err)
		}
		for _, name := range filesOf(t, path) {
			if strings.HasPrefix(name, ".") {
				t.Errorf("killed after %d: %q is left", i, name)
			}
		}
		db.Close()
	}
}
