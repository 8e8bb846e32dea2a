package sqlite

import (
	"context"
	"database/sql"
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
		if err := fits("the hash of the passphrase", hash, maxAccessURI); err != nil {
			return err
		}
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
