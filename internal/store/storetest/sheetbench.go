package storetest

import (
	"bytes"
	"flag"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

var million = flag.Bool("million", false, "benchmark the import of 1,000,000 rows, too")

// BenchmarkImport times the first import of a chain's sheet, which says of each
// row what the shop and the product are: with as many shops as products, and
// with one shop. It reports the rows imported in a second, and the most memory
// that the process had meanwhile, where that can be known.
func BenchmarkImport(b *testing.B, open Open) {
	sizes := [][2]int{{100, 100}, {1, 10_000}, {316, 316}, {1, 100_000}}
	if *million {
		sizes = append(sizes, [2]int{1000, 1000}, [2]int{1, 1_000_000})
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("shops=%d/products=%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := open(b, store.Catalog{})
				debug.FreeOSMemory() // what other benchmarks have left
				resetPeak()
				b.StartTimer()
				if _, err := s.Import(b.Context(), largeRows(size[0], size[1]), store.ImportOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size[0]*size[1]*b.N)/b.Elapsed().Seconds(), "rows/s")
			if peak, ok := peakMemory(); ok {
				b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			}
		})
	}
}

// largeRows yields a sheet of every product in every shop, shop after shop.
func largeRows(shops, products int) iter.Seq2[store.Row, error] {
	sheet := &store.Sheet{File: "large.csv"}
	return func(yield func(store.Row, error) bool) {
		line := 1
		for i := range shops {
			shop := largeShop(i)
			shop.ID = ""
			for j := range products {
				p := largeProduct(j)
				p.ID, p.ReorderPoint = "", 0
				if shops*products > 0 && j >= 504_000 { // where names begin anew
					p.Name = fmt.Sprint(p.Name, j)
				}
				line++
				row := store.Row{Sheet: sheet, Line: line, Shop: shop, Product: p, Quantity: new(int64(scatter(i*products+j) % 40))}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// resetPeak makes peakMemory begin anew, where the system can.
func resetPeak() {
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peakMemory returns the most bytes of memory that the process had.
func peakMemory() (n int, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	if _, err := fmt.Sscanf(string(after), "%d kB", &n); err != nil {
		return 0, false
	}
	return n << 10, true
}
