package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ledger changes the stock, and tells how it came to be what it is. Every
// change of a level is a [Movement] that is appended and never altered; the
// level is kept beside it in the same transaction. A change that returned
// without an error has reached the disk.
//
// Changes are made by the [Caller] in ctx. One that is refused changes
// nothing: [ErrNotFound] where a shop, a product, a movement or a reservation
// is not there, or a product of which something is to be taken is not carried;
// an [*InsufficientError]; an [*InvalidError] for what no stock allows;
// [ErrConflict] and [ErrReservationExpired] for what this stock does not.
type Ledger interface {
	// Move records a delivery, a sale, waste or a correction. A delivery or a
	// correction to where the product was not carried makes it carried.
	Move(ctx context.Context, m Move) (Receipt, error)

	// Count sets a level to what somebody counted, by a movement of the
	// difference, be it 0. Where less is left than is reserved, the newest
	// reservations are released until it fits: [Receipt.Released].
	Count(ctx context.Context, c Count) (Receipt, error)

	// Transfer takes what has not expired from one shop and gives it to another.
	// Lots keep their dates.
	Transfer(ctx context.Context, t Transfer) (Receipt, error)

	// Reserve holds a quantity of what has not expired until a time, when the
	// reservation lapses.
	Reserve(ctx context.Context, r Reserve) (Receipt, error)

	// Release ends a reservation early. One that has lapsed is
	// [ErrReservationExpired], one that was released before [ErrConflict].
	Release(ctx context.Context, r Release) (Receipt, error)

	// Undo reverses a movement and all of its group, by movements that name
	// those that they reverse. What was undone, or is itself an undo, is
	// [ErrConflict].
	Undo(ctx context.Context, u Undo) (Receipt, error)

	// Movements lists what moved, newest first. It returns the cursor of the
	// next page, "" on the last.
	Movements(ctx context.Context, q MovementQuery) (movements []Movement, next string, err error)

	// Reservation returns the reservation with the given ID, or [ErrNotFound].
	Reservation(ctx context.Context, id int64) (Reservation, error)

	// Reservations lists those that are held, the first to lapse first. It
	// returns the cursor of the next page, "" on the last.
	Reservations(ctx context.Context, q ReservationQuery) (held []Reservation, next string, err error)

	// Lots returns the lots of a product in a shop, the first to expire first;
	// none where what is there has no dates, or the product is not carried.
	Lots(ctx context.Context, shopID, productID string) ([]Lot, error)

	// LowStock lists the levels that are at or below where more should be
	// ordered: least available first, then product by product as they were
	// added, then by shop name. It returns the cursor of the next page, "" on
	// the last.
	LowStock(ctx context.Context, q LowStockQuery) (low []StockLevel, next string, err error)

	// Expiring lists lots by their expiry date, then product by product as they
	// were added, then by shop name. It returns the cursor of the next page, "" on the last.
	Expiring(ctx context.Context, q ExpiringQuery) (lots []StockLot, next string, err error)

	// Secret returns 32 random bytes that are the same for as long as the
	// data lives, for everyone who asks by this name.
	Secret(ctx context.Context, name string) ([]byte, error)

	// Watch calls f first with nothing changed, once no later commit can escape
	// it, and then after commits that changed something, of this process or of
	// another one, at the latest a second later; one call at a time, until ctx
	// ends, which is the error that it returns. Several commits may be told as
	// one.
	Watch(ctx context.Context, f func(Changes)) error
}

// Verifier checks what is kept.
type Verifier interface {
	// Verify reads what answers are made from, adds the whole ledger up again
	// and compares it with what is kept beside it. It returns what is wrong, at
	// most limit of it and the first found; the stock is not changed.
	Verify(ctx context.Context, limit int) ([]Discrepancy, error)
}

