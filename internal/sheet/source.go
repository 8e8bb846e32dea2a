package sheet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/mcpstore/mcpstore/internal/store"
)

// source is a file that is being read.
type source struct {
	*reader
	name string
	file *os.File      // nil where it cannot be read from anywhere
	size int64         // of file
	text *bufio.Reader // the file from its start
	temp string        // to be removed

	read0 int64 // bytes that were read of it so far
}

// totalSize returns the bytes of all files, or 0 where that is not known.
func totalSize(files []string) int64 {
	var total int64
	for _, name := range files {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

func (r *reader) open(name string) (*source, error) {
	s := &source{reader: r, name: name}
	if name == "-" {
		s.name = "standard input"
		if r.stdin == nil {
			return nil, s.fail(0, "there is none", "name a file")
		}
		s.text = bufio.NewReaderSize(&counted{s, r.stdin}, sampleSize)
		return s, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &fileError{name, "", 0, cause(err), "check the name of the file, and whether this user may read it"}
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, &fileError{name, "", 0, cause(err), "check whether this user may read it"}
	}
	if info.IsDir() {
		f.Close()
		return nil, s.fail(0, "it is a folder", "name the files in it")
	}
	s.file = f
	s.text = bufio.NewReaderSize(&counted{s, f}, sampleSize)
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s, nil
}

// cause is what went wrong with a file, whose name is told anyway.
func cause(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

func (s *source) close() {
	if s.file != nil {
		s.file.Close()
	}
	if s.temp != "" {
		os.Remove(s.temp)
	}
}

func (s *source) fail(line int, why, hint string) error {
	return &fileError{s.name, "", line, errors.New(why), hint}
}

// counted counts what is read of a source, and stops when the context ends.
type counted struct {
	s *source
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.s.advance(n)
	return n, err
}

// countedAt is [counted] for a workbook, which is read here and there.
type countedAt struct {
	s *source
	r io.ReaderAt
	// left is how many bytes may still be read; below 0, any number.
	left int64
}

var errTooFar = errors.New("its table of contents is too long")

func (c *countedAt) ReadAt(p []byte, off int64) (int, error) {
	if err := c.s.ctx.Err(); err != nil {
		return 0, err
	}
	if c.left >= 0 {
		if c.left -= int64(len(p)); c.left < 0 {
			c.left = 0
			return 0, errTooFar
		}
	}
	n, err := c.r.ReadAt(p, off)
	c.s.advance(n)
	return n, err
}

// advance reports progress.
func (s *source) advance(n int) {
	s.read0 += int64(n)
	if s.o.Progress != nil && s.total > 0 {
		s.o.Progress(float64(s.done+min(s.read0, s.size)) / float64(s.total))
	}
}

// read yields the file's rows. What the file is is told from its content, since
// names lie: tills write web pages and CSV into files that are named .xls.
func (s *source) read() error {
	start, err := s.text.Peek(sampleSize)
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return &fileError{s.name, "", 0, cause(err), "check the file, and try again"}
	}
	const save = "save it as an Excel workbook (.xlsx) or as CSV UTF-8, and import that"
	head := bytes.TrimLeft(bytes.TrimPrefix(start, markUTF8), " \t\r\n")
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if len(head) >= len(p) && strings.EqualFold(string(head[:len(p)]), p) {
				return true
			}
		}
		return false
	}
	switch {
	case len(head) == 0:
		return noHeader(&store.Sheet{File: s.name}, nil)
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return s.workbook()
	case bytes.HasPrefix(start, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		if s.isEncrypted(start) {
			return s.fail(0, "the workbook is protected by a password", "save it without one (File, Info, Protect Workbook), and import that")
		}
		return s.fail(0, "it is a workbook of Excel 97–2003 (.xls)", "open it in Excel or LibreOffice, "+save)
	case bytes.HasPrefix(start, []byte("%PDF-")):
		return s.fail(0, "it is a PDF", "export the stock from where the PDF was made, as .xlsx or CSV")
	case has("<!doctype html", "<html", "<table", "<meta", "<head"):
		return s.fail(0, "it is a web page (HTML), whatever its name says", "open it in Excel, "+save)
	case has("<?xml"):
		return s.fail(0, "it is XML", "open it in Excel, "+save)
	case isJSON(head):
		return s.fail(0, "it is JSON", "save the stock as .xlsx or CSV, and import that")
	case bytes.HasPrefix(start, []byte("\x1F\x8B")), bytes.HasPrefix(start, []byte("BZh")),
		bytes.HasPrefix(start, []byte("7z\xBC\xAF")), bytes.HasPrefix(start, []byte("Rar!")), bytes.HasPrefix(start, []byte("\xFD7zXZ")):
		return s.fail(0, "it is a compressed file", "unpack it, and import what is in it")
	}
	return s.textFile(start)
}

// isJSON reports whether text begins as JSON does. A header may begin with a
// bracket: SQL Server writes [品名],[數量].
func isJSON(text []byte) bool {
	if text[0] != '{' && text[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(next) > 0 && strings.IndexByte(`"{[`, next[0]) >= 0
}

// isEncrypted reports whether an OLE file holds an encrypted workbook, by the
// names in the first sector of its directory.
func (s *source) isEncrypted(start []byte) bool {
	name := make([]byte, 0, 32)
	for _, u := range utf16.Encode([]rune("EncryptedPackage")) {
		name = binary.LittleEndian.AppendUint16(name, u)
	}
	if bytes.Contains(start, name) {
		return true
	}
	if len(start) < 512 || s.file == nil {
		return false
	}
	shift := binary.LittleEndian.Uint16(start[30:])
	if shift < 9 || shift > 12 {
		return false
	}
	sector := make([]byte, 1<<shift)
	s.file.ReadAt(sector, (int64(binary.LittleEndian.Uint32(start[48:]))+1)<<shift)
	return bytes.Contains(sector, name)
}

// whole returns the file so that it can be read from anywhere. Standard input
// is copied to a temporary file.
func (s *source) whole() (io.ReaderAt, int64, error) {
	tooLarge := s.fail(0, fmt.Sprintf("the workbook is larger than %d MB", maxWorkbook>>20), "save its sheets as CSV files, and import those")
	if s.file != nil && s.size > 0 {
		if s.size > maxWorkbook {
			return nil, 0, tooLarge
		}
		return s.file, s.size, nil
	}
	f, err := os.CreateTemp("", "mcpstore-*.xlsx")
	if err != nil {
		return nil, 0, &fileError{s.name, "", 0, err, "make room for temporary files, or name the file instead of standard input"}
	}
	if s.file != nil {
		defer s.file.Close()
	}
	s.file, s.temp = f, f.Name()
	n, err := io.Copy(f, io.LimitReader(s.text, maxWorkbook+1))
	if err != nil {
		return nil, 0, &fileError{s.name, "", 0, cause(err), "make room for temporary files, or name the file instead of standard input"}
	}
	if n > maxWorkbook {
		return nil, 0, tooLarge
	}
	return f, n, nil
}
