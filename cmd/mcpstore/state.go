package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// serverState is what a server tells other commands on this machine while it
// runs.
type serverState struct {
	Started     time.Time `json:"started"`
	URL         string    `json:"url"` // of the MCP endpoint
	Local       bool      `json:"local,omitempty"`
	Auth        string    `json:"auth,omitempty"`
	PublicReads bool      `json:"public_reads,omitempty"`
	Writes      bool      `json:"writes,omitempty"`
	Passphrase  bool      `json:"passphrase,omitempty"`
	Question    string    `json:"question,omitempty"` // that the stock can answer
}

// beside is the path of a file that belongs to a database. However the database
// is named, it is the same.
func beside(database, suffix string) string {
	if target, err := filepath.EvalSymlinks(database); err == nil {
		database = target
	}
	return database + suffix
}

// presence is the file that a server holds beside its database as long as it
// runs, and locked, so that one that was left behind is known.
type presence struct{ file *os.File }

// announcePresence tells other commands of this server.
func announcePresence(database string, s serverState) (*presence, error) {
	runningServer(database) // removes what was left behind
	// Not by the process's number: in containers all may have the same.
	path := beside(database, "-server-"+strings.ToLower(rand.Text()[:8])+".json")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	p := &presence{file}
	if err := errors.Join(lockFile(file), p.tell(s)); err != nil {
		return nil, errors.Join(err, p.withdraw())
	}
	return p, nil
}

// tell tells what is so now.
func (p *presence) tell(s serverState) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	_, err = p.file.WriteAt(append(data, '\n'), 0)
	return err
}

// withdraw says that this server runs no longer.
func (p *presence) withdraw() error {
	if p == nil || p.file == nil {
		return nil
	}
	file := p.file
	p.file = nil
	// Where a file that is open cannot be removed, it is closed first.
	err := os.Remove(file.Name())
	if closed := file.Close(); err != nil {
		err = os.Remove(file.Name())
		return errors.Join(err, closed)
	}
	return nil
}

// runningServer returns the server of a database on this machine that was
// started last, if one runs.
func runningServer(database string) (serverState, bool) {
	paths, err := filepath.Glob(escapeGlob(beside(database, "")) + "-server-*.json")
	if err != nil {
		return serverState{}, false
	}
	var found []serverState
	for _, path := range paths {
		if s, ok := readPresence(path); ok {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return serverState{}, false
	}
	return slices.MaxFunc(found, func(a, b serverState) int { return a.Started.Compare(b.Started) }), true
}

// readPresence reads what a server tells. What nobody holds was left behind;
// what others can write is not believed, for a token may be sent where it says.
func readPresence(path string) (s serverState, ok bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || !ours(info) {
		return s, false
	}
	file, err := os.Open(path)
	if err != nil {
		return s, false
	}
	defer file.Close()
	if !lockedByOther(file) {
		if time.Since(info.ModTime()) > time.Minute { // not one that is being made
			os.Remove(path)
		}
		return s, false
	}
	for range 5 { // it may be being written
		data, err := os.ReadFile(path)
		if err != nil {
			return s, false
		}
		if json.Unmarshal(data, &s) == nil {
			_, err := endpointURL("", s.URL)
			return s, err == nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s, false
}

// escapeGlob has a path mean itself in a pattern.
func escapeGlob(path string) string {
	if filepath.Separator == '\\' {
		return path // there nothing can be escaped, and names have none of *?
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// lastTools returns the fingerprint of the tools that the internet was offered
// last, "" where none were.
func lastTools(database string) string {
	data, err := os.ReadFile(beside(database, "-tools"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func keepTools(database, tools string) error {
	return replaceFile(beside(database, "-tools"), tools+"\n", 0o600)
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
