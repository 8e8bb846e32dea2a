package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// tx is a transaction of the writer, and the rows that package ledger's rules
// read and write. Its methods keep the promises of [ledger.Tx].
type tx struct {
	ctx   context.Context
	sql   *sql.Tx
	nums  []rowNums // of the shops and products that were named so far
	entry int64     // the row of deeds that what is added belongs to
	at    time.Time // of that
	next  int64     // the number of the next movement; 0 until one is added

	reservations bool // some were made or ended

	prepared   *sync.Map // SQL text to *sql.Stmt of the same pool; nil if there are none
	unprepared []string  // what was missing there
}

var _ ledger.Tx = (*tx)(nil)

// rowNums are the rows that the IDs of a product and a shop name.
type rowNums struct {
	shopID, productID string
	shop, product     int64
}

// Update runs f in one transaction.
func (db *DB) Update(ctx context.Context, f func(ledger.Tx) error) error {
	err := db.update(ctx, f)
	// A transaction that ctx ended fails in ways that say less than ctx.
	if ended := ctx.Err(); err != nil && ended != nil && !errors.Is(err, store.ErrUncertain) && !atFault(err) {
		return ended
	}
	if err == nil || isRefusal(err) {
		return err
	}
	db.wrote(err)
	return fmt.Errorf("database %q: %w", db.path, db.explain(err))
}

func (db *DB) update(ctx context.Context, f func(ledger.Tx) error) error {
	stx, err := db.begin(ctx)
	if err != nil {
		return err
	}
	// From here on it takes a moment, so ctx is not watched: that would cost a
	// goroutine for each statement.
	t := &tx{ctx: context.WithoutCancel(ctx), sql: stx, prepared: &db.writeStmts}
	defer db.prepareWrites(t)
	defer stx.Rollback()
	begun, _ := db.index.header()
	if err := f(t); err != nil {
		return err
	}
	if err := db.commit(stx, begun, nil); err != nil {
		if db.undone(t, err) {
			return err
		}
		return errors.Join(store.ErrUncertain, err)
	}
	db.recent.moved(t.reservations)
	return nil
}

// undone reports whether a transaction that failed when it was to be kept is sure
// not to have been made. SQLite writes the mark of a commit last: where there was
// no room for it, or it was never begun, no restart finds it.
func (db *DB) undone(t *tx, err error) bool {
	switch {
	case errors.Is(err, store.ErrReplaced):
		return true // for it is not in the file that is there
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case codeOf(err) == sqlite3.SQLITE_IOERR_WRITE, codeOf(err)&0xff == sqlite3.SQLITE_FULL, codeOf(err)&0xff == sqlite3.SQLITE_BUSY:
	default:
		return false
	}
	var made bool
	readErr := db.queryRow(t.ctx, `SELECT EXISTS (SELECT 1 FROM deeds WHERE num = ? AND at = ?)`, t.entry, t.at.UnixMicro()).Scan(&made)
	return readErr == nil && !made
}

// rowsOf returns the rows that the IDs name.
func (t *tx) rowsOf(shopID, productID string) (rowNums, error) {
	for range 2 {
		for _, n := range t.nums {
			if n.shopID == shopID && n.productID == productID {
				return n, nil
			}
		}
		if _, _, err := t.Level(shopID, productID, ""); err != nil {
			return rowNums{}, err
		}
	}
	panic("unreachable: Level remembers the rows that it finds")
}

