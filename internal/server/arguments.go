package server

import (
	"bytes"
	"fmt"
)

// arguments are the arguments of a message as they go on.
type arguments struct {
	start, end int    // where they stand in the message
	instead    []byte // takes their place; nil if they go on as they were sent
	problem    string // why they cannot be understood; "" where they can
}

// readArguments reads the arguments of a message, apart from the rest of it:
// what is wrong within them is for the model that wrote them, which reads the
// result of a tool and never a protocol error.
//
// A string that holds an object is decoded once, and nothing stands for an
// empty object as an empty array does: that is how some clients and models
// write arguments. What is then not an object is for the tool to refuse.
func (r *reader) readArguments() bool {
	flawsOutside, valuesOutside := r.flaws, r.values
	r.flaws, r.values = flaws{}, 0
	a := &r.arguments
	a.start = r.pos
	ok := r.value(&anything)
	inside := r.flaws
	r.flaws, r.values = flawsOutside, valuesOutside
	if !ok {
		return false
	}
	a.end = r.pos
	raw := r.data[a.start:a.end]
	switch {
	case len(raw) > maxArguments:
		a.problem = fmt.Sprintf("arguments are %d bytes long; send at most %d", len(raw), maxArguments)
	case inside.complaints > 0:
		a.problem = inside.about("arguments")
	case raw[0] == '"':
		a.decode([]byte(unquote(raw)), r.depth)
	case isEmptyArray(raw):
		a.instead = emptyObject
	}
	if a.problem != "" {
		a.instead = emptyObject
	}
	if a.instead != nil {
		raw = a.instead
	}
	if string(raw) != "null" {
		r.parts[partArguments] = raw
	}
	return true
}

var emptyObject = []byte("{}")

// decode takes the text of a string for arguments, where it can be.
func (a *arguments) decode(text []byte, depth int) {
	text = bytes.TrimSpace(text)
	in := reader{data: text, depth: depth}
	switch {
	case len(text) == 0, isEmptyArray(text):
		a.instead = emptyObject
	case text[0] != '{' && string(text) != "null", !in.value(&anything), in.pos < len(text):
	case in.complaints > 0:
		a.problem = in.about("arguments")
	default:
		a.instead = text
	}
}

// isEmptyArray reports whether a JSON value is an array without elements.
func isEmptyArray(value []byte) bool {
	return value[0] == '[' && value[len(value)-1] == ']' && len(bytes.TrimSpace(value[1:len(value)-1])) == 0
}

// body returns the message as it goes on.
func (r *reader) body() []byte {
	a := &r.arguments
	if a.instead == nil {
		return r.data
	}
	return bytes.Join([][]byte{r.data[:a.start], a.instead, r.data[a.end:]}, nil)
}
