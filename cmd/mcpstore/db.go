package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

func dbCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Check the database, back it up, bring it back",
		Example: `  mcpstore db verify
  mcpstore db backup shop-2026-11-22.db
  mcpstore db restore shop-2026-11-22.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{errors.New("db needs to be told what to do"), "mcpstore db --help lists what there is, such as mcpstore db verify"}
		},
	}
	cmd.AddCommand(dbVerifyCommand(e), dbBackupCommand(e), dbRestoreCommand(e))
	return cmd
}

// errVerify ends a check whose findings were printed.
var errVerify = errors.New("the database is damaged, or was changed by another program")

// mostDiscrepancies is how many are printed of what does not match.
const mostDiscrepancies = 100

func dbVerifyCommand(e *env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read everything, and add the whole ledger up again",
		Long: `Verify reads all that answers are made from, adds up all movements, and compares
the sums with the levels, the lots, the reservations, the receipts and the totals
that are kept beside them, and what products and stores are called with what
finds them. It prints what is wrong and where, and ends with 1 then. It changes
nothing, except that it upgrades an older database, after a backup, as every
command does. It can run while a server has the database.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, path, err := e.openExisting(cmd.Context(), path)
			if err != nil {
				return err
			}
			defer db.Close()
			return verify(cmd.Context(), e, db, path)
		},
	}
	e.addDatabaseFlags(cmd.Flags(), &path)
	return cmd
}

func verify(ctx context.Context, e *env, db database, path string) error {
	found, err := db.Verify(ctx, mostDiscrepancies+1)
	if err != nil {
		return err
	}
	printDamage(e.stdout, "", found)
	if len(found) > 0 {
		return &failure{errVerify, "bring a backup back by mcpstore db restore FILE, or count what differs: mcpstore stock count"}
	}
	fmt.Fprintf(e.stdout, "ok: %s matches its ledger\n", path)
	return nil
}

// printDamage prints what is wrong, each on a line that begins with prefix.
func printDamage(w io.Writer, prefix string, found []store.Discrepancy) {
	for i, d := range found {
		if i == mostDiscrepancies {
			fmt.Fprintln(w, prefix+"…")
			break
		}
		fmt.Fprintln(w, prefix+printable(d.String()))
	}
}

func dbBackupCommand(e *env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the database, also while a server has it",
		Args:  oneFile("backup", "shop-backup.db"),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, path, err := e.openExisting(cmd.Context(), path)
			if err != nil {
				return err
			}
			defer db.Close()
			if err := db.Backup(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "mcpstore: copied %s to %s\n", path, args[0])
			return nil
		},
	}
	e.addDatabaseFlags(cmd.Flags(), &path)
	return cmd
}

func dbRestoreCommand(e *env) *cobra.Command {
	var path string
	var damaged bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the database's place, and keep the old one",
		Long: `Restore verifies the backup first, and keeps the database that was there beside
it. Stop the server before: it is refused while one has the database.

With --damaged it prints what is wrong with the backup, and restores it all the
same, so long as it can be opened.`,
		Args: oneFile("restore", "shop-backup.db"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := e.databaseConfig(path)
			if err != nil {
				return err
			}
			var tell func([]store.Discrepancy)
			if damaged {
				tell = func(found []store.Discrepancy) { printDamage(e.stderr, "mcpstore: damaged: ", found) }
			}
			kept, err := restoreDatabase(cmd.Context(), args[0], cfg.Path, tell)
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "mcpstore: %s is now what %s was\n", cfg.Path, args[0])
			if kept != "" {
				fmt.Fprintf(e.stderr, "mcpstore: the old database is kept as %s\n", kept)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&damaged, "damaged", false, "restore a backup that is damaged, too, and name what is wrong with it")
	e.addDatabaseFlags(cmd.Flags(), &path)
	return cmd
}

func oneFile(command, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return &usageError{fmt.Errorf("%s takes one file, not %d", command, len(args)), cmd.CommandPath() + " " + example}
	}
}
