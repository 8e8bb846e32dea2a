package sheet

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/mcpstore/mcpstore/internal/store"
)

// book writes a workbook of excelize's making, which shares no code with what
// reads it, and returns its name.
func book(t testing.TB, fill func(f *excelize.File)) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	file := filepath.Join(t.TempDir(), "book.xlsx")
	if err := f.SaveAs(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// rowsOf fills a sheet, from A1.
func rowsOf(f *excelize.File, sheet string, rows ...[]any) {
	if i, _ := f.GetSheetIndex(sheet); i < 0 {
		f.NewSheet(sheet)
	}
	for i, row := range rows {
		at, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow(sheet, at, &row); err != nil {
			panic(err)
		}
	}
}

// named returns the names of the products of rows.
func named(rows []store.Row) []string {
	var names []string
	for _, r := range rows {
		names = append(names, r.Product.Name)
	}
	return names
}

func TestReadTakesWorkbooks(t *testing.T) {
	file := filepath.Join("testdata", "stock.xlsx")
	if *update {
		writeStockBook(t, file)
	}
	r := readFiles(t, Options{}, file)
	if diff := cmp.Diff(theStock(), r.good(t), sameRows); diff != "" {
		t.Errorf("rows (-want +got; the file is written by go test -update):\n%s", diff)
	}
	if got := r.rows[4]; got.Line != 7 || got.Sheet.Name != "庫存" {
		t.Errorf("the last row is of line %d of sheet %q", got.Line, got.Sheet.Name)
	}
	// As standard input, it is the same.
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theStock(), readText(t, string(content), Options{}).good(t), sameRows); diff != "" {
		t.Errorf("rows from standard input (-want +got):\n%s", diff)
	}
}

// writeStockBook makes a workbook of the stock, as a shop would: with a title,
// days as days, numbers as numbers, barcodes as both, and notes.
func writeStockBook(t *testing.T, file string) {
	source, err := os.ReadFile(filepath.Join("testdata", "stock.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(source)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	f := excelize.NewFile()
	defer f.Close()
	f.SetSheetName("Sheet1", "說明")
	rowsOf(f, "說明", []any{"本檔由總公司製作"}, []any{"請勿更改"})
	rowsOf(f, "庫存", []any{"KOKO便利店 庫存表"})
	day, _ := f.NewStyle(&excelize.Style{NumFmt: 14})
	rocDay, _ := f.NewStyle(&excelize.Style{CustomNumFmt: new(`[$-404]e"年"m"月"d"日"`)})
	zeros, _ := f.NewStyle(&excelize.Style{CustomNumFmt: new("0000000000000")})
	for i, record := range records {
		for j, text := range record {
			at, _ := excelize.CoordinatesToCellName(j+1, i+2)
			switch {
			case i > 0 && j == 4 && text != "" && i%2 == 1:
				n, _ := strconv.ParseInt(text, 10, 64)
				f.SetCellInt("庫存", at, n)
				f.SetCellStyle("庫存", at, at, zeros)
			case i > 0 && (j == 6 || j == 8) && text != "45.50":
				n, _ := strconv.ParseInt(text, 10, 64)
				f.SetCellInt("庫存", at, n)
			case i > 0 && j == 10 && text != "":
				d, _ := time.Parse(time.DateOnly, text)
				f.SetCellValue("庫存", at, d)
				f.SetCellStyle("庫存", at, at, []int{day, rocDay}[i%2])
			default:
				f.SetCellStr("庫存", at, text)
			}
		}
	}
	if err := f.SaveAs(file); err != nil {
		t.Fatal(err)
	}
}

func TestReadTakesAllVisibleSheetsOfAWorkbook(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		f.SetSheetName("Sheet1", "信義")
		rowsOf(f, "信義", []any{"店名", "品名", "庫存"}, []any{"信義店", "a", 1})
		rowsOf(f, "大安", []any{"品名", "店名", "數量"}, []any{"b", "大安店", 2})
		rowsOf(f, "門市", []any{"名稱", "地址", "電話"}, []any{"大安店", "臺北市", "02"})
		rowsOf(f, "備註", []any{"寫點什麼"})
		f.NewSheet("空白")
		rowsOf(f, "去年", []any{"店名", "品名", "庫存"}, []any{"信義店", "old", 9})
		f.SetSheetVisible("去年", false)
	})
	r := readFiles(t, Options{}, file)
	if diff := cmp.Diff([]string{"a", "b", ""}, named(r.good(t))); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}
	if got := r.rows[2].Shop; got.Name != "大安店" || got.Address != "臺北市" {
		t.Errorf("the list of stores gave %+v", got)
	}
	told := strings.Join(r.told, "\n")
	for _, want := range []string{`sheet "備註": left out`, `sheet "門市": ignored columns: 電話`} {
		if !strings.Contains(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	}
	// Those that are asked for are read, be they hidden.
	if got := named(readFiles(t, Options{Sheets: []string{"去年", "大安"}}, file).good(t)); !cmp.Equal(got, []string{"old", "b"}) {
		t.Errorf("of the sheets asked for: %q", got)
	}
	r = readFiles(t, Options{Sheets: []string{"高雄"}}, file)
	if r.err == nil || !strings.Contains(r.err.Error(), `no sheet "高雄"`) || !strings.Contains(r.hint(), `"信義", "大安"`) {
		t.Errorf("a sheet that there is not: %v (hint %q)", r.err, r.hint())
	}
	r = readFiles(t, Options{Sheets: []string{"備註"}}, file)
	if r.err == nil || !strings.Contains(r.err.Error(), `sheet "備註": line 1: there is no column of products or stores among "寫點什麼"`) {
		t.Errorf("a sheet without columns: %v", r.err)
	}
}

