package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/mcpstore/mcpstore/internal/store"
)

// AddGrant keeps a new grant, and the code that stands for it.
func (db *DB) AddGrant(ctx context.Context, g store.Grant, code store.Token) (store.Grant, error) {
	err := db.inWrite(ctx, "add grant", func(tx *sql.Tx, now int64) error {
		for _, text := range []string{g.ClientName, g.RedirectHost} {
			if err := fits("a text of the grant", text, maxAccessURI); err != nil {
				return err
			}
		}
		g.CreatedAt = utc(now)
		err := tx.QueryRowContext(ctx, `INSERT INTO grants (client_id, client_name, redirect_host, scopes, resource, created_at, last_used, revoked_at)
			VALUES (?, ?, ?, ?, ?, ?, 0, 0) RETURNING num`, g.ClientID, g.ClientName, g.RedirectHost, g.Scopes.String(), g.Resource, now).Scan(&g.ID)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE clients SET last_used = ? WHERE id = ?`, now, g.ClientID); err != nil {
			return err
		}
		code.Grant = g.ID
		_, err = insertToken(ctx, tx, code, now)
		return err
	})
	return g, err
}

// Grants lists the grants that hold, newest first.
func (db *DB) Grants(ctx context.Context) ([]store.Grant, error) {
	rows, err := db.query(ctx, `SELECT num, client_id, client_name, redirect_host, scopes, resource, created_at, revoked_at, last_used FROM grants
		WHERE revoked_at = 0 AND EXISTS (SELECT 1 FROM tokens WHERE grant_num = grants.num AND spent_at = 0 AND expires_at > ?)
		ORDER BY num DESC`, db.now().UnixMicro())
	if err != nil {
		return nil, db.failed("list grants", err)
	}
	defer rows.Close()
	var all []store.Grant
	for rows.Next() {
		var g store.Grant
		var scopes string
		var created, revoked, used int64
		if err := rows.Scan(&g.ID, &g.ClientID, &g.ClientName, &g.RedirectHost, &scopes, &g.Resource, &created, &revoked, &used); err != nil {
			return nil, db.failed("list grants", err)
		}
		g.Scopes, g.CreatedAt, g.RevokedAt, g.LastUsed = scopesOf(scopes), utc(created), never(revoked), never(used)
		all = append(all, g)
	}
	if err := rows.Err(); err != nil {
		return nil, db.failed("list grants", err)
	}
	return all, nil
}

// RevokeGrant ends a grant and all its tokens.
func (db *DB) RevokeGrant(ctx context.Context, id int64) error {
	return db.inWrite(ctx, "revoke grant", func(tx *sql.Tx, now int64) error {
		return one(tx.ExecContext(ctx, `UPDATE grants SET revoked_at = iif(revoked_at = 0, ?, revoked_at) WHERE num = ?`, now, id))
	})
}

// AddClient keeps a client that registered itself.
func (db *DB) AddClient(ctx context.Context, c store.Client, most int) error {
	uris, err := json.Marshal(c.RedirectURIs)
	if err != nil {
		return err
	}
	for _, text := range []string{c.ID, c.Name, c.URI} {
		if err := fits("a text of the client", text, maxAccessURI); err != nil {
			return db.failed("add client", err)
		}
	}
	if err := fits("the client's redirect URIs", string(uris), 16*maxAccessURI); err != nil {
		return db.failed("add client", err)
	}
	return db.inWrite(ctx, "add client", func(tx *sql.Tx, now int64) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM clients WHERE last_used = 0`).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return store.ErrFull
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO clients (id, name, redirects, uri, created_at, last_used) VALUES (?, ?, ?, ?, ?, 0)`, c.ID, c.Name, string(uris), c.URI, now)
		return err
	})
}

// Client returns the client with this ID.
func (db *DB) Client(ctx context.Context, id string) (store.Client, error) {
	var c store.Client
	var uris string
	var created, used int64
	err := db.queryRow(ctx, `SELECT id, name, redirects, uri, created_at, last_used FROM clients WHERE id = ?`, id).Scan(&c.ID, &c.Name, &uris, &c.URI, &created, &used)
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
