package sheet

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// WriteOptions are how a sheet is written.
type WriteOptions struct {
	English  bool // the headers; if false, they are Chinese
	Workbook bool // an Excel workbook (.xlsx); if false, CSV
}

// Write writes rows as a sheet that [Read] reads back as they are, and that Excel
// opens rightly. Nothing is written where rows ends in an error before the last
// of them.
//
// CSV is UTF-8 with a mark, without which Excel takes it for the system's
// encoding; a text that Excel would take for a formula is marked with an
// apostrophe, and one that it would take for a number or a date with a tab. In
// a workbook, texts are texts, quantities and prices numbers, and days days.
func Write(w io.Writer, rows iter.Seq2[store.Row, error], o WriteOptions) (err error) {
	// Which languages there are names in is known at the end, and stands in
	// the first line; so the rows wait in a file.
	body, err := os.CreateTemp("", "mcpstore-*.sheet")
	if err != nil {
		return fmt.Errorf("write a sheet: make room for it: %w", err)
	}
	defer func() { err = errors.Join(err, body.Close(), os.Remove(body.Name())) }()
	var languages []string
	all := make([]column, columnCount)
	for c := range all {
		all[c] = column(c)
	}
	put, flush := spool(body, all, o)
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := put(cellsOf(&row, &languages)); err != nil {
			return fmt.Errorf("write a sheet: make room for it: %w", err)
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("write a sheet: make room for it: %w", err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	if o.Workbook {
		err = writeBook(w, all, headers(all, languages, o), unspool(body), o)
	} else {
		head := newTable(w)
		head.w.Write(markUTF8)
		head.line(headers(all, languages, o), nil)
		if err = head.w.Flush(); err == nil {
			_, err = io.Copy(w, body)
		}
	}
	if err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	return nil
}

// spool returns what puts lines of cells of these columns aside: as CSV, if that is
// what they are to become.
func spool(w io.Writer, shown []column, o WriteOptions) (put func(cells []string) error, flush func() error) {
	if !o.Workbook {
		t := newTable(w)
		return func(cells []string) error { t.line(cells, shown); return nil }, t.w.Flush
	}
	b := bufio.NewWriterSize(w, 64<<10)
	lines := gob.NewEncoder(b)
	return func(cells []string) error { return lines.Encode(cells) }, b.Flush
}

// unspool yields the lines that spool put aside for a workbook.
func unspool(r io.Reader) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		lines := gob.NewDecoder(bufio.NewReaderSize(r, 64<<10))
		for {
			var cells []string
			err := lines.Decode(&cells)
			if err == io.EOF || !yield(cells, err) || err != nil {
				return
			}
		}
	}
}

// example is the line that a template has to show how, and that [Read] leaves
// out. No product has its barcode, whose check digit is wrong.
var example = []struct {
	column           column
	chinese, english string
}{
	{colStore, "大安店", "Daan"}, {colProduct, "茶葉蛋", "Tea egg"}, {colQuantity, "12", "12"}, {colUnit, "顆", "pcs"},
	{colExpiry, "2026-12-31", "2026-12-31"}, {colPrice, "13", "13"}, {colBarcode, "4710000000017", "4710000000017"},
	{colCategory, "鮮食", "Fresh food"}, {colReorderPoint, "5", "5"}, {colAliases, "茶蛋;滷蛋", "Egg;Boiled egg"}, {colAddress, "臺北市大安區和平東路一段1號", "1 Heping E. Rd., Taipei"},
}

// WriteTemplate writes a sheet to fill in: the columns that most shops want,
// and a line to show how, which [Read] leaves out.
func WriteTemplate(w io.Writer, o WriteOptions) error {
	var shown []column
	var cells []string
	for _, c := range example {
		shown = append(shown, c.column)
		if o.English {
			cells = append(cells, c.english)
		} else {
			cells = append(cells, c.chinese)
		}
	}
	var err error
	if o.Workbook {
		err = writeBook(w, shown, headers(shown, nil, o), func(yield func([]string, error) bool) { yield(cells, nil) }, o)
	} else {
		t := newTable(w)
		t.w.Write(markUTF8)
		t.line(headers(shown, nil, o), nil)
		t.line(cells, shown)
		err = t.w.Flush()
	}
	if err != nil {
		return fmt.Errorf("write a template: %w", err)
	}
	return nil
}

