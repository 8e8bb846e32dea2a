package tunneltest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestRequestsArriveAsFromNgrok(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	seen := make(chan *http.Request, 1)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) { seen <- r })
	host := strings.TrimPrefix(url, "https://")

	req, err := http.NewRequest("GET", url+"/a/b?c=d%20e", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "203.0.113.7")
	req.Header.Set("X-Forwarded-Host", "evil.example")
	req.Header.Set("X-Forwarded-Proto", "gopher")
	req.Header.Set("X-Mine", "kept")
	resp, err := edge.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("the public got %s, want HTTP/2", resp.Proto)
	}

	r := <-seen
	type facts struct{ Proto, Host, URI, For, ForwardedHost, ForwardedProto, Mine string }
	got := facts{r.Proto, r.Host, r.RequestURI, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Host"),
		r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Mine")}
	want := facts{"HTTP/1.1", host, "/a/b?c=d%20e", "127.0.0.1", host, "https", "kept"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestConnectionBelongsToOneClient(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })

	for range 2 {
		transport := edge.Client().Transport.(*http.Transport).Clone()
		dial := transport.DialContext
		var local string
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err == nil {
				local = conn.LocalAddr().String()
			}
			return conn, err
		}
		client := &http.Client{Transport: transport}
		for range 3 {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != local {
				t.Errorf("the agent saw %s, want the client's address %s", body, local)
			}
		}
		transport.CloseIdleConnections()
	}
}

func TestAnswersStream(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	more := make(chan int)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		for n := range more {
			fmt.Fprintf(w, "data: %d\n\n", n)
			http.NewResponseController(w).Flush()
		}
	})
	resp, err := edge.Client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for n := range 3 {
		more <- n // sent only after the one before has arrived
		for lines.Scan() && lines.Text() == "" {
		}
		if want := fmt.Sprintf("data: %d", n); lines.Text() != want {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}
	}
	close(more)
}

func TestRequestBodiesStream(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	read := make(chan string)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			read <- lines.Text()
		}
	})
	body, w := io.Pipe()
	done := make(chan error)
	go func() {
		resp, err := edge.Client().Post(url, "text/plain", body)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	for _, want := range []string{"one", "two"} {
		fmt.Fprintln(w, want) // sent only after the one before was read
		if got := <-read; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLargeBodiesPass(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(b)
	})
	sent := bytes.Repeat([]byte("茶葉蛋"), 400_000) // many windows of a stream
	resp, err := edge.Client().Post(url, "text/plain", bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back (%v), want the %d sent", len(got), err, len(sent))
	}
}

func TestClientThatLeavesEndsTheRequest(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	started, ended := make(chan struct{}), make(chan struct{})
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(ended)
	})
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-started
		leave()
	}()
	if _, err := edge.Client().Do(req); err == nil {
		t.Error("the request succeeded")
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the agent's request goes on")
	}
}

func TestAgentThatAnswersNothingIsABadGateway(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	resp, body := get(t, edge, url)
	if code := resp.Header.Get("Ngrok-Error-Code"); resp.StatusCode != http.StatusBadGateway || code != "ERR_NGROK_3004" {
		t.Errorf("got %d, %s, %q, want 502 and ERR_NGROK_3004", resp.StatusCode, code, body)
	}
}

func TestUnknownHostIsOffline(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	wantOffline(t, edge, "https://nobody.ngrok-free.test")
}

func TestManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			sent := fmt.Sprint("call ", n)
			resp, err := edge.Client().Post(url, "text/plain", strings.NewReader(sent))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != sent {
				t.Errorf("sent %q, got %d %q, %v", sent, resp.StatusCode, body, err)
			}
		})
	}
	wg.Wait()
}
