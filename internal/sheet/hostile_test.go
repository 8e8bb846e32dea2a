package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

func TestReadTellsWhatAFileIsByItsContent(t *testing.T) {
	for _, tt := range []struct{ name, content, err, hint string }{
		{"old.xls", ole("Workbook"), "workbook of Excel 97–2003 (.xls)", ".xlsx"},
		{"secret.xlsx", ole("EncryptedPackage"), "protected by a password", "without one"},
		{"report.csv", "%PDF-1.7\n...", "it is a PDF", "CSV"},
		{"pos.xls", "\n <HTML><body><table>", "web page", ".xlsx"},
		{"pos.xls", "\uFEFF<table border=1>", "web page", ".xlsx"},
		{"pos.xls", "<?xml version=\"1.0\"?><Workbook>", "it is XML", ".xlsx"},
		{"stock.json", "[\n  {\"a\": 1}]", "it is JSON", "CSV"},
		{"stock.csv", "{\"a\": 1}", "it is JSON", "CSV"},
		{"stock.csv.gz", "\x1F\x8B\x08\x00", "compressed", "unpack"},
		{"photo.csv", "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x01\x02\x00\x00\xFF", 200), "zero bytes", "CSV"},
		{"stock.ods", zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), "OpenDocument", "LibreOffice"},
		{"stock.xlsb", zipped(t, "xl/workbook.bin", "x"), "binary workbook", ".xlsx"},
		{"stock.zip", zipped(t, "stock.csv", "品名"), "ZIP archive", "unpack"},
		{"stock.docx", zipped(t, "_rels/.rels", `<Relationships><Relationship Type="http://x/officeDocument" Target="word/document.xml"/></Relationships>`, "word/document.xml", "<x/>"), "ZIP archive", "unpack"},
		{"cut.xlsx", zipped(t, "xl/workbook.xml", "<workbook/>")[:40], "damaged", "copy it again"},
		{"none.xlsx", zipped(t, "xl/workbook.xml", "<workbook/>"), "no sheet that is visible", ".xlsx"},
	} {
		r := readText(t, tt.content, Options{})
		if r.err == nil || !strings.Contains(r.err.Error(), tt.err) || !strings.Contains(r.hint(), tt.hint) {
			t.Errorf("%s: %v (hint %q), want %q (hint %q)", tt.name, r.err, r.hint(), tt.err, tt.hint)
		}
		file := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := readFiles(t, Options{}, file); r.err == nil || !strings.Contains(r.err.Error(), tt.err) || !strings.Contains(r.err.Error(), tt.name) {
			t.Errorf("%s as a file: %v", tt.name, r.err)
		}
	}
}

// A header in brackets, as SQL Server writes it, is no JSON.
func TestReadTakesHeadersInBrackets(t *testing.T) {
	readText(t, "[品名],[單位]\n蛋,顆\n", Options{}).good(t)
}

