package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// Secret returns 32 random bytes that are the same for as long as the database
// lives, for everyone who asks by this name.
func (db *DB) Secret(ctx context.Context, name string) ([]byte, error) {
	secret, err := db.secret(ctx, name)
	if err != nil {
		return nil, db.failed(fmt.Sprintf("read secret %q", name), err)
	}
	return secret, nil
}

func (db *DB) secret(ctx context.Context, name string) (secret []byte, err error) {
	ask := func() error {
		return db.queryRow(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&secret)
	}
	if err := ask(); !errors.Is(err, sql.ErrNoRows) {
		return secret, err
	}
	made := make([]byte, 32)
	rand.Read(made)
	// Another process may be first; its secret is everyone's then.
	tx, err := db.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, made); err != nil {
		return nil, err
	}
	if err := db.keep(tx); err != nil {
		return nil, err
	}
	err = ask()
	return secret, err
}
