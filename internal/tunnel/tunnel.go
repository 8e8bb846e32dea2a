// Package tunnel gives the server a [net.Listener] with a URL: a public one
// through ngrok, by [Open], or one on this machine alone, by [Local].
//
// A public tunnel outlives its connections. It loses and regains the network
// underneath its listener, keeps its URL where ngrok lets it, and ends only
// when it is closed or when no retry can help; what became of it is told by
// its [State].
package tunnel

import (
	"errors"
	"net"
	"time"
)

// Tunnel is where requests come in. [net.Listener.Accept] returns an [*Error]
// when ngrok refused for good, [ErrStopped] when it asked the program to stop,
// and [net.ErrClosed] after Close.
//
// To end without losing an answer: refuse new requests and finish those in
// flight, then [net/http.Server.Shutdown], which closes the tunnel, then
// Hangup, then [net/http.Server.Close], which alone would wait for a client
// that has stopped reading.
type Tunnel interface {
	net.Listener

	// URL is where clients reach the listener, such as
	// "https://name.ngrok-free.dev": no path and no slash at the end.
	URL() string

	// State tells how the tunnel is at this moment.
	State() State

	// Hangup drops every connection at once, in flight or not, and frees
	// whoever hangs on one. It implies Close.
	Hangup()
}

// State is how a tunnel is.
type State struct {
	Phase Phase
	URL   string    // "" before the tunnel was online for the first time
	Since time.Time // when the phase began
	Err   error     // what went wrong last; nil when all is well
}

// Phase is a stage in the life of a tunnel.
type Phase int

// A tunnel is connecting until it is online for the first time. From then on
// it is either online or reconnecting, until it is stopped.
const (
	Connecting Phase = iota
	Online
	Reconnecting
	Stopped
)

// String returns the phase in lower case, as in logs.
func (p Phase) String() string {
	return [...]string{"connecting", "online", "reconnecting", "stopped"}[p]
}

// ErrStopped says that somebody stopped this agent from ngrok's dashboard or
// API.
var ErrStopped = errors.New("stopped from ngrok's dashboard or API")
