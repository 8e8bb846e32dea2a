package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestAServerIsFoundWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	database := filepath.Join(dir, "a [b]*.db")
	if runtime.GOOS == "windows" {
		database = filepath.Join(dir, "a.db")
	}
	if err := os.WriteFile(database, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, ok := runningServer(database); ok {
		t.Errorf("found %+v where none ever ran", s)
	}
	state := serverState{Started: time.Now().UTC().Truncate(time.Second), URL: "https://shop.example/mcp", Auth: "token", Question: "茶葉蛋還有幾個"}
	p, err := announcePresence(database, state)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); !ok || got != state {
		t.Errorf("found %+v, %v; want %+v", got, ok, state)
	}
	link := filepath.Join(dir, "link.db")
	if os.Symlink(database, link) == nil {
		if got, ok := runningServer(link); !ok || got != state {
			t.Errorf("by a link: found %+v, %v", got, ok)
		}
	}
	state.URL = "https://another.example/mcp"
	if err := p.tell(state); err != nil {
		t.Fatal(err)
	}
	if got, _ := runningServer(database); got != state {
		t.Errorf("found %+v, want %+v", got, state)
	}
	if err := p.withdraw(); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); ok {
		t.Errorf("found %+v after it stopped", got)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.json")); len(files) > 0 {
		t.Errorf("%q are left", files)
	}
}

// plant writes what a server would tell, without holding it.
func plant(t *testing.T, database string, mode os.FileMode, s serverState) string {
	t.Helper()
	path := fmt.Sprintf("%s-server-%d.json", database, os.Getppid())
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// Its process's number may be another's by now, such as in a container, where a
// server always has the same.
func TestAServerThatWasKilledIsNotFound(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	path := plant(t, database, 0o600, serverState{URL: "https://shop.example/mcp"})
	if got, ok := runningServer(database); ok {
		t.Errorf("found %+v", got)
	}
	old := time.Now().Add(-time.Hour)
	if os.Chtimes(path, old, old) == nil {
		runningServer(database)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("what it left is still there")
	}
}

// A token may be sent to where such a file says.
func TestWhatOthersCouldHaveWrittenIsNotBelieved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a user's folders are their own there")
	}
	for _, test := range []struct {
		mode os.FileMode
		url  string
	}{
		{0o666, "https://evil.example/mcp"}, {0o620, "https://evil.example/mcp"},
		{0o600, "javascript:alert(1)"}, {0o600, "https://shop.example/mcp\x1b[2J"}, {0o600, ""},
	} {
		database := filepath.Join(t.TempDir(), "shop.db")
		path := plant(t, database, test.mode, serverState{URL: test.url})
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := lockFile(file); err != nil {
			t.Fatal(err)
		}
		if got, ok := runningServer(database); ok {
			t.Errorf("believed %+v of a file of mode %o", got, test.mode)
		}
	}
}

func TestOfSeveralServersOneIsFoundUntilAllAreGone(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	ours, err := announcePresence(database, serverState{Started: time.Now(), URL: "https://second.example/mcp"})
	if err != nil {
		t.Fatal(err)
	}
	path := plant(t, database, 0o600, serverState{Started: time.Now().Add(-time.Hour), URL: "https://first.example/mcp"})
	other, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := lockFile(other); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); !ok || got.URL != "https://second.example/mcp" {
		t.Errorf("found %+v, %v; want the one that was started last", got, ok)
	}
	if err := ours.withdraw(); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); !ok || got.URL != "https://first.example/mcp" {
		t.Errorf("found %+v, %v; want the one that is left", got, ok)
	}
	other.Close()
	if got, ok := runningServer(database); ok {
		t.Errorf("found %+v when all are gone", got)
	}
}

func TestToolsAreRememberedFromRunToRun(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	if got := lastTools(database); got != "" {
		t.Errorf("before any run: %q", got)
	}
	if err := keepTools(database, "abc"); err != nil {
		t.Fatal(err)
	}
	if got := lastTools(database); got != "abc" {
		t.Errorf("got %q", got)
	}
}
