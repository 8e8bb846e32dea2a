package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Reserve holds a quantity for somebody until a time.
func (db *DB) Reserve(ctx context.Context, r store.Reserve) (store.Receipt, error) {
	if r.For == 0 {
		r.For = store.DefaultHold
	}
	req := request{
		deed: "reserve stock", reason: "reserve", note: r.Note, once: r.Once,
		content: []any{r.ShopID, r.ProductID, r.Quantity, r.For.Microseconds()},
	}
	err := checkQuantity(r.Quantity, 1)
	if err == nil {
		err = checkHold(r.For)
	}
	if err != nil {
		return store.Receipt{}, db.failed(req.deed, err)
	}
	return db.change(ctx, req, func(d *deed) error {
		sp, err := d.spot(r.ShopID, r.ProductID)
		switch {
		case err != nil:
			return err
		case !sp.carried:
			return sp.notCarried()
		case r.Quantity > sp.level.Available():
			return sp.insufficient(r.Quantity)
		}
		until := d.at + r.For.Microseconds()
		made := store.Reservation{ShopID: r.ShopID, ProductID: r.ProductID, Quantity: r.Quantity,
			MadeAt: utc(d.at), Until: utc(until), State: store.Held, Note: d.note, Actor: d.by.ID, Client: d.by.Client}
		err = d.row(`INSERT INTO reservations (deed, product, shop, quantity, until, state) VALUES (?, ?, ?, ?, ?, 'held')
			RETURNING num`, d.num, sp.product, sp.shop, r.Quantity, until).Scan(&made.ID)
		sp.level.Reserved += r.Quantity
		d.receipt.Reservation, d.held = &made, true
		return err
	})
}

// Release ends a reservation early.
func (db *DB) Release(ctx context.Context, r store.Release) (store.Receipt, error) {
	req := request{
		deed: fmt.Sprintf("release reservation %d", r.Reservation), reason: "release",
		note: fmt.Sprintf("reservation %d", r.Reservation), once: r.Once,
		content: []any{r.Reservation},
	}
	return db.change(ctx, req, func(d *deed) error {
		held, err := scanReservation(d.row(`SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.num = ?`, r.Reservation).Scan)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("reservation %d: %w", r.Reservation, store.ErrNotFound)
		case err != nil:
			return err
		case held.State == store.Lapsed:
			return fmt.Errorf("it ended at %s: %w", held.EndedAt.Format("2006-01-02 15:04:05 MST"), store.ErrReservationExpired)
		case held.State == store.Released:
			return conflict(store.AlreadyFreed, "it was released before, at %s", held.EndedAt.Format("2006-01-02 15:04:05 MST"))
		}
		sp, err := d.spot(held.ShopID, held.ProductID)
		if err != nil {
			return err
		}
		sp.level.Reserved -= held.Quantity
		held.State, held.EndedAt = store.Released, utc(d.at)
		d.receipt.Reservation = &held
		return d.endReservation(held.ID)
	})
}

