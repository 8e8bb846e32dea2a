package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// quick is a pace at which tests need not wait.
var quick = pace{look: 5 * time.Millisecond, trial: 10 * time.Millisecond, patient: 50 * time.Millisecond}

// syncBuffer is a buffer that a log may be written to while it is read.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func eggs() store.Catalog {
	return store.Catalog{
		Shops:    []store.Shop{{ID: "shop", Name: "小店"}},
		Products: []store.Product{{ID: "egg", Name: "茶葉蛋"}},
		Levels:   []store.CatalogLevel{{ShopID: "shop", ProductID: "egg", OnHand: 1000}},
	}
}

func openEggs(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: path, Seed: eggs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func delivery(key string) store.Move {
	return store.Move{ShopID: "shop", ProductID: "egg", Delta: 1, Reason: store.Delivery, Once: store.Once{Key: key}}
}

// await waits until ok, which it must become.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// keysOf returns the keys of the changes in the database at path, which it also
// verifies.
func keysOf(t *testing.T, path string) map[string]bool {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if found, err := db.Verify(t.Context(), 1); err != nil || len(found) > 0 {
		t.Errorf("verify %q: %v, %v", path, found, err)
	}
	rows, err := db.read.QueryContext(t.Context(), `SELECT key FROM deeds`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keys := map[string]bool{}
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		keys[key] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return keys
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNothingAnsweredIsLostWhenTheFileIsReplaced takes the file away while several
// write, and looks for everything that was answered in what was rescued.
func TestNothingAnsweredIsLostWhenTheFileIsReplaced(t *testing.T) {
	for _, c := range []struct {
		name string
		away func(t *testing.T, path, other string) // other is a database of its own
		back bool                                   // other is at path afterwards
	}{
		{"removed", func(t *testing.T, path, _ string) { remove(t, path) }, false},
		{"removed with its log", func(t *testing.T, path, _ string) { remove(t, path, path+"-wal", path+"-shm") }, false},
		{"log removed", func(t *testing.T, path, _ string) { remove(t, path+"-wal") }, false},
		{"index removed", func(t *testing.T, path, _ string) { remove(t, path+"-shm") }, false},
		{"renamed", func(t *testing.T, path, _ string) { rename(t, path, path+".old") }, false},
		{"replaced", func(t *testing.T, path, other string) { rename(t, other, path) }, true},
		{"replaced with its log", func(t *testing.T, path, other string) {
			remove(t, path+"-wal", path+"-shm")
			rename(t, other, path)
		}, true},
		{"folder renamed", func(t *testing.T, path, _ string) {
			rename(t, filepath.Dir(path), filepath.Dir(path)+".old")
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path, other := filepath.Join(dir, "stock.db"), filepath.Join(dir, "other.db")
			if db := openEggs(t, other); db.Close() != nil {
				t.Fatal("cannot make another database")
			}
			before, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			db := openEggs(t, path)
			var log syncBuffer
			// A slow disk may hold the write lock for longer than quick allows.
			db.guard(slog.New(slog.NewTextHandler(&log, nil)), pace{look: quick.look, trial: quick.trial, patient: time.Minute})
			if err := db.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}

			var mu sync.Mutex
			answered, again := map[string]bool{}, []string{}
			var wg sync.WaitGroup
			for w := range 4 {
				wg.Go(func() {
					for i := 0; ; i++ {
						key := fmt.Sprintf("%d-%d", w, i)
						_, err := db.Move(t.Context(), delivery(key))
						if err == nil {
							mu.Lock()
							answered[key] = true
							mu.Unlock()
							continue
						}
						if !errors.Is(err, store.ErrReplaced) || errors.Is(err, store.ErrUncertain) {
							t.Errorf("a change failed with %v, want %v", err, store.ErrReplaced)
						}
						// It may have been committed just before the file went. One that
						// begins now may not.
						key += " again"
						if _, err := db.Move(t.Context(), delivery(key)); !errors.Is(err, store.ErrReplaced) {
							t.Errorf("a change after one that was refused: %v, want %v", err, store.ErrReplaced)
						}
						mu.Lock()
						again = append(again, key)
						mu.Unlock()
						return
					}
				})
			}
			await(t, "changes", func() bool { mu.Lock(); defer mu.Unlock(); return len(answered) >= 40 })
			c.away(t, path, other)
			wg.Wait()

			if err := db.Ping(t.Context()); !errors.Is(err, store.ErrReplaced) {
				t.Errorf("Ping = %v, want %v", err, store.ErrReplaced)
			}
			if _, err := db.Move(t.Context(), delivery("late")); !errors.Is(err, store.ErrReplaced) {
				t.Errorf("a later change: %v, want %v", err, store.ErrReplaced)
			}
			await(t, "rescue", func() bool { return strings.Contains(log.String(), "saved and verified") })
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			saved, err := filepath.Glob(path + ".rescued-*")
			if above, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "stock.db.rescued-*")); len(above) > 0 {
				saved = above // the folder was gone
			}
			if err != nil || len(saved) != 1 || !strings.Contains(log.String(), "rescued="+saved[0]) {
				t.Fatalf("rescued %q, %v; want one file, named in the log:\n%s", saved, err, &log)
			}
			keys := keysOf(t, saved[0])
			for key := range answered {
				if !keys[key] {
					t.Errorf("change %q was answered, and is not in the rescued file", key)
				}
			}
			for _, key := range append(again, "late") {
				if keys[key] {
					t.Errorf("change %q began after the file was gone, and is in the rescued file", key)
				}
			}
			if n := strings.Count(log.String(), "hint="); n != 2 {
				t.Errorf("%d lines say what to do, want one of the fault and one of the rescue:\n%s", n, &log)
			}
			if after, err := os.ReadFile(path); c.back && (err != nil || !bytes.Equal(after, before)) {
				t.Errorf("the file that took the place was changed: %v", err)
			}
		})
	}
}

