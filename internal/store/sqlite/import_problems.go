package sqlite

import (
	"fmt"
	"slices"
	"sort"

	"github.com/mcpstore/mcpstore/internal/store"
)

// bad notes what is wrong with a row; value is what stands in the column.
func (im *importer) bad(at int64, column, value, why string) {
	sheet, line := im.place(at)
	if sheet != nil && sheet.Columns[column] != "" {
		column = sheet.Columns[column]
	}
	im.problems.add(at, store.Problem{Sheet: sheet, Line: line, Column: column, Value: value, Why: why})
}

// where says where an earlier row stands, to one that stands at here.
func (im *importer) where(at, here int64) string {
	sheet, line := im.place(at)
	text := fmt.Sprintf("line %d", line)
	if now, _ := im.place(here); sheet != now && sheet != nil {
		if sheet.Name != "" {
			text += fmt.Sprintf(" of sheet %q", sheet.Name)
		}
		if now == nil || sheet.File != now.File {
			text += fmt.Sprintf(" of %q", sheet.File)
		}
	}
	return text
}

// problems are the first of what is wrong, in the order of the rows.
type problems struct {
	most  int
	first []placed
	count int
}

type placed struct {
	at int64
	store.Problem
}

func (ps *problems) add(at int64, p store.Problem) {
	ps.count++
	i := sort.Search(len(ps.first), func(i int) bool { return ps.first[i].at > at })
	if i == ps.most {
		return
	}
	ps.first = slices.Insert(ps.first, i, placed{at, p})
	ps.first = ps.first[:min(len(ps.first), ps.most)]
}

// err returns what is wrong, if anything is.
func (ps *problems) err() error {
	if ps.count == 0 {
		return nil
	}
	e := &store.ImportError{Count: ps.count}
	for _, p := range ps.first {
		e.Problems = append(e.Problems, p.Problem)
	}
	return e
}
