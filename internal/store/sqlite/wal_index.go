package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"sync"
)

// walHeader is the header of the WAL index, which is another one after each
// commit and checkpoint, whoever made it: it counts them
// (https://www.sqlite.org/walformat.html, section 2.1).
type walHeader [48]byte

// follows reports whether one commit lies between before and h.
func (h walHeader) follows(before walHeader) bool {
	const counter = 8 // where commits are counted, in the machine's own order
	return before != walHeader{} &&
		binary.NativeEndian.Uint32(h[counter:]) == binary.NativeEndian.Uint32(before[counter:])+1
}

// walIndex reads the header of the WAL index. To ask SQLite whether a file has
// changed takes ten times as long, since it must lock the file to answer.
type walIndex struct {
	path string   // of the database
	file *os.File // the index
	main *os.File // the database
	log  *os.File // the write-ahead log
	used int      // by how many who have the database open
}

// walIndexes are those that the process has open, by path. Each is opened once
// and closed after SQLite is done with it: to close any descriptor of a file
// ends the locks that the process has on it (POSIX, fcntl), and SQLite's are on
// this one.
var walIndexes = struct {
	sync.Mutex
	open map[string]*walIndex
}{open: make(map[string]*walIndex)}

// openWALIndex opens the index of the database that pool has open. It returns
// nil where there is none to be read.
func openWALIndex(ctx context.Context, pool *sql.DB) *walIndex {
	// As SQLite names it: what lies beside a symbolic link is another one.
	var path string
	if err := pool.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		return nil
	}
	walIndexes.Lock()
	defer walIndexes.Unlock()
	w := walIndexes.open[path]
	if w == nil {
		w = &walIndex{path: path}
		for suffix, file := range map[string]**os.File{"-shm": &w.file, "": &w.main, "-wal": &w.log} {
			// One that was opened stays so where another cannot be: see walIndexes.
			var err error
			if *file, err = os.Open(path + suffix); err != nil {
				return nil
			}
		}
		walIndexes.open[path] = w
	}
	w.used++
	return w
}

// close is called once the database is closed.
func (w *walIndex) close() {
	if w == nil {
		return
	}
	walIndexes.Lock()
	defer walIndexes.Unlock()
	if w.used--; w.used == 0 {
		delete(walIndexes.open, w.path)
		w.file.Close()
		w.main.Close()
		w.log.Close()
	}
}

// header reports false where it cannot be read.
func (w *walIndex) header() (h walHeader, ok bool) {
	if w == nil {
		return h, false
	}
	n, err := w.file.ReadAt(h[:], 0)
	return h, err == nil && n == len(h) && h != walHeader{}
}
