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

// Openings returns the pieces that an index holds for where a word begins: its
// first one, two and three characters, marked with "^". It returns none for a
// folded text that begins no word. The last one is what to look a text up by.
func Openings(folded string) []string {
	if !StartsWord(folded) {
		return nil
	}
	var openings []string
	at := starts(folded)
	for n := 1; n <= 3 && n < len(at); n++ {
		openings = append(openings, "^"+folded[:at[n]])
	}
	return openings
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
