package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Bounds of what is kept of callers, in bytes.
const (
	maxAccessName = 200
	maxAccessURI  = 4 << 10
)

// inWrite runs do in one immediate transaction. It is for changes of who may
// ask: what is remembered of tokens is forgotten.
func (db *DB) inWrite(ctx context.Context, deed string, do func(tx *sql.Tx, now int64) error) error {
	return db.inWriteOf(ctx, deed, func(store.Token) bool { return true }, do)
}

// inWriteOf is inWrite of what touches only some of the tokens.
func (db *DB) inWriteOf(ctx context.Context, deed string, touched func(store.Token) bool, do func(tx *sql.Tx, now int64) error) error {
	err := func() error {
		tx, err := db.begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		begun, _ := db.index.header()
		if err := do(tx, db.now().UnixMicro()); err != nil {
			return err
		}
		return db.commit(tx, begun, touched)
	}()
	if err == nil {
		return nil
	}
	// A transaction that ctx ended fails in ways that say less than ctx.
	if ended := ctx.Err(); ended != nil && !atFault(err) {
		err = ended
	}
	return db.failed(deed, err)
}

// commit commits what leaves everything that is remembered as it is, but for
// the tokens that it touched. The index said begun since nobody else can write.
func (db *DB) commit(tx *sql.Tx, begun walHeader, touched func(store.Token) bool) error {
	if err := db.keep(tx); err != nil {
		return err
	}
	if now, ok := db.index.header(); ok && now.follows(begun) {
		db.recent.keep(begun, now)
		db.tokens.keep(begun, now, touched)
	}
	return nil
}

// micros is a time as the tables of access keep it: 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// never is the time that micros kept.
func never(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return utc(us)
}

func scopesOf(text string) store.Scopes {
	s, _ := store.ParseScopes(strings.Fields(text)...)
	return s
}

// fits refuses what is too long to keep, or no text.
func fits(what, text string, most int) error {
	if !utf8.ValidString(text) {
		return invalid("%s is not valid UTF-8; send it as UTF-8", what)
	}
	if len(text) > most {
		return invalid("%s has %d bytes; it may have at most %d", what, len(text), most)
	}
	return nil
}

// one is [store.ErrNotFound] where a statement changed nothing.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}
