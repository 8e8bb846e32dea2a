//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// pipeCommand makes a named pipe.
func pipeCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o600))
}

// readingCommand writes rows into a pipe until the one who reads it has taken
// more than a pipe holds, and goes on until nobody reads.
func readingCommand(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString("店名,品名,數量\n")
	ts.Check(err)
	rows := strings.Repeat("大安店,永遠,1\n", 1000)
	for range 20 {
		_, err := f.WriteString(rows)
		ts.Check(err)
	}
	go func() {
		defer f.Close()
		for {
			if _, err := f.WriteString(rows); err != nil {
				return
			}
		}
	}()
}
