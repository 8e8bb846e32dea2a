package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpstore/mcpstore/internal/sheet"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tools"
)

// importOptions are the flags that say how sheets are read and taken in.
type importOptions struct {
	columns  map[string]string
	store    string
	sheets   []string
	encoding string
	currency string
	mode     string

	removeStores bool
}

// addFlags adds the flags, their names after prefix.
func (o *importOptions) addFlags(f *pflag.FlagSet, prefix string) {
	of := ""
	if prefix != "" {
		of = ", of the watched file"
	}
	f.StringToStringVar(&o.columns, prefix+"map", nil, "what a column is called, as `column=header`, such as qty=現有量 (may be repeated)"+of)
	f.StringVar(&o.store, prefix+"store", "", "the `store` that a sheet without a column of stores is about"+of)
	f.StringArrayVar(&o.sheets, prefix+"sheet", nil, "read only this `sheet` of a workbook (may be repeated)"+of)
	f.StringVar(&o.encoding, prefix+"encoding", "", "utf-8, utf-16, big5 or gb18030, if it is found out wrongly"+of)
	f.StringVar(&o.currency, prefix+"currency", "TWD", "of prices where the sheet has none"+of)
	f.StringVar(&o.mode, prefix+"mode", "merge", "merge: leave what the sheet does not name; replace: remove it from the stores that the sheet has quantities of"+of)
	f.BoolVar(&o.removeStores, prefix+"remove-stores", false, "with replace, also remove the stores and products that the sheet does not name"+of)
}

// check refuses what no import knows. The flags' names have prefix.
func (o *importOptions) check(prefix string) error {
	switch mode := store.ImportMode(o.mode); mode {
	case store.Merge, store.Replace:
	default:
		return &usageError{fmt.Errorf("--%smode %q is unknown", prefix, o.mode), "give merge or replace"}
	}
	switch {
	case o.removeStores && o.store != "":
		return &usageError{fmt.Errorf("--%sremove-stores and --%sstore exclude each other: a sheet about one store does not say which others there are", prefix, prefix),
			fmt.Sprintf("leave --%sremove-stores out to replace that store alone", prefix)}
	case o.removeStores && store.ImportMode(o.mode) != store.Replace:
		return &usageError{fmt.Errorf("--%sremove-stores goes with --%smode replace", prefix, prefix), fmt.Sprintf("add --%smode replace, or leave it out", prefix)}
	}
	if err := o.sheetOptions().Check(); err != nil {
		return &usageError{err, "mcpstore import --help lists the columns"}
	}
	return nil
}

func (o *importOptions) sheetOptions() sheet.Options {
	return sheet.Options{Map: o.columns, Store: o.store, Sheets: o.sheets, Encoding: o.encoding, Currency: o.currency}
}

func importCommand(e *env) *cobra.Command {
	var o importOptions
	var path string
	var maxErrors int
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Take a shop's own sheets in",
		Long: `Import reads CSV files and Excel workbooks (.xlsx) as shops have them, in
UTF-8, UTF-16, Big5 or GB18030, with commas, tabs or semicolons. The first line
names the columns, in Chinese or English and in any order. All rows are taken
in, or none; - reads standard input.

` + columnsHelp() + `
The first import removes the demo data.`,
		Example: `  mcpstore import 庫存.csv
  mcpstore import --dry-run 庫存.xlsx               show what would change
  mcpstore import --map qty=現有量 --store 大安店 pos.csv
  mcpstore import --mode replace --store 大安店 pos.csv
  mcpstore export --template -o 範本.csv            a sheet to fill in`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return &usageError{errors.New("import takes at least one file"), "mcpstore import 庫存.csv, or mcpstore export --template for a sheet to fill in"}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(""); err != nil {
				return err
			}
			if maxErrors < 1 {
				return &usageError{fmt.Errorf("--max-errors %d is less than one", maxErrors), "give how many bad rows to name"}
			}
			ctx := asUser(cmd.Context(), e.getenv)
			// A file that is not there should not leave an empty database.
			if err := checkFiles(args); err != nil {
				return err
			}
			db, where, forget, err := o.openFor(ctx, e, path)
			if err != nil {
				return err
			}
			kept := false
			defer func() {
				db.Close()
				if !kept {
					forget()
				}
			}()
			tell := func(text string) { fmt.Fprintln(e.stderr, "mcpstore:", printable(text)) }
			removing := func(shops []store.Shop) error {
				tell("removing " + storeNames(shops))
				return nil
			}
			if o.removeStores && !dryRun && !slices.Contains(args, "-") && isTerminal(e.stdin) && isTerminal(e.stderr) {
				if removing, err = o.confirmRemoval(ctx, e, db, args, maxErrors); err != nil {
					return importFailed(e, args, err)
				}
			}
			bar := newProgress(e.stderr, "importing")
			report, err := o.run(ctx, db, args, e.stdin, importRun{
				dryRun: dryRun, maxProblems: maxErrors, progress: bar.at, tell: tell, removing: removing,
			})
			bar.end()
			if err != nil {
				return importFailed(e, args, err)
			}
			kept = !dryRun
			if asJSON {
				return printJSON(e.stdout, newImportJSON(report, dryRun))
			}
			return printImport(ctx, e, db, report, where, dryRun)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	o.addFlags(f, "")
	f.IntVar(&maxErrors, "max-errors", 20, "name at most this many bad rows")
	f.BoolVar(&asJSON, "json", false, "print what changed as JSON")
	e.addDatabaseFlags(f, &path)
	return cmd
}