// Caller is who asks for something. It travels in the context, so that those
// who find out and those who want to know need not know each other.
type Caller struct {
	ID      string // stable, and nobody else's; "" for whoever is not known
	Name    string // what the owner knows them by; "" if they do not
	Client  string // the program that they use, as it calls itself; "" if it does not
	Address string // where they call from; "" where unknown
	Scopes  Scopes // what they may do, where that is checked
	Shop    string // the ID of the only shop that they see and change; "" for all
	// Withheld are scopes that the owner refused when a client asked for them:
	// to ask once more is of no use.
	Withheld Scopes
}

const grantCaller = "grant:"

// GrantCaller returns the ID of the caller who has a grant.
func GrantCaller(grant int64) string { return grantCaller + strconv.FormatInt(grant, 10) }

// Grant returns the ID of the caller's grant, and reports whether there is one:
// whether the caller signed in here, and so can ask the owner for more scopes.
func (c Caller) Grant() (id int64, ok bool) {
	number, ok := strings.CutPrefix(c.ID, grantCaller)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(number, 10, 64)
	return id, err == nil
}

type callerKey struct{}

// WithCaller returns a context in which c asks.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns who asks in ctx; the zero Caller if nobody said.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Reason says why stock moved.
type Reason string

// The reasons. The first four are those of [Move]; a movement that undoes
// another one is a correction.
const (
	Delivery    Reason = "delivery"
	Sale        Reason = "sale"
	Waste       Reason = "waste"
	Correction  Reason = "correction"
	Counted     Reason = "count"
	Transferred Reason = "transfer"
	Imported    Reason = "import"
)

// Date is a day as YYYY-MM-DD, so that dates compare as strings do; "" is none.
type Date string

// ParseDate returns the day that s is, in the form of a [Date].
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is not a date such as 2026-11-30", s)
	}
	return Date(s), nil
}

// DateOf returns t's day, where t is.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// TimeLayout is how people are shown a time, in the time zone of the shops.
const TimeLayout = "2006-01-02 15:04 -07:00"

// AddDays returns the day that many days later.
func (d Date) AddDays(days int) Date {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return DateOf(t.AddDate(0, 0, days))
}

// Bounds of what is written.
const (
	MaxQuantity = 1_000_000_000 // of a level, and so of every change of one
	MaxNote     = 500           // characters
	MaxKey      = 200           // characters

	DefaultHold = 30 * time.Minute
	MinHold     = time.Second
	MaxHold     = 7 * 24 * time.Hour
)

// Once makes a change that may reach the store twice happen once. Its zero
// value makes no such promise.
type Once struct {
	// Key is the caller's idempotency key. A change with the same key and the
	// same content returns the first one's receipt; one with other content is
	// refused with [ErrConflict]. Keys are each caller's own and are kept for
	// good; refused changes leave none.
	Key string
	// Token, if set, is used up together with the change: a second change
	// that brings it is refused with [ErrConflict]. TokenUntil is when it need
	// not be remembered any longer.
	Token      string
	TokenUntil time.Time
	// Most, if set, bounds the change: it is refused with [ErrOverLimit] where
	// it would change what is on hand or reserved anywhere by more.
	Most *int64
	// From, if set, is how much the first level that it changes must have on hand
	// and reserved before: it is refused with [ErrChanged] otherwise.
	From *Level
	// DryRun returns what the change would, and changes nothing.
	DryRun bool
}

// Move asks for a movement of one product in one shop.
type Move struct {
	ShopID, ProductID string
	Delta             int64  // above 0 for a delivery, below for a sale or waste, not 0 for a correction
	Reason            Reason // Delivery, Sale, Waste or Correction
	// Expiry is the lot. Where more comes, "" is outside lots; where less is
	// left, "" takes the lot that expires first, then the next, and last what
	// has no date. A sale takes nothing that has expired; the others may.
	Expiry Date
	Note   string
	Once
}

// Count asks for a level to be what was counted.
type Count struct {
	ShopID, ProductID string
	Quantity          int64 // not below 0
	Note              string
	Once
}

// Transfer asks for a quantity to go from one shop to another.
type Transfer struct {
	FromShopID, ToShopID, ProductID string
	Quantity                        int64 // above 0
	Note                            string
	Once
}

