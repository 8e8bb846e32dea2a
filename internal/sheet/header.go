package sheet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// header is the line that names a sheet's columns.
type header struct {
	sheet   *store.Sheet
	line    int
	cells   []string // as they stand
	at      [columnCount]int
	names   []nameColumn
	mapped  []string // keys of Options.Map whose header is here
	unknown []string // headers that are not known
}

// nameColumn is a column of names in a language.
type nameColumn struct {
	language string
	at       int
}

func (h *header) has(columns ...column) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return h.at[c] >= 0 })
}

// isHeader reports whether the line says what shops or products there are.
func (h *header) isHeader() bool {
	return h.has(colStore, colStoreID, colProduct, colProductID, colSKU, colBarcode)
}

// known is how many columns are.
func (h *header) known() int {
	n := len(h.names)
	for _, at := range h.at {
		if at >= 0 {
			n++
		}
	}
	return n
}

// numbered is a line of a grid with its number.
type numbered struct {
	line  int
	cells []string
}

// findHeader returns which of the first lines is the header: the one that has
// the most columns that are known, the first of several. Before it stand
// titles, such as the shop's name and the date.
func findHeader(sheet *store.Sheet, first []numbered, headers map[string]string) (*header, error) {
	var best *header
	for _, l := range first {
		if h := readHeader(l, headers); h.isHeader() && (best == nil || h.known() > best.known()) {
			best = h
		}
	}
	if best == nil {
		return nil, noHeader(sheet, first)
	}
	best.sheet = sheet
	if err := best.checkTwice(headers); err != nil {
		return nil, err
	}
	sheet.Columns = best.columnNames()
	return best, nil
}

// readHeader finds out what the cells of a line mean, the first of several
// that mean the same.
func readHeader(l numbered, headers map[string]string) *header {
	h := &header{line: l.line, cells: slices.Clone(l.cells)}
	for c := range h.at {
		h.at[c] = -1
	}
	taken := make([]bool, len(l.cells))
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		m, _ := mapKey(key)
		if i := slices.IndexFunc(l.cells, func(cell string) bool { return sameHeader(cell, headers[key]) }); i >= 0 {
			h.set(m, i)
			taken[i] = true
			h.mapped = append(h.mapped, key)
		}
	}
	meanings := make([]meaning, len(l.cells))
	understood := make([]bool, len(l.cells))
	for i, cell := range l.cells {
		if !taken[i] {
			meanings[i], understood[i] = mean(cell)
		}
	}
	if isStoreList(l.cells, meanings, understood, taken) {
		for i, cell := range l.cells {
			if m, ok := knownInStoreList()[fold.String(cell)]; ok && !taken[i] {
				meanings[i], understood[i] = m, true
			}
		}
	}
	for i, cell := range l.cells {
		if understood[i] {
			h.set(meanings[i], i)
		} else if !taken[i] && strings.TrimSpace(cell) != "" {
			h.unknown = append(h.unknown, strings.TrimSpace(cell))
		}
	}
	return h
}

// isStoreList reports whether nothing that the columns are called is about
// products, unless it may be about stores as well, and something is about
// stores.
func isStoreList(cells []string, meanings []meaning, understood, taken []bool) bool {
	about := false
	for i, cell := range cells {
		if taken[i] {
			return false
		}
		if !understood[i] {
			continue
		}
		if _, either := knownInStoreList()[fold.String(cell)]; either {
			continue
		}
		switch m := meanings[i]; {
		case m.language != "":
			return false
		case m.column == colStore || m.column == colStoreID || m.column == colStoreAliases, m.column == colAddress,
			m.column == colHours, m.column == colLatitude, m.column == colLongitude, m.column == colChain, m.column == colChainAliases:
			about = true
		default:
			return false
		}
	}
	return about
}

// sameHeader reports whether a cell is the header that a user named.
func sameHeader(cell, header string) bool {
	if strings.TrimSpace(cell) == strings.TrimSpace(header) {
		return true
	}
	folded := fold.String(header)
	return folded != "" && fold.String(cell) == folded
}

