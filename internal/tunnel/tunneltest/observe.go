package tunneltest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Session is an agent that is online, as far as it tells about itself.
type Session struct {
	ID         string // the edge's, and new for each connection
	ClientID   string // the same again when the agent reconnects
	RemoteAddr string
	Authtoken  string
	UserAgent  string
	Metadata   string
	ProxyType  string

	HeartbeatInterval, HeartbeatTolerance time.Duration

	Endpoints []Endpoint // oldest first
}

// Endpoint is a URL that an agent has online, and what the agent said of it.
type Endpoint struct {
	ID             string // the same again when the agent reconnects
	URL            string
	Name           string
	Description    string
	Metadata       string
	Bindings       []string
	PoolingEnabled bool
	TrafficPolicy  string
	ForwardsTo     string
}

// Sessions returns the sessions that are online, oldest first.
func (e *Edge) Sessions() []Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	var sessions []Session
	for _, s := range e.online {
		sessions = append(sessions, s.snapshot())
	}
	return sessions
}

func (s *session) snapshot() Session {
	extra := s.auth.Extra
	snapshot := Session{
		ID:                 s.id,
		ClientID:           s.clientID,
		RemoteAddr:         s.link.RemoteAddr().String(),
		Authtoken:          extra.Authtoken,
		UserAgent:          extra.UserAgent,
		Metadata:           extra.Metadata,
		ProxyType:          extra.ProxyType,
		HeartbeatInterval:  time.Duration(extra.HeartbeatInterval),
		HeartbeatTolerance: time.Duration(extra.HeartbeatTolerance),
	}
	for _, b := range s.bindings {
		snapshot.Endpoints = append(snapshot.Endpoints, b.snapshot())
	}
	return snapshot
}

func (b *binding) snapshot() Endpoint {
	snapshot := b.Endpoint
	snapshot.Bindings = slices.Clone(snapshot.Bindings)
	return snapshot
}

// Dials returns how many connections of agents were accepted so far, let in or
// not.
func (e *Edge) Dials() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dials
}

// AwaitDials returns when at least n connections of agents were accepted, or
// ctx ends.
func (e *Edge) AwaitDials(ctx context.Context, n int) error {
	return e.await(ctx, "connections of agents", func() bool { return e.dials >= n })
}

// AwaitSession returns the newest session as soon as there is one, or an error
// when ctx ends first.
func (e *Edge) AwaitSession(ctx context.Context) (found Session, err error) {
	err = e.await(ctx, "a session", func() bool {
		if len(e.online) == 0 {
			return false
		}
		found = e.online[len(e.online)-1].snapshot()
		return true
	})
	return found, err
}

// AwaitNoSession returns when no session is online, or an error when ctx ends
// first.
func (e *Edge) AwaitNoSession(ctx context.Context) error {
	return e.await(ctx, "the last session's end", func() bool { return len(e.online) == 0 })
}

// AwaitEndpoint returns an endpoint at the URL, or at any URL where it is
// empty, as soon as there is one, or an error when ctx ends first. Only the
// host name of the URL counts.
func (e *Edge) AwaitEndpoint(ctx context.Context, url string) (found Endpoint, err error) {
	host := hostOf(url)
	err = e.await(ctx, "an endpoint", func() bool {
		for name, p := range e.pools {
			if host == "" || name == host {
				found = p.bindings[0].snapshot()
				return true
			}
		}
		return false
	})
	return found, err
}

// await returns when the condition, which is called with e.mu held, is true.
func (e *Edge) await(ctx context.Context, what string, condition func() bool) error {
	for {
		e.mu.Lock()
		ok, changed := condition(), e.changed
		e.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("await %s: %w", what, context.Cause(ctx))
		}
	}
}
