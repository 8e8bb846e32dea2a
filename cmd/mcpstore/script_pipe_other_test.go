//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func pipeCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Fatalf("no named pipes here")
}

func readingCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Fatalf("no named pipes here")
}
