package sheet

import (
	"fmt"
	"io"
	"strconv"
)

// grid is a sheet of a workbook, read row by row.
type grid struct {
	w     *workbook
	part  part
	r     io.ReadCloser
	x     *xmlReader
	line  int
	rows  int
	cells []string
	text  richText
	ended bool

	merges map[cellRef]int // where a merged cell that starts there ends; nil until it is asked for
}

// cellRef is a cell's column, from 0, and line, from 1.
type cellRef struct{ column, line int }

func (w *workbook) open(p part) (*grid, error) {
	r, err := w.reader(p.path, maxPart)
	if err != nil {
		return nil, err
	}
	return &grid{w: w, part: p, r: r, x: newXMLReader(r)}, nil
}

func (g *grid) close() { g.r.Close() }

// next implements lines. Rows without cells are passed over.
func (g *grid) next() (int, []string, error) {
	for !g.ended {
		token, err := g.x.next()
		if err == io.EOF {
			g.ended = true
			break
		}
		if err != nil {
			return g.line, nil, err
		}
		if token != xmlStart || string(g.x.name) != "row" {
			continue
		}
		g.line++
		if n, err := strconv.Atoi(string(g.x.attr("r"))); err == nil {
			g.line = n
		}
		if g.rows++; g.rows > maxSheetRows || g.line > maxSheetRows {
			return g.line, nil, &tooMuch{g.line, fmt.Sprintf("there are more than %d rows", maxSheetRows), asCSV}
		}
		if err := g.row(); err != nil {
			return g.line, nil, err
		}
		if len(g.cells) > 0 {
			return g.line, g.cells, nil
		}
	}
	return 0, nil, io.EOF
}

// row reads the cells of the row that was started.
func (g *grid) row() error {
	g.cells = g.cells[:0]
	column, size := -1, 0
	for depth := g.x.depth; g.x.depth >= depth; {
		token, err := g.x.next()
		if err != nil {
			return err
		}
		if token != xmlStart || string(g.x.name) != "c" {
			continue
		}
		column++
		if ref := g.x.attr("r"); ref != nil {
			if column, err = columnOf(ref); err != nil {
				return err
			}
		}
		text, err := g.cell()
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if column >= maxColumns {
			return &tooMuch{g.line, fmt.Sprintf("there are more than %d columns", maxColumns), "delete those that are not about stock"}
		}
		if size += len(text); size > maxRecord {
			return &tooMuch{g.line, "the row is longer than a megabyte", asCSV}
		}
		for len(g.cells) <= column {
			g.cells = append(g.cells, "")
		}
		g.cells[column] = text
	}
	return nil
}

// cell reads what stands in the cell that was started.
func (g *grid) cell() (string, error) {
	if g.x.ends {
		return "", nil
	}
	kind := kindOf(g.x.attr("t"))
	var st style
	if number := g.x.attr("s"); number != nil {
		if i, err := strconv.Atoi(string(number)); err == nil && 0 <= i && i < len(g.w.styles) {
			st = g.w.styles[i]
		}
	}
	g.text.raw = g.text.raw[:0]
	inValue, value, formula := false, false, false
	for depth := g.x.depth; g.x.depth >= depth; {
		token, err := g.x.next()
		if err != nil {
			return "", err
		}
		switch token {
		case xmlText:
			if inValue {
				g.text.add(g.x.text)
			}
		case xmlEnd:
			inValue = false
		case xmlStart:
			switch string(g.x.name) {
			case "v":
				inValue, value = true, true
			case "is":
				if err := g.text.read(g.x); err != nil {
					return "", err
				}
				return g.text.String(), g.x.skip()
			case "f":
				formula = true
			}
		}
	}
	switch {
	case !value && formula:
		return "=", nil // which says in any column that the result is missing
	case len(g.text.raw) == 0:
		return "", nil
	case kind == 's':
		return g.w.strings.at(g.text.raw)
	case kind == 'n':
		return g.w.number(string(g.text.raw), st), nil
	case kind == 'b' && string(g.text.raw) == "1":
		return "TRUE", nil
	case kind == 'b':
		return "FALSE", nil
	}
	return g.text.String(), nil // a formula's text, an error, or a date as text
}

// kindOf returns what a cell holds: 's' a shared string, 'n' a number, 'b' a
// truth, 0 anything else as text.
func kindOf(t []byte) byte {
	switch string(t) {
	case "s":
		return 's'
	case "", "n":
		return 'n'
	case "b":
		return 'b'
	}
	return 0
}

// columnOf returns the column of a reference such as AB12, from 0.
func columnOf(ref []byte) (int, error) {
	n := 0
	for i, c := range ref {
		switch {
		case 'A' <= c && c <= 'Z' && i < 3:
			n = n*26 + int(c-'A') + 1
		case '0' <= c && c <= '9' && i > 0:
			return n - 1, nil
		default:
			return 0, fmt.Errorf("there is no cell %q", shorten(string(ref)))
		}
	}
	return 0, fmt.Errorf("there is no cell %q", shorten(string(ref)))
}

// merged implements lines. The merged cells stand behind all rows, and most
// sheets have none, so they are read when first asked for, by going through the
// sheet once more.
func (g *grid) merged(column, from, to int) (bool, error) {
	if g.merges == nil {
		if err := g.readMerges(); err != nil {
			return false, err
		}
	}
	return to <= g.merges[cellRef{column, from}], nil
}

func (g *grid) readMerges() error {
	r, err := g.w.reader(g.part.path, maxPart)
	if err != nil {
		return err
	}
	defer r.Close()
	g.merges = make(map[cellRef]int)
	x := newXMLReader(r)
	for {
		token, err := x.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if token != xmlStart || string(x.name) != "mergeCell" {
			continue
		}
		from, to, ok := rangeOf(x.attr("ref"))
		if !ok || from.line == to.line {
			continue
		}
		if len(g.merges) == maxMerges {
			return &tooMuch{0, fmt.Sprintf("there are more than %d merged cells", maxMerges), "unmerge them, or " + asCSV}
		}
		g.merges[from] = to.line
	}
}

// rangeOf reads a reference such as A2:B10.
func rangeOf(ref []byte) (from, to cellRef, ok bool) {
	var letters1, letters2 []byte
	for i, c := range ref {
		if c == ':' {
			letters1, letters2 = ref[:i], ref[i+1:]
		}
	}
	from, ok1 := refOf(letters1)
	to, ok2 := refOf(letters2)
	return from, to, ok1 && ok2
}

func refOf(ref []byte) (cellRef, bool) {
	column, err := columnOf(ref)
	if err != nil {
		return cellRef{}, false
	}
	i := 0
	for ref[i] >= 'A' {
		i++
	}
	line, err := strconv.Atoi(string(ref[i:]))
	return cellRef{column, line}, err == nil
}
