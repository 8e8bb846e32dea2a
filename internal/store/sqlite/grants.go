package sqlite

import (
	"cmp"
	"context"
	"database/sql"

	"github.com/mcpstore/mcpstore/internal/store"
)

// AddGrant keeps a new grant, and the code that stands for it.
func (db *DB) AddGrant(ctx context.Context, g store.Grant, code store.Token) (store.Grant, error) {
	err := db.inWrite(ctx, "add grant", func(tx *sql.Tx, now int64) error {
		if err := cmp.Or(
			fits("the client's ID", g.ClientID, maxAccessURI),
			fits("the client's name", g.ClientName, maxAccessURI),
			fits("the redirect host", g.RedirectHost, maxAccessURI),
			fits("the resource", g.Resource, maxAccessURI),
		); err != nil {
			return err
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
		WHERE revoked_at = 0 AND EXISTS (SELECT 1 FROM tokens
			WHERE grant_num = grants.num AND revoked_at = 0 AND spent_at = 0 AND (expires_at = 0 OR expires_at > ?))
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
