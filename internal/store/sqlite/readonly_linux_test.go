package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// asNobody takes from root, for whom everything is writable, what would let it
// write, on this thread.
func asNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			panic(err) // the thread is of no more use
		}
		runtime.UnlockOSThread()
	})
}

func TestOpenInAReadOnlyPlaceSaysSo(t *testing.T) {
	for _, tt := range []struct {
		name      string
		file, dir os.FileMode // file 0 means none
		want      string
	}{
		{"folder", 0, 0o555, "folder DIR cannot be written: permission denied"},
		{"folder of a file", 0o666, 0o555, "folder DIR cannot be written: permission denied"},
		{"file", 0o444, 0o777, "file cannot be written: permission denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "stock.db")
			if tt.file != 0 {
				made(t, path)
				chmod(t, path, tt.file)
			}
			chmod(t, filepath.Dir(dir), 0o755)
			chmod(t, dir, tt.dir)
			t.Cleanup(func() { chmod(t, dir, 0o755) })
			asNobody(t)
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			if err == nil {
				db.Close()
				t.Fatal("Open succeeded")
			}
			want := fmt.Sprintf("open database %q: %s", path, strings.ReplaceAll(tt.want, "DIR", fmt.Sprintf("%q", dir)))
			if err.Error() != want {
				t.Errorf("Open: %v, want %v", err, want)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Error(err)
	}
}
