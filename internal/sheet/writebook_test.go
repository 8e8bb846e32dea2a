package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/mcpstore/mcpstore/internal/store"
)

func opened(t *testing.T, content string) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWorkbookHasNumbersDaysAndTexts(t *testing.T) {
	row := store.Row{
		Shop: store.Shop{Name: "7-11", ID: "001"},
		Product: store.Product{Name: "=1+1", SKU: "00123", Barcodes: []string{"4710000000011"}, Price: "13.5", Currency: "TWD",
			Aliases: []string{"+886"}, Names: map[string]string{"en": "@SUM(A1)"}},
		Quantity: new(int64(1234567)), Expiry: "2026-12-31", ReorderPoint: new(int64(5)),
	}
	f := opened(t, written(t, []store.Row{row}, WriteOptions{English: true, Workbook: true}))
	if diff := cmp.Diff([]string{"Stock"}, f.GetSheetList()); diff != "" {
		t.Fatalf("sheets (-want +got):\n%s", diff)
	}
	lines, err := f.GetRows("Stock", excelize.Options{RawCellValue: true})
	if err != nil || len(lines) != 2 {
		t.Fatalf("lines %q, %v", lines, err)
	}
	for column, want := range map[string]struct {
		kind       excelize.CellType
		raw, shown string
	}{
		"store":         {excelize.CellTypeInlineString, "7-11", "7-11"},
		"store id":      {excelize.CellTypeInlineString, "001", "001"},
		"product":       {excelize.CellTypeInlineString, "=1+1", "=1+1"},
		"sku":           {excelize.CellTypeInlineString, "00123", "00123"},
		"barcode":       {excelize.CellTypeInlineString, "4710000000011", "4710000000011"},
		"aliases":       {excelize.CellTypeInlineString, "+886", "+886"},
		"name:en":       {excelize.CellTypeInlineString, "@SUM(A1)", "@SUM(A1)"},
		"qty":           {excelize.CellTypeUnset, "1234567", "1234567"},
		"reorder point": {excelize.CellTypeUnset, "5", "5"},
		"price":         {excelize.CellTypeUnset, "13.5", "13.5"},
		"expiry":        {excelize.CellTypeUnset, "46387", "2026-12-31"},
	} {
		at, _ := excelize.CoordinatesToCellName(slices.Index(lines[0], column)+1, 2)
		kind, err1 := f.GetCellType("Stock", at)
		raw, err2 := f.GetCellValue("Stock", at, excelize.Options{RawCellValue: true})
		shown, err3 := f.GetCellValue("Stock", at)
		formula, err4 := f.GetCellFormula("Stock", at)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || kind != want.kind || raw != want.raw || shown != want.shown || formula != "" {
			t.Errorf("%s: type %v, raw %q, shown %q, formula %q, want %+v", column, kind, raw, shown, formula, want)
		}
	}
	panes, err := f.GetPanes("Stock")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes are %+v, %v, want the header in view", panes, err)
	}
	id, _ := f.GetCellStyle("Stock", "A1")
	if style, err := f.GetStyle(id); err != nil || style.Font == nil || !style.Font.Bold {
		t.Errorf("the header's style is %+v, %v, want it bold", style, err)
	}
	// What is typed below stays as it is typed.
	at, _ := excelize.ColumnNumberToName(slices.Index(lines[0], "barcode") + 1)
	id, _ = f.GetColStyle("Stock", at)
	if style, err := f.GetStyle(id); err != nil || style.NumFmt != 49 {
		t.Errorf("the style of barcodes is %+v, %v, want text", style, err)
	}
}

func TestWorkbookGoesOnInAnotherSheet(t *testing.T) {
	b := &bookWriter{file: excelize.NewFile(), name: "庫存", shown: []column{colProduct, colUnit}, headers: []string{"品名", "單位"}, most: 3}
	defer b.file.Close()
	if err := b.begin(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint("蛋", i))
		if err := b.line([]string{want[i], "顆"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.sheet.Flush(); err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := b.file.Write(&content); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"庫存", "庫存 2", "庫存 3"}, opened(t, content.String()).GetSheetList()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, named(readText(t, content.String(), Options{}).good(t))); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}
}

func TestWorkbookRefusesWhatNoCellHolds(t *testing.T) {
	row := store.Row{Product: store.Product{ID: "1", Name: strings.Repeat("長", excelize.TotalCellChars+1)}}
	if err := Write(new(bytes.Buffer), given([]store.Row{row}), WriteOptions{Workbook: true}); err == nil || !strings.Contains(err.Error(), "longer than the 32767") {
		t.Errorf("Write: %v", err)
	}
}
