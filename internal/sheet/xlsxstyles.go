package sheet

import (
	"fmt"
	"strconv"
	"strings"
)

// style is what the format of a cell's number says about it: that it is a day,
// or how many digits it has at least.
type style struct {
	date   bool
	digits int
}

// readStyles reads the formats of cells.
func (w *workbook) readStyles(name string) ([]style, error) {
	custom := make(map[int]style)
	var styles []style
	inCells := false // rather than in the formats that they are made from
	err := w.each(name, func(x *xmlReader) error {
		switch string(x.name) {
		case "numFmt":
			id, err := strconv.Atoi(x.value("numFmtId"))
			if err == nil && len(custom) < maxStyles {
				custom[id] = styleOf(x.value("formatCode"))
			}
		case "cellXfs":
			inCells = true
		case "cellStyleXfs", "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if !inCells {
				return nil
			}
			if len(styles) == maxStyles {
				return &tooMuch{0, fmt.Sprintf("its cells have more than %d styles", maxStyles), asCSV}
			}
			id, _ := strconv.Atoi(x.value("numFmtId"))
			st, ok := custom[id]
			if !ok {
				st = builtin(id)
			}
			styles = append(styles, st)
		}
		return nil
	})
	return styles, err
}

// builtin returns what a format says that is Excel's own. Those from 27 on are
// of Chinese, Japanese and Korean dates, with years of emperors and republics.
func builtin(id int) style {
	return style{date: 14 <= id && id <= 17 || id == 22 || 27 <= id && id <= 31 || id == 36 || 50 <= id && id <= 54 || id == 57 || id == 58}
}

// styleOf returns what a custom format says, such as yyyy/m/d or 00000.
func styleOf(code string) style {
	code, _, _ = strings.Cut(code, ";")
	if strings.EqualFold(code, "General") {
		return style{}
	}
	if code != "" && strings.Trim(code, "0") == "" {
		return style{digits: len(code)}
	}
	// Letters within quotes, brackets and after a backslash stand for themselves.
	quoted, bracketed := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracketed = true
		case c == ']':
			bracketed = false
		case bracketed:
		case c == '\\' || c == '_' || c == '*':
			i++
		case c == 'y' || c == 'Y' || c == 'd' || c == 'D' || c == 'e' && !strings.ContainsAny(code, "0#"):
			return style{date: true}
		}
	}
	return style{}
}

// number returns a cell's number as its style means it: a day, or as few digits
// as tell it, since 0.1+0.2 is 0.3 to those who see it.
func (w *workbook) number(raw string, st style) string {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw
	}
	if st.date && n >= 1 && n < 2_958_466 { // which is in the year 10000
		return excelDay(int(n), w.from1904).Format("2006-01-02")
	}
	if len(raw) > 12 || strings.ContainsAny(raw, "eE") {
		raw = strconv.FormatFloat(rounded(n), 'f', -1, 64)
	}
	if st.digits > len(raw) && strings.Trim(raw, "0123456789") == "" {
		raw = strings.Repeat("0", min(st.digits, 30)-len(raw)) + raw
	}
	return raw
}

// rounded returns n with the 15 digits that spreadsheets count with; they keep 17.
func rounded(n float64) float64 {
	n, _ = strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	return n
}
