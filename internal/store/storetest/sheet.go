package storetest

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testCatalogue tests a backend against the contract of [store.Catalogue].
func testCatalogue(t *testing.T, openAt OpenAt) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, OpenAt)
	}{
		{"Identity", testIdentity},
		{"Renamed", testRenamed},
		{"Problems", testProblems},
		{"ProblemsAreBounded", testProblemsAreBounded},
		{"ImportFails", testImportFails},
		{"ImportTwice", testImportTwice},
		{"ImportMovesStock", testImportMovesStock},
		{"ImportReportsExamples", testImportReportsExamples},
		{"Lots", testImportLots},
		{"ReservationsGiveWay", testImportGivesWay},
		{"Replace", testReplace},
		{"ReplaceStaysWithinItsShops", testReplaceStaysWithinItsShops},
		{"RemoveStores", testRemoveStores},
		{"ReplaceWithoutQuantities", testReplaceWithoutQuantities},
		{"GoneComesBack", testGoneComesBack},
		{"DryRun", testImportDryRun},
		{"ImportIsFound", testImportIsFound},
		{"RoundTrip", testRoundTrip},
		{"ExportOrder", testExportOrder},
		{"ExportStops", testExportStops},
		{"HostileTexts", testHostileTexts},
		{"EditProduct", testEditProduct},
		{"EditShop", testEditShop},
		{"EditsRefused", testEditsRefused},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, openAt) })
	}
}

// testSheet is where the rows of these tests stand, from line 2 on.
var testSheet = &store.Sheet{File: "庫存.csv", Columns: map[string]string{
	store.ColumnStore: "店名", store.ColumnProduct: "品名", store.ColumnQuantity: "數量", store.ColumnPrice: "售價",
}}

// rowsOf yields rows as a sheet has them.
func rowsOf(rows ...store.Row) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for i, r := range rows {
			if r.Sheet == nil {
				r.Sheet, r.Line = testSheet, i+2
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// stock is a row of how much there is.
func stock(shop, product string, n int64, more ...func(*store.Row)) store.Row {
	r := store.Row{Shop: store.Shop{Name: shop}, Product: store.Product{Name: product}, Quantity: &n}
	for _, set := range more {
		set(&r)
	}
	return r
}

func product(p store.Product) store.Row { return store.Row{Product: p} }
func shop(s store.Shop) store.Row       { return store.Row{Shop: s} }

func barcode(codes ...string) func(*store.Row) {
	return func(r *store.Row) { r.Product.Barcodes = codes }
}
func sku(sku string) func(*store.Row)      { return func(r *store.Row) { r.Product.SKU = sku } }
func id(id string) func(*store.Row)        { return func(r *store.Row) { r.Product.ID = id } }
func price(price string) func(*store.Row)  { return func(r *store.Row) { r.Product.Price = price } }
func expiry(d store.Date) func(*store.Row) { return func(r *store.Row) { r.Expiry = d } }
func chain(chain string) func(*store.Row)  { return func(r *store.Row) { r.Shop.Chain = chain } }

// imported opens a store, imports rows one sheet after the other, and returns
// the store and the last report.
func imported(t *testing.T, openAt OpenAt, sheets ...[]store.Row) (Backend, store.ImportReport) {
	t.Helper()
	s := openAt(t, store.Catalog{}, time.Now)
	var report store.ImportReport
	for _, rows := range sheets {
		report = mustImport(t, s, store.ImportOptions{}, rows...)
	}
	return s, report
}

func mustImport(t *testing.T, s Backend, o store.ImportOptions, rows ...store.Row) store.ImportReport {
	t.Helper()
	report, err := s.Import(t.Context(), rowsOf(rows...), o)
	if bad, ok := errors.AsType[*store.ImportError](err); ok {
		for _, p := range bad.Problems {
			t.Error(p)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// summary says what a report counts, if it counts anything.
func summary(r store.ImportReport) string {
	var all []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{r.NewShops.Count, "new shops"}, {r.ChangedShops.Count, "changed shops"}, {r.GoneShops.Count, "gone shops"},
		{r.NewProducts.Count, "new products"}, {r.ChangedProducts.Count, "changed products"}, {r.GoneProducts.Count, "gone products"},
		{r.New.Count, "new"}, {r.Up.Count, "up"}, {r.Down.Count, "down"}, {r.Gone.Count, "gone"},
		{len(r.Released), "released"},
	} {
		if c.n > 0 {
			all = append(all, fmt.Sprint(c.n, " ", c.what))
		}
	}
	if r.RemovedDemo {
		all = append(all, "demo removed")
	}
	return strings.Join(all, ", ")
}

func checkReport(t *testing.T, r store.ImportReport, want string) {
	t.Helper()
	if diff := gocmp.Diff(want, summary(r)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// content is what a store exports, a line for each row: the shop's ID, the
// product's, and how much there is of which lot.
func content(t *testing.T, s Backend) []string {
	t.Helper()
	lines := []string{}
	for _, r := range exported(t, s) {
		line := r.Shop.ID + "|" + r.Product.ID
		if r.Quantity != nil {
			line += fmt.Sprint("|", *r.Quantity)
		}
		if r.Expiry != "" {
			line += "|" + string(r.Expiry)
		}
		lines = append(lines, line)
	}
	return lines
}

// checkContent compares what a store exports, and adds its ledger up.
func checkContent(t *testing.T, s Backend, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, content(t, s)); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	checkVerified(t, s)
}

func checkVerified(t *testing.T, s Backend) {
	t.Helper()
	found, err := s.Verify(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		t.Errorf("verify: %v", d)
	}
}

// exported returns all that a store exports.
func exported(t *testing.T, s Backend) []store.Row {
	t.Helper()
	var rows []store.Row
	for r, err := range s.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

// movements returns all movements, newest first, as "shop product ±delta".
func movements(t *testing.T, s Backend) []string {
	t.Helper()
	var all []string
	q := store.MovementQuery{}
	for {
		page, next, err := s.Movements(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			all = append(all, fmt.Sprintf("%s %s %+d%s", m.ShopID, m.ProductID, m.Delta, m.Expiry))
		}
		if q.Cursor = next; next == "" {
			return all
		}
	}
}
