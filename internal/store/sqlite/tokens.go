package sqlite

import (
	"cmp"
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

// tokenSQL asks for what scanToken reads.
const tokenSQL = `SELECT t.num, t.kind, t.hash, t.name, t.scopes, t.shop, coalesce(t.grant_num, 0), t.resource, t.redirect, t.challenge,
	t.created_at, t.expires_at, t.last_used, max(t.revoked_at, coalesce(g.revoked_at, 0)), t.spent_at,
	coalesce(g.client_id, ''), coalesce(g.client_name, ''), coalesce(g.withheld, '')
	FROM tokens t LEFT JOIN grants g ON g.num = t.grant_num`

func scanToken(row interface{ Scan(...any) error }) (store.Token, error) {
	var t store.Token
	var hash []byte
	var scopes, withheld string
	var created, expires, used, revoked, spent int64
	err := row.Scan(&t.ID, &t.Kind, &hash, &t.Name, &scopes, &t.Shop, &t.Grant, &t.Resource, &t.Redirect, &t.Challenge,
		&created, &expires, &used, &revoked, &spent, &t.ClientID, &t.ClientName, &withheld)
	if err != nil {
		return t, err
	}
	copy(t.Hash[:], hash)
	t.Scopes, t.Withheld = scopesOf(scopes), scopesOf(withheld)
	t.CreatedAt, t.ExpiresAt, t.LastUsed, t.RevokedAt, t.SpentAt = utc(created), never(expires), never(used), never(revoked), never(spent)
	return t, nil
}

func insertToken(ctx context.Context, tx *sql.Tx, t store.Token, now int64) (store.Token, error) {
	if err := cmp.Or(
		fits("the name of the token", t.Name, maxAccessName),
		fits("the ID of the token's store", t.Shop, maxAccessURI),
		fits("the code challenge", t.Challenge, maxAccessName),
		fits("the redirect URI", t.Redirect, maxAccessURI),
		fits("the resource", t.Resource, maxAccessURI),
	); err != nil {
		return t, err
	}
	var grant any
	if t.Grant != 0 {
		grant = t.Grant
	}
	t.CreatedAt = utc(now)
	err := tx.QueryRowContext(ctx, `INSERT INTO tokens (kind, hash, name, scopes, shop, grant_num, resource, redirect, challenge,
		created_at, expires_at, last_used, revoked_at, spent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0) RETURNING num`,
		t.Kind, t.Hash[:], t.Name, t.Scopes.String(), t.Shop, grant, t.Resource, t.Redirect, t.Challenge, now, micros(t.ExpiresAt)).Scan(&t.ID)
	return t, err
}

// AddToken keeps a new token.
func (db *DB) AddToken(ctx context.Context, t store.Token) (store.Token, error) {
	err := db.inWrite(ctx, "add token", func(tx *sql.Tx, now int64) error {
		if t.Kind == store.APIToken {
			var taken bool
			err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM tokens
				WHERE kind = 'api' AND name = ? AND revoked_at = 0 AND (expires_at = 0 OR expires_at > ?))`, t.Name, now).Scan(&taken)
			if err == nil && taken {
				err = fmt.Errorf("%w: token %q is there already", store.ErrConflict, t.Name)
			}
			if err != nil {
				return err
			}
		}
		var err error
		t, err = insertToken(ctx, tx, t, now)
		return err
	})
	return t, err
}

// Token returns the token of this hash, or [store.ErrNotFound].
func (db *DB) Token(ctx context.Context, hash store.Hash) (store.Token, error) {
	if err := ctx.Err(); err != nil {
		return store.Token{}, err
	}
	at, t, ok := db.tokens.get(hash)
	if !ok {
		var err error
		t, err = scanToken(db.queryRow(ctx, tokenSQL+` WHERE t.hash = ?`, hash[:]))
		if errors.Is(err, sql.ErrNoRows) {
			err = store.ErrNotFound
		}
		if err != nil {
			return store.Token{}, db.failed("find token", err)
		}
		db.tokens.add(at, t)
	}
	if subtle.ConstantTimeCompare(t.Hash[:], hash[:]) != 1 {
		return store.Token{}, db.failed("find token", store.ErrNotFound)
	}
	return t, nil
}

// Tokens lists the API tokens, newest first.
func (db *DB) Tokens(ctx context.Context) ([]store.Token, error) {
	rows, err := db.query(ctx, tokenSQL+` WHERE t.kind = 'api' ORDER BY t.num DESC`)
	if err != nil {
		return nil, db.failed("list tokens", err)
	}
	defer rows.Close()
	var all []store.Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, db.failed("list tokens", err)
		}
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, db.failed("list tokens", err)
	}
	return all, nil
}

// RevokeToken ends the API token with this ID.
func (db *DB) RevokeToken(ctx context.Context, id int64) error {
	return db.inWrite(ctx, "revoke token", func(tx *sql.Tx, now int64) error {
		return one(tx.ExecContext(ctx, `UPDATE tokens SET revoked_at = iif(revoked_at = 0, ?, revoked_at) WHERE num = ? AND kind = 'api'`, now, id))
	})
}

// Redeem uses up a code or refresh token, and adds what is issued for it.
func (db *DB) Redeem(ctx context.Context, hash store.Hash, issued ...store.Token) error {
	return db.inExchange(ctx, "redeem token", hash, func(tx *sql.Tx, t store.Token, now int64) error {
		switch {
		case t.Kind != store.CodeToken && t.Kind != store.RefreshToken && t.Kind != store.OneTimeCode:
			return store.ErrNotFound
		case !t.SpentAt.IsZero():
			return store.ErrSpent
		case !t.Holds(utc(now)):
			return store.ErrNotFound
		}
		return spend(ctx, tx, t, now, issued...)
	})
}

// Renew exchanges a refresh token, which may be used again for a while.
func (db *DB) Renew(ctx context.Context, hash store.Hash, n store.Renewal) (store.Renewed, error) {
	var did store.Renewed
	err := db.inExchange(ctx, "renew token", hash, func(tx *sql.Tx, t store.Token, now int64) error {
		ended := now - store.RenewWindow.Microseconds()
		if err := forgetSuccessors(ctx, tx, ended); err != nil {
			return err
		}
		switch {
		case t.Kind != store.RefreshToken || !t.RevokedAt.IsZero():
			return store.ErrNotFound
		case t.SpentAt.IsZero() && !t.Holds(utc(now)):
			return store.ErrNotFound
		case t.SpentAt.IsZero():
			if err := spend(ctx, tx, t, now, n.Access, n.Refresh); err != nil {
				return err
			}
			did = store.Renewed{Scopes: n.Access.Scopes, Sealed: n.Sealed}
			_, err := tx.ExecContext(ctx, `UPDATE tokens SET successor = ?, renewed_scopes = ? WHERE num = ?`, n.Sealed, n.Access.Scopes.String(), t.ID)
			return err
		}
		// What tells a repeat from a theft is that the successor is still kept,
		// which it is until the window has ended, and never of a token that was
		// used up otherwise.
		var first string
		err := tx.QueryRowContext(ctx, `UPDATE tokens SET repeats = repeats + 1 WHERE num = ? AND successor IS NOT NULL AND repeats < ?
			RETURNING successor, renewed_scopes, repeats`, t.ID, store.RenewRepeats).Scan(&did.Sealed, &first, &did.Repeat)
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrSpent
		}
		if err != nil {
			return err
		}
		if n.Access.Scopes &= scopesOf(first); n.Access.Scopes == 0 {
			n.Access.Scopes = scopesOf(first)
		}
		n.Access.Grant, did.Scopes = t.Grant, n.Access.Scopes
		_, err = insertToken(ctx, tx, n.Access, now)
		return err
	})
	return did, err
}

// forgetSuccessors removes what is kept of refresh tokens whose window ended:
// those first used at a time, or before.
func forgetSuccessors(ctx context.Context, tx *sql.Tx, ended int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE tokens SET successor = NULL WHERE successor IS NOT NULL AND spent_at <= ?`, ended)
	return err
}

// inExchange runs do with the token of this hash, in one transaction. Where do
// finds that it was used before, its grant is revoked.
func (db *DB) inExchange(ctx context.Context, deed string, hash store.Hash, do func(tx *sql.Tx, t store.Token, now int64) error) error {
	spent := false
	err := db.inWrite(ctx, deed, func(tx *sql.Tx, now int64) error {
		t, err := scanToken(tx.QueryRowContext(ctx, tokenSQL+` WHERE t.hash = ?`, hash[:]))
		if errors.Is(err, sql.ErrNoRows) {
			err = store.ErrNotFound
		}
		if err == nil {
			err = do(tx, t, now)
		}
		if spent = errors.Is(err, store.ErrSpent); spent {
			_, err = tx.ExecContext(ctx, `UPDATE grants SET revoked_at = ? WHERE num = ? AND revoked_at = 0`, now, t.Grant)
		}
		return err
	})
	if err == nil && spent {
		return db.failed(deed, store.ErrSpent)
	}
	return err
}

// spend uses up a token, and adds those that are issued for it.
func spend(ctx context.Context, tx *sql.Tx, t store.Token, now int64, issued ...store.Token) error {
	if _, err := tx.ExecContext(ctx, `UPDATE tokens SET spent_at = ? WHERE num = ?`, now, t.ID); err != nil {
		return err
	}
	for _, n := range issued {
		n.Grant = t.Grant
		if _, err := insertToken(ctx, tx, n, now); err != nil {
			return err
		}
	}
	return nil
}