// Reserve asks for a quantity to be held.
type Reserve struct {
	ShopID, ProductID string
	Quantity          int64         // above 0
	For               time.Duration // if 0, DefaultHold; from MinHold to MaxHold
	Note              string
	Once
}

// Release asks for a reservation to end.
type Release struct {
	Reservation int64
	Once
}

// Undo asks for a movement, and those of its group, to be reversed.
type Undo struct {
	Movement int64
	Note     string
	Once
}

// Receipt tells what a change did.
type Receipt struct {
	Movements   []Movement    // in the order of their IDs
	Levels      []LevelChange // of each shop and product it touched, in the order of being named
	Reservation *Reservation  // that was made, or ended
	Released    []Reservation // that had to give way, newest first
	Replayed    bool          // this is what the first change of the same key did
}

// LevelChange is a level before and after.
type LevelChange struct {
	ShopID, ProductID string
	Before, After     Level
	New               bool // not carried before, which is a Before of 0
}

// Movement is an entry of the ledger.
type Movement struct {
	ID                int64
	Group             int64 // the ID of the first of those that are undone together; ID where it is alone
	At                time.Time
	ShopID, ProductID string
	Expiry            Date  // the lot; "" outside lots
	Delta             int64 // 0 only for a count that found what was expected
	Reason            Reason
	Note              string
	Actor, Client     string // the [Caller]
	Key               string // the idempotency key; "" where there was none
	Before, After     Level  // without AsOf, which is At for After, and without Expired
	Reverses          int64  // the movement that this one undoes, or 0
	ReversedBy        int64  // the movement that undid this one, or 0
}

// MovementQuery asks for movements. The conditions that are set must all hold.
type MovementQuery struct {
	ShopID, ProductID string
	Group             int64 // only the group of the movement with this ID
	Page
}

// Reservation is a quantity that is held for somebody.
type Reservation struct {
	ID                int64
	ShopID, ProductID string
	Quantity          int64
	MadeAt, Until     time.Time
	State             ReservationState
	EndedAt           time.Time // zero while held
	Note              string
	Actor, Client     string // the [Caller] who made it
}

// ReservationState says whether a reservation still holds.
type ReservationState string

// The states of a reservation.
const (
	Held     ReservationState = "held"
	Released ReservationState = "released"
	Lapsed   ReservationState = "lapsed"
)

// ReservationQuery asks for what is held. The conditions that are set must all
// hold.
type ReservationQuery struct {
	ShopID, ProductID string
	Page
}

// Lot is what is on hand of one expiry date.
type Lot struct {
	Expiry Date
	OnHand int64
}

// StockLevel is a level with what it is of.
type StockLevel struct {
	Shop    Shop
	Product Product
	Level
}

// StockLot is a lot with what it is of.
type StockLot struct {
	Shop    Shop
	Product Product
	Lot
}

// LowStockQuery asks for levels of which little is available. The conditions
// that are set must all hold.
type LowStockQuery struct {
	ShopID string
	Chain  string // only shops of this chain
	// Threshold takes the place of every product's reorder point. If nil,
	// products without one are left out.
	Threshold *int64
	Page
}

// ExpiringQuery asks for lots. The conditions that are set must all hold.
type ExpiringQuery struct {
	ShopID  string
	Chain   string // only shops of this chain
	Through Date   // only lots that expire on this day or before it
	Page
}

// Discrepancy is a place where the ledger and what is kept beside it differ.
type Discrepancy struct {
	What              string // such as "on hand"
	ShopID, ProductID string // "" where it is not of one
	Ledger, Kept      int64  // the same where it is not a number that differs
	Detail            string // what else to know, or ""
}

func (d Discrepancy) String() string {
	s := fmt.Sprintf("%s: the ledger says %d, kept is %d", d.What, d.Ledger, d.Kept)
	switch {
	case d.Ledger == d.Kept:
		s = d.What + ": " + d.Detail
	case d.Detail != "":
		s += " (" + d.Detail + ")"
	}
	switch {
	case d.ShopID != "":
		return fmt.Sprintf("product %q in shop %q: %s", d.ProductID, d.ShopID, s)
	case d.ProductID != "":
		return fmt.Sprintf("product %q: %s", d.ProductID, s)
	}
	return s
}

