package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testReplace(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{
		stock("甲", "蛋", 5, chain("老連鎖"), expiry("2026-12-01")), stock("甲", "茶", 3), stock("乙", "蛋", 2),
		product(store.Product{Name: "雨傘"}),
	})
	report := mustImport(t, s, store.ImportOptions{Mode: store.Replace}, stock("乙", "茶", 1), stock("丙", "茶", 0), product(store.Product{Name: "雨傘", Price: "99"}))
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

func testReplaceWithoutQuantities(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5)})
	_, err := s.Import(t.Context(), rowsOf(product(store.Product{Name: "蛋", Price: "5"})), store.ImportOptions{Mode: store.Replace})
	if err == nil || errors.As(err, new(*store.ImportError)) || !strings.Contains(err.Error(), "no row has a quantity") {
		t.Errorf("replacing all stock by a list of prices: %v", err)
	}
	checkContent(t, s, "甲|蛋|5")
	// Where there is no stock, there is nothing to lose.
	s, _ = imported(t, openAt, []store.Row{product(store.Product{Name: "蛋"})})
	checkReport(t, mustImport(t, s, store.ImportOptions{Mode: store.Replace}, product(store.Product{Name: "茶"})), "1 new products, 1 gone products")
}

// testGoneComesBack takes away and brings back: what has the same ID goes on
// with its history.
func testGoneComesBack(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5), stock("乙", "茶", 1)})
	mustImport(t, s, store.ImportOptions{Mode: store.Replace}, stock("乙", "茶", 1))
	checkReport(t, mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 7)), "1 new shops, 1 new products, 1 new")
	checkContent(t, s, "乙|茶|1", "甲|蛋|7")
	moved, _, err := s.Movements(t.Context(), store.MovementQuery{ShopID: "甲", ProductID: "蛋"})
	if err != nil || len(moved) != 3 || moved[0].Delta != 7 || moved[1].Delta != -5 || moved[2].Delta != 5 {
		t.Errorf("movements are %+v, %v, want +7, -5 and +5", moved, err)
	}
	mustImport(t, s, store.ImportOptions{Mode: store.Replace}, stock("乙", "茶", 1))
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
