package tools

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// param is one argument of a tool: the schema that clients see and the checks
// that calls meet are both made of it. Exactly one of text, integer, boolean
// and point is set: it says the argument's type and where its value goes.
type param[In any] struct {
	name        string
	description string
	example     string // as JSON; errors show it
	required    bool
	private     bool // not for the audit log

	text      func(*In) *string
	maxLength int      // of a text, in characters; not used with oneOf
	oneOf     []string // the values that a text may have; if nil, any

	integer          func(*In) *int64
	minimum, maximum int64

	boolean func(*In) *bool

	point func(*In) **store.Location
}

// params are the arguments of a tool, in the order in which to name them.
type params[In any] struct {
	list       []param[In]
	exactlyOne bool // a call sends one of them and no more
}

// badArguments says what is wrong with a call, in words that tell a model
// what to send instead.
type badArguments string

func (e badArguments) Error() string { return string(e) }

// decode checks a call's arguments, as encoding/json decodes them, and returns
// them typed. An optional argument that is null, or a blank text, is one left
// out: that is how many models say it. An error is a [badArguments] and names
// all that is wrong.
func (ps params[In]) decode(arguments any) (in In, err error) {
	args, ok := arguments.(map[string]any)
	if !ok && arguments != nil {
		return in, badArguments(fmt.Sprintf("arguments must be an object, such as %s; got %s", ps.exampleCall(), kind(arguments)))
	}
	var problems []string
	known, given := 0, 0
	for i := range ps.list {
		p := &ps.list[i]
		value, sent := args[p.name]
		if sent {
			known++
			if blank, ok := value.(string); value != nil && (!ok || oneLine(blank) != "") {
				given++
			}
		}
		var problem string
		switch {
		case value != nil:
			problem = p.set(&in, value)
		case p.required && !sent:
			problem = fmt.Sprintf("%s is required: send it, such as %s", p.name, p.example)
		case p.required:
			problem = p.wanted("null")
		}
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	if known < len(args) {
		problems = append(problems, ps.unknown(args)...)
	}
	if ps.exactlyOne && given != 1 && problems == nil {
		problems = append(problems, fmt.Sprintf("send one of %s and no more, such as %s", strings.Join(ps.names(), " and "), ps.exampleCall()))
	}
	if problems != nil {
		return in, badArguments(strings.Join(problems, "; "))
	}
	return in, nil
}

// set checks value and stores it in in, or says what is wrong with it.
func (p *param[In]) set(in *In, value any) (problem string) {
	switch {
	case p.text != nil:
		s, ok := value.(string)
		if !ok {
			return p.wanted(kind(value))
		}
		if p.oneOf != nil && !slices.Contains(p.oneOf, s) {
			return p.wanted(fmt.Sprintf("%q", shorten(oneLine(s), 40)))
		}
		if n := utf8.RuneCountInString(s); p.oneOf == nil && n > p.maxLength {
			return fmt.Sprintf("%s must have at most %d characters; got %d", p.name, p.maxLength, n)
		}
		if s = oneLine(s); s == "" && p.required {
			return fmt.Sprintf("%s must not be blank: send it, such as %s", p.name, p.example)
		}
		*p.text(in) = s
	case p.integer != nil:
		f, ok := value.(float64)
		if !ok {
			return p.wanted(kind(value))
		}
		if f != math.Trunc(f) || f < float64(p.minimum) || f > float64(p.maximum) {
			return p.wanted(shorten(strconv.FormatFloat(f, 'f', -1, 64), 20))
		}
		*p.integer(in) = int64(f)
	case p.boolean != nil:
		b, ok := value.(bool)
		if !ok {
			return p.wanted(kind(value))
		}
		*p.boolean(in) = b
	case p.point != nil:
		point, problem := decodePoint(p.name, value)
		if problem == "" {
			*p.point(in) = point
		}
		return problem
	}
	return ""
}

// wanted says what the argument must be, and what came instead.
func (p *param[In]) wanted(got string) string {
	var want string
	switch {
	case p.oneOf != nil:
		want = "one of " + strings.Join(p.oneOf, ", ")
	case p.text != nil:
		want = "a string"
	case p.integer != nil:
		want = fmt.Sprintf("a whole number from %d to %d", p.minimum, p.maximum)
	case p.boolean != nil:
		want = "true or false"
	}
	return fmt.Sprintf("%s must be %s, such as %s; got %s", p.name, want, p.example, got)
}

// pointKeys are the members of a point and how far from 0 each may be.
var pointKeys = []struct {
	name  string
	bound float64
}{{"latitude", 90}, {"longitude", 180}}

const examplePoint = `{"latitude": 25.03, "longitude": 121.56}`

// decodePoint reads {"latitude": …, "longitude": …}.
func decodePoint(name string, value any) (*store.Location, string) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Sprintf("%s must be an object, such as %s; got %s", name, examplePoint, kind(value))
	}
	var degrees [2]float64
	for i, key := range pointKeys {
		value, sent := object[key.name]
		if !sent {
			return nil, fmt.Sprintf("%s.%s is required: send %s such as %s", name, key.name, name, examplePoint)
		}
		f, ok := value.(float64)
		if got := fmt.Sprint(value); !ok || math.Abs(f) > key.bound {
			if !ok {
				got = kind(value)
			}
			return nil, fmt.Sprintf("%s.%s must be a number from %v to %v; got %s", name, key.name, -key.bound, key.bound, got)
		}
		degrees[i] = f
	}
	if len(object) > len(pointKeys) {
		return nil, fmt.Sprintf("%s takes latitude and longitude and nothing else, such as %s", name, examplePoint)
	}
	return &store.Location{Latitude: degrees[0], Longitude: degrees[1]}, ""
}

