package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpproxy"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/oauth"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
)

// gateOptions are the flags that say who may call.
type gateOptions struct {
	auth         string
	publicReads  bool
	allowIPFile  string
	rateLimit    int
	auditKeep    days
	oidcIssuer   string
	oidcAudience []string
	oidcClaim    string
	oidcRoles    []string
}

func (o *gateOptions) addFlags(f *pflag.FlagSet) {
	o.auditKeep = days(90 * 24 * time.Hour)
	f.StringVar(&o.auth, "auth", string(access.None), "who may call: none (anyone), token, oauth (ChatGPT signs in here), or oidc (sign in elsewhere)")
	f.BoolVar(&o.publicReads, "public-reads", false, "let anyone read, and ask who it is for changes alone")
	f.StringVar(&o.allowIPFile, "allow-ip-file", "", "only let addresses in that this `file` lists, one network a line")
	f.IntVar(&o.rateLimit, "rate-limit", access.DefaultPerMinute, "requests a minute that one caller may make; 0 for no limit")
	f.Var(&o.auditKeep, "audit-keep", "how long to keep the log of what was asked, such as 90d")
	f.StringVar(&o.oidcIssuer, "oidc-issuer", "", "`URL` of who vouches for callers, with --auth oidc")
	f.StringSliceVar(&o.oidcAudience, "oidc-audience", nil, "what its tokens must be meant for (`aud`; may be repeated)")
	f.StringVar(&o.oidcClaim, "oidc-claim", "", "`claim` that holds roles, such as realm_access.roles (default: the token's scopes count)")
	f.StringArrayVar(&o.oidcRoles, "oidc-role", nil, "what a role may do: `role=scopes`, such as clerk=stock:read,stock:write (may be repeated)")
}

// perMinute is what --rate-limit means.
func (o *gateOptions) perMinute() int {
	if o.rateLimit == 0 {
		return access.Unlimited
	}
	return o.rateLimit
}

// mode is what --auth means.
func (o *gateOptions) mode() access.Mode { return access.Mode(o.auth) }

// check refuses what does not go together.
func (o *gateOptions) check(cmd *cobra.Command) error {
	switch o.mode() {
	case access.None, access.Tokens, access.OAuth, access.OIDC:
	default:
		return &usageError{fmt.Errorf("--auth %q is unknown", o.auth), "give none, token, oauth or oidc"}
	}
	if o.publicReads && o.mode() == access.None {
		return &usageError{errors.New("--public-reads goes with --auth token, oauth or oidc"), "leave it out: with --auth none anyone can read"}
	}
	if o.rateLimit < 0 {
		return &usageError{fmt.Errorf("--rate-limit %d is less than nothing", o.rateLimit), "give requests a minute, or 0 for no limit"}
	}
	if o.mode() != access.OIDC {
		for _, name := range []string{"oidc-issuer", "oidc-audience", "oidc-claim", "oidc-role"} {
			if givenAsFlag(cmd, name) {
				return &usageError{fmt.Errorf("--%s goes with --auth oidc", name), "add --auth oidc, or leave it out"}
			}
		}
		return nil
	}
	switch {
	case o.oidcIssuer == "":
		return &usageError{errors.New("--auth oidc needs --oidc-issuer"), "give the issuer's URL, such as --oidc-issuer https://login.example.com/"}
	case len(o.oidcAudience) == 0:
		return &usageError{errors.New("--auth oidc needs --oidc-audience"), "give what the issuer's tokens name as their audience, such as the URL with /mcp"}
	case o.oidcClaim == "" && len(o.oidcRoles) > 0:
		return &usageError{errors.New("--oidc-role goes with --oidc-claim"), "say which claim holds the roles, such as --oidc-claim roles"}
	case o.oidcClaim != "" && len(o.oidcRoles) == 0:
		return &usageError{errors.New("--oidc-claim goes with --oidc-role"), "say what a role may do, such as --oidc-role clerk=stock:read"}
	}
	return nil
}

// open reports whether anyone who has the URL can read.
func (o *gateOptions) open() bool { return o.mode() == access.None || o.publicReads }

