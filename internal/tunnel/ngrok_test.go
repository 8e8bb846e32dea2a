package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/tunnel"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// These tests drive the real SDK against a stand-in of ngrok's edge.

func TestOpenServesItsURLToTheWorld(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{Description: "corner shop", Metadata: `{"shop":7}`, TrafficPolicy: "on_http_request: []", Version: "v1.2.3"})
	serve(t, tun)

	if got := get(t, edge, tun.URL()+"/hello"); got != "GET /hello" {
		t.Errorf("the public URL answered %q", got)
	}
	if s := tun.State(); s.Phase != tunnel.Online || s.URL != tun.URL() || s.Err != nil || s.Since.IsZero() {
		t.Errorf("State = %+v, want online", s)
	}
	session, err := edge.AwaitSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := session.Endpoints[0]
	if e.Description != "corner shop" || e.Metadata != `{"shop":7}` || e.TrafficPolicy != "on_http_request: []" || e.PoolingEnabled ||
		session.Metadata != `{"shop":7}` || !strings.Contains(session.UserAgent, "mcpstore/v1.2.3") {
		t.Errorf("ngrok was told %+v", session)
	}
}

func TestOpenAsksForTheURLThatIsConfigured(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{URL: "https://shop.example.test", Pooling: true})
	serve(t, tun)
	if !strings.HasPrefix(tun.URL(), "https://shop.example.test") {
		t.Errorf("URL = %q, want the one that was asked for", tun.URL())
	}
	get(t, edge, tun.URL())
	if session, _ := edge.AwaitSession(t.Context()); !session.Endpoints[0].PoolingEnabled {
		t.Error("pooling was not asked for")
	}
}

func TestOpenFailsAtOnceWhereNoRetryHelps(t *testing.T) {
	t.Parallel()
	const secret = "2abcDEFghiJKLmnoPQRstu_secret"
	for _, tc := range []struct {
		name, authtoken string
		prepare         func(*tunneltest.Edge)
		code, what      string
	}{
		{"malformed authtoken", "se-cret", nil, "ERR_NGROK_105", "malformed"},
		{"unknown authtoken", secret, nil, "ERR_NGROK_107", "does not know this authtoken"},
		{"too many agents", tunneltest.Authtoken, func(e *tunneltest.Edge) { e.RefuseAuth(108, tunneltest.Always) }, "ERR_NGROK_108", "as many agents"},
		{"SDK too old", tunneltest.Authtoken, func(e *tunneltest.Edge) { e.RefuseAuth(121, tunneltest.Always) }, "ERR_NGROK_121", "old a version"},
		{"month used up", tunneltest.Authtoken, func(e *tunneltest.Edge) { e.RefuseBind(727, tunneltest.Always) }, "ERR_NGROK_727", "used up"},
		{"no pooling", tunneltest.Authtoken, func(e *tunneltest.Edge) { e.RefuseBind(18019, tunneltest.Always) }, "ERR_NGROK_18019", "pooling"},
		{"a code not known here", tunneltest.Authtoken, func(e *tunneltest.Edge) { e.RefuseBind(9999, tunneltest.Always) }, "ERR_NGROK_9999", "ngrok refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			edge := tunneltest.Start(t, tunneltest.Config{Authtokens: []string{tunneltest.Authtoken}})
			if tc.prepare != nil {
				tc.prepare(edge)
			}
			var log syncBuffer
			cfg := config(edge)
			cfg.Authtoken = tc.authtoken
			cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := tunnel.Open(t.Context(), cfg)
			var refused *tunnel.Error
			if !errors.As(err, &refused) || refused.Code != tc.code || !strings.Contains(refused.What, tc.what) || refused.Hint() == "" {
				t.Fatalf("Open = %v, want %s with %q and a hint", err, tc.code, tc.what)
			}
			if edge.Dials() != 1 {
				t.Errorf("ngrok was dialled %d times, want once", edge.Dials())
			}
			if text := err.Error() + refused.Hint() + log.String(); strings.Contains(text, tc.authtoken) {
				t.Errorf("the authtoken is in an error or the log:\n%s", text)
			}
		})
	}
}

