//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// screen is a terminal on which the program runs.
type screen struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	home string

	mu    sync.Mutex
	text  string
	more  chan struct{}
	ended chan error
}

// onTerminal runs the program on a terminal, with stand-ins for ngrok and
// OpenAI.
func onTerminal(t *testing.T, openai *openaitest.Server, edge *tunneltest.Edge, home string, args ...string) *screen {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, home: home, more: make(chan struct{}, 1), ended: make(chan error, 1)}
	s.cmd = &exec.Cmd{Path: exe, Args: append([]string{"mcpstore"}, args...), Dir: home, Env: []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=xterm", "LANG=en_US.UTF-8",
		"NGROK_AUTHTOKEN=" + tunneltest.Authtoken, "MCPSTORE_CONNECT_URL=" + edge.ConnectAddr(), "MCPSTORE_CONNECT_CA=" + edge.CAFile(),
		"OPENAI_API_KEY=" + openaitest.APIKey, "OPENAI_BASE_URL=" + openai.URL(),
	}}
	if s.tty, err = pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 40, Cols: 200}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.tty.Close()
	})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := s.tty.Read(buf)
			s.mu.Lock()
			s.text += string(buf[:n])
			s.mu.Unlock()
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				s.ended <- s.cmd.Wait()
				return
			}
		}
	}()
	return s
}

// await waits until the screen shows words, and forgets what came up to them.
func (s *screen) await(words string) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		at := strings.Index(s.text, words)
		if at >= 0 {
			s.text = s.text[at+len(words):]
		}
		text := s.text
		s.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-s.more:
		case <-late:
			s.t.Fatalf("the terminal never shows %q, only:\n%s", words, text)
		}
	}
}

func (s *screen) key(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the program to end, and returns its exit code.
func (s *screen) end() int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		s.t.Fatal("the program goes on")
		return -1
	}
}

const (
	up    = "\x1b[A"
	ctrlC = "\x03"
	ctrlD = "\x04"
)

func TestAskOnATerminal(t *testing.T) {
	t.Parallel()
	edge, err := tunneltest.New(tunneltest.Config{CAFile: filepath.Join(t.TempDir(), "ca.pem"), Authtokens: []string{tunneltest.Authtoken}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { edge.Close() })
	openai := openaitest.New(openaitest.Config{Transport: edge.Client().Transport})
	t.Cleanup(openai.Close)
	const question = "KOKO便利店的茶葉蛋還有幾個"
	openai.Use(openaitest.Script{{Ask: question, Say: "還有 {available} 顆。", Calls: []openaitest.Call{
		{Name: "check_stock", Arguments: []byte(`{"product":"茶葉蛋","store":"KOKO便利店"}`)},
	}}})
	home := t.TempDir()

	// Questions are asked for until Ctrl-D, and calls are approved at the terminal.
	s := onTerminal(t, openai, edge, home, "ask")
	s.await("Type a question; Ctrl-D ends.")
	s.await("> ")
	s.key(question + "\r")
	s.await("Approve check_stock(product=茶葉蛋, store=KOKO便利店)? [y/N/always] ")
	s.key("y\r")
	s.await("還有 12 顆。")
	s.await("> ")
	s.key(ctrlD)
	if code := s.end(); code != exitDone {
		t.Errorf("Ctrl-D ends with %d", code)
	}
	if err := edge.AwaitNoSession(t.Context()); err != nil {
		t.Error(err)
	}

	// What was asked is there the next time, and what was approved is not.
	s = onTerminal(t, openai, edge, home, "ask", "--approve", "all")
	s.await("> ")
	s.key(up + "\r")
	s.await("還有 12 顆。")
	s.await("> ")
	s.key(ctrlC)
	if code := s.end(); code != exitDone {
		t.Errorf("Ctrl-C where nothing was asked ends with %d", code)
	}
	if err := edge.AwaitNoSession(t.Context()); err != nil {
		t.Error(err)
	}
	history := filepath.Join(home, ".local", "share", "mcpstore", "ask_history")
	data, err := os.ReadFile(history)
	if err != nil || strings.Contains(string(data), "y\n") || !strings.Contains(string(data), question) {
		t.Errorf("history = %q, %v", data, err)
	}
	if info, err := os.Stat(history); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAPassphraseCanBeLeftUntyped(t *testing.T) {
	t.Parallel()
	edge, err := tunneltest.New(tunneltest.Config{CAFile: filepath.Join(t.TempDir(), "ca.pem")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { edge.Close() })
	openai := openaitest.New(openaitest.Config{})
	t.Cleanup(openai.Close)
	s := onTerminal(t, openai, edge, t.TempDir(), "access", "passphrase")
	s.await("New passphrase: ")
	s.key("corr" + ctrlC)
	s.await("stopped before it was done; nothing was changed")
	if code := s.end(); code != exitFailed {
		t.Errorf("Ctrl-C ends with %d", code)
	}
}
