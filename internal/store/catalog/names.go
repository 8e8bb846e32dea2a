package catalog

import (
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// names is what one row is called, folded.
type names struct {
	all   []string // the name first, then the others in order, each once
	words []string // the rests of the names from where a word begins
	codes []string // what names it exactly besides: ID, SKU, barcodes
}

func newNames(name string, others, codes []string) names {
	n := names{all: []string{fold.String(name)}, words: fold.Words(name)}
	for _, other := range others {
		if f := fold.String(other); f != "" && !slices.Contains(n.all, f) {
			n.all = append(n.all, f)
		}
		n.words = append(n.words, fold.Words(other)...)
	}
	slices.Sort(n.all[1:])
	for _, code := range codes {
		if f := fold.String(code); f != "" {
			n.codes = append(n.codes, f)
		}
	}
	return n
}

// match compares the names with a folded text; an empty one matches all. Words
// says that a text which begins a word must be where one begins. The score is 0
// but for [store.Near].
func (n names) match(text string, m store.Match, words bool) (score int, ok bool) {
	switch {
	case text == "":
		return 0, true
	case m == store.Exact:
		return 0, slices.Contains(n.all, text) || slices.Contains(n.codes, text)
	case m == store.Near:
		return n.near(text)
	case words && fold.StartsWord(text):
		begins := func(s string) bool { return strings.HasPrefix(s, text) }
		return 0, slices.ContainsFunc(n.all, begins) || slices.ContainsFunc(n.words, begins)
	}
	return 0, slices.ContainsFunc(n.all, func(s string) bool { return strings.Contains(s, text) })
}

// near returns how near the nearest of the names is.
func (n names) near(text string) (score int, ok bool) {
	for _, list := range [][]string{n.all, n.words} {
		for _, name := range list {
			if s, fits := fold.Near(text, name); fits && (!ok || s < score) {
				score, ok = s, true
			}
		}
	}
	return score, ok
}
