package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// forms are the encodings and dialects in which testdata has the same stock.
var forms = []struct {
	file     string
	encoding encoding.Encoding // nil for UTF-8
	dialect  func(string) string
}{
	{"stock-bom.csv", nil, func(s string) string { return "\uFEFF" + crlf(s) }},
	{"stock-utf16le.csv", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), withTabs},
	{"stock-utf16be.csv", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), crlf},
	{"stock-utf16-unmarked.csv", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), crlf},
	{"stock-big5.csv", traditionalchinese.Big5, crlf},
	{"stock-gb18030.csv", simplifiedchinese.GB18030, crlf},
	{"stock-big5.tsv", traditionalchinese.Big5, withTabs},
	{"stock-semicolon.csv", nil, func(s string) string { return withComma(s, ';') }},
	{"stock-sep.csv", nil, func(s string) string { return "sep=|\r\n" + withComma(s, '|') }},
	{"stock-mac.csv", nil, func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }},
	{"stock-titled.csv", traditionalchinese.Big5, func(s string) string {
		return "\r\nKOKO便利店 庫存表,,,製表日 2026/11/22\r\n\r\n" + crlf(s) + "合計,,,,,,57\r\n"
	}},
}

func crlf(s string) string     { return strings.ReplaceAll(s, "\n", "\r\n") }
func withTabs(s string) string { return withComma(s, '\t') }

func withComma(s string, comma rune) string {
	records, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = comma, true
	w.WriteAll(records)
	return b.String()
}

