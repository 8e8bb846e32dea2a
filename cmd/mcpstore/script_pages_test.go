package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// visitCommand is
//
//	visit URL FILE     write what a URL answers, and the end of a line, to a file
//
// It fails where the status is no success.
func visitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: visit URL FILE")
	}
	u, err := url.Parse(args[0])
	ts.Check(err)
	client := http.DefaultClient
	if u.Scheme == "https" {
		client = ts.Value(edgeKey{}).(*tunneltest.Edge).Client()
	}
	resp, err := client.Get(u.JoinPath(".").String())
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(body, '\n'), 0o644))
	if ok := resp.StatusCode < 300; ok == neg {
		ts.Fatalf("%s answers %s", u, resp.Status)
	}
}

// citedCommand is
//
//	cited NAME FILE    set a variable to the first page that a file cites
func citedCommand(ts *testscript.TestScript, neg bool, args []string) {
	found := regexp.MustCompile(`https?://[^"\\\s]+/[sp]/[^"\\\s]+`).FindString(ts.ReadFile(args[1]))
	if found == "" {
		ts.Fatalf("%s cites no page", args[1])
	}
	ts.Setenv(args[0], strings.TrimSpace(found))
}
