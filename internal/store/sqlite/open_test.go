package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// seed is what new databases of these tests are filled with.
func seed() store.Catalog { return storetest.Large(2, 30) }

// migrationsKnown is how many migrations there are.
func migrationsKnown(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func mustOpen(t *testing.T, cfg sqlite.Config) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func checkSummary(t *testing.T, db *sqlite.DB, want store.Summary) {
	t.Helper()
	if got, err := db.Summary(t.Context()); err != nil || got != want {
		t.Errorf("Summary = %+v, %v, want %+v", got, err, want)
	}
}

func TestOpenFillsANewDatabaseOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "文件 #1?.db")
	now := time.Date(2026, 11, 3, 4, 5, 6, 7000, time.UTC)
	db := mustOpen(t, sqlite.Config{Path: path, Now: func() time.Time { return now }, Seed: func() store.Catalog {
		c := seed()
		c.Levels[1].AsOf = time.Time{}
		return c
	}})
	checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
	level, err := db.Level(t.Context(), "shop-0000", "product-000001")
	if err != nil || !level.AsOf.Equal(now) {
		t.Errorf("level without a time is as of %v, %v, want that of loading, %v", level.AsOf, err, now)
	}
	if err := db.Load(t.Context(), storetest.Large(1, 3), false); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	again := mustOpen(t, sqlite.Config{Path: path, Seed: func() store.Catalog {
		t.Error("a database that was there is filled anew")
		return seed()
	}})
	checkSummary(t, again, store.Summary{Shops: 1, Products: 3})
}

func TestOpenLeavesANewDatabaseEmptyWithoutSeed(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "new.db")})
	checkSummary(t, db, store.Summary{})
}

func TestOpenTakesAnEmptyFileForNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
	checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
}

func TestOpenMakesAFileForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes")
	}
	dir := filepath.Join(t.TempDir(), "share", "mcpstore")
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(dir, "stock.db"), MakeDir: true, Seed: seed})
	defer db.Close()
	for name, want := range map[string]os.FileMode{"": 0o700, "stock.db": 0o600, "stock.db-wal": 0o600, "stock.db-shm": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has mode %o, want %o", name, got, want)
		}
	}
}

func TestOpenSeedsWhollyOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: func() store.Catalog {
		c := seed()
		c.Levels[len(c.Levels)-1].ShopID = "nowhere"
		return c
	}})
	if err == nil || !strings.Contains(err.Error(), `level of product "product-000029" in shop "nowhere": no such shop`) {
		t.Fatalf("Open with a seed that is wrong: %v", err)
	}
	db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
	checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
}

func TestOpenByManyAtOnceFillsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: seed})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
		})
	}
	wg.Wait()
}