// headers returns what columns are called, and those of names in languages after
// them.
func headers(shown []column, languages []string, o WriteOptions) []string {
	var cells []string
	for _, c := range shown {
		name, _, _ := strings.Cut(columns[c].headers, "|")
		if o.English {
			name = columns[c].name
		}
		cells = append(cells, name)
	}
	for _, l := range languages {
		if o.English {
			cells = append(cells, store.ColumnNames+l)
		} else {
			cells = append(cells, chineseNames+l)
		}
	}
	return cells
}

// cellsOf returns a row as cells, by column. Names in languages come last, so
// that a language that comes up late does not move the others; those that are
// new are added to languages.
func cellsOf(row *store.Row, languages *[]string) []string {
	p, s := &row.Product, &row.Shop
	cells := make([]string, columnCount, int(columnCount)+len(*languages))
	for c := range columnCount {
		var text string
		switch c {
		case colStore:
			text = s.Name
		case colStoreID:
			text = s.ID
		case colStoreAliases:
			text = joinList(s.Aliases, betweenNames)
		case colChain:
			text = s.Chain
		case colChainAliases:
			text = joinList(row.ChainAliases, betweenNames)
		case colAddress:
			text = s.Address
		case colHours:
			text = s.Hours
		case colLatitude:
			if s.Location != nil {
				text = strconv.FormatFloat(s.Location.Latitude, 'f', -1, 64)
			}
		case colLongitude:
			if s.Location != nil {
				text = strconv.FormatFloat(s.Location.Longitude, 'f', -1, 64)
			}
		case colProduct:
			text = p.Name
		case colProductID:
			text = p.ID
		case colSKU:
			text = p.SKU
		case colBarcode:
			text = joinList(p.Barcodes, betweenCodes)
		case colAliases:
			text = joinList(p.Aliases, betweenNames)
		case colCategory:
			text = p.Category
		case colUnit:
			text = p.Unit
		case colPrice:
			text = p.Price
		case colCurrency:
			text = p.Currency
		case colReorderPoint:
			text = digits(row.ReorderPoint)
		case colQuantity:
			text = digits(row.Quantity)
		case colExpiry:
			text = string(row.Expiry)
		}
		cells[c] = text
	}
	for _, l := range slices.Sorted(maps.Keys(p.Names)) {
		if !slices.Contains(*languages, l) {
			*languages = append(*languages, l)
		}
	}
	for _, l := range *languages {
		cells = append(cells, p.Names[l])
	}
	return cells
}

func digits(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// table writes lines of cells as CSV.
type table struct{ w *bufio.Writer }

func newTable(w io.Writer) *table {
	return &table{bufio.NewWriterSize(w, 64<<10)}
}

// columnAt is where cell i of a line stands. Behind the columns that are shown
// stand names in languages.
func columnAt(shown []column, i int) column {
	if i < len(shown) {
		return shown[i]
	}
	return colProduct
}

// line writes a line of cells that stand in these columns, or of headers if shown
// is nil.
func (t *table) line(cells []string, shown []column) {
	for i, text := range cells {
		if i > 0 {
			t.w.WriteByte(',')
		}
		if shown != nil {
			text = asText(columnAt(shown, i), text)
		}
		t.cell(text)
	}
	t.w.WriteString("\r\n")
}

// cell writes a cell, in quotes where it needs them.
func (t *table) cell(text string) {
	if !strings.ContainsAny(text, ",;|\t\"\r\n") && !strings.HasPrefix(text, " ") && !strings.HasSuffix(text, " ") {
		t.w.WriteString(text)
		return
	}
	t.w.WriteByte('"')
	for {
		before, after, found := strings.Cut(text, `"`)
		t.w.WriteString(before)
		if !found {
			break
		}
		t.w.WriteString(`""`)
		text = after
	}
	t.w.WriteByte('"')
}
