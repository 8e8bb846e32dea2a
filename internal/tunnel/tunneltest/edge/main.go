// Command edge serves a stand-in for ngrok's edge on the loopback interface,
// so that mcpstore can be tried as a whole without a network or an account:
//
//	go run ./internal/tunnel/tunneltest/edge
//
// It says on standard error what to type in another terminal, reads from
// standard input what to get wrong (help lists it), and ends at Ctrl-C. On
// standard output it writes one line for scripts, once it is up:
//
//	connect=127.0.0.1:40123 public=127.0.0.1:40124 ca=/tmp/mcpstore-edge-1/ca.pem
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command. It returns when ctx ends or stdin says quit.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (exit int) {
	flags := flag.NewFlagSet("edge", flag.ContinueOnError)
	flags.SetOutput(stderr)
	connect := flags.String("listen-agents", "127.0.0.1:0", "`address` where agents connect")
	public := flags.String("listen-public", "127.0.0.1:0", "`address` where public HTTPS is served")
	domain := flags.String("domain", "demo.ngrok-free.test", "host `name` for agents that ask for none; empty for one per authtoken")
	authtoken := flags.String("authtoken", "", "the only `authtoken` to accept; empty for every well-formed one")
	caFile := flags.String("ca-file", "", "`file` to write the CA's certificate to (default: one that is removed at exit)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "edge: error: unexpected argument %q\n", flags.Arg(0))
		return 2
	}

	if *caFile == "" {
		dir, err := os.MkdirTemp("", "mcpstore-edge-")
		if err != nil {
			fmt.Fprintf(stderr, "edge: error: %v\n", err)
			return 1
		}
		defer os.RemoveAll(dir)
		*caFile = filepath.Join(dir, "ca.pem")
	}
	cfg := tunneltest.Config{
		DevDomain:   *domain,
		ConnectAddr: *connect,
		PublicAddr:  *public,
		CAFile:      *caFile,
		Log:         slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{ReplaceAttr: plain})),
	}
	if *authtoken != "" {
		cfg.Authtokens = []string{*authtoken}
	}
	edge, err := tunneltest.New(cfg)
	if err != nil {
		fmt.Fprintf(stderr, "edge: error: %v\n", err)
		return 1
	}
	defer edge.Close()

	welcome(stderr, edge, *domain)
	fmt.Fprintf(stdout, "connect=%s public=%s ca=%s\n", edge.ConnectAddr(), edge.PublicAddr(), edge.CAFile())
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	go func() {
		if obey(ctx, edge, stdin, stderr) {
			quit()
		}
	}()
	<-ctx.Done()
	return 0
}

// plain leaves out of a log line what a person at a terminal does not need.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// welcome says what to type in another terminal.
func welcome(w io.Writer, edge *tunneltest.Edge, domain string) {
	if domain == "" {
		domain = "NAME"
	}
	_, port, _ := net.SplitHostPort(edge.PublicAddr())
	fmt.Fprintf(w, `A stand-in for ngrok's edge is up. In another terminal, start mcpstore on it:

  NGROK_AUTHTOKEN=%[1]s go run ./cmd/mcpstore --connect-url %[2]s --connect-ca %[3]s

While that runs, in a third one:

  go run ./cmd/mcpstore smoke https://%[4]s:%[5]s/mcp --ca %[3]s --resolve %[4]s:%[5]s:127.0.0.1
  curl --cacert %[3]s --resolve %[4]s:%[5]s:127.0.0.1 https://%[4]s:%[5]s/healthz

Type help here for what the edge can get wrong. Ctrl-C ends it.

`, tunneltest.Authtoken, edge.ConnectAddr(), edge.CAFile(), domain, port)
}