func TestReadRefusesAWorkbookWithoutKnownColumns(t *testing.T) {
	file := book(t, func(f *excelize.File) { rowsOf(f, "Sheet1", []any{"料件", "量"}, []any{"x", 1}) })
	r := readFiles(t, Options{}, file)
	if r.err == nil || !strings.Contains(r.err.Error(), `no column of products or stores among "料件", "量"`) || !strings.Contains(r.hint(), "--map product=料件") {
		t.Errorf("%v (hint %q)", r.err, r.hint())
	}
	empty := book(t, func(f *excelize.File) {})
	if r := readFiles(t, Options{}, empty); r.err == nil || !strings.Contains(r.err.Error(), "it is empty") {
		t.Errorf("an empty workbook: %v", r.err)
	}
}

func TestReadCarriesMergedStoresDown(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		rowsOf(f, "Sheet1", []any{"店名", "品名", "庫存"},
			[]any{"大安店", "a", 1}, []any{"", "b", 2}, []any{"", "c", 3}, []any{"信義店", "d", 4}, []any{"", "e", 5})
		f.MergeCell("Sheet1", "A2", "A4")
	})
	r := readFiles(t, Options{}, file)
	var shops []string
	for _, row := range r.rows {
		shops = append(shops, row.Shop.Name+" "+row.Product.Name)
	}
	if diff := cmp.Diff([]string{"大安店 a", "大安店 b", "大安店 c", "信義店 d"}, shops); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	// What is only empty is not merged.
	if len(r.problems) != 1 || r.problems[0].Line != 6 {
		t.Errorf("problems %q", r.why())
	}
}

