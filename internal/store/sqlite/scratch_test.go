package sqlite

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scratchPath tells a process of [TestScratchOfAKilledProcessIsRemoved] where to
// make a copy.
const scratchPath = "MCPSTORE_TEST_SCRATCH"

// TestScratchOfAKilledProcessIsRemoved kills a process that has a half-made copy
// beside the database, as db restore, db backup and an upgrade make them.
func TestScratchOfAKilledProcessIsRemoved(t *testing.T) {
	if path := os.Getenv(scratchPath); path != "" {
		copied, discard, err := newScratch(path)
		if err != nil {
			t.Fatal(err)
		}
		defer discard()
		openLarge(t, copied, nil) // with its log and index
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin) // until it is killed
		return
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	backup := filepath.Join(t.TempDir(), "backup.db")
	db := openLarge(t, path, nil)
	if err := db.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"open": func() error { return openLarge(t, path, nil).Close() },
		"restore": func() error {
			kept, err := Restore(t.Context(), backup, path)
			os.Remove(kept)
			return err
		},
		"backup": func() error {
			other := openLarge(t, filepath.Join(t.TempDir(), "other.db"), nil)
			err := other.Backup(t.Context(), filepath.Join(filepath.Dir(path), "copy.db"))
			os.Remove(filepath.Join(filepath.Dir(path), "copy.db"))
			return err
		},
	} {
		p, _, out := RunAgain(t, scratchPath, path)
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		if err := run(); err != nil {
			t.Fatal(err)
		}
		if hidden := hiddenIn(t, path); len(hidden) != 1 {
			t.Errorf("%s while the process lives: hidden are %q, want its copy", name, hidden)
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		if err := run(); err != nil {
			t.Fatal(err)
		}
		if hidden := hiddenIn(t, path); len(hidden) != 0 {
			t.Errorf("%s after the process was killed: hidden are %q, want none", name, hidden)
		}
	}
}

func hiddenIn(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	hidden := []string{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			hidden = append(hidden, e.Name())
		}
	}
	return hidden
}

// TestSweepLeavesWhatIsNotLeftBehind has files that look like those of killed
// processes, of this version and of earlier ones.
func TestSweepLeavesWhatIsNotLeftBehind(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-2 * staleAfter)
	make := func(name, content string, at time.Time) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for ; path != dir; path = filepath.Dir(path) {
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{".stock.db-123", ".stock.db-123-wal", ".stock.db-123-journal", ".mcpstore-77", ".stock.db-tools-5"} {
		make(name, "left behind by an earlier version", long)
	}
	make(".stock.db-124", "being made by an earlier version", time.Now())
	make(".other.db-123", "another database's", long)
	make(".stock.db-notes", "the owner's", long)
	make(".mcpstore-1/copy.db", "a folder that is not ours", long)
	make(".mcpstore-2/lock", "another program's\n", long)
	make(".mcpstore-3/lock", scratchMark, time.Now())
	make(".mcpstore-4/lock", "", time.Now())
	make(".mcpstore-5/lock", "", long)
	// A process was killed as it removed this one, or before the lock was made.
	make(".mcpstore-6/lock", scratchMark, time.Now())
	make(".mcpstore-6/copy.db", "", time.Now())
	if err := os.Mkdir(filepath.Join(dir, ".mcpstore-7"), 0o700); err != nil {
		t.Fatal(err)
	}
	make("stock.db", "", long)
	sweep(dir, "stock.db")
	want := []string{".mcpstore-1", ".mcpstore-2", ".mcpstore-4", ".other.db-123", ".stock.db-124", ".stock.db-notes"}
	if diff := cmp.Diff(want, hiddenIn(t, filepath.Join(dir, "stock.db"))); diff != "" {
		t.Errorf("hidden files (-want +got):\n%s", diff)
	}
}
