package tunneltest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// newAgent returns an agent of the real SDK that is to connect to the edge,
// and the events that it tells.
func newAgent(t *testing.T, edge *tunneltest.Edge, opts ...ngrok.AgentOption) (ngrok.Agent, <-chan ngrok.Event) {
	t.Helper()
	events := make(chan ngrok.Event, 1000)
	agent, err := ngrok.NewAgent(append([]ngrok.AgentOption{
		ngrok.WithAuthtoken(tunneltest.Authtoken),
		ngrok.WithAgentConnectURL(edge.ConnectAddr()),
		ngrok.WithAgentConnectCAs(edge.CAPool()),
		ngrok.WithEventHandler(func(e ngrok.Event) { events <- e }),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return agent, events
}

// connect returns an agent that is connected until the test ends.
func connect(t *testing.T, edge *tunneltest.Edge, opts ...ngrok.AgentOption) (ngrok.Agent, <-chan ngrok.Event) {
	t.Helper()
	agent, events := newAgent(t, edge, opts...)
	if err := agent.Connect(lifetime(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Disconnect() })
	return agent, events
}

// lifetime returns a context for an agent: one that outlives the test's own,
// which ends before the cleanups run.
func lifetime(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

// serve puts a handler online and returns its URL.
func serve(t *testing.T, agent ngrok.Agent, handler http.HandlerFunc, opts ...ngrok.EndpointOption) string {
	t.Helper()
	listener := listen(t, agent, opts...)
	srv := &http.Server{Handler: handler}
	served := make(chan struct{})
	go func() {
		srv.Serve(listener)
		close(served)
	}()
	t.Cleanup(func() {
		agent.Disconnect() // frees what hangs on the tunnel
		srv.Close()
		<-served
	})
	return listener.URL().String()
}

func listen(t *testing.T, agent ngrok.Agent, opts ...ngrok.EndpointOption) ngrok.EndpointListener {
	t.Helper()
	listener, err := agent.Listen(lifetime(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// say returns a handler that answers with a text.
func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }
}

// get returns the status and the body of what the public gets at a URL.
func get(t *testing.T, edge *tunneltest.Edge, url string) (*http.Response, string) {
	t.Helper()
	resp, err := edge.Client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func wantBody(t *testing.T, edge *tunneltest.Edge, url, want string) {
	t.Helper()
	if resp, body := get(t, edge, url); resp.StatusCode != http.StatusOK || body != want {
		t.Errorf("GET %s = %d %q, want 200 %q", url, resp.StatusCode, body, want)
	}
}

func wantOffline(t *testing.T, edge *tunneltest.Edge, url string) {
	t.Helper()
	resp, body := get(t, edge, url)
	code := resp.Header.Get("Ngrok-Error-Code")
	if resp.StatusCode != http.StatusNotFound || code != "ERR_NGROK_3200" || !strings.Contains(body, "is offline.") {
		t.Errorf("GET %s = %d, %s, %q, want 404 and ERR_NGROK_3200", url, resp.StatusCode, code, body)
	}
}

// within returns a context for what has to happen soon.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// await returns the next event of a kind.
func await[E ngrok.Event](t *testing.T, events <-chan ngrok.Event) E {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case event := <-events:
			if e, ok := event.(E); ok {
				return e
			}
		case <-deadline:
			var zero E
			t.Fatalf("no %T", zero)
		}
	}
}

// awaitRefusal returns the code and the text of the next disconnection.
func awaitRefusal(t *testing.T, events <-chan ngrok.Event) (code, text string) {
	t.Helper()
	err := await[*ngrok.EventAgentDisconnected](t, events).Error
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		code = coded.ErrorCode()
	}
	return code, err.Error()
}

func TestCAFileHoldsTheCAThatBothListenersUse(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	pem, err := os.ReadFile(edge.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %q", pem)
	}
	for _, tt := range []struct{ addr, name string }{
		{edge.ConnectAddr(), "127.0.0.1"},
		{edge.ConnectAddr(), "localhost"},
		{edge.PublicAddr(), "shop.example.test"},
		{edge.PublicAddr(), "127.0.0.1"},
	} {
		conn, err := tls.Dial("tcp", tt.addr, &tls.Config{RootCAs: pool, ServerName: tt.name})
		if err != nil {
			t.Errorf("TLS to %s as %q: %v", tt.addr, tt.name, err)
			continue
		}
		conn.Close()
	}
}

// BenchmarkStart times what every test with an Edge pays for having one.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		edge, err := tunneltest.New(tunneltest.Config{})
		if err != nil {
			b.Fatal(err)
		}
		edge.Close()
	}
}

func TestNewFails(t *testing.T) {
	t.Parallel()
	taken := tunneltest.Start(t, tunneltest.Config{})
	for name, cfg := range map[string]tunneltest.Config{
		"CA file in no folder": {CAFile: t.TempDir() + "/none/ca.pem"},
		"connect address used": {ConnectAddr: taken.ConnectAddr()},
		"public address used":  {PublicAddr: taken.PublicAddr()},
	} {
		if edge, err := tunneltest.New(cfg); err == nil {
			edge.Close()
			t.Errorf("%s: New succeeded", name)
		}
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	tunneltest.SkipUnderRace(t)
	edge, err := tunneltest.New(tunneltest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	agent, _ := newAgent(t, edge)
	if err := agent.Connect(lifetime(t)); err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hang" {
			return
		}
		close(started)
		<-r.Context().Done()
		close(ended)
	})
	wantBody(t, edge, url, "")
	hung := make(chan error)
	go func() {
		resp, err := edge.Client().Get(url + "/hang")
		if err == nil {
			resp.Body.Close()
		}
		hung <- err
	}()
	<-started
	if err := edge.Close(); err != nil {
		t.Error(err)
	}
	if err := edge.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
	<-hung
	<-ended
	agent.Disconnect()

	// What muxado and net/http started ends a little later, unannounced.
	deadline := time.Now().Add(5 * time.Second)
	for {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		left := strings.Count(stacks, "tunneltest.(") + strings.Count(stacks, "muxado/v2.(*session).") + strings.Count(stacks, "net/http.(*persistConn)")
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still running:\n%s", stacks)
		}
		runtime.Gosched()
	}
}