// ole returns the start of an OLE file with a stream of that name.
func ole(stream string) string {
	b := make([]byte, 512+512)
	copy(b, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	binary.LittleEndian.PutUint16(b[30:], 9)
	for i, u := range utf16.Encode([]rune(stream)) {
		binary.LittleEndian.PutUint16(b[512+2*i:], u)
	}
	return string(b)
}

// zipped returns an archive of parts and their contents.
func zipped(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		f, err := w.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, parts[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bare returns a workbook of one sheet with this XML in its sheetData, and
// these parts besides.
func bare(t testing.TB, data string, parts ...string) string {
	return zipped(t, append([]string{
		"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", `<worksheet><sheetData>` + data + `</sheetData></worksheet>`,
	}, parts...)...)
}

const bareHeader = `<row r="1"><c r="A1" t="inlineStr"><is><t>品名</t></is></c><c r="B1" t="inlineStr"><is><t>單位</t></is></c></row>`

func bareRow(n int) string {
	return fmt.Sprintf(`<row r="%d"><c r="A%d" t="inlineStr"><is><t>蛋%d</t></is></c></row>`, n, n, n)
}

func TestReadEndsWithBrokenWorkbooks(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"a text that there is not", bare(t, bareHeader+`<row r="2"><c r="A2" t="s"><v>7</v></c></row>`), `names the text "7"`},
		{"a bad reference", bare(t, bareHeader+`<row r="2"><c r="2A"><v>7</v></c></row>`), `there is no cell "2A"`},
		{"a sheet that is cut", bare(t, bareHeader+`</sheetData><sheetData><row r="2"><c>`), "XML"},
		{"a DTD", bare(t, `<!DOCTYPE x [<!ENTITY a "b">]>`), "XML is broken"},
		{"too many rows", bare(t, bareHeader+`<row r="1048577"><c r="A1048577"><v>1</v></c></row>`), "more than 1048576 rows"},
		{"too many columns", bare(t, bareHeader+`<row r="2"><c r="ZZZ2"><v>1</v></c></row>`), "more than 1000 columns"},
		{"a long tag", bare(t, bareHeader+`<row r="`+strings.Repeat("2", maxTag)+`"/>`), "XML is broken"},
		{"a missing sheet", strings.ReplaceAll(bare(t, bareHeader), "sheet1.xml", "sheet9.xml"), ""},
	} {
		r := readText(t, tt.content, Options{})
		if tt.want == "XML" { // which is found where the file ends
			tt.want = ""
		}
		if r.err == nil || !strings.Contains(r.err.Error(), tt.want) || r.hint() == "" {
			t.Errorf("%s: %v (hint %q), want %q", tt.name, r.err, r.hint(), tt.want)
		}
	}
}

func TestReadNoticesADamagedSheet(t *testing.T) {
	var rows strings.Builder
	rows.WriteString(bareHeader)
	for i := range 20_000 {
		rows.WriteString(bareRow(i + 2))
	}
	content := []byte(bare(t, rows.String()))
	at := bytes.Index(content, []byte("xl/worksheets/sheet1.xml")) + 5000
	content[at] ^= 0x55
	if r := readText(t, string(content), Options{}); r.err == nil {
		t.Errorf("%d rows of a damaged sheet were read without an error", len(r.rows))
	}
}

func TestXMLIsReadAsProgramsWriteIt(t *testing.T) {
	data := `<!-- a <row> in a > comment --><row r='1' spans="1:2" x:a="a>b"><c r='A1' t='inlineStr'><is><r><t>品</t></r><r><rPr><b/></rPr><t xml:space="preserve">名</t></r><rPh sb="0"><t>ピン</t></rPh></is></c></row>` +
		`<row r="2"><c r="A2" t="inlineStr"><is><t><![CDATA[a<b> & &amp; ]]></t></is></c></row>` +
		`<x:row r="4" ><x:c r="A4" t="str" ><x:f>1</x:f><x:v>&lt;&#65;&#x42;&quot;&apos;&amp;_x000A_c_x005F_x000D_</x:v></x:c></x:row>` +
		`<row><c t="inlineStr"><is><t/></is></c><c/></row><row/><row><c t="inlineStr"><is><t>last</t></is></c></row>`
	r := readText(t, bare(t, data), Options{})
	got := ""
	for _, row := range r.good(t) {
		got += fmt.Sprintf("%d:%s|", row.Line, row.Product.Name)
	}
	if want := `2:a<b> & &amp;|4:<AB"'& c_x000D_|7:last|`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSharedStringsBeyondMemoryAreKeptInAFile(t *testing.T) {
	const n = 1500
	var table, rows strings.Builder
	long := strings.Repeat("蛋", 5000) // of 15 kB
	table.WriteString("<sst>")
	rows.WriteString(bareHeader)
	for i := range n {
		fmt.Fprintf(&table, "<si><t>%s %d</t></si>", long, i)
	}
	for i := 0; i < n; i += 100 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c></row>`, i+2, i+2, n-1-i)
	}
	table.WriteString("</sst>")
	t.Setenv("TMPDIR", t.TempDir())
	got := named(readText(t, bare(t, rows.String(), "xl/sharedStrings.xml", table.String()), Options{}).good(t))
	for i, name := range got {
		if want := fmt.Sprintf("%s %d", long, n-1-100*i); name != want {
			t.Fatalf("row %d is …%s, want …%s", i, name[len(name)-5:], want[len(want)-5:])
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(got) != n/100 || runtime.GOOS == "linux" && len(left) > 0 {
		t.Errorf("%d rows; left behind: %v", len(got), left)
	}
}

// bomb returns a workbook whose part unpacks to size bytes of unit, repeated
// between a start and an end.
func bomb(t testing.TB, name, start, unit, end string, size int) string {
	t.Helper()
	// Blocks that were packed by themselves can be put one after the other.
	pack := func(text string, last bool) string {
		var b strings.Builder
		w, _ := flate.NewWriter(&b, flate.BestCompression)
		io.WriteString(w, text)
		if last {
			w.Close()
		} else {
			w.Flush()
		}
		return b.String()
	}
	block := strings.Repeat(unit, 1<<20/len(unit))
	n := size/len(block) + 1
	packed := pack(start, false) + strings.Repeat(pack(block, false), n) + pack(end, true)
	sum := crc32.NewIEEE()
	io.WriteString(sum, start)
	for range n {
		io.WriteString(sum, block)
	}
	io.WriteString(sum, end)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for part, content := range map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://x/styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   "<worksheet><sheetData>" + bareHeader + "</sheetData></worksheet>",
	} {
		if part == name {
			continue
		}
		f, err := z.Create(part)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, content)
	}
	f, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(len(start) + n*len(block) + len(end))})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, packed)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadIsBoundedWhateverAFileHolds(t *testing.T) {
	const sheet1 = "xl/worksheets/sheet1.xml"
	const size = freePart + 8<<20
	for _, tt := range []struct {
		name  string
		stdin io.Reader
		want  string // of the error
	}{
		{"a line without an end", io.LimitReader(endless("a"), 2<<30), "longer than a megabyte"},
		{"a line of commas", io.LimitReader(io.MultiReader(strings.NewReader("品名\n"), endless(",")), 2<<30), "longer than a megabyte"},
		{"zero bytes", io.LimitReader(endless("\x00"), 2<<30), "zero bytes"},
		{"a quote that never closes", io.MultiReader(strings.NewReader("品名\n\""), endless("a\n")), "line 2: the quote that opens here"},
		{"100,000 columns", strings.NewReader("品名" + strings.Repeat(",備註", 100_000) + "\n蛋\n"), "more than 1000 columns"},
		{"a sheet of spaces", strings.NewReader(bomb(t, sheet1, "<worksheet><sheetData>"+bareHeader, " ", "</sheetData></worksheet>", size)), "unpacks to far more"},
		{"a sheet of empty rows", strings.NewReader(bomb(t, sheet1, "<worksheet><sheetData>"+bareHeader, "<row/>", "</sheetData></worksheet>", size)), "rows"},
		{"a row of empty cells", strings.NewReader(bomb(t, sheet1, "<worksheet><sheetData>"+bareHeader+"<row>", "<c/>", "</row></sheetData></worksheet>", size)), "unpacks to far more"},
		{"a cell of text", strings.NewReader(bomb(t, sheet1, `<worksheet><sheetData>`+bareHeader+`<row><c t="inlineStr"><is><t>`, "a", "</t></is></c></row></sheetData></worksheet>", size)), "unpacks to far more"},
		{"merged cells", strings.NewReader(bomb(t, sheet1, `<worksheet><sheetData>`+bareHeader+`</sheetData>`, `<mergeCell ref="A1:A2"/>`, "</worksheet>", size)), "unpacks to far more"},
		{"shared texts", strings.NewReader(bomb(t, "xl/sharedStrings.xml", "<sst>", "<si><t>ab</t></si>", "</sst>", size)), "unpacks to far more"},
		{"a long shared text", strings.NewReader(bomb(t, "xl/sharedStrings.xml", "<sst><si><t>", "a", "</t></si></sst>", size)), "unpacks to far more"},
		{"styles", strings.NewReader(bomb(t, "xl/styles.xml", "<styleSheet><cellXfs>", "<xf/>", "</cellXfs></styleSheet>", size)), "more than 65536 styles"},
		{"an archive of many parts", strings.NewReader(manyParts(t, 60_000)), "too many parts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var err error
			for _, e := range Read(t.Context(), []string{"-"}, tt.stdin, Options{}) {
				err = e
			}
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if grown := int64(after.Sys-before.Sys) >> 20; grown > 64 {
				t.Errorf("memory grew by %d MB", grown)
			}
		})
	}
}

// manyParts returns an archive with so many empty parts.
func manyParts(t testing.TB, n int) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint("xl/", i)}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return b.String()
}

func TestReadPassesOverFormattedEmptiness(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		rowsOf(f, "Sheet1", []any{"品名", "單位"}, []any{"蛋", "顆"})
		style, _ := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
		f.SetCellStyle("Sheet1", "A3", "XFD6", style) // 65,536 cells
		rowsOf(f, "Sheet2")
	})
	if got := named(readFiles(t, Options{}, file).good(t)); len(got) != 1 {
		t.Errorf("rows %q", got)
	}
}
