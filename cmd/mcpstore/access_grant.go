package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

func accessGrantCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grant",
		Short: "What you allowed by signing in from ChatGPT and others",
		Example: `  mcpstore access grant list
  mcpstore access grant revoke 3`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{errors.New("grant needs to be told what to do"), "mcpstore access grant --help lists what there is, such as mcpstore access grant list"}
		},
	}
	cmd.AddCommand(grantListCommand(e), grantRevokeCommand(e))
	return cmd
}

// grantJSON is a grant, for programs.
type grantJSON struct {
	ID           int64      `json:"id"`
	Client       string     `json:"client"`
	ClientID     string     `json:"client_id"`
	RedirectHost string     `json:"redirect_host"`
	Scopes       []string   `json:"scopes"`
	Resource     string     `json:"resource"`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsed     *time.Time `json:"last_used_at"`
}

func grantListCommand(e *env) *cobra.Command {
	var o accessOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the grants that hold, newest first",
		Example: "  mcpstore access grant list --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, e, false, func(ctx context.Context, db database) error {
				return listGrants(ctx, e, db, o.json)
			})
		},
	}
	o.addFlags(cmd, e, true)
	return cmd
}

func listGrants(ctx context.Context, e *env, db database, asJSON bool) error {
	grants, err := db.Grants(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		out := []grantJSON{}
		for _, g := range grants {
			out = append(out, grantJSON{g.ID, g.ClientName, g.ClientID, g.RedirectHost, g.Scopes.Names(), g.Resource, e.local(g.CreatedAt), e.orNull(g.LastUsed)})
		}
		return printJSON(e.stdout, out)
	}
	if len(grants) == 0 {
		fmt.Fprintln(e.stderr, "mcpstore: nothing is granted; a client asks for it when it is connected to a server that runs with --auth oauth")
		return nil
	}
	list := newTable(">GRANT", "CLIENT", "SENDS YOU BACK TO", "SCOPES", "GRANTED", "LAST USED", "FOR")
	for _, g := range grants {
		list.add(g.ID, g.ClientName, g.RedirectHost, strings.Join(g.Scopes.Names(), ","), e.localTime(g.CreatedAt), e.orNever(g.LastUsed), g.Resource)
	}
	return list.print(e.stdout)
}

func grantRevokeCommand(e *env) *cobra.Command {
	var o accessOptions
	cmd := &cobra.Command{
		Use:     "revoke GRANT",
		Short:   "Take a grant back, with all its tokens",
		Example: "  mcpstore access grant revoke 3",
		Args:    one("the number of one grant", "3"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := idArgument(args, "grant", "mcpstore access grant list")
			if err != nil {
				return err
			}
			return o.with(cmd, e, false, func(ctx context.Context, db database) error {
				err := db.RevokeGrant(ctx, id)
				if errors.Is(err, store.ErrNotFound) {
					return &failure{fmt.Errorf("there is no grant %d", id), "mcpstore access grant list lists them"}
				}
				if err == nil {
					fmt.Fprintf(e.stderr, "mcpstore: grant %d is revoked: the client has to ask again from now on\n", id)
				}
				return err
			})
		},
	}
	o.addFlags(cmd, e, false)
	return cmd
}
