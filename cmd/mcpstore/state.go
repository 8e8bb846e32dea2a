package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// serverState is what a server leaves beside its database for other commands on
// this machine, and for its next run.
type serverState struct {
	PID int `json:"pid,omitempty"` // of the process that serves; 0 once it has stopped

	// How it is reached, while it runs.
	URL         string `json:"url,omitempty"` // of the MCP endpoint
	Local       bool   `json:"local,omitempty"`
	Auth        string `json:"auth,omitempty"`
	PublicReads bool   `json:"public_reads,omitempty"`
	Writes      bool   `json:"writes,omitempty"`
	Passphrase  bool   `json:"passphrase,omitempty"`
	Question    string `json:"question,omitempty"` // that the stock can answer

	// Tools stands for the tools as they were last offered to the internet.
	Tools string `json:"tools,omitempty"`
}

// stateFile is where the state of the server of a database is kept.
func stateFile(database string) string { return database + "-server.json" }

// readState returns what the last server of a database left. One that cannot
// be read is none: nothing depends on it but convenience.
func readState(database string) serverState {
	var s serverState
	if data, err := os.ReadFile(stateFile(database)); err == nil {
		_ = json.Unmarshal(data, &s)
	}
	return s
}

// runningServer returns the server of a database on this machine, if one runs.
func runningServer(database string) (serverState, bool) {
	s := readState(database)
	return s, s.URL != "" && running(strconv.Itoa(s.PID))
}

func (s serverState) write(database string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := replaceFile(stateFile(database), string(data)+"\n", 0o600); err != nil {
		return fmt.Errorf("tell other commands of this server: %w", err)
	}
	return nil
}

// withdrawState says that this process no longer serves a database. What
// another has written since stays.
func withdrawState(database string) error {
	s := readState(database)
	if s.PID != os.Getpid() {
		return nil
	}
	return serverState{Tools: s.Tools}.write(database)
}

// running reports whether the process with the number in pid runs.
func running(pid string) bool {
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 {
		return false
	}
	p, err := os.FindProcess(n)
	if err != nil {
		return false
	}
	if runtime.GOOS == "windows" {
		return true // or it would not have been found
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}

// replaceFile writes a file that is never seen half written.
func replaceFile(path, text string, mode fs.FileMode) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "." // CreateTemp takes "" for the system's own
	}
	tmp, err := os.CreateTemp(dir, "."+base+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