func TestOpenWaitsForAnEdgeThatIsDown(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.Down()
	cfg := config(edge)
	troubled := make(chan tunnel.State, 100)
	cfg.OnState = func(s tunnel.State) {
		if s.Err != nil {
			troubled <- s
		}
	}
	opened := make(chan tunnel.Tunnel)
	go func() {
		tun, err := tunnel.Open(t.Context(), cfg)
		if err != nil {
			t.Error(err)
		}
		opened <- tun
	}()
	if s := <-troubled; s.Phase != tunnel.Connecting || !strings.Contains(s.Err.Error(), "connection refused") {
		t.Errorf("while the edge is down: %v, %v", s.Phase, s.Err)
	}
	if err := edge.Up(); err != nil {
		t.Fatal(err)
	}
	tun := <-opened
	defer tun.Hangup()
	serve(t, tun)
	get(t, edge, tun.URL())
}

func TestOpenGivesUpWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		prepare func(*tunneltest.Edge)
		trouble string
	}{
		{"edge down", (*tunneltest.Edge).Down, "connection refused"},
		{"edge frozen", (*tunneltest.Edge).Freeze, "does not answer"},
		{"URL is taken", func(e *tunneltest.Edge) { e.HoldURL("https://shop.example.test") }, "already online"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			edge := tunneltest.Start(t, tunneltest.Config{})
			tc.prepare(edge)
			late := errors.New("too late")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, late)
			defer cancel()
			cfg := config(edge)
			cfg.URL = "https://shop.example.test"
			start := time.Now()
			if _, err := tunnel.Open(ctx, cfg); !errors.Is(err, late) || !strings.Contains(err.Error(), tc.trouble) {
				t.Errorf("Open = %v, want %v with %q", err, late, tc.trouble)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Open took %v to notice", took)
			}
		})
	}
}

func TestOpenSaysThatAFrozenEdgeDoesNotAnswer(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.Freeze()
	cfg := config(edge)
	cfg.AnswerWithin = 100 * time.Millisecond
	states := make(chan tunnel.State, 100)
	cfg.OnState = func(s tunnel.State) { states <- s }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := tunnel.Open(ctx, cfg); done <- err }()
	for s := range states {
		if s.Err != nil {
			if s.Phase != tunnel.Connecting || !strings.Contains(s.Err.Error(), "does not answer") {
				t.Errorf("state with a frozen edge: %v, %v", s.Phase, s.Err)
			}
			break
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want %v", err, context.Canceled)
	}
}

func TestOpenDoesNotTrustAnEdgeWithoutACertificate(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	cfg := config(edge)
	cfg.ConnectCAs = nil // ngrok's own CA
	_, err := tunnel.Open(t.Context(), cfg)
	var refused *tunnel.Error
	if !errors.As(err, &refused) || !strings.Contains(refused.What, "certificate") || !strings.Contains(refused.Hint(), "--connect-ca") {
		t.Errorf("Open = %v, want an error about the certificate", err)
	}
}

func TestOpenWaitsForAURLThatIsStillHeld(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.HoldURL("https://shop.example.test")
	cfg := config(edge)
	cfg.URL = "https://shop.example.test"
	var once sync.Once
	cfg.OnState = func(s tunnel.State) {
		if s.Err != nil && strings.Contains(s.Err.Error(), "ERR_NGROK_334") {
			once.Do(func() { edge.ReleaseURL("https://shop.example.test") })
		}
	}
	tun, err := tunnel.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tun.Hangup()
}

func TestOpenGivesUpOnAURLThatStaysTaken(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.HoldURL("https://shop.example.test")
	cfg := config(edge)
	cfg.URL = "https://shop.example.test"
	cfg.TakenFor = 400 * time.Millisecond
	_, err := tunnel.Open(t.Context(), cfg)
	var refused *tunnel.Error
	if !errors.As(err, &refused) || refused.Code != "ERR_NGROK_334" || !strings.Contains(refused.Hint(), "--pooling") {
		t.Errorf("Open = %v, want ERR_NGROK_334 with what to do", err)
	}
	if edge.Dials() < 2 {
		t.Errorf("tried %d times, want a few", edge.Dials())
	}
}

// What follows cuts sessions, where the race detector reports muxado itself.

func TestTunnelComesBackAtTheSameURL(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge, tun, states := online(t)
	url := tun.URL()
	for range 3 {
		edge.CutSessions()
		if s := states.await(t, tunnel.Reconnecting); s.Err == nil || s.URL != url {
			t.Errorf("reconnecting with %v at %q, want a reason", s.Err, s.URL)
		}
		if s := states.await(t, tunnel.Online); s.URL != url {
			t.Errorf("back at %q, want %q", s.URL, url)
		}
		get(t, edge, url)
	}
}

