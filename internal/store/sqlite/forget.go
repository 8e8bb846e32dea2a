package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// forgetRows is how many rows are removed at once, so that nobody who writes
// waits long.
const forgetRows = 5000

// Forget removes what is of no use any longer.
func (db *DB) Forget(ctx context.Context, asOf time.Time, keepCalls time.Duration) error {
	ago := func(d time.Duration) int64 { return asOf.Add(-d).UnixMicro() }
	if err := db.inWrite(ctx, "forget successors of refresh tokens", func(tx *sql.Tx, _ int64) error {
		return forgetSuccessors(ctx, tx, ago(store.RenewWindow))
	}); err != nil {
		return err
	}
	for _, old := range []struct {
		table, key, where string
		arg               int64
	}{
		{"calls", "num", `at < ?1`, ago(keepCalls)},
		{"calls", "num", `caller = '' AND num <= (SELECT max(num) FROM calls) - ?1`, store.StrangersCallsKept},
		{"calls", "num", `num <= (SELECT max(num) FROM calls) - ?1`, store.CallsKept},
		{"tokens", "num", `kind <> 'api' AND expires_at > 0 AND expires_at < ?1`, ago(store.TokenKept)},
		{"tokens", "num", `kind <> 'api' AND revoked_at > 0 AND revoked_at < ?1`, ago(store.TokenKept)},
		{"tokens", "num", `grant_num IN (SELECT num FROM grants WHERE revoked_at > 0 AND revoked_at < ?1)`, ago(store.TokenKept)},
		{"grants", "num", `created_at < ?1 AND NOT EXISTS (SELECT 1 FROM tokens WHERE grant_num = grants.num)`, ago(store.TokenKept)},
		{"clients", "id", `last_used = 0 AND created_at < ?1`, ago(store.ClientUngranted)},
		{"clients", "id", `last_used > 0 AND last_used < ?1 AND NOT EXISTS (SELECT 1 FROM grants JOIN tokens ON grant_num = grants.num
			WHERE client_id = clients.id AND grants.revoked_at = 0 AND spent_at = 0)`, ago(store.ClientKept)},
		{"attempts", "name", `since < ?1`, ago(24 * time.Hour)},
	} {
		query := `DELETE FROM ` + old.table + ` WHERE ` + old.key + ` IN (SELECT ` + old.key + ` FROM ` + old.table + ` WHERE ` + old.where + ` LIMIT ?2)`
		for more := true; more; {
			err := db.inWrite(ctx, "forget old "+old.table, func(tx *sql.Tx, _ int64) error {
				r, err := tx.ExecContext(ctx, query, old.arg, forgetRows)
				if err != nil {
					return err
				}
				n, err := r.RowsAffected()
				more = n == forgetRows
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
