package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/pages"
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
	db              string
	noDemo          bool
	urlFile         string
	allowOrigins    []string
	allowWrites     bool
	confirmAbove    int64
	connector       bool
	openaiChallenge string
	gate            gateOptions
	watch           watchOptions
	logFormat       string
	logLevel        string
	tunnel          tunnelOptions
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
	e.addDatabaseFlags(f, &o.db)
	f.BoolVar(&o.noDemo, "no-demo", false, "start a new database empty instead of with demo data")
	o.tunnel.addFlags(f)
	f.StringVar(&o.urlFile, "url-file", "", "keep the URL in this `file` while it is online")
	f.StringSliceVar(&o.allowOrigins, "allow-origin", nil, "let browser pages of this `origin` call, such as https://inspector.example, https://*.example.com or chrome-extension://… (may be repeated)")
	o.gate.addFlags(f)
	f.BoolVar(&o.allowWrites, "allow-writes", false, "let clients change the stock; needs --auth, or --local")
	f.Int64Var(&o.confirmAbove, "confirm-above", tools.DefaultConfirmAbove, "have clients confirm a change of more than this many; 0 for every change")
	f.BoolVar(&o.connector, "connector", false, "offer search and fetch too, as deep research and company knowledge want, and a page for each store and product")
	f.StringVar(&o.openaiChallenge, "openai-challenge", "", "`token` by which OpenAI's portal knows that this domain is yours")
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
	db, path, err := e.openDatabase(ctx, o.db, !o.noDemo, log)
	if err != nil {
		return err
	}
	defer db.Close()
	db.Guard(log)
	defer o.watch.start(ctx, db, log)()
	if announce.view, err = o.panel(ctx, db, path); err != nil {
		return err
	}

	site, err := o.start(ctx, e, db, open, guard, announce.view, announce.tunnelChanged, log)
	if err != nil {
		return err
	}
	defer site.close()
	if err := o.firstToken(ctx, e, db, log); err != nil {
		return err
	}
	defer announce.withdraw()
	if err := announce.online(site.tun, site.tools); err != nil {
		return err
	}
	if err := o.tellOldGrants(ctx, db, endpointAt(site.tun.URL()), log); err != nil {
		return err
	}

	select {
	case err = <-site.served:
	case <-ctx.Done():
		log.Info("stopping: finishing what is in flight", "for_up_to", drainTime.String())
	}
	announce.withdraw()
	site.stop()
	if errors.Is(err, tunnel.ErrStopped) {
		log.Info(err.Error())
		return nil
	}
	return err
}

// site is a server that serves at a tunnel's URL.
type site struct {
	env     *env
	tun     tunnel.Tunnel
	gate    *gate
	tools   string // the fingerprint of what is offered
	handler *server.Server
	http    *http.Server
	served  chan error // told when the tunnel ends by itself
	log     *slog.Logger
}

// start opens the tunnel and serves at its URL. Where it returns no error, close
// must be called.
func (o *serveOptions) start(ctx context.Context, e *env, db database, open opener, guard guard, view panel, changed func(tunnel.State), log *slog.Logger) (*site, error) {
	tun, err := open(ctx, changed)
	if err != nil {
		return nil, err
	}
	s := &site{env: e, tun: tun, gate: guard(db, tun.URL), served: make(chan error, 1), log: log}
	mcp := s.newTools(db, o)
	s.tools = tools.Fingerprint(mcp)
	s.handler = s.newHandler(mcp, db, o, view)
	s.http = s.handler.HTTPServer()
	go func() { s.served <- s.http.Serve(tun) }()
	return s, nil
}

// stop stops taking requests, lets those in flight finish, and closes the
// endpoint. In another order answers are lost, or a client that has stopped
// reading is waited for: see [tunnel.Tunnel].
func (s *site) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := s.handler.Drain(ctx)
	time.Sleep(lingerTime)
	if err := errors.Join(err, s.http.Shutdown(ctx)); err != nil {
		s.log.Warn("requests in flight were cut off", "after", drainTime.String())
	}
	s.tun.Hangup()
	s.http.Close()
}

