package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// edge is the command as it runs.
type edge struct {
	stdin               io.Writer
	stderr              *output
	exit                <-chan int
	interrupt           context.CancelFunc
	connect, public, ca string
}

// output is what the command has written so far.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // gets a value soon after a write
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await returns when the output contains the text.
func (o *output) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.written:
		case <-deadline:
			t.Fatalf("no %q in:\n%s", text, o)
		}
	}
}

func start(t *testing.T, args ...string) *edge {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdin, stdinWriter := io.Pipe()
	stdout, stdoutWriter := io.Pipe()
	exit := make(chan int, 1)
	e := &edge{stdin: stdinWriter, stderr: &output{written: make(chan struct{}, 1)}, exit: exit, interrupt: cancel}
	go func() { exit <- run(ctx, args, stdin, stdoutWriter, e.stderr) }()
	t.Cleanup(func() { cancel(); stdinWriter.Close() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "connect=%s public=%s ca=%s\n", &e.connect, &e.public, &e.ca); err != nil {
		t.Fatalf("stdout says %q: %v", line, err)
	}
	return e
}

// agent connects the real SDK to the command by what it wrote to stdout.
func (e *edge) agent(t *testing.T) (ngrok.Agent, ngrok.EndpointListener) {
	t.Helper()
	pem, err := os.ReadFile(e.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	agent, err := ngrok.NewAgent(
		ngrok.WithAuthtoken(tunneltest.Authtoken),
		ngrok.WithAgentConnectURL(e.connect),
		ngrok.WithAgentConnectCAs(pool))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := agent.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Disconnect() })
	return agent, listener
}

func (e *edge) wantExit(t *testing.T, want int) {
	t.Helper()
	if got := <-e.exit; got != want {
		t.Errorf("exit = %d, want %d", got, want)
	}
}

func TestEdgeSaysHowToReachIt(t *testing.T) {
	t.Parallel()
	e := start(t)
	_, port, _ := strings.Cut(e.public, ":")
	for _, want := range []string{
		"NGROK_AUTHTOKEN=" + tunneltest.Authtoken + " go run ./cmd/mcpstore --connect-url " + e.connect + " --connect-ca " + e.ca + "\n",
		"smoke https://demo.ngrok-free.test:" + port + "/mcp --ca " + e.ca + " --resolve demo.ngrok-free.test:" + port + ":127.0.0.1\n",
		"curl --cacert " + e.ca + " --resolve demo.ngrok-free.test:" + port + ":127.0.0.1 https://demo.ngrok-free.test:" + port + "/",
	} {
		if !strings.Contains(e.stderr.String(), want) {
			t.Errorf("no %q in:\n%s", want, e.stderr)
		}
	}
	_, listener := e.agent(t)
	if got, want := listener.URL().String(), "https://demo.ngrok-free.test:"+port; got != want {
		t.Errorf("URL = %q, want %q", got, want)
	}
	e.stderr.await(t, `msg="endpoint online" url=`+listener.URL().String())
	if strings.Contains(e.stderr.String(), "agent="+tunneltest.Authtoken) {
		t.Error("the log has the authtoken")
	}
}

func TestEdgeEndsAtInterruptAndAtQuit(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*edge){
		"interrupt": func(e *edge) { e.interrupt() },
		"quit":      func(e *edge) { fmt.Fprintln(e.stdin, "quit") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			end(e)
			e.wantExit(t, 0)
			if _, err := os.Stat(e.ca); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the CA file is left: %v", err)
			}
		})
	}
}

func TestEdgeObeysItsStandardInput(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, line := range []string{"down", "up", "freeze", "thaw", "refuse ERR_NGROK_107", "refuse-url 334", "accept",
		"hold shop.example.test", "release shop.example.test", "rename https://other.example.test", "stop", "restart"} {
		fmt.Fprintln(e.stdin, line)
		name, _, _ := strings.Cut(line, " ")
		e.stderr.await(t, name+": done\n")
	}
	for line, want := range map[string]string{
		"help":                       "quit            end the edge\n",
		"refuse":                     "refuse: needs a CODE\n",
		"refuse x":                   `refuse: "x" is not the code of an ngrok error`,
		"cut everything":             `cut: takes nothing, not "everything"`,
		"close https://a.b.test/mcp": `close: no endpoint at "https://a.b.test/mcp"`,
		"dance":                      "dance: unknown; help lists what there is\n",
	} {
		fmt.Fprintln(e.stdin, line)
		e.stderr.await(t, want)
	}

	_, listener := e.agent(t)
	ended := make(chan error, 1)
	go func() {
		_, err := listener.Accept()
		ended <- err
	}()
	fmt.Fprintln(e.stdin, "close "+listener.URL().String())
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "stopped at the edge") {
		t.Errorf("Accept = %v", err)
	}
	fmt.Fprintln(e.stdin, "stop") // which this agent does not support
	e.stderr.await(t, "stop: the agent has not defined a callback")
	fmt.Fprintln(e.stdin, "quit")
	e.wantExit(t, 0)
}

func TestEdgeKeepsTheCAFileThatItWasGiven(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/ca.pem"
	e := start(t, "-ca-file", file, "-domain", "", "-authtoken", tunneltest.Authtoken)
	if e.ca != file {
		t.Errorf("CA file is %q, want %q", e.ca, file)
	}
	if _, listener := e.agent(t); !strings.HasPrefix(listener.URL().Host, "dev-") {
		t.Errorf("URL is %s, want one made from the authtoken", listener.URL())
	}
	e.interrupt()
	e.wantExit(t, 0)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestEdgeCalledWrongly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"-h"}, 0, "-listen-agents address"},
		{[]string{"-nonsense"}, 2, "-nonsense"},
		{[]string{"nonsense"}, 2, `unexpected argument "nonsense"`},
		{[]string{"-listen-agents", "nowhere"}, 1, "listen for agents"},
	} {
		var stdout, stderr strings.Builder
		exit := run(t.Context(), tt.args, strings.NewReader(""), &stdout, &stderr)
		if exit != tt.exit || !strings.Contains(stderr.String(), tt.says) || stdout.Len() > 0 {
			t.Errorf("edge %q: exit %d, stdout %q, stderr %q; want exit %d and %q", tt.args, exit, &stdout, &stderr, tt.exit, tt.says)
		}
	}
}
