package sqlite

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// rankGap is how far apart products are numbered in display order, so that a
// few more find room between them.
const rankGap = 16

// indexed is what a product is found and ordered by.
type indexed struct {
	ordering
	category string // folded
	names    []string
	texts    string
}

// ordering is the display order: shorter names first, then by name.
type ordering struct {
	length int    // of the name, in characters
	name   string // folded
	id     string
}

func (o ordering) compare(p ordering) int {
	return cmp.Or(cmp.Compare(o.length, p.length), strings.Compare(o.name, p.name), strings.Compare(o.id, p.id))
}

func indexOf(p *store.Product) indexed {
	name := fold.String(p.Name)
	x := indexed{ordering: ordering{utf8.RuneCountInString(name), name, p.ID}, category: fold.String(p.Category)}
	x.names = texts(p.Name, slices.AppendSeq(slices.Clone(p.Aliases), maps.Values(p.Names)))
	x.texts = lines(append(x.names[:len(x.names):len(x.names)], words(p)...))
	return x
}

// keys returns the deduplicated exact-match keys (names, ID, SKU, barcodes) of
// p, whose index x is. A barcode that is the same without the zeros before it
// has two.
func (x indexed) keys(p *store.Product) []string {
	ids := append([]string{p.ID, p.SKU}, p.Barcodes...)
	for _, b := range p.Barcodes {
		ids = append(ids, code.Key(b))
	}
	return keys(x.names, ids...)
}

// words returns the rests of p's names from where their words begin.
func words(p *store.Product) []string {
	words := fold.Words(p.Name)
	for _, name := range p.Names {
		words = append(words, fold.Words(name)...)
	}
	for _, alias := range p.Aliases {
		words = append(words, fold.Words(alias)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// texts returns the folded name, and the other names after it, each once.
func texts(name string, others []string) []string {
	all := []string{fold.String(name)}
	for _, other := range others {
		if f := fold.String(other); f != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	slices.Sort(all[1:])
	return all
}

// keys returns what a row is called exactly, each once: its names and ids.
func keys(names []string, ids ...string) []string {
	all := slices.Clone(names)
	for _, id := range ids {
		all = append(all, fold.String(id))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > 0 && all[0] == "" {
		all = all[1:]
	}
	return all
}

// grams returns what finds a product of these texts and this category, both as
// product_index has them: of a word that ends a name, only how it begins is not
// among the grams of the name.
func grams(texts, category string) string {
	var all []string
	lines := strings.Split(texts, "\n")
	for i, line := range lines {
		if !slices.ContainsFunc(lines[:i], func(name string) bool { return strings.HasSuffix(name, line) }) {
			all = append(all, fold.Grams(line)...)
		}
		all = append(all, fold.Openings(line)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if category != "" {
		all = append(all, "#"+category)
	}
	return strings.Join(all, " ")
}

// lines joins folded texts, none of which has a line break in it.
func lines(texts []string) string { return strings.Join(texts, "\n") }
