package tools

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// language is one that answers are given in.
type language int

const (
	zhTW    language = iota // the shops' own
	english                 // everybody else's
)

// languageOf picks an answer's language: by the locale that the client says
// its user has, else by the script of the question, else the shops' own.
func languageOf(meta *mcp.Meta, question ...string) language {
	if locale, ok := meta.GetMetaField("openai/locale").(string); ok && locale != "" {
		if primary, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-"); strings.EqualFold(primary, "zh") {
			return zhTW
		}
		return english
	}
	answer := zhTW
	for _, text := range question {
		for _, r := range text {
			if unicode.Is(unicode.Han, r) {
				return zhTW
			}
			if unicode.IsLetter(r) {
				answer = english
			}
		}
	}
	return answer
}

// say formats one of two sentences that say the same.
func (l language) say(zh, en string, args ...any) string {
	if l == english {
		zh = en
	}
	return fmt.Sprintf(zh, args...)
}

// list joins at most five things, and shows where there are more.
func (l language) list(things []string, more bool) string {
	const most = 5
	return l.rows(things[:min(len(things), most)], more || len(things) > most)
}

// rows joins a page of things, all of them: some clients show a model no more
// than this.
func (l language) rows(things []string, more bool) string {
	if more {
		things = append(slices.Clone(things), "…")
	}
	if l == english {
		return strings.Join(things, ", ")
	}
	return strings.Join(things, "、")
}

// quote marks what a caller said.
func (l language) quote(s string) string {
	return l.say("「%s」", "“%s”", shorten(s, 60))
}

// product is p's name in the answer's language, or else as its owner says it.
func (l language) product(p store.Product) string {
	if l == english && p.Names["en"] != "" {
		return oneLine(p.Names["en"])
	}
	return oneLine(p.Name)
}

// count is n of p: with its unit in Chinese, bare in English, where the
// owner's unit would be a foreign word.
func (l language) count(n int64, p store.Product) string {
	if l == english {
		return fmt.Sprint(n)
	}
	return fmt.Sprint(n, " ", unit(p))
}

// left is how much of p is available, and what of it is there besides.
func (l language) left(q quantities, p store.Product) string {
	text := l.count(q.Available, p)
	if q.Expired > 0 {
		text += l.say("可售", " available")
	} else {
		text += l.say("", " left")
	}
	var besides []string
	if q.Reserved > 0 {
		besides = append(besides, l.say("%d %s已保留", "%[1]d more reserved", q.Reserved, unit(p)))
	}
	if q.Expired > 0 {
		besides = append(besides, l.say("%d %s已過期", "%[1]d more have expired", q.Expired, unit(p)))
	}
	if len(besides) > 0 {
		text += l.say("（另有 %s）", " (%s)", l.rows(besides, false))
	}
	if q.overbooked > 0 {
		text += l.say("，已保留的比沒過期的多 %d %s", ", %[1]d more reserved than have not expired", q.overbooked, unit(p))
	}
	return text
}

// unit is what p is counted in, where a sentence needs one.
func unit(p store.Product) string {
	if u := oneLine(p.Unit); u != "" {
		return u
	}
	return "個"
}
