package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Attempt counts an attempt at guessing.
func (db *DB) Attempt(ctx context.Context, name string, most int, within time.Duration) (wait time.Duration, err error) {
	err = db.inWriteOf(ctx, "count attempt", nil, func(tx *sql.Tx, now int64) error {
		if err := fits("the name of an attempt", name, maxAccessName); err != nil {
			return err
		}
		var made int
		var since int64
		err := tx.QueryRowContext(ctx, `SELECT made, since FROM attempts WHERE name = ?`, name).Scan(&made, &since)
		if errors.Is(err, sql.ErrNoRows) {
			made, since, err = 0, now, nil
		}
		if err != nil {
			return err
		}
		// A first one that is to come is from before the clock was set back:
		// nobody can tell how long ago it was.
		if now < since || now-since >= within.Microseconds() {
			made, since = 0, now
		}
		if made >= most {
			wait = time.Duration(since+within.Microseconds()-now) * time.Microsecond
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO attempts (name, made, since) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET made = excluded.made, since = excluded.since`, name, made+1, since)
		return err
	})
	return wait, err
}

// Uncount takes back an attempt.
func (db *DB) Uncount(ctx context.Context, name string) error {
	return db.inWriteOf(ctx, "take back attempt", nil, func(tx *sql.Tx, _ int64) error {
		_, err := tx.ExecContext(ctx, `UPDATE attempts SET made = made - 1 WHERE name = ? AND made > 0`, name)
		return err
	})
}

// Forgive forgets the attempts by these names.
func (db *DB) Forgive(ctx context.Context, names ...string) error {
	return db.inWriteOf(ctx, "forgive attempts", nil, func(tx *sql.Tx, _ int64) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `DELETE FROM attempts WHERE name = ?`, name); err != nil {
				return err
			}
		}
		return nil
	})
}
