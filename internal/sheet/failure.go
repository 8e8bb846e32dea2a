package sheet

import (
	"fmt"
	"strings"
)

// fileError says why a file cannot be read on.
type fileError struct {
	file, sheet string
	line        int // 0 where it is about no one line
	err         error
	hint        string
}

func (e *fileError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "read %q: ", e.file)
	if e.sheet != "" {
		fmt.Fprintf(&b, "sheet %q: ", e.sheet)
	}
	if e.line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.line)
	}
	return b.String() + e.err.Error()
}

func (e *fileError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *fileError) Hint() string { return e.hint }

// badLine says why one line of a grid cannot be read. Those after it can.
type badLine struct{ why string }

func (e *badLine) Error() string { return e.why }

// tooMuch says what a file has too much of, at a line or at 0.
type tooMuch struct {
	line      int
	why, hint string
}

func (e *tooMuch) Error() string { return e.why }

// option writes a command line flag as a shell takes it.
func option(name, value string) string {
	if strings.ContainsAny(value, " \t\n\"'`$\\&|;<>()*?[]#~!{}") {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return "--" + name + " " + value
}

// quoteList writes the first of names one after the other.
func quoteList(names []string) string {
	const most = 12
	var b strings.Builder
	n := 0
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if n++; n > most {
			b.WriteString(", …")
			break
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", shorten(name))
	}
	return b.String()
}

// shorten cuts a value that is too long to be shown.
func shorten(s string) string {
	const most = 80
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
