package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// Bounds of one message. What any tool takes is far smaller.
const (
	maxDepth     = 64
	maxValues    = 2000     // of any kind, in the arguments of a call and likewise outside of them
	maxArguments = 64 << 10 // bytes
)

// reader reads JSON strictly, in one pass and without copying: it tells syntax
// errors, holds values against a shape, and keeps the parts that are asked for.
//
// An empty array where an object must be stands for an empty object, which is
// how PHP writes one: the reader changes data accordingly.
type reader struct {
	data   []byte
	pos    int
	depth  int
	values int              // read so far
	parts  [numParts][]byte // as they were sent, but for arguments

	bad *failure // why reading stopped
	flaws
	arguments arguments
}

// flaws are what is wrong with JSON that can be read.
type flaws struct {
	complaints int
	wrong      string   // the first of them
	where      []string // the path to it, innermost first
}

// stop ends the reading: it is no JSON.
func (r *reader) stop(format string, args ...any) bool {
	r.bad = &failure{status: http.StatusBadRequest, code: mcp.PARSE_ERROR,
		message: fmt.Sprintf("not valid JSON at byte %d: ", r.pos) + fmt.Sprintf(format, args...)}
	return false
}

// complain notes what is wrong with the value that is being read.
func (r *reader) complain(format string, args ...any) {
	if r.complaints++; r.complaints == 1 {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// value reads a value of shape s. Like the other methods that read, it reports
// false when it cannot go on.
func (r *reader) value(s *shape) bool {
	r.space()
	if r.pos == len(r.data) {
		return r.stop("it ends early")
	}
	if s.part == partArguments {
		return r.readArguments()
	}
	if r.values++; r.values > maxValues {
		r.complain("is one value too many: %d are allowed", maxValues)
	}
	start, complaints := r.pos, r.complaints
	var k kind
	var ok bool
	switch c := r.data[r.pos]; c {
	case '{':
		k, ok = object, r.object(s)
	case '[':
		k, ok = array, r.array(s)
		if ok && s.kind&(object|array) == object && r.depth > 0 && isEmptyArray(r.data[start:r.pos]) {
			r.data[start], r.data[r.pos-1] = '{', '}'
			k = object
		}
	case '"':
		k, ok = text, r.text()
	case 't':
		k, ok = boolean, r.literal("true")
	case 'f':
		k, ok = boolean, r.literal("false")
	case 'n':
		k, ok = null, r.literal("null")
	default:
		k, ok = r.number()
	}
	if !ok {
		return false
	}
	if s.kind != 0 && s.kind&k == 0 {
		r.complain("must be %s", s.kind)
	}
	if s.part != noPart && (k != null || s.part == partID) && r.complaints == complaints {
		r.parts[s.part] = r.data[start:r.pos]
	}
	return true
}

func (r *reader) enter() bool {
	r.pos++
	r.depth++
	if r.depth > maxDepth {
		r.bad = &failure{status: http.StatusBadRequest, code: mcp.INVALID_REQUEST,
			message: fmt.Sprintf("the message nests deeper than %d levels", maxDepth)}
		return false
	}
	return true
}

// next reads what stands between two elements, and reports whether there is
// another one.
func (r *reader) next(end byte) (more, ok bool) {
	r.space()
	switch {
	case r.pos == len(r.data):
		return false, r.stop("it ends early")
	case r.data[r.pos] == end:
		r.pos++
		r.depth--
		return false, true
	case r.data[r.pos] == ',':
		r.pos++
		return true, true
	default:
		return false, r.stop("%q where a comma or %q should be", r.data[r.pos], end)
	}
}

func (r *reader) array(s *shape) bool {
	if !r.enter() {
		return false
	}
	element := orAnything(s.each)
	if r.space(); r.pos < len(r.data) && r.data[r.pos] == ']' {
		r.pos++
		r.depth--
		return true
	}
	for i := 0; ; i++ {
		fine := r.complaints == 0
		if !r.value(element) {
			return false
		}
		if fine && r.complaints > 0 {
			r.where = append(r.where, "["+strconv.Itoa(i)+"]")
		}
		if more, ok := r.next(']'); !more {
			return ok
		}
	}
}

func (r *reader) object(s *shape) bool {
	if !r.enter() {
		return false
	}
	if r.space(); r.pos < len(r.data) && r.data[r.pos] == '}' {
		r.pos++
		r.depth--
		return true
	}
	var seen uint32 // bits of s.fields
	for {
		if r.space(); r.pos == len(r.data) {
			return r.stop("it ends early")
		}
		if r.data[r.pos] != '"' {
			return r.stop("%q where a name in quotes should be", r.data[r.pos])
		}
		start, fine := r.pos, r.complaints == 0
		if !r.text() {
			return false
		}
		name := r.data[start:r.pos]
		if r.space(); r.pos == len(r.data) || r.data[r.pos] != ':' {
			return r.stop("a name without a colon")
		}
		r.pos++
		if !r.value(r.member(s, name, &seen)) {
			return false
		}
		if fine && r.complaints > 0 {
			r.where = append(r.where, unquote(name))
		}
		if more, ok := r.next('}'); !more {
			return ok
		}
	}
}

var anything shape

// orAnything is s, or the shape of anything where s is nil.
func orAnything(s *shape) *shape {
	if s == nil {
		return &anything
	}
	return s
}

// member returns the shape of the member of that name, and sees to it that
// nobody after this reader could take another one for it: encoding/json reads
// names in any case, and the last of several.
func (r *reader) member(s *shape, quoted []byte, seen *uint32) *shape {
	if len(s.fields) == 0 {
		return orAnything(s.each)
	}
	name := quoted[1 : len(quoted)-1]
	for i := range s.fields {
		f := &s.fields[i]
		if string(name) == f.name {
			if *seen&(1<<i) != 0 {
				r.complain("is there twice")
			}
			*seen |= 1 << i
			return &f.shape
		}
	}
	plain := unquote(quoted)
	for i := range s.fields {
		if strings.EqualFold(plain, s.fields[i].name) {
			r.complain("must be written %q", s.fields[i].name)
		}
	}
	return orAnything(s.each)
}

// path is where the wrong value is, such as params.clientInfo.name.
func (f *flaws) path() string {
	var b strings.Builder
	for i := len(f.where) - 1; i >= 0; i-- {
		name := f.where[i]
		if b.Len() > 0 && name[:min(1, len(name))] != "[" {
			b.WriteByte('.')
		}
		b.WriteString(clip(name))
	}
	return b.String()
}

// about says what is wrong with a value of that name.
func (f *flaws) about(name string) string {
	return (&flaws{wrong: f.wrong, where: append(slices.Clip(f.where), name)}).path() + " " + f.wrong
}
