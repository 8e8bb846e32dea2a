package sqlite

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// ledgerReader goes through the ledger in the order in which it was written:
// each entry (a row of deeds), its movements and its receipt. It keeps what is
// known of levels and reservations, and no movements.
type ledgerReader struct {
	*verifier
	dated    bool           // it is known when the database was made
	loadedAt int64          // when that was
	rows     *sql.Rows      // of movements
	next     ledgerMovement // not read yet; its num is 0 behind the last

	reservations map[int64]*ledgerReservation   // by number
	made         map[int64][]*ledgerReservation // by the entry that made them

	// As far as the ledger was read:
	levels       map[levelID]*ledgerLevel
	lapsing      []*ledgerReservation // not ended, and lapsed later; the first to lapse first
	imports      map[int64]bool       // when there were imports
	receipts     int
	lastEntry    int64
	lastMovement ledgerMovement
}

// levelID is a product in a shop, by their numbers.
type levelID struct{ product, shop int64 }

// ledgerLevel is what the ledger tells of a level.
type ledgerLevel struct {
	sum      int64 // of all movements
	onHand   int64 // after the last movement, as it says
	moved    bool
	reserved int64
	open     []*ledgerReservation // not ended
	changed  int64                // when it changed last
	kept     bool                 // there is such a level
}

// ledgerEntry is a row of deeds.
type ledgerEntry struct {
	num, at                          int64
	reason, note, actor, client, key string
}

func (e *ledgerEntry) String() string { return fmt.Sprintf("entry %d of the ledger", e.num) }

// ledgerMovement is a row of movements.
type ledgerMovement struct {
	num, entry, group int64
	levelID
	expiry                                            string
	delta, onHand, reservedBefore, reserved, reverses int64
}

func (m *ledgerMovement) String() string { return fmt.Sprintf("movement %d", m.num) }

// ledgerReservation is a row of reservations.
type ledgerReservation struct {
	num, entry int64
	levelID
	quantity, until, endedAt int64
	state                    store.ReservationState
	ended                    bool // as far as the ledger was read
}

func (r *ledgerReservation) String() string { return fmt.Sprintf("reservation %d", r.num) }

// ledger compares entries, movements, reservations and receipts with each other.
func (v *verifier) ledger() error {
	l := &ledgerReader{verifier: v,
		reservations: map[int64]*ledgerReservation{}, made: map[int64][]*ledgerReservation{},
		levels: map[levelID]*ledgerLevel{}, imports: map[int64]bool{}}
	for _, read := range []func() error{l.readCatalog, l.readReservations, l.readEntries, l.checkEnds, l.checkReceipts, l.checkLevels} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledgerReader) readCatalog() error {
	return l.each(`SELECT demo, loaded_at FROM catalog`, nil, func(scan func(...any) error) error {
		var demo int64
		if err := scan(&demo, &l.loadedAt); err != nil {
			return err
		}
		l.dated = true
		if demo != 0 && demo != 1 {
			if err := l.fault("catalog", "whether this is the demo data is %d, not 0 or 1", demo); err != nil {
				return err
			}
		}
		return l.time("catalog", "start", l.loadedAt)
	})
}

func (l *ledgerReader) readReservations() error {
	return l.each(`SELECT num, deed, product, shop, quantity, until, state, coalesce(ended_at, 0) FROM reservations ORDER BY num`, nil, func(scan func(...any) error) error {
		r := &ledgerReservation{}
		if err := scan(&r.num, &r.entry, &r.product, &r.shop, &r.quantity, &r.until, &r.state, &r.endedAt); err != nil {
			return err
		}
		l.reservations[r.num] = r
		l.made[r.entry] = append(l.made[r.entry], r)
		for _, at := range []int64{r.until, r.endedAt} {
			if err := l.time(r.String(), "end", at); err != nil {
				return err
			}
		}
		switch {
		case !l.known(r.levelID):
			return l.faultOf(r.levelID, r.String(), "its product or shop is nowhere")
		case r.state == store.Lapsed && r.endedAt != r.until:
			return l.faultOf(r.levelID, r.String(), "it lapsed at %s, but was to at %s", shownTime(r.endedAt), shownTime(r.until))
		case r.state == store.Released && r.endedAt > r.until:
			return l.faultOf(r.levelID, r.String(), "it was released at %s, after it had lapsed at %s", shownTime(r.endedAt), shownTime(r.until))
		}
		return nil
	})
}

