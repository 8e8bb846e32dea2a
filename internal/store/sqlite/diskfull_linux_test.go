package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	option := fmt.Sprintf("size=%d,mode=1777", size)
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, option)
	unmount := func() error { return syscall.Unmount(dir, 0) }
	if errors.Is(err, syscall.EPERM) {
		err = osexec.Command("sudo", "-n", "mount", "-t", "tmpfs", "-o", option, "tmpfs", dir).Run()
		unmount = func() error { return osexec.Command("sudo", "-n", "umount", dir).Run() }
	}
	switch {
	case err == nil:
		t.Cleanup(func() {
			if err := unmount(); err != nil {
				t.Errorf("unmount: %v", err)
			}
		})
	case os.Getenv("CI") == "true":
		t.Fatalf("cannot mount a small disk: %v; run the tests as root, or let sudo mount without a password", err)
	default:
		t.Skipf("cannot mount a small disk: %v", err)
	}
	return dir
}

// TestAFullDiskIsADefiniteNo fills a disk while several write, and looks for what
// was answered and for what was refused after a crash at that moment, and later.
func TestAFullDiskIsADefiniteNo(t *testing.T) {
	dir := smallDisk(t, 16<<20)
	path := filepath.Join(dir, "stock.db")
	db := openEggs(t, path)
	db.guard(slog.New(slog.DiscardHandler), quick)
	var mu sync.Mutex
	done := map[string]bool{} // by key: whether it was answered or refused
	write := func(round, each int) (refused bool) {
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range each {
					key := fmt.Sprintf("%d-%d-%d", round, w, i)
					_, err := db.Move(t.Context(), delivery(key))
					if err != nil && (!errors.Is(err, store.ErrDiskFull) || errors.Is(err, store.ErrUncertain)) {
						t.Errorf("change %q: %v, want %v", key, err, store.ErrDiskFull)
					}
					mu.Lock()
					done[key] = err == nil
					refused = refused || err != nil
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return refused
	}
	check := func(path string) {
		t.Helper()
		keys := keysOf(t, path)
		for key, answered := range done {
			if keys[key] != answered {
				t.Errorf("%q: change %q was answered: %v, is there: %v", path, key, answered, keys[key])
			}
		}
	}
	if write(0, 5) {
		t.Fatal("the disk is full at the start")
	}
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	for round := 1; !write(round, 5); round++ {
	}
	if err := db.readSomething(t.Context()); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
	// A crash now would find the files as they are.
	crashed := filepath.Join(t.TempDir(), "stock.db")
	copyFile(t, path, crashed)
	copyFile(t, path+"-wal", crashed+"-wal")
	check(crashed)

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	await(t, "ready", func() bool { return db.Ping(t.Context()) == nil })
	if write(1000, 5) {
		t.Error("a change was refused although there is room again")
	}
	db.Close()
	check(path)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
