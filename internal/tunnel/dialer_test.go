package tunnel

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pipes dials one end of a pipe; whoever wants the other may take it.
type pipes struct{}

func (pipes) DialContext(context.Context, string, string) (net.Conn, error) {
	c, _ := net.Pipe()
	return c, nil
}

func TestDialerSlowsDownWhenConnectionsBreakOffEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newDialer(nil)
		d.ContextDialer = pipes{}
		var pauses []time.Duration
		for range 6 {
			start := time.Now()
			c, err := d.DialContext(t.Context(), "tcp", "edge:443")
			if err != nil {
				t.Fatal(err)
			}
			pauses = append(pauses, time.Since(start))
			c.Close()
		}
		want := []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second}
		if diff := cmp.Diff(want, pauses); diff != "" {
			t.Errorf("pauses before six dials in a row (-want +got):\n%s", diff)
		}

		time.Sleep(steadyAfter) // the last connection lived well
		start := time.Now()
		if _, err := d.DialContext(t.Context(), "tcp", "edge:443"); err != nil || time.Since(start) != 0 {
			t.Errorf("dial after a steady connection took %v, err %v, want at once", time.Since(start), err)
		}
	})
}

func TestDialerGivesUpOnAPauseWhenTheSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newDialer(nil)
		d.ContextDialer = pipes{}
		d.DialContext(t.Context(), "tcp", "edge:443")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errGone)
		if _, err := d.DialContext(ctx, "tcp", "edge:443"); !errors.Is(err, errGone) {
			t.Errorf("DialContext = %v, want %v", err, errGone)
		}
	})
}

func TestDialerHangsUpOnEveryConnectionAndThoseToCome(t *testing.T) {
	edge := listen(t)
	d, _ := newDialer(nil)
	c, err := d.DialContext(t.Context(), "tcp", edge.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d.hangup()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after hangup = %v, want %v", err, net.ErrClosed)
	}
	d.last = time.Time{}
	if _, err := d.DialContext(t.Context(), "tcp", edge.Addr().String()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("DialContext after hangup = %v, want %v", err, net.ErrClosed)
	}
}

func TestDialerAsksAnHTTPProxyForTheEdge(t *testing.T) {
	proxy := listen(t)
	asked := make(chan *http.Request, 1)
	go func() {
		c, err := proxy.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		asked <- req
		io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		io.Copy(c, c) // stands for the edge
	}()

	d, err := newDialer(&url.URL{Scheme: "http", Host: proxy.Addr().String(), User: url.UserPassword("chen", "pass word")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.DialContext(t.Context(), "tcp", "connect.ngrok-agent.com:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	req := <-asked
	user, password, ok := (&http.Request{Header: http.Header{"Authorization": req.Header["Proxy-Authorization"]}}).BasicAuth()
	if req.Method != "CONNECT" || req.Host != "connect.ngrok-agent.com:443" || !ok || user != "chen" || password != "pass word" {
		t.Errorf("the proxy got %s %s with user %q, password %q", req.Method, req.Host, user, password)
	}
	io.WriteString(c, "hello")
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
		t.Errorf("through the proxy came %q, %v, want hello", got, err)
	}
}

func TestDialerTellsAProxysRefusalWithoutItsPassword(t *testing.T) {
	proxy := listen(t)
	go func() {
		c, err := proxy.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
	}()
	d, _ := newDialer(&url.URL{Scheme: "http", Host: proxy.Addr().String(), User: url.UserPassword("chen", "hunter2")})
	_, err := d.DialContext(t.Context(), "tcp", "edge:443")
	if err == nil || !strings.Contains(err.Error(), "407 Proxy Authentication Required") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("DialContext = %v, want the proxy's refusal without the password", err)
	}
}

func TestDialerDoesNotWaitForAProxyForever(t *testing.T) {
	proxy := listen(t) // takes the connection, never answers
	d, _ := newDialer(&url.URL{Scheme: "http", Host: proxy.Addr().String()})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.DialContext(ctx, "tcp", "edge:443"); err == nil {
		t.Error("DialContext through a silent proxy succeeded")
	}
}

func TestBackoffGrowsToItsMost(t *testing.T) {
	var b backoff
	var got []time.Duration
	for range 10 {
		got = append(got, b.next(30*time.Second))
	}
	ms := time.Millisecond
	want := []time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 16000 * ms, 30000 * ms, 30000 * ms, 30000 * ms}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
