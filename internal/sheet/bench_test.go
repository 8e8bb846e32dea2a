package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

var benchRows = flag.Int("sheet.rows", 100_000, "rows of the sheets that are read in benchmarks")

// BenchmarkRead times what import does before the store has a say: reading a
// chain's stock of 1,000 products a shop.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	for _, bench := range []struct {
		name  string
		write func(b *testing.B, file string, rows int)
	}{{"stock.csv", writeLargeCSV}, {"stock.xlsx", writeLargeXLSX}} {
		file := filepath.Join(dir, bench.name)
		bench.write(b, file, *benchRows)
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range Read(b.Context(), []string{file}, nil, Options{}) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != *benchRows {
					b.Fatalf("read %d rows, want %d", n, *benchRows)
				}
			}
			b.ReportMetric(float64(*benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			if info, err := os.Stat(file); err == nil {
				b.SetBytes(info.Size())
			}
		})
	}
}

// BenchmarkWrite times the export of as much.
func BenchmarkWrite(b *testing.B) {
	rows := theStock()
	for b.Loop() {
		err := Write(io.Discard, func(yield func(store.Row, error) bool) {
			for i := range *benchRows {
				if !yield(rows[i%len(rows)], nil) {
					return
				}
			}
		}, WriteOptions{})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(*benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

var largeHeader = []string{"門市", "品名", "條碼", "數量", "單位", "售價", "效期", "分類"}

func largeRow(i int) []string {
	shop, product := i/1000, i%1000
	return []string{
		fmt.Sprintf("KOKO便利店 第%d店", shop), fmt.Sprintf("御飯糰 口味%d號", product), fmt.Sprintf("47100%08d", product),
		fmt.Sprint(i * 7919 % 200), "個", fmt.Sprint(20 + product%80), fmt.Sprintf("2026-12-%02d", 1+product%31), "鮮食",
	}
}

func writeLargeCSV(b *testing.B, file string, rows int) {
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := bufio.NewWriter(f)
	w := csv.NewWriter(buf)
	w.Write(largeHeader)
	for i := range rows {
		w.Write(largeRow(i))
	}
	w.Flush()
	if err := buf.Flush(); err != nil {
		b.Fatal(err)
	}
}

// writeLargeXLSX writes a workbook as Excel does: texts are shared, numbers and
// days are numbers.
func writeLargeXLSX(b *testing.B, file string, rows int) {
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	part := func(name string) *bufio.Writer {
		w, err := z.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		return bufio.NewWriter(w)
	}
	flush := func(w *bufio.Writer) {
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	w := part("xl/workbook.xml")
	w.WriteString(`<workbook xmlns:r="r"><sheets><sheet name="庫存" sheetId="1" r:id="rId1"/></sheets></workbook>`)
	flush(w)
	w = part("xl/_rels/workbook.xml.rels")
	w.WriteString(`<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="x/styles" Target="styles.xml"/></Relationships>`)
	flush(w)
	w = part("xl/styles.xml")
	w.WriteString(`<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`)
	flush(w)
	shared := make(map[string]int)
	var texts []string
	w = part("xl/worksheets/sheet1.xml")
	w.WriteString(`<worksheet><sheetData>`)
	for i := range rows + 1 {
		cells := largeHeader
		if i > 0 {
			cells = largeRow(i - 1)
		}
		fmt.Fprintf(w, `<row r="%d" spans="1:8">`, i+1)
		for j, text := range cells {
			switch {
			case i > 0 && (j == 3 || j == 5):
				fmt.Fprintf(w, `<c r="%c%d"><v>%s</v></c>`, 'A'+j, i+1, text)
			case i > 0 && j == 6:
				fmt.Fprintf(w, `<c r="%c%d" s="1"><v>%d</v></c>`, 'A'+j, i+1, 46357+i%31)
			default:
				n, ok := shared[text]
				if !ok {
					n = len(texts)
					shared[text] = n
					texts = append(texts, text)
				}
				fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+j, i+1, n)
			}
		}
		w.WriteString(`</row>`)
	}
	w.WriteString(`</sheetData></worksheet>`)
	flush(w)
	w = part("xl/sharedStrings.xml")
	w.WriteString(`<sst>`)
	for _, text := range texts {
		fmt.Fprintf(w, `<si><t>%s</t></si>`, text)
	}
	w.WriteString(`</sst>`)
	flush(w)
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
}
