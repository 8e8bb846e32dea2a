package access_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// ledger is a store that notes what it is given to keep, and when.
type ledger struct {
	access.Storage

	mu     sync.Mutex
	broken bool
	tries  int
	writes []write
	forgot []time.Time // as of when
	newest time.Time   // when the newest call was recorded; zero for none
}

type write struct {
	at    time.Time
	calls []store.Call
	used  map[int64]time.Time
}

func (l *ledger) Record(_ context.Context, calls []store.Call, used map[int64]time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries++
	if l.broken {
		return errors.New("disk on fire")
	}
	l.writes = append(l.writes, write{time.Now(), append([]store.Call(nil), calls...), maps.Clone(used)})
	return nil
}

func (l *ledger) Calls(context.Context, store.CallQuery) ([]store.Call, string, error) {
	if l.newest.IsZero() {
		return nil, "", nil
	}
	return []store.Call{{At: l.newest}}, "", nil
}

func (l *ledger) Forget(_ context.Context, asOf time.Time, _ time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgot = append(l.forgot, asOf)
	return nil
}

// slowLedger is a ledger that writes once it is let.
type slowLedger struct {
	ledger
	hold chan struct{}
}

func (l *slowLedger) Record(ctx context.Context, calls []store.Call, used map[int64]time.Time) error {
	<-l.hold
	return l.ledger.Record(ctx, calls, used)
}

// mend has it keep things from now on, and returns how often that was tried.
func (l *ledger) mend() (tries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = false
	return l.tries
}

// tools returns the tools of the calls that were written, by write.
func (l *ledger) tools() (tools [][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.writes {
		var of []string
		for _, c := range w.calls {
			of = append(of, c.Tool)
		}
		tools = append(tools, of)
	}
	return tools
}

func TestCallsAreWrittenTogetherWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r := access.NewRecorder(l, time.Hour, newLog())
		defer r.Close()
		begin := time.Now()
		r.Record(store.Call{Tool: "a"})
		time.Sleep(700 * time.Millisecond)
		r.Record(store.Call{Tool: "b"})
		r.Record(store.Call{Tool: "kept with the change", Recorded: true})
		time.Sleep(200 * time.Millisecond)
		if got := l.tools(); got != nil {
			t.Errorf("written after 0.9 s: %q", got)
		}
		time.Sleep(5 * time.Second)
		r.Record(store.Call{Tool: "c"})
		time.Sleep(5 * time.Second)
		if diff := cmp.Diff([][]string{{"a", "b"}, {"c"}}, l.tools()); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
		if took := l.writes[0].at.Sub(begin); took != time.Second {
			t.Errorf("the first call was written after %v, want 1s", took)
		}
	})
}

func TestManyCallsAreWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r := access.NewRecorder(l, time.Hour, newLog())
		defer r.Close()
		for range 256 {
			r.Record(store.Call{Tool: "a"})
		}
		synctest.Wait()
		if got := l.tools(); len(got) != 1 || len(got[0]) != 256 {
			t.Errorf("%d writes of 256 calls, want 1 without waiting", len(got))
		}
	})
}

func TestClosingWritesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r := access.NewRecorder(l, time.Hour, newLog())
		r.Record(store.Call{Tool: "a"})
		begin := time.Now()
		r.Close()
		if diff := cmp.Diff([][]string{{"a"}}, l.tools()); diff != "" || time.Since(begin) != 0 {
			t.Errorf("closed after %v; written (-want +got):\n%s", time.Since(begin), diff)
		}
	})
}

func TestTheUseOfATokenIsWrittenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r := access.NewRecorder(l, time.Hour, newLog())
		begin := time.Now()
		for range 1250 {
			r.Used(1, time.Now())
			if time.Since(begin) == 30*time.Second {
				r.Used(2, time.Now())
			}
			time.Sleep(100 * time.Millisecond)
		}
		r.Close()
		var got []map[int64]time.Duration
		for _, w := range l.writes {
			used := make(map[int64]time.Duration)
			for id, at := range w.used {
				used[id] = at.Sub(begin)
			}
			got = append(got, used)
		}
		want := []map[int64]time.Duration{{1: 0}, {2: 30 * time.Second}, {1: time.Minute}, {1: 2 * time.Minute}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	})
}

func TestWhatCannotBeWrittenIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &ledger{broken: true}
		r := access.NewRecorder(l, time.Hour, newLog(&out))
		r.Used(1, time.Now())
		for n := range 4096 - 90 {
			r.Record(store.Call{Tool: fmt.Sprint(n)})
		}
		for n := range 100 {
			time.Sleep(99 * time.Millisecond) // never at the moment of a try
			r.Used(2, time.Now())
			r.Record(store.Call{Tool: fmt.Sprint(4096 - 90 + n)})
		}
		if tries := l.mend(); tries < 5 || tries > 15 {
			t.Errorf("tried %d times in 10 s", tries)
		}
		time.Sleep(2 * time.Second)
		r.Record(store.Call{Tool: "after"})
		r.Close()
		got := l.tools()
		if len(got) != 2 || len(got[0]) != 4096 || got[0][0] != "10" || got[0][4095] != "4105" || got[1][0] != "after" {
			t.Fatalf("%d writes, the first of %d calls", len(got), len(got[0]))
		}
		if len(l.writes[0].used) != 2 {
			t.Errorf("tokens written as used: %v, want two", l.writes[0].used)
		}
		if text := out.String(); strings.Count(text, "disk on fire") != 1 || strings.Count(text, "lost=10") != 1 {
			t.Errorf("logged:\n%s", text)
		}
	})
}