// giveWay releases the newest reservations at sp, each wholly, until no more are
// held than onHand.
func (d *deed) giveWay(sp *spot, onHand int64) error {
	if sp.level.Reserved <= onHand {
		return nil
	}
	rows, err := d.rows(`SELECT `+reservationColumns+` FROM `+reservationTables+`
		WHERE r.state = 'held' AND r.product = ? AND r.shop = ? ORDER BY r.num DESC`, sp.product, sp.shop)
	if err != nil {
		return err
	}
	defer rows.Close()
	for sp.level.Reserved > onHand && rows.Next() {
		r, err := scanReservation(rows.Scan)
		if err != nil {
			return err
		}
		r.State, r.EndedAt = store.Released, utc(d.at)
		sp.level.Reserved -= r.Quantity
		d.receipt.Released = append(d.receipt.Released, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	for _, r := range d.receipt.Released {
		if err := d.endReservation(r.ID); err != nil {
			return err
		}
	}
	return nil
}

// endReservation releases a reservation; its level is left to the caller.
func (d *deed) endReservation(num int64) error {
	d.held = true
	_, err := d.exec(`UPDATE reservations SET state = 'released', ended_at = ? WHERE num = ?`, d.at, num)
	return err
}

// reservationColumns are those that scanReservation reads, of reservationTables.
const (
	reservationColumns = `r.num,
		coalesce((SELECT id FROM shops WHERE num = r.shop), (SELECT id FROM retired WHERE kind = 'shop' AND num = r.shop), ''),
		coalesce((SELECT id FROM products WHERE num = r.product), (SELECT id FROM retired WHERE kind = 'product' AND num = r.product), ''),
		r.quantity, d.at, r.until, r.state, r.ended_at, d.note, d.actor, d.client`
	reservationTables = `reservations r CROSS JOIN deeds d ON d.num = r.deed`
)

func scanReservation(scan func(...any) error) (store.Reservation, error) {
	var r store.Reservation
	var made, until int64
	var ended sql.NullInt64
	if err := scan(&r.ID, &r.ShopID, &r.ProductID, &r.Quantity, &made, &until, &r.State, &ended,
		&r.Note, &r.Actor, &r.Client); err != nil {
		return store.Reservation{}, err
	}
	r.MadeAt, r.Until = utc(made), utc(until)
	if ended.Valid {
		r.EndedAt = utc(ended.Int64)
	}
	return r, nil
}

// Reservation returns the reservation with the given ID, or [store.ErrNotFound].
func (db *DB) Reservation(ctx context.Context, id int64) (store.Reservation, error) {
	db.lapseDue(ctx)
	r, err := scanReservation(db.queryRow(ctx, `SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.num = ?`, id).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Reservation{}, fmt.Errorf("reservation %d: %w", id, store.ErrNotFound)
	case err != nil:
		return store.Reservation{}, db.failed(fmt.Sprintf("look up reservation %d", id), err)
	}
	return r, nil
}

// Reservations lists those that are held, the first to lapse first.
func (db *DB) Reservations(ctx context.Context, q store.ReservationQuery) ([]store.Reservation, string, error) {
	db.lapseDue(ctx)
	held, next, err := db.reservations(ctx, q)
	if err != nil {
		return nil, "", db.failed("find reservations", err)
	}
	return held, next, nil
}

func (db *DB) reservations(ctx context.Context, q store.ReservationQuery) ([]store.Reservation, string, error) {
	list := q
	list.Page = store.Page{}
	last, err := lastRow(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where, args := `r.state = 'held'`, []any{}
	if q.ProductID != "" {
		where, args = where+` AND r.product = (SELECT num FROM products WHERE id = ?)`, append(args, q.ProductID)
	}
	if q.ShopID != "" {
		where, args = where+` AND r.shop = (SELECT num FROM shops WHERE id = ?)`, append(args, q.ShopID)
	}
	if last != "" {
		until, num, ok := parseReservationRow(last)
		if !ok {
			return nil, "", store.ErrBadCursor
		}
		where, args = where+` AND (r.until, r.num) > (?, ?)`, append(args, until, num)
	}
	n := limit(q.Limit)
	rows, err := db.query(ctx, `SELECT `+reservationColumns+` FROM `+reservationTables+`
		WHERE `+where+` ORDER BY r.until, r.num LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var held []store.Reservation
	for rows.Next() {
		r, err := scanReservation(rows.Scan)
		if err != nil {
			return nil, "", err
		}
		held = append(held, r)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	held, next := page(held, n, list, func(r store.Reservation) string { return fmt.Sprint(r.Until.UnixMicro(), " ", r.ID) })
	return held, next, nil
}

func parseReservationRow(row string) (until, num int64, ok bool) {
	first, second, _ := strings.Cut(row, " ")
	until, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	num, err = strconv.ParseInt(second, 10, 64)
	return until, num, err == nil
}
