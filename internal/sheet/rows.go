package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
)

// rowReader makes rows of one sheet's lines.
type rowReader struct {
	*reader
	h        *header
	currency string

	line  int
	cells []string
	bad   *store.Problem // the first that is wrong with the line
	above [columnCount]struct {
		line int // where the column was last filled
		text string
	}
	totals   []int // lines that were left out as totals
	examples []int // likewise as a template's
}

// readRows yields the rows of the lines after h.
func (r *reader) readRows(l lines, h *header) error {
	if err := r.checkStore(h); err != nil {
		return err
	}
	r.tellIgnored(h)
	rows := &rowReader{reader: r, h: h, currency: currencyCode(r.o.Currency)}
	if rows.currency == "" {
		rows.currency = "TWD"
	}
	for {
		line, cells, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*badLine](err); ok {
			if line > h.line && !r.yield(store.Row{}, store.Problem{Sheet: h.sheet, Line: line, Why: bad.why}) {
				return errStop
			}
			continue
		}
		if err != nil {
			return r.wrap(h.sheet, err)
		}
		if line <= h.line {
			continue
		}
		rows.line, rows.cells, rows.bad = line, cells, nil
		if err := rows.fillMerged(l); err != nil {
			return r.wrap(h.sheet, err)
		}
		row, ok := rows.row()
		switch {
		case rows.bad != nil:
			ok = r.yield(store.Row{}, *rows.bad)
		case ok:
			ok = r.yield(row, nil)
		default:
			ok = true
		}
		if !ok {
			return errStop
		}
	}
	if n := len(rows.totals); n > 0 {
		r.tell(h.sheet, "left out as totals: %s", lineList(rows.totals))
	}
	if len(rows.examples) > 0 {
		r.tell(h.sheet, "left out as the template's example: %s", lineList(rows.examples))
	}
	return nil
}

// wrap says in which sheet err happened.
func (r *reader) wrap(sheet *store.Sheet, err error) error {
	if _, ok := errors.AsType[*fileError](err); ok {
		return err
	}
	if t, ok := errors.AsType[*tooMuch](err); ok {
		return &fileError{sheet.File, sheet.Name, t.line, err, t.hint}
	}
	return &fileError{sheet.File, sheet.Name, 0, cause(err), "check whether the file is whole: open it in a spreadsheet program, and save it again"}
}

// checkStore refuses quantities of which nobody knows the shop.
func (r *reader) checkStore(h *header) error {
	if h.has(colQuantity) && !h.has(colStore, colStoreID) && r.o.Store == "" {
		return &fileError{h.sheet.File, h.sheet.Name, h.line,
			fmt.Errorf("there is a column of quantities (%q) but none of stores", strings.TrimSpace(h.cells[h.at[colQuantity]])),
			"say which store it is with --store NAME, or add a column 店名"}
	}
	return nil
}

// tellIgnored tells which columns are left out.
func (r *reader) tellIgnored(h *header) {
	ignored := slices.Clip(h.unknown)
	// Without quantities there is nothing that expires.
	if h.has(colExpiry) && !h.has(colQuantity) {
		ignored = append(ignored, strings.TrimSpace(h.cells[h.at[colExpiry]]))
	}
	if n := len(ignored); n > 0 {
		const most = 10
		names := strings.Join(ignored[:min(n, most)], ", ")
		if n > most {
			names += fmt.Sprintf(" and %d more", n-most)
		}
		r.tell(h.sheet, "ignored columns: %s", shorten(names))
	}
}

// lineList writes line numbers, the first of them.
func lineList(lines []int) string {
	const most = 5
	var parts []string
	for _, n := range lines[:min(len(lines), most)] {
		parts = append(parts, fmt.Sprint(n))
	}
	s := "line " + strings.Join(parts, ", ")
	if len(lines) > most {
		s += fmt.Sprintf(" and %d more", len(lines)-most)
	}
	return s
}

