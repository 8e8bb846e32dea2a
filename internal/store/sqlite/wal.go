package sqlite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
)

// A write-ahead log that a killed process left is replayed into whatever file
// lies at the database's path by then. SQLite does not ask whether it is the
// file that the log was written for; where it is a backup that was copied there,
// the pages of two databases are mixed and both are lost. So file and log carry
// a stamp, and Open compares them before SQLite sees either.
//
// The stamp is a random value and the one before it, in table log_stamp. Each
// transaction renews it, so that the value names a state of the database. From
// that follows:
//
//   - The file that a log belongs to has the value before the log's first stamp,
//     or one of the log's own, which a checkpoint brought. That holds whenever a
//     process is killed, so no log is taken for another file's by mistake.
//   - An older or newer copy, or another database, has another value.
//   - A copy that has a right value is a state from which the log goes on, and
//     replaying the log over it gives back what was answered.
//   - What VACUUM wrote has its pages in other places. It is not in WAL mode, which
//     tells until it is opened; and it gets a value of its own then: see useWAL.

// stampMark begins a stamp. It is no UTF-8, so that no text contains it.
var stampMark = []byte("\xffmcp\xfesto\xfdre-\xfclog")

// stamp is what the row of log_stamp says.
type stamp struct{ previous, current [8]byte }

// stampSize is that of a mark and its stamp.
const stampSize = 16 + 8 + 8

// stampIn returns the first stamp in b.
func stampIn(b []byte) (s stamp, ok bool) {
	i := bytes.Index(b, stampMark)
	if i < 0 || len(b)-i < stampSize {
		return s, false
	}
	n := copy(s.previous[:], b[i+len(stampMark):])
	copy(s.current[:], b[i+len(stampMark)+n:])
	return s, true
}

// stampedSince is the version of the schema that brought stamps.
var stampedSince = func() int {
	names, _ := fs.Glob(migrations, "migrations/*.sql")
	return 1 + slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, "_log_stamp.sql") })
}()

const renewStamp = `UPDATE log_stamp SET previous = current, current = randomblob(8)`

// walContent is what SQLite would replay of a write-ahead log.
type walContent struct {
	pageSize int
	size     uint32          // of the database after the last commit, in pages
	pages    map[uint32]bool // the numbers of those that the log has
	stamps   []stamp         // in the order in which they were written
}

// errBadLog is a log that SQLite would begin anew, as if nothing were in it.
var errBadLog = errors.New("its header is damaged")

// readWAL reads a log as SQLite does after a crash: up to the last commit before
// anything that does not add up (https://www.sqlite.org/walformat.html). It
// returns nil where no commit is in it.
func readWAL(r io.Reader) (*walContent, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	var header [32]byte
	if _, err := io.ReadFull(in, header[:]); err != nil || header == [32]byte{} {
		return nil, shortRead(err) // what is not even synced has nothing that was answered
	}
	be := binary.BigEndian
	magic, pageSize := be.Uint32(header[0:]), int(be.Uint32(header[8:]))
	if magic&^1 != 0x377f0682 || be.Uint32(header[4:]) != 3007000 ||
		pageSize < 512 || pageSize > 65536 || pageSize&(pageSize-1) != 0 {
		return nil, errBadLog
	}
	sum := walSum{order: binary.LittleEndian}
	if magic&1 == 1 {
		sum.order = be
	}
	sum.add(header[:24])
	if !sum.is(header[24:]) {
		return nil, errBadLog
	}
	log := &walContent{pageSize: pageSize, pages: map[uint32]bool{}}
	var pages []uint32 // since the last commit
	var stamps []stamp
	for frame := make([]byte, 24+pageSize); ; {
		if _, err := io.ReadFull(in, frame); err != nil {
			return log.committed(), shortRead(err)
		}
		sum.add(frame[:8])
		sum.add(frame[24:])
		number, size := be.Uint32(frame[0:]), be.Uint32(frame[4:])
		if !bytes.Equal(frame[8:16], header[16:24]) || !sum.is(frame[16:]) || number == 0 {
			return log.committed(), nil
		}
		pages = append(pages, number)
		if s, ok := stampIn(frame[24:]); ok {
			stamps = append(stamps, s)
		}
		if size == 0 {
			continue
		}
		log.size = size
		for _, number := range pages {
			log.pages[number] = true
		}
		log.stamps = append(log.stamps, stamps...)
		pages, stamps = pages[:0], stamps[:0]
	}
}

// committed is nil if nothing is.
func (w *walContent) committed() *walContent {
	if w.size == 0 {
		return nil
	}
	return w
}