func (l *ledgerReader) readEntries() error {
	var err error
	l.rows, err = l.tx.QueryContext(l.ctx, `SELECT num, deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved, coalesce(reverses, 0)
		FROM movements ORDER BY num`)
	if err != nil {
		return err
	}
	defer l.rows.Close()
	if err := l.step(); err != nil {
		return err
	}
	err = l.each(`SELECT d.num, d.at, d.reason, d.note, d.actor, d.client, d.key, k.content, k.receipt
		FROM deeds d LEFT JOIN keys k ON d.key <> '' AND k.caller = d.actor AND k.key = d.key ORDER BY d.num`, nil, func(scan func(...any) error) error {
		e := &ledgerEntry{}
		var content, receipt []byte
		if err := scan(&e.num, &e.at, &e.reason, &e.note, &e.actor, &e.client, &e.key, &content, &receipt); err != nil {
			return err
		}
		return l.readEntry(e, content, receipt)
	})
	for err == nil && l.next.num != 0 {
		if err = l.strayMovement(); err == nil {
			err = l.step()
		}
	}
	if err != nil {
		return err
	}
	if err := l.checkLast("movements", l.lastMovement.num); err != nil {
		return err
	}
	return l.checkLast("deeds", l.lastEntry)
}

// checkNext reports numbers that are missing before num. They are given out one
// after the other and nothing is ever deleted, except the demo data, which is
// missing in front.
func (l *ledgerReader) checkNext(table string, last, num int64) error {
	if last == 0 || num == last+1 {
		return nil
	}
	return l.fault(table, "numbers %d to %d are missing", last+1, num-1)
}

