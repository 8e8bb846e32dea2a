package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
)

// given yields rows as a store exports them.
func given(rows []store.Row) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func written(t testing.TB, rows []store.Row, o WriteOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, given(rows), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteWritesWhatExcelOpens(t *testing.T) {
	for _, o := range []WriteOptions{{}, {English: true}} {
		name := "export-zh.csv"
		if o.English {
			name = "export-en.csv"
		}
		got := written(t, theStock(), o)
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got; refresh with go test -update):\n%s", name, diff)
		}
		if diff := cmp.Diff(theStock(), readText(t, got, Options{}).good(t), sameRows); diff != "" {
			t.Errorf("%s read back (-want +got):\n%s", name, diff)
		}
	}
}

// rowGen draws rows that a store may hold, be they as hostile as they can.
func rowGen() *rapid.Generator[store.Row] {
	text := rapid.Custom(func(t *rapid.T) string { return oneLine(hostile().Draw(t, "text")) })
	full := text.Filter(func(s string) bool { return s != "" })
	list := rapid.SliceOfN(full, 0, 3)
	id := full.Filter(func(s string) bool { return !code.None(s) })
	barcodes := rapid.Custom(func(t *rapid.T) (all []string) {
		for _, s := range list.Draw(t, "texts") {
			all = append(all, code.Barcodes([]string{s})...)
		}
		return distinct(all)
	})
	return rapid.Custom(func(t *rapid.T) store.Row {
		var row store.Row
		s, p := &row.Shop, &row.Product
		shop, product := rapid.Bool().Draw(t, "of a shop"), rapid.Bool().Draw(t, "of a product")
		if shop || !product {
			s.ID, s.Name = id.Draw(t, "shop ID"), full.Draw(t, "shop")
			s.Chain, s.Address, s.Hours = text.Draw(t, "chain"), text.Draw(t, "address"), text.Draw(t, "hours")
			s.Aliases, row.ChainAliases = list.Draw(t, "shop aliases"), list.Draw(t, "chain aliases")
			if rapid.Bool().Draw(t, "placed") {
				s.Location = &store.Location{Latitude: rapid.Float64Range(-90, 90).Draw(t, "latitude"), Longitude: rapid.Float64Range(-180, 180).Draw(t, "longitude")}
			}
		}
		if product {
			p.ID, p.SKU, p.Name = id.Draw(t, "product ID"), rapid.OneOf(rapid.Just(""), id).Draw(t, "SKU"), full.Draw(t, "name")
			p.Aliases, p.Barcodes = list.Draw(t, "aliases"), barcodes.Draw(t, "barcodes")
			p.Category, p.Unit = text.Draw(t, "category"), text.Draw(t, "unit")
			for _, l := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"en", "ja", "zh-Hant", "tlh"}), 0, 3, rapid.ID).Draw(t, "languages") {
				if p.Names == nil {
					p.Names = make(map[string]string)
				}
				p.Names[l] = full.Draw(t, l)
			}
			if rapid.Bool().Draw(t, "priced") {
				p.Price = rapid.SampledFrom([]string{"0", "13", "4.50", "123456789.99"}).Draw(t, "price")
				p.Currency = rapid.SampledFrom([]string{"TWD", "USD", "JPY"}).Draw(t, "currency")
			}
			if rapid.Bool().Draw(t, "reordered") {
				row.ReorderPoint = new(rapid.Int64Range(0, store.MaxQuantity).Draw(t, "reorder point"))
			}
		}
		if shop && product {
			row.Quantity = new(rapid.Int64Range(0, store.MaxQuantity).Draw(t, "quantity"))
			row.Expiry = store.Date(rapid.SampledFrom([]string{"", "2026-11-30", "9999-12-31", "1999-01-01"}).Draw(t, "expiry"))
		}
		return row
	})
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// codesBroken reports whether a row has a code that Excel could have destroyed,
// which nothing can tell from one that it did.
func codesBroken(r store.Row) bool {
	return slices.ContainsFunc(append([]string{r.Shop.ID, r.Product.ID, r.Product.SKU}, r.Product.Barcodes...), func(s string) bool { return checkCode(s) != "" })
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rowGen().Filter(func(r store.Row) bool { return !codesBroken(r) }), 1, 5).Draw(rt, "rows")
		o := WriteOptions{English: rapid.Bool().Draw(rt, "English")}
		text := written(t, rows, o)
		r := readText(t, text, Options{Store: "another"})
		if r.err != nil || len(r.problems) > 0 {
			rt.Fatalf("%v, %q\n%s", r.err, r.why(), text)
		}
		if diff := cmp.Diff(rows, r.rows, sameRows); diff != "" {
			rt.Fatalf("(-written +read):\n%s\n%s", diff, text)
		}
		if again := written(t, r.rows, o); again != text {
			rt.Fatalf("written again:\n%s\nand before:\n%s", again, text)
		}
		checkInjection(rt, text)
		r = readText(t, written(t, rows, WriteOptions{English: o.English, Workbook: true}), Options{Store: "another"})
		if r.err != nil || len(r.problems) > 0 {
			rt.Fatalf("workbook: %v, %q", r.err, r.why())
		}
		if diff := cmp.Diff(rows, r.rows, sameRows); diff != "" {
			rt.Fatalf("workbook (-written +read):\n%s", diff)
		}
	})
}