// shortRead is nil for an end that a log may have.
func shortRead(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// walSum adds up a log.
type walSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (w *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		w.s0 += w.order.Uint32(b) + w.s1
		w.s1 += w.order.Uint32(b[4:]) + w.s0
	}
}

func (w *walSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == w.s0 && binary.BigEndian.Uint32(b[4:]) == w.s1
}

// errUnfit says that SQLite would make something else of a database file and a log
// than what was answered, or nothing.
var errUnfit = errors.New("the database file and its write-ahead log do not fit together")

func unfit(text string) error {
	return &unusable{text: text, hint: "bring a backup back: mcpstore db restore FILE, which keeps what is there; nothing was changed", err: errUnfit}
}

// replacedBelow is a database that lies where a process has another one open.
func replacedBelow() error {
	return problem("the file was replaced while another mcpstore has the one before open",
		"stop that one and try again; to bring a backup back, use mcpstore db restore FILE; nothing was changed")
}

// settleLog renames a log that provably belongs to another file than the database
// beside it, and logs its new name. Its errors are those of inspectLog.
func settleLog(path string, now time.Time, to *slog.Logger) error {
	path = resolved(path)
	return inspectLog(path, func(suffix string) error {
		kept, err := renameLog(path, suffix, now)
		if err == nil {
			to.Warn("the log beside the database belongs to another file: set aside", "database", path, "log", kept,
				"hint", "it holds changes that were made before this file was put here; keep it until you know that none is missed")
		}
		return err
	})
}

// inspectLog looks at a database and the logs beside it before SQLite does, and
// calls foreign with the suffix of one that provably belongs to another file; until
// it returns, no other process can open the database. If it cannot be known, or the
// log's own file is gone or damaged, that is an errUnfit. Nothing is changed.
func inspectLog(path string, foreign func(suffix string) error) error {
	db, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // and SQLite cannot open it either
	}
	var size int64
	if err == nil {
		defer db.Close()
		info, err := db.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		size = info.Size()
		switch free, err := lockDatabase(db); {
		case err != nil:
			return nil // SQLite says what is wrong with locks
		case !free:
			return checkShared(db, path)
		}
	}
	// No process has this file open. One that has its log open has another file.
	if shm, err := os.OpenFile(path+"-shm", os.O_RDWR, 0); err == nil {
		const held = 128 // this byte, by all who have the log open
		free, err := lockBytes(shm, held, 1)
		shm.Close()
		if err == nil && !free {
			return replacedBelow()
		}
	}
	if db != nil {
		if err := checkJournal(path, db, size, func() error { return foreign("-journal") }); err != nil {
			return err
		}
	}
	log, err := os.Open(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unfit("the write-ahead log cannot be read: " + cause(err))
	}
	content, err := readWAL(log)
	log.Close()
	if err != nil {
		return unfit("the write-ahead log cannot be used: " + cause(err))
	}
	if content == nil {
		return nil
	}
	if db == nil {
		return unfit("the file is gone, but its write-ahead log is there")
	}
	if err := content.belongs(db, size); err != errForeignLog {
		return err
	}
	return foreign("-wal")
}

// lockDatabase locks a database as SQLite does to be alone with it. It reports
// false where another process has it open.
func lockDatabase(f *os.File) (bool, error) {
	const pendingByte, locks = 0x40000000, 512
	return lockBytes(f, pendingByte, locks)
}

// checkShared looks at a database that others have open, so that its log is in
// use and changes. A file without a log was copied over theirs.
func checkShared(db *os.File, path string) error {
	before, err := os.Stat(path + "-wal") // before the file: switching a log on writes that first
	if err != nil || before.Size() == 0 {
		return nil
	}
	mode := make([]byte, 2)
	if _, err := db.ReadAt(mode, 18); err != nil || mode[0] != modeJournal {
		return nil
	}
	if after, err := os.Stat(path + "-wal"); err == nil && os.SameFile(before, after) {
		return replacedBelow()
	}
	return nil // it was switched off in between
}

// renameLog renames the log beside path that has the suffix.
func renameLog(path, suffix string, now time.Time) (kept string, err error) {
	kept, err = asFirstFree(func(n int) string { return besideName(path, "foreign", now, n) + suffix },
		func(kept string) error { return os.Rename(path+suffix, kept) })
	if err != nil {
		return "", problem("the log beside the file belongs to another one, and cannot be renamed: "+cause(err),
			fmt.Sprintf("move %q away, and try again", path+suffix))
	}
	// Its index holds nothing of its own.
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return kept, syncFolder(path)
}

// errForeignLog is a log that provably belongs to another file.
var errForeignLog = errors.New("the write-ahead log belongs to another file")

