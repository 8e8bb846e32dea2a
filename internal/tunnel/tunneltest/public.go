package tunneltest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"golang.ngrok.com/muxado/v2"
)

// servePublic serves a request to any public URL.
func (e *Edge) servePublic(w http.ResponseWriter, r *http.Request) {
	if !e.begin() {
		panic(http.ErrAbortHandler)
	}
	defer e.wg.Done()

	host := hostOf(r.Host)
	e.mu.Lock()
	b := e.route(host)
	held := e.held[host]
	e.mu.Unlock()
	switch {
	case b != nil:
		b.proxy.ServeHTTP(w, r)
	case held:
		fmt.Fprintln(w, "This is somebody else's endpoint.")
	default:
		refuse(w, http.StatusNotFound, codeOffline, host)
	}
}

// route returns the binding whose turn it is to serve the host, or nil.
func (e *Edge) route(host string) *binding {
	p := e.pools[host]
	if p == nil {
		return nil
	}
	b := p.bindings[p.next%len(p.bindings)]
	p.next++
	return b
}

// refuse answers a request in ngrok's own name.
func refuse(w http.ResponseWriter, status, code int, subject string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Ngrok-Error-Code", codeName(code))
	w.WriteHeader(status)
	fmt.Fprint(w, refusal(code, subject))
}

// serveBinding equips b to serve requests.
func (e *Edge) serveBinding(b *binding) {
	b.transport = &http.Transport{
		DialContext:         b.dial,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     30 * time.Second,
	}
	b.proxy = &httputil.ReverseProxy{
		Transport:     b.transport,
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			// The transport reuses connections by address. With the client's
			// own, each stream carries one client's requests, and what the
			// proxy header says of the client holds for all of them.
			r.Out.URL.Host = r.In.RemoteAddr
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				e.log.Info("request failed", "url", b.URL, "err", err)
			}
			refuse(w, http.StatusBadGateway, codeNoAnswer, b.host)
		},
		ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
}

// dial opens a stream to the agent for the requests of a client.
func (b *binding) dial(_ context.Context, _, client string) (net.Conn, error) {
	header, err := proxyHeader{
		ID:         b.ID,
		ClientAddr: client,
		Proto:      "https",
		EdgeType:   edgeTypeHTTPS,
	}.encode()
	if err != nil {
		return nil, err
	}
	stream, err := b.session.open(proxyStream)
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(header); err != nil {
		stream.Close()
		return nil, err
	}
	return proxyConn{stream}, nil
}

// proxyConn is a proxy stream that can always be closed at once. A stream
// itself waits for a write in progress, which an agent that reads no further
// holds up until its session ends.
type proxyConn struct{ muxado.Stream }

func (c proxyConn) Close() error {
	go c.Stream.Close()
	return nil
}
