package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
)

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
	cfg, err := e.databaseConfig(o.serve.db)
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
	db, _, err := e.openExisting(ctx, o.serve.db)
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
	s.gate.auth, s.gate.rateLimit, s.gate.auditKeep = string(access.Tokens), access.DefaultPerMinute, days(90*24*time.Hour)
	s.confirmAbove, s.logFormat = tools.DefaultConfirmAbove, "text"
	if s.tunnel.startTimeout == 0 {
		s.tunnel.startTimeout = askStartTime
	}
	open, err := s.tunnel.opener(cmd, e.getenv, log)
	if errors.Is(err, errNoAuthtoken) { // without a tunnel OpenAI reaches nothing
		err = &usageError{errNoAuthtoken, "no server runs here, and a public one needs an authtoken: get one for free at https://dashboard.ngrok.com/get-started/your-authtoken, then: export NGROK_AUTHTOKEN=…"}
	}
	if err != nil {
		return target{}, err
	}
	guard, err := s.guard(e, log)
	if err != nil {
		return target{}, err
	}
	db, path, err := e.openDatabase(ctx, s.db, true, nil)
	if err != nil {
		return target{}, err
	}
	var end ending
	end.then(func() { db.Close() })
	db.Guard(log)
	view, err := s.panel(ctx, db, path)
	if err != nil {
		return end.failed(err)
	}
	fmt.Fprintln(e.stderr, e.say("mcpstore：這裡沒有伺服器在執行，為這次提問啟動一台……", "mcpstore: no server runs here: starting one for this question …"))
	site, err := s.start(ctx, e, db, open, guard, view, (&announcer{log: log}).tunnelChanged, log)
	if err != nil {
		fmt.Fprintln(e.stderr, e.say("mcpstore：如果有另一個資料庫的 mcpstore 正在執行，請用 --db 指定它。", "mcpstore: if a mcpstore of another database runs, name that by --db."))
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

// askStartTime is how long somebody who asks waits for a server to be online.
const askStartTime = 30 * time.Second

// lent is how long a token holds that is made for questions, should it not be
// revoked at the end: longer than anybody goes on asking.
const lent = 12 * time.Hour

// lentPrefix begins the names of tokens that are lent; the number of the process
// that asks follows.
const lentPrefix = "ask "

// isLent reports whether a token was lent, and to which process.
func isLent(t store.Token) (pid string, is bool) {
	rest, is := strings.CutPrefix(t.Name, lentPrefix)
	pid, _, more := strings.Cut(rest, " ")
	return pid, is && more
}

// lend has t use a token that is revoked at the end. Those that were lent to
// processes which are gone end now.
func (t *target) lend(ctx context.Context, db access.Storage, end *ending) error {
	tokens, err := db.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, old := range tokens {
		if pid, is := isLent(old); is && old.RevokedAt.IsZero() && !running(pid) {
			if err := db.RevokeToken(ctx, old.ID); err != nil {
				return err
			}
		}
	}
	now := time.Now()
	text, token, err := addToken(ctx, db, store.Token{
		Kind: store.APIToken, Name: fmt.Sprintf("%s%d %s %s", lentPrefix, os.Getpid(), now.Format("2006-01-02 15:04:05"), rand.Text()[:6]), Scopes: scopesOf(t.writes), ExpiresAt: now.Add(lent),
	})
	if err != nil {
		return fmt.Errorf("make a token for this question: %w", err)
	}
	t.token = text
	end.then(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = db.RevokeToken(ctx, token.ID) // if not, it ends by itself
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
