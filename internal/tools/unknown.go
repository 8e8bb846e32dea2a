package tools

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// remarks are what a call's arguments tell beside their values.
type remarks struct {
	ignored []string // the names of those that the tool does not have
	numbers []string // texts that came as numbers, which have no leading zeros
}

// additions are arguments that programs add to every call of every tool, and
// that mean nothing to the tool: those of n8n.
var additions = []string{"toolCallId", "sessionId", "action", "chatInput", "tool"}

func isAddition(name string) bool { return slices.Contains(additions, name) }

// Bounds of what is said of arguments that a tool does not have.
const (
	maxIgnored = 10 // that are named
	maxUnknown = 3  // that are complained about
	maxLooked  = 50 // that are compared with those that it has
)

// unknown sorts the arguments that the tool does not have into those that it
// may ignore and problems: what is near an argument that it has, and, where it
// is strict, everything but additions.
func (ps params[In]) unknown(args map[string]any, strict bool) (ignored, problems []string) {
	others := ps.others(args)
	if len(others) > maxLooked {
		return nil, []string{fmt.Sprintf("%d unknown arguments; the arguments are %s", len(others), strings.Join(ps.names(), ", "))}
	}
	for _, arg := range others {
		var meant []string
		if !isAddition(arg) {
			if meant = ps.meant(arg); meant != nil || strict {
				if len(problems) < maxUnknown {
					problems = append(problems, ps.complaint(arg, meant))
				}
				continue
			}
		}
		if len(ignored) < maxIgnored {
			ignored = append(ignored, shorten(oneLine(arg), 40))
		}
	}
	return ignored, problems
}

// others returns the names of the arguments that the tool does not have, sorted.
func (ps params[In]) others(args map[string]any) []string {
	names := ps.names()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(args)), func(arg string) bool { return slices.Contains(names, arg) })
}

func (ps params[In]) complaint(arg string, meant []string) string {
	arguments := strings.Join(ps.names(), ", ")
	if meant == nil {
		return fmt.Sprintf("unknown argument %s; the arguments are %s", quoted(arg), arguments)
	}
	return fmt.Sprintf("unknown argument %s: did you mean %s? The arguments are %s",
		quoted(arg), `"`+strings.Join(meant, `" or "`)+`"`, arguments)
}

// synonyms are words that people have for arguments, in the order in which to
// look for one that the tool has.
var synonyms = map[string][]string{
	"store":    {"from_store", "to_store", "query"},
	"shop":     {"store", "from_store", "to_store", "query"},
	"branch":   {"store", "from_store", "to_store", "query"},
	"location": {"near", "store", "from_store", "to_store"},
	"product":  {"query", "id"},
	"chain":    {"store", "query"},
	"sku":      {"product", "query"},
	"barcode":  {"product", "query"},
	"item":     {"product", "query", "id"},
	"qty":      {"quantity", "delta", "limit"},
	"count":    {"quantity", "delta", "limit"},
	"amount":   {"quantity", "delta", "limit"},
	"quantity": {"delta", "limit"},
	"delta":    {"quantity"},
	"days":     {"within_days"},
	"page":     {"cursor"},
	"offset":   {"cursor"},
}

// meant returns the arguments of the tool that an unknown one is likely to
// mean: the same but for capitals and dashes, a word of it, a synonym, or spelled
// much like either. A short word such as id stands in too many other names.
func (ps params[In]) meant(unknown string) (meant []string) {
	words := wordsOf(shorten(unknown, 40))
	whole := strings.Join(words, "")
	names := ps.names()
	for _, name := range names {
		if strings.ReplaceAll(name, "_", "") == whole {
			return []string{name}
		}
	}
	for _, w := range words {
		if len(w) > 3 && slices.Contains(names, w) {
			return []string{w}
		}
	}
	for _, w := range words {
		for _, word := range []string{w, strings.TrimSuffix(w, "s"), strings.TrimSuffix(w, "es")} {
			if meant = ps.synonymsOf(word); meant != nil {
				return meant
			}
		}
	}
	for _, name := range names {
		plain := strings.ReplaceAll(name, "_", "")
		if near(whole, plain) || len(plain) > 3 && slices.ContainsFunc(words, func(w string) bool { return near(w, plain) }) {
			meant = append(meant, name)
		}
	}
	for _, word := range longSynonyms {
		if meant == nil && slices.ContainsFunc(words, func(w string) bool { return near(w, word) }) {
			meant = ps.synonymsOf(word)
		}
	}
	return meant
}

// longSynonyms are those of the synonyms that are long enough to be known where
// they are misspelled.
var longSynonyms = slices.Sorted(func(yield func(string) bool) {
	for word := range synonyms {
		if len(word) >= 7 && !yield(word) {
			return
		}
	}
})

// synonymsOf returns the argument of the tool that a word stands for: the first,
// or both of from_store and to_store.
func (ps params[In]) synonymsOf(word string) (meant []string) {
	names := ps.names()
	for _, s := range synonyms[word] {
		if slices.Contains(names, s) && (meant == nil || s == "to_store") {
			meant = append(meant, s)
		}
	}
	return meant
}

// near reports whether a word is spelled much like a name.
func near(word, name string) bool {
	return fold.Distance(word, name) <= min((len(name)+1)/4, 2)
}

// wordsOf returns the words of a name such as storeName, store-name or
// STORE_NAME, in lower case.
func wordsOf(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case lower && unicode.IsUpper(r):
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}
