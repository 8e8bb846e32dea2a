package tunnel

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"
)

// Config says how to reach ngrok and which endpoint to ask for.
type Config struct {
	Authtoken     string
	URL           string // ask for this public URL; if empty, ngrok chooses
	Pooling       bool   // share the URL with other endpoints that pool
	TrafficPolicy string // the policy's text, YAML or JSON
	Description   string // shown in ngrok's dashboard
	Metadata      string // kept by ngrok's API

	ConnectAddr string         // host:port of ngrok's edge; if empty, the SDK's own
	ConnectCAs  *x509.CertPool // who may vouch for the edge; if nil, ngrok's own CA
	ProxyURL    *url.URL       // http, https, socks5 or socks5h; if nil, connect directly

	Version string       // of the program, told to ngrok
	Log     *slog.Logger // if nil, slog's default

	// OnState is told of each change of state, in order, from a goroutine of
	// the tunnel's own. If nil, nobody is told.
	OnState func(State)

	TakenFor     time.Duration // how long a start waits for a URL that is already online; if 0, 30 s
	AnswerWithin time.Duration // how long a new connection may take until its endpoint is online; if 0, 25 s, as the SDK

	// The SDK's heartbeats notice a dead connection after both together.
	HeartbeatInterval  time.Duration // if 0, the SDK's 10 s
	HeartbeatTolerance time.Duration // if 0, the SDK's 15 s
}

// Open opens an endpoint at ngrok and returns when it is online. Until then it
// retries what a retry may mend, and returns an [*Error] for the rest. When ctx
// ends first, the error wraps its cause and what was in the way. A tunnel that
// is open lives until it is closed, whatever becomes of ctx.
func Open(ctx context.Context, cfg Config) (Tunnel, error) {
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	cfg.TakenFor = cmp.Or(cfg.TakenFor, 30*time.Second)
	cfg.AnswerWithin = cmp.Or(cfg.AnswerWithin, 25*time.Second)
	t := &ngrokTunnel{
		cfg:    cfg,
		conns:  make(chan net.Conn),
		states: newStateQueue(cfg.OnState),
		opened: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	t.set(State{Phase: Connecting})
	stop := context.AfterFunc(ctx, func() { t.end(context.Cause(ctx)) })
	go t.run()
	select {
	case <-t.opened:
		if stop() {
			return t, nil
		}
		t.Hangup() // ctx ended at the last moment
	case <-t.ended:
		stop()
	}
	return nil, t.err
}

// ngrokTunnel keeps an endpoint online through one session after another.
type ngrokTunnel struct {
	cfg    Config
	ctx    context.Context // lives as long as the tunnel
	end    context.CancelCauseFunc
	conns  chan net.Conn
	states *stateQueue
	opened chan struct{} // closed when the endpoint is online for the first time
	ended  chan struct{} // closed when run has returned; err is set before
	err    error         // why the tunnel ended

	mu      sync.Mutex
	state   State
	session *session // the one that is online, or nil
}

// run opens sessions until one says that it is the end.
func (t *ngrokTunnel) run() {
	var (
		pace       backoff
		takenSince time.Time
	)
	for {
		err := t.runSession(&pace)
		most := 30 * time.Second // between two tries
		if codeOf(err) != codeTaken {
			takenSince = time.Time{}
		} else {
			most = 2 * time.Second // it may be free at any moment
			if takenSince.IsZero() {
				takenSince = time.Now()
			}
		}
		if t.final(err, takenSince) {
			t.finish(err)
			return
		}
		t.troubled(err)
		if sleep(t.ctx, pace.next(most)) != nil {
			t.finish(err)
			return
		}
	}
}

// runSession opens a session, serves it to its end, and returns why it ended.
func (t *ngrokTunnel) runSession(pace *backoff) error {
	s, err := t.openSession()
	if err != nil {
		return err
	}
	if !t.adopt(s) {
		s.hangup()
		return context.Cause(t.ctx)
	}
	*pace = backoff{}
	err = s.serve(t.ctx, t.conns)
	if !errors.Is(err, errClosed) { // a closed tunnel lets what is in flight finish
		s.hangup()
	}
	return err
}

// openSession asks for the URL that the tunnel had. Where ngrok gives that
// only to who has reserved it, any other must do.
func (t *ngrokTunnel) openSession() (*session, error) {
	had := t.State().URL
	s, err := newSession(t.ctx, t, cmp.Or(t.cfg.URL, had))
	code := codeOf(err)
	if err == nil || had == "" || t.cfg.URL != "" || code == "" || code == codeTaken {
		return s, err
	}
	return newSession(t.ctx, t, "")
}

// adopt makes s the session that is online. It returns false where the tunnel
// was closed meanwhile.
func (t *ngrokTunnel) adopt(s *session) bool {
	url := s.boundURL() // a session's lock comes before the tunnel's
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return false
	}
	t.session = s
	t.setLocked(State{Phase: Online, URL: url})
	select {
	case <-t.opened:
	default:
		close(t.opened)
	}
	return true
}