// Changes says what is not what it was.
type Changes struct {
	All      bool     // anything may have changed, as after an import, or where a day ended
	Shops    []string // IDs of those whose stock or description changed
	Products []string // likewise
}

// Errors of changes, for [errors.Is].
var (
	// ErrConflict says that what was asked for does not go with what happened
	// before.
	ErrConflict = errors.New("conflict")
	// ErrOverLimit says that a change is larger than [Once.Most].
	ErrOverLimit = errors.New("change is over its limit")
	// ErrChanged says that a level is not [Once.From] any longer.
	ErrChanged = errors.New("level has changed")
	// ErrUncertain says that a change may or may not have been made: it failed
	// when it was to be kept. With any other error it was not made.
	ErrUncertain = errors.New("the change may or may not have been made")
	// ErrDiskFull says that the disk has no room for a change.
	ErrDiskFull = errors.New("the disk is full; nothing was changed")
	// ErrBusy says that something else held the write lock for too long.
	ErrBusy = errors.New("something else has been writing for too long; nothing was changed")
	// ErrReplaced says that the file that is open is no longer the one at its
	// path. A change that returns it is not in the file at the path.
	ErrReplaced = errors.New("the database file was moved, removed or replaced while in use")
	// ErrReservationExpired says that a reservation lapsed before.
	ErrReservationExpired = errors.New("reservation has expired")
)

// ConflictError says what happened before that a change does not go with. It
// is an [ErrConflict].
type ConflictError struct {
	Kind ConflictKind
	Text string
}

// ConflictKind tells conflicts apart.
type ConflictKind int

// The kinds of conflicts.
const (
	KeyTaken       ConflictKind = iota + 1 // the idempotency key was used for something else
	TokenSpent                             // the token was used before, or has expired
	AlreadyUndone                          // the movement was undone before
	IsUndo                                 // the movement is itself an undo
	AlreadyFreed                           // the reservation was released before
	LotUsedUp                              // of what came without a date too little is left
	NoLongerThere                          // the shop or product is gone, or not carried any longer
	NotTheirsAlone                         // it changed what the caller may not change, too
	LotExpired                             // the lot that was to be sold has expired
)

func (e *ConflictError) Error() string        { return e.Text }
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Hint says what to do about it.
func (e *ConflictError) Hint() string {
	switch e.Kind {
	case KeyTaken:
		return "use a key of its own for each change"
	case IsUndo, LotUsedUp, NoLongerThere:
		return "record a correction instead, or count what is there"
	case LotExpired:
		return "record it as waste, or sell what has not expired"
	case NotTheirsAlone:
		return "ask the owner to undo it"
	}
	return "nothing was changed"
}

// InsufficientError says that less is there than a change would take.
type InsufficientError struct {
	ShopID, ProductID string
	Expiry            Date  // where only this lot was meant
	Asked             int64 // how much would be taken
	Level             Level // what is there; without Expired where what has expired could be taken, too
	Lot               int64 // what is there of the lot, where Expiry is set
}

func (e *InsufficientError) Error() string {
	if e.Expiry != "" {
		return fmt.Sprintf("product %q in shop %q: %d asked for of the lot that expires on %s, of which there are %d",
			e.ProductID, e.ShopID, e.Asked, e.Expiry, e.Lot)
	}
	expired := ""
	if e.Level.Expired > 0 {
		expired = fmt.Sprintf(", %d expired", e.Level.Expired)
	}
	return fmt.Sprintf("product %q in shop %q: %d asked for, %d available (%d on hand, %d reserved%s)",
		e.ProductID, e.ShopID, e.Asked, e.Level.Available(), e.Level.OnHand, e.Level.Reserved, expired)
}

// InvalidError says what is wrong with a change, whatever the stock is.
type InvalidError struct{ Text string }

func (e *InvalidError) Error() string { return e.Text }