func TestTunnelNoticesAnotherURLAfterAReconnect(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge, tun, states := online(t)
	edge.RenameOnRebind("https://other.example.test")
	edge.CutSessions()
	states.await(t, tunnel.Reconnecting)
	s := states.await(t, tunnel.Online)
	if !strings.HasPrefix(s.URL, "https://other.example.test") || tun.URL() != s.URL {
		t.Errorf("URL = %q, state says %q, want the new one", tun.URL(), s.URL)
	}
	get(t, edge, tun.URL())
}

func TestTunnelWaitsWhileSomebodyElseHoldsItsURL(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	cfg := config(edge)
	cfg.TakenFor = time.Millisecond // counts at the start only
	states := newStates(&cfg)
	tun := openWith(t, cfg)
	serve(t, tun)
	url := tun.URL()
	edge.HoldURL(url)
	edge.CutSessions()
	states.awaitCode(t, "ERR_NGROK_334")
	edge.ReleaseURL(url)
	states.await(t, tunnel.Online)
	get(t, edge, url)
}

func TestTunnelOpensANewSessionWhenNgrokWillNotHaveTheOldOne(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge, tun, states := online(t)
	url := tun.URL()
	before := edge.Sessions()[0].ClientID
	edge.RefuseAuth(9999, 3)
	edge.CutSessions()
	states.await(t, tunnel.Reconnecting)
	states.await(t, tunnel.Online)
	get(t, edge, url)
	if after := edge.Sessions()[0].ClientID; after == before {
		t.Error("the session that ngrok refused was kept")
	}
}

func TestTunnelEndsWhenItsAuthtokenIsRevoked(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	cfg := config(edge)
	states := newStates(&cfg)
	tun := openWith(t, cfg)
	served := serve(t, tun)
	edge.RefuseAuth(107, tunneltest.Always)
	edge.CutSessions()
	var refused *tunnel.Error
	if err := <-served; !errors.As(err, &refused) || refused.Code != "ERR_NGROK_107" {
		t.Errorf("Serve = %v, want ERR_NGROK_107", err)
	}
	states.await(t, tunnel.Stopped)
}

func TestTunnelComesBackWhenItsEndpointIsStopped(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge, tun, states := online(t)
	url := tun.URL()
	if err := edge.StopEndpoint(url, "Stopped for maintenance.", 9999); err != nil {
		t.Fatal(err)
	}
	if s := states.await(t, tunnel.Reconnecting); !strings.Contains(s.Err.Error(), "Stopped for maintenance.") {
		t.Errorf("reconnecting because of %v", s.Err)
	}
	states.await(t, tunnel.Online)
	get(t, edge, url)
}

func TestTunnelEndsWhenTheAgentIsStopped(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{})
	served := serve(t, tun)
	if err := edge.StopAgent(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, tunnel.ErrStopped) {
		t.Errorf("Serve = %v, want %v", err, tunnel.ErrStopped)
	}
}

func TestTunnelComesBackWhenTheAgentIsRestarted(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge, tun, states := online(t)
	if err := edge.RestartAgent(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := states.await(t, tunnel.Reconnecting); !strings.HasPrefix(s.Err.Error(), "restarted from ngrok's dashboard") {
		t.Errorf("reconnecting because of %v", s.Err)
	}
	states.await(t, tunnel.Online)
	get(t, edge, tun.URL())
}

func TestTunnelNoticesAFrozenEdgeByItsHeartbeats(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	cfg := config(edge)
	cfg.HeartbeatInterval, cfg.HeartbeatTolerance = 100*time.Millisecond, 400*time.Millisecond
	states := newStates(&cfg)
	tun := openWith(t, cfg)
	serve(t, tun)
	edge.Freeze()
	states.await(t, tunnel.Reconnecting)
	edge.Thaw()
	states.await(t, tunnel.Online)
	get(t, edge, tun.URL())
}

func TestTunnelDoesNotHammerAnEdgeThatDropsIt(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{})
	serve(t, tun)
	dials := edge.Dials()
	edge.DropAfterBind(tunneltest.Always)
	edge.CutSessions()
	if err := edge.AwaitDials(t.Context(), dials+1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := edge.AwaitDials(ctx, dials+5); err == nil {
		t.Errorf("%d dials within a second of being dropped", edge.Dials()-dials)
	}
}

func TestShutdownOnAFrozenEdgeDoesNotHang(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{})
	srv := &http.Server{}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(tun) }()
	edge.Freeze()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	srv.Shutdown(ctx)
	tun.Hangup()
	srv.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve = %v", err)
	}
	edge.Thaw()
}

