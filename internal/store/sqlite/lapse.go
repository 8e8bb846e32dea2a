package sqlite

import (
	"context"
	"database/sql"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// A reservation lapses when its time is over, whoever looks: each change begins
// by ending those that are due, and so does each question that shows what is
// reserved. What is stored then is the same whenever that is, as if somebody
// had been there at the time.

// lapses says when the next reservation ends, and ends those that are due.
type lapses struct {
	version atomic.Uint64 // counts changes of reservations
	next    atomic.Pointer[nextLapse]

	mu      sync.Mutex
	running *lapsing // nil where nothing runs
	closed  bool
	rest    time.Time // not tried again before
}

// lapsing is a transaction that ends what is due.
type lapsing struct {
	began time.Time
	done  chan struct{} // closed at its end
}

// nextLapse is when the first of those that are held ends, in microseconds.
type nextLapse struct {
	version uint64
	at      int64
}

const (
	lapsePatience = time.Second // how long questions wait
	lapseRest     = time.Second // after a failure
)

// lapseDue ends what is due before a question is answered. Where that cannot be
// done soon, as while another process writes for long, or at all, as on a full
// disk, the question is answered all the same.
func (db *DB) lapseDue(ctx context.Context) {
	db.recent.forgetIfOthersWrote()
	next, err := db.nextLapse(ctx)
	if err != nil || db.now().UnixMicro() < next {
		return
	}
	running := db.lapses.run(db.writeLapse)
	if running == nil {
		return
	}
	timer := time.NewTimer(time.Until(running.began.Add(lapsePatience)))
	defer timer.Stop()
	select {
	case <-running.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// nextLapse returns when the next reservation ends, in microseconds.
func (db *DB) nextLapse(ctx context.Context) (int64, error) {
	version := db.lapses.version.Load()
	if next := db.lapses.next.Load(); next != nil && next.version == version {
		return next.at, nil
	}
	var at sql.NullInt64
	if err := db.queryRow(ctx, `SELECT min(until) FROM reservations WHERE state = 'held'`).Scan(&at); err != nil {
		return 0, err
	}
	if !at.Valid {
		at.Int64 = math.MaxInt64
	}
	db.lapses.next.Store(&nextLapse{version, at.Int64})
	return at.Int64, nil
}

// writeLapse ends what is due, in a transaction of its own.
func (db *DB) writeLapse() error {
	return db.Update(db.closing, func(tx ledger.Tx) error { return ledger.Lapse(tx, db.now()) })
}

// run calls write, unless it is called already, and returns what tells of its
// end. It returns nil where write failed a moment ago.
func (l *lapses) run(write func() error) *lapsing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running != nil {
		return l.running
	}
	if l.closed || time.Now().Before(l.rest) {
		return nil
	}
	running := &lapsing{time.Now(), make(chan struct{})}
	l.running = running
	go func() {
		err := write()
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.rest = time.Now().Add(lapseRest)
		}
		l.running = nil
		close(running.done)
	}()
	return running
}

// close waits for what runs, and lets nothing run any more.
func (l *lapses) close() {
	l.mu.Lock()
	l.closed = true
	running := l.running
	l.mu.Unlock()
	if running != nil {
		<-running.done
	}
}
