package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/sheet"
)

func exportCommand(e *env) *cobra.Command {
	var path, out string
	var template bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the stock as a sheet",
		Long: `Export writes all of the stock as CSV that Excel opens and import reads: to
import what was exported changes nothing.`,
		Example: `  mcpstore export -o 庫存.csv
  mcpstore export --template -o 範本.csv     the columns, and a row to show how`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := sheet.WriteOptions{English: !chineseLocale(e.getenv)}
			if template {
				return writeOut(e, out, func(w io.Writer) error { return sheet.WriteTemplate(w, options) })
			}
			db, _, err := openExisting(cmd.Context(), path, e.getenv)
			if err != nil {
				return err
			}
			defer db.Close()
			return writeOut(e, out, func(w io.Writer) error {
				return sheet.Write(w, db.Export(cmd.Context()), options)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&out, "output", "o", "", "write to this `file`; if none, to standard output")
	f.BoolVar(&template, "template", false, "write an empty sheet with the columns and an example row")
	addDatabaseFlag(f, &path)
	return cmd
}

// writeOut writes to a file, wholly or not at all, or to standard output.
func writeOut(e *env, file string, write func(io.Writer) error) error {
	if file == "" || file == "-" {
		return write(e.stdout)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return &usageError{fmt.Errorf("export: %q is not a file", file), "name a file, or leave -o out to write to standard output"}
	}
	dir, base := filepath.Split(file)
	f, err := os.CreateTemp(filepath.Clean(dir), "."+base+"-*")
	if err != nil {
		return &failure{fmt.Errorf("export: %w", err), "name a file in a folder that this user may write to"}
	}
	defer os.Remove(f.Name()) // unless it was renamed
	err = errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", file, err)
	}
	return nil
}
