package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// These tests run the whole program in this process, through the real ngrok
// SDK and a stand-in for ngrok's edge.

func TestClientsOfOthersListAndCallThroughTheTunnel(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	p := start(t, edge)
	const answer = "KOKO便利店 茶葉蛋：12 顆"
	check := func(t *testing.T, tools []string, text string, isError bool) {
		t.Helper()
		if diff := cmp.Diff([]string{"check_stock", "get_product", "list_expiring", "list_low_stock", "list_stores", "search_products", "stock_history"}, tools); diff != "" {
			t.Errorf("tools (-want +got):\n%s", diff)
		}
		if !strings.HasPrefix(text, answer) || isError {
			t.Errorf("check_stock = %q, error %v, want %q…", text, isError, answer)
		}
	}

	t.Run("go-sdk", func(t *testing.T) {
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(),
			&mcp.StreamableClientTransport{Endpoint: p.endpoint, HTTPClient: edge.Client(), DisableStandaloneSSE: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		tools, err := session.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range tools.Tools {
			names = append(names, tool.Name)
		}
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "check_stock", Arguments: map[string]any{"product": "茶葉蛋", "store": "KOKO便利店"}})
		if err != nil {
			t.Fatal(err)
		}
		check(t, names, result.Content[0].(*mcp.TextContent).Text, result.IsError)
	})
	t.Run("mcp-go", func(t *testing.T) {
		c, err := client.NewStreamableHttpClient(p.endpoint, transport.WithHTTPBasicClient(edge.Client()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		init := mcpgo.InitializeRequest{}
		init.Params.ProtocolVersion = mcpgo.LATEST_PROTOCOL_VERSION
		init.Params.ClientInfo = mcpgo.Implementation{Name: "test", Version: "1"}
		if _, err := c.Initialize(t.Context(), init); err != nil {
			t.Fatal(err)
		}
		tools, err := c.ListTools(t.Context(), mcpgo.ListToolsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range tools.Tools {
			names = append(names, tool.Name)
		}
		call := mcpgo.CallToolRequest{}
		call.Params.Name = "check_stock"
		call.Params.Arguments = map[string]any{"product": "茶葉蛋", "store": "KOKO便利店"}
		result, err := c.CallTool(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		check(t, names, mcpgo.GetTextFromContent(result.Content[0]), result.IsError)
	})
}

func TestReadyOnceTheTunnelAndTheDatabaseAre(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	p := start(t, edge)
	for _, path := range []string{"/healthz", "/readyz"} {
		if err := reach(t.Context(), edge, strings.TrimSuffix(p.endpoint, "/mcp")+path, http.StatusOK); err != nil {
			t.Error(err)
		}
	}
}

func TestNotReadyWhenTheDatabaseCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		harm func(path string) error
		logs string
	}{
		{"removed", os.Remove, "saved and verified"},
		{"log cut", func(path string) error { return os.Truncate(path+"-wal", 0) }, "was cut to 0 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.Start(t, tunneltest.Config{})
			path := filepath.Join(t.TempDir(), "shop.db")
			p := start(t, edge, "--db", path)
			ready := strings.TrimSuffix(p.endpoint, "/mcp") + "/readyz"
			if err := reach(t.Context(), edge, ready, http.StatusOK); err != nil {
				t.Fatal(err)
			}
			// Something that the log holds.
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.AddClient(t.Context(), store.Client{ID: "client"}, 10); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(path); err != nil {
				t.Fatal(err)
			}
			resp, err := edge.Client().Get(ready)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			const want = "database: file was moved, removed or replaced\n"
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusServiceUnavailable || string(body) != want {
				t.Errorf("/readyz = %s %q, %v, want 503 %q", resp.Status, body, err, want)
			}
			p.stop()
			if code := p.wait(); code != 0 || !strings.Contains(p.stderr.String(), c.logs) {
				t.Errorf("exit code %d; want 0, and %q in the log:\n%s", code, c.logs, p.stderr)
			}
		})
	}
}

