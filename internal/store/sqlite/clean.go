package sqlite

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
)

func invalid(format string, args ...any) error {
	return &store.InvalidError{Text: fmt.Sprintf(format, args...)}
}

func conflict(kind store.ConflictKind, format string, args ...any) error {
	return &store.ConflictError{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// oneLine returns text as one line that shows all that it says. What is what,
// for errors.
func oneLine(what, text string, most int) (string, error) {
	if !utf8.ValidString(text) {
		return "", invalid("%s %q is not valid UTF-8", what, text)
	}
	line := shown(text)
	if n := utf8.RuneCountInString(line); n > most {
		return "", invalid("%s has %d characters; make it at most %d", what, n, most)
	}
	return line, nil
}

// shown returns text without what would hide or turn around what stands beside
// it: line breaks become spaces; other control characters, and overrides of the
// direction, go.
func shown(text string) string {
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

// checkExpiry refuses what is neither a day nor "".
func checkExpiry(d store.Date) error {
	if d == "" {
		return nil
	}
	if _, err := store.ParseDate(string(d)); err != nil {
		return invalid("expiry %v", err)
	}
	return nil
}

// checkQuantity refuses what no level can have or give.
func checkQuantity(n, least int64) error {
	if n < least || n > store.MaxQuantity {
		return invalid("quantity %d is not from %d to %d", n, least, store.MaxQuantity)
	}
	return nil
}

// checkHold refuses a time for which nothing can be held.
func checkHold(d time.Duration) error {
	if d < store.MinHold || d > store.MaxHold {
		return invalid("a reservation for %v is not from %v to %v long", d, store.MinHold, store.MaxHold)
	}
	return nil
}
