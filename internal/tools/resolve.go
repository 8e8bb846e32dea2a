package tools

import (
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// found is what a caller's words turned out to mean: one thing, or several to
// choose from, or nothing, with what is spelled much like them.
type found[T any] struct {
	one       T
	ok        bool     // one is it
	ambiguous bool     // options fit the words; else they are merely near
	options   []option // empty where ok
	more      bool     // there are more options than these
}

// option is one thing that a caller may have meant.
type option struct {
	Kind  string `json:"kind"` // "store", "chain" or "product"
	ID    string `json:"id,omitempty"`
	Name  string `json:"name"`
	Chain string `json:"chain,omitempty"`
	SKU   string `json:"sku,omitempty"`

	english string // a product's English name, for an answer in English
	price   string // a product's, with its currency; "" where unknown
}

// How many options a caller is shown.
const (
	maxCandidates  = 10
	maxSuggestions = 5
)

func exactly[T any](one T) found[T] { return found[T]{one: one, ok: true} }

// oneOf is a choice between candidates: the first few of them.
func oneOf[T any](candidates []option) found[T] {
	shown := candidates[:min(len(candidates), maxCandidates)]
	return found[T]{ambiguous: true, options: shown, more: len(shown) < len(candidates)}
}

// none is nothing, but perhaps one of suggestions.
func none[T any](suggestions []option) found[T] {
	return found[T]{options: suggestions[:min(len(suggestions), maxSuggestions)]}
}

// settled reports whether f is more than nothing.
func (f found[T]) settled() bool { return f.ok || f.ambiguous }

// choices are the options as answers carry them.
type choices struct {
	Candidates  []option `json:"candidates,omitempty"`
	Suggestions []option `json:"suggestions,omitempty"`
	More        bool     `json:"more,omitempty"` // there are more candidates
}

func (f found[T]) choices() choices {
	if f.ambiguous {
		return choices{Candidates: f.options, More: f.more}
	}
	return choices{Suggestions: f.options}
}

// status is that of an answer that asks back; unknown is what nothing found
// is called.
func (f found[T]) status(unknown status) status {
	if f.ambiguous {
		return ambiguous
	}
	return unknown
}

// names are those of the options.
func (f found[T]) names(say language) []string { return namesOf(say, f.options) }

// namesOf returns the names of options, with what tells apart those that have
// the same name: some clients show a model no more than the text.
func namesOf(say language, options []option) []string {
	names := make([]string, len(options))
	count := make(map[string]int)
	for i, o := range options {
		if names[i] = o.Name; say == english && o.english != "" {
			names[i] = o.english
		}
		count[fold.String(names[i])]++
	}
	for i, o := range options {
		if count[fold.String(names[i])] > 1 {
			names[i] += o.details(say)
		}
	}
	return names
}

// details are what tells an option apart from another of the same name. Its ID
// is what to send.
func (o option) details(say language) string {
	var parts []string
	if o.ID != "" {
		parts = append(parts, "ID "+oneLine(o.ID))
	}
	if o.SKU != "" && o.SKU != o.ID {
		parts = append(parts, "SKU "+o.SKU)
	}
	if o.price != "" {
		parts = append(parts, o.price)
	}
	if parts == nil {
		parts = append(parts, say.say("整個連鎖", "the whole chain"))
	}
	return say.say("（%s）", " (%s)", strings.Join(parts, say.say("，", ", ")))
}

// ask asks back what was meant by the words that were said.
func (f found[T]) ask(say language, said string, unknown status) string {
	options := say.rows(f.names(say), f.more)
	said = say.quote(said)
	if f.ambiguous {
		return say.say("%s可能是：%s。請問是哪一個？", "%s could be: %s. Which one?", said, options)
	}
	line := say.say("找不到商品%s", "There is no product %s", said)
	next := say.say("；search_products 可以列出商品", "; search_products lists what there is")
	if unknown == unknownStore {
		line = say.say("找不到門市%s", "There is no store %s", said)
		next = say.say("；list_stores 可以列出所有門市", "; list_stores lists them all")
	}
	if options == "" {
		return line + next
	}
	return line + say.say("，是不是：%s？", ". Did you mean: %s?", options)
}

func shopOption(s store.Shop) option {
	return option{Kind: "store", ID: s.ID, Name: oneLine(s.Name), Chain: oneLine(s.Chain)}
}

func chainOption(c store.Chain) option { return option{Kind: "chain", Name: oneLine(c.Name)} }

func productOption(p store.Product) option {
	return option{Kind: "product", ID: p.ID, Name: oneLine(p.Name), SKU: oneLine(p.SKU), english: oneLine(p.Names["en"]), price: p.FullPrice()}
}

// options makes one list of shops, chains or products.
func options[T any](things []T, of func(T) option) []option {
	list := make([]option, len(things))
	for i, thing := range things {
		list[i] = of(thing)
	}
	return list
}

// same reports whether people would take a and b for the same text.
func same(a, b string) bool {
	return a == b || a != "" && fold.String(a) == fold.String(b)
}