func TestReadinessShowsTheReasonAndNoMore(t *testing.T) {
	for want, err := range map[string]error{
		"database: file was moved, removed or replaced": fmt.Errorf("/secret: %w", store.ErrReplaced),
		"database: disk is full":                        fmt.Errorf("/secret: %w", store.ErrDiskFull),
		"database: write lock is held for too long":     fmt.Errorf("/secret: %w", store.ErrBusy),
		"database: does not answer":                     errors.New("/secret"),
	} {
		if got := readiness(err); got == nil || got.Error() != want {
			t.Errorf("readiness(%v) = %v, want %q", err, got, want)
		}
	}
	if err := readiness(nil); err != nil {
		t.Error(err)
	}
}

func TestTwoHundredCallsAtOnceAllGetTheirAnswer(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	p := start(t, edge)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			resp, err := edge.Client().Post(p.endpoint, "application/json", strings.NewReader(checkStock(i)))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			checkAnswer(t, i, resp)
		})
	}
	wg.Wait()
}

func TestStoppingInMidCallLosesNoAnswer(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	file := filepath.Join(t.TempDir(), "url")
	p := start(t, edge, "--url-file", file)
	u, err := url.Parse(p.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", edge.PublicAddr(), &tls.Config{RootCAs: edge.CAPool(), ServerName: u.Hostname()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	// The edge asks for the body once it has passed the request on, and what
	// it passes on after that comes after it.
	body := checkStock(7)
	fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", u.Host, len(body))
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil || resp.StatusCode != http.StatusContinue {
		t.Fatalf("asked for the body: %v, %v", resp, err)
	}
	if err := reach(t.Context(), edge, p.endpoint, http.StatusMethodNotAllowed); err != nil {
		t.Fatal(err)
	}

	p.stop()
	if err := reach(t.Context(), edge, p.endpoint, http.StatusServiceUnavailable); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the URL file while nothing new is taken: %v, want that it is gone", err)
	}
	io.WriteString(conn, body)
	for {
		if resp, err = http.ReadResponse(answers, nil); err != nil {
			t.Fatalf("no answer to the call in flight: %v", err)
		}
		if resp.StatusCode != http.StatusContinue {
			break
		}
	}
	checkAnswer(t, 7, resp)
	if code := p.wait(); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.String())
	}
}

// reach asks for the endpoint until it gets an answer with the status.
func reach(ctx context.Context, edge *tunneltest.Edge, endpoint string, status int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
		if err != nil {
			return err
		}
		resp, err := edge.Client().Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode == status {
			return nil
		}
	}
}

func checkStock(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"check_stock","arguments":{"product":"茶葉蛋","store":"KOKO便利店"}}}`, id)
}

func checkAnswer(t *testing.T, id int, resp *http.Response) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("call %d: %v", id, err)
		return
	}
	var answer struct {
		ID     int
		Result struct {
			StructuredContent struct{ Available int }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK || answer.ID != id || answer.Result.StructuredContent.Available != 12 {
		t.Errorf("call %d: %s, %v\n%s", id, resp.Status, err, body)
	}
}

// program is a run of mcpstore in this process.
type program struct {
	endpoint string
	stop     context.CancelFunc // as a signal does
	stderr   *syncBuffer
	wait     func() int
}

// start runs mcpstore against edge until it has printed its URL.
func start(t *testing.T, edge *tunneltest.Edge, args ...string) *program {
	t.Helper()
	return startIn(t, map[string]string{
		"NGROK_AUTHTOKEN":      tunneltest.Authtoken,
		"MCPSTORE_CONNECT_URL": edge.ConnectAddr(),
		"MCPSTORE_CONNECT_CA":  edge.CAFile(),
	}, args...)
}

// startIn runs mcpstore with these variables, and a database of its own, until
// it has printed its URL.
func startIn(t *testing.T, env map[string]string, args ...string) *program {
	t.Helper()
	database := filepath.Join(t.TempDir(), "test.db")
	getenv := func(name string) string {
		if name == "MCPSTORE_DB" {
			return database
		}
		return env[name]
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &program{stop: stop, stderr: new(syncBuffer)}
	ended := make(chan int, 1)
	p.wait = sync.OnceValue(func() int { return <-ended })
	t.Cleanup(func() { stop(); p.wait() })
	lines, stdout := io.Pipe()
	go func() {
		code := run(ctx, args, getenv, strings.NewReader(""), stdout, p.stderr)
		stdout.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(lines).ReadString('\n')
	if err != nil {
		t.Fatalf("no URL on stdout: exit code %d\n%s", p.wait(), p.stderr)
	}
	p.endpoint = strings.TrimSuffix(line, "\n")
	return p
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