// close ends what stop has not.
func (s *site) close() {
	s.gate.recorder.Close()
	s.tun.Hangup()
}

// check refuses what does not go together.
func (o *serveOptions) check(cmd *cobra.Command) error {
	if err := o.gate.check(cmd); err != nil {
		return err
	}
	if o.tunnel.local && givenAsFlag(cmd, "proxy-url") && o.gate.mode() != access.OAuth {
		return &usageError{errors.New("--proxy-url with --local goes with --auth oauth: without a tunnel, only documents of clients that sign in are fetched"), "leave one of the two out"}
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
	if o.openaiChallenge != "" && strings.ContainsFunc(o.openaiChallenge, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &usageError{errors.New("--openai-challenge is not a token"), "give it exactly as the portal shows it, without spaces"}
	}
	return o.watch.check()
}

// panel gathers what is served.
func (o *serveOptions) panel(ctx context.Context, s database, path string) (panel, error) {
	p := panel{Local: o.tunnel.local, Network: o.tunnel.local && !o.tunnel.listensHere(), Writes: o.allowWrites, Auth: o.gate.mode(), Open: o.gate.open(), Issuer: o.gate.oidcIssuer, Database: path}
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

// newTools returns what answers the messages.
func (s *site) newTools(db database, o *serveOptions) *mcpserver.MCPServer {
	cfg := tools.Config{
		Version:      programVersion(),
		AllowWrites:  o.allowWrites,
		ConfirmAbove: &o.confirmAbove,
		Auth:         s.gate.auth,
		Audit:        s.gate.recorder.Record,
		Redact:       access.Redact,
		Log:          s.log,
		Now:          s.env.now,
		Location:     s.env.zone,
	}
	if o.connector {
		cfg.Connector = &tools.Connector{
			ShopPage:    func(id string) string { return s.tun.URL() + pages.ShopPage(id) },
			ProductPage: func(id string) string { return s.tun.URL() + pages.ProductPage(id) },
		}
	}
	return tools.New(store.Confine(db), cfg)
}

// readiness is what anyone may know of why the database is not ready; the log has
// the rest, and where it is.
func readiness(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrReplaced):
		return errors.New("database: file was moved, removed or replaced")
	case errors.Is(err, store.ErrDiskFull):
		return errors.New("database: disk is full")
	case errors.Is(err, store.ErrBusy):
		return errors.New("database: write lock is held for too long")
	}
	return errors.New("database: does not answer")
}

// newHandler returns what the internet talks to.
func (s *site) newHandler(mcp *mcpserver.MCPServer, db database, o *serveOptions, view panel) *server.Server {
	cfg := server.Config{
		MCP:          mcp,
		Access:       s.gate,
		URL:          s.tun.URL,
		Local:        o.tunnel.local,
		AllowHosts:   o.tunnel.allowHosts,
		AllowOrigins: o.allowOrigins,
		Address:      s.gate.Address,
		Challenge:    o.openaiChallenge,
		Ready: func(ctx context.Context) error {
			if phase := s.tun.State().Phase; phase != tunnel.Online {
				return fmt.Errorf("tunnel: %s", phase)
			}
			return readiness(db.Ping(ctx))
		},
		About: func(ctx context.Context) server.About {
			if !view.Open {
				return server.About{Version: programVersion(), SignIn: o.gate.signIn()} // what there is, is not for everybody
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
				SignIn:   o.gate.signIn(),
			}
		},
		Log: s.log,
	}
	if o.tunnel.local {
		cfg.Writes = func(method, name string) bool { return tools.ScopeOf(method, name).Has(store.ScopeWrite) }
	}
	if o.connector {
		cfg.Pages = pages.New(pages.Config{Store: store.Confine(db), URL: s.tun.URL, Audit: s.gate.recorder.Record, Location: s.env.zone, Log: s.log})
	}
	return server.New(cfg)
}
