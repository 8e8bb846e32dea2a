package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// largeCatalog has what killedMove changes, among enough else to fill some pages.
func largeCatalog() store.Catalog {
	c := storetest.Large(3, 200)
	c.Shops = append(c.Shops, store.Shop{ID: "shop", Name: "小店"})
	c.Products = append(c.Products, store.Product{ID: "egg", Name: "茶葉蛋"})
	c.Levels = append(c.Levels, store.CatalogLevel{ShopID: "shop", ProductID: "egg", OnHand: 1000})
	return c
}

func openLarge(t *testing.T, path string, log *slog.Logger) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: path, Seed: largeCatalog, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// keysIn returns the keys of the changes that are in the database.
func keysIn(t *testing.T, db *DB) (keys []string) {
	t.Helper()
	rows, err := db.read.QueryContext(t.Context(), `SELECT key FROM deeds WHERE key != '' ORDER BY key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return keys
}

func checkWhole(t *testing.T, db *DB) {
	t.Helper()
	var found string
	if err := db.read.QueryRowContext(t.Context(), `PRAGMA integrity_check(1)`).Scan(&found); err != nil || found != "ok" {
		t.Errorf("integrity_check: %s, %v", found, err)
	}
	if found, err := db.Verify(t.Context(), 3); err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
}

// moveEggs makes changes with keys that begin with name.
func moveEggs(t *testing.T, db *DB, name string, n int) {
	t.Helper()
	for i := range n {
		if _, err := db.Move(t.Context(), killedMove(fmt.Sprintf("%s-%d", name, i))); err != nil {
			t.Fatal(err)
		}
	}
}

// filesBeside returns what is in the folder of path, but for the index of the log.
func filesBeside(t *testing.T, path string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(b)
	}
	return found
}

func copyOver(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600) // into the file that is there, as cp does
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBackupPutOverACrashedDatabaseIsNotDestroyed kills a process that has
// answered writes, copies or moves a backup over its database, and opens that.
func TestBackupPutOverACrashedDatabaseIsNotDestroyed(t *testing.T) {
	if path := os.Getenv(killedPath); path != "" {
		changeUntilKilled(t, path)
		return
	}
	backup := func(t *testing.T, path, to string) {
		db := openLarge(t, path, nil)
		if err := errors.Join(db.Backup(t.Context(), to), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	backups := map[string]func(t *testing.T, path, to string){
		"backup": backup,
		"backup that was opened since": func(t *testing.T, path, to string) {
			backup(t, path, to)
			if err := openLarge(t, to, nil).Close(); err != nil { // as db verify does
				t.Fatal(err)
			}
		},
		"plain copy": func(t *testing.T, path, to string) { copyOver(t, path, to) },
		"plain copy with its log": func(t *testing.T, path, to string) {
			db := openLarge(t, path, nil)
			moveEggs(t, db, "copied", 3)
			copyOver(t, path, to)
			copyOver(t, path+"-wal", to+"-wal")
			if err := errors.Join(openLarge(t, to, nil).Close(), db.Close()); err != nil {
				t.Fatal(err)
			}
		},
		"another shop's": func(t *testing.T, _, to string) {
			db := openLarge(t, to, nil)
			moveEggs(t, db, "another", 5)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
	}
	put := map[string]func(t *testing.T, from, to string){
		"cp": copyOver,
		"mv": func(t *testing.T, from, to string) {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, back := range backups {
		for how, put := range put {
			for _, writes := range []int{3, 150} { // before and after checkpoints
				t.Run(fmt.Sprintf("%s/%s/%d", name, how, writes), func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "stock.db")
					copied := filepath.Join(t.TempDir(), "copy.db")
					db := openLarge(t, path, nil)
					moveEggs(t, db, "before", 2)
					if err := db.Close(); err != nil {
						t.Fatal(err)
					}
					back(t, path, copied)
					was := openLarge(t, copied, nil)
					want := keysIn(t, was)
					if err := was.Close(); err != nil {
						t.Fatal(err)
					}
					if name == "backup" {
						os.Remove(copied)
						back(t, path, copied)
					}
					db = openLarge(t, path, nil)
					moveEggs(t, db, "after", 2)
					if err := db.Close(); err != nil {
						t.Fatal(err)
					}
					killAfter(t, path, writes)
					log, err := os.ReadFile(path + "-wal")
					if err != nil || len(log) == 0 {
						t.Fatalf("a killed process left no log: %v", err)
					}

					put(t, copied, path)
					var said bytes.Buffer
					for i := range 2 { // as found, and once more
						db := openLarge(t, path, slog.New(slog.NewTextHandler(&said, nil)))
						checkWhole(t, db)
						if diff := cmp.Diff(want, keysIn(t, db)); diff != "" {
							t.Errorf("opened %d times: changes (-of the backup +found):\n%s", i+1, diff)
						}
						if err := db.Close(); err != nil {
							t.Fatal(err)
						}
					}
					aside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "stock-foreign-*.db-wal"))
					if err != nil || len(aside) != 1 {
						t.Fatalf("files are %q, want one log set aside", slices.Collect(maps.Keys(filesBeside(t, path))))
					}
					if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, log) {
						t.Errorf("log that is set aside is not what it was: %v", err)
					}
					if strings.Count(said.String(), aside[0]) != 1 {
						t.Errorf("log names %q %d times, want once:\n%s", aside[0], strings.Count(said.String(), aside[0]), &said)
					}
				})
			}
		}
	}
}

// TestCopyFromWhichTheLogGoesOnGetsTheAnsweredWrites puts a copy back that is the
// very state that the log continues.
func TestCopyFromWhichTheLogGoesOnGetsTheAnsweredWrites(t *testing.T) {
	if path := os.Getenv(killedPath); path != "" {
		changeUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := openLarge(t, path, nil).Close(); err != nil {
		t.Fatal(err)
	}
	copyOver(t, path, copied)
	answered := killAfter(t, path, 5)
	copyOver(t, copied, path)
	db := openLarge(t, path, nil)
	checkWhole(t, db)
	found := keysIn(t, db)
	for _, key := range answered {
		if !slices.Contains(found, key) {
			t.Errorf("change %q was answered, and is gone", key)
		}
	}
}

// crashed is what a kill would leave at some moment.
type crashed struct {
	file, log []byte
	keys      []string
}

// TestLogFitsItsOwnFileAndNoOther makes changes, checkpoints that are complete and
// that are not, and restarts, and after each keeps what a kill would leave. The
// log of each moment fits the file of that moment; and where it fits another file,
// replaying it gives what was answered by the log's moment.
func TestLogFitsItsOwnFileAndNoOther(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stock.db")
	db := openLarge(t, path, nil)
	var moments []crashed
	keep := func() {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		moments = append(moments, crashed{file, log, keysIn(t, db)})
	}
	checkpoint := func(mode string) {
		if _, err := db.write.ExecContext(t.Context(), `PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(`+mode+`); PRAGMA busy_timeout = 5000`); err != nil {
			t.Fatal(err)
		}
	}
	var reader iter.Seq2[store.Row, error]
	stop := func() {}
	for i, step := range strings.Fields(`
		move passive move move passive move truncate move move pin move passive move unpin move
		passive move reopen move full move pin move passive move unpin move restart move move edit passive token move reopen edit passive edit move`) {
		switch step {
		case "move":
			moveEggs(t, db, fmt.Sprint("step", i), 1)
		case "edit":
			if _, err := db.EditShop(t.Context(), "shop", store.ShopEdit{Name: new(fmt.Sprint("店", i))}); err != nil {
				t.Fatal(err)
			}
		case "token":
			if _, err := db.Secret(t.Context(), "a secret"); err != nil {
				t.Fatal(err)
			}
		case "pin": // a reader keeps checkpoints from going on
			reader = db.Export(t.Context())
			var next func() (store.Row, error, bool)
			next, stop = iter.Pull2(reader)
			if _, err, _ := next(); err != nil {
				t.Fatal(err)
			}
		case "unpin":
			stop()
		case "reopen":
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openLarge(t, path, nil)
			continue
		default:
			checkpoint(step)
		}
		keep()
	}

	foreign, replayed := 0, 0
	for at, m := range moments {
		log, err := readWAL(bytes.NewReader(m.log))
		if err != nil {
			t.Fatal(err)
		}
		if log == nil {
			continue // emptied
		}
		for from, other := range moments {
			err := log.belongs(bytes.NewReader(other.file), int64(len(other.file)))
			switch {
			case err == nil:
			case err == errForeignLog && from != at:
				foreign++
				continue
			default:
				t.Errorf("log of moment %d and file of moment %d: %v", at, from, err)
				continue
			}
			if bytes.Equal(other.file, moments[max(from-1, 0)].file) && from != at && from > 0 {
				continue // was tried
			}
			replayed++
			both := filepath.Join(t.TempDir(), "stock.db")
			if err := errors.Join(os.WriteFile(both, other.file, 0o600), os.WriteFile(both+"-wal", m.log, 0o600)); err != nil {
				t.Fatal(err)
			}
			db := openLarge(t, both, nil)
			checkWhole(t, db)
			if diff := cmp.Diff(m.keys, keysIn(t, db)); diff != "" {
				t.Errorf("log of moment %d over file of moment %d: changes (-answered +found):\n%s", at, from, diff)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if foreign < len(moments) || replayed < len(moments)/2 {
		t.Errorf("of %d moments %d pairs are foreign and %d were replayed; the test is none", len(moments), foreign, replayed)
	}
}

// TestInDoubtNothingIsOpenedOrChanged has a file and a log of which SQLite would
// lose answered writes, or make a mix. Restore keeps both.
func TestInDoubtNothingIsOpenedOrChanged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stock.db")
	backup := filepath.Join(dir, "backup.db")
	db := openLarge(t, path, nil)
	moveEggs(t, db, "before", 2)
	if err := db.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	change := func(b []byte, do func(b []byte) []byte) []byte { return do(bytes.Clone(b)) }
	for _, tt := range []struct {
		name      string
		file, log []byte
		want      string
	}{
		{"no file", nil, log, "the file is gone, but its write-ahead log is there"},
		{"empty file", []byte{}, log, "the file is empty, but its write-ahead log is not"},
		{"text", []byte(strings.Repeat("milk and eggs\n", 999)), log, "file is not a database"},
		{"short text", []byte("milk"), log, "file is not a database"},
		{"file cut off", file[:len(file)/2], log, "file is damaged"},
		{"file cut off after its stamp", nil, log, "file is damaged: it is cut off"},
		{"header of the file", change(file, func(b []byte) []byte { b[18] = 9; return b }), log, "file is damaged in its header"},
		{"stamp of the file", change(file, func(b []byte) []byte { return bytes.ReplaceAll(b, stampMark, make([]byte, len(stampMark))) }), log, "file is damaged: a row that every database has is missing"},
		{"size of pages", change(file, func(b []byte) []byte { b[16] = 4; return b }), log, "file and write-ahead log have pages of different sizes"},
		{"magic of the log", file, change(log, func(b []byte) []byte { b[0]++; return b }), "the write-ahead log cannot be used: its header is damaged"},
		{"checksum of the log", file, change(log, func(b []byte) []byte { b[30]++; return b }), "the write-ahead log cannot be used: its header is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stock.db")
			if strings.HasSuffix(tt.name, "after its stamp") {
				at := bytes.LastIndex(file, stampMark)
				tt.file = file[:at/4096*4096+4096]
			}
			if tt.file != nil {
				if err := os.WriteFile(path, tt.file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path+"-wal", tt.log, 0o600); err != nil {
				t.Fatal(err)
			}
			before := filesBeside(t, path)
			db, err := Open(t.Context(), Config{Path: path, Seed: largeCatalog})
			if err == nil {
				db.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open: %v, want %s", err, tt.want)
			}
			if u, ok := errors.AsType[*unusable](err); ok && !strings.Contains(u.Hint(), "mcpstore db restore FILE") {
				t.Errorf("hint is %q", u.Hint())
			}
			if diff := cmp.Diff(before, filesBeside(t, path)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}

			if _, err := Restore(t.Context(), backup, path); err != nil {
				t.Fatal(err)
			}
			kept := slices.Collect(maps.Values(filesBeside(t, path)))
			if !slices.Contains(kept, string(tt.log)) || tt.file != nil && !slices.Contains(kept, string(tt.file)) {
				t.Errorf("the file and the log that were there are not kept")
			}
			restored := openLarge(t, path, nil)
			checkWhole(t, restored)
			if got := keysIn(t, restored); len(got) != 2 {
				t.Errorf("restored: changes %q", got)
			}
		})
	}
}

// TestLogWithNothingCommittedIsNoLog has what a loss of power leaves of a log that
// was never synced: nothing in it was answered.
func TestLogWithNothingCommittedIsNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openLarge(t, path, nil)
	moveEggs(t, db, "before", 1)
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	want := keysIn(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string][]byte{
		"empty": {}, "zeros": make([]byte, 9000), "header": log[:32], "half a header": log[:20],
		"half a frame": log[:2000], "no commit": log[:32+24+4096],
	} {
		if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
			t.Fatal(err)
		}
		db := openLarge(t, path, nil)
		checkWhole(t, db)
		if diff := cmp.Diff(want, keysIn(t, db)); diff != "" {
			t.Errorf("%s: changes (-want +got):\n%s", name, diff)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCopyFromBeforeStampsIsNotMixedWithALog puts a file of an earlier version, in
// WAL mode, beside a log of this one.
func TestCopyFromBeforeStampsIsNotMixedWithALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openLarge(t, path, nil)
	moveEggs(t, db, "before", 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openLarge(t, path, nil)
	moveEggs(t, db, "lost", 1)
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	pool, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(t.Context(), fmt.Sprintf(`UPDATE log_stamp SET mark = zeroblob(16); DROP TABLE log_stamp; VACUUM; PRAGMA user_version = %d`, stampedSince-1)); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := settleLog(path, db.now(), slog.New(slog.NewTextHandler(&said, nil))); err != nil || !strings.Contains(said.String(), "stock-foreign-") {
		t.Errorf("a log beside a file from before there were stamps: %v\n%s", err, &said)
	}
}

// TestJournalOfAKilledRestoreIsRolledBackIntoItsOwnFileOnly kills a restore when it
// has written half, and puts a backup in the place of what it left.
func TestJournalOfAKilledRestoreIsRolledBackIntoItsOwnFileOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	backup := filepath.Join(t.TempDir(), "backup.db")
	db := openLarge(t, path, nil)
	moveEggs(t, db, "old", 2)
	was := keysIn(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	other := openLarge(t, filepath.Join(t.TempDir(), "other.db"), nil)
	moveEggs(t, other, "backup", 5)
	want := keysIn(t, other)
	if err := errors.Join(other.Backup(t.Context(), backup), other.Close()); err != nil {
		t.Fatal(err)
	}
	copied, discard, err := checkedCopy(t.Context(), backup, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer discard()
	pool, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := holdAlone(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := continueStamp(t.Context(), conn, copied); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), `PRAGMA cache_size = 5`); err != nil { // so that pages go to the disk early
		t.Fatal(err)
	}
	type image struct{ file, journal []byte }
	var images []image
	err = conn.Raw(func(c any) error {
		b, err := c.(backuper).NewRestore(fileURI(copied))
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if more, err = b.Step(10); !more {
				break
			}
			file, _ := os.ReadFile(path)
			journal, _ := os.ReadFile(path + "-journal")
			images = append(images, image{file, journal})
		}
		return errors.Join(err, b.Finish())
	})
	if err != nil || len(images) < 3 {
		t.Fatalf("%d images, %v", len(images), err)
	}
	put := func(file, journal []byte) (path string) {
		path = filepath.Join(t.TempDir(), "stock.db")
		if err := errors.Join(os.WriteFile(path, file, 0o600), os.WriteFile(path+"-journal", journal, 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	made, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	mixed := 0
	for i, at := range images {
		db := openLarge(t, put(at.file, at.journal), nil)
		checkWhole(t, db)
		if diff := cmp.Diff(was, keysIn(t, db)); diff != "" {
			t.Errorf("image %d: changes (-before +rolled back):\n%s", i, diff)
		}
		if !bytes.Contains(at.journal, stampMark) {
			continue // as long as nothing is overwritten but pages that were free
		}
		mixed++
		path := put(made, at.journal)
		db = openLarge(t, path, nil)
		checkWhole(t, db)
		if diff := cmp.Diff(want, keysIn(t, db)); diff != "" {
			t.Errorf("backup over image %d: changes (-backup +found):\n%s", i, diff)
		}
		aside, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "stock-foreign-*.db-journal"))
		if kept, err := os.ReadFile(slices.Concat(aside, []string{""})[0]); err != nil || !bytes.Equal(kept, at.journal) {
			t.Errorf("backup over image %d: journal set aside is %q, %v", i, aside, err)
		}
	}
	if mixed == 0 {
		t.Error("no image has a journal that would be rolled back into the backup")
	}
}

// TestLogOfAVacuumIsReplayed has a log that leaves a smaller file than there is.
func TestLogOfAVacuumIsReplayed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	other, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, query := range []string{
		`CREATE TABLE more (x BLOB)`, `INSERT INTO more VALUES (zeroblob(1000000))`, `PRAGMA wal_checkpoint(TRUNCATE)`,
		`DROP TABLE more`, `VACUUM`,
	} {
		if _, err := other.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Move(t.Context(), delivery("after")); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "stock.db")
	copyOver(t, path, killed)
	copyOver(t, path+"-wal", killed+"-wal")
	again := openLarge(t, killed, nil)
	if l, err := again.Level(t.Context(), "shop", "egg"); err != nil || l != must(db.Level(t.Context(), "shop", "egg")) {
		t.Errorf("level %+v, %v, want what was answered last", l, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestLogOfAnEarlierVersionIsReplayed has a database that an earlier version, which
// wrote no stamps, was killed with.
func TestLogOfAnEarlierVersionIsReplayed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	oldDatabase(t, path, 3)
	pool, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.ExecContext(t.Context(), `UPDATE products SET unit = '顆'`); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "stock.db")
	copyOver(t, path, killed)
	copyOver(t, path+"-wal", killed+"-wal")
	db := openLarge(t, killed, nil)
	checkWhole(t, db)
	if p, err := db.Product(t.Context(), "egg"); err != nil || p.Unit != "顆" {
		t.Errorf("product: %+v, %v, want what was changed last", p, err)
	}
}

// TestEveryWriteRenewsTheStamp holds that no change of any kind leaves two states
// with one stamp.
func TestEveryWriteRenewsTheStamp(t *testing.T) {
	db := openLarge(t, filepath.Join(t.TempDir(), "stock.db"), nil)
	stampOf := func() (current string) {
		t.Helper()
		if err := db.read.QueryRowContext(t.Context(), `SELECT hex(current) FROM log_stamp`).Scan(&current); err != nil {
			t.Fatal(err)
		}
		return current
	}
	rows := func(yield func(store.Row, error) bool) {
		yield(store.Row{Shop: store.Shop{Name: "小店"}, Product: store.Product{Name: "茶葉蛋"}, Quantity: new(int64(7))}, nil)
	}
	for _, tt := range []struct {
		name  string
		write func(ctx context.Context) error
	}{ // in this order: the last ones replace the stock that the first ones change
		{"move", func(ctx context.Context) error { _, err := db.Move(ctx, killedMove("a")); return err }},
		{"edit", func(ctx context.Context) error {
			_, err := db.EditShop(ctx, "shop", store.ShopEdit{Name: new("大店")})
			return err
		}},
		{"secret", func(ctx context.Context) error { _, err := db.Secret(ctx, "name"); return err }},
		{"load", func(ctx context.Context) error { return db.Load(ctx, largeCatalog(), false) }},
		{"import", func(ctx context.Context) error { _, err := db.Import(ctx, rows, store.ImportOptions{}); return err }},
		{"lapse", func(context.Context) error { return db.writeLapse() }},
		{"token", func(ctx context.Context) error { return db.SetPassphrase(ctx, "hash") }},
	} {
		before := stampOf()
		if err := tt.write(t.Context()); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if stampOf() == before {
			t.Errorf("%s does not renew the stamp", tt.name)
		}
	}
}
