package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/openai"
	"github.com/mcpstore/mcpstore/internal/smoke"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tunnel"
)

// askOptions are the flags of mcpstore ask.
type askOptions struct {
	model   string
	approve string
	timeout time.Duration
	server  string
	token   string   // the file that holds it
	ca      string   // of --server, for the smoke test
	resolve []string // likewise
	serve   serveOptions
}

func askCommand(e *env) *cobra.Command {
	var o askOptions
	cmd := &cobra.Command{
		Use:   "ask [QUESTION]",
		Short: "Ask OpenAI about the stock, with this server attached",
		Long: `Ask puts a question to OpenAI's Responses API with this server attached, and
prints the answer. It uses the server that runs on this machine, or the one that
--server names; if there is none, it starts one with a public URL for as long as
it asks, which only OpenAI can read. Without a question it asks you for one after
the other; a question may follow up on the one before.

The key comes from OPENAI_API_KEY. Another API of the same kind can be used by
OPENAI_BASE_URL.`,
		Example: `  mcpstore ask "KOKO便利店的茶葉蛋還有幾個"
  mcpstore ask --approve reads
  mcpstore ask --model gpt-5.5 "Which store has the most rice balls?"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &usageError{fmt.Errorf("ask takes one question, not %d", len(args)), `put it in quotes, such as mcpstore ask "KOKO便利店的茶葉蛋還有幾個"`}
			}
			if len(args) == 1 && strings.TrimSpace(args[0]) == "" {
				return &usageError{errors.New("the question is empty"), "leave it out to be asked for one"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := runAsk(cmd, e, &o, args)
			if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
				return errAskStopped
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.model, "model", openai.DefaultModel, "`model` to ask")
	f.StringVar(&o.approve, "approve", string(openai.ApproveNever), "what to let the model do without asking you: never (ask for every call), reads, or all")
	f.DurationVar(&o.timeout, "timeout", 3*time.Minute, "for one answer")
	f.StringVar(&o.server, "server", "", "ask with the server at this `URL` instead")
	f.StringVar(&o.token, "token-file", "", "`file` with the access token that the server at --server wants")
	addDatabaseFlag(f, &o.serve.db)
	o.serve.tunnel.addFlags(f)
	f.StringVar(&o.ca, "ca", "", "PEM `file` of CAs to trust when the URL is checked")
	f.StringArrayVar(&o.resolve, "resolve", nil, "find a host at this `host:port:addr` when the URL is checked")
	for _, name := range []string{"local", "listen", "pooling", "traffic-policy", "connect-url", "connect-ca", "proxy-url", "description", "metadata", "start-timeout", "ca", "resolve"} {
		f.Lookup(name).Hidden = true
	}
	return cmd
}

// errAskStopped ends a question that Ctrl-C came before the answer to.
var errAskStopped = errors.New("stopped before the answer was whole")

func runAsk(cmd *cobra.Command, e *env, o *askOptions, args []string) error {
	ctx := cmd.Context()
	cfg, err := o.config(e)
	if err != nil {
		return err
	}
	target, err := o.target(cmd, e)
	if err != nil {
		return err
	}
	defer target.release()
	if err := target.reachable(cfg.BaseURL); err != nil {
		return err
	}
	cfg.URL, cfg.Token, cfg.Writes = target.url, target.token, target.writes
	t := newTerminal(e)
	defer t.close()
	c := openai.NewConversation(cfg)
	if len(args) == 1 {
		return o.ask(ctx, e, c, t, target, args[0])
	}
	return o.askOn(ctx, e, c, t, target)
}

// config checks all that can be wrong with the flags and the environment.
func (o *askOptions) config(e *env) (openai.Config, error) {
	cfg := openai.Config{
		Key:     strings.TrimSpace(e.getenv("OPENAI_API_KEY")),
		BaseURL: e.getenv("OPENAI_BASE_URL"),
		Model:   o.model,
		Approve: openai.Approval(o.approve),
		Timeout: o.timeout,
	}
	switch cfg.Approve {
	case openai.ApproveNever, openai.ApproveReads, openai.ApproveAll:
	default:
		return cfg, &usageError{fmt.Errorf("--approve %q is unknown", o.approve), "give never (you are asked for every call), reads, or all"}
	}
	switch {
	case strings.TrimSpace(o.model) == "":
		return cfg, &usageError{errors.New("--model is empty"), "name one, such as --model " + openai.DefaultModel}
	case o.timeout <= 0:
		return cfg, &usageError{fmt.Errorf("--timeout %s is not a time", o.timeout), "give one such as 3m"}
	case o.token != "" && o.server == "":
		return cfg, &usageError{errors.New("--token-file goes with --server"), "leave it out: for the server on this machine a token is made for as long as you ask"}
	case cfg.Key == "":
		return cfg, &usageError{errors.New("OPENAI_API_KEY is not set"), "make a key at https://platform.openai.com/api-keys, and set it: export OPENAI_API_KEY=sk-…"}
	}
	if u, err := url.Parse(cfg.BaseURL); cfg.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return cfg, &usageError{fmt.Errorf("OPENAI_BASE_URL %q is not a URL", cfg.BaseURL), "give one such as https://api.openai.com/v1, or leave it unset"}
	}
	return cfg, nil
}

// target is the server that OpenAI is to ask.
type target struct {
	url     string // of its endpoint
	token   string
	writes  bool
	release func() // ends what was begun for this question alone
}

// target finds the server to ask: the one that is named, the one that runs
// here, or else one that is started now.
func (o *askOptions) target(cmd *cobra.Command, e *env) (target, error) {
	ctx := cmd.Context()
	if o.server != "" {
		return o.named()
	}
	cfg, err := databaseConfig(o.serve.db, e.getenv)
	if err != nil {
		return target{}, err
	}
	if state, ok := runningServer(cfg.Path); ok {
		return o.running(ctx, e, state)
	}
	return o.started(cmd, e)
}

// named is the server that --server names.
func (o *askOptions) named() (target, error) {
	endpoint, err := endpointURL("--server", o.server)
	if err != nil {
		return target{}, err
	}
	t := target{url: endpoint.String(), writes: true, release: func() {}} // for all that is known of it
	if o.token != "" {
		t.token, err = readToken(o.token)
	}
	return t, err
}

// running is the server that runs on this machine. Where it wants a token, one
// is made that ends with the question.
func (o *askOptions) running(ctx context.Context, e *env, state serverState) (target, error) {
	t := target{url: state.URL, writes: state.Writes, release: func() {}}
	if state.Auth == "" || state.Auth == string(access.None) {
		return t, nil
	}
	db, _, err := openExisting(ctx, o.serve.db, e.getenv)
	if err != nil {
		return t, err
	}
	var end ending
	end.then(func() { db.Close() })
	if err := t.lend(ctx, db, &end); err != nil {
		return end.failed(err)
	}
	t.release = end.end
	return t, nil
}

// started is a server of its own, on a public URL, that only the token opens.
func (o *askOptions) started(cmd *cobra.Command, e *env) (target, error) {
	ctx := cmd.Context()
	log, err := newLog(e.stderr, "text", "warn")
	if err != nil {
		return target{}, err
	}
	s := &o.serve
	if s.tunnel.local {
		return target{}, &usageError{errors.New("--local cannot be asked: OpenAI does not reach this machine"), "leave it out"}
	}
	s.gate.auth, s.gate.rateLimit, s.gate.auditKeep = string(access.Tokens), 1200, days(90*24*time.Hour)
	s.confirmAbove, s.logFormat = 50, "text"
	open, err := s.tunnel.opener(cmd, e.getenv, log)
	if err != nil {
		return target{}, err
	}
	guard, err := s.guard(e, log)
	if err != nil {
		return target{}, err
	}
	db, path, err := openDatabase(ctx, s.db, true, e.getenv)
	if err != nil {
		return target{}, err
	}
	var end ending
	end.then(func() { db.Close() })
	view, err := s.panel(ctx, db, path)
	if err != nil {
		return end.failed(err)
	}
	fmt.Fprintln(e.stderr, "mcpstore: no server runs here: starting one for this question …")
	site, err := s.start(ctx, db, open, guard, view, func(tunnel.State) {}, log)
	if err != nil {
		return end.failed(err)
	}
	end.then(site.close)
	end.then(site.stop)
	t := target{url: endpointAt(site.tun.URL())}
	if err := t.lend(ctx, db, &end); err != nil {
		return end.failed(err)
	}
	t.release = end.end
	return t, nil
}

// ending is what to do at the end, the last of it first.
type ending []func()

func (e *ending) then(do func()) { *e = append(*e, do) }

func (e *ending) end() {
	for _, do := range slices.Backward(*e) {
		do()
	}
}

// failed ends what was begun before err.
func (e *ending) failed(err error) (target, error) {
	e.end()
	return target{}, err
}

// lent is how long a token holds that is made for a question, should it not be
// revoked at the end.
const lent = time.Hour

// lend has t use a token that is revoked at the end.
func (t *target) lend(ctx context.Context, db store.Access, end *ending) error {
	now := time.Now()
	text, token, err := addToken(ctx, db, store.Token{
		Kind: store.APIToken, Name: "ask " + now.Format("2006-01-02 15:04:05.000"), Scopes: scopesOf(t.writes), ExpiresAt: now.Add(lent),
	})
	if err != nil {
		return fmt.Errorf("make a token for this question: %w", err)
	}
	t.token = text
	end.then(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = db.RevokeToken(ctx, token.ID) // if not, it ends within the hour
	})
	return nil
}

func scopesOf(writes bool) store.Scopes {
	if writes {
		return store.ScopeRead | store.ScopeWrite
	}
	return store.ScopeRead
}

// reachable refuses a server that OpenAI cannot reach, unless what is asked in
// its place runs on this machine too.
func (t target) reachable(base string) error {
	if !onThisMachine(t.url) || onThisMachine(base) {
		return nil
	}
	return &failure{fmt.Errorf("the server at %s is on this machine only, and OpenAI cannot reach it", t.url),
		"start it without --local; or stop it, and ask again: a server with a public URL is then started for the question"}
}

// onThisMachine reports whether a URL is one that the internet does not reach.
func onThisMachine(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isPrivate(u.Hostname())
}

// ask asks one question and prints the answer.
func (o *askOptions) ask(ctx context.Context, e *env, c *openai.Conversation, t *terminal, at target, question string) error {
	err := c.Ask(ctx, question, t)
	t.endAnswer()
	known, ok := errors.AsType[*openai.Error](err)
	if !ok {
		return err
	}
	if known.Kind == openai.ToolList {
		return o.explainToolList(ctx, e, at, known)
	}
	return err
}

// askOn asks one question after the other, until there are no more. One that
// fails does not end it, unless nobody is there to ask another.
func (o *askOptions) askOn(ctx context.Context, e *env, c *openai.Conversation, t *terminal, at target) error {
	var failed error
	for {
		question, err := t.question(ctx)
		if errors.Is(err, io.EOF) {
			return failed
		}
		if err != nil {
			return err
		}
		if question == "" {
			continue
		}
		err = o.ask(ctx, e, c, t, at, question)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			report(e.stderr, err)
			failed = errSomeFailed
		}
	}
}

var errSomeFailed = errors.New("not every question was answered")

// explainToolList looks at the URL as OpenAI did, and says what is wrong.
func (o *askOptions) explainToolList(ctx context.Context, e *env, at target, why *openai.Error) error {
	cfg := smoke.Config{URL: at.url, Resolve: o.resolve, Timeout: 30 * time.Second}
	if at.token != "" {
		cfg.Header = map[string][]string{"Authorization": {"Bearer " + at.token}}
	}
	if o.ca != "" {
		ca, err := os.ReadFile(o.ca)
		if err != nil {
			return &usageError{fmt.Errorf("--ca: %w", err), "give a PEM file of certificates"}
		}
		cfg.CA = ca
	}
	fmt.Fprintln(e.stderr, "mcpstore: OpenAI could not list the tools; checking the URL from here …")
	report, err := smoke.Run(ctx, cfg, nil)
	if err != nil && len(report.Checks) == 0 {
		return errors.Join(why, err)
	}
	show := smoke.Text(e.stderr)
	for _, check := range report.Checks {
		if check.Status == smoke.Failed {
			show(check)
		}
	}
	if report.OK {
		return &failure{why, "the URL passes every check from here, so it may be OpenAI's network or a firewall (--allow-ip-file?) between: see https://status.openai.com, and ask again"}
	}
	return &failure{why, "mend what the checks above say; mcpstore smoke " + at.url + " repeats them"}
}
