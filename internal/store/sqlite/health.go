package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// health is what is known of whether the database can be read and written.
type health struct {
	looking sync.Mutex // held while the files are compared and until what was seen is noted

	mu     sync.Mutex
	log    *slog.Logger
	failed error // why the last write was not kept, where that was the database's fault
	moved  bool  // the files are not in their place
	rescue rescueState

	garbled atomic.Bool // what is read from the files is of no use: see errGarbled
}

type rescueState int

const (
	notRescued rescueState = iota
	rescuing
	rescued
)

// pace is how often [DB.Guard] does what it does.
type pace struct {
	look    time.Duration // whether the files are in their place, and for the write lock
	trial   time.Duration // a trial write, or another rescue, after one that failed
	patient time.Duration // how long something else may hold the write lock
}

var guardPace = pace{look: time.Second, trial: 5 * time.Second, patient: 5 * time.Second}

// Ping reads something, and returns why the last write was not kept unless one
// was kept since.
func (db *DB) Ping(ctx context.Context) error {
	err := db.look()
	if err == nil {
		err = db.readSomething(ctx)
	}
	if err == nil {
		db.health.mu.Lock()
		err = db.health.failed
		db.health.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("ask database %q: %w", db.path, db.explain(err))
	}
	return nil
}

// readSomething reads what was written at first and what was written last, which
// tends to be in the write-ahead log.
func (db *DB) readSomething(ctx context.Context) error {
	var first, last sql.NullInt64
	return db.read.QueryRowContext(ctx, `SELECT (SELECT loaded_at FROM catalog), (SELECT max(num) FROM deeds)`).Scan(&first, &last)
}

// look compares the files at the database's paths with those that are open. Where
// they differ, what is in the open ones is rescued.
func (db *DB) look() error {
	h := &db.health
	// One after the other, so that what was seen before a file went is not taken
	// for its return.
	h.looking.Lock()
	defer h.looking.Unlock()
	err := db.inPlace()
	h.garbled.Store(errors.Is(err, errGarbled))
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && h.moved:
		h.moved, h.rescue = false, notRescued
		h.log.Info("the database file is back in its place: changes are taken again", "database", db.path)
	case err != nil && !h.moved:
		h.moved = true
		h.log.Error("the database file was moved, removed or replaced while in use: changes are refused until the server is stopped, and what it holds is being saved",
			"database", db.path, "err", err, "hint", hintOf(err))
		db.startRescue()
	}
	return err
}

func hintOf(err error) string {
	if u, ok := errors.AsType[*unusable](err); ok {
		return u.hint
	}
	return ""
}

// begin begins a transaction that writes. It waits for its turn until ctx ends.
// What ctx ends before the transaction is committed is not kept. Each transaction
// renews the stamp: all begin here, or do so by themselves.
func (db *DB) begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := db.look(); err != nil {
		tx.Rollback()
		return nil, err
	}
	if _, err := tx.StmtContext(ctx, db.renew).ExecContext(ctx); err != nil {
		tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// keep commits a transaction. It returns no error only where what was written is
// in the file at the database's path.
func (db *DB) keep(tx *sql.Tx) error {
	err := tx.Commit()
	if err == nil {
		err = db.look()
	}
	if err == nil {
		db.wrote(nil)
	}
	return err
}

// wrote notes what a write came to. An err that says nothing of the database is
// ignored.
func (db *DB) wrote(err error) {
	if err != nil && !atFault(err) {
		return
	}
	db.health.mu.Lock()
	defer db.health.mu.Unlock()
	db.health.failed = err
}

// atFault reports whether err is the fault of the database, its disk, or whatever
// else has it open, rather than of what it was asked for.
func atFault(err error) bool {
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrReplaced)
}

// codeOf returns SQLite's extended code of err, 0 where there is none.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// anchor is a connection that stays open for as long as the database does, and is
// never interrupted: while it is there, so is the content of files that were
// removed.
type anchor struct {
	pool *sql.DB
	mu   sync.Mutex // held while conn is used
	conn *sql.Conn
}

func (db *DB) openAnchor(ctx context.Context) error {
	a := &db.anchor
	var err error
	if a.pool, err = db.connect(1, "_txlock=immediate"); err != nil {
		return err
	}
	if a.conn, err = a.pool.Conn(ctx); err != nil {
		return err
	}
	// SQLite opens the log only when something is read.
	return a.conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(new(int))
}

// close lets the connection go, and returns the pool that is to be closed.
func (a *anchor) close() *sql.DB {
	if a.conn != nil {
		a.conn.Close()
	}
	return a.pool
}

// wait sets for how long try waits for the write lock.
func (a *anchor) wait(most time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conn.QueryRowContext(context.Background(), fmt.Sprintf(`PRAGMA busy_timeout = %d`, most.Milliseconds())).Scan(new(int))
}

// try takes the write lock and, if write is set, writes something that changes
// nothing.
func (a *anchor) try(write bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ctx := context.Background() // or the connection would be closed at its end
	tx, err := a.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if !write {
		return nil
	}
	if _, err := tx.ExecContext(ctx, renewStamp); err != nil {
		return err
	}
	return tx.Commit()
}

// Guard looks after the database until Close, as a server wants it: once a second,
// whether its file is in its place and whether something else holds the write
// lock. While a write was not kept, it tries one every five seconds. Log is told
// from now on when the database can no longer be used, and when it can again.
func (db *DB) Guard(log *slog.Logger) { db.guard(log, guardPace) }

