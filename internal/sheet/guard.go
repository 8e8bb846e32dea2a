package sheet

import (
	"strings"
	"unicode/utf8"
)

// asText writes what stands in a column so that spreadsheets leave it as it is.
func asText(c column, text string) string {
	if isNumber(c) || c == colExpiry {
		return text
	}
	return guard(mark(text, isCode(c)))
}

// isNumber reports whether a column has numbers.
func isNumber(c column) bool {
	switch c {
	case colQuantity, colPrice, colReorderPoint, colLatitude, colLongitude:
		return true
	}
	return false
}

// isCode reports whether a column has codes.
func isCode(c column) bool {
	switch c {
	case colStoreID, colProductID, colSKU, colBarcode:
		return true
	}
	return false
}

// guard puts a tab before a text that a spreadsheet would make something else
// of, and then write as that: of the barcode 4710000000017 it makes 4.71E+12,
// of 00123 it makes 123, and of the name 7-11 the 11th of July. A tab is not
// seen, and is no part of the text to those who read it. The formula ="00123"
// would do as well, but a sheet should hold none.
func guard(text string) string {
	if word := strings.ToLower(text); word == "true" || word == "false" {
		return "\t" + text
	}
	if len(text) > 40 || strings.IndexFunc(text, isDigit) < 0 {
		return text
	}
	word := strings.ToLower(strings.Map(func(r rune) rune {
		if isDigit(r) || strings.ContainsRune("-/.:,% $+()¥€£", r) {
			return -1
		}
		return r
	}, text))
	first := rune(text[0])
	anywhere, altered := alteredWords[word]
	const longest = 11 // digits of a number that Excel shows in full
	plain := strings.Trim(text, "0123456789") == "" && len(text) <= longest && (text == "0" || first != '0')
	if plain || !altered || !anywhere && !isDigit(first) {
		return text
	}
	return "\t" + text
}

// alteredWords are what stands beside the digits of what Excel takes for a
// number, a date or a time: true where it may stand before them, too.
var alteredWords = map[string]bool{
	"": true, "nt": true, "hk": true, "us": true, "e": false, "am": false, "pm": false, "a": false, "p": false, "元": false, "年月日": false, "年月": false, "月日": false,
	"jan": true, "feb": true, "mar": true, "apr": true, "may": true, "jun": true, "jul": true, "aug": true, "sep": true,
	"oct": true, "nov": true, "dec": true, "january": true, "february": true, "march": true, "april": true, "june": true,
	"july": true, "august": true, "sept": true, "september": true, "october": true, "november": true, "december": true,
}

// risky reports whether a spreadsheet may take a text for a formula, or what
// became of one.
func risky(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", r) || excelErrors[s]
}

// mark puts an apostrophe before a text that a spreadsheet may take for a
// formula, and before one that [unmark] would take one off.
func mark(s string, code bool) string {
	if _, ok := unmark(s, code); ok || risky(s) {
		return "'" + s
	}
	return s
}

// unmark takes the apostrophe off that marks a cell as text. Names may begin
// with one for other reasons ('90s Candy), codes do not.
func unmark(s string, code bool) (string, bool) {
	text, ok := strings.CutPrefix(s, "'")
	if ok && (code || risky(text) || strings.HasPrefix(text, "'")) {
		return text, true
	}
	return s, false
}
