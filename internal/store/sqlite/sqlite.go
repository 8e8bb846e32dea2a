// Package sqlite keeps the stock in one SQLite file: the store for a single
// machine, with nothing to install.
//
// Begin at [Open]. One connection writes and a few read, in WAL mode, so that
// reading and writing do not wait for each other; several processes may have
// the same file open. Every question is one or a few prepared statements, which
// stand beside the method that asks. Every change of the stock is a deed, made
// in one transaction: see deed.go.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite" // the driver, without cgo

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// Config says where the database is. Only Path is needed.
type Config struct {
	// Path is the database file. It is made, readable by its owner only, if
	// it does not exist.
	Path string
	// MakeDir also makes the folders that Path lacks: for a path that nobody
	// typed, where a slip cannot have made a new one up.
	MakeDir bool
	// Seed is what a new database is filled with, as demo data. If nil, it
	// stays empty.
	Seed func() store.Catalog
	// Now is the clock. If nil, time.Now.
	Now func() time.Time
	// Location is the time zone of the shops, by which a day begins and ends and in
	// which files that Open keeps beside the database are named. Times in the
	// database do not depend on it. If nil,
	// time.Local.
	Location *time.Location
	// Log is told what Open does to files, such as a backup before an upgrade or
	// a log set aside, what it changes in an older database, and where its content
	// is saved when the file is replaced while it is open. If nil,
	// slog.Default().
	Log *slog.Logger

	// copied is set for a copy that is being made of what stays as it is: its
	// upgrade needs no backup.
	copied bool
}

// DB is a database that is open. It is a [store.Store] and an
// [access.Storage].
type DB struct {
	*ledger.Ledger // which changes the stock, by [DB.Update]

	path    string
	log     *slog.Logger
	copied  bool
	abs     string // path, wherever the process goes
	now     func() time.Time
	zone    *time.Location // of the shops
	files   files
	write   *sql.DB // one connection
	read    *sql.DB
	anchor  anchor
	health  health
	slow    chan struct{} // has room for half as many as there are connections to read
	claimed string        // see claim
	index   *walIndex
	recent  *cache
	tokens  *tokenCache
	renew   *sql.Stmt // of write: see begin
	lapses  lapses

	stmts      sync.Map // SQL text to *sql.Stmt, prepared on read when first used
	writeStmts sync.Map // likewise on write, after it was first used

	background sync.WaitGroup // what runs beside calls, until closing ends
	closing    context.Context
	close      context.CancelFunc
}

var (
	_ store.Store    = (*DB)(nil)
	_ access.Storage = (*DB)(nil)
)

// Open opens the database at cfg.Path, makes it if it is not there, and brings
// an older one up to date. Making and filling it is one transaction: after a
// crash it is there wholly or not at all. A file that is not a database of
// mcpstore's, or of a newer one, is an error and stays as it is; the error has
// a method Hint() string that says what to do.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{path: cfg.Path, now: cfg.Now, zone: cmp.Or(cfg.Location, time.Local), log: cmp.Or(cfg.Log, slog.Default()), copied: cfg.copied}
	db.health.log = db.log
	db.closing, db.close = context.WithCancel(context.Background())
	if db.now == nil {
		db.now = time.Now
	}
	db.Ledger = ledger.New(db, db.now, cfg.Location)
	if err := db.open(ctx, cfg); err != nil {
		db.Close()
		return nil, openError(cfg.Path, err)
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, cfg Config) error {
	var err error
	if db.abs, err = filepath.Abs(cfg.Path); err != nil {
		return err
	}
	if err := db.claim(cfg.MakeDir); err != nil {
		return err
	}
	if err := db.files.know(db.abs); err != nil {
		return err
	}
	if db.write, err = db.connect(1, "_txlock=immediate"); err != nil {
		return err
	}
	if err := db.migrate(ctx, cfg.Seed); err != nil {
		return err
	}
	if db.renew, err = db.write.PrepareContext(ctx, renewStamp); err != nil {
		return err
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	if db.read, err = db.connect(readers, "_query_only=1"); err != nil {
		return err
	}
	if err := db.openAnchor(ctx); err != nil {
		return err
	}
	db.slow = make(chan struct{}, readers/2)
	db.index = openWALIndex(ctx, db.write)
	if err := db.knowAll(); err != nil {
		return err
	}
	if db.recent, err = newCache(db.index, &db.lapses); err != nil {
		return err
	}
	if db.tokens, err = newTokenCache(db.index); err != nil {
		return err
	}
	db.lapseDue(ctx)
	return nil
}

// fileURI names a file as SQLite does.
func fileURI(abs string) string {
	path := filepath.ToSlash(abs)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: path}
	return name.String()
}

// connect returns a pool of up to n connections that are kept once opened.
func connect(abs string, n int, params string) (*sql.DB, error) {
	return connectIf(abs, n, params, func() error { return nil })
}