// openFor opens the database to import into. Forget removes it again if this
// made it: where nothing was imported, the demo data should still come.
func (o *importOptions) openFor(ctx context.Context, e *env, path string) (db database, where string, forget func(), err error) {
	cfg, err := e.databaseConfig(path)
	if err != nil {
		return nil, "", nil, err
	}
	_, missing := os.Stat(cfg.Path)
	db, where, err = e.openDatabase(ctx, path, false, nil)
	return db, where, func() {
		if !errors.Is(missing, fs.ErrNotExist) {
			return
		}
		for _, suffix := range []string{"-shm", "-wal", ""} {
			os.Remove(where + suffix)
		}
	}, err
}

// importRun is how one import is done.
type importRun struct {
	dryRun      bool
	maxProblems int
	progress    func(done float64, rows int) // if nil, none
	tell        func(text string)            // what is worth knowing of the sheets
	removing    func([]store.Shop) error     // called before stores are removed; its error ends the import
	still       func() error                 // if set, called after the last row; its error ends the import
}

// run takes files in.
func (o *importOptions) run(ctx context.Context, s database, files []string, stdin io.Reader, r importRun) (store.ImportReport, error) {
	// Reading takes about as long as the rest.
	const reading = 0.5
	var read atomic.Uint64 // the bits of how much, of 1
	options := o.sheetOptions()
	var err error
	if options.Store, err = o.storeName(ctx, s, r.tell); err != nil {
		return store.ImportReport{}, err
	}
	options.Tell = r.tell
	options.Progress = func(part float64) { read.Store(math.Float64bits(part)) }
	rows := ahead(ctx, sheet.Read(ctx, files, stdin, options))
	if store.ImportMode(o.mode) == store.Replace && options.Store != "" {
		rows = onlyOf(ctx, s, rows, options.Store)
	}
	return s.Import(ctx, andThen(rows, r.still), store.ImportOptions{
		Mode:         store.ImportMode(o.mode),
		DryRun:       r.dryRun,
		RemoveStores: o.removeStores,
		Removing:     r.removing,
		MaxProblems:  r.maxProblems,
		Note:         strings.Join(files, ", "),
		Progress: func(rows int, rest float64) {
			if r.progress != nil {
				r.progress(math.Float64frombits(read.Load())*reading+rest*(1-reading), rows)
			}
		},
	})
}

// confirmRemoval asks whether the stores may go that importing files removes, and
// returns what refuses to remove others.
func (o *importOptions) confirmRemoval(ctx context.Context, e *env, s database, files []string, maxProblems int) (removing func([]store.Shop) error, err error) {
	report, err := o.run(ctx, s, files, nil, importRun{dryRun: true, maxProblems: maxProblems, tell: func(string) {}})
	if err != nil {
		return nil, err
	}
	agreed := map[string]bool{}
	for _, shop := range report.GoneShops.First {
		agreed[shop.ID] = true
	}
	if len(agreed) > 0 {
		fmt.Fprintf(e.stderr, "mcpstore: this removes %s\nGo on? [y/N] ", printable(storeNames(report.GoneShops.First)))
		answer, err := readLine(ctx, e.stdin)
		if err != nil {
			return nil, err
		}
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return nil, &failure{errors.New("import: no store was to be removed; nothing was changed"), "leave --remove-stores out to keep the stores that the sheet does not name"}
		}
	}
	return func(shops []store.Shop) error {
		for _, shop := range shops {
			if !agreed[shop.ID] {
				return &failure{fmt.Errorf("import: store %q would be removed, too: the sheet or the stock has changed meanwhile; nothing was changed", shop.Name), "import it again"}
			}
		}
		return nil
	}, nil
}

// readLine reads what is typed, until ctx ends.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	line, err := untilDone(ctx, func() (string, error) { return bufio.NewReader(r).ReadString('\n') })
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}

// storeName is the name of the store that --store means, which is a new one if
// it means none that is there. What is demo data is not there any longer.
func (o *importOptions) storeName(ctx context.Context, s database, tell func(string)) (string, error) {
	if o.store == "" {
		return "", nil
	}
	summary, err := s.Summary(ctx)
	if err != nil || summary.Demo {
		return o.store, err
	}
	shop, err := tools.FindShop(ctx, s, o.store)
	if unclear, ok := errors.AsType[*tools.NotOneError](err); ok && !unclear.Several {
		if summary.Shops > 0 {
			tell(fmt.Sprintf("store %q is new", o.store))
		}
		return o.store, nil
	}
	return shop.Name, err
}

