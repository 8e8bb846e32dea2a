package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Passphrase returns the hash of the owner's passphrase, "" where there is none.
func (db *DB) Passphrase(ctx context.Context) (hash string, err error) {
	err = db.queryRow(ctx, `SELECT coalesce((SELECT hash FROM passphrase), '')`).Scan(&hash)
	if err != nil {
		err = db.failed("read passphrase", err)
	}
	return hash, err
}

// SetPassphrase keeps the hash of the owner's passphrase.
func (db *DB) SetPassphrase(ctx context.Context, hash string) error {
	return db.inWrite(ctx, "set passphrase", func(tx *sql.Tx, _ int64) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM passphrase`); err != nil {
			return err
		}
		if hash != "" {
			if _, err := tx.ExecContext(ctx, `INSERT INTO passphrase (one, hash) VALUES (1, ?)`, hash); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM attempts`)
		return err
	})
}

// Attempt counts an attempt at guessing.
func (db *DB) Attempt(ctx context.Context, name string, most int, within time.Duration) (wait time.Duration, err error) {
	err = db.inWrite(ctx, "count attempt", func(tx *sql.Tx, now int64) error {
		var made int
		var since int64
		err := tx.QueryRowContext(ctx, `SELECT made, since FROM attempts WHERE name = ?`, name).Scan(&made, &since)
		if errors.Is(err, sql.ErrNoRows) {
			made, since, err = 0, now, nil
		}
		if err != nil {
			return err
		}
		if now-since >= within.Microseconds() {
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

// Forgive forgets the attempts by these names.
func (db *DB) Forgive(ctx context.Context, names ...string) error {
	return db.inWrite(ctx, "forgive attempts", func(tx *sql.Tx, _ int64) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `DELETE FROM attempts WHERE name = ?`, name); err != nil {
				return err
			}
		}
		return nil
	})
}
