// Package sheet reads stock from the sheets that shops have, and writes it as
// one: CSV in the encodings and dialects of Taiwan's tills and of Excel, and
// Excel's workbooks (XLSX).
//
// Begin at [Read], which yields rows for [store.Catalogue], and at [Write].
// What a sheet's columns may be called is in columns.go, how their values are
// understood in text.go, number.go, date.go and list.go. Files are not
// trusted: limits.go says how much of one is taken in.
package sheet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// Options are how sheets are read. The zero value finds everything out.
type Options struct {
	// Map says what a sheet calls a column, by the names that [Columns] has:
	// {"qty": "現有量"}. It goes before the headers that are known.
	Map map[string]string
	// Store is the shop of quantities whose rows name none.
	Store string
	// Currency is of prices whose rows name none; if "", TWD.
	Currency string
	// Sheets are those of a workbook to read; if empty, all that are visible
	// and have columns that are known.
	Sheets []string
	// Encoding is utf-8, utf-16, big5 or gb18030; if "", found out.
	Encoding string
	// Progress, if set, is called now and then with how much of the files, of
	// 1, was read. It is not called where standard input is among them.
	Progress func(read float64)
	// Tell, if set, is called with what was found out or left out.
	Tell func(text string)
}

// Check reports what no sheet could be read with: a column or an encoding that
// is not known.
func (o Options) Check() error {
	for _, key := range slices.Sorted(maps.Keys(o.Map)) {
		if _, ok := mapKey(key); !ok {
			return fmt.Errorf("map %q: there is no column %q; there are %s", key+"="+o.Map[key], key, strings.Join(columnNames(), ", "))
		}
		if strings.TrimSpace(o.Map[key]) == "" {
			return fmt.Errorf("map %q: the header is missing; write it as %s=HEADER", key+"=", key)
		}
	}
	if _, ok := encodings[encodingName(o.Encoding)]; !ok && o.Encoding != "" {
		return fmt.Errorf("encoding %q is not one of utf-8, utf-16, big5, gb18030", o.Encoding)
	}
	if o.Currency != "" && currencyCode(o.Currency) == "" {
		return fmt.Errorf("currency %q is not a code such as TWD", o.Currency)
	}
	return nil
}

// Read reads files, one after the other, of which "-" is stdin. A row that
// cannot be understood is yielded as a [store.Problem], and reading goes on;
// any other error ends it, says where and why, and has a method Hint that says
// what to do. The rows can be ranged over once.
func Read(ctx context.Context, files []string, stdin io.Reader, o Options) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if err := o.Check(); err != nil {
			yield(store.Row{}, err)
			return
		}
		r := &reader{
			ctx: ctx, stdin: stdin, o: o, yield: yield,
			texts: newTexts(), unmatched: maps.Clone(o.Map), left: len(files),
		}
		r.total = totalSize(files)
		for _, file := range files {
			r.left--
			if err := r.readFile(file); err != nil {
				if !errors.Is(err, errStop) {
					yield(store.Row{}, err)
				}
				return
			}
		}
	}
}

// errStop says that whoever ranges over the rows wants no more of them.
var errStop = errors.New("enough")

// reader is one run over files.
type reader struct {
	ctx   context.Context
	stdin io.Reader
	o     Options
	yield func(store.Row, error) bool

	texts     *texts
	unmatched map[string]string // what of o.Map no header was, so far
	unknown   []string          // headers that are not known, for suggestions
	left      int               // files after this one
	done      int64             // bytes of the files before this one
	total     int64             // bytes of all files; 0 where that is not known
}

// readFile yields the rows of one file.
func (r *reader) readFile(name string) error {
	src, err := r.open(name)
	if err != nil {
		return err
	}
	defer src.close()
	if err := src.read(); err != nil {
		// Whatever else went wrong, it is because the context ended.
		if !errors.Is(err, errStop) && r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		return err
	}
	r.done += src.size
	return nil
}

// tell passes on what is worth knowing of a sheet.
func (r *reader) tell(sheet *store.Sheet, format string, args ...any) {
	if r.o.Tell == nil {
		return
	}
	where := sheet.File
	if sheet.Name != "" {
		where += fmt.Sprintf(", sheet %q", sheet.Name)
	}
	r.o.Tell(where + ": " + fmt.Sprintf(format, args...))
}

// foundHeader notes which of the mapped headers h has. Where no other header
// can follow, those that nothing has are an error.
func (r *reader) foundHeader(h *header, last bool) error {
	for _, key := range h.mapped {
		delete(r.unmatched, key)
	}
	r.unknown = append(r.unknown, h.unknown...)
	if !last || len(r.unmatched) == 0 {
		return nil
	}
	key := slices.Sorted(maps.Keys(r.unmatched))[0]
	header := r.unmatched[key]
	hint := "write the header as the sheet does"
	if near := nearHeaders(header, slices.Concat(r.unknown, h.cells)); len(near) > 0 {
		hint += ", such as " + option("map", key+"="+near[0])
		if len(near) > 1 {
			hint += "; there are also " + quoteList(near[1:])
		}
	} else {
		hint += "; there are " + quoteList(h.cells)
	}
	return &fileError{h.sheet.File, h.sheet.Name, h.line, fmt.Errorf("there is no column %q for %q", header, key), hint}
}

// nearHeaders returns those of headers that s may have meant.
func nearHeaders(s string, headers []string) []string {
	asked := fold.String(s)
	type near struct {
		header string
		score  int
	}
	var found []near
	for _, header := range headers {
		name := fold.String(header)
		score, ok := fold.Near(asked, name)
		if !ok && name != "" && asked != "" && (strings.Contains(name, asked) || strings.Contains(asked, name)) {
			score, ok = 10, true
		}
		if ok && !slices.ContainsFunc(found, func(n near) bool { return n.header == header }) {
			found = append(found, near{header, score})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.score - b.score })
	var names []string
	for _, n := range found[:min(len(found), 3)] {
		names = append(names, n.header)
	}
	return names
}

// lines are the rows of a grid.
type lines interface {
	// next returns the next line's number and cells, which are valid until the
	// one after, or io.EOF. A badLine is of one line only.
	next() (line int, cells []string, err error)
	// merged reports whether the cell of the column that starts in the line
	// from spans to the line to.
	merged(column, from, to int) (bool, error)
}
