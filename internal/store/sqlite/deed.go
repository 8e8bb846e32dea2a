package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
)

// request is what a change is asked for with, whatever it does.
type request struct {
	deed   string // for errors, such as "count stock"
	reason string // in deeds
	note   string
	once   store.Once
	// content is what the change is, but for who asks and how often: what must
	// be the same where the key is.
	content []any
}

// deed is a change that is being made, in its transaction.
type deed struct {
	db  *DB
	ctx context.Context // does not end: a deed takes a moment
	tx  *sql.Tx
	request
	by  store.Caller
	at  int64 // now
	num int64 // of the row in deeds

	group, next int64   // the numbers of the first movement and of the next one
	spots       []*spot // in the order in which they were named
	receipt     store.Receipt
	held        bool // reservations were made or ended

	unprepared []string // statements to be prepared for the next deed
}

// change makes a change, in one transaction and once.
func (db *DB) change(ctx context.Context, r request, do func(*deed) error) (store.Receipt, error) {
	receipt, err := db.try(ctx, r, do)
	if err == nil {
		return receipt, nil
	}
	// A transaction that ctx ended fails in ways that say less than ctx.
	if ended := ctx.Err(); ended != nil && !errors.Is(err, store.ErrUncertain) && !atFault(err) {
		err = ended
	}
	return store.Receipt{}, db.failed(r.deed, err)
}