// checkLast reports numbers that are missing at the end.
func (l *ledgerReader) checkLast(table string, last int64) error {
	var given int64
	err := l.queryRow(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)`, table).Scan(&given)
	if err != nil || last == 0 || given == last {
		return err
	}
	return l.fault(table, "the last number is %d, and the last given out %d", last, given)
}

// level returns what the ledger tells of a level so far.
func (l *ledgerReader) level(at levelID) *ledgerLevel {
	level := l.levels[at]
	if level == nil {
		level = &ledgerLevel{}
		l.levels[at] = level
	}
	return level
}

// step reads the next movement.
func (l *ledgerReader) step() error {
	if l.next.num != 0 {
		l.lastMovement = l.next
	}
	l.next = ledgerMovement{}
	if !l.rows.Next() {
		return l.rows.Err()
	}
	m := &l.next
	if err := l.rows.Scan(&m.num, &m.entry, &m.group, &m.product, &m.shop, &m.expiry, &m.delta, &m.onHand, &m.reservedBefore, &m.reserved, &m.reverses); err != nil {
		return err
	}
	return l.checkNext("movements", l.lastMovement.num, m.num)
}

// strayMovement reports the next movement, which no entry made.
func (l *ledgerReader) strayMovement() error {
	level := l.level(l.next.levelID)
	level.sum, level.onHand, level.moved = level.sum+l.next.delta, l.next.onHand, true
	return l.faultOf(l.next.levelID, l.next.String(), "its entry %d of the ledger is not there, or is before that of an earlier movement", l.next.entry)
}

// readEntry checks an entry with all that was done by it.
func (l *ledgerReader) readEntry(e *ledgerEntry, content, receipt []byte) error {
	if err := l.checkNext("deeds", l.lastEntry, e.num); err != nil {
		return err
	}
	l.lastEntry = e.num
	if err := l.time(e.String(), "time", e.at); err != nil {
		return err
	}
	if err := l.texts(e.String(), text{"note", e.note}, text{"actor", e.actor}, text{"client", e.client}, text{"key", e.key}); err != nil {
		return err
	}
	if err := l.endReservations(e); err != nil {
		return err
	}
	if e.reason == string(store.Imported) {
		l.imports[e.at] = true
	}
	var movements []ledgerMovement // but those of imports, which may be many
	var count, sum int64
	for l.next.num != 0 && l.next.entry <= e.num {
		m := l.next
		if m.entry < e.num {
			if err := l.strayMovement(); err != nil {
				return err
			}
		} else {
			if err := l.checkMovement(e, &m); err != nil {
				return err
			}
			count, sum = count+1, sum+m.delta
			if e.reason != string(store.Imported) {
				movements = append(movements, m)
			}
		}
		if err := l.step(); err != nil {
			return err
		}
	}
	for _, r := range l.made[e.num] {
		l.begin(r, e.at)
	}
	if err := l.checkReason(e, count, sum); err != nil {
		return err
	}
	if e.key == "" {
		return nil
	}
	if receipt == nil {
		return l.fault(e.String(), "the receipt of its key %q is missing", e.key)
	}
	l.receipts++
	if fault := l.receiptFault(e, movements, content, receipt); fault != nil {
		return l.fault(fmt.Sprintf("receipt of key %q of %q", e.key, e.actor), "%v", fault)
	}
	return nil
}

// checkReason compares what an entry says that it was with what it did.
func (l *ledgerReader) checkReason(e *ledgerEntry, count, sum int64) error {
	made := len(l.made[e.num])
	switch e.reason {
	case "reserve", "release", "lapse":
		if count > 0 {
			return l.fault(e.String(), "it is of the reason %s, but moved something", e.reason)
		}
	case string(store.Delivery), string(store.Sale), string(store.Waste), string(store.Correction), string(store.Counted), string(store.Transferred):
		if count == 0 {
			return l.fault(e.String(), "it is of the reason %s, but moved nothing", e.reason)
		}
	case string(store.Imported): // which may be of stores that have nothing
	default:
		return l.fault(e.String(), "there is no reason %q", e.reason)
	}
	switch {
	case (e.reason == "reserve") != (made > 0):
		return l.fault(e.String(), "it is of the reason %s, but made %d reservations", e.reason, made)
	case e.reason == string(store.Transferred) && sum != 0:
		return l.fault(e.String(), "it is a transfer, but %d more came than went", sum)
	}
	return nil
}

// checkMovement compares a movement with its entry, with the one before it of the
// same level, and with what was reserved then.
func (l *ledgerReader) checkMovement(e *ledgerEntry, m *ledgerMovement) error {
	level := l.level(m.levelID)
	before := level.onHand
	level.sum, level.onHand, level.moved = level.sum+m.delta, m.onHand, true
	l.touch(level, e.at)
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if m.delta < -store.MaxQuantity || m.delta > store.MaxQuantity {
		add("its delta of %d is more than a level can be", m.delta)
	}
	if e.reason == string(store.Delivery) && m.delta <= 0 || (e.reason == string(store.Sale) || e.reason == string(store.Waste)) && m.delta >= 0 {
		add("its delta of %d is none of a %s", m.delta, e.reason)
	}
	if _, err := store.ParseDate(m.expiry); m.expiry != "" && err != nil {
		add("its lot of %s is of no date", m.expiry)
	}
	if !l.known(m.levelID) {
		add("its product or shop is nowhere")
	}
	// A group is of one entry, and begins with the movement that it is named by.
	if last := l.lastMovement; m.group != m.num && (last.entry != m.entry || last.group != m.group) {
		add("its group of %d is not one", m.group)
	}
	if m.reservedBefore != level.reserved {
		add("it says that %d were reserved before it, but by the reservations %d were", m.reservedBefore, level.reserved)
	}
	if e.reason == string(store.Counted) || e.reason == string(store.Imported) {
		l.giveWay(e, level, m.reserved)
	}
	if m.reserved != level.reserved {
		add("it says that %d were reserved after it, but by the reservations %d were", m.reserved, level.reserved)
	}
	for _, fault := range faults {
		if err := l.faultOf(m.levelID, m.String(), "%s", fault); err != nil {
			return err
		}
	}
	if m.onHand != before+m.delta {
		return l.differs(m.levelID, fmt.Sprintf("on hand after movement %d", m.num), before+m.delta, m.onHand, "")
	}
	return nil
}

// giveWay ends the newest reservations of a level that e released, until as many
// are held as were left, where less was counted or imported.
func (l *ledgerReader) giveWay(e *ledgerEntry, level *ledgerLevel, left int64) {
	for _, r := range slices.Backward(slices.Clone(level.open)) {
		if level.reserved > left && r.state == store.Released && r.endedAt == e.at {
			l.end(r, e.at)
		}
	}
}

// endReservations ends those that an entry ends which moves nothing.
func (l *ledgerReader) endReservations(e *ledgerEntry) error {
	switch e.reason {
	case "release":
		num, err := strconv.ParseInt(strings.TrimPrefix(e.note, "reservation "), 10, 64)
		r := l.reservations[num]
		if err != nil || r == nil || r.ended || r.entry >= e.num || r.state != store.Released || r.endedAt != e.at {
			return l.fault(e.String(), "it released %q, which does not tell of that", e.note)
		}
		l.end(r, e.at)
	case "lapse":
		for len(l.lapsing) > 0 && l.lapsing[0].until <= e.at {
			l.end(l.lapsing[0], l.lapsing[0].until)
		}
	}
	return nil
}

func byUntil(a, b *ledgerReservation) int {
	return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.num, b.num))
}

func (l *ledgerReader) begin(r *ledgerReservation, at int64) {
	level := l.level(r.levelID)
	level.reserved += r.quantity
	level.open = append(level.open, r)
	l.touch(level, at)
	if r.state == store.Lapsed {
		i, _ := slices.BinarySearchFunc(l.lapsing, r, byUntil)
		l.lapsing = slices.Insert(l.lapsing, i, r)
	}
}

func (l *ledgerReader) end(r *ledgerReservation, at int64) {
	r.ended = true
	level := l.level(r.levelID)
	level.reserved -= r.quantity
	level.open = slices.DeleteFunc(level.open, func(o *ledgerReservation) bool { return o == r })
	l.touch(level, at)
	if i, ok := slices.BinarySearchFunc(l.lapsing, r, byUntil); ok {
		l.lapsing = slices.Delete(l.lapsing, i, i+1)
	}
}

// touch notes when a level changed. What was there when the database was made
// changed when its source says.
func (l *ledgerReader) touch(level *ledgerLevel, when int64) {
	if when > level.changed && when != l.loadedAt {
		level.changed = when
	}
}

// known reports whether product and shop are there, or were.
func (l *ledgerReader) known(at levelID) bool {
	_, product := l.ids["product"][at.product]
	_, shop := l.ids["shop"][at.shop]
	return product && shop
}

// checkEnds finds reservations that nothing ended.
func (l *ledgerReader) checkEnds() error {
	for _, num := range slices.Sorted(maps.Keys(l.reservations)) {
		if r := l.reservations[num]; r.state != store.Held && !r.ended {
			if err := l.faultOf(r.levelID, r.String(), "it is %s, but by the ledger it did not end", r.state); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkLevels compares levels with what the ledger tells of them.
func (l *ledgerReader) checkLevels() error {
	seeded := !l.dated || l.imports[l.loadedAt] // by a catalog that has its own times
	err := l.each(`SELECT product, shop, on_hand, as_of FROM levels`, nil, func(scan func(...any) error) error {
		var at levelID
		var onHand, asOf int64
		if err := scan(&at.product, &at.shop, &onHand, &asOf); err != nil {
			return err
		}
		level := l.level(at)
		level.kept = true
		if onHand != level.sum {
			detail := ""
			if !level.moved {
				detail = "no movements"
			}
			if err := l.differs(at, "on hand", level.sum, onHand, detail); err != nil {
				return err
			}
		}
		switch {
		case asOf < 0 || asOf > maxTime:
			return l.faultOf(at, "as of", "%d is no time", asOf)
		case l.dated && asOf < level.changed:
			return l.faultOf(at, "as of", "%s, but it changed at %s", shownTime(asOf), shownTime(level.changed))
		case !seeded && asOf != level.changed && !l.imports[asOf]:
			return l.faultOf(at, "as of", "%s, when nothing changed it", shownTime(asOf))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var gone []levelID
	for at, level := range l.levels {
		if !level.kept && level.sum != 0 {
			gone = append(gone, at)
		}
	}
	slices.SortFunc(gone, func(a, b levelID) int { return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.shop, b.shop)) })
	for _, at := range gone {
		if err := l.differs(at, "on hand", l.levels[at].sum, 0, "not carried"); err != nil {
			return err
		}
	}
	return nil
}

func shownTime(micros int64) string { return utc(micros).Format(time.RFC3339Nano) }
