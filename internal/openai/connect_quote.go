package openai

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// What is not printable is written as an escape everywhere, so that what is
// pasted is what was seen: a right-to-left override in a product's name must
// not turn the code around it.

// jsonQuote writes s as a string of JSON, which is one of TypeScript too.
func jsonQuote(s string) string { return quote(s, `"\`, surrogates) }

// jsonInShellQuote writes s as a string of JSON that can stand between single
// quotes in a shell. The exclamation mark is escaped for old versions of bash,
// which see history in it even there.
func jsonInShellQuote(s string) string {
	return strings.NewReplacer(`'`, `\u0027`, `!`, `\u0021`).Replace(jsonQuote(s))
}

// pythonQuote writes s as a string of Python.
func pythonQuote(s string) string {
	return quote(s, `"\`, func(r rune) string { return fmt.Sprintf(`\U%08x`, r) })
}

// goQuote writes s as a string of Go.
func goQuote(s string) string { return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD")) }

func surrogates(r rune) string {
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}

// quote puts s between double quotes, with a backslash before each of special,
// and escapes what is not printable; long does so beyond U+FFFF.
func quote(s, special string, long func(rune) string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r > 0xffff:
			b.WriteString(long(r))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// shellQuote writes s as a word of a shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// plain is s for reading: on one line, and without what a terminal would obey.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
