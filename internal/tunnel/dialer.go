package tunnel

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/proxy"
)

const (
	dialTimeout = 10 * time.Second // of one connection to the edge, proxy included
	steadyAfter = 10 * time.Second // a connection that lived this long was a good one
	redialPause = 2 * time.Second  // at most, besides the SDK's own
)

// dialer connects an agent to ngrok's edge. The SDK's own has no time-out and
// redials a dropped connection at once; this one has both a time-out and a
// pace, and it can hang up on everything that the SDK still holds.
type dialer struct {
	proxy.ContextDialer

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	hungUp bool
	pace   backoff
	last   time.Time // when the last connection was made
}

func newDialer(proxyURL *url.URL) (*dialer, error) {
	d := &dialer{conns: make(map[net.Conn]struct{})}
	direct := &net.Dialer{KeepAlive: 15 * time.Second}
	switch {
	case proxyURL == nil:
		d.ContextDialer = direct
	case proxyURL.Scheme == "http" || proxyURL.Scheme == "https":
		d.ContextDialer = &connectDialer{direct, proxyURL}
	default:
		socks, err := proxy.FromURL(proxyURL, direct)
		if err != nil {
			return nil, err
		}
		d.ContextDialer = socks.(proxy.ContextDialer)
	}
	return d, nil
}

// Dial implements the SDK's Dialer, which never calls it.
func (d *dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext connects. Where the connections before it broke off early, it
// waits first, longer each time.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := sleep(ctx, d.wait()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := d.ContextDialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return d.keep(conn)
}

// wait returns how long to hold back the next dial.
func (d *dialer) wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.IsZero() || time.Since(d.last) >= steadyAfter {
		d.pace = backoff{}
		return 0
	}
	return d.pace.next(redialPause)
}

func (d *dialer) keep(conn net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hungUp {
		conn.Close()
		return nil, net.ErrClosed
	}
	d.last = time.Now()
	kept := &keptConn{conn, d}
	d.conns[kept] = struct{}{}
	return kept, nil
}

// connected reports whether there is a connection to the edge.
func (d *dialer) connected() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns) > 0
}

// hangup closes every connection, and those yet to come.
func (d *dialer) hangup() {
	d.mu.Lock()
	d.hungUp = true
	conns := d.conns
	d.conns = make(map[net.Conn]struct{})
	d.mu.Unlock()
	for conn := range conns {
		conn.Close()
	}
}

type keptConn struct {
	net.Conn
	d *dialer
}

func (c *keptConn) Close() error {
	c.d.mu.Lock()
	delete(c.d.conns, c)
	c.d.mu.Unlock()
	return c.Conn.Close()
}

// connectDialer reaches the edge through an HTTP proxy, by CONNECT (RFC 9110,
// section 9.3.6).
type connectDialer struct {
	forward proxy.ContextDialer
	proxy   *url.URL
}

func (d *connectDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.dialProxy(ctx, network)
	if err != nil {
		return nil, fmt.Errorf("connect to the proxy %s: %w", d.proxy.Redacted(), err)
	}
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if err := d.connect(conn, addr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask the proxy %s for %s: %w", d.proxy.Redacted(), addr, err)
	}
	return conn, nil
}

func (d *connectDialer) dialProxy(ctx context.Context, network string) (net.Conn, error) {
	port := d.proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[d.proxy.Scheme]
	}
	conn, err := d.forward.DialContext(ctx, network, net.JoinHostPort(d.proxy.Hostname(), port))
	if err != nil || d.proxy.Scheme == "http" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: d.proxy.Hostname()})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (d *connectDialer) connect(conn net.Conn, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: make(http.Header)}
	if user := d.proxy.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return errors.New(resp.Status)
	case r.Buffered() > 0: // in TLS the client speaks first
		return errors.New("the proxy sent data before the edge could")
	}
	return nil
}