// signIn is how a client is let in that wants to read, as [server.About] has it.
func (o *gateOptions) signIn() string {
	switch {
	case o.open():
		return ""
	case o.mode() == access.Tokens:
		return "token"
	}
	return "oauth"
}

// networks reads --allow-ip-file. It returns nil where none is named.
func (o *gateOptions) networks() ([]netip.Prefix, error) {
	if o.allowIPFile == "" {
		return nil, nil
	}
	const hint = "give a file with an address or network a line, such as 203.0.113.0/24; text after # does not count"
	file, err := os.Open(o.allowIPFile)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--allow-ip-file: %w", err), hint}
	}
	defer file.Close()
	networks := []netip.Prefix{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := parseNetwork(text)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--allow-ip-file %q, line %d: %q is not an address or a network", o.allowIPFile, number, text), hint}
		}
		networks = append(networks, network)
	}
	if err := lines.Err(); err != nil {
		return nil, &usageError{fmt.Errorf("--allow-ip-file: %w", err), hint}
	}
	if len(networks) == 0 {
		return nil, &usageError{fmt.Errorf("--allow-ip-file %q lists nothing, so nobody could call", o.allowIPFile), hint}
	}
	return networks, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}

// roles reads --oidc-role.
func (o *gateOptions) roles() (map[string]store.Scopes, error) {
	roles := make(map[string]store.Scopes)
	for _, text := range o.oidcRoles {
		role, names, ok := strings.Cut(text, "=")
		scopes, err := store.ParseScopes(strings.Split(names, ",")...)
		if !ok || role == "" || err != nil {
			return nil, &usageError{fmt.Errorf("--oidc-role %q does not say what a role may do", text), "give one such as clerk=stock:read,stock:write"}
		}
		roles[role] |= scopes
	}
	return roles, nil
}

// issuer is who vouches for callers, or nil where nobody from outside does.
func (o *gateOptions) issuer(log *slog.Logger) (*access.Issuer, error) {
	if o.mode() != access.OIDC {
		return nil, nil
	}
	roles, err := o.roles()
	if err != nil {
		return nil, err
	}
	issuer, err := access.OpenIssuer(access.IssuerConfig{
		URL:      o.oidcIssuer,
		Audience: o.oidcAudience,
		Claim:    o.oidcClaim,
		Roles:    roles,
		Log:      log,
	})
	if err != nil {
		return nil, &usageError{fmt.Errorf("--oidc-issuer: %w", err), "give the issuer's URL exactly as its tokens name it, such as https://login.example.com/"}
	}
	return issuer, nil
}

// gate is what decides who may call, once the tunnel says where.
type gate struct {
	*access.Gate
	recorder *access.Recorder
	auth     *tools.Auth // nil where anyone may do everything
}

// guard makes the gate of a server.
type guard func(s database, url func() string) *gate

// guard checks all that can be wrong with the flags before anything is begun.
func (o *serveOptions) guard(e *env, log *slog.Logger) (guard, error) {
	networks, err := o.gate.networks()
	if err != nil {
		return nil, err
	}
	issuer, err := o.gate.issuer(log)
	if err != nil {
		return nil, err
	}
	proxy, err := o.documentProxy(e.getenv)
	if err != nil {
		return nil, err
	}
	offered := store.ScopeRead
	if o.allowWrites {
		offered |= store.ScopeWrite
	}
	return func(s database, url func() string) *gate {
		g := &gate{recorder: access.NewRecorder(s, time.Duration(o.gate.auditKeep), log)}
		cfg := access.Config{
			Mode:        o.gate.mode(),
			PublicReads: o.gate.publicReads,
			Store:       s,
			URL:         url,
			Offered:     offered,
			ScopeOf:     tools.ScopeOf,
			Issuer:      issuer,
			Allow:       networks,
			Behind:      !o.tunnel.local,
			Limits:      access.Limits{PerMinute: o.gate.perMinute()},
			Recorder:    g.recorder,
			Log:         log,
		}
		if o.gate.mode() == access.OAuth {
			cfg.Authority = oauth.New(oauth.Config{
				Store: s, URL: url, Offered: offered, ShowCode: o.showCode(e), Log: log,
				Proxy: proxy, NoDocuments: o.tunnel.local && !proxies(proxy),
			})
		}
		g.Gate = access.New(cfg)
		if o.gate.mode() != access.None {
			g.auth = &tools.Auth{
				OAuth:       o.gate.mode() != access.Tokens,
				PublicReads: o.gate.publicReads,
				Challenge:   g.Challenge,
			}
		}
		return g
	}, nil
}

