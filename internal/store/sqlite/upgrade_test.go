package sqlite

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// oldDatabase makes a database at path as a version of the program left it that had
// so many migrations.
func oldDatabase(t *testing.T, path string, version int) {
	t.Helper()
	pool, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for i, name := range migrationNames(t)[:version] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		queries := []string{string(text)}
		if i == 0 {
			queries = append(queries, `PRAGMA journal_mode = WAL`, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID),
				`INSERT INTO catalog VALUES (1, 0, 1700000000000000)`,
				`INSERT INTO shops (num, id, name, chain, place, address, hours, aliases, texts, address_text)
					VALUES (5, 'a', '甲', 0, 1, '', '', '[]', '甲', '')`,
				`INSERT INTO shop_keys VALUES ('甲', 5), ('a', 5)`,
				`INSERT INTO products VALUES (7, 'egg', '', '蛋', '{}', '[]', '', '', '', '', '[]', 0)`,
				`INSERT INTO product_keys VALUES ('蛋', 7), ('egg', 7)`,
				`INSERT INTO product_index VALUES (1, 7, '', '蛋')`,
				`INSERT INTO product_grams (rowid, grams) VALUES (1, '蛋')`,
				`INSERT INTO levels VALUES (7, 5, 0, 1, 10, 3, 1700000001000000)`)
		}
		for _, query := range append(queries, fmt.Sprintf(`PRAGMA user_version = %d`, i+1)) {
			if _, err := pool.ExecContext(t.Context(), query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
	}
}

func migrationNames(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// schemaOf returns what a database says of itself: its version, its tables and how
// many rows are in them.
func schemaOf(t *testing.T, path string) (text []string) {
	t.Helper()
	pool, err := connect(path, 1, "mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var version, id int
	if err := pool.QueryRowContext(t.Context(), `SELECT user_version, application_id FROM pragma_user_version, pragma_application_id`).Scan(&version, &id); err != nil {
		t.Fatal(err)
	}
	text = []string{fmt.Sprint(id, " version ", version)}
	rows, err := pool.QueryContext(t.Context(), `SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var kind, name, query string
		if err := rows.Scan(&kind, &name, &query); err != nil {
			t.Fatal(err)
		}
		text = append(text, query)
		if kind == "table" && name != "product_grams" { // which cannot be counted
			tables = append(tables, name)
		}
	}
	for _, table := range tables {
		n := 0
		if err := pool.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		text = append(text, fmt.Sprint(table, " ", n))
	}
	return text
}

func TestUpgradeBeginsWithABackupThatTheOldVersionReads(t *testing.T) {
	for version := 1; version < len(migrationNames(t)); version++ {
		path := filepath.Join(t.TempDir(), "my shop.db")
		oldDatabase(t, path, version)
		want := schemaOf(t, path)
		var said bytes.Buffer
		now := time.Date(2026, 12, 1, 14, 5, 6, 0, time.Local)
		db, err := Open(t.Context(), Config{Path: path, Log: slog.New(slog.NewTextHandler(&said, nil)), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		checkWhole(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(filepath.Dir(path), "my shop-before-upgrade-20261201-140506.db")
		if !strings.Contains(said.String(), fmt.Sprintf("%q", backup)) {
			t.Errorf("the log does not name %q:\n%s", backup, &said)
		}
		if info, err := os.Stat(backup); err != nil {
			t.Fatal(err)
		} else if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("the backup has mode %o, want 600", info.Mode().Perm())
		}
		if diff := cmp.Diff(want, schemaOf(t, backup)); diff != "" {
			t.Errorf("from version %d: backup (-database before +backup):\n%s", version, diff)
		}
		if names := namesIn(t, path); len(names) != 2 {
			t.Errorf("files are %q, want the database and its backup", names)
		}

		// It is brought back like any other, and needs no second backup.
		restored := filepath.Join(t.TempDir(), "restored.db")
		if _, err := Restore(t.Context(), backup, restored); err != nil {
			t.Fatal(err)
		}
		db, err = Open(t.Context(), Config{Path: restored})
		if err != nil {
			t.Fatal(err)
		}
		checkWhole(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"restored.db"}, namesIn(t, restored)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	}
}

func namesIn(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestNewDatabaseNeedsNoBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	if err := openLarge(t, path, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"stock.db"}, namesIn(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestUpgradeThatCannotBeDoneChangesNothing has a backup that cannot be made, and a
// migration that fails, which leaves no backup either: each start would leave one.
func TestUpgradeThatCannotBeDoneChangesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"damaged index": {
			spoil: func(t *testing.T, path string) {
				spoil(t, path, `CREATE INDEX extra ON products (name)`, `PRAGMA writable_schema = ON`,
					`UPDATE sqlite_schema SET sql = 'CREATE INDEX extra ON products (id)' WHERE name = 'extra'`)
			},
			want: "the database is damaged: ",
		},
		"migration fails": {
			spoil: func(t *testing.T, path string) { spoil(t, path, `CREATE TABLE log_stamp (x)`) },
			want:  "log_stamp",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stock.db")
			oldDatabase(t, path, 3)
			tt.spoil(t, path)
			before := filesBeside(t, path)
			for range 2 {
				var said bytes.Buffer
				db, err := Open(t.Context(), Config{Path: path, Log: slog.New(slog.NewTextHandler(&said, nil))})
				if err == nil {
					db.Close()
				}
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Open: %v, want %s", err, tt.want)
				}
				if said.Len() > 0 {
					t.Errorf("log tells of an upgrade that was not made:\n%s", &said)
				}
				if diff := cmp.Diff(before, filesBeside(t, path)); diff != "" {
					t.Errorf("files (-before +after):\n%s", diff)
				}
			}
		})
	}
}

func spoil(t *testing.T, path string, queries ...string) {
	t.Helper()
	pool, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, query := range queries {
		if _, err := pool.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// upgradePath tells a process that it is one of those of
// [TestUpgradeByProcessesAtOnceMakesOneBackup].
const upgradePath = "MCPSTORE_TEST_UPGRADE"

// TestUpgradeByProcessesAtOnceMakesOneBackup runs itself in several processes, which
// open the same old database at the same moment.
func TestUpgradeByProcessesAtOnceMakesOneBackup(t *testing.T) {
	if path := os.Getenv(upgradePath); path != "" {
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin) // until all are
		db, err := Open(t.Context(), Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		checkWhole(t, db)
		return
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	oldDatabase(t, path, 2)
	RunAtOnce(t, 4, upgradePath, path)
	backups := slices.DeleteFunc(namesIn(t, path), func(name string) bool { return !strings.Contains(name, "before-upgrade") })
	if len(backups) != 1 {
		t.Errorf("backups are %q, want one", backups)
	}
}
