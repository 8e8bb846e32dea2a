package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// checkReceipts finds receipts of keys that no entry has.
func (l *ledgerReader) checkReceipts() error {
	var all int
	if err := l.queryRow(`SELECT count(*) FROM keys`).Scan(&all); err != nil || all == l.receipts {
		return err
	}
	return l.each(`SELECT caller, key FROM keys EXCEPT SELECT actor, key FROM deeds`, nil, func(scan func(...any) error) error {
		var caller, key string
		if err := scan(&caller, &key); err != nil {
			return err
		}
		return l.fault(fmt.Sprintf("receipt of key %q of %q", key, caller), "no entry of the ledger has this key")
	})
}

// receiptFault compares a receipt with what its entry did.
func (l *ledgerReader) receiptFault(e *ledgerEntry, movements []ledgerMovement, content, raw []byte) error {
	var r store.Receipt
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("it does not parse: %w", err)
	}
	if len(r.Movements) != len(movements) {
		return fmt.Errorf("it tells of %d movements, the ledger of %d", len(r.Movements), len(movements))
	}
	for i, m := range movements {
		if !l.isCalled(m.levelID, r.Movements[i].ProductID, r.Movements[i].ShopID) || r.Movements[i] != m.of(e, r.Movements[i].ProductID, r.Movements[i].ShopID) {
			return fmt.Errorf("what it tells of movement %d is not what the ledger does", m.num)
		}
	}
	if err := l.levelsFault(e, movements, &r); err != nil {
		return err
	}
	if err := l.reservationFault(e, &r); err != nil {
		return err
	}
	if ledger.Answers(ledger.Entry{Reason: e.reason, Note: e.note}, r, content) {
		return nil
	}
	return errors.New("the request that it is kept for is not the one it answers")
}

// isCalled reports whether product and shop have these IDs.
func (l *ledgerReader) isCalled(at levelID, productID, shopID string) bool {
	return l.ids["product"][at.product] == maphash.String(sumSeed, productID) && l.ids["shop"][at.shop] == maphash.String(sumSeed, shopID)
}

// of returns m as a receipt of its entry tells of it.
func (m *ledgerMovement) of(e *ledgerEntry, productID, shopID string) store.Movement {
	return store.Movement{ID: m.num, Group: m.group, At: utc(e.at), ShopID: shopID, ProductID: productID,
		Expiry: store.Date(m.expiry), Delta: m.delta, Reason: store.Reason(e.reason), Note: e.note, Actor: e.actor, Client: e.client, Key: e.key,
		Before:   store.Level{OnHand: m.onHand - m.delta, Reserved: m.reservedBefore},
		After:    store.Level{OnHand: m.onHand, Reserved: m.reserved},
		Reverses: m.reverses}
}

// levelsFault compares the levels of a receipt with its movements and
// reservation.
func (l *ledgerReader) levelsFault(e *ledgerEntry, movements []ledgerMovement, r *store.Receipt) error {
	moved := 0
	for _, c := range r.Levels {
		onHand, reserved := c.Before.OnHand, c.Before.Reserved
		for i, m := range r.Movements {
			if m.ShopID == c.ShopID && m.ProductID == c.ProductID {
				onHand, reserved = onHand+m.Delta, movements[i].reserved
				moved++
			}
		}
		if s := r.Reservation; s != nil && s.ShopID == c.ShopID && s.ProductID == c.ProductID {
			if reserved += s.Quantity; e.reason == "release" {
				reserved -= 2 * s.Quantity
			}
		}
		if c.After.OnHand != onHand || c.After.Reserved != reserved || c.After.AsOf != utc(max(e.at, micros(c.Before.AsOf))) {
			return fmt.Errorf("its levels of product %q in shop %q do not follow from what it did", c.ProductID, c.ShopID)
		}
	}
	if moved != len(r.Movements) || len(r.Levels) == 0 {
		return errors.New("it does not tell of every level that it changed")
	}
	return nil
}

// reservationFault compares the reservations of a receipt with those that are
// kept.
func (l *ledgerReader) reservationFault(e *ledgerEntry, r *store.Receipt) error {
	if (e.reason == "reserve" || e.reason == "release") != (r.Reservation != nil) {
		return fmt.Errorf("it is of the reason %s, and tells of a reservation or does not", e.reason)
	}
	same := func(told store.Reservation, state store.ReservationState) bool {
		kept := l.reservations[told.ID]
		return kept != nil && told.State == state && told.Quantity == kept.quantity && told.Until == utc(kept.until) && l.isCalled(kept.levelID, told.ProductID, told.ShopID) &&
			(state == store.Held) == (kept.entry == e.num) && (state == store.Held || kept.state == state && told.EndedAt == utc(kept.endedAt) && kept.endedAt == e.at)
	}
	if told := r.Reservation; told != nil {
		state := store.Held
		if e.reason == "release" {
			state = store.Released
		}
		made := told.MadeAt == utc(e.at) && told.Note == e.note && told.Actor == e.actor && told.Client == e.client
		if !same(*told, state) || state == store.Held && !made {
			return fmt.Errorf("what it tells of reservation %d is not what is kept", told.ID)
		}
	}
	for _, told := range r.Released {
		if !same(told, store.Released) {
			return fmt.Errorf("what it tells of reservation %d is not what is kept", told.ID)
		}
	}
	return nil
}