func TestOldCallsAreForgottenByTheHour(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name    string
		newest  time.Duration   // how long before the start a call was recorded last
		as      []time.Duration // as of which time, from the start, calls are forgotten each hour
		noCalls bool
	}{
		{name: "no calls", noCalls: true, as: []time.Duration{time.Hour, 2 * time.Hour}},
		{name: "a clock that is right", newest: 0, as: []time.Duration{time.Hour, 2 * time.Hour}},
		{name: "a night without a server", newest: day / 2, as: []time.Duration{time.Hour - day/2, 2*time.Hour - day/2}},
		{name: "a clock that jumped ten years ahead", newest: 3650 * day, as: []time.Duration{time.Hour - 3650*day, 2*time.Hour - 3650*day}},
		{name: "a clock that was ahead and is right now", newest: -3650 * day, as: []time.Duration{time.Hour, 2 * time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &ledger{}
				begin := time.Now()
				if !c.noCalls {
					l.newest = begin.Add(-c.newest)
				}
				r := access.NewRecorder(l, 90*day, newLog())
				time.Sleep(150 * time.Minute)
				r.Close()
				if len(l.forgot) == 0 || !l.forgot[0].IsZero() {
					t.Fatalf("forgotten as of %v, want no time at the start", l.forgot)
				}
				var got []time.Duration
				for _, asOf := range l.forgot[1:] {
					got = append(got, asOf.Sub(begin))
				}
				if diff := cmp.Diff(c.as, got); diff != "" {
					t.Errorf("forgotten as of (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A machine without a battery for its clock may start in any year.
func TestAClockThatIsAheadAtAStartForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "shop.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ago := time.Now().Add(-10 * 365 * 24 * time.Hour) // by the clock that is wrong
		if err := db.Record(t.Context(), []store.Call{{At: ago.Add(-time.Hour), Tool: "first"}, {At: ago, Tool: "last"}}, nil); err != nil {
			t.Fatal(err)
		}
		for range 3 { // starts
			r := access.NewRecorder(db, 90*24*time.Hour, newLog())
			r.Record(store.Call{At: time.Now(), Tool: "wrong"})
			time.Sleep(50 * time.Minute)
			r.Close()
		}
		calls, _, err := db.Calls(t.Context(), store.CallQuery{})
		if err != nil || len(calls) != 5 || calls[4].Tool != "first" {
			t.Errorf("%d calls are left, %v; want all 5", len(calls), err)
		}
	})
}

// A flood would otherwise have an hour to fill the disk.
func TestOldCallsAreForgottenSoonerWhereThereAreMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r := access.NewRecorder(l, 90*24*time.Hour, newLog())
		for range 45 {
			for range 1000 {
				r.Record(store.Call{Tool: "check_stock"})
			}
			time.Sleep(2 * time.Second)
		}
		r.Close()
		if got := len(l.forgot); got != 3 { // at the start, and after each 20,000
			t.Errorf("forgotten %d times, want 3", got)
		}
	})
}

func TestCallsThatLeaveNoTraceAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, out := &slowLedger{hold: make(chan struct{})}, new(bytes.Buffer)
		r := access.NewRecorder(l, time.Hour, slog.New(slog.NewTextHandler(out, nil)))
		r.Record(store.Call{Tool: "check_stock"})
		time.Sleep(2 * time.Second) // it is being written
		for range 5000 {
			r.Record(store.Call{Tool: "check_stock"})
		}
		close(l.hold)
		r.Close()
		kept := 0
		for _, tools := range l.tools() {
			kept += len(tools)
		}
		if want := fmt.Sprintf("lost=%d", 5001-kept); !strings.Contains(out.String(), want) || kept == 5001 {
			t.Errorf("%d are kept, and the log says %s", kept, out)
		}
	})
}

func TestTheAuditLogHasNoSecrets(t *testing.T) {
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := access.NewRecorder(db, time.Hour, newLog())
	token, other := said.Keep(secret.New(secret.API)), said.Keep("v2.local.0123456789abcdef")
	jwt := said.Keep("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJlIG9mIGFubmE")
	at := time.Now().UTC().Truncate(time.Millisecond)
	for _, arguments := range []string{
		`{"product":"茶葉蛋","store":"` + token + `"}`,
		`{"product":"Authorization: Bearer ` + other + `"}`,
		`{"product":"bearer\t` + other + `"}`,
		`{"product":"` + jwt + `"}`,
		`{"product":"` + strings.Repeat("蛋", 10000) + token + `"}`,
	} {
		r.Record(store.Call{At: at, Caller: "token:1", Tool: "check_stock", Arguments: arguments, Outcome: "refused: no store " + token})
	}
	r.Close()
	calls, _, err := db.Calls(t.Context(), store.CallQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range calls {
		fmt.Fprintln(&said, c)
		got = append(got, c.Arguments)
		if c.Outcome != "refused: no store [cut]" {
			t.Errorf("outcome %q", c.Outcome)
		}
	}
	want := []string{
		`{"product":"茶葉蛋","store":"[cut]"}`,
		`{"product":"Authorization: Bearer [cut]"}`,
		`{"product":"bearer [cut]"}`,
		`{"product":"[cut]"}`,
		`{"cut":"30068 bytes of arguments"}`,
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestTheUseOfATokenIsKept(t *testing.T) {
	db := openShop(t, access.Config{}).db
	r := access.NewRecorder(db, time.Hour, newLog())
	s := openShop(t, access.Config{Mode: access.Tokens, Store: db, Recorder: r})
	s.db = db
	token, _ := s.apiToken(store.Token{Scopes: both})
	if got := s.ask(call(ping, token)); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	r.Close()
	tokens, err := db.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 1 || !tokens[0].LastUsed.Equal(s.clock.Now()) {
		t.Errorf("tokens are %+v, want one that was used last at %v", tokens, s.clock.Now())
	}
}