func (db *DB) guard(log *slog.Logger, p pace) {
	db.health.mu.Lock()
	db.health.log = log
	db.health.mu.Unlock()
	db.background.Go(func() {
		if err := db.anchor.wait(p.look * 9 / 10); err != nil {
			db.wrote(err)
		}
		tick := time.NewTicker(p.look)
		defer tick.Stop()
		g := guard{db: db, pace: p, locked: time.Now(), tried: time.Now()}
		for {
			select {
			case <-db.closing.Done():
				return
			case <-tick.C:
				g.look()
			}
		}
	})
}

// guard is what Guard remembers from one look to the next.
type guard struct {
	db     *DB
	pace   pace
	locked time.Time // since when nothing could be written
	seen   walHeader // at the last look
	tried  time.Time // when something was tried last
	said   bool      // that the database cannot be used
}

func (g *guard) look() {
	db := g.db
	if db.look() == nil {
		g.lookForLock()
		g.tryAgain()
	} else if time.Since(g.tried) >= g.pace.trial {
		g.tried = time.Now()
		db.health.mu.Lock()
		db.startRescue()
		db.health.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(db.closing, g.pace.patient)
	defer cancel()
	err := db.Ping(ctx)
	if db.closing.Err() != nil || errors.Is(err, store.ErrReplaced) {
		return // it was said
	}
	switch log := db.health.log; {
	case err != nil && !g.said:
		log.Error("the database cannot be used: trying again until it can", "err", err, "hint", hintOf(err))
	case err == nil && g.said:
		log.Info("the database can be used again", "database", db.path)
	}
	g.said = err != nil
}

// lookForLock finds out whether the write lock has been held for too long. Where
// something was committed meanwhile, it has not.
func (g *guard) lookForLock() {
	now, _ := g.db.index.header()
	err := g.db.anchor.try(false)
	locked := codeOf(err)&0xff == sqlite3.SQLITE_BUSY
	if !locked || now != g.seen {
		g.locked = time.Now()
	}
	g.seen = now
	switch {
	case locked && time.Since(g.locked) > g.pace.patient:
		g.db.wrote(busy(err))
	case !locked && err != nil:
		g.db.wrote(err)
	}
}

// tryAgain writes something where the last write was not kept.
func (g *guard) tryAgain() {
	h := &g.db.health
	h.mu.Lock()
	fine := h.failed == nil
	h.mu.Unlock()
	if fine || time.Since(g.tried) < g.pace.trial {
		return
	}
	g.tried = time.Now()
	if err := g.db.anchor.try(true); err == nil {
		g.db.wrote(nil)
	}
}

// startRescue saves the content of the open files unless that was done or is being
// done. The caller holds db.health.mu.
func (db *DB) startRescue() {
	h := &db.health
	if h.rescue != notRescued {
		return
	}
	h.rescue = rescuing
	db.background.Go(func() {
		name, fault, err := db.saveContent()
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil {
			h.rescue = notRescued
			h.log.Error("what the database holds could not be saved: trying again", "database", db.path, "err", err,
				"hint", "if it stays so, stop the server and restore the newest backup: mcpstore db restore FILE")
			return
		}
		if h.rescue = notRescued; h.moved { // the file may be back in its place
			h.rescue = rescued
		}
		if fault != "" {
			h.log.Error("what the database holds was saved, with a fault", "rescued", name, "fault", fault)
			return
		}
		h.log.Warn("what the database holds was saved and verified", "rescued", name,
			"hint", fmt.Sprintf("to go on with it, stop the server and run: mcpstore db restore %q --db %q", name, db.path))
	})
}

// saveContent copies what the open files hold to a new file beside the database,
// whose name it returns, and verifies the copy. Fault is what it found.
func (db *DB) saveContent() (name, fault string, err error) {
	beside := db.abs
	tmp, discard, err := newScratch(beside)
	for err != nil { // the folder may be gone, too
		folder := filepath.Dir(beside)
		if folder == filepath.Dir(folder) {
			return "", "", err
		}
		beside = filepath.Join(filepath.Dir(folder), filepath.Base(beside))
		tmp, discard, err = newScratch(beside)
	}
	defer discard()
	if err := db.copyContent(tmp); err != nil {
		return "", "", db.explain(err)
	}
	if err := syncFile(tmp); err != nil {
		return "", "", err
	}
	if fault, err = faultOf(tmp); err != nil {
		fault = err.Error()
	}
	now := db.now()
	name, err = asFirstFree(func(n int) string {
		name := fmt.Sprintf("%s.rescued-%s", beside, now.In(db.zone).Format("20060102-150405"))
		if n > 1 {
			name += fmt.Sprint("-", n)
		}
		return name
	}, func(name string) error { return publish(tmp, name) })
	return name, fault, err
}

// copyContent copies the open files' content page for page, since it may be damaged.
// Where they cannot be read, as when the log was cut, the connection that writes may
// still have in memory what it wrote.
func (db *DB) copyContent(to string) error {
	begin := func(c backuper) (*sqlite.Backup, error) { return c.NewBackup(fileURI(to)) }
	db.anchor.mu.Lock()
	err := transfer(db.anchor.conn, begin)
	db.anchor.mu.Unlock()
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), guardPace.patient)
	defer cancel()
	writer, writerErr := db.write.Conn(ctx)
	if writerErr != nil {
		return err
	}
	defer writer.Close()
	if transfer(writer, begin) == nil {
		return nil
	}
	return err
}

// faultOf verifies the database at path, and returns what it found first.
func faultOf(path string) (fault string, err error) {
	ctx := context.Background()
	db, err := Open(ctx, Config{Path: path, copied: true})
	if err != nil {
		return "", err
	}
	found, err := db.Verify(ctx, 1)
	if err == nil && len(found) > 0 {
		fault = found[0].String()
	}
	return fault, errors.Join(err, db.Close())
}