func (t *tx) Level(shopID, productID string, today store.Date) (level store.Level, carried bool, err error) {
	var shop, product, onHand, reserved, expired, asOf sql.NullInt64
	err = t.row(`
		SELECT s.num, p.num, l.on_hand, l.reserved, `+expiredOf(`l`, `?`)+`, l.as_of FROM (SELECT 1)
		LEFT JOIN shops s ON s.id = ?
		LEFT JOIN products p ON p.id = ?
		LEFT JOIN levels l ON l.product = p.num AND l.shop = s.num`,
		today, shopID, productID).Scan(&shop, &product, &onHand, &reserved, &expired, &asOf)
	switch {
	case err != nil:
		return level, false, err
	case !shop.Valid:
		return level, false, fmt.Errorf("shop %q: %w", shopID, store.ErrNotFound)
	case !product.Valid:
		return level, false, fmt.Errorf("product %q: %w", productID, store.ErrNotFound)
	}
	if n := (rowNums{shopID, productID, shop.Int64, product.Int64}); !slices.Contains(t.nums, n) {
		t.nums = append(t.nums, n)
	}
	if !onHand.Valid {
		return level, false, nil
	}
	return store.Level{OnHand: onHand.Int64, Reserved: reserved.Int64, Expired: expired.Int64, AsOf: utc(asOf.Int64)}, true, nil
}

func (t *tx) Lots(shopID, productID string) ([]store.Lot, error) {
	n, err := t.rowsOf(shopID, productID)
	if err != nil {
		return nil, err
	}
	rows, err := t.rows(`SELECT expiry, on_hand FROM lots WHERE product = ? AND shop = ? ORDER BY expiry`, n.product, n.shop)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanLot)
}

func (t *tx) reservationsWhere(where string, args ...any) ([]store.Reservation, error) {
	rows, err := t.rows(`SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanReservation)
}

func (t *tx) Held(shopID, productID string) ([]store.Reservation, error) {
	n, err := t.rowsOf(shopID, productID)
	if err != nil {
		return nil, err
	}
	return t.reservationsWhere(`r.state = 'held' AND r.product = ? AND r.shop = ? ORDER BY r.num DESC`, n.product, n.shop)
}

func (t *tx) Due(at time.Time) ([]store.Reservation, error) {
	// Every change asks this, and nearly always there are none: a statement of
	// one column costs a third of one with all of them.
	var due bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM reservations WHERE state = 'held' AND until <= ?)`, at.UnixMicro()).Scan(&due)
	if err != nil || !due {
		return nil, err
	}
	return t.reservationsWhere(`r.state = 'held' AND r.until <= ? ORDER BY r.until, r.num`, at.UnixMicro())
}

func (t *tx) Reservation(id int64) (store.Reservation, error) {
	r, err := scanReservation(t.row(`SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.num = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("reservation %d: %w", id, store.ErrNotFound)
	}
	return r, err
}

func (t *tx) Group(id int64) ([]store.Movement, error) {
	rows, err := t.rows(movementsSQL+`
		WHERE m.num IN (SELECT grp FROM movements WHERE num = ?1
			UNION SELECT num FROM movements WHERE grp <> num AND grp = (SELECT grp FROM movements WHERE num = ?1))
		ORDER BY m.num DESC`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanMovement)
}

func (t *tx) Key(caller, key string) (content []byte, receipt store.Receipt, err error) {
	var kept []byte
	err = t.row(`SELECT content, receipt FROM keys WHERE caller = ? AND key = ?`, caller, key).Scan(&content, &kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, receipt, nil
	case err != nil:
		return nil, receipt, err
	}
	if err := json.Unmarshal(kept, &receipt); err != nil {
		return nil, receipt, fmt.Errorf("read receipt of idempotency key %q: %w", key, err)
	}
	return content, receipt, nil
}

func (t *tx) KeepKey(caller, key string, content []byte, receipt store.Receipt) error {
	kept, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO keys (caller, key, content, receipt) VALUES (?, ?, ?, ?)`, caller, key, content, string(kept))
	return err
}

func (t *tx) Begin(e ledger.Entry) error {
	t.at = e.At
	return t.row(`INSERT INTO deeds (at, reason, note, actor, client, key) VALUES (?, ?, ?, ?, ?, ?) RETURNING num`,
		e.At.UnixMicro(), e.Reason, e.Note, e.Actor, e.Client, e.Key).Scan(&t.entry)
}

func (t *tx) Append(m *store.Movement) error {
	n, err := t.rowsOf(m.ShopID, m.ProductID)
	if err != nil {
		return err
	}
	if t.next == 0 {
		// Numbers of deleted demo movements are not given out again.
		err := t.row(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'movements'), 0) + 1`).Scan(&t.next)
		if err != nil {
			return err
		}
	}
	m.ID = t.next
	if m.Group == 0 {
		m.Group = m.ID
	}
	t.next++
	_, err = t.exec(`
		INSERT INTO movements (num, deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved, reverses)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))`,
		m.ID, t.entry, m.Group, n.product, n.shop, m.Expiry, m.Delta, m.After.OnHand, m.Before.Reserved, m.After.Reserved, m.Reverses)
	return err
}

func (t *tx) SetLevel(shopID, productID string, l store.Level) error {
	n, err := t.rowsOf(shopID, productID)
	if err != nil {
		return err
	}
	_, err = t.exec(`
		INSERT INTO levels (product, shop, chain, place, on_hand, reserved, as_of, reorder_point)
		SELECT p.num, s.num, s.chain, s.place, ?, ?, ?, p.reorder_point FROM products p, shops s WHERE p.num = ? AND s.num = ?
		ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved, as_of = excluded.as_of`,
		l.OnHand, l.Reserved, l.AsOf.UnixMicro(), n.product, n.shop)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO changes (product, shop) VALUES (?, ?)`, n.product, n.shop)
	return err
}

