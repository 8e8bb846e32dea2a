package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// records reads lines of separated cells: like encoding/csv, but it takes every
// kind of line end, counts lines as editors do, tells a quote that is out of
// place from one that is a value, and bounds what it holds.
type records struct {
	r     *bufio.Reader
	comma byte
	line  int // that comes next, from 1

	text  []byte // of the cells, one after the other
	ends  []int  // where in text they end
	cells []string
}

func newRecords(r *bufio.Reader, comma byte) *records {
	return &records{r: r, comma: comma, line: 1}
}

// places within a record
type place int

const (
	atStart  place = iota // of a cell, spaces aside
	inCell                // that is not quoted
	inQuotes              // of a cell that is
	afterEnd              // of the quotes
)

// next implements lines. The cells of a record are one string in memory.
func (c *records) next() (int, []string, error) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	first, opened := c.line, 0
	at := atStart
	start := 0 // of the cell in text
	var bad error
	for n := 0; ; n++ {
		b, err := c.r.ReadByte()
		switch {
		case err == io.EOF && n == 0:
			return 0, nil, io.EOF
		case err == io.EOF && at == inQuotes:
			return opened, nil, &badLine{`the quote that opens here never closes; close it, or double it ("") if it is part of the text`}
		case err == io.EOF:
			b = '\n'
		case err != nil:
			return first, nil, err
		}
		if n > maxRecord {
			if at == inQuotes {
				return opened, nil, &tooMuch{opened, "the quote that opens here does not close within a megabyte", `close it, or double it ("") if it is part of the text`}
			}
			return first, nil, &tooMuch{first, "the line is longer than a megabyte", "check whether the file is a CSV file with a product in each line"}
		}
		if at == inQuotes {
			switch b {
			case '"':
				at = afterEnd
				continue
			case '\n':
				c.line++
			case '\r':
				// The LF of a CR LF counts the line.
				if !c.follows('\n') {
					c.line++
				}
			}
			c.text = append(c.text, b)
			continue
		}
		if bad != nil && b != '\r' && b != '\n' {
			continue // whatever else the line has, it is not taken
		}
		switch b {
		case c.comma:
			if err := c.endCell(&start, first); err != nil {
				return first, nil, err
			}
			at = atStart
		case '\r', '\n':
			if b == '\r' && c.follows('\n') {
				c.r.Discard(1)
			}
			if err := c.endCell(&start, first); err != nil {
				return first, nil, err
			}
			c.line++
			if bad != nil {
				return first, nil, bad
			}
			return first, c.split(), nil
		case '"':
			switch at {
			case atStart:
				at, opened = inQuotes, c.line
				c.text = c.text[:start]
			case afterEnd:
				at = inQuotes
				c.text = append(c.text, '"')
			default:
				c.text = append(c.text, '"')
			}
		default:
			switch {
			case b == 0:
				bad = &badLine{"there is a zero byte in it: the file is damaged, or is not text"}
			case at == afterEnd && b != ' ':
				bad = &badLine{`text goes on after a closing quote; double the quotes ("") that are part of the text`}
			case at == atStart && b != ' ':
				at = inCell
			case at == afterEnd:
				continue
			}
			c.text = append(c.text, b)
		}
	}
}

// follows reports whether b comes next.
func (c *records) follows(b byte) bool {
	next, err := c.r.Peek(1)
	return err == nil && next[0] == b
}

// endCell ends the cell that began at start.
func (c *records) endCell(start *int, line int) error {
	if len(c.ends) == maxColumns {
		if len(c.text) > *start {
			return &tooMuch{line, fmt.Sprintf("there are more than %d columns", maxColumns), "delete those that are not about stock, or check whether the file is a CSV file"}
		}
		return nil
	}
	c.ends = append(c.ends, len(c.text))
	*start = len(c.text)
	return nil
}

// split returns the cells.
func (c *records) split() []string {
	text, from := string(c.text), 0
	c.cells = c.cells[:0]
	for _, end := range c.ends {
		c.cells = append(c.cells, text[from:end])
		from = end
	}
	return c.cells
}

// merged implements lines: nothing is merged in a text file.
func (c *records) merged(column, from, to int) (bool, error) { return false, nil }

// firstLines reads the first lines of a grid that are not blank.
func firstLines(l lines) ([]numbered, error) {
	var first []numbered
	for len(first) < headerWithin {
		line, cells, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, bad := errors.AsType[*badLine](err); bad {
			continue
		}
		if err != nil {
			return first, err
		}
		if filled(cells) > 0 {
			first = append(first, numbered{line, append([]string(nil), cells...)})
		}
	}
	return first, nil
}