// connect is for connections to the file that db has open. Where another one has
// taken its path, they fail, and leave that one alone.
func (db *DB) connect(n int, params string) (*sql.DB, error) {
	return connectIf(db.abs, n, params, db.inPlace)
}

// connectIf returns a pool whose connections are opened where check allows it,
// before and after.
func connectIf(abs string, n int, params string, check func() error) (*sql.DB, error) {
	name := fileURI(abs) + "?" + params +
		"&_busy_timeout=5000" +
		"&_foreign_keys=1" +
		"&_pragma=recursive_triggers(1)" + // or REPLACE would delete levels unseen
		"&_synchronous=FULL" +
		"&_dqs=0" +
		"&_pragma=mmap_size(0)" + // else a file that is cut, or a disk that fails, ends the process
		"&_pragma=temp_store(MEMORY)"
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(checkedConnector{c, check})
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	return pool, nil
}

// checkedConnector is a driver.Connector that asks check before and after it
// connects.
type checkedConnector struct {
	driver.Connector
	check func() error
}

func (c checkedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Close closes the database. Questions that are being answered are finished, and
// so is a rescue of its content (see [DB.Guard]).
func (db *DB) Close() error {
	db.close()
	db.lapses.close()
	db.background.Wait()
	var first error
	pools := []*sql.DB{db.read, db.write}
	if !db.health.garbled.Load() {
		// The last connection that is closed writes what the log holds into the
		// database, which must not be mixed with what another program put there.
		pools = append(pools, db.anchor.close())
	}
	for _, pool := range pools {
		if pool == nil {
			continue
		}
		if err := pool.Close(); err != nil && first == nil {
			first = fmt.Errorf("close database %q: %w", db.path, err)
		}
	}
	db.index.close()
	db.release()
	return first
}

// Summary counts what there is.
func (db *DB) Summary(ctx context.Context) (store.Summary, error) {
	var s store.Summary
	err := db.queryRow(ctx, `
		SELECT (SELECT count(*) FROM shops), (SELECT count(*) FROM products), demo FROM catalog`,
	).Scan(&s.Shops, &s.Products, &s.Demo)
	if err != nil {
		return store.Summary{}, db.failed("count stock", err)
	}
	return s, nil
}

// prepared returns query as a statement of the readers.
func (db *DB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if db.health.garbled.Load() {
		return nil, garbled("nothing is read from it any longer")
	}
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, ok := db.stmts.LoadOrStore(query, s); ok {
		s.Close()
		return first.(*sql.Stmt), nil
	}
	return s, nil
}

// query runs a question that may take long. Such questions have half of the
// connections at most, so that [DB.queryFew] and [DB.queryRow] never wait for
// them; query waits for its turn. Ctx may end it. Its rows must be closed before
// the same goroutine calls query again.
func (db *DB) query(ctx context.Context, query string, args ...any) (*slowRows, error) {
	done, err := db.beginSlow(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.queryNow(ctx, query, args...)
	if err != nil {
		done()
		return nil, err
	}
	return &slowRows{rows, done}, nil
}

// beginSlow waits until one more long question may be asked, and returns what
// must be called at its end.
func (db *DB) beginSlow(ctx context.Context) (done func(), err error) {
	select {
	case db.slow <- struct{}{}:
		return sync.OnceFunc(func() { <-db.slow }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rowSet is the answer to a question of either kind.
type rowSet interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// collect reads all rows, each by one, and closes them.
func collect[T any](rows rowSet, one func(scan func(...any) error) (T, error)) (all []T, err error) {
	defer rows.Close()
	for rows.Next() {
		x, err := one(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, rows.Err()
}

// slowRows are the rows of a question that may take long.
type slowRows struct {
	*sql.Rows
	done func()
}

// Close may be called several times.
func (r *slowRows) Close() error {
	defer r.done()
	return r.Rows.Close()
}

func (db *DB) queryNow(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := db.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// patient returns a context for a question that takes microseconds, which ctx need
// not end: to watch ctx would cost a goroutine, and half as much again. But where
// all connections are in use, to wait for one may take long, and ctx ends it.
func (db *DB) patient(ctx context.Context) context.Context {
	if s := db.read.Stats(); s.InUse < s.MaxOpenConnections {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// queryFew runs a question that an index answers with a page of rows: as
// [DB.queryRow], it asks ctx before and seldom during.
func (db *DB) queryFew(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return db.queryNow(db.patient(ctx), query, args...)
}

// row is a [sql.Row] whose statement may not have come to be.
type row struct {
	err error
	row *sql.Row
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

// queryRow runs a question for one row. It takes microseconds, so ctx is asked
// before and seldom during: see [DB.patient].
func (db *DB) queryRow(ctx context.Context, query string, args ...any) row {
	if err := ctx.Err(); err != nil {
		return row{err: err}
	}
	ctx = db.patient(ctx)
	s, err := db.prepared(ctx, query)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(ctx, args...)}
}