func (t *tx) SetLot(shopID, productID string, l store.Lot) error {
	n, err := t.rowsOf(shopID, productID)
	if err != nil {
		return err
	}
	if l.OnHand == 0 {
		_, err = t.exec(`DELETE FROM lots WHERE product = ? AND shop = ? AND expiry = ?`, n.product, n.shop, l.Expiry)
		return err
	}
	_, err = t.exec(`INSERT INTO lots (product, shop, expiry, on_hand) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand`, n.product, n.shop, l.Expiry, l.OnHand)
	return err
}

func (t *tx) AddReservation(r *store.Reservation) error {
	n, err := t.rowsOf(r.ShopID, r.ProductID)
	if err != nil {
		return err
	}
	t.reservations = true
	return t.row(`INSERT INTO reservations (deed, product, shop, quantity, until, state) VALUES (?, ?, ?, ?, ?, ?)
		RETURNING num`, t.entry, n.product, n.shop, r.Quantity, r.Until.UnixMicro(), r.State).Scan(&r.ID)
}

func (t *tx) EndReservation(r store.Reservation) error {
	t.reservations = true
	_, err := t.exec(`UPDATE reservations SET state = ?, ended_at = ? WHERE num = ?`, r.State, r.EndedAt.UnixMicro(), r.ID)
	return err
}

func (t *tx) Spend(token string, until, forget time.Time) (fresh bool, err error) {
	if _, err := t.exec(`DELETE FROM spent WHERE until <= ?`, forget.UnixMicro()); err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO spent (token, until) VALUES (?, ?) ON CONFLICT DO NOTHING`, token, until.UnixMicro())
	return n > 0, err
}

func (t *tx) Record(c store.Call) error {
	_, err := t.exec(insertCall, callArgs(c)...)
	return err
}

// stmt returns query as a statement of the transaction.
func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if t.prepared != nil {
		if s, ok := t.prepared.Load(query); ok {
			return t.sql.StmtContext(t.ctx, s.(*sql.Stmt)), nil
		}
		t.unprepared = append(t.unprepared, query)
	}
	return t.sql.PrepareContext(t.ctx, query)
}

// prepareWrites keeps the statements that were new to t for the transactions to
// come: the one connection could not prepare them for good while t held it. It
// does so in the background, since it waits for the connection as other writers do.
func (db *DB) prepareWrites(t *tx) {
	if len(t.unprepared) == 0 {
		return
	}
	db.background.Go(func() {
		for _, query := range t.unprepared {
			s, err := db.write.PrepareContext(db.closing, query)
			if err != nil {
				return // the next transaction reports it, if it cannot either
			}
			if _, there := t.prepared.LoadOrStore(query, s); there {
				s.Close()
			}
		}
	})
}

// exec returns how many rows query changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *tx) row(query string, args ...any) row {
	s, err := t.stmt(query)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(t.ctx, args...)}
}

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}
