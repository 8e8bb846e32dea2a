package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// What is being made lies in a hidden folder beside where it goes, with all that
// SQLite puts beside it. The folder has a file that its process holds locked, so
// that one whose process was killed is known, and removed by the next one.
const (
	scratchPattern = ".mcpstore-*"
	scratchLock    = "lock"
	scratchMark    = "mcpstore makes a database here\n" // in the lock, once it is held
)

// newScratch makes an empty file, its owner's only, to be filled and then linked
// or moved to path. Discard removes it, and what lies beside it.
func newScratch(path string) (tmp string, discard func(), err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Dir(abs)
	sweep(dir, filepath.Base(abs))
	for range 10 {
		own, err := os.MkdirTemp(dir, scratchPattern)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil, problem(fmt.Sprintf("folder %q does not exist", dir), "make it first, or check the path for a slip")
		case err != nil:
			return "", nil, problem(fmt.Sprintf("folder %q cannot be written: %s", dir, cause(err)), "make it writable for this user, or choose another path")
		}
		switch tmp, discard, err = fillScratch(own); {
		case err == nil:
			return tmp, discard, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, err
		}
		// Another process removed the folder while it was still empty.
	}
	return "", nil, problem(fmt.Sprintf("files in folder %q are removed as they are made", dir), "find the program that does it, or choose another path")
}

// fillScratch locks a new folder and makes an empty file in it. The error is
// [fs.ErrNotExist] if the folder was removed meanwhile.
func fillScratch(own string) (tmp string, discard func(), err error) {
	tmp = filepath.Join(own, "copy.db")
	lock, err := os.OpenFile(filepath.Join(own, scratchLock), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	discard = func() { removeScratch(own, lock) }
	if err == nil && lockWhole(lock) { // without the lock it could not be known to be left behind
		_, err = lock.WriteString(scratchMark)
	}
	if err == nil {
		err = os.WriteFile(tmp, nil, 0o600)
	}
	if err != nil {
		discard()
		return "", nil, err
	}
	return tmp, discard, nil
}

// removeScratch removes a scratch folder. The lock goes last, so that a later
// sweep still recognizes the folder if this one is interrupted.
func removeScratch(own string, lock *os.File) {
	entries, _ := os.ReadDir(own)
	for _, e := range entries {
		if e.Name() != scratchLock {
			os.RemoveAll(filepath.Join(own, e.Name()))
		}
	}
	lock.Close() // where a file that is open cannot be removed
	os.Remove(filepath.Join(own, scratchLock))
	os.Remove(own)
}

var scratchName = regexp.MustCompile(`^\.mcpstore-[0-9]+$`)

// staleAfter is how old a temporary file without a lock must be before
// it counts as left behind.
const staleAfter = time.Hour

// sweep removes from dir what killed processes left of databases and copies that
// were never finished; name is the database's. What cannot be removed stays.
func sweep(dir, name string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	// Earlier versions made single files.
	file := regexp.MustCompile(`^\.(mcpstore|` + regexp.QuoteMeta(name) + `(-tools)?)-[0-9]+(-wal|-shm|-journal)?$`)
	for _, e := range entries {
		if e.Name()[0] != '.' {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err != nil {
			continue
		}
		stale := time.Since(info.ModTime()) > staleAfter
		switch {
		case info.IsDir() && scratchName.MatchString(e.Name()):
			sweepScratch(path, stale)
		case info.Mode().IsRegular() && file.MatchString(e.Name()) && stale && unlocked(path):
			os.Remove(path)
		}
	}
}

// sweepScratch removes a scratch folder unless a process has it, or it is another
// program's.
func sweepScratch(path string, stale bool) {
	lock, err := os.OpenFile(filepath.Join(path, scratchLock), os.O_RDWR, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			os.Remove(path) // if it is empty: its process was killed as it came or went
		}
		return
	}
	defer lock.Close()
	mark := make([]byte, len(scratchMark))
	n, _ := lock.Read(mark)
	if marked := string(mark[:n]) == scratchMark; !marked && (n > 0 || !stale) || !lockWhole(lock) {
		return
	}
	removeScratch(path, lock)
}

// unlocked reports whether no other process has a lock of SQLite's on a file.
func unlocked(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := lockDatabase(f)
	return free && err == nil
}