// unknown names the arguments that the tool does not have, each with the one
// that is spelled most like it.
func (ps params[In]) unknown(args map[string]any) (problems []string) {
	names := ps.names()
	for _, arg := range slices.Sorted(maps.Keys(args)) {
		if slices.Contains(names, arg) {
			continue
		}
		said := shorten(oneLine(arg), 40)
		nearest := slices.MinFunc(names, func(a, b string) int {
			return fold.Distance(said, a) - fold.Distance(said, b)
		})
		problems = append(problems, fmt.Sprintf("unknown argument %q: did you mean %q? The arguments are %s",
			said, nearest, strings.Join(names, ", ")))
		if len(problems) == 3 {
			break
		}
	}
	return problems
}

func (ps params[In]) names() []string {
	names := make([]string, len(ps.list))
	for i, p := range ps.list {
		names[i] = p.name
	}
	return names
}

// exampleCall is a call that works, as JSON.
func (ps params[In]) exampleCall() string {
	i := max(0, slices.IndexFunc(ps.list, func(p param[In]) bool { return p.required }))
	return fmt.Sprintf("{%q: %s}", ps.list[i].name, ps.list[i].example)
}

// kind names the JSON type of a decoded value.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// oneLine returns s without characters that control a terminal, a line or the
// direction of writing, and without space around it: names come from sheets and
// questions from strangers, and an answer is one line.
func oneLine(s string) string {
	if strings.ContainsFunc(s, breaksLine) {
		s = strings.Map(func(r rune) rune {
			if breaksLine(r) {
				return ' '
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

// oneLines makes each of a list of texts one line.
func oneLines(list []string) []string {
	for i, s := range list {
		list[i] = oneLine(s)
	}
	return list
}

func breaksLine(r rune) bool {
	const joiner = '\u200d' // holds an emoji together
	if ' ' <= r && r <= '~' || '\u2e80' <= r && r <= '\ud7ff' {
		return false // most of what there is: Latin, and Chinese with its punctuation
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != joiner
}

// shorten cuts s to at most n characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	last, count := 0, 0 // where the n-th character begins
	for i := range s {
		if count++; count == n {
			last = i
		} else if count > n {
			return s[:last] + "…"
		}
	}
	return s
}
