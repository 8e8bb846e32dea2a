package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// attempts are those by a name within the time that counts.
type attempts struct{ made, since int64 }

// Attempt counts an attempt at guessing.
func (db *DB) Attempt(ctx context.Context, name string, most int, within time.Duration) (wait time.Duration, err error) {
	err = db.inWriteOf(ctx, "count attempt", nil, func(tx *sql.Tx, now int64) error {
		if err := fits("the name of an attempt", name, maxAccessName); err != nil {
			return err
		}
		a, err := scanAttempts(tx.QueryRowContext(ctx, attemptsOf, name), within, now)
		if wait = a.wait(most, within, now); err != nil || wait > 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO attempts (name, made, since) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET made = excluded.made, since = excluded.since`, name, a.made+1, a.since)
		return err
	})
	return wait, err
}

// Locked looks at the attempts at guessing.
func (db *DB) Locked(ctx context.Context, name string, most int, within time.Duration) (time.Duration, error) {
	now := db.now().UnixMicro()
	a, err := scanAttempts(db.queryRow(ctx, attemptsOf, name), within, now)
	if err != nil {
		return 0, db.failed("read attempts", err)
	}
	return a.wait(most, within, now), nil
}

const attemptsOf = `SELECT made, since FROM attempts WHERE name = ?`

func scanAttempts(row interface{ Scan(...any) error }, within time.Duration, now int64) (attempts, error) {
	var a attempts
	err := row.Scan(&a.made, &a.since)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return attempts{}, err
	}
	// A first one in the future is from before the clock was set back, so that
	// its age is not known.
	if err != nil || now < a.since || now-a.since >= within.Microseconds() {
		a = attempts{since: now}
	}
	return a, nil
}

// wait is how long it is until one more can be made.
func (a attempts) wait(most int, within time.Duration, now int64) time.Duration {
	if a.made < int64(most) {
		return 0
	}
	return time.Duration(a.since+within.Microseconds()-now) * time.Microsecond
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