func TestCloseLosesNoAnswer(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	tun := open(t, edge, tunnel.Config{})
	begun, finish := make(chan bool), make(chan bool)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- true
		<-finish
		io.WriteString(w, "answered")
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(tun) }()
	answer := make(chan string)
	go func() { answer <- get(t, edge, tun.URL()) }()
	<-begun

	shut := make(chan error)
	go func() { shut <- srv.Shutdown(context.Background()) }()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve = %v", err)
	}
	if resp, err := edge.Client().Get(tun.URL()); err != nil || resp.Header.Get("Ngrok-Error-Code") != "ERR_NGROK_3200" {
		t.Errorf("a new request while shutting down: %v, %v, want that the endpoint is offline", resp, err)
	} else {
		resp.Body.Close()
	}
	close(finish)
	if got := <-answer; got != "answered" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-shut; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	tun.Hangup()
	if _, err := tun.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close = %v, want %v", err, net.ErrClosed)
	}
	if err := edge.AwaitNoSession(t.Context()); err != nil {
		t.Error(err)
	}
}

// config says how to reach edge.
func config(edge *tunneltest.Edge) tunnel.Config {
	return tunnel.Config{
		Authtoken:   tunneltest.Authtoken,
		ConnectAddr: edge.ConnectAddr(),
		ConnectCAs:  edge.CAPool(),
		Log:         slog.New(slog.DiscardHandler),
	}
}

func open(t *testing.T, edge *tunneltest.Edge, cfg tunnel.Config) tunnel.Tunnel {
	t.Helper()
	reach := config(edge)
	cfg.Authtoken, cfg.ConnectAddr, cfg.ConnectCAs, cfg.Log = reach.Authtoken, reach.ConnectAddr, reach.ConnectCAs, reach.Log
	return openWith(t, cfg)
}

// online returns a tunnel that is online and served, and what it tells of its
// states.
func online(t *testing.T) (*tunneltest.Edge, tunnel.Tunnel, states) {
	t.Helper()
	edge := tunneltest.Start(t, tunneltest.Config{})
	cfg := config(edge)
	told := newStates(&cfg)
	tun := openWith(t, cfg)
	serve(t, tun)
	return edge, tun, told
}

func openWith(t *testing.T, cfg tunnel.Config) tunnel.Tunnel {
	t.Helper()
	tun, err := tunnel.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tun.Hangup)
	return tun
}

// serve answers what comes through tun with its method and path.
func serve(t *testing.T, tun tunnel.Tunnel) (served <-chan error) {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Method+" "+r.URL.Path)
	})}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(tun) }()
	t.Cleanup(func() { srv.Close() })
	return ended
}

func get(t *testing.T, edge *tunneltest.Edge, url string) string {
	t.Helper()
	resp, err := edge.Client().Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %s, %v\n%s", url, resp.Status, err, body)
	}
	return string(body)
}

// states are those that a tunnel told, in order.
type states chan tunnel.State

func newStates(cfg *tunnel.Config) states {
	s := make(states, 1000)
	cfg.OnState = func(state tunnel.State) { s <- state }
	return s
}

// await returns the next state in the phase.
func (s states) await(t *testing.T, phase tunnel.Phase) tunnel.State {
	t.Helper()
	return s.awaitThat(t, phase.String(), func(state tunnel.State) bool { return state.Phase == phase })
}

// awaitCode returns the next state with that code of ngrok's.
func (s states) awaitCode(t *testing.T, code string) tunnel.State {
	t.Helper()
	return s.awaitThat(t, code, func(state tunnel.State) bool {
		var refused *tunnel.Error
		return errors.As(state.Err, &refused) && refused.Code == code
	})
}

func (s states) awaitThat(t *testing.T, what string, is func(tunnel.State) bool) tunnel.State {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case state := <-s:
			if is(state) {
				return state
			}
		case <-timeout:
			t.Fatalf("no state %s", what)
		}
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
