package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
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

// decode checks a call's arguments and returns them typed, with what is worth
// knowing beside them. An optional argument that is null or blank is one left
// out, which is how many models say it, and a value of another type is taken
// where it can mean one thing only: see [param.understand]. Strict is for tools
// that change the stock, where an argument that is ignored may be the one that
// matters. An error is a [badArguments] and names all that is wrong.
func (ps params[In]) decode(arguments any, strict bool) (in In, notes remarks, err error) {
	args, ok := arguments.(map[string]any)
	if !ok && arguments != nil {
		return in, notes, badArguments(fmt.Sprintf("arguments must be an object, such as %s; got %s", ps.exampleCall(), kind(arguments)))
	}
	var problems []string
	known, given := 0, 0
	for i := range ps.list {
		p := &ps.list[i]
		sent, ok := args[p.name]
		if ok {
			known++
		}
		value := p.understand(sent)
		if value != nil {
			given++
		}
		var problem string
		switch {
		case value != nil:
			problem = p.set(&in, value)
			if object, ok := value.(map[string]any); ok && problem == "" {
				notes.ignored = append(notes.ignored, otherKeys(p.name, object)...)
			}
			if p.text != nil && isNumber(sent) {
				notes.numbers = append(notes.numbers, *p.text(&in))
			}
		case !p.required:
		case !ok:
			problem = fmt.Sprintf("%s is required: send it, such as %s", p.name, p.example)
		case sent == nil:
			problem = p.wanted("null")
		default:
			problem = fmt.Sprintf("%s must not be blank: send it, such as %s", p.name, p.example)
		}
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	if ps.exactlyOne && given != 1 && problems == nil {
		problems = append(problems, fmt.Sprintf("send one of %s and no more, such as %s", strings.Join(ps.names(), " and "), ps.exampleCall()))
	}
	if known < len(args) {
		ignored, unknown := ps.unknown(args, strict || problems != nil)
		notes.ignored = append(notes.ignored, ignored...)
		problems = append(problems, unknown...)
	}
	if problems != nil {
		return in, notes, badArguments(strings.Join(problems, "; "))
	}
	return in, notes, nil
}

// set checks value, as understand returns it, and stores it in in, or says what
// is wrong with it.
func (p *param[In]) set(in *In, value any) (problem string) {
	switch value := value.(type) {
	case string:
		if p.text == nil {
			return p.wanted(quoted(value))
		}
		if p.oneOf != nil && !slices.Contains(p.oneOf, value) {
			return p.wanted(quoted(value))
		}
		if n := utf8.RuneCountInString(value); p.oneOf == nil && n > p.maxLength {
			return fmt.Sprintf("%s must have at most %d characters; got %d", p.name, p.maxLength, n)
		}
		*p.text(in) = oneLine(value)
		return ""
	case float64:
		if p.integer == nil || value != math.Trunc(value) || value < float64(p.minimum) || value > float64(p.maximum) {
			return p.wanted(shorten(strconv.FormatFloat(value, 'f', -1, 64), 20))
		}
		*p.integer(in) = int64(value)
		return ""
	case json.Number:
		if p.text == nil || p.oneOf != nil {
			return p.wanted("the number " + shorten(value.String(), 40))
		}
		return fmt.Sprintf("%s must be a string, such as %s; got the number %s, which may not be all of it: send it in quotes, as it is written",
			p.name, p.example, shorten(value.String(), 40))
	case bool:
		if p.boolean == nil {
			return p.wanted(kind(value))
		}
		*p.boolean(in) = value
		return ""
	}
	if p.point == nil {
		return p.wanted(kind(value))
	}
	point, problem := decodePoint(p.name, value)
	if problem == "" {
		*p.point(in) = point
	}
	return problem
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
	case p.point != nil:
		want = "an object"
	}
	return fmt.Sprintf("%s must be %s, such as %s; got %s", p.name, want, p.example, got)
}

// pointKeys are the members of a point and how far from 0 each may be.
var pointKeys = []struct {
	name  string
	bound float64
}{{"latitude", 90}, {"longitude", 180}}

const examplePoint = `{"latitude": 25.03, "longitude": 121.56}`

// decodePoint reads {"latitude": …, "longitude": …}. Other members are ignored.
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
		f, ok := asNumber(value).(float64)
		if !ok || math.Abs(f) > key.bound {
			got := kind(value)
			switch value := value.(type) {
			case string:
				got = quoted(value)
			case float64, json.Number:
				got = shorten(fmt.Sprint(value), 40)
			}
			return nil, fmt.Sprintf("%s.%s must be a number from %v to %v; got %s", name, key.name, -key.bound, key.bound, got)
		}
		degrees[i] = f
	}
	return &store.Location{Latitude: degrees[0], Longitude: degrees[1]}, ""
}

// otherKeys names the members of a point that are none of its own.
func otherKeys(name string, point map[string]any) (names []string) {
	for _, key := range slices.Sorted(maps.Keys(point)) {
		if key != pointKeys[0].name && key != pointKeys[1].name && len(names) < maxIgnored {
			names = append(names, name+"."+shorten(oneLine(key), 40))
		}
	}
	return names
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
	case float64, json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// quoted is what a caller sent, as an error shows it.
func quoted(s string) string { return fmt.Sprintf("%q", shorten(oneLine(s), 40)) }

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
