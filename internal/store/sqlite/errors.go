package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// unusable is why a database cannot be used, and what to do about it.
type unusable struct {
	text, hint string
	err        error // may be nil
	kind       error // that it is, for errors.Is; may be nil
}

func (e *unusable) Error() string { return e.text }
func (e *unusable) Unwrap() error { return e.err }

func (e *unusable) Is(target error) bool { return e.kind != nil && target == e.kind }

// Hint says what to do, for those who find it with errors.As.
func (e *unusable) Hint() string { return e.hint }

func problem(text, hint string) error { return &unusable{text: text, hint: hint} }

// openError says of which database err is.
func openError(path string, err error) error {
	return fmt.Errorf("open database %q: %w", path, explain(err))
}

// failed says what did not work, and in which database unless that is not where
// the fault lies.
func (db *DB) failed(deed string, err error) error {
	if isRefusal(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrBadCursor) {
		return fmt.Errorf("%s: %w", deed, err)
	}
	db.wrote(err)
	return fmt.Errorf("%s in database %q: %w", deed, db.path, db.explain(err))
}

// explain also finds out whether a disk that does not take what is written is
// full: not every file system says so.
func (db *DB) explain(err error) error {
	if errors.Is(err, store.ErrUncertain) {
		return fmt.Errorf("%w: %w", store.ErrUncertain, explain(err))
	}
	switch codeOf(err) {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP:
		if noRoom(db.abs) {
			return diskFull(err)
		}
	}
	return explain(err)
}

// noRoom reports whether the file system of path is full.
func noRoom(path string) bool {
	f, err := os.CreateTemp(filepath.Dir(path), ".mcpstore-*")
	if err == nil {
		defer os.Remove(f.Name())
		_, err = f.Write(make([]byte, 64<<10))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func busy(err error) error {
	return &unusable{kind: store.ErrBusy, text: store.ErrBusy.Error(), hint: "try again; if it stays so, find the process that has the file open", err: err}
}

func diskFull(err error) error {
	return &unusable{kind: store.ErrDiskFull, text: store.ErrDiskFull.Error(), hint: "free some space and try again", err: err}
}

// isRefusal reports whether err says what is wrong with what was asked for.
func isRefusal(err error) bool {
	for _, refusal := range []error{store.ErrNotFound, store.ErrConflict, store.ErrReservationExpired, store.ErrOverLimit, store.ErrChanged, store.ErrSpent, store.ErrFull} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	_, invalid := errors.AsType[*store.InvalidError](err)
	_, insufficient := errors.AsType[*store.InsufficientError](err)
	return invalid || insufficient
}

// explain turns what SQLite reports into what a person can act on.
func explain(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if _, done := errors.AsType[*unusable](err); !ok || done {
		return err
	}
	say := func(text, hint string) error { return &unusable{text: text, hint: hint, err: err} }
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT:
		return say("file is damaged: "+e.Error(), "bring a backup back: mcpstore db restore FILE; the damaged file is kept")
	case sqlite3.SQLITE_NOTADB:
		return say("file is not a database", "choose another path; the file was left as it is")
	case sqlite3.SQLITE_FULL:
		return diskFull(err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return say("file cannot be written: "+e.Error(), "make the file and its folder writable for this user, or choose another path")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy(err)
	case sqlite3.SQLITE_IOERR:
		return say("disk does not answer: "+e.Error(), "check the disk; on a network drive, move the database to a local one")
	}
	return err
}
