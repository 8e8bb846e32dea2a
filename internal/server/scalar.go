package server

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

func (r *reader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return
		}
	}
}

func (r *reader) literal(word string) bool {
	if string(r.data[r.pos:min(len(r.data), r.pos+len(word))]) != word {
		return r.stop("an unknown word")
	}
	r.pos += len(word)
	return true
}

// text reads a string, with r.pos at its first quote.
func (r *reader) text() bool {
	r.pos++
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return true
		case c == '\\':
			if !r.escape() {
				return false
			}
		case c < ' ':
			return r.stop("the control character %q in a string", c)
		case c < utf8.RuneSelf:
			r.pos++
		default:
			char, size := utf8.DecodeRune(r.data[r.pos:])
			if char == utf8.RuneError && size == 1 {
				return r.stop("it is not UTF-8")
			}
			r.pos += size
		}
	}
	return r.stop("a string ends early")
}

func (r *reader) escape() bool {
	if r.pos+1 == len(r.data) {
		return r.stop("a string ends early")
	}
	switch c := r.data[r.pos+1]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.pos += 2
		return true
	case 'u':
		unit, ok := r.codeUnit()
		if !ok {
			return r.stop(`\u without four hexadecimal digits`)
		}
		r.pos += 6
		switch {
		case unit < 0xD800 || unit > 0xDFFF:
			return true
		case unit < 0xDC00:
			if low, ok := r.codeUnit(); ok && low >= 0xDC00 && low <= 0xDFFF {
				r.pos += 6
				return true
			}
		}
		r.complain(`has half a character: \u%04x`, unit)
		return true
	default:
		return r.stop(`the unknown escape \%c`, c)
	}
}

// codeUnit returns the \uXXXX at r.pos.
func (r *reader) codeUnit() (uint64, bool) {
	if r.pos+6 > len(r.data) || r.data[r.pos] != '\\' || r.data[r.pos+1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(r.data[r.pos+2:r.pos+6]), 16, 16)
	return unit, err == nil
}

// number reads a number.
func (r *reader) number() (kind, bool) {
	start := r.pos
	if r.data[r.pos] == '-' {
		r.pos++
	}
	leading := r.pos
	if r.digits() == 0 || r.data[leading] == '0' && r.pos > leading+1 {
		r.pos = start
		return 0, r.stop("%q begins no value", r.data[start])
	}
	whole := true
	if r.pos < len(r.data) && r.data[r.pos] == '.' {
		whole = false
		r.pos++
		if r.digits() == 0 {
			return 0, r.stop("a number ends early")
		}
	}
	if r.pos < len(r.data) && r.data[r.pos]|0x20 == 'e' {
		whole = false
		r.pos++
		if r.pos < len(r.data) && (r.data[r.pos] == '+' || r.data[r.pos] == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return 0, r.stop("a number ends early")
		}
	}
	const exact = 15 // digits that float64 always keeps
	if whole && r.pos-start <= exact {
		return number | integer, true
	}
	value, err := strconv.ParseFloat(string(r.data[start:r.pos]), 64)
	if err != nil {
		r.complain("is out of range")
	}
	if whole && -maxInteger <= value && value <= maxInteger {
		return number | integer, true
	}
	return number, true
}

// maxInteger is how far float64, and with it most JSON, keeps integers apart.
const maxInteger = 1<<53 - 1

func (r *reader) digits() int {
	start := r.pos
	for r.pos < len(r.data) && '0' <= r.data[r.pos] && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}

// unquote returns the text of a string that was read.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(quoted, &s)
	return s
}
