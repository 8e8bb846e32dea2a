package sheet

import (
	"bufio"
	"io"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// separators are what cells of a text file stand between, the likeliest first.
const separators = ",\t;|"

// dialect is how a text file is written.
type dialect struct {
	charset charset
	comma   byte
	named   bool // the first line says what the separator is: sep=;
	first   []numbered
	known   int // columns
}

// textFile yields the rows of a text file that begins with start.
func (s *source) textFile(start []byte) error {
	sheet := &store.Sheet{File: s.name}
	d, err := s.dialect(sheet, start)
	if err != nil {
		return err
	}
	h, err := findHeader(sheet, d.first, s.o.Map)
	if err != nil {
		return err
	}
	if err := s.foundHeader(h, s.left == 0); err != nil {
		return err
	}
	if s.o.Encoding == "" && (d.charset.name == big5Text.name || d.charset.name == gb18030CS.name) {
		s.tell(sheet, "read as %s", d.charset.name)
	}
	s.text.Discard(d.charset.skip)
	text := bufio.NewReaderSize(d.charset.reader(s.text), 64<<10)
	l := newRecords(text, d.comma)
	if d.named {
		if _, _, err := l.next(); err != nil && err != io.EOF {
			return s.wrap(sheet, err)
		}
	}
	return s.readRows(l, h)
}

// dialect finds out how a text file is written: in that encoding, and with that
// separator, by which its header has most columns that are known.
func (s *source) dialect(sheet *store.Sheet, start []byte) (dialect, error) {
	const hint = "save it as CSV UTF-8 or .xlsx, and import that"
	all := candidates(start)
	if s.o.Encoding != "" {
		all = asked(encodings[encodingName(s.o.Encoding)], start)
	}
	if len(all) == 0 {
		return dialect{}, s.fail(0, "it is not text: there are zero bytes in it", hint)
	}
	sample := start
	if len(all) > 1 || all[0].decoder != nil {
		sample = start[:min(len(start), 256<<10)]
	}
	var best dialect
	tie := false
	for i, cs := range all {
		d, err := separated(cs, cs.sample(sample), s.o.Map)
		if err != nil && len(all) == 1 {
			return dialect{}, s.wrap(sheet, err)
		}
		tie = i > 0 && d.known == best.known
		if i == 0 || d.known > best.known {
			best = d
		}
	}
	if s.o.Encoding != "" || len(all) == 1 {
		return best, nil
	}
	cs, ok := likely(afterASCII(start))
	switch {
	case tie && !ok:
		return dialect{}, s.fail(0, "its encoding cannot be told", "say which it is, such as --encoding big5, or "+hint)
	case tie:
		return separated(cs, cs.sample(sample), s.o.Map)
	}
	return best, nil
}

// asked returns which of the encodings that the user named it is.
func asked(all []charset, start []byte) []charset {
	cs, ok := marked(start)
	for _, a := range all {
		if ok && a.name == cs.name {
			return []charset{cs}
		}
	}
	if len(all) > 1 {
		if found := wide(start); len(found) > 0 {
			return found
		}
	}
	return all[:1]
}

// separated finds out what separates the cells of text.
func separated(cs charset, text string, headers map[string]string) (dialect, error) {
	if comma, ok := namedSeparator(text); ok {
		d := dialect{charset: cs, comma: comma, named: true}
		l := newRecords(bufio.NewReader(strings.NewReader(text)), comma)
		l.next()
		var err error
		d.first, err = firstLines(l)
		d.known = mostKnown(d.first, headers)
		return d, err
	}
	var best dialect
	var failed error
	for i := range len(separators) {
		d := dialect{charset: cs, comma: separators[i]}
		l := newRecords(bufio.NewReader(strings.NewReader(text)), d.comma)
		var err error
		if d.first, err = firstLines(l); err != nil && failed == nil {
			failed = err
		}
		d.known = mostKnown(d.first, headers)
		if i == 0 || d.known > best.known || d.known == 0 && best.known == 0 && width(d.first) > width(best.first) {
			best = d
		}
	}
	if best.known > 0 {
		failed = nil // what is wrong further down is told in its turn
	}
	return best, failed
}

// namedSeparator returns the separator that Excel's first line names.
func namedSeparator(text string) (byte, bool) {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.Trim(strings.TrimSuffix(line, "\r"), `"`)
	if len(line) == 5 && strings.EqualFold(line[:4], "sep=") {
		return line[4], true
	}
	return 0, false
}

// mostKnown is how many columns are known in the line that has most of them.
func mostKnown(first []numbered, headers map[string]string) int {
	most := 0
	for _, l := range first {
		if h := readHeader(l, headers); h.isHeader() {
			most = max(most, h.known())
		}
	}
	return most
}

// width is how many cells the widest of the lines has.
func width(first []numbered) int {
	most := 0
	for _, l := range first {
		most = max(most, len(l.cells))
	}
	return most
}
