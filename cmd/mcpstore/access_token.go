package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

func accessTokenCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Tokens for the Responses API, the Agents SDK, CI and scripts",
		Example: `  mcpstore access token create --name ci --scope stock:read
  mcpstore access token list
  mcpstore access token revoke ci`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{errors.New("token needs to be told what to do"), "mcpstore access token --help lists what there is, such as mcpstore access token list"}
		},
	}
	cmd.AddCommand(tokenCreateCommand(e), tokenListCommand(e), tokenRevokeCommand(e))
	return cmd
}

// tokenOptions are the flags of access token create.
type tokenOptions struct {
	accessOptions
	name    string
	scopes  []string
	store   string
	expires days
	note    string // about what was asked for
}

func tokenCreateCommand(e *env) *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, this once",
		Long: `Create prints a new token on stdout. Only its hash is kept, so that nobody can
show it again: put it where it is needed right away. A server that runs with
--auth token, oauth or oidc takes it at once.`,
		Example: `  mcpstore access token create --name ci --scope stock:read --expires 90d
  mcpstore access token create --name till-7 --scope stock:read,stock:write --store KOKO大安`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := o.token(e.now())
			if err != nil {
				return err
			}
			if o.note != "" {
				fmt.Fprintln(e.stderr, o.note)
			}
			return o.with(cmd, e, true, func(ctx context.Context, db database) error {
				return createToken(ctx, e, db, t, o.store)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "`name` by which you will know it")
	f.StringSliceVar(&o.scopes, "scope", []string{"stock:read"}, "what it lets do: `stock:read`, stock:write, or both with a comma")
	f.StringVar(&o.store, "store", "", "let it see and change this `store` alone")
	f.Var(&o.expires, "expires", "end it after this long, such as 90d (default: it does not end)")
	o.addFlags(cmd, e, false)
	return cmd
}

// maxTokenName bounds the name of a token, in bytes.
const maxTokenName = 100

// token returns the token that the flags ask for, without its store.
func (o *tokenOptions) token(now time.Time) (store.Token, error) {
	t := store.Token{Kind: store.APIToken, Name: strings.TrimSpace(printable(o.name))}
	switch {
	case t.Name == "":
		return t, &usageError{errors.New("--name is missing"), "name what the token is for, such as --name ci"}
	case strings.Trim(t.Name, "0123456789") == "":
		return t, &usageError{fmt.Errorf("--name %q could be a token's number", t.Name), "add a letter, such as --name till-" + t.Name}
	case len(t.Name) > maxTokenName:
		return t, &usageError{fmt.Errorf("--name has %d bytes", len(t.Name)), fmt.Sprintf("make it at most %d", maxTokenName)}
	}
	var err error
	if t.Scopes, err = store.ParseScopes(o.scopes...); err != nil {
		return t, &usageError{fmt.Errorf("--scope: %w", err), "give --scope stock:read, or --scope stock:read,stock:write"}
	}
	if t.Scopes == store.ScopeWrite {
		o.note = "mcpstore: it may change the stock and not look it up: most want --scope stock:read,stock:write"
	}
	if t.Scopes == 0 {
		return t, &usageError{errors.New("--scope is empty"), "give --scope stock:read, or --scope stock:read,stock:write"}
	}
	if o.expires > 0 {
		t.ExpiresAt = now.Add(time.Duration(o.expires))
	}
	return t, nil
}

// createToken adds t, for the named store alone if there is one, and prints
// its secret.
func createToken(ctx context.Context, e *env, db database, t store.Token, shop string) error {
	only := ""
	if shop != "" {
		found, err := findShop(ctx, db, shop)
		if err != nil {
			return err
		}
		t.Shop = found.ID
		only = " of " + printable(found.Name) + " alone"
	}
	text, t, err := addToken(ctx, db, t)
	if errors.Is(err, store.ErrConflict) {
		return &failure{fmt.Errorf("there is a token %q already", t.Name),
			fmt.Sprintf("choose another name, or end that one first: mcpstore access token revoke %q", t.Name)}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "mcpstore: token %d %q may use %s%s; it ends %s\nmcpstore: it is shown only now:\n",
		t.ID, t.Name, strings.Join(t.Scopes.Names(), " and "), only, e.orNever(t.ExpiresAt))
	_, err = fmt.Fprintln(e.stdout, text)
	return err
}

