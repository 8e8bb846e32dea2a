package sqlite

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

const insertCall = `INSERT INTO calls (at, caller, name, client, address, tool, arguments, outcome, took) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Bounds of what is kept of a call, in bytes.
const (
	maxCallText      = 300
	maxCallArguments = 4 << 10
)

func callArgs(c store.Call) []any {
	return []any{micros(c.At), cutText(c.Caller, maxCallText), cutText(c.Name, maxCallText), cutText(c.Client, maxCallText), cutText(c.Address, maxCallText),
		cutText(c.Tool, maxCallText), cutText(c.Arguments, maxCallArguments), cutText(c.Outcome, maxCallText), c.Took.Microseconds()}
}

// cutText returns text as valid UTF-8 of at most so many bytes.
func cutText(text string, most int) string {
	if len(text) > most {
		text = text[:most-len("…")] + "…"
	}
	return strings.ToValidUTF8(text, "")
}

// Record adds calls to the audit log, and when tokens were used last.
func (db *DB) Record(ctx context.Context, calls []store.Call, used map[int64]time.Time) error {
	touched := func(t store.Token) bool { _, ok := used[t.ID]; return ok }
	return db.inWriteOf(ctx, "record calls", touched, func(tx *sql.Tx, _ int64) error {
		insert, err := tx.PrepareContext(ctx, insertCall)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, c := range calls {
			if c.Recorded {
				continue
			}
			if _, err := insert.ExecContext(ctx, callArgs(c)...); err != nil {
				return err
			}
		}
		for id, at := range used {
			for _, query := range []string{
				`UPDATE tokens SET last_used = max(last_used, ?) WHERE num = ?`,
				`UPDATE grants SET last_used = max(last_used, ?) WHERE num = (SELECT grant_num FROM tokens WHERE num = ?)`,
			} {
				if _, err := tx.ExecContext(ctx, query, at.UnixMicro(), id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Calls lists the audit log, newest first.
func (db *DB) Calls(ctx context.Context, q store.CallQuery) ([]store.Call, string, error) {
	calls, next, err := db.calls(ctx, q)
	if err != nil {
		return nil, "", db.failed("list calls", err)
	}
	return calls, next, nil
}

func (db *DB) calls(ctx context.Context, q store.CallQuery) ([]store.Call, string, error) {
	list := []any{"calls", micros(q.Since), q.Caller}
	last, err := page.Last(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where, args := ` WHERE at >= ?`, []any{micros(q.Since)}
	if q.Caller != "" {
		where, args = where+` AND caller = ?`, append(args, q.Caller)
	}
	if last != "" {
		num, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return nil, "", store.ErrBadCursor
		}
		where, args = where+` AND num < ?`, append(args, num)
	}
	n := page.Limit(q.Limit)
	rows, err := db.query(ctx, `SELECT num, at, caller, name, client, address, tool, arguments, outcome, took FROM calls`+where+` ORDER BY num DESC LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var all []store.Call
	for rows.Next() {
		var c store.Call
		var at, took int64
		if err := rows.Scan(&c.ID, &at, &c.Caller, &c.Name, &c.Client, &c.Address, &c.Tool, &c.Arguments, &c.Outcome, &took); err != nil {
			return nil, "", err
		}
		c.At, c.Took = never(at), time.Duration(took)*time.Microsecond
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	all, next := page.Cut(all, n, list, func(c store.Call) string { return strconv.FormatInt(c.ID, 10) })
	return all, next, nil
}
