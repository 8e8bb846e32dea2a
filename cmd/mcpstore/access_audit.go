package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

// callJSON is a call, for programs.
type callJSON struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	Caller    string    `json:"caller,omitempty"`
	Name      string    `json:"name,omitempty"`
	Client    string    `json:"client,omitempty"`
	Address   string    `json:"address,omitempty"`
	Tool      string    `json:"tool"`
	Arguments string    `json:"arguments,omitempty"`
	Outcome   string    `json:"outcome"`
	Millis    float64   `json:"ms"`
}

// auditOptions are the flags of access audit.
type auditOptions struct {
	accessOptions
	since  string
	caller string
	limit  int
}

func accessAuditCommand(e *env) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show what was asked and changed, by whom, newest first",
		Long: `Audit lists the calls of tools: when, by whom, with which arguments (notes and
secrets are left out), what came of it, and how long it took. A change of the
stock is recorded together with the change. Other calls are recorded within a
second, which a crash may lose. They are kept as long as the server's
--audit-keep says, which is 90 days if it does not.`,
		Example: `  mcpstore access audit --since 24h
  mcpstore access audit --since 2026-11-01 --caller token:3 --limit 0 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := store.CallQuery{Caller: o.caller}
			var err error
			if q.Since, err = parseSince(o.since, e.local(e.now())); err != nil {
				return err
			}
			if o.limit < 0 {
				return &usageError{fmt.Errorf("--limit %d is less than nothing", o.limit), "give how many calls to list, or 0 for all"}
			}
			return o.with(cmd, e, false, func(ctx context.Context, db database) error {
				return listCalls(ctx, e, db, q, o.limit, o.json)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "only since then: a `time` such as 24h, 7d, 2026-11-01 or 2026-11-01T08:30")
	f.StringVar(&o.caller, "caller", "", "only of this `caller`, such as token:3 or grant:1")
	f.IntVar(&o.limit, "limit", 50, "list at most this many; 0 lists all")
	o.addFlags(cmd, e, true)
	return cmd
}

// parseSince reads a time, in the time zone of now where it names none, or how long
// ago it was.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := parseDays(text); err == nil {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &usageError{fmt.Errorf("--since %q is not a time", text), "give one such as 24h, 7d, 2026-11-01 or 2026-11-01T08:30"}
}

func listCalls(ctx context.Context, e *env, db database, q store.CallQuery, limit int, asJSON bool) error {
	calls, err := firstOf(e, limit, func(page store.Page) ([]store.Call, string, error) {
		q.Page = page
		return db.Calls(ctx, q)
	})
	if err != nil {
		return err
	}
	if asJSON {
		out := []callJSON{}
		for _, c := range calls {
			out = append(out, callJSON{c.ID, e.local(c.At), c.Caller, c.Name, c.Client, c.Address, c.Tool, c.Arguments, c.Outcome, milliseconds(c.Took)})
		}
		return printJSON(e.stdout, out)
	}
	if len(calls) == 0 {
		fmt.Fprintln(e.stderr, "mcpstore: nothing was asked in that time")
		return nil
	}
	list := newTable("AT", "CALLER", "CLIENT", "TOOL", "OUTCOME", ">MS", "ARGUMENTS")
	for _, c := range calls {
		list.add(e.local(c.At).Format("2006-01-02 15:04:05 -07:00"), callerOf(c), c.Client, c.Tool, c.Outcome, fmt.Sprintf("%.1f", milliseconds(c.Took)), c.Arguments)
	}
	return list.print(e.stdout)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// callerOf names who called, for people.
func callerOf(c store.Call) string {
	switch {
	case c.Caller == "" && c.Address != "":
		return "anyone at " + c.Address
	case c.Caller == "":
		return "anyone"
	case c.Name != "":
		return c.Caller + " " + c.Name
	}
	return c.Caller
}
