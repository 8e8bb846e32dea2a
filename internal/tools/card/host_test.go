package card_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// order gives the browser a command of its protocol.
func order[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("browser: %s: %v", command.Method, err)
	}
	return r
}

// question is one that a host asks, as testdata/host.ts has it.
type question struct {
	Endpoint  string         `json:"endpoint"`
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
	Context   map[string]any `json:"context,omitempty"`
	Result    any            `json:"result,omitempty"`
	Waits     bool           `json:"waits,omitempty"`
	Deaf      bool           `json:"deaf,omitempty"`
	Refuses   bool           `json:"refuses,omitempty"`
}

// site serves the host that all tests share: testdata/host.html, with a script
// made of testdata/host.ts.
var site = sync.OnceValues(func() (string, error) {
	modules := filepath.Join(os.Getenv("MCPSTORE_TEST_CLIENTS"), "node_modules")
	found, err := filepath.Glob(filepath.Join(modules, "@esbuild", "*", "bin", "esbuild"))
	if err != nil || len(found) == 0 {
		return "", errors.New("esbuild is not installed: run .ci/clients")
	}
	cmd := exec.Command(found[0], "testdata/host.ts", "--bundle", "--minify", "--format=iife", "--log-level=warning")
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stderr = os.Stderr
	script, err := cmd.Output()
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/host.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=600")
		w.Write(script)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/host.html") })
	server := httptest.NewServer(mux)
	quit = append(quit, server.Close)
	return server.URL, nil
})

// ask opens a host that asks a question, and returns once the card has the
// answer. What it returned for the question before then shows this one.
func (s *shop) ask(t *testing.T, q question, prepare ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	clients(t)
	host, err := site()
	if err != nil {
		t.Fatalf("bundle the host: %v", err)
	}
	if s.tab == nil {
		s.tab = newTab(s.t)
	}
	b := s.tab
	b.t = t
	var cancel func()
	b.ctx, cancel = context.WithTimeout(b.open, 30*time.Second)
	s.t.Cleanup(cancel)
	b.do("prepare", prepare...)
	b.do("open the host", chromedp.Navigate(host))
	q.Endpoint = s.endpoint
	b.inHost("await host.open(a)", q)
	b.resolve()
	b.await(`document.querySelector("main").ariaBusy === "false" || a`, q.Waits)
	return b
}

// in is a host's context.
func in(locale, theme string) map[string]any {
	return map[string]any{"locale": locale, "theme": theme, "timeZone": "Asia/Taipei"}
}

// press presses the button of the card that says text.
func (b *tab) press(text string) {
	b.t.Helper()
	b.inCard(`[...document.querySelectorAll("button")].find((e) => e.checkVisibility() && e.innerText.trim().startsWith(a)).click()`, text)
}

// wantMessages fails unless the chat got just these texts.
func (b *tab) wantMessages(want ...string) {
	b.t.Helper()
	got := decode[[]string](b, b.inHost(`host.messages`))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		b.t.Errorf("messages to the chat (-want +got):\n%s", diff)
	}
}
