package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// texts cleans the texts of cells, and gives out one string for those that are
// the same: a sheet has the same few shops, units and categories in all rows.
type texts struct {
	names map[string]cleaned
	codes map[string]cleaned
}

// cleaned is a text that was cleaned, or why it cannot be one.
type cleaned struct{ text, why string }

// What texts remembers is bounded: long texts seldom come twice.
const (
	maxRemembered     = 1 << 16
	maxRememberedText = 64
)

func newTexts() *texts {
	return &texts{make(map[string]cleaned), make(map[string]cleaned)}
}

// name cleans a text for people.
func (t *texts) name(s string) cleaned { return remember(t.names, s, false) }

// code cleans a number that identifies something.
func (t *texts) code(s string) cleaned { return remember(t.codes, s, true) }

func remember(seen map[string]cleaned, s string, code bool) cleaned {
	if s == "" {
		return cleaned{}
	}
	if c, ok := seen[s]; ok {
		return c
	}
	s = strings.Clone(s) // so that the rest of its line need not be kept
	c := clean(s, code)
	if len(s) <= maxRememberedText {
		if len(seen) == maxRemembered {
			clear(seen)
		}
		seen[s] = c
	}
	return c
}

// clean returns what stands in a cell: on one line, without the spaces around
// it, what is invisible in it, and the marks by which spreadsheets tell text
// from numbers and formulas: 'text and ="text".
func clean(s string, code bool) cleaned {
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return cleaned{why: "there are bytes in it that the file's encoding does not have; save the file as UTF-8, or say --encoding"}
	}
	if utf8.RuneCountInString(s) > maxCell {
		return cleaned{why: "the text is longer than 10,000 characters; is a quote missing?"}
	}
	s = oneLine(s)
	if text, ok := unmark(s, code); ok {
		return cleaned{text: strings.TrimSpace(text)}
	}
	if text, ok := strings.CutPrefix(s, `="`); ok {
		if text, ok = strings.CutSuffix(text, `"`); ok && !strings.Contains(strings.ReplaceAll(text, `""`, ""), `"`) {
			return cleaned{text: strings.TrimSpace(strings.ReplaceAll(text, `""`, `"`))}
		}
	}
	switch {
	case strings.HasPrefix(s, "=") && (code || s == "="):
		return cleaned{why: "this is a formula without its result; save the sheet with values"}
	case excelErrors[s]:
		return cleaned{why: "this is an error of the spreadsheet's; mend its formula"}
	}
	return cleaned{text: s}
}

// excelErrors are what a formula that fails leaves in its cell.
var excelErrors = map[string]bool{
	"#N/A": true, "#REF!": true, "#VALUE!": true, "#DIV/0!": true, "#NAME?": true,
	"#NUM!": true, "#NULL!": true, "#SPILL!": true, "#CALC!": true, "#GETTING_DATA": true,
}

// oneLine removes what people do not see: characters of control and format,
// such as those that turn the direction of writing; and the spaces around.
// Line ends and tabs become spaces.
func oneLine(s string) string {
	clean := true
	for _, r := range s {
		if r < ' ' || r >= 0x7F && (unicode.IsControl(r) || invisible(r)) {
			clean = false
			break
		}
	}
	if !clean {
		s = strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r) && r != '\u3000' && r != '\u00A0':
				return ' '
			case unicode.IsControl(r) || invisible(r):
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

// invisible reports whether r is seen only by what it does to others.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}
