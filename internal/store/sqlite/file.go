package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// magic is how every SQLite file begins.
const magic = "SQLite format 3\x00"

// opened counts how often this process has each database open. A file that is
// open is not to be opened and closed by others of this process: closing any
// descriptor of a file ends the locks that the process has on it (POSIX), and
// SQLite's are among them.
var opened = struct {
	sync.Mutex
	count map[string]int // by path, links resolved
}{count: make(map[string]int)}

// claim prepares the file for SQLite, unless this process has it open already.
// Release is called once SQLite is done with it.
func (db *DB) claim(makeDir bool) error {
	opened.Lock()
	defer opened.Unlock()
	if opened.count[resolved(db.abs)] == 0 {
		if err := settleLog(db.abs, db.now().In(db.zone), db.log); err != nil {
			return err
		}
		if err := prepareFile(db.path, makeDir); err != nil {
			return err
		}
		sweep(filepath.Dir(db.abs), filepath.Base(db.abs))
	}
	db.claimed = resolved(db.abs)
	opened.count[db.claimed]++
	return nil
}

// unlessOpen calls do, and keeps this process from opening databases meanwhile,
// unless it has the one at path open already.
func unlessOpen(path string, do func() error) error {
	opened.Lock()
	defer opened.Unlock()
	if opened.count[resolved(path)] > 0 {
		return nil
	}
	return do()
}

func (db *DB) release() {
	opened.Lock()
	defer opened.Unlock()
	if db.claimed == "" {
		return
	}
	if opened.count[db.claimed]--; opened.count[db.claimed] == 0 {
		delete(opened.count, db.claimed)
	}
	db.claimed = ""
}

// resolved is the name that SQLite knows a file by: what lies beside a symbolic
// link belongs to another file.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// prepareFile makes an empty file at path if there is none, and looks at one
// that is there before SQLite does, since SQLite would open it read-only
// without a word, or begin to mend it. Two processes may come here at once.
func prepareFile(path string, makeDir bool) error {
	if path == "" {
		return problem("no path is given", "name the database file")
	}
	dir := filepath.Dir(path)
	if makeDir {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return problem(cause(err), fmt.Sprintf("make the folder %q yourself, or choose another path", dir))
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	switch info, statErr := os.Stat(path); {
	case statErr == nil && info.IsDir():
		return problem("is a folder", fmt.Sprintf("name a file in it, such as %q", filepath.Join(path, "mcpstore.db")))
	case errors.Is(err, fs.ErrNotExist):
		return problem(fmt.Sprintf("folder %q does not exist", dir), "make it first, or check the path for a slip")
	case err != nil && statErr == nil:
		return problem("file cannot be written: "+cause(err), "make it writable for this user, or choose another path")
	case err != nil:
		return problem(fmt.Sprintf("folder %q cannot be written: %s", dir, cause(err)), "make it writable for this user, or choose another path")
	}
	defer f.Close()
	if err := writableDir(dir); err != nil {
		return problem(fmt.Sprintf("folder %q cannot be written: %s", dir, cause(err)),
			"SQLite keeps two more files beside the database: make the folder writable for this user")
	}
	start := make([]byte, len(magic))
	switch n, err := io.ReadFull(f, start); {
	case err != nil && n > 0 && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n > 0 && string(start[:n]) != magic:
		return problem("file is not a database", "choose another path; the file was left as it is")
	}
	return nil
}

// besideName is a name beside path for what is kept of it, and why; n is greater
// than 1 where others are taken.
func besideName(path, why string, now time.Time, n int) string {
	ext := filepath.Ext(path)
	name := fmt.Sprintf("%s-%s-%s", strings.TrimSuffix(path, ext), why, now.Format("20060102-150405"))
	if n > 1 {
		name += fmt.Sprint("-", n)
	}
	return name + ext
}

// asFirstFree calls do with the first of the names that is free, and with the next
// one where do finds that it was taken meanwhile. It returns the name.
func asFirstFree(name func(n int) string, do func(name string) error) (string, error) {
	for n := 1; n < 100; n++ {
		free := name(n)
		if _, err := os.Lstat(free); err == nil {
			continue
		}
		switch err := do(free); {
		case err == nil:
			return free, nil
		case !errors.Is(err, errOccupied):
			return "", err
		}
	}
	return "", occupied()
}

// writableDir reports whether files can be made in dir.
func writableDir(dir string) error {
	f, err := os.CreateTemp(dir, ".mcpstore-*")
	if err != nil {
		return err
	}
	f.Close()
	if err := os.Remove(f.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// cause returns what the operating system said, without the path that the
// error around it names already.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}
