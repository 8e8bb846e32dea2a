package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Restore makes the database at to what the backup at from is, and keeps what
// was there beside it, under the name that it returns; "" if there was nothing.
// The backup is verified first, and stays as it is: one in which [DB.Verify]
// finds anything is refused, and so is a database that is open. Whenever it is
// interrupted, there is the old database or the new one.
func Restore(ctx context.Context, from, to string) (kept string, err error) {
	return restoreReporting(ctx, from, to, nil)
}

// RestoreDamaged is Restore of a backup that may be damaged, so long as it can
// be opened. It calls report with what is wrong, up to limit of it, before it
// changes anything.
func RestoreDamaged(ctx context.Context, from, to string, limit int, report func([]store.Discrepancy)) (kept string, err error) {
	return restoreReporting(ctx, from, to, &damageReport{limit, report})
}

// damageReport says what becomes of what is wrong with a backup.
type damageReport struct {
	limit  int
	report func([]store.Discrepancy)
}

func restoreReporting(ctx context.Context, from, to string, damage *damageReport) (kept string, err error) {
	if kept, err = restore(ctx, from, to, damage); err != nil {
		if ended := ctx.Err(); ended != nil {
			err = ended
		}
		return "", fmt.Errorf("restore database %q from %q: %w", to, from, explain(err))
	}
	return kept, nil
}

func restore(ctx context.Context, from, to string, damage *damageReport) (kept string, err error) {
	if to == "" || from == "" {
		return "", problem("no path is given", "name the backup and the database")
	}
	abs, err := filepath.Abs(to)
	if err != nil {
		return "", err
	}
	there, err := os.Stat(abs)
	switch {
	case err == nil && there.IsDir():
		return "", problem("the database is a folder", "name a file")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if err := checkBackup(from, there); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return "", err
	}
	copied, discard, err := checkedCopy(ctx, from, abs, damage)
	if err != nil {
		return "", err
	}
	defer discard()
	err = unlessOpen(abs, func() error { return settleLog(abs, time.Now(), slog.Default()) })
	unfit := errors.Is(err, errUnfit)
	if err != nil && !unfit {
		return "", err
	}
	if there == nil {
		kept := keptName(abs, time.Now(), 1)
		if err := keepLog(abs, kept); err != nil {
			return "", err
		}
		if _, err := os.Stat(kept + "-wal"); err == nil {
			slog.Warn("there was a write-ahead log without a database: set aside", "log", kept+"-wal")
		}
		return "", publish(copied, abs)
	}
	if unfit {
		return swap(copied, abs) // SQLite would mend it, or change it
	}
	kept, err = overwrite(ctx, copied, abs)
	if damaged(err) {
		return swap(copied, abs)
	}
	return kept, err
}

// checkBackup looks at a file before SQLite does.
func checkBackup(from string, to fs.FileInfo) error {
	info, err := os.Stat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem("there is no such backup", "check the path for a slip")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return problem("the backup is not a file", "name the file")
	case to != nil && os.SameFile(info, to):
		return problem("the backup is the database itself", "name the file that mcpstore db backup made")
	}
	start := make([]byte, len(magic))
	f, err := os.Open(from)
	if err != nil {
		return problem("the backup cannot be read: "+cause(err), "make it readable for this user")
	}
	defer f.Close()
	if n, _ := f.Read(start); string(start[:n]) != magic {
		return problem("the backup is not a database", "name the file that mcpstore db backup made")
	}
	return nil
}

