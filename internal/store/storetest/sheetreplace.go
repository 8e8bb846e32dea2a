package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testReplace(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{
		stock("甲", "蛋", 5, chain("老連鎖"), expiry("2026-12-01")), stock("甲", "茶", 3), stock("乙", "蛋", 2),
		product(store.Product{Name: "雨傘"}),
	})
	rest := store.ImportOptions{Mode: store.Replace, RemoveStores: true}
	report := mustImport(t, s, rest, stock("乙", "茶", 1), stock("丙", "茶", 0), product(store.Product{Name: "雨傘", Price: "99"}))
	checkReport(t, report, "1 new shops, 1 gone shops, 1 changed products, 1 gone products, 2 new, 3 gone")
	checkContent(t, s, "丙|茶|0", "乙|茶|1", "|雨傘")
	for _, gone := range []func() error{
		func() error { _, err := s.Shop(t.Context(), "甲"); return err },
		func() error { _, err := s.Product(t.Context(), "蛋"); return err },
		func() error { _, err := s.Level(t.Context(), "乙", "蛋"); return err },
	} {
		if err := gone(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what is gone: %v, want ErrNotFound", err)
		}
	}
	if chains, err := s.Chains(t.Context(), "", store.Contains, 10); err != nil || len(chains) != 0 {
		t.Errorf("chains are %v, %v, want none, as none has a shop", chains, err)
	}
	if found, _, err := s.Products(t.Context(), store.ProductQuery{Text: "蛋"}); err != nil || len(found) != 0 {
		t.Errorf("products by the name of one that is gone: %v, %v", found, err)
	}
	// What moved is told still.
	moved, _, err := s.Movements(t.Context(), store.MovementQuery{ProductID: "蛋", ShopID: "甲"})
	if err != nil || len(moved) != 2 || moved[0].Delta != -5 || moved[0].Expiry != "2026-12-01" || moved[0].After.OnHand != 0 {
		t.Errorf("movements of what is gone: %+v, %v", moved, err)
	}
}

// testReplaceStaysWithinItsShops replaces what some shops have.
func testReplaceStaysWithinItsShops(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{
		stock("甲", "蛋", 5, expiry("2026-12-01")), stock("甲", "茶", 3), stock("乙", "蛋", 2), stock("乙", "糖", 8), stock("丙", "鹽", 4),
		product(store.Product{Name: "雨傘"}),
	})
	before, err := s.Shop(t.Context(), "丙")
	if err != nil {
		t.Fatal(err)
	}
	sheet := []store.Row{stock("甲", "蛋", 1), shop(store.Shop{Name: "丙", Hours: "24 小時"})}
	replace := store.ImportOptions{Mode: store.Replace}
	dry := replace
	dry.DryRun = true
	// 茶 goes, as it was in 甲 only; 糖, 鹽 and 雨傘 are none of this sheet's.
	const want = "1 changed shops, 1 gone products, 1 down, 1 gone"
	checkReport(t, mustImport(t, s, dry, sheet...), want)
	checkContent(t, s, "丙|鹽|4", "乙|糖|8", "乙|蛋|2", "甲|茶|3", "甲|蛋|5|2026-12-01", "|雨傘")
	checkReport(t, mustImport(t, s, replace, sheet...), want)
	checkContent(t, s, "丙|鹽|4", "乙|糖|8", "乙|蛋|2", "甲|蛋|1|2026-12-01", "|雨傘")
	// A list of stores says nothing of their stock.
	if after, err := s.Shop(t.Context(), "丙"); err != nil || after.ID != before.ID || after.Hours == "" {
		t.Errorf("a store that is named: %+v, %v", after, err)
	}
	checkReport(t, mustImport(t, s, replace, sheet...), "")
}

// testRemoveStores removes the shops that a sheet does not name, after it named
// them.
func testRemoveStores(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5), stock("乙", "蛋", 2), stock("丙", "鹽", 4)})
	var named []string
	o := store.ImportOptions{Mode: store.Replace, RemoveStores: true, MaxExamples: 1, Removing: func(shops []store.Shop) error {
		for _, shop := range shops {
			named = append(named, shop.Name)
		}
		return nil
	}}
	dry := o
	dry.DryRun = true
	if r := mustImport(t, s, dry, stock("甲", "蛋", 5)); len(r.GoneShops.First) != 2 || len(named) > 0 {
		t.Errorf("a dry run names %+v, and told %q", r.GoneShops.First, named)
	}
	refused := errors.New("no")
	o.Removing = func([]store.Shop) error { return refused }
	if _, err := s.Import(t.Context(), rowsOf(stock("甲", "蛋", 5)), o); !errors.Is(err, refused) {
		t.Errorf("import: %v, want what Removing says", err)
	}
	checkContent(t, s, "丙|鹽|4", "乙|蛋|2", "甲|蛋|5")
	o.Removing = dry.Removing
	mustImport(t, s, o, stock("甲", "蛋", 5))
	if diff := gocmp.Diff([]string{"乙", "丙"}, named); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	checkContent(t, s, "甲|蛋|5")
	if _, err := s.Import(t.Context(), rowsOf(stock("甲", "蛋", 5)), store.ImportOptions{RemoveStores: true}); err == nil {
		t.Error("stores are removed by an import that merges")
	}
}

