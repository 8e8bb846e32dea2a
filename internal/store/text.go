package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine returns text cleaned by [CleanText], or an [*InvalidError] that calls
// it what where it is not valid UTF-8 or has more than most characters.
func OneLine(what, text string, most int) (string, error) {
	if !utf8.ValidString(text) {
		return "", &InvalidError{fmt.Sprintf("%s %q is not valid UTF-8", what, text)}
	}
	line := CleanText(text)
	if n := utf8.RuneCountInString(line); n > most {
		return "", &InvalidError{fmt.Sprintf("%s has %d characters; make it at most %d", what, n, most)}
	}
	return line, nil
}

// CleanText returns text without characters that would hide or reorder what
// stands beside it: line breaks become spaces; other control characters,
// invalid UTF-8, and overrides of the direction are removed; outer spaces go.
func CleanText(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text))
}
