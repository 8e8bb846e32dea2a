package tunnel

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.ngrok.com/ngrok/v2"
	"golang.ngrok.com/ngrok/v2/rpc"
)

// session is one ngrok agent with one endpoint. While it is online the SDK
// reconnects it by itself, with the same identity, which is what makes ngrok
// give the same URL again. What the SDK cannot mend ends the session, and the
// tunnel opens another.
type session struct {
	t        *ngrokTunnel
	ctx      context.Context // ends when the session is of no more use; its cause says why
	end      context.CancelCauseFunc
	kill     context.CancelFunc // ends the SDK's session and what is in flight on it
	dialer   *dialer
	agent    ngrok.Agent
	listener ngrok.EndpointListener
	drained  chan struct{} // closed when nothing more comes from listener

	mu       sync.Mutex
	online   bool
	url      string // in the last answer to a bind, first or repeated
	refusals int    // since the session was last online
	command  error  // why the session is to end, if somebody ordered it
}

// Reasons for a session's end that are neither ngrok's nor the network's.
var (
	errClosed  = errors.New("the tunnel was closed")
	errSilent  = errors.New("ngrok takes the connection but does not answer")
	errRestart = errors.New("restarted from ngrok's dashboard or API")
	errOffline = errors.New("ngrok took the endpoint offline")
	errGone    = errors.New("the session ended")
)

// rebindTries is how often ngrok may refuse to take a session back before a
// new one is tried.
const rebindTries = 3

// newSession connects an agent and opens its endpoint, at the URL asked for if
// there is one. The first trouble ends it: what to retry is the tunnel's decision.
func newSession(ctx context.Context, t *ngrokTunnel, asked string) (*session, error) {
	s := &session{t: t, drained: make(chan struct{})}
	var err error
	if s.dialer, err = newDialer(t.cfg.ProxyURL); err != nil {
		return nil, err
	}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	// The context of the first Listen is that of the SDK's whole session.
	life, kill := context.WithCancel(context.Background())
	s.kill = kill
	if s.agent, err = ngrok.NewAgent(s.agentOptions()...); err != nil {
		return nil, err
	}
	// Listen keeps its context only until the agent is connected.
	listening := make(chan error, 1)
	go func() {
		l, err := s.agent.Listen(life, s.endpointOptions(asked)...)
		s.listener = l
		listening <- err
	}()
	silent := time.NewTimer(t.cfg.AnswerWithin)
	defer silent.Stop()
	select {
	case err = <-listening:
	case <-s.ctx.Done():
		err = s.ctx.Err()
	case <-silent.C:
		err = errSilent
	case <-ctx.Done():
		err = context.Cause(ctx)
		if s.dialer.connected() {
			err = errSilent
		}
	}
	if err == nil {
		err = s.begin()
	}
	if err != nil {
		// An event knows better why Listen failed than Listen does.
		if cause := context.Cause(s.ctx); cause != nil {
			err = cause
		}
		s.hangup()
		return nil, err
	}
	return s, nil
}

// begin marks the session as online, unless it ended meanwhile.
func (s *session) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url = normalURL(s.listener.URL().String()); s.url == "" {
		return errors.New("ngrok gave the endpoint no URL")
	}
	s.online = true
	return context.Cause(s.ctx)
}

func (s *session) agentOptions() []ngrok.AgentOption {
	cfg := &s.t.cfg
	opts := []ngrok.AgentOption{
		ngrok.WithAuthtoken(cfg.Authtoken),
		ngrok.WithClientInfo("mcpstore", cfg.Version),
		ngrok.WithDialer(s.dialer),
		ngrok.WithLogger(newSDKLog(cfg.Log, cfg.Authtoken, s.sawBind)),
		ngrok.WithEventHandler(s.handleEvent),
		ngrok.WithRPCHandler(s.handleCommand),
		ngrok.WithAgentDescription(cfg.Description),
		ngrok.WithAgentMetadata(cfg.Metadata),
	}
	if cfg.ConnectAddr != "" {
		// The SDK takes the server's name to end at the first colon, which no
		// IPv6 address survives.
		opts = append(opts, ngrok.WithAgentConnectURL(cfg.ConnectAddr), ngrok.WithTLSConfig(func(c *tls.Config) {
			if host, _, err := net.SplitHostPort(cfg.ConnectAddr); err == nil {
				c.ServerName = host
			}
		}))
	}
	if cfg.ConnectCAs != nil {
		opts = append(opts, ngrok.WithAgentConnectCAs(cfg.ConnectCAs))
	}
	if cfg.HeartbeatInterval > 0 {
		opts = append(opts, ngrok.WithHeartbeatInterval(cfg.HeartbeatInterval))
	}
	if cfg.HeartbeatTolerance > 0 {
		opts = append(opts, ngrok.WithHeartbeatTolerance(cfg.HeartbeatTolerance))
	}
	return opts
}