func testReplaceWithoutQuantities(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5)})
	_, err := s.Import(t.Context(), rowsOf(product(store.Product{Name: "蛋", Price: "5"})), store.ImportOptions{Mode: store.Replace})
	if err == nil || errors.As(err, new(*store.ImportError)) || !strings.Contains(err.Error(), "no row has a quantity") {
		t.Errorf("replacing all stock by a list of prices: %v", err)
	}
	checkContent(t, s, "甲|蛋|5")
	// Where there is no stock, there is nothing to lose.
	s, _ = imported(t, openAt, []store.Row{product(store.Product{Name: "蛋"})})
	checkReport(t, mustImport(t, s, store.ImportOptions{Mode: store.Replace}, product(store.Product{Name: "茶"})), "1 new products")
	checkReport(t, mustImport(t, s, store.ImportOptions{Mode: store.Replace, RemoveStores: true}, product(store.Product{Name: "茶"})), "1 gone products")
}

// testGoneComesBack takes away and brings back: what has the same ID goes on
// with its history.
func testGoneComesBack(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5), stock("乙", "茶", 1)})
	mustImport(t, s, store.ImportOptions{Mode: store.Replace, RemoveStores: true}, stock("乙", "茶", 1))
	checkReport(t, mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 7)), "1 new shops, 1 new products, 1 new")
	checkContent(t, s, "乙|茶|1", "甲|蛋|7")
	moved, _, err := s.Movements(t.Context(), store.MovementQuery{ShopID: "甲", ProductID: "蛋"})
	if err != nil || len(moved) != 3 || moved[0].Delta != 7 || moved[1].Delta != -5 || moved[2].Delta != 5 {
		t.Errorf("movements are %+v, %v, want +7, -5 and +5", moved, err)
	}
	mustImport(t, s, store.ImportOptions{Mode: store.Replace, RemoveStores: true}, stock("乙", "茶", 1))
	mustImport(t, s, store.ImportOptions{}, store.Row{Shop: store.Shop{ID: "甲", Name: "新甲"}, Product: store.Product{ID: "蛋", Name: "滷蛋"}, Quantity: new(int64(1))})
	checkContent(t, s, "乙|茶|1", "甲|蛋|1")
	if moved, _, err = s.Movements(t.Context(), store.MovementQuery{ShopID: "甲", ProductID: "蛋"}); err != nil || len(moved) != 5 {
		t.Errorf("%d movements, %v, want 5", len(moved), err)
	}
}

func testHostileTexts(t *testing.T, openAt OpenAt) {
	s := openAt(t, store.Catalog{}, time.Now)
	names := []string{
		"'; DROP TABLE products; --", "a\x00b", "\xff\xfe", "🍎", "🍐", "---", "x\ny", `"`, "{}", "[]", "%_", "\u202Eevil", strings.Repeat("長", 5000),
	}
	var rows []store.Row
	for i, name := range names {
		rows = append(rows, store.Row{
			Shop:         store.Shop{Name: name, Chain: name, Address: name, Hours: name, Aliases: []string{name}},
			Product:      store.Product{Name: name, SKU: name, Aliases: []string{name}, Names: map[string]string{name: name}, Category: name, Unit: name},
			ChainAliases: []string{name}, Quantity: new(int64(i)),
		})
	}
	report := mustImport(t, s, store.ImportOptions{}, rows...)
	if report.NewProducts.Count != len(names) || report.NewShops.Count != len(names) {
		t.Errorf("%s, want %d of each", summary(report), len(names))
	}
	checkReport(t, mustImport(t, s, store.ImportOptions{}, rows...), "")
	checkVerified(t, s)
	for _, name := range names {
		if _, _, err := s.Products(t.Context(), store.ProductQuery{Text: name, Match: store.Exact}); err != nil {
			t.Errorf("find %q: %v", name, err)
		}
	}
	if got := len(exported(t, s)); got != len(names) {
		t.Errorf("%d rows, want %d", got, len(names))
	}
}
