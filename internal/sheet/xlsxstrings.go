package sheet

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sharedStrings are the texts that the cells of a workbook name by numbers. The
// first of them are kept in memory, the rest in a temporary file.
type sharedStrings struct {
	ends []uint32 // where in all of the text each string ends
	core []byte
	file *os.File
	rest *bufio.Writer // of file
	size uint32        // of all of the text
}

// readStrings reads the part of that name, "" if there is none.
func (w *workbook) readStrings(name string) (*sharedStrings, error) {
	s := &sharedStrings{}
	if name == "" || w.parts[name] == nil {
		return s, nil
	}
	r, err := w.reader(name, maxPart)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// Room is made once, by what the archive says, as growing takes more; a
	// text has some 32 bytes with the tags around it.
	size := w.parts[name].UncompressedSize64
	s.core = make([]byte, 0, min(size, stringsInCore))
	s.ends = make([]uint32, 0, min(size/32, maxStrings))
	x := newXMLReader(r)
	var text richText
	for {
		token, err := x.next()
		if err == io.EOF {
			break
		}
		if err == nil && token == xmlStart && string(x.name) == "si" {
			if err = text.read(x); err == nil {
				err = s.add(text.String())
			}
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	if s.rest != nil {
		if err := s.rest.Flush(); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// add appends a string.
func (s *sharedStrings) add(text string) error {
	if len(s.ends) == maxStrings || int64(s.size)+int64(len(text)) > 1<<32-1 {
		return &tooMuch{0, fmt.Sprintf("its cells share more than %d texts", maxStrings), asCSV}
	}
	if s.file == nil && len(s.core)+len(text) > stringsInCore {
		f, err := os.CreateTemp("", "mcpstore-*.strings")
		if err != nil {
			return err
		}
		s.file, s.rest = f, bufio.NewWriterSize(f, 64<<10)
	}
	s.size += uint32(len(text))
	s.ends = append(s.ends, s.size)
	if s.file == nil {
		s.core = append(s.core, text...)
		return nil
	}
	_, err := s.rest.WriteString(text)
	return err
}

// at returns the string of a number.
func (s *sharedStrings) at(number []byte) (string, error) {
	i, err := strconv.ParseUint(string(number), 10, 32)
	if err != nil || i >= uint64(len(s.ends)) {
		return "", fmt.Errorf("a cell names the text %q, which there is not", shorten(string(number)))
	}
	var from uint32
	if i > 0 {
		from = s.ends[i-1]
	}
	to := s.ends[i]
	if int(to) <= len(s.core) {
		return string(s.core[from:to]), nil
	}
	b := make([]byte, to-from)
	if _, err := s.file.ReadAt(b, int64(from)-int64(len(s.core))); err != nil {
		return "", err
	}
	return string(b), nil
}

func (s *sharedStrings) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}

// richText gathers the text of an element from the runs that it is made of,
// without the readings that may stand above it.
type richText struct{ raw []byte }

// A text that is longer than a cell may be is kept so far that it shows.
const maxRawText = (maxCell + 1) * utf8.UTFMax

func (t *richText) add(b []byte) {
	t.raw = append(t.raw, b[:min(len(b), maxRawText-min(len(t.raw), maxRawText))]...)
}

// read reads on to the end of the element that was started.
func (t *richText) read(x *xmlReader) error {
	t.raw = t.raw[:0]
	inText := false
	for depth := x.depth; x.depth >= depth; {
		token, err := x.next()
		if err != nil {
			return err
		}
		switch {
		case token == xmlText && inText:
			t.add(x.text)
		case token == xmlStart && string(x.name) == "t":
			inText = !x.ends
		case token == xmlStart && string(x.name) == "rPh":
			if err := x.skip(); err != nil {
				return err
			}
		case token == xmlEnd:
			inText = false
		}
	}
	return nil
}

func (t *richText) String() string { return unescapeX(unescape(t.raw)) }

// unescapeX decodes the characters that XML cannot hold, which Excel writes as
// _x000D_.
func unescapeX(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		if len(s) >= 7 && s[6] == '_' {
			if n, err := strconv.ParseUint(s[2:6], 16, 16); err == nil {
				b.WriteRune(rune(n))
				s = s[7:]
				continue
			}
		}
		b.WriteString("_x")
		s = s[2:]
	}
}
