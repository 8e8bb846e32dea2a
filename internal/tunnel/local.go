package tunnel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Local listens on addr, a host and port of this machine, without a tunnel.
// A port of 0 takes a free one.
func Local(addr string) (Tunnel, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &Error{What: fmt.Sprintf("%s is in use by another program", addr), hint: "stop it, or choose another address: --listen 127.0.0.1:0 takes any free port"}
	case err != nil:
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	return &local{Listener: l, since: time.Now()}, nil
}

type local struct {
	net.Listener
	since time.Time
}

// URL names the loopback address where the listener takes every interface:
// that is where a client on this machine reaches it.
func (l *local) URL() string {
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	if addr.Addr().IsUnspecified() {
		addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
	}
	return "http://" + netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()).String()
}

func (l *local) State() State {
	return State{Phase: Online, URL: l.URL(), Since: l.since}
}

func (l *local) Hangup() { l.Close() }