// ahead yields rows, and reads on meanwhile on another processor. When ctx ends
// it does so at once, be it that standard input keeps the reading waiting.
func ahead(ctx context.Context, rows iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error] {
	type line struct {
		row store.Row
		err error
	}
	return func(yield func(store.Row, error) bool) {
		const batch, batches = 256, 8
		lines := make(chan []line, batches)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			defer close(lines)
			next := make([]line, 0, batch)
			send := func() bool {
				select {
				case lines <- next:
					next = make([]line, 0, batch)
					return true
				case <-stop:
					return false
				}
			}
			for row, err := range rows {
				if next = append(next, line{row, err}); len(next) == batch && !send() {
					return
				}
			}
			send()
		}()
		defer func() {
			close(stop)
			select {
			case <-stopped: // and its files are closed
			case <-ctx.Done():
			}
		}()
		for {
			select {
			case <-ctx.Done():
				yield(store.Row{}, ctx.Err())
				return
			case some, more := <-lines:
				if !more {
					return
				}
				for _, l := range some {
					if !yield(l.row, l.err) {
						return
					}
				}
			}
		}
	}
}

// onlyOf yields rows until one has a quantity of another store than the one of that
// name, which alone is to be replaced.
func onlyOf(ctx context.Context, s store.Store, rows iter.Seq2[store.Row, error], name string) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		same := map[string]bool{name: true} // by what a sheet calls it
		for row, err := range rows {
			if of := cmp.Or(row.Shop.Name, row.Shop.ID); err == nil && row.Quantity != nil && !same[of] {
				if shop, err := tools.FindShop(ctx, s, of); err != nil || shop.Name != name {
					yield(store.Row{}, &failure{fmt.Errorf("import %q: line %d is of store %q, and --store is %q; nothing was changed", row.Sheet.File, row.Line, of, name),
						"leave --store out to replace what each store in the sheet has, or import a sheet of that store alone"})
					return
				}
				same[of] = true
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// andThen yields rows, and then the error of check if it has one.
func andThen(rows iter.Seq2[store.Row, error], check func() error) iter.Seq2[store.Row, error] {
	if check == nil {
		return rows
	}
	return func(yield func(store.Row, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
		if err := check(); err != nil {
			yield(store.Row{}, err)
		}
	}
}

// checkFiles refuses files that are not there before anything is done.
func checkFiles(files []string) error {
	if n := len(slices.DeleteFunc(slices.Clone(files), func(f string) bool { return f != "-" })); n > 1 {
		return &usageError{errors.New("standard input can be read once"), "give - once, and name the other files"}
	}
	for _, file := range files {
		if file == "-" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return &failure{fmt.Errorf("import: %w", err), "check the name of the file, and whether this user may read it"}
		}
		if info.IsDir() {
			return &failure{fmt.Errorf("import %q: is a folder", file), "name the files in it"}
		}
	}
	return nil
}

// importFailed tells what is wrong with the rows, and returns what ends the
// command.
func importFailed(e *env, files []string, err error) error {
	bad, ok := errors.AsType[*store.ImportError](err)
	if !ok {
		return err
	}
	for _, p := range bad.Problems {
		fmt.Fprintln(e.stderr, printable(p.Error()))
	}
	hint := "mend the sheet, and import it again"
	if bad.Count > len(bad.Problems) {
		hint += fmt.Sprintf("; --max-errors %d names them all", bad.Count)
	}
	return &failure{fmt.Errorf("import %s: %w", strings.Join(files, ", "), err), hint}
}

func printImport(ctx context.Context, e *env, s database, r store.ImportReport, where string, dryRun bool) error {
	for _, held := range r.Released {
		shop, product := namesOf(ctx, s, held.ShopID, held.ProductID)
		fmt.Fprintf(e.stderr, "mcpstore: reservation %d (%d of %s in %s) gives way: there is too little left\n", held.ID, held.Quantity, product, shop)
	}
	if !dryRun {
		if r.RemovedDemo {
			fmt.Fprintln(e.stderr, "mcpstore: the demo data was removed")
		}
		for _, line := range renames(r) {
			fmt.Fprintln(e.stderr, "mcpstore:", line)
		}
		_, err := fmt.Fprintf(e.stdout, "imported %s into %s: %s\n", counted(r.Rows, "row", "rows"), where, summarize(r))
		return err
	}
	if r.RemovedDemo {
		fmt.Fprintln(e.stdout, "the demo data would be removed")
	}
	fmt.Fprintf(e.stdout, "%s: %s\n", counted(r.Rows, "row", "rows"), summarize(r))
	printChanges(ctx, e.stdout, s, r)
	fmt.Fprintln(e.stderr, "mcpstore: this was a dry run; nothing was changed")
	return nil
}

// columnsHelp lists the columns with the headers that they are known by.
func columnsHelp() string {
	var b strings.Builder
	b.WriteString("The columns, by the names that --map takes, and some of the headers they\nare known by:\n")
	for _, c := range sheet.Columns() {
		fmt.Fprintf(&b, "  %-14s %s\n", c.Name, strings.Join(c.Headers[:min(4, len(c.Headers))], ", "))
	}
	return b.String()
}