// checkedCopy copies the backup to a temporary file beside the database, brings
// it up to date and verifies it. Discard removes the copy.
func checkedCopy(ctx context.Context, from, to string, damage *damageReport) (copied string, discard func(), err error) {
	abs, err := filepath.Abs(from)
	if err != nil {
		return "", nil, err
	}
	params := "mode=ro"
	if _, err := os.Stat(abs + "-wal"); errors.Is(err, fs.ErrNotExist) {
		params = "immutable=1" // nobody writes it, and no file is to be made beside it
	}
	err = unlessOpen(abs, func() error {
		return inspectLog(resolved(abs), func(string) error { params = "immutable=1"; return nil }) // without that log
	})
	if err != nil {
		return "", nil, err
	}
	found, err := checkSource(ctx, abs, params)
	if err != nil {
		return "", nil, err
	}
	if damage == nil {
		if err := refuseDamage(found); err != nil {
			return "", nil, err
		}
		copied, discard, err = vacuumBeside(ctx, abs, params, to)
	} else {
		copied, discard, err = copyPages(ctx, abs, params, to)
	}
	if err != nil {
		return "", nil, err
	}
	more, err := verifyCopy(ctx, copied, damage)
	if err == nil && damage == nil {
		err = refuseDamage(more)
	}
	if err == nil {
		err = syncFile(copied)
	}
	if err != nil {
		discard()
		return "", nil, err
	}
	if damage != nil {
		if len(more) == 0 {
			more = found // that the copy is without
		}
		damage.report(more)
	}
	return copied, discard, nil
}

// verifyCopy opens a copy, which brings it up to date, and returns what is wrong
// with it.
func verifyCopy(ctx context.Context, copied string, damage *damageReport) ([]store.Discrepancy, error) {
	limit := 1
	if damage != nil {
		limit = damage.limit
	}
	db, err := Open(ctx, Config{Path: copied, copied: true})
	if err != nil {
		return nil, err
	}
	found, err := db.Verify(ctx, limit)
	return found, errors.Join(err, db.Close())
}

// refuseDamage refuses a backup in which something was found.
func refuseDamage(found []store.Discrepancy) error {
	if len(found) == 0 {
		return nil
	}
	return problem("the backup is damaged: "+found[0].String(), "choose another backup, or restore this one as it is with --damaged; nothing was changed")
}

// copyPages copies the database at from, opened with params, page by page to a
// temporary file beside path, which discard removes. Damage is copied as it is.
func copyPages(ctx context.Context, from, params, path string) (tmp string, discard func(), err error) {
	tmp, discard, err = newScratch(path)
	if err != nil {
		return "", nil, err
	}
	err = func() error {
		pool, err := connect(from, 1, params)
		if err != nil {
			return err
		}
		defer pool.Close()
		conn, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		return transfer(conn, func(c backuper) (*sqlite.Backup, error) { return c.NewBackup(fileURI(tmp)) })
	}()
	if err != nil {
		discard()
		return "", nil, err
	}
	return tmp, discard, nil
}

// checkSource refuses what is not a database of ours. It returns what SQLite
// finds wrong with its file, which no copy that SQLite made anew would have.
func checkSource(ctx context.Context, abs, params string) ([]store.Discrepancy, error) {
	pool, err := connect(abs, 1, params)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	switch have, err := version(ctx, pool, len(names)); {
	case err != nil:
		return nil, err
	case have == 0:
		return nil, problem("the backup is an empty database", "name the file that mcpstore db backup made")
	}
	var found string
	err = pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found)
	if damaged(err) {
		found, err = err.Error(), nil
	}
	if err != nil || found == "ok" {
		return nil, err
	}
	return []store.Discrepancy{{What: "file", Detail: found}}, nil
}

// overwrite makes the database what the copy is, in one transaction of SQLite's,
// which whoever opens it meanwhile waits for: a file that took its place would
// not be seen by those who have opened the old one just now.
func overwrite(ctx context.Context, copied, to string) (kept string, err error) {
	pool, err := connect(to, 1, "")
	if err != nil {
		return "", err
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	empty, err := holdAlone(ctx, conn)
	if err != nil {
		return "", err
	}
	if !empty {
		if kept, err = keep(conn, to); err != nil {
			return "", err
		}
		if err := continueStamp(ctx, conn, copied); err != nil {
			return "", err
		}
	}
	return kept, transfer(conn, func(c backuper) (*sqlite.Backup, error) { return c.NewRestore(fileURI(copied)) })
}

// continueStamp has the copy's stamp come after that of the database, by which its
// journal knows it: see checkJournal. A database of an earlier version has none.
func continueStamp(ctx context.Context, conn *sql.Conn, copied string) error {
	var previous []byte
	if err := conn.QueryRowContext(ctx, `SELECT current FROM log_stamp`).Scan(&previous); err != nil {
		return nil
	}
	pool, err := connect(copied, 1, "")
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, `UPDATE log_stamp SET previous = ?`, previous)
	return errors.Join(err, pool.Close())
}