func remove(t *testing.T, paths ...string) {
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func rename(t *testing.T, from, to string) {
	if err := os.Rename(from, to); err != nil {
		t.Error(err)
	}
}

// A new connection would open the new file, and a closing one remove its log.
func TestAFileThatTookThePlaceIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stock.db")
	db := openEggs(t, path)
	db.guard(slog.New(slog.DiscardHandler), quick)
	rename(t, path, path+".old")
	remove(t, path+"-wal", path+"-shm")
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.WriteFile(name, []byte("somebody's"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// More readers at once than are connected.
	for range 2 * db.read.Stats().MaxOpenConnections {
		conn, err := db.read.Conn(t.Context())
		if errors.Is(err, store.ErrReplaced) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for _, err := range []error{
		db.Backup(t.Context(), filepath.Join(dir, "backup.db")),
		db.Watch(t.Context(), func(store.Changes) {}),
		second(db.Verify(t.Context(), 1)),
		second(db.Import(t.Context(), func(func(store.Row, error) bool) {}, store.ImportOptions{})),
		db.Load(t.Context(), eggs(), false),
		db.AddClient(t.Context(), store.Client{ID: "c"}, 10),
	} {
		if !errors.Is(err, store.ErrReplaced) {
			t.Errorf("= %v, want %v", err, store.ErrReplaced)
		}
	}
	db.Close()
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if b, err := os.ReadFile(name); err != nil || string(b) != "somebody's" {
			t.Errorf("%q holds %q, %v", name, b, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A file that comes back is the same one, and nothing was written meanwhile.
func TestAFileThatComesBackIsWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	db.guard(slog.New(slog.DiscardHandler), quick)
	rename(t, path, path+".old")
	if _, err := db.Move(t.Context(), delivery("away")); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("while it is away: %v, want %v", err, store.ErrReplaced)
	}
	rename(t, path+".old", path)
	await(t, "readiness", func() bool { return db.Ping(t.Context()) == nil })
	if _, err := db.Move(t.Context(), delivery("back")); err != nil {
		t.Error(err)
	}
	db.Close()
	if keys := keysOf(t, path); keys["away"] || !keys["back"] {
		t.Errorf("changes %v, want the one after", keys)
	}
}

// A backup that is copied over the file has the file's own name and number.
func TestAFileThatIsOverwrittenIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "stock.db"), filepath.Join(dir, "backup.db")
	db := openEggs(t, path)
	if err := db.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	for i := range 5 { // in the log
		if _, err := db.Move(t.Context(), delivery(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	// Over the file as it is, so that what is mapped stays there.
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Move(t.Context(), delivery("lost")); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("= %v, want %v", err, store.ErrReplaced)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("Ping = %v, want %v", err, store.ErrReplaced)
	}
	if _, err := db.Level(t.Context(), "shop", "egg"); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("a question: %v, want %v", err, store.ErrReplaced)
	}
	// Nor is what the log holds written into the backup at the end.
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after[:len(b)], b) {
		t.Errorf("the backup that was copied over the file was changed: %v", err)
	}
}

func TestALogThatIsCutIsNotWritten(t *testing.T) {
	for _, size := range []int64{0, 32, 5000} {
		path := filepath.Join(t.TempDir(), "stock.db")
		db := openEggs(t, path)
		var log syncBuffer
		db.guard(slog.New(slog.NewTextHandler(&log, nil)), quick)
		for i := range 5 {
			if _, err := db.Move(t.Context(), delivery(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Truncate(path+"-wal", size); err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); err == nil {
			t.Errorf("with %d bytes of the log left, Ping returns no error", size)
		}
		if _, err := db.Move(t.Context(), delivery("lost")); !errors.Is(err, store.ErrReplaced) {
			t.Errorf("with %d bytes of the log left, a change: %v, want %v", size, err, store.ErrReplaced)
		}
		// The connection that wrote it still knows what it wrote.
		await(t, "rescue", func() bool { return strings.Contains(log.String(), "saved and verified") })
		saved, err := filepath.Glob(path + ".rescued-*")
		if err != nil || len(saved) != 1 {
			t.Fatalf("rescued %q, %v", saved, err)
		}
		keys := keysOf(t, saved[0])
		for i := range 5 {
			if !keys[fmt.Sprint(i)] {
				t.Errorf("with %d bytes of the log left, change %d is not in the rescued file", size, i)
			}
		}
	}
}

func TestAFileThatIsCutIsNotWritten(t *testing.T) {
	for _, keep := range []int64{2, 0} { // pages
		path := filepath.Join(t.TempDir(), "stock.db")
		db := openEggs(t, path)
		var log syncBuffer
		db.guard(slog.New(slog.NewTextHandler(&log, nil)), quick)
		for i := range 5 {
			if _, err := db.Move(t.Context(), delivery(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Truncate(path, keep*4096); err != nil {
			t.Fatal(err)
		}
		// What was in memory is not enough to go on with.
		if _, err := db.Move(t.Context(), delivery("lost")); !errors.Is(err, store.ErrReplaced) {
			t.Errorf("with %d pages left, a change: %v, want %v", keep, err, store.ErrReplaced)
		}
		if err := db.Ping(t.Context()); !errors.Is(err, store.ErrReplaced) {
			t.Errorf("with %d pages left, Ping = %v, want %v", keep, err, store.ErrReplaced)
		}
		if _, err := db.Verify(t.Context(), 10); err == nil {
			t.Errorf("with %d pages left, Verify finds nothing wrong", keep)
		}
		await(t, "rescue", func() bool { return strings.Contains(log.String(), "rescued") })
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		// What was answered is in the log, which must not go.
		f, err := os.Open(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if content, err := readWAL(f); err != nil || content == nil {
			t.Errorf("with %d pages left, the log has %v, %v; want what was answered", keep, content, err)
		}
	}
}

// The file is shorter then, and whole.
func TestAFileThatIsVacuumedIsNotTakenForCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	other, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i, query := range []string{
		`CREATE TABLE more (x BLOB)`, `INSERT INTO more VALUES (zeroblob(1000000))`, `PRAGMA wal_checkpoint(TRUNCATE)`,
		`DROP TABLE more`, `VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`,
	} {
		if _, err := other.Exec(query); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Move(t.Context(), delivery(fmt.Sprint(i))); err != nil {
			t.Errorf("after %s: %v", query, err)
		}
	}
}

// A checkpoint of another process's may empty the log at any time.
func TestALogThatACheckpointEmptiesIsNotTakenForCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	other, err := connect(path, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			if _, err := other.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := 0; ; i++ {
		if _, err := db.Move(t.Context(), delivery(fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
		if err := db.inPlace(); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// holdWriteLock has another connection hold the write lock until the test lets go.
func holdWriteLock(t *testing.T, path string) (letGo func()) {
	t.Helper()
	pool, err := connect(path, 1, "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	letGo = sync.OnceFunc(func() { tx.Rollback(); pool.Close() })
	t.Cleanup(letGo)
	return letGo
}

func TestEveryWriterIsAnsweredWhileSomethingElseHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	letGo := holdWriteLock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			_, err := db.Move(ctx, delivery(fmt.Sprint(i)))
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUncertain) {
				t.Errorf("writer %d: %v, want a no at the deadline", i, err)
			}
		})
	}
	wg.Wait()
	letGo()
	if _, err := db.Move(t.Context(), delivery("free")); err != nil {
		t.Error(err)
	}
	db.Close()
	if keys := keysOf(t, path); len(keys) != 2 || !keys["free"] { // and that of loading
		t.Errorf("changes %v, want only the one after the lock was free", keys)
	}
}

func TestAWriteIsAnsweredAtOnceWhenItIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	// The first change prepares statements, for which it must not wait in turn.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	turn := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	err := db.Update(ctx, func(tx ledger.Tx) error {
		if _, _, err := tx.Level("shop", "egg", ""); err != nil {
			return err
		}
		wg.Go(func() { // the next in turn keeps the connection
			conn, err := db.write.Conn(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			<-turn
		})
		await(t, "a writer that waits", func() bool { return db.write.Stats().WaitCount > 0 })
		return nil
	})
	close(turn)
	if err != nil {
		t.Error(err)
	}
}

func TestAQuestionWaitsForAConnectionUntilItsDeadline(t *testing.T) {
	db := openEggs(t, filepath.Join(t.TempDir(), "stock.db"))
	if _, err := db.Level(t.Context(), "shop", "egg"); err != nil {
		t.Fatal(err)
	}
	for range db.read.Stats().MaxOpenConnections {
		conn, err := db.read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := db.Level(ctx, "shop", "egg"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Level = %v, want %v", err, context.DeadlineExceeded)
	}
	if err := db.Ping(ctx); err == nil {
		t.Error("Ping returns no error while nothing can be read")
	}
}

func TestReadinessFollowsTheWriteLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	var log syncBuffer
	db.guard(slog.New(slog.NewTextHandler(&log, nil)), quick)
	letGo := holdWriteLock(t, path)
	await(t, "not ready", func() bool { return errors.Is(db.Ping(t.Context()), store.ErrBusy) })
	await(t, "the log", func() bool { return strings.Contains(log.String(), "cannot be used") })
	if _, err := db.Level(t.Context(), "shop", "egg"); err != nil {
		t.Errorf("reading while something else writes: %v", err)
	}
	letGo()
	await(t, "ready", func() bool { return db.Ping(t.Context()) == nil })
	await(t, "the log", func() bool { return strings.Contains(log.String(), "can be used again") })
	if n := strings.Count(log.String(), "cannot be used"); n != 1 {
		t.Errorf("it was logged %d times:\n%s", n, &log)
	}
}

// limitPages keeps the database from growing.
func limitPages(t *testing.T, db *DB, most int) {
	t.Helper()
	ctx := context.Background()
	for _, of := range []interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}{db.write, db.anchor.conn} {
		if _, err := of.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, most)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDatabaseIsADefiniteNo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := openEggs(t, path)
	db.guard(slog.New(slog.DiscardHandler), pace{look: 5 * time.Millisecond, trial: time.Hour, patient: time.Minute})
	limitPages(t, db, 1) // as many as there are
	var full string
	for i := 0; full == ""; i++ {
		key := fmt.Sprint(i)
		if _, err := db.Move(t.Context(), delivery(key)); err != nil {
			if !errors.Is(err, store.ErrDiskFull) || errors.Is(err, store.ErrUncertain) || !strings.Contains(err.Error(), "the disk is full; nothing was changed") {
				t.Fatalf("= %v, want %v", err, store.ErrDiskFull)
			}
			full = key
			if text := db.failed("record", errors.Join(store.ErrUncertain, err)).Error(); !strings.Contains(text, store.ErrUncertain.Error()) {
				t.Errorf("a change of which it is not known whether it was made: %q", text)
			}
		}
	}
	if err := db.Ping(t.Context()); !errors.Is(err, store.ErrDiskFull) {
		t.Errorf("Ping = %v, want %v", err, store.ErrDiskFull)
	}
	limitPages(t, db, 1<<30)
	if _, err := db.Move(t.Context(), delivery("room")); err != nil {
		t.Error(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("after a change was kept, Ping = %v", err)
	}
	db.Close()
	if keys := keysOf(t, path); keys[full] || !keys["room"] {
		t.Error("a change that was refused was made, or one that was answered was not")
	}
}

// A server without changes notices by itself that there is room.
func TestReadinessRecoversFromAFullDiskByItself(t *testing.T) {
	db := openEggs(t, filepath.Join(t.TempDir(), "stock.db"))
	db.wrote(diskFull(errors.New("no room")))
	db.wrote(busy(nil))
	if db.Ping(t.Context()) == nil {
		t.Error("Ping returns no error after a write that was not kept")
	}
	letGo := holdWriteLock(t, db.path)
	db.guard(slog.New(slog.DiscardHandler), quick)
	tried := time.Now()
	await(t, "some trials", func() bool { return time.Since(tried) > 5*quick.trial })
	if db.Ping(t.Context()) == nil {
		t.Error("Ping returns no error while no trial works")
	}
	letGo()
	await(t, "ready", func() bool { return db.Ping(t.Context()) == nil })
}
