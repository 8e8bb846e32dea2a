package ledger

import (
	"fmt"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

func invalid(format string, args ...any) error {
	return &store.InvalidError{Text: fmt.Sprintf(format, args...)}
}

func conflict(kind store.ConflictKind, format string, args ...any) error {
	return &store.ConflictError{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// refuse returns err as the answer to r.
func (r *request) refuse(err error) (store.Receipt, error) {
	return store.Receipt{}, fmt.Errorf("%s: %w", r.op, err)
}

// check refuses texts that no ledger takes, and cleans those that come from
// people and programs.
func (r *request) check(by store.Caller) (store.Caller, error) {
	note, err := store.OneLine("note", r.note, store.MaxNote)
	if err != nil {
		return by, err
	}
	key, err := store.OneLine("idempotency key", r.once.Key, store.MaxKey)
	if err != nil {
		return by, err
	}
	if key != r.once.Key {
		return by, invalid("idempotency key %q begins or ends with a space or has characters that do not show; leave them out", r.once.Key)
	}
	r.note = note
	by.Client = store.CleanText(by.Client)
	return by, nil
}

func checkMove(m store.Move) error {
	switch m.Reason {
	case store.Delivery:
		if m.Delta <= 0 {
			return invalid("a delivery of %d: give how many came, above 0", m.Delta)
		}
	case store.Sale, store.Waste:
		if m.Delta >= 0 {
			return invalid("%s with a delta of %d: give how many went as a number below 0", m.Reason, m.Delta)
		}
	case store.Correction:
		if m.Delta == 0 {
			return invalid("a correction of 0 changes nothing; give a number above or below 0")
		}
	default:
		return invalid("reason %q is not one of delivery, sale, waste and correction", m.Reason)
	}
	if m.Delta < -store.MaxQuantity || m.Delta > store.MaxQuantity {
		return invalid("delta %d is not from %d to %d", m.Delta, -store.MaxQuantity, store.MaxQuantity)
	}
	if m.Expiry == "" {
		return nil
	}
	if _, err := store.ParseDate(string(m.Expiry)); err != nil {
		return invalid("expiry %v", err)
	}
	return nil
}

// checkQuantity refuses what no level can have or give.
func checkQuantity(n, least int64) error {
	if n < least || n > store.MaxQuantity {
		return invalid("quantity %d is not from %d to %d", n, least, store.MaxQuantity)
	}
	return nil
}

// checkHold refuses a time for which nothing can be held.
func checkHold(d time.Duration) error {
	if d < store.MinHold || d > store.MaxHold {
		return invalid("a reservation for %v is not from %v to %v long", d, store.MinHold, store.MaxHold)
	}
	return nil
}
