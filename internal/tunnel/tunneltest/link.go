package tunneltest

import (
	"errors"
	"net"
	"sync"
)

// link is the TCP connection of an agent. While its Edge is frozen, nothing
// passes it in either direction.
type link struct {
	net.Conn
	edge   *Edge
	once   sync.Once
	closed chan struct{}
}

func (l *link) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.pass()
	return n, err
}

func (l *link) Write(p []byte) (int, error) {
	l.pass()
	return l.Conn.Write(p)
}

// pass returns once the Edge is not frozen, or the link is closed.
func (l *link) pass() {
	l.edge.mu.Lock()
	thawed := l.edge.faults.thawed
	l.edge.mu.Unlock()
	select {
	case <-thawed:
	case <-l.closed:
	}
}

func (l *link) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}

// acceptAgents serves the agents that connect to l until it is closed.
func (e *Edge) acceptAgents(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				e.log.Error("no longer accepting agents", "err", err)
			}
			return
		}
		link := &link{Conn: conn, edge: e, closed: make(chan struct{})}
		if !e.admit(link) {
			conn.Close()
			continue
		}
		e.wg.Go(func() {
			defer e.hangUp(link)
			e.serveAgent(link)
		})
	}
}

// admit counts and keeps a connection that was accepted before Down.
func (e *Edge) admit(l *link) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.agents == nil {
		return false
	}
	e.dials++
	e.links[l] = true
	e.notify()
	return true
}

// hangUp drops a connection, and with it the session and the endpoints on it.
func (e *Edge) hangUp(l *link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hangUpLocked(l)
}

func (e *Edge) hangUpLocked(l *link) {
	if !e.links[l] {
		return
	}
	delete(e.links, l)
	l.Close()
	for i, s := range e.online {
		if s.link != l {
			continue
		}
		for _, b := range s.bindings {
			e.takeOffline(b)
		}
		s.bindings = nil
		e.online = append(e.online[:i:i], e.online[i+1:]...)
		e.log.Info("session offline", "session", s.id)
		break
	}
	e.notify()
}
