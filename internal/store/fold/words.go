package fold

import (
	"unicode"
	"unicode/utf8"
)

// Words returns the folded rest of s from the beginning of each of its words
// but the one that s itself begins with, for scripts that set words apart:
// "Dark chocolate bar" gives "chocolatebar" and "bar". Letters and digits are
// words of their own, so "可樂600ml" gives "600ml" and "ml".
func Words(s string) []string {
	var rests []string
	last := noWord
	for i, r := range s {
		kind := wordKind(r)
		if kind != noWord && kind != last && i > 0 {
			rests = append(rests, String(s[i:]))
		}
		last = kind
	}
	return rests
}

// StartsWord reports whether a folded text begins a word as [Words] knows them:
// such a text fits names where a word begins, and not in the middle of one.
func StartsWord(folded string) bool {
	r, _ := utf8.DecodeRuneInString(folded)
	return wordKind(r) != noWord
}

const (
	noWord = iota
	letters
	digits
)

func wordKind(r rune) int {
	switch {
	case unicode.IsDigit(r):
		return digits
	case unicode.IsLetter(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Thai), unicode.IsMark(r):
		return letters
	default:
		return noWord
	}
}