func (db *DB) try(ctx context.Context, r request, do func(*deed) error) (store.Receipt, error) {
	by, err := r.check(store.CallerFrom(ctx))
	if err != nil {
		return store.Receipt{}, err
	}
	tx, err := db.begin(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	d := &deed{db: db, ctx: context.WithoutCancel(ctx), tx: tx, request: r, by: by, at: db.now().UnixMicro()}
	defer d.prepare()
	defer tx.Rollback()
	begun, _ := db.index.header()
	if d.held, err = d.lapse(); err != nil {
		return store.Receipt{}, err
	}
	if before, ok, err := d.replay(); ok || err != nil {
		return before, err
	}
	if err := d.spend(); err != nil {
		return store.Receipt{}, err
	}
	if err := d.record(); err != nil {
		return store.Receipt{}, err
	}
	if err := do(d); err != nil {
		return store.Receipt{}, err
	}
	if err := d.finish(); err != nil || r.once.DryRun {
		return d.receipt, err
	}
	call := store.CallFrom(ctx)
	if call != nil {
		if err := d.recordCall(*call); err != nil {
			return store.Receipt{}, err
		}
	}
	if err := db.commit(tx, begun, nil); err != nil {
		if d.undone(err) {
			return store.Receipt{}, err
		}
		return store.Receipt{}, errors.Join(store.ErrUncertain, err)
	}
	if call != nil {
		call.Recorded = true
	}
	db.recent.moved(d.held)
	return d.receipt, nil
}

// undone reports whether a change that failed when it was to be kept is sure not to
// have been made. SQLite writes the mark of a commit last: where there was no room
// for it, or it was never begun, no restart finds it.
func (d *deed) undone(err error) bool {
	switch {
	case errors.Is(err, store.ErrReplaced):
		return true // for it is not in the file that is there
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case codeOf(err) == sqlite3.SQLITE_IOERR_WRITE, codeOf(err)&0xff == sqlite3.SQLITE_FULL, codeOf(err)&0xff == sqlite3.SQLITE_BUSY:
	default:
		return false
	}
	var made bool
	readErr := d.db.queryRow(d.ctx, `SELECT EXISTS (SELECT 1 FROM deeds WHERE num = ? AND at = ?)`, d.num, d.at).Scan(&made)
	return readErr == nil && !made
}

// recordCall adds the call that makes the change to the audit log.
func (d *deed) recordCall(c store.Call) error {
	c.Outcome = "ok"
	c.Took = d.db.now().Sub(c.At)
	_, err := d.exec(insertCall, callArgs(c)...)
	return err
}

// check refuses texts that no ledger takes, and makes those fit that come from
// people and programs.
func (r *request) check(by store.Caller) (store.Caller, error) {
	note, err := oneLine("note", r.note, store.MaxNote)
	if err != nil {
		return by, err
	}
	key, err := oneLine("idempotency key", r.once.Key, store.MaxKey)
	if err != nil {
		return by, err
	}
	if key != r.once.Key {
		return by, invalid("idempotency key %q begins or ends with a space or has characters that do not show; leave them out", r.once.Key)
	}
	r.note = note
	by.Client = shown(by.Client)
	return by, nil
}

// hash tells what was asked for apart from everything else that could be. It is
// kept for good, so what goes into it stays as it is.
func (r *request) hash() []byte {
	b, err := json.Marshal(append([]any{r.reason, r.note}, r.content...))
	if err != nil {
		panic(fmt.Sprintf("sqlite: marshal %v: %v", r.content, err)) // texts and numbers always can be
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// replay returns what the first change under the same key did, if there was one.
func (d *deed) replay() (first store.Receipt, ok bool, err error) {
	if d.once.Key == "" {
		return first, false, nil
	}
	var content, receipt []byte
	err = d.row(`SELECT content, receipt FROM keys WHERE caller = ? AND key = ?`, d.by.ID, d.once.Key).Scan(&content, &receipt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return first, false, nil
	case err != nil:
		return first, false, err
	case string(content) != string(d.hash()):
		return first, false, conflict(store.KeyTaken, "idempotency key %q was used for something else; use a new one", d.once.Key)
	}
	if err := json.Unmarshal(receipt, &first); err != nil {
		return first, false, fmt.Errorf("read receipt of idempotency key %q: %w", d.once.Key, err)
	}
	first.Replayed = true
	return first, true, nil
}

// spentKept is how long after its end a token is remembered.
const spentKept = 7 * 24 * time.Hour

// spend uses the token up.
func (d *deed) spend() error {
	if d.once.Token == "" {
		return nil
	}
	until := d.once.TokenUntil.UnixMicro()
	if until <= d.at {
		return conflict(store.TokenSpent, "this confirmation has expired; ask for a new one")
	}
	// They are kept for longer than they hold: a clock may be set back.
	if _, err := d.exec(`DELETE FROM spent WHERE until <= ?`, d.at-spentKept.Microseconds()); err != nil {
		return err
	}
	n, err := d.exec(`INSERT INTO spent (token, until) VALUES (?, ?) ON CONFLICT DO NOTHING`, d.once.Token, until)
	if err == nil && n == 0 {
		err = conflict(store.TokenSpent, "this confirmation was used before; ask for a new one")
	}
	return err
}

// record writes down what is being done, and by whom.
func (d *deed) record() error {
	return d.row(`INSERT INTO deeds (at, reason, note, actor, client, key) VALUES (?, ?, ?, ?, ?, ?) RETURNING num`,
		d.at, d.reason, d.note, d.by.ID, d.by.Client, d.once.Key).Scan(&d.num)
}

// finish stores the levels, and the receipt under the key.
func (d *deed) finish() error {
	if err := d.withinBounds(); err != nil {
		return err
	}
	for _, sp := range d.spots {
		if err := d.store(sp); err != nil {
			return err
		}
		d.receipt.Levels = append(d.receipt.Levels, sp.change())
	}
	if d.once.Key == "" {
		return nil
	}
	receipt, err := json.Marshal(d.receipt)
	if err != nil {
		return err
	}
	_, err = d.exec(`INSERT INTO keys (caller, key, content, receipt) VALUES (?, ?, ?, ?)`,
		d.by.ID, d.once.Key, d.hash(), string(receipt))
	return err
}

// withinBounds refuses what goes further than whoever asks for it agreed to.
func (d *deed) withinBounds() error {
	for i, sp := range d.spots {
		if from := d.once.From; i == 0 && from != nil && (sp.before.OnHand != from.OnHand || sp.before.Reserved != from.Reserved) {
			return store.ErrChanged
		}
		most := d.once.Most
		if most == nil {
			continue
		}
		onHand, reserved := sp.level.OnHand-sp.before.OnHand, sp.level.Reserved-sp.before.Reserved
		if max(onHand, -onHand, reserved, -reserved) > *most {
			return store.ErrOverLimit
		}
	}
	return nil
}

// stmt returns query as a statement of the transaction.
func (d *deed) stmt(query string) (*sql.Stmt, error) {
	if s, ok := d.db.writeStmts.Load(query); ok {
		return d.tx.StmtContext(d.ctx, s.(*sql.Stmt)), nil
	}
	d.unprepared = append(d.unprepared, query)
	return d.tx.PrepareContext(d.ctx, query)
}

// prepare keeps the statements that were new for changes to come: the connection
// could not prepare them for good in the transaction. It does so in the
// background, since it has to wait for the connection as other writers do.
func (d *deed) prepare() {
	if len(d.unprepared) == 0 {
		return
	}
	d.db.background.Go(func() {
		for _, query := range d.unprepared {
			s, err := d.db.write.PrepareContext(d.db.closing, query)
			if err != nil {
				return // the next change says why, if it cannot either
			}
			if _, there := d.db.writeStmts.LoadOrStore(query, s); there {
				s.Close()
			}
		}
	})
}

// exec returns how many rows query changed.
func (d *deed) exec(query string, args ...any) (int64, error) {
	s, err := d.stmt(query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(d.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (d *deed) row(query string, args ...any) row {
	s, err := d.stmt(query)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(d.ctx, args...)}
}

func (d *deed) rows(query string, args ...any) (*sql.Rows, error) {
	s, err := d.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(d.ctx, args...)
}
