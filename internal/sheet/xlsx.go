package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// workbook is an XLSX file, a ZIP archive of XML parts. It is read as a stream,
// a row at a time.
type workbook struct {
	parts    map[string]*zip.File // by lower-case name
	sheets   []part
	strings  *sharedStrings
	styles   []style
	from1904 bool
}

// part is a sheet of a workbook.
type part struct {
	name   string
	path   string
	hidden bool
}

const (
	saveAgain = "open it in Excel or LibreOffice, save it as .xlsx or as CSV UTF-8, and import that"
	asCSV     = "save its sheets as CSV UTF-8, and import those"
)

// workbook yields the rows of the sheets of a workbook.
func (s *source) workbook() error {
	file, size, err := s.whole()
	if err != nil {
		return err
	}
	w, err := s.openWorkbook(file, size)
	if err != nil {
		return err
	}
	defer w.close()
	chosen, err := s.chosen(w)
	if err != nil {
		return err
	}
	// All headers come first, so that what is wrong with one is told at once.
	headers := make([]*header, 0, len(chosen))
	var none error
	for _, p := range chosen {
		sheet := &store.Sheet{File: s.name, Name: p.name}
		h, empty, err := s.header(w, p, sheet)
		switch {
		case err == nil:
		case len(s.o.Sheets) == 0 && isNoHeader(err):
			if !empty || none == nil {
				none = err
			}
			if !empty {
				s.tell(sheet, "left out: there is no column of products or stores")
			}
		default:
			return err
		}
		headers = append(headers, h)
	}
	last := -1
	for i, h := range headers {
		if h != nil {
			last = i
		}
	}
	if last < 0 {
		return none
	}
	for i, h := range headers {
		if h == nil {
			continue
		}
		if err := s.foundHeader(h, s.left == 0 && i == last); err != nil {
			return err
		}
	}
	for i, h := range headers {
		if h == nil {
			continue
		}
		if err := s.readSheet(w, chosen[i], h); err != nil {
			return err
		}
	}
	return nil
}

// chosen returns the sheets to read.
func (s *source) chosen(w *workbook) ([]part, error) {
	var chosen []part
	var names []string
	for _, p := range w.sheets {
		names = append(names, p.name)
		if len(s.o.Sheets) == 0 && !p.hidden {
			chosen = append(chosen, p)
		}
	}
	for _, asked := range s.o.Sheets {
		i := slices.IndexFunc(w.sheets, func(p part) bool { return p.name == asked || fold.String(p.name) == fold.String(asked) })
		if i < 0 {
			return nil, s.fail(0, fmt.Sprintf("there is no sheet %q", asked), "there are "+quoteList(names))
		}
		chosen = append(chosen, w.sheets[i])
	}
	if len(chosen) == 0 {
		return nil, s.fail(0, "it has no sheet that is visible", saveAgain)
	}
	return chosen, nil
}

// header finds the header of a sheet, and whether nothing stands in it at all.
func (s *source) header(w *workbook, p part, sheet *store.Sheet) (h *header, empty bool, err error) {
	g, err := w.open(p)
	if err != nil {
		return nil, false, s.wrap(sheet, err)
	}
	defer g.close()
	first, err := firstLines(g)
	if err != nil {
		return nil, false, s.wrap(sheet, err)
	}
	h, err = findHeader(sheet, first, s.o.Map)
	return h, len(first) == 0, err
}

func (s *source) readSheet(w *workbook, p part, h *header) error {
	g, err := w.open(p)
	if err != nil {
		return s.wrap(h.sheet, err)
	}
	defer g.close()
	return s.readRows(g, h)
}

// isNoHeader reports whether err is that no line is a header.
func isNoHeader(err error) bool {
	e, ok := errors.AsType[*fileError](err)
	return ok && (errors.Is(e.err, errNoHeader) || errors.Is(e.err, errEmpty))
}
