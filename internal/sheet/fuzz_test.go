package sheet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// FuzzRead reads anything at all: it does not panic, it ends, it says the same
// twice, and what it yields without an error is what [store.Row] promises.
// Workbooks take long to minimize: fuzz with -fuzzminimizetime 10x.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "stock*"))
	if err != nil || len(files) == 0 {
		f.Fatal("there is no testdata: ", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, text := range []string{
		"", "\n", "品名", "品名\n\"", "sep=\n", "sep=;", "店名,品名,數量\n\"\n\",\"\"\"", "\xFF\xFE", "\xFE\xFF\x00", "\xEF\xBB\xBF", "PK\x03\x04", "品名\r\r\n\x00",
		"[]", "{", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "品名,效期,店名,庫存\n'=,民國,'',E+1\n", "名稱,地址\n合計,\\;\n", "name:en,品名:en\n",
	} {
		f.Add([]byte(text))
	}
	f.Add([]byte(bare(f, bareHeader+`<row><c t="s"><v>0</v></c><c r="B9" s="1"><f/><v>1e5</v></c></row>`, "xl/sharedStrings.xml", "<sst><si><t>蛋&#x41;_x0041_</t></si></sst>")))
	f.Fuzz(func(t *testing.T, content []byte) {
		o := Options{Store: "店"}
		once := readText(t, string(content), o)
		twice := readText(t, string(content), o)
		if diff := cmp.Diff(once.rows, twice.rows); diff != "" {
			t.Errorf("read twice (-once +twice):\n%s", diff)
		}
		if diff := cmp.Diff(once.problems, twice.problems); diff != "" {
			t.Errorf("read twice (-once +twice):\n%s", diff)
		}
		for _, row := range once.rows {
			checkRow(t, row)
		}
		if once.err != nil && once.hint() == "" {
			t.Errorf("the error %v has no hint", once.err)
		}
	})
}

// checkRow fails the test if a row is none that a store may be given.
func checkRow(t *testing.T, row store.Row) {
	t.Helper()
	p, s := row.Product, row.Shop
	shop := s.ID != "" || s.Name != ""
	product := p.ID != "" || p.SKU != "" || p.Name != "" || len(p.Barcodes) > 0
	switch {
	case row.Sheet == nil || row.Line < 1:
		t.Errorf("the row stands nowhere: %+v", row)
	case !shop && !product:
		t.Errorf("line %d is of nothing", row.Line)
	case row.Quantity != nil && (!shop || !product || *row.Quantity < 0 || *row.Quantity > store.MaxQuantity):
		t.Errorf("line %d has quantity %d of %+v in %+v", row.Line, *row.Quantity, p, s)
	case row.ReorderPoint != nil && *row.ReorderPoint < 0:
		t.Errorf("line %d has reorder point %d", row.Line, *row.ReorderPoint)
	case (p.Price == "") != (p.Currency == ""):
		t.Errorf("line %d has price %q and currency %q", row.Line, p.Price, p.Currency)
	}
	if row.Expiry != "" {
		if _, err := store.ParseDate(string(row.Expiry)); err != nil || row.Quantity == nil {
			t.Errorf("line %d expires on %q", row.Line, row.Expiry)
		}
	}
	for _, text := range []string{s.ID, s.Name, s.Chain, s.Address, s.Hours, p.ID, p.SKU, p.Name, p.Category, p.Unit} {
		if text != oneLine(text) || strings.ContainsRune(text, '\uFFFD') {
			t.Errorf("line %d has text %q", row.Line, text)
		}
	}
}

// FuzzXML reads any sheet's XML.
func FuzzXML(f *testing.F) {
	f.Add(bareHeader + `<row><c t="s"><v>0</v></c></row>`)
	f.Add(`<row/><row a=">" b='"'><!-- > --><c><is><t><![CDATA[]]>]]></t><rPh/></is></c></row>`)
	f.Fuzz(func(t *testing.T, data string) {
		r := newXMLReader(strings.NewReader(data))
		for n := 0; ; n++ {
			if _, err := r.next(); err != nil {
				break
			}
			r.attr("r")
			if n > 2*len(data)+2 {
				t.Fatal("there are more tokens than characters")
			}
		}
		result := readText(t, bare(t, data), Options{Store: "店"})
		for _, row := range result.rows {
			checkRow(t, row)
		}
		if bad, ok := errors.AsType[*fileError](result.err); result.err != nil && (!ok || bad.hint == "") {
			t.Errorf("error %v", result.err)
		}
	})
}
