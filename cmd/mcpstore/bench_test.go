package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// These benchmarks time the program as a process, as it is installed. Those
// that read /proc are for Linux.

// BenchmarkCheckStock asks one question over loopback HTTP, 16 callers at
// once, of mcpstore with 1,000 stores of 500 products and of bare mcp-go with
// a tool that answers the same without looking. The two are asked in turn, so
// that a noisy machine is as noisy for both. It reports the medians over the
// turns: calls per second and CPU per call of the server alone, and the ratios
// of mcpstore to bare mcp-go, turn by turn.
func BenchmarkCheckStock(b *testing.B) {
	const turns, callsPerTurn = 11, 4000
	large := storetest.Large(1000, 500)
	path := filepath.Join(b.TempDir(), "large.db")
	db, err := sqlite.Open(b.Context(), sqlite.Config{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Load(b.Context(), large, false); err != nil {
		b.Fatal(err)
	}
	db.Close()
	full := startServer(b, buildProgram(b), "--local", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--db", path)
	question := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"check_stock","arguments":{"product":%q,"store":%q}}}`,
		large.Products[123].Name, large.Shops[321].Name)
	answer := full.ask(b, question)
	if !bytes.Contains(answer, []byte(`"on_hand"`)) {
		b.Fatalf("answered %s", answer)
	}
	bare := startServer(b, bareCommand, string(answer))

	var throughput, cpu, fullCPU, bareCPU, fullRate, bareRate []float64
	for b.Loop() {
		for range turns {
			f, g := full.load(b, question, callsPerTurn), bare.load(b, question, callsPerTurn)
			throughput, cpu = append(throughput, f.rate/g.rate), append(cpu, f.cpu/g.cpu)
			fullCPU, bareCPU = append(fullCPU, f.cpu), append(bareCPU, g.cpu)
			fullRate, bareRate = append(fullRate, f.rate), append(bareRate, g.rate)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(fullRate), "calls/s")
	b.ReportMetric(median(bareRate), "bare-calls/s")
	b.ReportMetric(median(fullCPU), "cpu-µs/call")
	b.ReportMetric(median(bareCPU), "bare-cpu-µs/call")
	b.ReportMetric(median(throughput), "throughput-ratio")
	b.ReportMetric(median(cpu), "cpu-ratio")
}

// BenchmarkStart is from the start of the process to its URL on stdout, with a
// database that is there already, through a stand-in of ngrok's edge.
func BenchmarkStart(b *testing.B) {
	edge := tunneltest.Start(b, tunneltest.Config{})
	program := buildProgram(b)
	args := []string{"--connect-url", edge.ConnectAddr(), "--connect-ca", edge.CAFile(), "--db", filepath.Join(b.TempDir(), "warm.db")}
	startServer(b, program, args...).stop()
	b.ResetTimer()
	for b.Loop() {
		s := startServer(b, program, args...)
		b.StopTimer()
		s.stop()
		b.StartTimer()
	}
}

// BenchmarkIdle reports how much memory the process holds while it serves the
// demo data and nobody asks, and after 1,000 calls.
func BenchmarkIdle(b *testing.B) {
	edge := tunneltest.Start(b, tunneltest.Config{})
	program := buildProgram(b)
	var idle, after []float64
	for b.Loop() {
		s := startServer(b, program, "--connect-url", edge.ConnectAddr(), "--connect-ca", edge.CAFile(), "--rate-limit", "0", "--db", filepath.Join(b.TempDir(), "idle.db"))
		idle = append(idle, s.resident(b))
		s.stop()

		s = startServer(b, program, "--local", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--db", filepath.Join(b.TempDir(), "idle.db"))
		s.load(b, []byte(checkStock(1)), 1000)
		after = append(after, s.resident(b))
		s.stop()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(idle), "MiB")
	b.ReportMetric(median(after), "MiB-after-1000-calls")
}

// bareCommand is the name under which this test binary is bareServer.
const bareCommand = "bare-mcp-go"

// bareServer serves what anybody's first server on mcp-go does, with the
// transport's options of ours: a tool that always answers its argument, a
// response of ours.
func bareServer() {
	var response struct {
		Result struct {
			Content           []struct{ Text string }
			StructuredContent json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &response); err != nil {
		panic(err)
	}
	srv := mcpserver.NewMCPServer("bare", "1")
	srv.AddTool(mcp.NewTool("check_stock", mcp.WithString("product"), mcp.WithString("store")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{
				Content:           []mcp.Content{mcp.NewTextContent(response.Result.Content[0].Text)},
				StructuredContent: response.Result.StructuredContent,
			}, nil
		})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s/mcp\n", l.Addr())
	http.Serve(l, mcpserver.NewStreamableHTTPServer(srv, mcpserver.WithStateLess(true), mcpserver.WithDisableStreaming(true)))
}

// buildProgram builds mcpstore as it is installed.
func buildProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "mcpstore")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// process is a program that printed its URL.
type process struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client
	stop   func()
}

// startServer runs a program until its URL is on stdout; bareCommand is this
// test binary.
func startServer(b *testing.B, program string, args ...string) *process {
	b.Helper()
	cmd := exec.Command(program, args...)
	if program == bareCommand {
		self, err := os.Executable()
		if err != nil {
			b.Fatal(err)
		}
		cmd = &exec.Cmd{Path: self, Args: append([]string{bareCommand}, args...)}
	}
	cmd.Env = append(os.Environ(), "NGROK_AUTHTOKEN="+tunneltest.Authtoken)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s := &process{cmd: cmd, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	s.stop = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	b.Cleanup(s.stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.stop()
		b.Fatalf("%s printed no URL: %v\n%s", program, err, &stderr)
	}
	s.url = strings.TrimSpace(line)
	return s
}

// ask sends one message and returns the answer.
func (s *process) ask(b *testing.B, message []byte) []byte {
	resp, err := s.client.Post(s.url, "application/json", bytes.NewReader(message))
	if err != nil {
		b.Error(err)
		return nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Errorf("%s, %v\n%s", resp.Status, err, answer)
	}
	return answer
}

// load is what a number of calls took: calls per second, and µs of the
// server's CPU per call.
type load struct{ rate, cpu float64 }

func (s *process) load(b *testing.B, message []byte, calls int) load {
	const callers = 16
	cpu, begun := s.cpu(b), time.Now()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls / callers {
				s.ask(b, message)
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	return load{float64(calls) / took.Seconds(), float64((s.cpu(b) - cpu).Microseconds()) / float64(calls)}
}

// cpu is how long the process has computed, to a hundredth of a second.
func (s *process) cpu(b *testing.B) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from field 3 on; see proc(5)
	user, _ := strconv.Atoi(fields[14-3])
	system, _ := strconv.Atoi(fields[15-3])
	return time.Duration(user+system) * time.Second / 100
}

// resident is the process's memory in MiB.
func (s *process) resident(b *testing.B) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
