package access

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/mcpstore/mcpstore/internal/store"
)

// How a [Recorder] works.
const (
	recordWait  = time.Second // how long a call waits for others, to be written with
	recordBatch = 256         // calls that do not wait any longer
	recordMost  = 4096        // calls that wait where nothing can be written; older ones are dropped
	recordSize  = 16 << 10    // bytes of arguments, which are bounded by whoever calls otherwise
	usedEvery   = time.Minute // how exactly is known when a token was used last
	forgetEvery = time.Hour
	forgetCalls = 20_000           // or as soon as this many were written
	storeTime   = 10 * time.Second // for one write
)

// Recorder keeps in a store what was called and when tokens were used. Nobody
// waits for it: what was written down last, a crash may lose.
type Recorder struct {
	store Storage
	keep  time.Duration
	log   *slog.Logger

	seen *lru.Cache[int64, time.Time] // when a token's use was written down last

	mu      sync.Mutex
	calls   []store.Call
	used    map[int64]time.Time
	dropped int

	failing bool          // to write; run's alone
	written int           // since it was forgotten last; run's alone
	much    chan struct{} // was written
	some    chan struct{} // there is something to write
	full    chan struct{} // there is much
	stop    context.CancelFunc
	stopped context.Context
	done    chan struct{}
}

// NewRecorder returns a recorder that keeps calls for as long as keep says. A
// nil log is [slog.Default].
func NewRecorder(s Storage, keep time.Duration, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.Default()
	}
	r := &Recorder{
		store: s, keep: keep, log: log,
		seen: newCache[int64, time.Time](recordMost),
		used: make(map[int64]time.Time),
		some: make(chan struct{}, 1),
		full: make(chan struct{}, 1),
		much: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	r.stopped, r.stop = context.WithCancel(context.Background())
	go r.run()
	return r
}

// Record has a call written down within a second or so. A call that a change
// recorded with itself is not written again.
func (r *Recorder) Record(c store.Call) {
	if c.Recorded {
		return
	}
	if len(c.Arguments) > recordSize {
		c.Arguments = fmt.Sprintf(`{"cut":"%d bytes of arguments"}`, len(c.Arguments))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
	r.bound()
	tell(r.some)
	if len(r.calls) >= recordBatch {
		tell(r.full)
	}
}

// Used has it written down that the token with this ID was used, once a minute
// at the most.
func (r *Recorder) Used(id int64, at time.Time) {
	if last, ok := r.seen.Get(id); ok && at.Sub(last) < usedEvery {
		return
	}
	r.seen.Add(id, at)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[id] = at
	tell(r.some)
}

// Close writes what there is to write, and ends the recorder.
func (r *Recorder) Close() {
	r.stop()
	<-r.done
}

func (r *Recorder) run() {
	defer close(r.done)
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	began := time.Now()
	newest, err := r.newest(began)
	if err != nil {
		r.log.Warn("reading the audit log failed: its old entries stay until the next start", "err", err)
	}
	forget := func() { r.forget(passed(newest, began, time.Now())) }
	forget()
	for {
		select {
		case <-r.some:
			r.gather()
			r.write()
		case <-tick.C:
			forget()
		case <-r.much:
			forget()
		case <-r.stopped.Done():
			r.write()
			return
		}
	}
}

// gather waits for more to write, but not long.
func (r *Recorder) gather() {
	wait := time.NewTimer(recordWait)
	defer wait.Stop()
	full := r.full
	if r.failing {
		full = nil
	}
	select {
	case <-wait.C:
	case <-full:
	case <-r.stopped.Done():
	}
}

// write writes what there is. What cannot be written is tried again with what
// comes next.
func (r *Recorder) write() {
	r.mu.Lock()
	calls, used := r.calls, r.used
	r.calls, r.used = nil, make(map[int64]time.Time)
	r.mu.Unlock()
	if len(calls) == 0 && len(used) == 0 {
		return
	}
	for i := range calls {
		c := &calls[i]
		c.Name, c.Client, c.Tool, c.Arguments, c.Outcome = Redact(c.Name), Redact(c.Client), Redact(c.Tool), Redact(c.Arguments), Redact(c.Outcome)
	}
	// It is written even when the recorder has been stopped.
	ctx, cancel := context.WithTimeout(context.Background(), storeTime)
	defer cancel()
	err := r.store.Record(ctx, calls, used)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		switch {
		case r.failing:
			r.log.Info("the audit log is written again", "lost", r.dropped)
		case r.dropped > 0:
			r.log.Warn("more is called than the audit log can take: some calls left no trace", "lost", r.dropped)
		}
		r.failing, r.dropped = false, 0
		if r.written += len(calls); r.written >= forgetCalls {
			r.written = 0
			tell(r.much)
		}
		return
	}
	if !r.failing {
		r.failing = true
		r.log.Error("writing the audit log failed: trying again until it works", "err", err)
	}
	r.calls = append(calls, r.calls...)
	r.bound()
	maps.Copy(used, r.used) // what came meanwhile is newer
	r.used = used
	tell(r.some)
}

// bound drops the oldest calls of too many, with r.mu held.
func (r *Recorder) bound() {
	if over := len(r.calls) - recordMost; over > 0 {
		r.calls = r.calls[over:]
		r.dropped += over
	}
}

// newest returns when the newest call was recorded before this process began; that
// moment itself if there is no call.
func (r *Recorder) newest(began time.Time) (time.Time, error) {
	ctx, cancel := context.WithTimeout(r.stopped, storeTime)
	defer cancel()
	calls, _, err := r.store.Calls(ctx, store.CallQuery{Page: store.Page{Limit: 1}})
	switch {
	case err != nil:
		return time.Time{}, err
	case len(calls) == 0:
		return began, nil
	}
	return calls[0].At, nil
}

// passed returns the time as of which entries may be too old: what the clock says,
// but no later than the newest call that was there at the start, and the time that
// the process has seen pass since. A clock that jumped ahead, as one without a
// battery may until the network sets it, ages nothing by that. It is the zero time
// in the first hour, so that starting again and again with such a clock, whose
// calls are then the newest, does not either.
//
// The price is that entries stay for longer by the time for which no server ran
// before the last start.
func passed(newest, began, now time.Time) time.Time {
	ran := now.Sub(began) // by the monotonic clock, which cannot be set
	if newest.IsZero() || ran < forgetEvery {
		return time.Time{}
	}
	if seen := newest.Add(ran); seen.Before(now) {
		return seen
	}
	return now
}

// forget removes what is too old as of the given time, or too much.
func (r *Recorder) forget(asOf time.Time) {
	ctx, cancel := context.WithTimeout(r.stopped, time.Minute)
	defer cancel()
	if err := r.store.Forget(ctx, asOf, r.keep); err != nil && r.stopped.Err() == nil {
		r.log.Warn("removing old entries of the audit log failed: trying again in an hour", "err", err)
	}
}

// tell leaves word, if none is there yet.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