// final reports whether err, from a session, ends the tunnel.
func (t *ngrokTunnel) final(err error, takenSince time.Time) bool {
	if t.ctx.Err() != nil || errors.Is(err, errClosed) || errors.Is(err, ErrStopped) {
		return true
	}
	starting := t.State().URL == ""
	switch patienceFor(err) {
	case never:
		return true
	case onceOnline:
		return starting
	case briefly:
		return starting && time.Since(takenSince) >= t.cfg.TakenFor
	default:
		return false
	}
}

// finish ends the tunnel, because somebody ended t.ctx or else because of err.
func (t *ngrokTunnel) finish(err error) {
	switch cause := context.Cause(t.ctx); {
	case errors.Is(cause, errClosed) || errors.Is(err, errClosed):
		err = net.ErrClosed
	case cause != nil: // a start was given up
		if errors.Is(err, cause) {
			err = t.State().Err
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", cause, explain(err, t.cfg.Authtoken))
		} else {
			err = cause
		}
	case !errors.Is(err, ErrStopped):
		err = explain(err, t.cfg.Authtoken)
	}
	t.err = err
	t.end(err)
	t.set(State{Phase: Stopped, URL: t.State().URL, Err: err})
	t.states.close()
	close(t.ended)
}

// Accept implements [net.Listener].
func (t *ngrokTunnel) Accept() (net.Conn, error) {
	select {
	case conn := <-t.conns:
		return conn, nil
	case <-t.ended:
		return nil, t.err
	}
}

// Close takes the endpoint offline. Connections that ngrok had passed on are
// still accepted before Accept fails, and those that are open go on; one that
// arrives during Close may be lost in the SDK.
func (t *ngrokTunnel) Close() error {
	t.mu.Lock()
	s := t.session
	t.mu.Unlock()
	if s != nil {
		s.unbind()
	}
	t.end(errClosed)
	<-t.ended
	return nil
}

// Hangup implements [Tunnel].
func (t *ngrokTunnel) Hangup() {
	t.mu.Lock()
	s := t.session
	t.mu.Unlock()
	t.end(errClosed)
	<-t.ended
	if s != nil {
		s.leave()
	}
}

// Addr implements [net.Listener].
func (t *ngrokTunnel) Addr() net.Addr { return addr(t.URL()) }

// addr is a public URL as a [net.Addr].
type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// URL implements [Tunnel].
func (t *ngrokTunnel) URL() string { return t.State().URL }

// State implements [Tunnel].
func (t *ngrokTunnel) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// troubled says what is in the way, without changing since when.
func (t *ngrokTunnel) troubled(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	phase := Connecting
	if t.state.URL != "" {
		phase = Reconnecting
	}
	t.setLocked(State{Phase: phase, URL: t.state.URL, Err: explain(err, t.cfg.Authtoken)})
}

func (t *ngrokTunnel) set(s State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setLocked(s)
}

func (t *ngrokTunnel) setLocked(s State) {
	if t.state.Phase == Stopped {
		return
	}
	s.Since = t.state.Since
	if s.Phase != t.state.Phase || s.Since.IsZero() {
		s.Since = time.Now()
	}
	t.state = s
	t.states.push(s)
}
