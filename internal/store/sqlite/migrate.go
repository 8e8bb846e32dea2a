package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// migrations are applied in the order of their names, and never edited once
// released. The database's user_version is how many of them it has. A migration
// library would commit each by itself; here making a database, marking it as
// ours and filling it are one transaction.
//
//go:embed migrations/*.sql
var migrations embed.FS

// inGo is what migrations of older databases do besides their SQL. Like that, it
// is never edited once released, and depends on no table that later migrations
// change. What it returns tells the owner what it did, once that is committed.
var inGo = map[string]func(context.Context, *sql.Tx) (tell func(*slog.Logger), err error){
	"migrations/0004_codes.sql": correctCodes,
}

// applicationID marks the file as ours: "mcps".
const applicationID = 0x6d637073

// migrate brings the database up to date, and fills it with seed if it is new,
// in one transaction. What was there before is backed up first.
func (db *DB) migrate(ctx context.Context, seed func() store.Catalog) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	have, err := version(ctx, db.write, len(names))
	if err != nil {
		return err
	}
	if err := db.useWAL(ctx, have); err != nil {
		return err
	}
	if have, err := version(ctx, db.write, len(names)); err != nil || have == len(names) {
		return err
	}
	var tx *sql.Tx
	// Another process may be upgrading, which takes as long as its backup does.
	err = retryBusy(ctx, 10*time.Minute, func() error {
		tx, err = db.write.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// It may have been first; now it is our turn alone.
	have, err = version(ctx, tx, len(names))
	if err != nil || have == len(names) {
		return err
	}
	var told []func(*slog.Logger)
	backup := ""
	if have > 0 && !db.copied {
		if backup, err = db.backUpBefore(ctx, have, len(names)); err != nil {
			return err
		}
		defer func() {
			if backup != "" { // the upgrade failed, and each start would leave one
				os.Remove(backup)
			}
		}()
	}
	if have >= stampedSince {
		if _, err := tx.ExecContext(ctx, renewStamp); err != nil {
			return err
		}
	}
	for i, name := range names[have:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
		if rest := inGo[name]; rest != nil && have > 0 {
			tell, err := rest(ctx, tx)
			if err != nil {
				return fmt.Errorf("apply %s: %w", name, err)
			}
			told = append(told, tell)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", have+i+1)); err != nil {
			return err
		}
	}
	if have == 0 {
		if err := db.fillNew(ctx, tx, seed); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if backup != "" {
		db.log.Info("database upgraded", "database", db.path, "from", have, "to", len(names), "backup", backup)
		backup = ""
	}
	for _, tell := range told {
		tell(db.log)
	}
	// A copy of the file alone should have what it began with.
	db.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return nil
}

// backUpBefore copies the database as it is before its upgrade to a file beside
// it, checks the copy, and returns its name. The caller holds the database.
func (db *DB) backUpBefore(ctx context.Context, have, upgrade int) (path string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up before the upgrade to version %d: %w", upgrade, explain(err))
		}
	}()
	file := resolved(db.abs)
	tmp, discard, err := vacuumBeside(ctx, file, "", file)
	if err != nil {
		return "", err
	}
	defer discard()
	if err := checkCopy(ctx, tmp, have); err != nil {
		return "", err
	}
	now := db.now().In(db.zone)
	return asFirstFree(func(n int) string { return besideName(file, "before-upgrade", now, n) },
		func(name string) error { return publish(tmp, name) })
}

// checkCopy reports whether a copy is whole and of the version that was copied.
func checkCopy(ctx context.Context, path string, want int) error {
	pool, err := connect(path, 1, "immutable=1")
	if err != nil {
		return err
	}
	defer pool.Close()
	var have int
	var found string
	err = pool.QueryRowContext(ctx, `SELECT user_version, integrity_check FROM pragma_user_version, pragma_integrity_check LIMIT 1`).Scan(&have, &found)
	switch {
	case err != nil:
		return err
	case found != "ok":
		return problem("the database is damaged: "+found, "bring a backup back: mcpstore db restore FILE; the damaged file is kept")
	case have != want:
		return fmt.Errorf("the copy has version %d, not %d", have, want)
	}
	return nil
}

// fillNew marks a new database as ours and loads what it begins with.
func (db *DB) fillNew(ctx context.Context, tx *sql.Tx, seed func() store.Catalog) error {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if seed == nil {
		return load(ctx, tx, store.Catalog{}, false, db.now())
	}
	return load(ctx, tx, seed(), true, db.now())
}

// version returns how many migrations the database has, 0 for an empty file.
// It is an error if the database is somebody else's, or has more than known.
func version(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, known int) (int, error) {
	var id, version, tables int
	err := q.QueryRowContext(ctx, `
		SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID:
		return 0, problem("database belongs to another program", "choose another path; the file was left as it is")
	case version > known:
		return 0, problem("database was made by a newer mcpstore",
			fmt.Sprintf("install the newest mcpstore: the database has version %d, this one knows %d", version, known))
	}
	return version, nil
}

// useWAL turns the write-ahead log on for a database of the version have.
func (db *DB) useWAL(ctx context.Context, have int) error {
	// SQLite does not wait for another process that does the same at this moment.
	return retryBusy(ctx, 5*time.Second, func() error {
		var mode string
		if err := db.write.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode == "wal" {
			return err
		}
		if have >= stampedSince {
			// It comes from VACUUM, with the stamp of what it is a copy of, whose
			// log must not be replayed into it: its pages lie elsewhere.
			if _, err := db.write.ExecContext(ctx, renewStamp); err != nil {
				return err
			}
		}
		err := db.write.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode)
		if err == nil && mode != "wal" {
			err = problem("file system cannot hold a write-ahead log", "move the database to a local disk")
		}
		return err
	})
}

// retryBusy calls do for up to so long as others have the database.
func retryBusy(ctx context.Context, most time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		err := do()
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