func TestReadTakesEveryEncodingAndDialect(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("testdata", "stock.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range forms {
		t.Run(f.file, func(t *testing.T) {
			file := filepath.Join("testdata", f.file)
			if *update {
				text := f.dialect(string(source))
				if f.encoding != nil {
					if text, err = f.encoding.NewEncoder().String(text); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := readFiles(t, Options{}, file).good(t)
			if diff := cmp.Diff(theStock(), got, sameRows); diff != "" {
				t.Errorf("rows (-want +got; the file is written by go test -update):\n%s", diff)
			}
		})
	}
}

func TestReadTakesTheEncodingThatItIsTold(t *testing.T) {
	for _, f := range forms {
		name := "utf-8"
		for _, e := range []string{"utf16", "big5", "gb18030"} {
			if strings.Contains(f.file, e) {
				name = e
			}
		}
		if f.file == "stock-titled.csv" {
			name = "CP950"
		}
		r := readFiles(t, Options{Encoding: name}, filepath.Join("testdata", f.file))
		if diff := cmp.Diff(theStock(), r.rows, sameRows); r.err != nil || diff != "" {
			t.Errorf("%s as %s: %v; rows (-want +got):\n%s", f.file, name, r.err, diff)
		}
	}
}

func TestReadTellsBig5FromGB18030InShortFiles(t *testing.T) {
	for _, text := range []string{
		"品名\n蛋\n", "門市,品名,數量\n大安店,茶葉蛋,3\n", "店名,地址\n信義店,台北\n", "商品,庫存,店\n牛奶,1,a\n",
		"product,name:zh\nTea egg,茶葉蛋\n", "item,qty,store\n茶葉蛋,1,大安\n御飯糰,2,大安\n咖啡,3,大安\n牛奶,3,大安\n",
		"產品名稱,規格說明\n紅茶,大\n",
	} {
		for _, e := range []struct {
			name string
			encoding.Encoding
		}{{"Big5", traditionalchinese.Big5}, {"GB18030", simplifiedchinese.GB18030}} {
			encoded, err := e.NewEncoder().String(text)
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Store: "店"}
			want := readText(t, text, o).good(t)
			r := readText(t, encoded, o)
			if diff := cmp.Diff(want, r.rows, sameRows); r.err != nil || diff != "" {
				t.Errorf("%q in %s: %v; told %q; rows (-want +got):\n%s", text, e.name, r.err, r.told, diff)
			}
			if len(r.told) == 0 || !strings.Contains(r.told[0], "read as "+e.name) {
				t.Errorf("%q in %s: told %q", text, e.name, r.told)
			}
		}
	}
	// Simplified text, as tills in China write it.
	text := "门店,商品名称,库存,单位\n徐汇店,茶叶蛋,12,颗\n"
	encoded, _ := simplifiedchinese.GBK.NewEncoder().String(text)
	if diff := cmp.Diff(readText(t, text, Options{}).good(t), readText(t, encoded, Options{}).good(t), sameRows); diff != "" {
		t.Errorf("GBK (-want +got):\n%s", diff)
	}
}

// Characters that Windows' Big5 has beyond the standard, or that are often
// mistaken.
func TestBig5IsCodePage950(t *testing.T) {
	for code, want := range map[string]string{
		"\xF9\xD6": "碁", "\xF9\xD7": "銹", "\xF9\xD8": "裏", "\xF9\xD9": "墻", "\xF9\xDA": "恒", "\xF9\xDB": "粧", "\xF9\xDC": "嫺",
		"\xF9\xDD": "╔", "\xF9\xFE": "▓", "\xA3\xE1": "€", "\xA1\x45": "‧", "\xA1\x4E": "﹑", "\xA1\xC3": "￣", "\xA2\xCC": "十",
		"\xC6\xA1": "①", "\xA4\x40": "一", "\xB3\x5C": "許", "\xA5\x5C": "功",
	} {
		got := big5Text.sample([]byte(code + " "))
		if strings.TrimSpace(got) != want {
			t.Errorf("%X is %q, want %q", code, got, want)
		}
	}
}

func TestReadReportsBytesThatTheEncodingDoesNotHave(t *testing.T) {
	filler := strings.Repeat("大安店,茶葉蛋,1\n", 3)
	for _, tt := range []struct {
		name     string
		encoding encoding.Encoding
		broken   string
	}{
		{"UTF-8", encoding.Nop, "\xFF\xFE"},
		{"Big5", traditionalchinese.Big5, "\xFF"},
		{"Big5", traditionalchinese.Big5, "\x81\x30"},
		{"GB18030", simplifiedchinese.GB18030, "\xFF"},
	} {
		before, _ := tt.encoding.NewEncoder().String("店名,品名,數量\n" + filler)
		after, _ := tt.encoding.NewEncoder().String(filler)
		r := readText(t, before+"x"+",bad"+tt.broken+",1\n"+after, Options{})
		if r.err != nil || len(r.rows) != 6 || len(r.problems) != 1 {
			t.Fatalf("%s: %d rows, %q, %v", tt.name, len(r.rows), r.why(), r.err)
		}
		if p := r.problems[0]; p.Line != 5 || p.Column != "品名" || !strings.Contains(p.Why, "--encoding") {
			t.Errorf("%s: %v", tt.name, p)
		}
	}
}

func TestReadFindsTheEncodingBehindMuchASCII(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("store,product,qty\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "Daan,Tea egg %d,1\n", i)
	}
	tail, _ := traditionalchinese.Big5.NewEncoder().String("大安店,茶葉蛋與御飯糰,1\n")
	b.WriteString(tail)
	rows := readText(t, b.String(), Options{}).good(t)
	if got := rows[len(rows)-1].Product.Name; got != "茶葉蛋與御飯糰" {
		t.Errorf("the last product is %q", got)
	}
}

func TestReadDoesNotGuessWhatIsUnlikely(t *testing.T) {
	latin := "product,qty\nCr\xE8me br\xFBl\xE9e,1\nCaf\xE9,2\nna\xEFve \xE0 la,3\n"
	r := readText(t, latin, Options{Store: "x"})
	if r.err == nil || !strings.Contains(r.err.Error(), "encoding cannot be told") || !strings.Contains(r.hint(), "--encoding") {
		t.Errorf("Latin-1: %v (hint %q), rows %v", r.err, r.hint(), r.rows)
	}
}

func TestAHandfulOfBrokenBytesIsNotAnotherEncoding(t *testing.T) {
	text := "店名,品名,數量\n" + strings.Repeat("大安店,茶葉蛋,1\n", 30) + "大安店,\xFF壞掉,1\n"
	r := readText(t, text, Options{})
	if len(r.rows) != 30 || len(r.problems) != 1 || r.problems[0].Line != 32 {
		t.Errorf("%d rows, problems %q, %v", len(r.rows), r.why(), r.err)
	}
}