// addToken adds an API token and returns its secret, which nobody else has.
func addToken(ctx context.Context, s access.Storage, t store.Token) (string, store.Token, error) {
	text := secret.New(secret.API)
	t.Hash = store.HashOf(text)
	kept, err := s.AddToken(ctx, t)
	if err != nil {
		return "", t, err
	}
	return text, kept, nil
}

// tokenJSON is a token, for programs.
type tokenJSON struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	StoreID   string     `json:"store_id,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	State     string     `json:"state"` // "active", "expired" or "revoked"
}

func (e *env) newTokenJSON(t store.Token) tokenJSON {
	return tokenJSON{t.ID, t.Name, t.Scopes.Names(), t.Shop, e.local(t.CreatedAt), e.orNull(t.ExpiresAt), e.orNull(t.LastUsed), e.orNull(t.RevokedAt), e.tokenState(t)}
}

// orNull is a time for programs; nil where there is none.
func (e *env) orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(e.local(t))
}

func (e *env) tokenState(t store.Token) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.Holds(e.now()):
		return "expired"
	}
	return "active"
}

func tokenListCommand(e *env) *cobra.Command {
	var o accessOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tokens, newest first",
		Example: "  mcpstore access token list --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, e, false, func(ctx context.Context, db database) error {
				return listTokens(ctx, e, db, o.json)
			})
		},
	}
	o.addFlags(cmd, e, true)
	return cmd
}

func listTokens(ctx context.Context, e *env, db database, asJSON bool) error {
	tokens, err := db.Tokens(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		out := []tokenJSON{}
		for _, t := range tokens {
			out = append(out, e.newTokenJSON(t))
		}
		return printJSON(e.stdout, out)
	}
	tokens = slices.DeleteFunc(tokens, func(t store.Token) bool { // of each question that was asked there was one
		_, lent := isLent(t)
		return lent && e.tokenState(t) != "active"
	})
	if len(tokens) == 0 {
		fmt.Fprintln(e.stderr, "mcpstore: there are no tokens; mcpstore access token create makes one")
		return nil
	}
	list := newTable(">TOKEN", "NAME", "SCOPES", "STORE", "MADE", "ENDS", "LAST USED", "STATE")
	for _, t := range tokens {
		only := "all"
		if t.Shop != "" {
			only, _ = namesOf(ctx, db, t.Shop, "")
		}
		list.add(t.ID, t.Name, strings.Join(t.Scopes.Names(), ","), only, e.localTime(t.CreatedAt), e.orNever(t.ExpiresAt), e.orNever(t.LastUsed), e.tokenState(t))
	}
	return list.print(e.stdout)
}

func tokenRevokeCommand(e *env) *cobra.Command {
	var o accessOptions
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "End a token, by its name or number",
		Example: `  mcpstore access token revoke ci
  mcpstore access token revoke 7`,
		Args: one("the name or number of one token", "ci"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, e, false, func(ctx context.Context, db database) error {
				return revokeToken(ctx, e, db, args[0])
			})
		},
	}
	o.addFlags(cmd, e, false)
	return cmd
}

func revokeToken(ctx context.Context, e *env, db database, which string) error {
	tokens, err := db.Tokens(ctx)
	if err != nil {
		return err
	}
	found, ok := findToken(tokens, which)
	if !ok {
		return &failure{fmt.Errorf("there is no token %q", which), "mcpstore access token list lists them"}
	}
	if !found.RevokedAt.IsZero() {
		fmt.Fprintf(e.stderr, "mcpstore: token %d %q was revoked before, at %s\n", found.ID, found.Name, e.localTime(found.RevokedAt))
		return nil
	}
	if err := db.RevokeToken(ctx, found.ID); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "mcpstore: token %d %q is revoked: whoever sends it is refused from now on\n", found.ID, found.Name)
	return nil
}

// findToken finds the token that is meant by its name or number. Of several
// that had the same name, the one that holds is meant, or else the newest.
func findToken(tokens []store.Token, which string) (store.Token, bool) {
	for _, is := range []func(store.Token) bool{
		func(t store.Token) bool { return t.Name == which && t.RevokedAt.IsZero() },
		func(t store.Token) bool { return fmt.Sprint(t.ID) == which },
		func(t store.Token) bool { return t.Name == which },
	} {
		if i := slices.IndexFunc(tokens, is); i >= 0 {
			return tokens[i], true
		}
	}
	return store.Token{}, false
}
