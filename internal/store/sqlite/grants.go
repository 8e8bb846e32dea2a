package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

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
		err := tx.QueryRowContext(ctx, `INSERT INTO grants (client_id, client_name, redirect_host, scopes, withheld, resource, created_at, last_used, revoked_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0) RETURNING num`, g.ClientID, g.ClientName, g.RedirectHost, g.Scopes.String(), g.Withheld.String(), g.Resource, now).Scan(&g.ID)
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
	rows, err := db.query(ctx, `SELECT num, client_id, client_name, redirect_host, scopes, withheld, resource, created_at, revoked_at, last_used, challenged_at FROM grants
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
		var scopes, withheld string
		var created, revoked, used, challenged int64
		if err := rows.Scan(&g.ID, &g.ClientID, &g.ClientName, &g.RedirectHost, &scopes, &withheld, &g.Resource, &created, &revoked, &used, &challenged); err != nil {
			return nil, db.failed("list grants", err)
		}
		g.Scopes, g.Withheld, g.CreatedAt, g.RevokedAt, g.LastUsed, g.ChallengedAt = scopesOf(scopes), scopesOf(withheld), utc(created), never(revoked), never(used), never(challenged)
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

// challengedEvery is how exactly is kept when a client was told that it lacks a
// scope: one that calls on must not have the disk written each time.
const challengedEvery = time.Minute

// Challenge keeps with a grant that its client was told that it lacks a scope.
func (db *DB) Challenge(ctx context.Context, grant int64) error {
	var last int64
	err := db.queryRow(ctx, `SELECT challenged_at FROM grants WHERE num = ?`, grant).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return db.failed("challenge grant", err)
	}
	if db.now().Sub(utc(last)) < challengedEvery {
		return nil
	}
	return db.inWrite(ctx, "challenge grant", func(tx *sql.Tx, now int64) error {
		return one(tx.ExecContext(ctx, `UPDATE grants SET challenged_at = ? WHERE num = ?`, now, grant))
	})
}

// Withhold keeps with a grant what the owner refused its client.
func (db *DB) Withhold(ctx context.Context, grant int64, scopes store.Scopes) error {
	return db.inWrite(ctx, "withhold scopes", func(tx *sql.Tx, _ int64) error {
		return one(tx.ExecContext(ctx, `UPDATE grants SET withheld = ? WHERE num = ?`, scopes.String(), grant))
	})
}
