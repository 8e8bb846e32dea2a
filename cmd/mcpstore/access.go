package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func accessCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access",
		Short: "Say who may ask and who may change, and see who did",
		Long: `Access makes tokens for programs, sets the passphrase with which you let
ChatGPT and others in, lists and revokes what you granted, and shows what was
asked. What it changes holds at once, also for a server that is running.`,
		Example: `  mcpstore access token create --name ci --scope stock:read --expires 90d
  mcpstore access passphrase
  mcpstore access grant list
  mcpstore access audit --since 24h`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{errors.New("access needs to be told what to do"), "mcpstore access --help lists what there is, such as mcpstore access token create"}
		},
	}
	cmd.AddCommand(accessTokenCommand(e), accessPassphraseCommand(e), accessGrantCommand(e), accessAuditCommand(e))
	return cmd
}

// accessOptions are the flags that the commands below access share.
type accessOptions struct {
	db   string
	json bool
}

func (o *accessOptions) addFlags(cmd *cobra.Command, e *env, lists bool) {
	f := cmd.Flags()
	f.SortFlags = false
	if lists {
		f.BoolVar(&o.json, "json", false, "print JSON")
	}
	e.addDatabaseFlags(f, &o.db)
}

// with calls do with the database open. Where there is none and make is set,
// it is made as a first start would make it.
func (o *accessOptions) with(cmd *cobra.Command, e *env, make bool, do func(ctx context.Context, db database) error) error {
	ctx := asUser(cmd.Context(), e.getenv)
	open := e.openExisting
	if make {
		open = func(ctx context.Context, path string) (database, string, error) {
			return e.openDatabase(ctx, path, true, nil)
		}
	}
	db, _, err := open(ctx, o.db)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, db), db.Close())
}

// idArgument reads the only argument, which is a number of what.
func idArgument(args []string, what, list string) (int64, error) {
	id, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || id <= 0 {
		return 0, &usageError{fmt.Errorf("%q is not the number of a %s", args[0], what), list + " lists them"}
	}
	return id, nil
}

// one takes exactly one argument.
func one(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return &usageError{fmt.Errorf("%s takes %s, not %d arguments", cmd.Name(), what, len(args)), cmd.CommandPath() + " " + example}
	}
}

// days is a flag's value: a duration such as 90d, 12h or 1h30m.
type days time.Duration

func (d *days) String() string {
	t := time.Duration(*d)
	if t > 0 && t%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", t/(24*time.Hour))
	}
	if t == 0 {
		return ""
	}
	return t.String()
}

func (d *days) Type() string { return "duration" }

func (d *days) Set(text string) error {
	t, err := parseDays(text)
	*d = days(t)
	return err
}

// parseDays reads a duration above 0, which may be in days.
func parseDays(text string) (time.Duration, error) {
	const most = 100 * 365 * 24 * time.Hour
	t, err := time.ParseDuration(text)
	if number, ok := strings.CutSuffix(text, "d"); ok {
		var n int64
		n, err = strconv.ParseInt(number, 10, 32)
		t = time.Duration(min(n, 1e5)) * 24 * time.Hour
	}
	if err != nil || t <= 0 || t > most {
		return 0, fmt.Errorf("%q is not a time such as 90d or 12h", text)
	}
	return t, nil
}

// orNever shows a time, or says that there is none.
func (e *env) orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return e.localTime(t)
}
