package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/openai"
	"github.com/mcpstore/mcpstore/internal/smoke"
)

// askOptions are the flags of mcpstore ask.
type askOptions struct {
	model   string
	warn    func() // of a model that shuts down, after the first answer
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
  mcpstore ask --model gpt-6-luna "Which store has the most rice balls?"`,
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
				err = errAskStopped
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
	e.addDatabaseFlags(f, &o.serve.db)
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
	cfg, err := o.config(cmd, e)
	if err != nil {
		return err
	}
	o.warn = shutdownWarning(ctx, e, cfg)
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

// shutdownWarning looks up whether the model is being shut down, while other
// things are done, and returns what warns of it, once. That it cannot be looked
// up is no trouble: the question needs no list of models.
func shutdownWarning(ctx context.Context, e *env, cfg openai.Config) func() {
	found := make(chan time.Time, 1)
	go func() {
		day, _ := openai.ShutdownDate(ctx, cfg)
		found <- day
	}()
	return sync.OnceFunc(func() {
		if day := <-found; !day.IsZero() {
			fmt.Fprintf(e.stderr, e.say("mcpstore：注意：OpenAI 將在 %[2]s 停用模型 %[1]s；請用 --model 指定另一個\n", "mcpstore: warning: OpenAI shuts down the model %s on %s; name another one with --model\n"), cfg.Model, day.Format(time.DateOnly))
		}
	})
}

// config checks all that can be wrong with the flags and the environment.
func (o *askOptions) config(cmd *cobra.Command, e *env) (openai.Config, error) {
	cfg := openai.Config{
		Key:     strings.TrimSpace(e.getenv("OPENAI_API_KEY")),
		BaseURL: e.getenv("OPENAI_BASE_URL"),

		Organization: e.getenv("OPENAI_ORG_ID"),
		Project:      e.getenv("OPENAI_PROJECT_ID"),

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
	case givenAsFlag(cmd, "server") && o.server == "":
		return cfg, &usageError{errors.New("--server is empty"), "give the URL of a server, or leave it out to ask with the one on this machine"}
	case givenAsFlag(cmd, "token-file") && o.server == "":
		return cfg, &usageError{errors.New("--token-file goes with --server"), "leave it out: for the server on this machine a token is made for as long as you ask"}
	case cfg.Key == "":
		return cfg, &usageError{errors.New("OPENAI_API_KEY is not set"), "make a key at https://platform.openai.com/api-keys, and set it: export OPENAI_API_KEY=sk-…"}
	case strings.ContainsFunc(cfg.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return cfg, &usageError{errors.New("OPENAI_API_KEY has characters that no key has, such as the end of a line"), "copy the key anew: export OPENAI_API_KEY=sk-…"}
	}
	if u, err := url.Parse(cfg.BaseURL); cfg.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return cfg, &usageError{errors.New("OPENAI_BASE_URL is not a URL"), "give one such as https://api.openai.com/v1, or leave it unset"}
	}
	return cfg, nil
}

// ask asks one question and prints the answer.
func (o *askOptions) ask(ctx context.Context, e *env, c *openai.Conversation, t *terminal, at target, question string) error {
	err := c.Ask(ctx, question, t)
	t.endAnswer()
	if err == nil {
		err = t.lost
	}
	o.warn()
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
		if errors.Is(err, io.EOF) || errors.Is(err, errAskStopped) || ctx.Err() != nil {
			return failed // there are no more questions
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
	var err error
	if cfg.CA, err = readPEM("--ca", o.ca); err != nil {
		return err
	}
	fmt.Fprintln(e.stderr, e.say("mcpstore：OpenAI 無法列出工具；從這裡檢查網址……", "mcpstore: OpenAI could not list the tools; checking the URL from here …"))
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
