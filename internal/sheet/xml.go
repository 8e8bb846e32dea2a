package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlReader reads the XML of a workbook, token by token. It takes what
// spreadsheet programs write: UTF-8 without a DTD, so that there are no
// entities that could grow. A sheet of a million rows has some forty million
// tokens, on each of which encoding/xml spends ten times as long.
type xmlReader struct {
	r     *bufio.Reader
	depth int
	attrs []byte // of a start: what follows the name
	name  []byte // of a start or an end, without its prefix
	text  []byte // of a text, as it stands
	ends  bool   // the element that was started ends at once
	long  []byte // room for tags that do not fit the reader's buffer
}

type xmlToken int

const (
	xmlStart xmlToken = iota
	xmlEnd
	xmlText
)

var errXML = errors.New("its XML is broken")

func newXMLReader(r io.Reader) *xmlReader {
	return &xmlReader{r: bufio.NewReaderSize(r, maxTag)}
}

// next returns the next token, io.EOF after the last one. What it is lies in
// the reader's fields until the call after. A text may come in pieces.
func (x *xmlReader) next() (xmlToken, error) {
	if x.ends {
		x.ends = false
		x.depth--
		return xmlEnd, nil
	}
	for {
		text, err := x.r.ReadSlice('<')
		switch {
		case err == nil:
			text = text[:len(text)-1]
			// The tag is read when the text has been seen, as both are in
			// one buffer.
			if x.depth > 0 && len(text) > 0 {
				x.r.UnreadByte()
				x.text = text
				return xmlText, nil
			}
		case err == bufio.ErrBufferFull && x.depth > 0:
			x.text = text
			return xmlText, nil
		case err == io.EOF && x.depth == 0:
			return 0, io.EOF
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case err == bufio.ErrBufferFull:
			return 0, errXML
		default:
			return 0, err
		}
		token, seen, err := x.readTag()
		if seen || err != nil {
			return token, err
		}
	}
}

// readTag reads on after a "<". It returns false where nothing is to be seen.
func (x *xmlReader) readTag() (token xmlToken, seen bool, err error) {
	tag, err := x.until('>')
	if err != nil {
		return 0, false, err
	}
	switch {
	case len(tag) == 0:
		return 0, false, errXML
	case tag[0] == '?':
		return 0, false, nil
	case bytes.HasPrefix(tag, []byte("!--")):
		return 0, false, x.skipTo(tag[3:], "--")
	case bytes.HasPrefix(tag, []byte("![CDATA[")):
		text, err := x.cdata(tag[8:])
		x.text = text
		return xmlText, x.depth > 0, err
	case tag[0] == '!':
		return 0, false, errXML
	case tag[0] == '/':
		if x.depth--; x.depth < 0 {
			return 0, false, errXML
		}
		x.name = local(trimSpace(tag[1:]))
		return xmlEnd, true, nil
	}
	// A ">" may stand in an attribute.
	if bytes.IndexByte(tag, '"') >= 0 || bytes.IndexByte(tag, '\'') >= 0 {
		for openQuote(tag) {
			if tag, err = x.longer(tag); err != nil {
				return 0, false, err
			}
		}
	}
	x.depth++
	if tag[len(tag)-1] == '/' {
		tag, x.ends = tag[:len(tag)-1], true
	}
	end := 0
	for end < len(tag) && !isSpace(tag[end]) {
		end++
	}
	x.name, x.attrs = local(tag[:end]), tag[end:]
	return xmlStart, true, nil
}

// until returns what stands before the next delimiter.
func (x *xmlReader) until(delimiter byte) ([]byte, error) {
	b, err := x.r.ReadSlice(delimiter)
	switch err {
	case nil:
		return b[:len(b)-1], nil
	case io.EOF:
		return nil, io.ErrUnexpectedEOF
	case bufio.ErrBufferFull:
		return nil, errXML
	}
	return nil, err
}

// longer reads a tag on to the next ">".
func (x *xmlReader) longer(tag []byte) ([]byte, error) {
	x.long = append(append(x.long[:0], tag...), '>')
	more, err := x.until('>')
	if err != nil {
		return nil, err
	}
	if x.long = append(x.long, more...); len(x.long) > maxTag {
		return nil, errXML
	}
	return bytes.Clone(x.long), nil
}

// skipTo skips to the end that has the mark before its ">".
func (x *xmlReader) skipTo(tag []byte, mark string) error {
	for !bytes.HasSuffix(tag, []byte(mark)) {
		var err error
		if tag, err = x.r.ReadSlice('>'); err != nil && err != bufio.ErrBufferFull {
			return io.ErrUnexpectedEOF
		}
		tag = bytes.TrimSuffix(tag, []byte(">"))
	}
	return nil
}

// cdata returns the text of a CDATA section, written as other text is.
func (x *xmlReader) cdata(text []byte) ([]byte, error) {
	all := bytes.Clone(text)
	for !bytes.HasSuffix(all, []byte("]]")) {
		more, err := x.until('>')
		if err != nil {
			return nil, err
		}
		if all = append(append(all, '>'), more...); len(all) > maxTag {
			return nil, errXML
		}
	}
	return bytes.ReplaceAll(all[:len(all)-2], []byte("&"), []byte("&amp;")), nil
}

// openQuote reports whether a tag ends within the value of an attribute.
func openQuote(tag []byte) bool {
	var quote byte
	for _, c := range tag {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote != 0
}

// local returns a name without its prefix.
func local(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }

// attr returns an attribute of the element that was started, as it stands; nil
// where there is none. The name is without its prefix.
func (x *xmlReader) attr(name string) []byte {
	rest := x.attrs
	for {
		equals := bytes.IndexByte(rest, '=')
		if equals < 0 {
			return nil
		}
		key := local(trimSpace(rest[:equals]))
		rest = trimSpace(rest[equals+1:])
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil
		}
		if string(key) == name {
			return rest[1 : 1+end]
		}
		rest = rest[end+2:]
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// value returns an attribute as text.
func (x *xmlReader) value(name string) string { return unescape(x.attr(name)) }

// skip reads on to the end of the element that was started.
func (x *xmlReader) skip() error {
	for depth := x.depth; x.depth >= depth; {
		if _, err := x.next(); err != nil {
			return err
		}
	}
	return nil
}

// unescape returns the text that b stands for.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		amp := bytes.IndexByte(b, '&')
		if amp < 0 {
			out.Write(b)
			break
		}
		out.Write(b[:amp])
		b = b[amp:]
		end := bytes.IndexByte(b[:min(len(b), 12)], ';')
		if end < 0 {
			out.WriteRune(utf8.RuneError)
			break
		}
		out.WriteString(entity(string(b[1:end])))
		b = b[end+1:]
	}
	return out.String()
}

func entity(name string) string {
	switch name {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	if number, ok := strings.CutPrefix(name, "#"); ok {
		base := 10
		if hex, ok := strings.CutPrefix(number, "x"); ok {
			number, base = hex, 16
		}
		if n, err := strconv.ParseUint(number, base, 21); err == nil {
			return string(rune(n))
		}
	}
	return string(utf8.RuneError)
}
