package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecordsAreCutAsSpreadsheetsCutThem(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string // "LINE:cell|cell"
	}{
		{"plain", "a,b\nc,d\n", []string{"1:a|b", "2:c|d"}},
		{"no end", "a,b", []string{"1:a|b"}},
		{"CR LF", "a,b\r\nc,d\r\n", []string{"1:a|b", "2:c|d"}},
		{"CR", "a,b\rc,d\r", []string{"1:a|b", "2:c|d"}},
		{"mixed ends", "a\rb\r\nc\nd", []string{"1:a", "2:b", "3:c", "4:d"}},
		{"blank lines", "a\n\n\nb\n", []string{"1:a", "2:", "3:", "4:b"}},
		{"empty cells", ",,\n", []string{"1:||"}},
		{"quotes", "\"a,b\",\"c\"\"d\",\"\"\n", []string{"1:a,b|c\"d|"}},
		{"line ends in quotes", "\"a\nb\r\nc\rd\",e\nf\n", []string{"1:a\nb\r\nc\rd|e", "5:f"}},
		{"quotes within", "6\" ruler,a\"\"b\nc\n", []string{"1:6\" ruler|a\"\"b", "2:c"}},
		{"spaces about quotes", " \"a\" ,\"b\"  \n", []string{"1:a|b"}},
		{"spaces", " a , b\n", []string{"1: a | b"}},
		{"quote in the middle of quotes", "\"6\" ruler\",x\nnext\n", []string{"1!text goes on after a closing quote", "2:next"}},
		{"a later quote of a bad line", "\"a\"b,\"c\nnext\n", []string{"1!text goes on after a closing quote", "2:next"}},
		{"zero byte", "a\x00,b\nc\n", []string{"1!zero byte", "2:c"}},
		{"open quote", "a\nb,\"c\nd\n", []string{"1:a", "2!never closes"}},
		{"open quote after lines", "\"a\nb\",\"c\n", []string{"2!never closes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecords(bufio.NewReaderSize(strings.NewReader(tt.in), 16), ',')
			for _, want := range append(tt.want, "end") {
				line, cells, err := r.next()
				got := fmt.Sprintf("%d:%s", line, strings.Join(cells, "|"))
				if bad, ok := errors.AsType[*badLine](err); ok {
					if _, why, _ := strings.Cut(want, "!"); strings.Contains(bad.why, why) && strings.HasPrefix(want, fmt.Sprint(line, "!")) {
						continue
					}
					got = fmt.Sprintf("%d!%s", line, bad.why)
				} else if err == io.EOF {
					got = "end"
				} else if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		})
	}
}

func TestRecordsAreBounded(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   io.Reader
		want string
	}{
		{"a long line", endless("x"), "line is longer than a megabyte"},
		{"many commas", endless(","), "line is longer than a megabyte"},
		{"an open quote", io.MultiReader(strings.NewReader("a,\""), endless("x\n")), "does not close within a megabyte"},
		{"many cells", strings.NewReader(strings.Repeat("a,", maxColumns+1)), "more than 1000 columns"},
	} {
		r := newRecords(bufio.NewReader(tt.in), ',')
		_, _, err := r.next()
		if _, ok := errors.AsType[*tooMuch](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if len(r.text) > 2*maxRecord {
			t.Errorf("%s: %d bytes were kept", tt.name, len(r.text))
		}
	}
	// Cells that are empty are no columns.
	r := newRecords(bufio.NewReader(strings.NewReader("a,b"+strings.Repeat(",", 16_000)+"\nc\n")), ',')
	if _, cells, err := r.next(); err != nil || len(cells) != maxColumns || cells[1] != "b" {
		t.Errorf("%d cells, %v", len(cells), err)
	}
	if line, cells, err := r.next(); line != 2 || !cmp.Equal(cells, []string{"c"}) || err != nil {
		t.Errorf("after them: line %d, %q, %v", line, cells, err)
	}
}

// endless repeats a text for ever.
func endless(s string) io.Reader { return &repeated{s: strings.Repeat(s, 1000/len(s))} }

type repeated struct{ s string }

func (r *repeated) Read(p []byte) (int, error) { return copy(p, r.s), nil }