// documentProxy returns the proxy for documents of clients: the one that the
// tunnel uses, or else what the environment says, as for other programs.
func (o *serveOptions) documentProxy(getenv func(string) string) (func(*url.URL) (*url.URL, error), error) {
	fixed, err := proxyURL(o.tunnel.proxyURL)
	if err != nil {
		return nil, err
	}
	if fixed != nil {
		return func(*url.URL) (*url.URL, error) { return fixed, nil }, nil
	}
	env := httpproxy.Config{
		HTTPSProxy: cmp.Or(getenv("HTTPS_PROXY"), getenv("https_proxy")),
		NoProxy:    cmp.Or(getenv("NO_PROXY"), getenv("no_proxy")),
	}
	return env.ProxyFunc(), nil
}

// proxies reports whether the documents of most clients come through a proxy.
func proxies(proxy func(*url.URL) (*url.URL, error)) bool {
	through, err := proxy(&url.URL{Scheme: "https", Host: "chatgpt.com"})
	return err == nil && through != nil
}

// showCode shows the owner a one-time code, where people read stderr. Where
// machines do, a passphrase must be set: a log is no place for a code.
func (o *serveOptions) showCode(e *env) func(oauth.Notice) {
	if o.logFormat != "text" {
		return nil
	}
	text := e.say("\n%s 想使用這台伺服器，它自稱「%s」。\n如果是您要求的，請在網頁上輸入這個代碼：%s（%s 前有效）\n\n",
		"\n%s wants to use this server; it calls itself “%s”.\nIf it was you who asked, type this code on its page: %s (until %s)\n\n")
	return func(n oauth.Notice) {
		fmt.Fprintf(e.stderr, text, printable(n.RedirectHost), printable(n.Client), n.Code, e.local(n.Expires).Format("15:04 -07:00"))
	}
}

// tellOldGrants tells of what was granted for another URL, and holds here no
// longer.
func (o *serveOptions) tellOldGrants(ctx context.Context, s database, endpoint string, log *slog.Logger) error {
	if o.gate.mode() != access.OAuth {
		return nil
	}
	grants, err := s.Grants(ctx)
	if err != nil {
		return err
	}
	var old []string
	for _, g := range grants {
		if g.Resource != endpoint {
			old = append(old, fmt.Sprintf("%d (%s, for %s)", g.ID, printable(g.ClientName), g.Resource))
		}
	}
	if len(old) > 0 {
		log.Warn("the URL is another than some clients were let in for: they have to sign in again; --url keeps one URL", "url", endpoint, "grants", strings.Join(old, ", "))
	}
	return nil
}

// firstToken makes a token where a server that takes nothing else would have
// none, and shows it, this once.
func (o *serveOptions) firstToken(ctx context.Context, e *env, s database, log *slog.Logger) error {
	if o.gate.mode() != access.Tokens {
		return nil
	}
	switch tokens, err := s.Tokens(ctx); {
	case err != nil:
		return err
	case len(tokens) > 0:
		return nil
	}
	if o.logFormat != "text" { // a log is no place for a token
		log.Warn("there is no token yet, so nobody can call: make one by mcpstore access token create --name first")
		return nil
	}
	t := store.Token{Kind: store.APIToken, Name: "first", Scopes: store.ScopeRead}
	if o.allowWrites {
		t.Scopes |= store.ScopeWrite
	}
	text, t, err := addToken(ctx, s, t)
	if errors.Is(err, store.ErrConflict) {
		return nil // another replica was first, and showed it
	}
	if err != nil {
		return err
	}
	line := e.say("mcpstore：已建立權杖 %q（%s），只會顯示這一次：%s\n",
		"mcpstore: made the token %q (%s), which is shown only now: %s\n")
	_, err = fmt.Fprintf(e.stderr, line, t.Name, strings.Join(t.Scopes.Names(), ", "), text)
	return err
}
