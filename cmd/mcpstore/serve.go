package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
	"github.com/mcpstore/mcpstore/internal/tunnel"
)

const (
	// drainTime is how long a stopping server lets requests in flight finish.
	drainTime = 10 * time.Second
	// lingerTime is how long it then still refuses new ones in its own words,
	// and has their connections closed, before it hangs up on everybody.
	lingerTime = 200 * time.Millisecond
)

// serveOptions are the flags of the command that serves.
type serveOptions struct {
	db           string
	noDemo       bool
	urlFile      string
	allowOrigins []string
	allowWrites  bool
	confirmAbove int64
	gate         gateOptions
	watch        watchOptions
	logFormat    string
	logLevel     string
	tunnel       tunnelOptions
}

func serveCommand(e *env) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "mcpstore",
		Short: "Ask ChatGPT what is on the shelf",
		Long: `Mcpstore holds a shop chain's stock, serves it over MCP, and opens its own
public HTTPS URL through ngrok. It prints that URL, to be pasted into OpenAI.`,
		Example: `  NGROK_AUTHTOKEN=… mcpstore            serve the demo data, print the public URL
  mcpstore --local                      serve on this machine only, without ngrok
  mcpstore --auth oauth                 let in only whom you allow: ChatGPT signs in
  mcpstore --url https://shop.ngrok.app --url-file url.txt
  mcpstore smoke "$(cat url.txt)"       check that URL from outside`,
		Version: programVersion(),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := serve(cmd, e, &o)
			if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
				return nil // stopped by the user, be it before it was online
			}
			return err
		},
	}
	cmd.SetVersionTemplate(versions() + "\n")
	f := cmd.Flags()
	f.SortFlags = false
	addDatabaseFlag(f, &o.db)
	f.BoolVar(&o.noDemo, "no-demo", false, "start a new database empty instead of with demo data")
	o.tunnel.addFlags(f)
	f.StringVar(&o.urlFile, "url-file", "", "keep the URL in this `file` while it is online")
	f.StringSliceVar(&o.allowOrigins, "allow-origin", nil, "let browser pages of this `origin` call, such as https://inspector.example (may be repeated)")
	o.gate.addFlags(f)
	f.BoolVar(&o.allowWrites, "allow-writes", false, "let clients change the stock; needs --auth, or --local")
	f.Int64Var(&o.confirmAbove, "confirm-above", 50, "have clients confirm a change of more than this many")
	o.watch.addFlags(f)
	f.StringVar(&o.logFormat, "log-format", "text", "of the log on stderr: text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// serve runs until ctx ends or the tunnel does.
func serve(cmd *cobra.Command, e *env, o *serveOptions) error {
	ctx := cmd.Context()
	log, err := newLog(e.stderr, o.logFormat, o.logLevel)
	if err != nil {
		return err
	}
	open, err := o.tunnel.opener(cmd, e.getenv, log)
	if err != nil {
		return err
	}
	if err := checkOrigins(o.allowOrigins); err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	guard, err := o.guard(e, log)
	if err != nil {
		return err
	}
	announce := &announcer{env: e, file: urlFile{path: o.urlFile}, log: log, people: o.logFormat == "text"}
	if err := announce.file.prepare(); err != nil {
		return err
	}
	db, path, err := openDatabase(ctx, o.db, !o.noDemo, e.getenv)
	if err != nil {
		return err
	}
	defer db.Close()
	defer o.watch.start(ctx, db, log)()
	if announce.view, err = o.panel(ctx, db, path); err != nil {
		return err
	}

	tun, err := open(ctx, announce.tunnelChanged)
	if err != nil {
		return err
	}
	defer tun.Hangup()
	gate := guard(db, tun.URL)
	defer gate.recorder.Close()
	if err := o.firstToken(ctx, e, db); err != nil {
		return err
	}
	handler := newHandler(db, tun, o, gate, announce.view, log)
	srv := handler.HTTPServer()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(tun) }()
	defer announce.withdraw()
	if err := announce.online(tun); err != nil {
		return err
	}

	select {
	case err = <-served:
	case <-ctx.Done():
		log.Info("stopping: finishing what is in flight", "for_up_to", drainTime.String())
	}
	announce.withdraw()
	stop(handler, srv, tun, log)
	if errors.Is(err, tunnel.ErrStopped) {
		log.Info(err.Error())
		return nil
	}
	return err
}

