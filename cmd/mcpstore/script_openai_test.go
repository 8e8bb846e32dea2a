package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

type openaiKey struct{}

// setupOpenAI gives a script a stand-in for OpenAI, which reaches what is on the
// internet through the edge.
func setupOpenAI(env *testscript.Env, edge *tunneltest.Edge) {
	server := openaitest.New(openaitest.Config{Transport: edge.Client().Transport, CallTimeout: 10 * time.Second})
	env.Defer(server.Close)
	env.Values[openaiKey{}] = server
	env.Setenv("OPENAI_BASE_URL", server.URL())
	env.Setenv("OPENAI_API_KEY", openaitest.APIKey)
	env.Setenv("KEY", openaitest.APIKey)
}

// openaiCommand is
//
//	openai script FILE      have the model follow the turns in a JSON file
//	openai fail FAULT…      have the next requests go wrong
//	openai holding          until an answer is held up
//	openai hungup           until the client of such an answer has gone
//	openai shutdown MODEL DAY   have the list of models say that one shuts down
//	openai wire FILE        write what went over the wire to a file
func openaiCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: openai VERB …")
	}
	server := ts.Value(openaiKey{}).(*openaitest.Server)
	switch verb := args[0]; verb {
	case "script":
		var script openaitest.Script
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &script))
		server.Use(script)
	case "fail":
		for _, fault := range args[1:] {
			server.Fail(openaitest.Fault(fault))
		}
	case "shutdown":
		server.ShutDown(args[1], args[2])
	case "holding":
		awaitSignal(ts, "an answer to be held up", server.Holding())
	case "hungup":
		awaitSignal(ts, "the client to hang up", server.HungUp())
	case "wire":
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(server.Transcript()), 0o644))
	default:
		ts.Fatalf("openai: unknown verb %q", verb)
	}
}

func awaitSignal(ts *testscript.TestScript, what string, signal <-chan struct{}) {
	select {
	case <-signal:
	case <-time.After(40 * time.Second):
		ts.Fatalf("still waiting for %s", what)
	}
}

// listedCommand is
//
//	listed BEFORE AFTER N   in what AFTER has more than BEFORE, tools were listed N times
func listedCommand(ts *testscript.TestScript, neg bool, args []string) {
	since := strings.TrimPrefix(ts.ReadFile(args[1]), ts.ReadFile(args[0]))
	if got := strings.Count(since, "Mcp-Method: tools/list"); fmt.Sprint(got) != args[2] {
		ts.Fatalf("tools were listed %d times, want %s", got, args[2])
	}
}