// set notes where m stands, unless it was noted before.
func (h *header) set(m meaning, at int) {
	if m.language != "" {
		if !slices.ContainsFunc(h.names, func(n nameColumn) bool { return n.language == m.language }) {
			h.names = append(h.names, nameColumn{m.language, at})
		}
		return
	}
	if h.at[m.column] < 0 {
		h.at[m.column] = at
	}
}

// checkTwice refuses two columns that mean the same, unless the user said which
// of them it is.
func (h *header) checkTwice(headers map[string]string) error {
	chosen := make(map[meaning]bool)
	taken := make(map[int]bool)
	for _, key := range h.mapped {
		m, _ := mapKey(key)
		chosen[m] = true
		if i := slices.IndexFunc(h.cells, func(cell string) bool { return sameHeader(cell, headers[key]) }); i >= 0 {
			taken[i] = true
		}
	}
	for i, cell := range h.cells {
		if taken[i] {
			continue
		}
		m, ok := mean(cell)
		if !ok {
			continue
		}
		at := h.position(m)
		switch {
		case at < 0 || at == i:
			// In a list of stores, it means something else.
		case chosen[m]:
			h.unknown = append(h.unknown, strings.TrimSpace(cell))
		case strings.TrimSpace(h.cells[at]) == strings.TrimSpace(cell):
			return &fileError{h.sheet.File, h.sheet.Name, h.line,
				fmt.Errorf("there are two columns %q", strings.TrimSpace(cell)), "give one of them another header, or delete it"}
		default:
			return &fileError{h.sheet.File, h.sheet.Name, h.line,
				fmt.Errorf("the columns %q and %q mean the same", strings.TrimSpace(h.cells[at]), strings.TrimSpace(cell)),
				fmt.Sprintf("say which it is, such as %s; the other is left out then", option("map", m.name()+"="+strings.TrimSpace(h.cells[at])))}
		}
	}
	return nil
}

// position returns where m stands, or -1.
func (h *header) position(m meaning) int {
	if m.language == "" {
		return h.at[m.column]
	}
	for _, n := range h.names {
		if n.language == m.language {
			return n.at
		}
	}
	return -1
}

// columnNames returns what the sheet calls the columns.
func (h *header) columnNames() map[string]string {
	names := make(map[string]string)
	for c, at := range h.at {
		if at >= 0 {
			names[columns[c].name] = strings.TrimSpace(h.cells[at])
		}
	}
	for _, n := range h.names {
		names[store.ColumnNames+n.language] = strings.TrimSpace(h.cells[n.at])
	}
	return names
}

var (
	errNoHeader = errors.New("there is no column of products or stores")
	errEmpty    = errors.New("it is empty")
)

// noHeader says that no line names a column of products or stores.
func noHeader(sheet *store.Sheet, first []numbered) error {
	if len(first) == 0 {
		return &fileError{sheet.File, sheet.Name, 0, errEmpty, "write a header, such as 店名,品名,數量, and rows below it; mcpstore export --template writes a sheet to fill in"}
	}
	// What most likely was meant to be the header is the line with most cells.
	likely := slices.MaxFunc(first, func(a, b numbered) int { return filled(a.cells) - filled(b.cells) })
	hint := "name the column of products, such as " + option("map", "product="+shorten(firstText(likely.cells))) +
		"; known are 品名, 商品, product, 店名, 門市, store and others, which mcpstore import --help lists"
	return &fileError{sheet.File, sheet.Name, likely.line,
		fmt.Errorf("%w among %s", errNoHeader, quoteList(likely.cells)), hint}
}

func filled(cells []string) int {
	n := 0
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			n++
		}
	}
	return n
}

func firstText(cells []string) string {
	for _, cell := range cells {
		if cell = strings.TrimSpace(cell); cell != "" {
			return cell
		}
	}
	return ""
}
