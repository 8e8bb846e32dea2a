package fold

import (
	"slices"
	"unicode/utf8"
)

// Grams returns the pieces that an index holds for a folded text: its single
// characters, its pairs, and its threes of ASCII characters, each once.
// Singles and pairs are what a short Chinese question needs; of the 26 letters
// every pair is in too many names, so Latin text has threes besides.
func Grams(folded string) []string {
	var grams []string
	at := starts(folded)
	for i := range len(at) - 1 {
		grams = append(grams, folded[at[i]:at[i+1]])
		if i+2 < len(at) {
			grams = append(grams, folded[at[i]:at[i+2]])
		}
		if i+3 < len(at) && ascii(folded[at[i]:at[i+3]]) {
			grams = append(grams, folded[at[i]:at[i+3]])
		}
	}
	return unique(grams)
}

// Cover returns grams that every text containing folded has, as few as tell
// most. A text that has them all need not contain folded.
func Cover(folded string) []string {
	at := starts(folded)
	n := len(at) - 1
	if n <= 1 {
		return unique([]string{folded}[:n])
	}
	three := func(i int) bool { return i >= 0 && i+3 <= n && ascii(folded[at[i]:at[i+3]]) }
	var grams []string
	for i := range n - 1 {
		if three(i) {
			grams = append(grams, folded[at[i]:at[i+3]])
		} else if !three(i - 1) {
			grams = append(grams, folded[at[i]:at[i+2]])
		}
	}
	return unique(grams)
}

// Slips returns sets of grams: a text from which folded differs by one slip (a
// character missing, too many, wrong, or swapped with the next), or which
// contains such a text, has all the grams of at least one of the sets. For a
// long text, one with two slips does too. A single character has none.
func Slips(folded string) [][]string {
	at := starts(folded)
	n := len(at) - 1
	var sets [][]string
	switch {
	case n < 2 || n > maxNear: // which are near to nothing
		return nil
	case n <= 4:
		// All characters but one, in any order.
		for i := range n {
			var set []string
			for j := range n {
				if j != i {
					set = append(set, folded[at[j]:at[j+1]])
				}
			}
			sets = append(sets, unique(set))
		}
	default:
		// All but two neighbours; of a very long text, its beginning tells.
		for i := range min(n, maxSlips) - 1 {
			before, after := folded[:at[i]], folded[at[i+2]:]
			sets = append(sets, unique(append(Cover(before), Cover(after)...)))
		}
	}
	if Slack(n) > 1 {
		// Of three parts, two slips leave one whole.
		for i := range 3 {
			sets = append(sets, Cover(folded[at[i*n/3]:at[(i+1)*n/3]]))
		}
	}
	return sets
}

// maxSlips is how many places of a text Slips looks for a slip at.
const maxSlips = 24

// Slack returns how many slips are forgiven in a text of n characters.
func Slack(n int) int {
	switch {
	case n < 2:
		return 0
	case n < 6:
		return 1
	}
	return 2
}

// starts returns where each character of s begins, and len(s).
func starts(s string) []int {
	at := make([]int, 0, len(s)+1)
	for i := range s {
		at = append(at, i)
	}
	return append(at, len(s))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unique returns grams in order, each once.
func unique(grams []string) []string {
	slices.Sort(grams)
	return slices.Compact(grams)
}
