package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// AddClient keeps a client that registered itself.
func (db *DB) AddClient(ctx context.Context, c store.Client, most int) error {
	if err := cmp.Or(
		fits("the client's ID", c.ID, maxAccessURI),
		fits("the client's name", c.Name, maxAccessURI),
		fits("the client's home page", c.URI, maxAccessURI),
		fits("the client's scope", c.Scope, maxAccessURI),
		fits("the client's redirect URIs", strings.Join(c.RedirectURIs, " "), 16*maxAccessURI),
	); err != nil {
		return db.failed("add client", err)
	}
	uris, err := json.Marshal(c.RedirectURIs)
	if err != nil {
		return db.failed("add client", err)
	}
	return db.inWrite(ctx, "add client", func(tx *sql.Tx, now int64) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM clients WHERE last_used = 0`).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			r, err := tx.ExecContext(ctx, `DELETE FROM clients WHERE id IN (SELECT id FROM clients WHERE last_used = 0 AND created_at < ? ORDER BY created_at LIMIT ?)`,
				now-store.ClientFresh.Microseconds(), n-most+1)
			if err != nil {
				return err
			}
			if gone, err := r.RowsAffected(); err != nil || gone == 0 {
				return cmp.Or(err, store.ErrFull)
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO clients (id, name, redirects, uri, scope, created_at, last_used) VALUES (?, ?, ?, ?, ?, ?, 0)`, c.ID, c.Name, string(uris), c.URI, c.Scope, now)
		return err
	})
}

// Client returns the client with this ID.
func (db *DB) Client(ctx context.Context, id string) (store.Client, error) {
	var c store.Client
	var uris string
	var created, used int64
	err := db.queryRow(ctx, `SELECT id, name, redirects, uri, scope, created_at, last_used FROM clients WHERE id = ?`, id).Scan(&c.ID, &c.Name, &uris, &c.URI, &c.Scope, &created, &used)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal([]byte(uris), &c.RedirectURIs)
	}
	if err != nil {
		return store.Client{}, db.failed("find client", err)
	}
	c.CreatedAt, c.LastUsed = utc(created), never(used)
	return c, nil
}