func (s *session) endpointOptions(asked string) []ngrok.EndpointOption {
	cfg := &s.t.cfg
	return []ngrok.EndpointOption{
		ngrok.WithURL(asked),
		ngrok.WithPoolingEnabled(cfg.Pooling),
		ngrok.WithTrafficPolicy(cfg.TrafficPolicy),
		ngrok.WithDescription(cfg.Description),
		ngrok.WithMetadata(cfg.Metadata),
	}
}

// serve passes connections on to conns until the session ends, or ctx, and
// returns why.
func (s *session) serve(ctx context.Context, conns chan<- net.Conn) error {
	go func() {
		defer close(s.drained)
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				s.over(fmt.Errorf("%w: %w", errOffline, err))
				return
			}
			select {
			case conns <- conn:
			case <-ctx.Done():
				conn.Close()
			case <-s.ctx.Done():
				conn.Close()
			}
		}
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// unbind takes the endpoint offline and waits until what ngrok had passed on
// was accepted. It does not wait for long: on a dead link there is no answer,
// and the SDK locks itself out when a connection arrives at this very moment.
func (s *session) unbind() {
	s.mu.Lock()
	s.command = errClosed
	s.mu.Unlock()
	go s.listener.Close()
	within(time.Second, s.drained)
}

// hangup ends the session and all its connections at once.
func (s *session) hangup() {
	s.end(errGone)
	s.kill()
	s.dialer.hangup()       // frees the SDK where it waits for the link
	go s.agent.Disconnect() // waits for a connect that may still be going on
}

// leave hangs up once ngrok has what was sent, if that does not take long.
func (s *session) leave() {
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.agent.Disconnect()
	}()
	within(time.Second, left)
	s.hangup()
}

// within waits for done, but no longer than d.
func within(d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// handleEvent follows the agent. The SDK calls it with its locks held: it must
// neither block nor ask the agent anything.
func (s *session) handleEvent(evt ngrok.Event) {
	switch evt := evt.(type) {
	case *ngrok.EventAgentConnectSucceeded:
		s.connected()
	case *ngrok.EventAgentDisconnected:
		s.disconnected(evt.Error)
	}
}

// connected says that the SDK has the session back, if it ever lost it. The
// URL may be another one now, which the SDK itself doesn't notice.
func (s *session) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.online {
		return
	}
	s.refusals = 0
	s.t.set(State{Phase: Online, URL: s.url})
}

// disconnected is called for every failure to connect and every loss, and with
// nil when the SDK has given up.
func (s *session) disconnected(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || !s.online || s.command != nil || s.hopeless(err) {
		s.overLocked(cmp.Or(err, errGone))
	}
	if s.ctx.Err() == nil {
		s.t.troubled(err)
	}
}

// over ends the session for the reason err, unless somebody ordered its end,
// of which err is only the consequence.
func (s *session) over(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overLocked(err)
}

func (s *session) overLocked(err error) { s.end(cmp.Or(s.command, err)) }

// hopeless reports whether the SDK would retry err in vain. To have the same
// URL again a session is worth keeping for as long as somebody else holds it.
func (s *session) hopeless(err error) bool {
	switch patienceFor(err) {
	case never:
		return true
	case onceOnline:
		s.refusals++
		return s.refusals >= rebindTries
	default:
		return false
	}
}

// handleCommand answers what somebody clicked in ngrok's dashboard. After an
// answer without an error the SDK ends the session by itself.
func (s *session) handleCommand(_ context.Context, _ ngrok.AgentSession, req rpc.Request) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch req.Method() {
	case rpc.StopAgentMethod:
		s.command = ErrStopped
	case rpc.RestartAgentMethod:
		s.command = errRestart
	default:
		return nil, errors.New("mcpstore is not updated through ngrok: install its new version")
	}
	return nil, nil
}

// sawBind notes the URL in an answer to a bind.
func (s *session) sawBind(bound string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bound = normalURL(bound); bound != "" {
		s.url = bound
	}
}

// boundURL returns where the endpoint is.
func (s *session) boundURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// normalURL returns the scheme and host of a URL as clients write them, so
// that the same URL in another form is no other URL; "" for what is none.
func normalURL(text string) string {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + strings.TrimSuffix(u.Host, ":443")
}