// holdAlone takes the database for this connection alone, and puts into its file
// what its log holds. It reports whether the database has nothing in it.
func holdAlone(ctx context.Context, conn *sql.Conn) (empty bool, err error) {
	var id, tables int
	if err := conn.QueryRowContext(ctx, `PRAGMA busy_timeout = 1000`).Scan(new(int)); err != nil {
		return false, err
	}
	if err := conn.QueryRowContext(ctx, `SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id`).
		Scan(&id, &tables); err != nil {
		return false, inUse(err)
	}
	if id != applicationID && tables > 0 {
		return false, problem("the database belongs to another program", "choose another path; the file was left as it is")
	}
	// Without a log nobody else can have it open; and those who come now wait.
	var mode string
	for _, query := range []string{`PRAGMA journal_mode = DELETE`, `PRAGMA locking_mode = EXCLUSIVE`} {
		if err := conn.QueryRowContext(ctx, query).Scan(&mode); err != nil {
			return false, inUse(err)
		}
	}
	if _, err := conn.ExecContext(ctx, `BEGIN EXCLUSIVE; COMMIT`); err != nil {
		return false, inUse(err)
	}
	if err := conn.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return false, err
	}
	if mode != "delete" {
		return false, inUse(nil) // somebody came in between
	}
	return tables == 0, nil
}

// inUse says that somebody has the database open, if that is what err is.
func inUse(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff != sqlite3.SQLITE_BUSY {
		return err
	}
	return problem("the database is in use", "stop the mcpstore that has it open, and try again; nothing was changed")
}

// keep copies the database beside itself, page for page, as it may be damaged.
func keep(conn *sql.Conn, to string) (kept string, err error) {
	tmp, discard, err := newScratch(to)
	if err != nil {
		return "", err
	}
	defer discard()
	if err := transfer(conn, func(c backuper) (*sqlite.Backup, error) { return c.NewBackup(fileURI(tmp)) }); err != nil {
		return "", err
	}
	if err := syncFile(tmp); err != nil {
		return "", err
	}
	return keptAs(to, func(kept string) error { return publish(tmp, kept) })
}

// keptAs calls do with a name for what is kept, with others while they are taken.
func keptAs(to string, do func(kept string) error) (kept string, err error) {
	now := time.Now()
	return asFirstFree(func(n int) string { return keptName(to, now, n) }, do)
}

func keptName(to string, now time.Time, n int) string {
	return besideName(to, "before-restore", now, n)
}

// backuper is what a connection of the driver can besides.
type backuper interface {
	NewBackup(uri string) (*sqlite.Backup, error)
	NewRestore(uri string) (*sqlite.Backup, error)
}

// transfer copies all pages, as one transaction where they go.
func transfer(conn *sql.Conn, begin func(backuper) (*sqlite.Backup, error)) error {
	return conn.Raw(func(c any) error {
		b, err := begin(c.(backuper))
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
}

// damaged reports whether err is SQLite's of a file that is not, or no longer, a
// database.
func damaged(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_NOTADB || e.Code()&0xff == sqlite3.SQLITE_CORRUPT)
}

// swap puts the copy in the place of a file that SQLite cannot read.
func swap(copied, to string) (kept string, err error) {
	kept, err = keptAs(to, func(kept string) error {
		if err := os.Link(to, kept); err != nil {
			return problem("the old database cannot be kept: "+cause(err), "move it away yourself, and try again")
		}
		return keepLog(to, kept)
	})
	if err != nil {
		return "", err
	}
	if err := os.Rename(copied, to); err != nil {
		return "", err
	}
	return kept, syncFolder(to)
}

// keepLog takes the log of a database away that is not to be read with another
// one, and keeps it beside what is kept.
func keepLog(to, kept string) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if err := os.Rename(to+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(to + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