// What the header of a database says of how it is written.
const (
	modeJournal = 1
	modeLog     = 2
)

// lockPage is a byte whose page is never written
// (https://www.sqlite.org/fileformat2.html, section 1.4).
const lockPage = 1 << 30

// belongs returns nil if a log may be replayed into the file db of size bytes,
// errForeignLog if it provably belongs to another one, and otherwise, as an
// errUnfit, what is wrong with the file.
func (w *walContent) belongs(db io.ReaderAt, size int64) error {
	header := make([]byte, 100)
	if _, err := db.ReadAt(header, 0); err != nil && shortRead(err) != nil {
		return err
	}
	switch mode := header[18:20]; {
	case size == 0:
		return unfit("the file is empty, but its write-ahead log is not")
	case string(header[:len(magic)]) != magic:
		return unfit("file is not a database")
	case mode[0] == modeJournal && mode[1] == modeJournal:
		return errForeignLog // it had no log when it was written: a backup has none
	case mode[0] != modeLog || mode[1] != modeLog:
		return unfit("file is damaged in its header")
	}
	pageSize := int(binary.BigEndian.Uint16(header[16:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	if pageSize != w.pageSize {
		return unfit("file and write-ahead log have pages of different sizes")
	}
	if len(w.stamps) > 0 {
		found, err := stampsIn(io.NewSectionReader(db, 0, size))
		if err != nil {
			return err
		}
		first, version := w.stamps[0].previous, int(binary.BigEndian.Uint32(header[60:]))
		known := func(s stamp) bool {
			return s.current == first || slices.ContainsFunc(w.stamps, func(own stamp) bool { return own.current == s.current })
		}
		switch {
		case slices.ContainsFunc(found, known):
		case len(found) > 0:
			return errForeignLog
		case first == [8]byte{}: // the log has the stamp's beginning
		case version < stampedSince:
			return errForeignLog // a copy from before there were stamps
		default:
			return unfit("file is damaged: a row that every database has is missing")
		}
	}
	// A file shrinks only by VACUUM, whose log has every page. One that is larger
	// than another log would leave it was written later, by logs after this one.
	if size/int64(pageSize) > int64(w.size) && !w.whole() {
		return errForeignLog
	}
	// SQLite would read zeros where the file has been cut off.
	for n := uint32(size/int64(pageSize)) + 1; n <= w.size; n++ {
		if !w.pages[n] && n != lockPage/uint32(pageSize)+1 {
			return unfit("file is damaged: it is cut off")
		}
	}
	return nil
}

// whole reports whether the log has every page of the database that it makes.
func (w *walContent) whole() bool {
	lock := lockPage/uint32(w.pageSize) + 1
	for n := uint32(1); n <= w.size; n++ {
		if !w.pages[n] && n != lock {
			return false
		}
	}
	return true
}

// stampsIn returns the stamps in a file: of a database one, or also some that were
// left in pages that are free.
func stampsIn(r io.Reader) (found []stamp, err error) {
	for buf, n := make([]byte, 1<<20), 0; ; {
		more, err := r.Read(buf[n:])
		n += more
		for rest := buf[:n]; ; {
			s, ok := stampIn(rest)
			if !ok {
				break
			}
			found = append(found, s)
			rest = rest[bytes.Index(rest, stampMark)+stampSize:]
		}
		if err != nil {
			return found, shortRead(err)
		}
		if keep := stampSize - 1; n > keep { // where one may have begun
			n = copy(buf, buf[n-keep:n])
		}
	}
}

// checkJournal compares a database with a rollback journal beside it, which SQLite
// would roll back: into a backup, if one was put there after db restore had been
// killed. It calls foreign where the journal provably belongs to another file.
//
// The journal has the pages of before. Its file has their stamp, or the next one,
// or, while it was half written, none.
func checkJournal(path string, db *os.File, size int64, foreign func() error) error {
	journal, err := os.Open(path + "-journal")
	if err != nil {
		return nil // and SQLite cannot read it either
	}
	old, err := stampsIn(journal)
	journal.Close()
	if err != nil || len(old) == 0 {
		return nil
	}
	if size == 0 {
		return unfit("the file is empty, but its rollback journal is not")
	}
	found, err := stampsIn(io.NewSectionReader(db, 0, size))
	if err != nil {
		return err
	}
	for _, s := range found {
		if slices.ContainsFunc(old, func(o stamp) bool { return o.current == s.current || o.current == s.previous }) {
			return nil
		}
	}
	var version [4]byte
	if _, err := db.ReadAt(version[:], 60); err != nil || len(found) == 0 && int(binary.BigEndian.Uint32(version[:])) >= stampedSince {
		return nil
	}
	return foreign()
}