// carried are the columns in which a merged cell counts for all its lines.
var carried = []column{colStore, colStoreID, colChain, colProduct, colCategory}

// fillMerged writes what stands in merged cells into each line that they span.
func (r *rowReader) fillMerged(l lines) error {
	if blank(r.cells) {
		return nil
	}
	for _, c := range carried {
		at := r.h.at[c]
		if at < 0 {
			continue
		}
		above := &r.above[c]
		if at < len(r.cells) && r.cells[at] != "" {
			above.line, above.text = r.line, r.cells[at]
			continue
		}
		if above.line == 0 {
			continue
		}
		merged, err := l.merged(at, above.line, r.line)
		if err != nil {
			return err
		}
		if merged {
			for len(r.cells) <= at {
				r.cells = append(r.cells, "")
			}
			r.cells[at] = above.text
		}
	}
	return nil
}

// fail notes what is wrong with a column of the line.
func (r *rowReader) fail(m meaning, why string) {
	if r.bad != nil {
		return
	}
	p := store.Problem{Sheet: r.h.sheet, Line: r.line, Why: why}
	if at := r.h.position(m); at >= 0 {
		p.Column = r.h.sheet.Columns[m.name()]
		if at < len(r.cells) {
			p.Value = strings.Clone(shorten(r.cells[at]))
		}
	}
	r.bad = &p
}

// failRow notes what is wrong with all of the line.
func (r *rowReader) failRow(why string) {
	if r.bad == nil {
		r.bad = &store.Problem{Sheet: r.h.sheet, Line: r.line, Why: why}
	}
}

// raw returns what stands in a column, "" where there is none.
func (r *rowReader) raw(c column) string {
	if at := r.h.at[c]; at >= 0 && at < len(r.cells) {
		return r.cells[at]
	}
	return ""
}

// text returns the name that stands in a column.
func (r *rowReader) text(c column) string {
	return r.checked(meaning{column: c}, r.texts.name(r.raw(c)))
}

// code returns the code that stands in a column, "" where it says that there is
// none.
func (r *rowReader) code(c column) string {
	text := r.checked(meaning{column: c}, r.texts.code(r.raw(c)))
	if text == "" || code.None(text) && !(c == colStoreID && strings.ContainsAny(text, "0０")) { // a store may be number 0
		return ""
	}
	if why := checkCode(text); why != "" {
		r.fail(meaning{column: c}, why)
	}
	return text
}

func (r *rowReader) checked(m meaning, c cleaned) string {
	if c.why != "" {
		r.fail(m, c.why)
	}
	return c.text
}

// list returns the names that stand in a column.
func (r *rowReader) list(c column) []string {
	return r.fewEnough(c, splitList(r.checked(meaning{column: c}, r.texts.name(linesToItems.Replace(r.raw(c)))), betweenNames))
}

// barcodes returns the barcodes of the line.
func (r *rowReader) barcodes() []string {
	const c = colBarcode
	barcodes := splitBarcodes(r.checked(meaning{column: c}, r.texts.code(linesToItems.Replace(r.raw(c)))))
	for _, b := range barcodes {
		if why := checkCode(b); why != "" {
			r.fail(meaning{column: c}, why)
		}
	}
	return r.fewEnough(c, barcodes)
}

func (r *rowReader) fewEnough(c column, items []string) []string {
	if len(items) > maxListItems {
		r.fail(meaning{column: c}, fmt.Sprintf("there are more than %d in one cell", maxListItems))
	}
	return items
}

// linesToItems keeps apart what stands on lines of its own in a cell.
var linesToItems = strings.NewReplacer("\n", ";", "\r", ";")

// count returns the number that stands in a column, nil where none does.
func (r *rowReader) count(c column, unit string) *int64 {
	text := r.checked(meaning{column: c}, r.texts.code(r.raw(c)))
	if text == "" {
		return nil
	}
	n, why := parseCount(text, unit)
	if why != "" {
		r.fail(meaning{column: c}, why)
		return nil
	}
	return &n
}
