package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/sheet"
	"github.com/mcpstore/mcpstore/internal/store"
)

func exportCommand(e *env) *cobra.Command {
	var path string
	var out outFile
	var template bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the stock as a sheet",
		Long: `Export writes all of the stock as a sheet that Excel opens and import reads: to
import what was exported changes nothing. The file's name says whether it is an
Excel workbook (.xlsx) or CSV (.csv); standard output is CSV.`,
		Example: `  mcpstore export -o 庫存.xlsx
  mcpstore export -o 庫存.csv --force        over the file of that name
  mcpstore export --template -o 範本.xlsx    the columns, and a row to show how`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			options := sheet.WriteOptions{English: !chineseLocale(e.getenv), Workbook: out.workbook()}
			if template {
				return out.write(e, func() string { return "a template" }, func(w io.Writer) error { return sheet.WriteTemplate(w, options) })
			}
			db, _, err := e.openExisting(cmd.Context(), path)
			if err != nil {
				return err
			}
			defer db.Close()
			rows := 0
			return out.write(e, func() string { return counted(rows, "row", "rows") }, func(w io.Writer) error {
				return sheet.Write(w, counting(db.Export(cmd.Context()), &rows), options)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&out.name, "output", "o", "", "write to this `file`, which ends in .csv or .xlsx; if none, CSV to standard output")
	f.BoolVar(&out.force, "force", false, "write over the file if it is there already")
	f.BoolVar(&template, "template", false, "write an empty sheet with the columns and an example row")
	e.addDatabaseFlags(f, &path)
	return cmd
}

// counting yields rows, and counts them.
func counting(rows iter.Seq2[store.Row, error], n *int) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for row, err := range rows {
			if err == nil {
				*n++
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// outFile is where a sheet is written to.
type outFile struct {
	name  string // "" or "-" for standard output
	force bool   // over a file that is there
}

func (o *outFile) stdout() bool { return o.name == "" || o.name == "-" }

func (o *outFile) workbook() bool { return strings.EqualFold(filepath.Ext(o.name), ".xlsx") }

// check refuses what cannot be written, before anything is read. A symbolic link
// stands for what it leads to.
func (o *outFile) check() error {
	if o.stdout() {
		return nil
	}
	if !o.workbook() && !strings.EqualFold(filepath.Ext(o.name), ".csv") {
		return &usageError{fmt.Errorf("export: %q ends neither in .csv nor in .xlsx", o.name), "name the file so, or leave -o out to write CSV to standard output"}
	}
	if info, err := os.Stat(o.name); err == nil && !info.Mode().IsRegular() {
		return &usageError{fmt.Errorf("export: %q is not a file", o.name), "name a file, or leave -o out to write to standard output"}
	}
	if _, err := os.Lstat(o.name); err == nil && !o.force {
		return o.isThere()
	}
	if o.force {
		if target, err := filepath.EvalSymlinks(o.name); err == nil {
			o.name = target
		}
	}
	return nil
}

func (o *outFile) isThere() error {
	return &failure{fmt.Errorf("export: %q is there already, and was left as it is", o.name), "name another file; --force writes over this one"}
}

// write writes wholly or not at all, and says what it wrote where that is a
// file.
func (o *outFile) write(e *env, what func() string, write func(io.Writer) error) error {
	if o.stdout() {
		return write(e.stdout)
	}
	dir, base := filepath.Split(o.name)
	f, err := os.CreateTemp(filepath.Clean(dir), "."+base+"-*")
	if err != nil {
		return &failure{fmt.Errorf("export: %w", err), "name a file in a folder that this user may write to"}
	}
	defer os.Remove(f.Name()) // unless it was renamed
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(o.name); err == nil {
		mode = info.Mode().Perm()
	}
	err = errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = o.put(f.Name())
	}
	if _, there := errors.AsType[*failure](err); there {
		return err
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", o.name, err)
	}
	fmt.Fprintf(e.stderr, "mcpstore: wrote %s to %s\n", what(), printable(o.name))
	return nil
}

// put gives the finished file its name, which a file that appeared meanwhile
// keeps.
func (o *outFile) put(finished string) error {
	if o.force {
		return os.Rename(finished, o.name)
	}
	err := os.Link(finished, o.name)
	if err == nil {
		return nil
	}
	if _, there := os.Lstat(o.name); there == nil {
		return o.isThere()
	}
	return os.Rename(finished, o.name) // on a file system without links
}