// TestOpenRefuses holds what people read when a path cannot be opened, and that
// whatever was there stays as it was.
func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, path string)
		want string // of the error; PATH and DIR stand for the path and its folder
		hint string
	}{
		{
			name: "text file",
			make: func(t *testing.T, path string) { write(t, path, []byte("id,name\n1,茶葉蛋\n")) },
			want: "open database PATH: file is not a database",
			hint: "choose another path; the file was left as it is",
		},
		{
			name: "short file",
			make: func(t *testing.T, path string) { write(t, path, []byte("SQLite")) },
			want: "open database PATH: file is not a database",
			hint: "choose another path; the file was left as it is",
		},
		{
			name: "header only",
			make: func(t *testing.T, path string) {
				write(t, path, append([]byte("SQLite format 3\x00"), bytes.Repeat([]byte{7}, 5000)...))
			},
			want: "open database PATH: file is not a database",
			hint: "choose another path; the file was left as it is",
		},
		{
			name: "cut off",
			make: func(t *testing.T, path string) {
				made(t, path)
				b, _ := os.ReadFile(path)
				write(t, path, b[:len(b)/2])
			},
			want: "open database PATH: file is damaged: database disk image is malformed (11)",
			hint: "bring a backup back: mcpstore db restore FILE; the damaged file is kept",
		},
		{
			name: "schema overwritten",
			make: func(t *testing.T, path string) {
				made(t, path)
				b, _ := os.ReadFile(path)
				copy(b[100:4096], bytes.Repeat([]byte{0xA5}, 3996))
				write(t, path, b)
			},
			want: "open database PATH: file is damaged: database disk image is malformed (11)",
			hint: "bring a backup back: mcpstore db restore FILE; the damaged file is kept",
		},
		{
			name: "newer",
			make: func(t *testing.T, path string) {
				made(t, path)
				exec(t, path, `PRAGMA user_version = 99; PRAGMA journal_mode = DELETE`)
			},
			want: "open database PATH: database was made by a newer mcpstore",
			hint: fmt.Sprint("install the newest mcpstore: the database has version 99, this one knows ", migrationsKnown(t)),
		},
		{
			name: "another program's",
			make: func(t *testing.T, path string) { exec(t, path, `CREATE TABLE bookmarks (url TEXT)`) },
			want: "open database PATH: database belongs to another program",
			hint: "choose another path; the file was left as it is",
		},
		{
			name: "marked by another program",
			make: func(t *testing.T, path string) { exec(t, path, `PRAGMA application_id = 7; PRAGMA user_version = 1`) },
			want: "open database PATH: database belongs to another program",
			hint: "choose another path; the file was left as it is",
		},
		{
			name: "folder",
			make: func(t *testing.T, path string) {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
			},
			want: "open database PATH: is a folder",
			hint: "name a file in it, such as " + fmt.Sprintf("%q", "PATH/mcpstore.db"),
		},
		{
			name: "no folder",
			make: func(t *testing.T, path string) {
				if err := os.Remove(filepath.Dir(path)); err != nil {
					t.Fatal(err)
				}
			},
			want: "open database PATH: folder DIR does not exist",
			hint: "make it first, or check the path for a slip",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "stock.db")
			tt.make(t, path)
			before, _ := os.ReadFile(path)

			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: seed})
			if err == nil {
				db.Close()
				t.Fatal("Open succeeded")
			}
			plain := strings.NewReplacer(
				fmt.Sprintf("%q", path), "PATH", fmt.Sprintf("%q", dir), "DIR",
				fmt.Sprintf("%q", filepath.Join(path, "mcpstore.db")), `"PATH/mcpstore.db"`)
			if diff := cmp.Diff(tt.want, plain.Replace(err.Error())); diff != "" {
				t.Errorf("Open (-want +got):\n%s", diff)
			}
			var hinted interface {
				error
				Hint() string
			}
			if !errors.As(err, &hinted) {
				t.Errorf("Open: %v has no hint", err)
			} else if diff := cmp.Diff(tt.hint, plain.Replace(hinted.Hint())); diff != "" {
				t.Errorf("hint (-want +got):\n%s", diff)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("Open changed the file")
			}
		})
	}
}

func TestOpenWithoutAPathSaysSo(t *testing.T) {
	if _, err := sqlite.Open(t.Context(), sqlite.Config{}); err == nil || err.Error() != `open database "": no path is given` {
		t.Errorf("Open without a path: %v", err)
	}
}

// TestDamageThatIsFoundLaterIsNamed overwrites what Open does not read.
func TestDamageThatIsFoundLaterIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	made(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ {
		b[i] ^= 0x5A
	}
	write(t, path, b)
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err == nil {
		defer db.Close()
		_, err = db.Product(t.Context(), "product-000001")
	}
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("database %q: file is damaged", path)) {
		t.Errorf("reading a damaged page: %v", err)
	}
}

// made makes a database at path, in one file.
func made(t *testing.T, path string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileOfANewDatabaseHasItsDataWithoutTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: func() store.Catalog {
		return store.Catalog{Shops: []store.Shop{{ID: "s1", Name: "大安店"}}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := sqlite.Open(t.Context(), sqlite.Config{Path: copied})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Shop(t.Context(), "s1"); err != nil {
		t.Errorf("a copy made while the database is open: %v", err)
	}
}