func TestReadUnderstandsCellsOfWorkbooks(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		rowsOf(f, "Sheet1", []any{"店名", "品名", "數量", "售價", "效期", "條碼", "貨號"},
			[]any{"店", "Formula", 4, nil, "", 4710123456789.0, 7},
			[]any{"店", "Rich", "12", 0.1 + 0.2, "115/1/2", "0012", 8},
			[]any{"店", "Serial", 3.0, 13.5, 46356, 4.7e12, true},
			[]any{"店", "Broken", 1, 1, "", "", ""},
			[]any{"店", " 隱\u200B形\u202E\t", 5, 1, time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), "", ""},
		)
		f.SetCellFormula("Sheet1", "C2", "SUM(1,3)")
		f.SetCellFormula("Sheet1", "D2", "SUM(1,2)") // without a result
		f.SetCellFormula("Sheet1", "C4", "1+2")      // with one
		f.SetCellRichText("Sheet1", "B3", []excelize.RichTextRun{{Text: "Ri"}, {Text: "ch & <b>", Font: &excelize.Font{Bold: true}}})
		f.SetCellValue("Sheet1", "B5", "#N/A")
		zeros, _ := f.NewStyle(&excelize.Style{CustomNumFmt: new("00000")})
		f.SetCellStyle("Sheet1", "G2", "G2", zeros)
	})
	r := readFiles(t, Options{}, file)
	if r.err != nil {
		t.Fatal(r.err)
	}
	want := []store.Row{
		{Product: store.Product{Name: "Rich & <b>", Price: "0.3", Barcodes: []string{"0012"}, SKU: "8"}, Quantity: new(int64(12)), Expiry: "2026-01-02"},
		{Product: store.Product{Name: "Serial", Price: "13.5", Barcodes: []string{"4700000000000"}, SKU: "TRUE"}, Quantity: new(int64(3)), Expiry: "2026-11-30"},
		{Product: store.Product{Name: "隱形", Price: "1"}, Quantity: new(int64(5)), Expiry: "2026-11-30"},
	}
	for i := range want {
		want[i].Shop.Name, want[i].Product.Currency = "店", "TWD"
	}
	if diff := cmp.Diff(want, r.rows, sameRows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	why := strings.Join(r.why(), "\n")
	for _, w := range []string{`line 2, column "售價": "=": this is a formula without its result`, `line 5, column "品名": "#N/A": this is an error of the spreadsheet's`} {
		if !strings.Contains(why, w) {
			t.Errorf("problems %q, want %q", why, w)
		}
	}
}

func TestNumbersOfWorkbooksAreReadAsTheyAreShown(t *testing.T) {
	w := &workbook{}
	for _, tt := range []struct {
		raw  string
		st   style
		want string
	}{
		{"4.710123456789E12", style{}, "4710123456789"},
		{"0.30000000000000004", style{}, "0.3"},
		{"13.5", style{}, "13.5"},
		{"1E-3", style{}, "0.001"},
		{"123", style{digits: 13}, "0000000000123"},
		{"46356.75", style{date: true}, "2026-11-30"},
		{"60", style{date: true}, "1900-02-28"},
		{"59", style{date: true}, "1900-02-28"},
		{"1", style{date: true}, "1900-01-01"},
		{"-5", style{date: true}, "-5"},
		{"9999999", style{date: true}, "9999999"},
		{"junk", style{date: true}, "junk"},
	} {
		if got := w.number(tt.raw, tt.st); got != tt.want {
			t.Errorf("number(%q, %+v) = %q, want %q", tt.raw, tt.st, got, tt.want)
		}
	}
	w.from1904 = true
	if got := w.number("44894", style{date: true}); got != "2026-11-30" {
		t.Errorf("counted from 1904, 44894 is %q", got)
	}
}

func TestStyleOfTellsDaysFromNumbers(t *testing.T) {
	for code, want := range map[string]style{
		"yyyy/m/d": {date: true}, "yyyy-mm-dd;@": {date: true}, `[$-404]e"年"m"月"d"日"`: {date: true},
		"[$-F800]dddd\\, mmmm dd, yyyy": {date: true}, "d-mmm-yy": {date: true},
		"0.00": {}, "#,##0": {}, `0"days"`: {}, "0.00E+00": {}, `"d"0`: {}, "General": {}, "[Red]0": {}, "@": {},
		`\d0`: {}, "h:mm": {}, "[h]:mm:ss": {},
		"00000": {digits: 5}, "0": {digits: 1}, "0000000000000;": {digits: 13}, "000-000": {},
	} {
		if got := styleOf(code); got != want {
			t.Errorf("styleOf(%q) = %+v, want %+v", code, got, want)
		}
	}
}