// checkInjection fails the test where a spreadsheet would take a cell for a
// formula.
func checkInjection(t rapid.TB, text string) {
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF"))).ReadAll()
	if err != nil && !errors.Is(err, csv.ErrFieldCount) {
		t.Fatalf("encoding/csv: %v\n%s", err, text)
	}
	for _, record := range records {
		for i, cell := range record {
			if i == int(colLatitude) || i == int(colLongitude) {
				continue // whose minus is a number's
			}
			// A tab keeps a number as it is.
			if risky(strings.TrimPrefix(cell, "\t")) {
				t.Fatalf("cell %q is a formula", cell)
			}
		}
	}
}

func TestWriteKeepsExcelFromAlteringTexts(t *testing.T) {
	for text, want := range map[string]string{
		"4710000000017": "\t4710000000017", "00123": "\t00123", "7-11": "\t7-11", "3/4": "\t3/4", "1E5": "\t1E5", "12:30": "\t12:30", "MAR1": "\tMAR1", "1-Mar": "\t1-Mar", "50%": "\t50%", "1.50": "\t1.50",
		"711": "711", "0": "0", "12345678901": "12345678901", "茶葉蛋": "茶葉蛋", "A001": "A001", "P1": "P1", "12 pm": "\t12 pm", "7-Eleven": "7-Eleven", "大安3店": "大安3店", "": "", "may": "may",
	} {
		if got := guard(text); got != want {
			t.Errorf("guard(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+886": "'+886", "-5": "'-5", "@x": "'@x", "＝x": "'＝x", "'=1": "''=1", "''": "'''", "'90s": "'90s", "#REF!": "'#REF!", "茶=蛋": "茶=蛋",
	} {
		if got := mark(text, false); got != want {
			t.Errorf("mark(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWriteEndsWithTheRowsError(t *testing.T) {
	broken := errors.New("the disk is gone")
	var b bytes.Buffer
	err := Write(&b, func(yield func(store.Row, error) bool) {
		_ = yield(theStock()[0], nil) && yield(store.Row{}, broken)
	}, WriteOptions{})
	if !errors.Is(err, broken) || b.Len() > 0 {
		t.Errorf("Write: %v after %d bytes", err, b.Len())
	}
	for _, o := range []WriteOptions{{}, {Workbook: true}} {
		if err := Write(full{}, given(theStock()), o); !errors.Is(err, errFull) {
			t.Errorf("%+v: Write to a full disk: %v", o, err)
		}
		if err := WriteTemplate(full{}, o); !errors.Is(err, errFull) {
			t.Errorf("%+v: WriteTemplate to a full disk: %v", o, err)
		}
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	for _, o := range []WriteOptions{{}, {Workbook: true}} {
		written(t, theStock(), o)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTemplatesExampleIsLeftOut(t *testing.T) {
	for _, o := range []WriteOptions{{}, {English: true}, {Workbook: true}, {English: true, Workbook: true}} {
		var b bytes.Buffer
		if err := WriteTemplate(&b, o); err != nil {
			t.Fatal(err)
		}
		r := readText(t, b.String(), Options{})
		if rows := r.good(t); len(rows) > 0 || !strings.Contains(strings.Join(r.told, "\n"), "example: line 2") {
			t.Errorf("%+v: rows %+v, told %q", o, rows, r.told)
		}
	}
}

func TestTemplatesExampleIsKnownAsPeopleSaveIt(t *testing.T) {
	const header = "店名,品名,數量,單位,效期,售價,條碼,分類,補貨點,別名,地址\n"
	for _, tt := range []struct {
		name, text string
		want       int
	}{
		{"another kind of date and number", header + "大安店,茶葉蛋,12.0,顆,2026/12/31,$13,4710000000017,鮮食,5,\"茶蛋, 滷蛋\",臺北市大安區和平東路一段1號\n", 0},
		{"columns that were deleted", "品名,數量,條碼,店名\n茶葉蛋,12,4710000000017,大安店\n", 0},
		{"English in a Chinese sheet", "store,品名,qty,barcode\nDaan,Tea egg,12,4710000000017\n", 0},
		{"columns that were added", "店名,品名,數量,條碼,備註,貨號\n大安店,茶葉蛋,12,4710000000017,,\n", 0},
		// What people write over it is theirs.
		{"another quantity", header + "大安店,茶葉蛋,13,顆,2026-12-31,13,4710000000017,鮮食,5,茶蛋;滷蛋,臺北市大安區和平東路一段1號\n", 1},
		{"another barcode", header + "大安店,茶葉蛋,12,顆,2026-12-31,13,4710000000011,鮮食,5,茶蛋;滷蛋,臺北市大安區和平東路一段1號\n", 1},
		{"nothing but a store, a product and a quantity", "店名,品名,數量\n大安店,茶葉蛋,12\n", 1},
	} {
		if got := len(readText(t, tt.text, Options{}).good(t)); got != tt.want {
			t.Errorf("%s: %d rows, want %d", tt.name, got, tt.want)
		}
	}
}
