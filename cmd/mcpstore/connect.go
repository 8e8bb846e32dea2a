package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/openai"
)

// connectOptions are the flags of mcpstore connect.
type connectOptions struct {
	target, sdk string
	url         string
	auth        string
	publicReads bool
	allowWrites bool
	model       string
	db          string
}

func connectCommand(e *env) *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Say what to paste where, to use the server from OpenAI",
		Long: `Connect prints what to paste where so that OpenAI's Playground, the Responses
API, the Agents SDK, ChatGPT or the MCP Inspector uses the server that runs on
this machine, or the one at --url. It prints no secret: tokens are taken from
MCPSTORE_TOKEN, and OpenAI's key from OPENAI_API_KEY.`,
		Example: `  mcpstore connect
  mcpstore connect --for chatgpt
  mcpstore connect --for responses --sdk python >ask.py
  mcpstore connect --for agents --url https://your-name.ngrok-free.dev/mcp --auth token`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("connect takes no arguments, got %q", args[0]), "say what for by a flag, such as mcpstore connect --for chatgpt"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runConnect(cmd, e, &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.target, "for", "", "`where` to use it: "+openai.List(openai.Targets)+" (default: all)")
	f.StringVar(&o.sdk, "sdk", "", "print only the code, for `SDK`: curl, python, typescript or go")
	f.StringVar(&o.url, "url", "", "`URL` of a server elsewhere (default: the one that runs on this machine)")
	f.StringVar(&o.auth, "auth", string(access.None), "who may call the server at --url: none, token, oauth or oidc")
	f.BoolVar(&o.publicReads, "public-reads", false, "the server at --url lets anyone read")
	f.BoolVar(&o.allowWrites, "allow-writes", false, "the server at --url lets clients change the stock")
	f.StringVar(&o.model, "model", openai.DefaultModel, "`model` that the code asks")
	e.addDatabaseFlags(f, &o.db)
	return cmd
}

func runConnect(cmd *cobra.Command, e *env, o *connectOptions) error {
	target, sdk := openai.Target(o.target), openai.SDK(o.sdk)
	if err := checkTarget(target, sdk); err != nil {
		return err
	}
	c, err := o.connection(cmd, e)
	if err != nil {
		return err
	}
	err = openai.Connect(e.stdout, c, target, sdk, e.say("zh-TW", "en"))
	if errors.Is(err, openai.ErrLocal) {
		return &failure{err, "start mcpstore without --local, or use what reaches it: mcpstore connect --for agents, or --for inspector"}
	}
	return err
}

// checkTarget refuses what there is nothing to print for.
func checkTarget(target openai.Target, sdk openai.SDK) error {
	switch {
	case target != "" && !slices.Contains(openai.Targets, target):
		return &usageError{fmt.Errorf("--for %q is unknown", target), "give one of " + openai.List(openai.Targets)}
	case sdk == "" || slices.Contains(target.SDKs(), sdk):
		return nil
	case target == "":
		return &usageError{fmt.Errorf("--sdk %q does not say what for", sdk), "add --for responses or --for agents"}
	case len(target.SDKs()) == 0:
		return &usageError{fmt.Errorf("--for %s has no code", target), "leave --sdk out, or give --for responses or --for agents"}
	default:
		return &usageError{fmt.Errorf("--sdk %q is unknown for %s", sdk, target), "give one of " + openai.List(target.SDKs())}
	}
}

// connection is what the flags say of a server, or what the one says of itself
// that runs on this machine. A URL from the environment is the one that mcpstore
// asks ngrok for: it means the running server where there is one.
func (o *connectOptions) connection(cmd *cobra.Command, e *env) (openai.Connection, error) {
	cfg, err := e.databaseConfig(o.db)
	if err != nil {
		return openai.Connection{}, err
	}
	model := strings.TrimSpace(o.model)
	if model == "" {
		return openai.Connection{}, &usageError{errors.New("--model is empty"), "name one, such as --model " + openai.DefaultModel}
	}
	if !givenAsFlag(cmd, "url") {
		for _, name := range []string{"auth", "public-reads", "allow-writes"} {
			if givenAsFlag(cmd, name) {
				return openai.Connection{}, &usageError{fmt.Errorf("--%s describes the server at --url", name), "add --url, or leave it out: the server on this machine says so itself"}
			}
		}
		if s, ok := runningServer(cfg.Path); ok {
			database := o.db
			if abs, err := filepath.Abs(database); database != "" && err == nil {
				database = abs // what is printed is typed elsewhere
			}
			return openai.Connection{
				URL: s.URL, Auth: s.Auth, PublicReads: s.PublicReads, Writes: s.Writes, Local: s.Local,
				Passphrase: s.Passphrase, Question: s.Question, Model: model, Database: database,
			}, nil
		}
		if o.url == "" {
			return openai.Connection{}, &failure{fmt.Errorf("no server of the database %q runs on this machine", cfg.Path),
				"start mcpstore in another terminal first, or give the URL of one: --url https://your-name.ngrok-free.dev/mcp; --db names another database"}
		}
	}
	endpoint, err := endpointURL("--url", o.url)
	if err != nil {
		return openai.Connection{}, err
	}
	if !slices.Contains([]access.Mode{access.None, access.Tokens, access.OAuth, access.OIDC}, access.Mode(o.auth)) {
		return openai.Connection{}, &usageError{fmt.Errorf("--auth %q is unknown", o.auth), "give none, token, oauth or oidc"}
	}
	if o.allowWrites && o.auth == string(access.None) && !isPrivate(endpoint.Hostname()) {
		return openai.Connection{}, &usageError{errors.New("no public server lets anybody change the stock: --allow-writes goes with --auth token, oauth or oidc"), "say by --auth how that server knows who calls"}
	}
	return openai.Connection{
		URL: endpoint.String(), Auth: o.auth, PublicReads: o.publicReads, Writes: o.allowWrites, Local: isPrivate(endpoint.Hostname()),
		Model: model, Elsewhere: true,
	}, nil
}

// endpointURL is the MCP endpoint that a flag names: people leave out the path,
// or paste a slash too many.
func endpointURL(flag, text string) (*url.URL, error) {
	hint := "give the one that mcpstore printed, such as " + flag + " https://your-name.ngrok-free.dev/mcp"
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil: // its words repeat the URL, which may hold a password
		return nil, &usageError{fmt.Errorf("%s is not a URL", flag), hint}
	case u.User != nil:
		return nil, &usageError{fmt.Errorf("%s holds a user name or password", flag), "leave it out; what a server wants is a token"}
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, &usageError{fmt.Errorf("%s %q is not an http or https URL", flag, text), hint}
	case u.RawQuery != "" || u.Fragment != "":
		return nil, &usageError{fmt.Errorf("%s has more than a path", flag), hint}
	}
	switch strings.TrimSuffix(u.Path, "/") {
	case "", "/mcp":
		u.Path, u.RawPath = "/mcp", ""
	default:
		return nil, &usageError{fmt.Errorf("%s %q does not end in /mcp", flag, text), hint}
	}
	return u, nil
}

// isPrivate reports whether a host is one that the internet does not reach.
func isPrivate(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	addr = addr.Unmap()
	return err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified())
}
