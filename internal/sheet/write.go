package sheet

import (
	"bufio"
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
	English bool // the headers; if false, they are Chinese
}

// Write writes rows as CSV that [Read] reads back, and that Excel opens rightly:
// UTF-8 with a mark, without which Excel takes it for the system's encoding; a
// text that Excel would take for a formula is marked with an apostrophe, and
// one that it would take for a number or a date with a tab. Nothing is written
// where rows ends in an error before the last of them.
func Write(w io.Writer, rows iter.Seq2[store.Row, error], o WriteOptions) (err error) {
	// Which languages there are names in is known at the end, and stands in
	// the first line; so the rows wait in a file.
	body, err := os.CreateTemp("", "mcpstore-*.csv")
	if err != nil {
		return fmt.Errorf("write a sheet: make room for it: %w", err)
	}
	defer func() { err = errors.Join(err, body.Close(), os.Remove(body.Name())) }()
	t := newTable(body)
	for row, err := range rows {
		if err != nil {
			return err
		}
		t.row(&row)
	}
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write a sheet: make room for it: %w", err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	head := newTable(w)
	head.w.Write(markUTF8)
	head.header(o, t.languages)
	if err := head.w.Flush(); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	return nil
}

// WriteTemplate writes a sheet to fill in: the columns that most shops want,
// and a row to show how.
func WriteTemplate(w io.Writer, o WriteOptions) error {
	t := newTable(w)
	t.w.Write(markUTF8)
	example := []struct {
		column           column
		chinese, english string
	}{
		{colStore, "大安店", "Daan"}, {colProduct, "茶葉蛋", "Tea egg"}, {colQuantity, "12", "12"}, {colUnit, "顆", "pcs"},
		{colExpiry, "2026-12-31", "2026-12-31"}, {colPrice, "13", "13"}, {colBarcode, "4710000000017", "4710000000017"},
		{colCategory, "鮮食", "Fresh food"}, {colReorderPoint, "5", "5"}, {colAliases, "茶蛋;滷蛋", "Egg;Boiled egg"}, {colAddress, "臺北市大安區和平東路一段1號", "1 Heping E. Rd., Taipei"},
	}
	for _, c := range example {
		t.cell(headerOf(c.column, o))
	}
	t.end()
	for _, c := range example {
		text := c.chinese
		if o.English {
			text = c.english
		}
		t.cell(asText(c.column, text))
	}
	t.end()
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write a template: %w", err)
	}
	return nil
}

// headerOf returns what a column is called.
func headerOf(c column, o WriteOptions) string {
	if o.English {
		return columns[c].name
	}
	first, _, _ := strings.Cut(columns[c].headers, "|")
	return first
}

// table writes lines of cells.
type table struct {
	w         *bufio.Writer
	first     bool // of its line, the next cell is
	languages []string
}

func newTable(w io.Writer) *table {
	return &table{w: bufio.NewWriterSize(w, 64<<10), first: true}
}

// header writes the columns' names.
func (t *table) header(o WriteOptions, languages []string) {
	for c := range columnCount {
		t.cell(headerOf(c, o))
	}
	for _, l := range languages {
		if o.English {
			t.cell(store.ColumnNames + l)
		} else {
			t.cell(chineseNames + l)
		}
	}
	t.end()
}

// row writes a row. Names in languages come last, so that a language that comes
// up late does not move the others.
func (t *table) row(row *store.Row) {
	p, s := &row.Product, &row.Shop
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
		t.cell(asText(c, text))
	}
	for _, l := range slices.Sorted(maps.Keys(p.Names)) {
		if !slices.Contains(t.languages, l) {
			t.languages = append(t.languages, l)
		}
	}
	for _, l := range t.languages {
		t.cell(guard(mark(p.Names[l], false)))
	}
	t.end()
}

func digits(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// cell writes a cell, in quotes where it needs them.
func (t *table) cell(text string) {
	if !t.first {
		t.w.WriteByte(',')
	}
	t.first = false
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

// end ends a line.
func (t *table) end() {
	t.w.WriteString("\r\n")
	t.first = true
}
