// Mcpstore answers questions about a shop chain's stock over MCP, on a public
// URL of its own.
//
// Each command has a file here: serve.go is what runs without one. Flags and
// the environment are read in this package and nowhere else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
)

func main() { os.Exit(mainWith(os.Stderr)) }

// mainWith runs the program with what its process has around it, and returns
// its exit code.
func mainWith(stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)   // a second signal ends the program at once
	signal.Ignore(syscall.SIGPIPE) // nobody reading stderr is no reason to stop serving
	// Commands log here. A server has a log of its own, as its flags say.
	if log, err := newLog(stderr, "text", "info"); err == nil { // which newLog always knows
		slog.SetDefault(log)
	}
	return run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, stderr)
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitCalled = 2 // called wrongly
)

// env is what a command gets from outside.
type env struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	zone           *time.Location // of the shops, as --timezone says
}

// run is the whole program: main without the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	return (&env{getenv, stdin, stdout, stderr, time.Now, time.Local}).run(ctx, args)
}

func (e *env) run(ctx context.Context, args []string) int {
	root := rootCommand(e)
	root.SetArgs(append([]string{}, args...)) // for nil it would take the process's
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errStopped
	}
	report(e.stderr, err)
	if errors.As(err, new(*usageError)) {
		return exitCalled
	}
	return exitFailed
}

// errStopped ends a command that Ctrl-C came before. What it changes is changed
// wholly or not at all.
var errStopped = errors.New("stopped before it was done; nothing was changed")

func rootCommand(e *env) *cobra.Command {
	root := serveCommand(e)
	root.AddCommand(connectCommand(e), askCommand(e), importCommand(e), exportCommand(e), stockCommand(e), accessCommand(e), dbCommand(e), smokeCommand(e))
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		return readEnvironment(cmd, e.getenv)
	}
	root.SetFlagErrorFunc(flagError)
	addEnvironmentToHelp(root)
	return root
}

// flagError says what is wrong with a flag, without the words of Go's parsers.
func flagError(cmd *cobra.Command, err error) error {
	if usage, ok := errors.AsType[*usageError](err); ok { // the flag has a hint of its own
		return &usageError{err, usage.hint}
	}
	text, _, _ := strings.Cut(err.Error(), ": strconv.")
	hint := cmd.CommandPath() + " --help lists the flags"
	if text == "unknown flag: --authtoken" {
		hint = "an authtoken on the command line would be seen by others: set NGROK_AUTHTOKEN, or use --authtoken-file"
	}
	return &usageError{errors.New(text), hint}
}

// noArgs refuses arguments, such as a command that does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		return &usageError{fmt.Errorf("there is no command %q", args[0]), cmd.CommandPath() + " --help lists the commands"}
	}
	return &usageError{fmt.Errorf("%s takes no arguments, got %q", cmd.Name(), args[0]), cmd.CommandPath() + " --help shows how it is called"}
}

// usageError says that the program was called wrongly.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return e.hint }

// failure is an error with what to do about it.
type failure struct {
	err  error
	hint string
}

func (e *failure) Error() string { return e.err.Error() }
func (e *failure) Unwrap() error { return e.err }
func (e *failure) Hint() string  { return e.hint }

// hintOf returns what an error says to do about it, or "".
func hintOf(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// report tells the person at the terminal what went wrong and what to do next.
func report(w io.Writer, err error) {
	// They may repeat what a stranger said, or a secret in the place of a name.
	fmt.Fprintln(w, "mcpstore: error:", access.Redact(plain(err.Error())))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(w, "mcpstore: hint:", plain(hint))
	}
}

// version is set by release builds; others take what Go knows of the module.
var version string

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versions tells the versions that a report of a fault should name.
func versions() string {
	text := "mcpstore " + programVersion()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/mark3labs/mcp-go", "golang.ngrok.com/ngrok/v2", "modernc.org/sqlite":
			text += fmt.Sprintf("\n%s %s", dep.Path, dep.Version)
		}
	}
	return text + "\n" + info.GoVersion
}
