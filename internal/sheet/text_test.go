package sheet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCleanLeavesWhatPeopleSee(t *testing.T) {
	for in, want := range map[string]string{
		"茶葉蛋": "茶葉蛋", "  茶葉蛋\t": "茶葉蛋", "　茶葉　蛋　": "茶葉　蛋", "\u00A0a\u00A0": "a",
		"a\u200Bb\uFEFFc": "abc", "\u202Ecba\u202C": "cba", "\u2066x\u2069": "x", "a\x07b\x7Fc\u0085d": "abc d", "a\r\nb\tc": "a  b c", "a\u2028b": "a b",
		"❤️": "❤️", "Crème": "Crème",
		`="00123"`: "00123", `="a""b"`: `a"b`, "'=1+1": "=1+1", "'+886": "+886", "''x": "'x", "'90s Candy": "'90s Candy", "'": "'", "'＝x": "＝x", "'#N/A": "#N/A", "-5": "-5", "@home": "@home",
		"=1+1 布丁": "=1+1 布丁", `="a"&"b"`: `="a"&"b"`, // only a name, where nobody calculates
	} {
		if got := clean(in, false); got.text != want || got.why != "" {
			t.Errorf("clean(%q) = %q, %q, want %q", in, got.text, got.why, want)
		}
	}
	for in, want := range map[string]string{"'00123": "00123", "''1": "'1", "\t00123": "00123"} {
		if got := clean(in, true); got.text != want || got.why != "" {
			t.Errorf("clean(%q) of a code = %q, %q, want %q", in, got.text, got.why, want)
		}
	}
	for in, want := range map[string]string{
		"=": "formula", "#N/A": "error of the spreadsheet's", "#DIV/0!": "error of the spreadsheet's",
		"a\xFF": "encoding", "\uFFFD": "encoding", strings.Repeat("蛋", maxCell+1): "longer than 10,000",
	} {
		if got := clean(in, false); !strings.Contains(got.why, want) {
			t.Errorf("clean(%.20q) = %.20q, %q, want %q", in, got.text, got.why, want)
		}
	}
	if got := clean("=SUM(A1)", true); !strings.Contains(got.why, "formula") {
		t.Errorf("clean(=SUM(A1)) of a code = %q, %q, want that it is a formula", got.text, got.why)
	}
	if got := clean(strings.Repeat("蛋", maxCell), false); got.why != "" {
		t.Errorf("%d characters: %q", maxCell, got.why)
	}
}

func TestTextsRememberButDoNotGrow(t *testing.T) {
	texts := newTexts()
	for i := range 3 * maxRemembered {
		s := strings.Repeat("x", i%50) + string(rune('0'+i%10)) + string(rune(0x4E00+i%20000))
		if got := texts.name(" " + s); got.text != s {
			t.Fatalf("name(%q) = %q", s, got.text)
		}
		texts.code(strings.Repeat("1", maxRememberedText+1))
	}
	if len(texts.names) > maxRemembered || len(texts.codes) != 0 {
		t.Errorf("%d names and %d codes are remembered", len(texts.names), len(texts.codes))
	}
}

// hostile draws texts of what tends to break sheets.
func hostile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "蛋", " ", "　", ",", ";", "；", "、", "|", "/", "／", `\`, `"`, `""`, "'", "=", "+", "-", "@", "＝", "＋", "－", "＠", "0", "7", "11", "4710000000017", ".", ":", "e", "E+",
			"\n", "\r", "\t", "\u200B", "\u202E", "😀", "%", "$", "#N/A", "(", "Jan", "total", "合計", "\x00", "\u00A0",
		}), 0, 8).Draw(t, "pieces")
		return strings.Join(pieces, "")
	})
}

func TestMarkedTextsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := oneLine(hostile().Draw(t, "text"))
		code := rapid.Bool().Draw(t, "code")
		written := guard(mark(text, code))
		if got := clean(written, code); got.text != text || got.why != "" {
			t.Fatalf("%q is written as %q and read as %q (%s)", text, written, got.text, got.why)
		}
		if c, _ := strings.CutPrefix(written, "\t"); risky(c) {
			t.Fatalf("%q is written as %q, which is a formula", text, written)
		}
	})
}

func TestListsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		separators := rapid.SampledFrom([]string{betweenNames, betweenCodes}).Draw(t, "separators")
		var items []string
		for _, item := range rapid.SliceOfN(hostile(), 0, 4).Draw(t, "items") {
			if item = oneLine(item); item != "" {
				items = append(items, item)
			}
		}
		if got := splitList(joinList(items, separators), separators); !cmp.Equal(got, items) {
			t.Fatalf("%q is written as %q and read as %q", items, joinList(items, separators), got)
		}
	})
}

func TestSplitListTakesTheSeparatorsThatPeopleUse(t *testing.T) {
	want := []string{"a", "b", "c"}
	for _, in := range []string{"a;b;c", "a；b； c", "a、b、c", "a, b，c", "a|b|c", "a\nb\r\nc", ";a;;b;c;"} {
		if got := splitList(in, betweenNames); !cmp.Equal(got, want) {
			t.Errorf("splitList(%q) = %q, want %q", in, got, want)
		}
	}
	if got := splitList("a b/c", betweenCodes); !cmp.Equal(got, want) {
		t.Errorf("codes are split into %q", got)
	}
	if got := splitList(`大/小杯 熱;AC\DC`, betweenNames); !cmp.Equal(got, []string{"大/小杯 熱", `AC\DC`}) {
		t.Errorf("names are split into %q", got)
	}
}
