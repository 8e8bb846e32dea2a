package tunneltest

import (
	"fmt"
	"net"
)

// Times is how often a fault is still to happen.
type Times int

// Always makes a fault happen until it is set to another number.
const Always Times = -1

// take tells whether the fault happens now.
func (t *Times) take() bool {
	if *t > 0 {
		*t--
		return true
	}
	return *t < 0
}

// faults are what the Edge is told to get wrong. The Edge's mutex guards them.
type faults struct {
	refuseAuth     Times
	refuseAuthCode int
	refuseBind     Times
	refuseBindCode int
	dropAfterAuth  Times
	dropAfterBind  Times
	rename         string        // if set, the URL that the next rebind gets
	thawed         chan struct{} // closed unless frozen
}

// CutSessions drops the connections of all agents without a word. When it
// returns, their endpoints are offline.
func (e *Edge) CutSessions() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for l := range e.links {
		e.hangUpLocked(l)
	}
}

// Down cuts all sessions and refuses connections of agents until Up.
func (e *Edge) Down() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.agents != nil {
		e.agents.Close()
		e.agents = nil
	}
	for l := range e.links {
		e.hangUpLocked(l)
	}
}

// Up ends Down. It fails if somebody took the port meanwhile.
func (e *Edge) Up() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.agents != nil {
		return nil
	}
	if e.closed {
		return net.ErrClosed
	}
	l, err := net.Listen("tcp", e.connect.String())
	if err != nil {
		return fmt.Errorf("listen for agents again: %w", err)
	}
	e.agents = l
	e.wg.Go(func() { e.acceptAgents(l) })
	return nil
}

// Freeze stops all traffic with agents until Thaw: connections are accepted
// and stay open, and nothing is ever answered on them, not even heartbeats.
func (e *Edge) Freeze() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.faults.thawed:
		e.faults.thawed = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze.
func (e *Edge) Thaw() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.faults.thawed:
	default:
		close(e.faults.thawed)
	}
}

// RefuseAuth refuses the next n agents with the code of an ngrok error, such
// as 107, whatever their authtoken.
func (e *Edge) RefuseAuth(code int, n Times) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.refuseAuthCode, e.faults.refuseAuth = code, n
}

// RefuseBind refuses the next n endpoints with the code of an ngrok error,
// such as 334.
func (e *Edge) RefuseBind(code int, n Times) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.refuseBindCode, e.faults.refuseBind = code, n
}

// DropAfterAuth lets the next n agents in and hangs up on each as soon as it
// knows.
func (e *Edge) DropAfterAuth(n Times) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.dropAfterAuth = n
}

// DropAfterBind hangs up on the agents of the next n endpoints as soon as they
// know that the endpoint is online. An agent that reconnects to that has
// succeeded by its own lights each time.
func (e *Edge) DropAfterBind(n Times) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.dropAfterBind = n
}

// RenameOnRebind answers the next endpoint that comes back after a lost
// session with another URL than it had, and serves it there only. An empty URL
// takes the order back.
func (e *Edge) RenameOnRebind(url string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.rename = url
}

// HoldURL gives a URL to somebody else: agents that ask for it are told that it
// is taken (334) until ReleaseURL. An endpoint that has it keeps it while its
// session lasts.
func (e *Edge) HoldURL(url string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held[hostOf(url)] = true
}

// ReleaseURL ends HoldURL.
func (e *Edge) ReleaseURL(url string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.held, hostOf(url))
}
