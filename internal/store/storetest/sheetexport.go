package storetest

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testRoundTrip takes back what was given out, where it was and elsewhere.
func testRoundTrip(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	mustImport(t, s, store.ImportOptions{},
		stock("巷口雜貨", "溫泉蛋", 4, expiry("2026-12-01")), stock("巷口雜貨", "溫泉蛋", 2, expiry("2026-12-31")), stock("巷口雜貨", "溫泉蛋", 1),
		stock("巷口雜貨", "雨傘", 3, expiry("2027-12-31")))
	rows, moved := exported(t, s), movements(t, s)
	for _, mode := range []store.ImportMode{store.Merge, store.Replace} {
		report, err := s.Import(t.Context(), s.Export(t.Context()), store.ImportOptions{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		checkReport(t, report, "")
		if report.Rows != len(rows) {
			t.Errorf("%d rows, want %d", report.Rows, len(rows))
		}
		if diff := gocmp.Diff(rows, exported(t, s)); diff != "" {
			t.Errorf("%s: taken back (-before +after):\n%s", mode, diff)
		}
		if diff := gocmp.Diff(moved, movements(t, s)); diff != "" {
			t.Errorf("%s: taken back, it moved (-before +after):\n%s", mode, diff)
		}
		checkVerified(t, s)
	}
	other := openAt(t, store.Catalog{}, time.Now)
	if _, err := other.Import(t.Context(), s.Export(t.Context()), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(rows, exported(t, other)); diff != "" {
		t.Errorf("taken in elsewhere (-want +got):\n%s", diff)
	}
	checkVerified(t, other)
	for _, c := range sample().Chains[:2] {
		got, err := other.Chains(t.Context(), c.Name, store.Exact, 2)
		if err != nil || len(got) != 1 {
			t.Fatalf("chain %q: %v, %v", c.Name, got, err)
		}
		if diff := gocmp.Diff(c.Aliases, got[0].Aliases); diff != "" {
			t.Errorf("aliases of %q (-want +got):\n%s", c.Name, diff)
		}
	}
}

func testExportOrder(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	checkContent(t, s,
		"koko-xinyi|tea-egg|7",
		"koko-daan|milk-tea|3", "koko-daan|tea-egg|5", "koko-daan|egg-pudding|0", "koko-daan|cola-600|9",
		"koko-banqiao|tea-egg|0",
		"corner|bubble-tea|1",
		"fresh-daan|egg|40", "fresh-daan|tea-egg|30",
		"|umbrella", "|spring-egg", "|tw-beer", "|ramen", "|cola-1500")
}

func testExportStops(t *testing.T, openAt OpenAt) {
	s := openAt(t, Large(2, 50), time.Now)
	n := 0
	for _, err := range s.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 60 {
			break
		}
	}
	if n != 60 {
		t.Errorf("%d rows, want 60", n)
	}
	// Each begins anew, and shows one moment.
	lines := 0
	for r, err := range s.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if lines == 0 {
			mustImport(t, s, store.ImportOptions{}, stock("新店", "新品", 1))
		}
		if lines++; r.Product.Name == "新品" {
			t.Error("an export shows what came after it began")
		}
	}
	if lines != 100 {
		t.Errorf("%d rows, want 100", lines)
	}
	if got := len(exported(t, s)); got != 101 {
		t.Errorf("%d rows afterwards, want 101", got)
	}
	checkLocations(t, s)
}

// checkLocations holds that rows say all of a shop and a product.
func checkLocations(t *testing.T, s Backend) {
	t.Helper()
	for _, r := range exported(t, s) {
		if r.Shop.ID == "新店" {
			continue
		}
		want, err := s.Shop(t.Context(), r.Shop.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantProduct, err := s.Product(t.Context(), r.Product.ID)
		if err != nil {
			t.Fatal(err)
		}
		point := fmt.Sprint(wantProduct.ReorderPoint)
		wantProduct.ReorderPoint = 0
		got := "0"
		if r.ReorderPoint != nil {
			got = fmt.Sprint(*r.ReorderPoint)
		}
		if diff := gocmp.Diff(want, r.Shop) + gocmp.Diff(wantProduct, r.Product) + gocmp.Diff(point, got); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
	}
}
