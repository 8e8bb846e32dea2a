package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

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
	last, err := page.Last(list, q.Cursor)
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
	n := page.Limit(q.Limit)
	rows, err := db.query(ctx, `SELECT `+reservationColumns+` FROM `+reservationTables+`
		WHERE `+where+` ORDER BY r.until, r.num LIMIT ?`, append(args, n+1)...)
	if err != nil {
		return nil, "", err
	}
	held, err := collect(rows, scanReservation)
	if err != nil {
		return nil, "", err
	}
	held, next := page.Cut(held, n, list, func(r store.Reservation) string { return fmt.Sprint(r.Until.UnixMicro(), " ", r.ID) })
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
