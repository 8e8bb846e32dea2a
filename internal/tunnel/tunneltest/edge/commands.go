package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// command is something that standard input can ask of the edge.
type command struct {
	name, argument, help string
	run                  func(ctx context.Context, edge *tunneltest.Edge, argument string) error
}

var commands = []command{
	{"cut", "", "drop the connections of all agents",
		func(_ context.Context, e *tunneltest.Edge, _ string) error { e.CutSessions(); return nil }},
	{"down", "", "drop them and refuse new ones",
		func(_ context.Context, e *tunneltest.Edge, _ string) error { e.Down(); return nil }},
	{"up", "", "end down",
		func(_ context.Context, e *tunneltest.Edge, _ string) error { return e.Up() }},
	{"freeze", "", "answer agents nothing, not even heartbeats",
		func(_ context.Context, e *tunneltest.Edge, _ string) error { e.Freeze(); return nil }},
	{"thaw", "", "end freeze",
		func(_ context.Context, e *tunneltest.Edge, _ string) error { e.Thaw(); return nil }},
	{"refuse", "CODE", "refuse agents with an ngrok code, such as 107",
		func(_ context.Context, e *tunneltest.Edge, code string) error {
			return refuse(e.RefuseAuth, code)
		}},
	{"refuse-url", "CODE", "refuse endpoints with an ngrok code, such as 334",
		func(_ context.Context, e *tunneltest.Edge, code string) error {
			return refuse(e.RefuseBind, code)
		}},
	{"accept", "", "end refuse and refuse-url",
		func(_ context.Context, e *tunneltest.Edge, _ string) error {
			e.RefuseAuth(0, 0)
			e.RefuseBind(0, 0)
			return nil
		}},
	{"hold", "URL", "give a URL to somebody else: agents are told that it is taken",
		func(_ context.Context, e *tunneltest.Edge, url string) error { e.HoldURL(url); return nil }},
	{"release", "URL", "end hold",
		func(_ context.Context, e *tunneltest.Edge, url string) error { e.ReleaseURL(url); return nil }},
	{"rename", "URL", "give the next endpoint that comes back another URL (try cut)",
		func(_ context.Context, e *tunneltest.Edge, url string) error { e.RenameOnRebind(url); return nil }},
	{"close", "URL", "take an endpoint offline, as from the dashboard",
		func(_ context.Context, e *tunneltest.Edge, url string) error {
			return e.StopEndpoint(url, "This endpoint was stopped at the edge.", 0)
		}},
	{"stop", "", "tell the agents to stop, as from the dashboard",
		func(ctx context.Context, e *tunneltest.Edge, _ string) error { return e.StopAgent(ctx) }},
	{"restart", "", "tell the agents to restart",
		func(ctx context.Context, e *tunneltest.Edge, _ string) error { return e.RestartAgent(ctx) }},
}

// obey does what the lines of r ask for, and says on w what came of it. It
// returns whether it was told to quit.
func obey(ctx context.Context, edge *tunneltest.Edge, r io.Reader, w io.Writer) (quit bool) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, argument, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		switch name {
		case "":
		case "quit":
			return true
		case "help":
			help(w)
		default:
			if err := do(ctx, edge, name, strings.TrimSpace(argument)); err != nil {
				fmt.Fprintf(w, "%s: %v\n", name, err)
			} else {
				fmt.Fprintf(w, "%s: done\n", name)
			}
		}
	}
	return false
}

func do(ctx context.Context, edge *tunneltest.Edge, name, argument string) error {
	for _, c := range commands {
		switch {
		case c.name != name:
		case c.argument != "" && argument == "":
			return fmt.Errorf("needs a %s", c.argument)
		case c.argument == "" && argument != "":
			return fmt.Errorf("takes nothing, not %q", argument)
		default:
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return c.run(ctx, edge, argument)
		}
	}
	return fmt.Errorf("unknown; help lists what there is")
}

func help(w io.Writer) {
	for _, c := range commands {
		fmt.Fprintf(w, "  %-15s %s\n", strings.TrimSpace(c.name+" "+c.argument), c.help)
	}
	fmt.Fprintf(w, "  %-15s %s\n", "quit", "end the edge")
}

// refuse makes an edge refuse something with a code until further notice.
func refuse(fault func(int, tunneltest.Times), code string) error {
	n, err := strconv.Atoi(strings.TrimPrefix(code, "ERR_NGROK_"))
	if err != nil {
		return fmt.Errorf("%q is not the code of an ngrok error", code)
	}
	fault(n, tunneltest.Always)
	return nil
}
