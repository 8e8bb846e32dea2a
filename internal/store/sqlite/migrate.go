package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
// in one transaction.
func (db *DB) migrate(ctx context.Context, seed func() store.Catalog) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if _, err := version(ctx, db.write, len(names)); err != nil {
		return err
	}
	if err := db.useWAL(ctx); err != nil {
		return err
	}
	if have, err := version(ctx, db.write, len(names)); err != nil || have == len(names) {
		return err
	}
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Another process may have been first; now it is our turn alone.
	have, err := version(ctx, tx, len(names))
	if err != nil {
		return err
	}
	var told []func(*slog.Logger)
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
	for _, tell := range told {
		tell(db.log)
	}
	// A copy of the file alone should have what it began with.
	db.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
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

// useWAL turns the write-ahead log on. SQLite does not wait for another
// process that does the same at this moment, so this does.
func (db *DB) useWAL(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		var mode string
		err := db.write.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode)
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY {
			if err == nil && mode != "wal" {
				err = problem("file system cannot hold a write-ahead log", "move the database to a local disk")
			}
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
