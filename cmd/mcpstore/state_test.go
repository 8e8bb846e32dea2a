package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAServerIsFoundWhileItsProcessRuns(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	if s, ok := runningServer(database); ok {
		t.Errorf("found %+v where none ever ran", s)
	}
	state := serverState{PID: os.Getpid(), URL: "https://shop.example/mcp", Auth: "token", Question: "茶葉蛋還有幾個", Tools: "abc"}
	if err := state.write(database); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); !ok || got != state {
		t.Errorf("found %+v, %v; want %+v", got, ok, state)
	}
	if err := withdrawState(database); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); ok {
		t.Errorf("found %+v after it stopped", got)
	}
	if diff := cmp.Diff(serverState{Tools: "abc"}, readState(database)); diff != "" {
		t.Errorf("what is left for the next run (-want +got):\n%s", diff)
	}
}

func TestAServerThatWasKilledIsNotFound(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	gone := endedProcess(t)
	state := serverState{PID: gone, URL: "https://shop.example/mcp"}
	if err := state.write(database); err != nil {
		t.Fatal(err)
	}
	if got, ok := runningServer(database); ok {
		t.Errorf("found %+v", got)
	}
	// And its file is not this process's to take away.
	if err := withdrawState(database); err != nil {
		t.Fatal(err)
	}
	if got := readState(database); got != state {
		t.Errorf("the file now says %+v", got)
	}
}

func TestAStateThatCannotBeReadIsNone(t *testing.T) {
	database := filepath.Join(t.TempDir(), "shop.db")
	for _, text := range []string{"", "{", "[]", `{"pid":"x"}`, `{"pid":0,"url":"https://shop.example/mcp"}`, `{"pid":-1,"url":"https://shop.example/mcp"}`} {
		if err := os.WriteFile(stateFile(database), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, ok := runningServer(database); ok {
			t.Errorf("%q: found %+v", text, s)
		}
	}
}

// endedProcess returns the number of a process that has ended.
func endedProcess(t *testing.T) int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(exe, []string{exe, "-test.run=^$"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	return p.Pid
}
