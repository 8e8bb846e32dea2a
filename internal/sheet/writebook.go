package sheet

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// bookWriter writes lines into the sheets of a workbook, as a stream.
type bookWriter struct {
	file    *excelize.File
	name    string // of the first sheet
	shown   []column
	headers []string
	most    int // lines of a sheet

	sheets int
	lines  int // of the sheet
	sheet  *excelize.StreamWriter
	styles struct{ header, text, day int }
}

// writeBook writes a workbook: the header, bold and always in view, and a line
// for each of lines. Cells behind the columns that are shown are names.
func writeBook(w io.Writer, shown []column, headers []string, lines iter.Seq2[[]string, error], o WriteOptions) (err error) {
	b := &bookWriter{file: excelize.NewFile(), name: "庫存", shown: shown, headers: headers, most: maxSheetRows}
	defer func() { err = errors.Join(err, b.file.Close()) }()
	if o.English {
		b.name = "Stock"
	}
	if err := b.begin(); err != nil {
		return err
	}
	for cells, err := range lines {
		if err != nil {
			return err
		}
		if err := b.line(cells); err != nil {
			return err
		}
	}
	if err := b.sheet.Flush(); err != nil {
		return err
	}
	return b.file.Write(w)
}

// begin makes the styles and the first sheet.
func (b *bookWriter) begin() error {
	const text = 49 // the number that Excel has for the format @
	var err1, err2, err3 error
	b.styles.header, err1 = b.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, NumFmt: text})
	// What is typed into a cell of this format stays as it is typed: a barcode
	// keeps its digits, and =1+1 is a name.
	b.styles.text, err2 = b.file.NewStyle(&excelize.Style{NumFmt: text})
	b.styles.day, err3 = b.file.NewStyle(&excelize.Style{CustomNumFmt: new("yyyy-mm-dd")})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if err := b.file.SetSheetName(b.file.GetSheetName(0), b.name); err != nil {
		return err
	}
	if err := b.file.SetDocProps(&excelize.DocProperties{Creator: "mcpstore", LastModifiedBy: "mcpstore"}); err != nil {
		return err
	}
	return b.beginSheet(b.name)
}

func (b *bookWriter) beginSheet(name string) error {
	var err error
	if b.sheet, err = b.file.NewStreamWriter(name); err != nil {
		return err
	}
	b.sheets, b.lines = b.sheets+1, 0
	for i := range b.headers {
		style, width := b.styles.text, 18.0
		switch c := columnAt(b.shown, i); {
		case c == colExpiry:
			style, width = b.styles.day, 12
		case isNumber(c):
			style, width = 0, 10
		}
		if err := errors.Join(b.sheet.SetColStyle(i+1, i+1, style), b.sheet.SetColWidth(i+1, i+1, width)); err != nil {
			return err
		}
	}
	if err := b.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(b.headers))
	for i, header := range b.headers {
		cells[i] = excelize.Cell{StyleID: b.styles.header, Value: header}
	}
	return b.put(cells)
}

// line writes a line, on another sheet where this one is full.
func (b *bookWriter) line(texts []string) error {
	if b.lines == b.most {
		if err := b.sheet.Flush(); err != nil {
			return err
		}
		name := fmt.Sprint(b.name, " ", b.sheets+1)
		if _, err := b.file.NewSheet(name); err != nil {
			return err
		}
		if err := b.beginSheet(name); err != nil {
			return err
		}
	}
	cells := make([]any, len(texts))
	for i, text := range texts {
		var err error
		if cells[i], err = b.cell(columnAt(b.shown, i), text); err != nil {
			return err
		}
	}
	return b.put(cells)
}

func (b *bookWriter) put(cells []any) error {
	b.lines++
	return b.sheet.SetRow("A"+strconv.Itoa(b.lines), cells)
}

// cell returns what a workbook has for a text of a column: a number or a day
// where Read makes the same text of it again.
func (b *bookWriter) cell(c column, text string) (any, error) {
	switch {
	case isNumber(c):
		n, err := strconv.ParseFloat(text, 64)
		if err == nil && strconv.FormatFloat(n, 'f', -1, 64) == text && rounded(n) == n {
			return n, nil
		}
	case c == colExpiry:
		day, err := time.Parse(time.DateOnly, text)
		if err == nil && day.Year() > 1900 {
			return excelize.Cell{StyleID: b.styles.day, Value: excel1970 + day.Unix()/86400}, nil
		}
	}
	if text == "" {
		return nil, nil
	}
	if len(utf16.Encode([]rune(text))) > excelize.TotalCellChars {
		return nil, fmt.Errorf("%q is longer than the %d characters that a cell of a workbook may have; write CSV instead", shorten(text), excelize.TotalCellChars)
	}
	if read := clean(text, isCode(c)); read.text != text || read.why != "" {
		text = "'" + text
	}
	return excelize.Cell{StyleID: b.styles.text, Value: text}, nil
}
