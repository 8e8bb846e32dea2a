package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mcpstore": listened, bareCommand: bareServer})
}

// TestScripts runs the commands as a user types them, each script with a
// stand-in for ngrok's edge of its own. Beside testscript's commands, and those
// of script_stock_test.go, there are:
//
//	edge VERB [URL]     make the edge do something, or await something there
//	await FILE [TEXT]   until the file is there, and has the text
//	gone FILE           until the file is not there
//	getenv NAME FILE    set a variable to a file's only line
//	openai VERB …       see openaiCommand
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setupScript,
		Condition: func(cond string) (bool, error) {
			if cond == "race" {
				return tunneltest.RaceDetector, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: scriptCommands(),
	})
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := maps.Clone(stockCommands)
	commands["edge"] = edgeCommand
	commands["await"] = awaitCommand
	commands["gone"] = goneCommand
	commands["getenv"] = getenvCommand
	commands["openai"] = openaiCommand
	commands["listed"] = listedCommand
	commands["visit"] = visitCommand
	commands["cited"] = citedCommand
	return commands
}

type edgeKey struct{}

func setupScript(env *testscript.Env) error {
	edge, err := tunneltest.New(tunneltest.Config{
		CAFile:     filepath.Join(env.WorkDir, "ca.pem"),
		Authtokens: []string{tunneltest.Authtoken},
	})
	if err != nil {
		return err
	}
	env.Defer(func() { edge.Close() })
	if err := listen(env); err != nil {
		return err
	}
	env.Values[edgeKey{}] = edge
	setupOpenAI(env, edge)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("LANG", "en_US.UTF-8")
	env.Setenv("AUTHTOKEN", tunneltest.Authtoken)
	env.Setenv("NGROK_AUTHTOKEN", tunneltest.Authtoken)
	env.Setenv("MCPSTORE_CONNECT_URL", edge.ConnectAddr())
	env.Setenv("MCPSTORE_CONNECT_CA", edge.CAFile())
	env.Setenv("MCPSTORE_CA", edge.CAFile()) // for smoke
	env.Setenv("EDGE", edge.PublicAddr())
	return nil
}

func edgeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: edge VERB [URL]")
	}
	edge := ts.Value(edgeKey{}).(*tunneltest.Edge)
	// What was cut is back within five seconds.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var err error
	switch verb := args[0]; verb {
	case "cut":
		edge.CutSessions()
	case "down":
		edge.Down()
	case "up":
		err = edge.Up()
	case "freeze":
		edge.Freeze()
	case "hold":
		edge.HoldURL(args[1])
	case "rename":
		edge.RenameOnRebind(args[1])
	case "revoke":
		edge.RefuseAuth(107, tunneltest.Always)
	case "stop":
		err = edge.StopAgent(ctx)
	case "online":
		_, err = edge.AwaitEndpoint(ctx, "")
	case "offline":
		err = edge.AwaitNoSession(ctx)
	default:
		ts.Fatalf("edge: unknown verb %q", verb)
	}
	ts.Check(err)
}

// until polls: a file that another process writes makes no event here.
func until(ts *testscript.TestScript, what string, ok func() bool) {
	for deadline := time.Now().Add(40 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("still waiting for %s", what)
		}
	}
}

func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	file := ts.MkAbs(args[0])
	until(ts, strings.Join(args, " "), func() bool {
		data, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(data), strings.Join(args[1:], " "))
	})
}

func goneCommand(ts *testscript.TestScript, neg bool, args []string) {
	until(ts, args[0]+" to go", func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return os.IsNotExist(err)
	})
}

// getenvCommand also sets MCPSTORE_RESOLVE, so that smoke finds the URL's host
// at the edge.
func getenvCommand(ts *testscript.TestScript, neg bool, args []string) {
	value := strings.TrimSpace(ts.ReadFile(args[1]))
	ts.Setenv(args[0], value)
	if u, err := url.Parse(value); err == nil && u.Port() != "" {
		ts.Setenv("MCPSTORE_RESOLVE", u.Host+":127.0.0.1")
	}
}
