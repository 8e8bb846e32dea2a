// Package fold writes text the way people compare it, so that 茶葉蛋, 茶叶蛋
// and "ｔｅａ　ｅｇｇ" and "Tea egg" meet, and cuts folded text into the pieces
// that a search index is made of.
//
// Begin at [String]; [Grams], [Cover] and [Slips] are for backends that index
// its results, [Distance] and [PartDistance] for their suggestions.
package fold

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:generate go run gen.go

// String returns s as people compare it. Two texts are the same to a person
// who searches if their folds are equal:
//
//   - compatibility forms are one (NFKC): full width and half width, ㎏ and kg,
//     ① and 1;
//   - upper case is lower case, and Latin, Greek and Cyrillic letters lose
//     their accents: Häagen is haagen;
//   - traditional Chinese is simplified, character by character, and variants
//     are one: 臺 台 檯, 裏 裡 里, 着 著;
//   - only letters, digits, the marks of other scripts and "+" count. Spaces,
//     zero-width characters, punctuation and symbols are left out, as people
//     leave them out: 可口・可樂, Coca-Cola. A dot between digits stays, since
//     1.5 is not 15.
//
// What is left may be nothing. String(String(s)) == String(s), for invalid
// UTF-8 too, which counts as punctuation.
func String(s string) string {
	if i := plain(s); i < len(s) {
		return fold(s, i)
	}
	return s
}

// plain returns how many bytes at the start of s fold to themselves.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' {
			return i
		}
	}
	return len(s)
}

// fold folds s, whose first done bytes fold to themselves.
func fold(s string, done int) string {
	var stack [64]byte
	buf := append(stack[:0], s[:done]...)
	for i := done; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); !simple(r) {
				return foldAny(s)
			}
		}
		i += n
		buf = appendFolded(buf, narrow(r), nextDigit(s[i:]))
	}
	return string(buf)
}

// foldAny folds text that needs Unicode's normal forms. Decomposing first and
// composing last makes the result independent of how s was composed.
func foldAny(s string) string {
	var stack [128]byte
	long := norm.NFKD.AppendString(stack[:0], s)
	buf := make([]byte, 0, len(long))
	for i := 0; i < len(long); {
		r, n := utf8.DecodeRune(long[i:])
		i += n
		buf = appendFolded(buf, r, i < len(long) && isDigit(long[i]))
	}
	return string(norm.NFC.Bytes(buf))
}

// appendFolded appends the fold of r, which is decomposed, if it counts.
func appendFolded(buf []byte, r rune, digitFollows bool) []byte {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '+':
		return append(buf, byte(r))
	case 'A' <= r && r <= 'Z':
		return append(buf, byte(r)+'a'-'A')
	case r == '.':
		if digitFollows && len(buf) > 0 && isDigit(buf[len(buf)-1]) {
			return append(buf, '.')
		}
		return buf
	case r < utf8.RuneSelf, ignored(r):
		return buf
	case han(r):
		if to, ok := simplified()[r]; ok {
			r = to
		}
		return utf8.AppendRune(buf, r)
	case unicode.In(r, unicode.L, unicode.M, unicode.N):
		// By way of upper case, so that ς and σ meet.
		return utf8.AppendRune(buf, unicode.ToLower(unicode.ToUpper(r)))
	}
	return buf
}

// ignored reports whether r is a mark that people leave out: an accent or a
// variation selector.
func ignored(r rune) bool {
	return 0x300 <= r && r <= 0x36F || 0xFE00 <= r && r <= 0xFE0F || 0xE0100 <= r && r <= 0xE01EF
}

// han reports whether r is in the blocks of Chinese characters that stand for
// themselves in every normal form.
func han(r rune) bool {
	return 0x4E00 <= r && r <= 0x9FFF || 0x3400 <= r && r <= 0x4DBF || 0x20000 <= r && r <= 0x2F7FF || 0x30000 <= r && r <= 0x3FFFD
}

// simple reports whether r, once narrowed, neither changes in any normal form
// nor joins its neighbours.
func simple(r rune) bool {
	return r < utf8.RuneSelf || han(r) || wide(r)
}

// wide reports whether r is the full-width form of an ASCII character.
func wide(r rune) bool { return 0xFF01 <= r && r <= 0xFF5E || r == '\u3000' }

func narrow(r rune) rune {
	switch {
	case r == '\u3000':
		return ' '
	case wide(r):
		return r - 0xFF01 + '!'
	}
	return r
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// nextDigit reports whether s starts with a digit of either width.
func nextDigit(s string) bool {
	if s == "" {
		return false
	}
	if s[0] < utf8.RuneSelf {
		return isDigit(s[0])
	}
	r, _ := utf8.DecodeRuneInString(s)
	return '０' <= r && r <= '９'
}

// simplified maps a character to the one that stands for it in a fold. It is
// made when the first Chinese text comes, not when the program starts.
var simplified = sync.OnceValue(func() map[rune]rune {
	to := []rune(foldedTo)
	m := make(map[rune]rune, len(to))
	i := 0
	for _, r := range foldedFrom {
		m[r] = to[i]
		i++
	}
	return m
})
