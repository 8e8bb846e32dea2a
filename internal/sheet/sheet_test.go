package sheet

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/store"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

// result is what reading a sheet came to.
type result struct {
	rows     []store.Row
	problems []store.Problem
	told     []string
	err      error // that ended it
}

// hint is what the error says to do.
func (r result) hint() string {
	var hinted interface{ Hint() string }
	if errors.As(r.err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// why are the reasons of the problems.
func (r result) why() []string {
	var why []string
	for _, p := range r.problems {
		why = append(why, p.Error())
	}
	return why
}

// readFiles reads files to their end.
func readFiles(t testing.TB, o Options, files ...string) result {
	t.Helper()
	return readAll(t, strings.NewReader(""), o, files...)
}

// readText reads a sheet from standard input.
func readText(t testing.TB, text string, o Options) result {
	t.Helper()
	return readAll(t, strings.NewReader(text), o, "-")
}

func readAll(t testing.TB, stdin *strings.Reader, o Options, files ...string) result {
	t.Helper()
	var r result
	o.Tell = func(text string) { r.told = append(r.told, text) }
	for row, err := range Read(t.Context(), files, stdin, o) {
		if r.err != nil {
			t.Fatalf("after the error %v comes another row", r.err)
		}
		if p, ok := errors.AsType[store.Problem](err); ok {
			r.problems = append(r.problems, p)
		} else if err != nil {
			r.err = err
		} else {
			r.rows = append(r.rows, row)
		}
	}
	return r
}

// good fails the test if anything is wrong with what was read.
func (r result) good(t testing.TB) []store.Row {
	t.Helper()
	if r.err != nil || len(r.problems) > 0 {
		t.Fatalf("reading failed: %v; bad rows: %q", r.err, r.why())
	}
	return r.rows
}

// sameRows ignores where rows stand.
var sameRows = cmp.Options{cmpopts.IgnoreFields(store.Row{}, "Sheet", "Line"), cmpopts.EquateEmpty()}

// theStock is what every file of testdata says that is named stock.
func theStock() []store.Row {
	daan := store.Shop{ID: "TP001", Name: "KOKO便利店 大安店", Address: "臺北市大安區和平東路一段1號"}
	xinyi := store.Shop{ID: "TP002", Name: "KOKO便利店 信義店", Address: "臺北市信義區松仁路100號"}
	egg := store.Product{
		SKU: "A001", Name: "茶葉蛋", Names: map[string]string{"en": "Tea egg"}, Aliases: []string{"茶蛋", "滷蛋"},
		Category: "鮮食", Unit: "顆", Price: "13", Currency: "TWD", Barcodes: []string{"4710000000017"},
	}
	ball := store.Product{
		SKU: "A002", Name: "御飯糰（鮪魚）", Names: map[string]string{"en": "Tuna rice ball"},
		Category: "鮮食", Unit: "個", Price: "32", Currency: "TWD", Barcodes: []string{"0471000000024"},
	}
	coffee := store.Product{
		SKU: "C101", Name: `"大"杯熱美式, 中焙`, Names: map[string]string{"en": "Americano, large"},
		Category: "飲料", Unit: "杯", Price: "45.50", Currency: "TWD",
	}
	mask := store.Product{
		SKU: "B777", Name: "碁銹裏墻恒粧嫺面膜", Category: "日用品", Unit: "盒", Price: "199", Currency: "TWD",
		Barcodes: []string{"4710000000031"},
	}
	return []store.Row{
		{Shop: daan, Product: egg, Quantity: new(int64(12)), Expiry: "2026-11-30", ReorderPoint: new(int64(5))},
		{Shop: daan, Product: egg, Quantity: new(int64(8)), Expiry: "2026-12-01", ReorderPoint: new(int64(5))},
		{Shop: daan, Product: ball, Quantity: new(int64(0))},
		{Shop: xinyi, Product: coffee, Quantity: new(int64(30))},
		{Shop: xinyi, Product: mask, Quantity: new(int64(7)), Expiry: "2028-02-29", ReorderPoint: new(int64(2))},
	}
}

func TestReadTellsWhereRowsStand(t *testing.T) {
	rows := readFiles(t, Options{}, filepath.Join("testdata", "stock.csv")).good(t)
	for i, row := range rows {
		if row.Line != i+2 || row.Sheet.File != filepath.Join("testdata", "stock.csv") || row.Sheet.Name != "" {
			t.Errorf("row %d is of line %d of %+v", i, row.Line, row.Sheet)
		}
	}
	if got, want := rows[0].Sheet.Columns[store.ColumnQuantity], "數量"; got != want {
		t.Errorf("the quantity is in column %q, want %q", got, want)
	}
	if got, want := rows[0].Sheet.Columns["name:en"], "品名:en"; got != want {
		t.Errorf("English names are in column %q, want %q", got, want)
	}
}

func TestReadTakesSeveralFilesAndStandardInput(t *testing.T) {
	stock := filepath.Join("testdata", "stock.csv")
	got := readAll(t, strings.NewReader("品名,單位\n牛奶,瓶\n"), Options{}, stock, "-", stock).good(t)
	want := append(append(theStock(), store.Row{Product: store.Product{Name: "牛奶", Unit: "瓶"}}), theStock()...)
	if diff := cmp.Diff(want, got, sameRows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestReadStopsWhenTheCallerDoes(t *testing.T) {
	for range Read(t.Context(), []string{filepath.Join("testdata", "stock.csv"), "missing.csv"}, nil, Options{}) {
		break // a second call of yield would panic
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	interrupted := errors.New("interrupted")
	text := strings.NewReader("品名\n" + strings.Repeat("蛋\n", sampleSize))
	n := 0
	for _, err := range Read(ctx, []string{"-"}, text, Options{}) {
		if n++; n == 3 {
			cancel(interrupted)
		}
		if err != nil && !errors.Is(err, interrupted) {
			t.Errorf("error %v", err)
		}
	}
	if n >= sampleSize {
		t.Errorf("%d rows were read nevertheless", n)
	}
	for _, err := range Read(ctx, []string{filepath.Join("testdata", "stock.xlsx")}, nil, Options{}) {
		if !errors.Is(err, interrupted) {
			t.Errorf("a workbook: %v", err)
		}
	}
}

func TestReadReportsProgress(t *testing.T) {
	for _, name := range []string{"stock.csv", "stock.xlsx"} {
		var last float64
		o := Options{Progress: func(read float64) {
			if read < last || read > 1 {
				t.Errorf("%s: progress went from %g to %g", name, last, read)
			}
			last = read
		}}
		readFiles(t, o, filepath.Join("testdata", name), filepath.Join("testdata", name)).good(t)
		if last < 0.5 {
			t.Errorf("%s: progress ended at %g", name, last)
		}
	}
}

func TestReadNamesFilesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ file, want string }{
		{filepath.Join(dir, "none.csv"), "no such file"},
		{dir, "it is a folder"},
	} {
		r := readFiles(t, Options{}, tt.file)
		if r.err == nil || !strings.Contains(r.err.Error(), tt.want) && !errors.Is(r.err, os.ErrNotExist) || r.hint() == "" {
			t.Errorf("Read(%q): %v (hint %q), want %q", tt.file, r.err, r.hint(), tt.want)
		}
	}
}

func TestCheckRefusesOptionsThatNoSheetCouldMeet(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string // "" if it is fine
	}{
		{Options{}, ""},
		{Options{Map: map[string]string{"qty": "現有量", "name:ja": "和名", "庫存": "x"}, Encoding: "Big-5", Currency: "usd"}, ""},
		{Options{Map: map[string]string{"quanta": "x"}}, `there is no column "quanta"; there are store, product, qty`},
		{Options{Map: map[string]string{"name:": "x"}}, `there is no column "name:"`},
		{Options{Map: map[string]string{"qty": " "}}, "the header is missing"},
		{Options{Encoding: "klingon"}, `encoding "klingon" is not one of utf-8, utf-16, big5, gb18030`},
		{Options{Currency: "dollars"}, `currency "dollars" is not a code`},
	} {
		err := tt.o.Check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: Check() = %v, want %q", tt.o, err, tt.want)
		}
		if err == nil {
			continue
		}
		if r := readText(t, "品名\n蛋\n", tt.o); r.err == nil || len(r.rows) > 0 {
			t.Errorf("%+v: Read takes what Check refuses", tt.o)
		}
	}
}
