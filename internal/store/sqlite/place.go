package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/mcpstore/mcpstore/internal/store"
)

// files are the files of the database: which ones it has open. A file that is
// removed or replaced meanwhile has no name any longer: what is written to it is
// gone once it is closed.
type files struct {
	known []knownFile
	wal   string       // path of the write-ahead log; "" before knowAll
	index *walIndex    // nil where it cannot be read
	size  atomic.Int64 // that the database's file had when it was last seen whole
}

// knownFile is a file and where it is.
type knownFile struct {
	path string
	open func() (fs.FileInfo, error) // of the file that is open
}

// know remembers the database's file. It is called before SQLite opens it, so that
// nothing that comes to its path later is taken for it.
func (f *files) know(path string) error {
	info, err := os.Stat(path)
	if err == nil {
		f.known = []knownFile{{path, func() (fs.FileInfo, error) { return info, nil }}}
	}
	return err
}

// knowAll remembers the write-ahead log and its index, too, which are there from
// the first transaction until the last connection is closed. From now on the files
// themselves are asked who they are: there are file systems that number them anew.
func (db *DB) knowAll() error {
	if db.index == nil {
		return db.inPlace()
	}
	f := &db.files
	f.wal = db.index.path + "-wal"
	all := []knownFile{{db.abs, db.index.main.Stat}, {f.wal, db.index.log.Stat}, {db.index.path + "-shm", db.index.file.Stat}}
	// The index was opened by its name just now.
	now, err := all[0].open()
	if err != nil {
		return err
	}
	if was, _ := f.known[0].open(); !os.SameFile(was, now) {
		return replaced(fmt.Sprintf("file %q is another one", db.abs))
	}
	f.known, f.index = all, db.index
	return db.inPlace()
}

// inPlace returns nil while the files at the database's paths are those that it
// has open, and whole as far as that costs next to nothing to see. Otherwise
// what is written may be lost, and it returns a [store.ErrReplaced].
func (db *DB) inPlace() error {
	f := &db.files
	before := f.size.Load()
	inUse, asOf := f.index.logSize()
	for _, k := range f.known {
		info, err := os.Stat(k.path)
		if err != nil {
			return replaced(fmt.Sprintf("file %q: %s", k.path, cause(err)))
		}
		open, err := k.open()
		switch {
		case err != nil:
			return err
		case !os.SameFile(info, open):
			return replaced(fmt.Sprintf("file %q is another one", k.path))
		case k.path == f.wal && info.Size() < inUse:
			// SQLite would go on writing behind the gap, and a restart would find
			// nothing. But where the index has changed since, a checkpoint may
			// have emptied the log.
			if _, now := f.index.logSize(); now == asOf {
				return garbled(fmt.Sprintf("file %q was cut to %d bytes", k.path, info.Size()))
			}
		}
	}
	size, whole, inWALMode := f.index.mainSize()
	switch {
	case !inWALMode:
		return garbled(fmt.Sprintf("file %q was overwritten", f.known[0].path))
	case size < min(before, whole):
		// Not only shorter than it says, as while a checkpoint makes it longer.
		return garbled(fmt.Sprintf("file %q was cut to %d bytes", f.known[0].path, size))
	}
	f.size.Store(size)
	return nil
}

// logSize returns how many bytes of the log are in use, and the header that says
// so; 0 where that cannot be told, as while the index is being written.
func (w *walIndex) logSize() (size int64, h walHeader) {
	if w == nil {
		return 0, h
	}
	// Two copies of the header, which are the same unless one is being written
	// (https://www.sqlite.org/walformat.html, section 2.1).
	var b [2 * len(h)]byte
	if n, err := w.file.ReadAt(b[:], 0); err != nil || n < len(b) || walHeader(b[:len(h)]) != walHeader(b[len(h):]) {
		return 0, h
	}
	h = walHeader(b[:len(h)])
	pageSize, frames := int64(binary.NativeEndian.Uint16(h[14:])), int64(binary.NativeEndian.Uint32(h[16:]))
	if pageSize == 1 {
		pageSize = 1 << 16 // which does not fit
	}
	if frames == 0 {
		return 0, h
	}
	const logHeader, frameHeader = 32, 24
	return logHeader + frames*(frameHeader+pageSize), h
}

// mainSize returns how long the database's file is and how long it says it is, and
// whether it says that it has a write-ahead log, as it does from before that is
// made. A backup that was copied over the file does not
// (https://www.sqlite.org/fileformat.html, section 1.3).
func (w *walIndex) mainSize() (size, whole int64, inWALMode bool) {
	if w == nil {
		return 0, 0, true
	}
	info, err := w.main.Stat()
	if err != nil {
		return 0, 0, false
	}
	var b [32]byte
	if n, err := w.main.ReadAt(b[:], 0); err != nil || n < len(b) || string(b[:len(magic)]) != magic {
		return 0, 0, false
	}
	pageSize := int64(binary.BigEndian.Uint16(b[16:]))
	if pageSize == 1 {
		pageSize = 1 << 16 // which does not fit
	}
	return info.Size(), pageSize * int64(binary.BigEndian.Uint32(b[28:])), b[18] == modeLog && b[19] == modeLog
}

// replaced says that the file is no longer in its place. What the open one holds is
// as good as before.
func replaced(text string) error {
	return &unusable{
		kind: store.ErrReplaced,
		text: store.ErrReplaced.Error() + ": " + text,
		hint: "stop what has it open; then see which file is the right one: its content is saved beside it as a file with rescued in its name, which mcpstore db restore puts back",
	}
}

// errGarbled says that what the open files hold is not what was written to them.
var errGarbled = errors.New("the content of the open files is not what was written")

// garbled is replaced where the open files themselves were changed.
func garbled(text string) error {
	return &unusable{
		kind: store.ErrReplaced,
		text: store.ErrReplaced.Error() + ": " + text,
		hint: "stop what has it open, and restore the newest backup: mcpstore db restore FILE; what could be saved of its content is beside it, in a file with rescued in its name",
		err:  errGarbled,
	}
}
