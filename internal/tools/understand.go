package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// Models and the programs that call for them send values of another type than
// the schema has: "5" for 5, "true" for true, 4719972846795 for a barcode, and
// PHP writes {} as []. What can mean one thing only is taken as that.

// argumentsOf returns the arguments of a call, with numbers as they are written
// where a text is wanted: in a float64, a long SKU would be another.
func (ps params[In]) argumentsOf(p mcp.CallToolParams) any {
	args, ok := p.Arguments.(map[string]any)
	if !ok || len(p.RawArguments) == 0 {
		return p.Arguments
	}
	if !slices.ContainsFunc(ps.list, func(p param[In]) bool { return p.text != nil && isNumber(args[p.name]) }) {
		return args
	}
	var exact map[string]any
	d := json.NewDecoder(bytes.NewReader(p.RawArguments))
	d.UseNumber()
	if d.Decode(&exact) != nil {
		return args
	}
	return exact
}

func isNumber(value any) bool {
	switch value.(type) {
	case float64, json.Number:
		return true
	}
	return false
}

// understand returns a value as the type that the argument has, where it can
// mean one thing only: a string, a float64, a bool, or an object. It returns nil
// for what is left out or blank, and everything else as it came.
func (p *param[In]) understand(value any) any {
	if s, ok := value.(string); ok && oneLine(s) == "" {
		return nil
	}
	switch {
	case p.text != nil:
		return p.asText(value)
	case p.integer != nil:
		if s, ok := value.(string); ok && thousands.MatchString(oneLine(s)) {
			return value
		}
		return asNumber(value)
	case p.boolean != nil:
		return asBoolean(value)
	default:
		return asObject(value)
	}
}

// digits are a number that is the same text whichever program writes it. One
// with an exponent may have been shortened, as spreadsheets do to barcodes.
var digits = regexp.MustCompile(`^-?[0-9]+$`)

func (p *param[In]) asText(value any) any {
	if f, ok := value.(float64); ok {
		value = json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	}
	switch v := value.(type) {
	case json.Number:
		if p.oneOf == nil && digits.MatchString(v.String()) {
			return v.String()
		}
	case string:
		for _, option := range p.oneOf {
			if strings.EqualFold(oneLine(v), option) {
				return option
			}
		}
	}
	return value
}

// thousands is how 1000 is written where the point parts groups of digits; it
// may also be 1.
var thousands = regexp.MustCompile(`^[+-]?[0-9]{1,3}(\.[0-9]{3})+$`)

// decimal is how a number is written, without what parts groups of digits: 1,000
// may be 1, too.
var decimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func asNumber(value any) any {
	var text string
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = oneLine(v)
	}
	if !decimal.MatchString(text) {
		return value
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil { // too large for anything
		return value
	}
	return f
}

func asBoolean(value any) any {
	var text string
	switch v := value.(type) {
	case float64, json.Number:
		text = fmt.Sprint(v)
	case string:
		text = strings.ToLower(oneLine(v))
	}
	switch text {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	return value
}

// asObject reads an object that is written in a string, too. One that is empty
// is left out.
func asObject(value any) any {
	if s, ok := value.(string); ok {
		var object map[string]any
		if json.Unmarshal([]byte(s), &object) == nil {
			value = object
		}
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	}
	return value
}