// check refuses what does not go together.
func (o *serveOptions) check(cmd *cobra.Command) error {
	if err := o.gate.check(cmd); err != nil {
		return err
	}
	anyone := o.allowWrites && o.gate.mode() == access.None
	if anyone && !o.tunnel.local {
		return &usageError{errors.New("--allow-writes is refused while the server is public: without authentication, anyone who has the URL could change the stock"),
			"say who may: --auth oauth or --auth token; or add --local; or leave --allow-writes out and change the stock on this machine: mcpstore stock --help"}
	}
	if anyone && !o.tunnel.listensHere() {
		return &usageError{fmt.Errorf("--allow-writes is refused with --listen %s: without authentication, anyone on the network could change the stock", o.tunnel.listen),
			"say who may: --auth token or --auth oauth; or listen on this machine alone, such as --listen 127.0.0.1:8000"}
	}
	if o.confirmAbove < 0 {
		return &usageError{fmt.Errorf("--confirm-above %d is less than nothing", o.confirmAbove), "give 0 to have every change confirmed"}
	}
	return o.watch.check()
}

// panel gathers what is served.
func (o *serveOptions) panel(ctx context.Context, s store.Store, path string) (panel, error) {
	p := panel{Local: o.tunnel.local, Writes: o.allowWrites, Auth: o.gate.mode(), Open: o.gate.open(), Issuer: o.gate.oidcIssuer, Database: path}
	var err error
	if p.Stock, err = s.Summary(ctx); err != nil {
		return p, err
	}
	if p.Question, err = firstQuestion(ctx, s, p.Stock); err != nil {
		return p, err
	}
	passphrase, err := s.Passphrase(ctx)
	p.Passphrase = passphrase != ""
	return p, err
}

func newHandler(db store.Store, tun tunnel.Tunnel, o *serveOptions, g *gate, view panel, log *slog.Logger) *server.Server {
	return server.New(server.Config{
		MCP: tools.New(store.Confine(db), tools.Config{
			Version:      programVersion(),
			AllowWrites:  o.allowWrites,
			ConfirmAbove: cmp.Or(o.confirmAbove, -1), // where 0 is the usual limit
			Auth:         g.auth,
			Audit:        g.recorder.Record,
			Redact:       access.Redact,
			Log:          log,
		}),
		Access:       g,
		URL:          tun.URL,
		Local:        o.tunnel.local,
		AllowOrigins: o.allowOrigins,
		Ready: func(ctx context.Context) error {
			if phase := tun.State().Phase; phase != tunnel.Online {
				return fmt.Errorf("tunnel: %s", phase)
			}
			if err := db.Ping(ctx); err != nil {
				log.Error("the database does not answer", "err", err)
				return errors.New("database: does not answer")
			}
			return nil
		},
		About: func(ctx context.Context) server.About {
			if !view.Open {
				return server.About{Version: programVersion()} // what there is, is not for everybody
			}
			// An import may have changed what there is since the start.
			now, err := o.panel(ctx, db, view.Database)
			if err != nil {
				now = view
			}
			return server.About{
				Version:  programVersion(),
				Stores:   now.Stock.Shops,
				Products: now.Stock.Products,
				Demo:     now.Stock.Demo,
				Question: now.Question,
			}
		},
		Log: log,
	})
}

// stop stops taking requests, lets those in flight finish, and closes the
// endpoint. In another order answers are lost, or a client that has stopped
// reading is waited for: see [tunnel.Tunnel].
func stop(handler *server.Server, srv *http.Server, tun tunnel.Tunnel, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := handler.Drain(ctx)
	time.Sleep(lingerTime)
	if err := errors.Join(err, srv.Shutdown(ctx)); err != nil {
		log.Warn("requests in flight were cut off", "after", drainTime.String())
	}
	tun.Hangup()
	srv.Close()
}
