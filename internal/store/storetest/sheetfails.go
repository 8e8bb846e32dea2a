package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testImportDryRun(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	before, moved := exported(t, s), movements(t, s)
	rows := []store.Row{
		stock("KOKO便利店 大安店", "茶葉蛋", 50), stock("新店", "新品", 3, price("5")),
		product(store.Product{ID: "ramen", Name: "牛肉麵"}),
	}
	for _, mode := range []store.ImportMode{store.Merge, store.Replace} {
		dry, err := s.Import(t.Context(), rowsOf(rows...), store.ImportOptions{Mode: mode, DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(before, exported(t, s)); diff != "" {
			t.Errorf("%s: a dry run changed (-before +after):\n%s", mode, diff)
		}
		if diff := gocmp.Diff(moved, movements(t, s)); diff != "" {
			t.Errorf("%s: a dry run moved (-before +after):\n%s", mode, diff)
		}
		real := mustImport(t, openAt(t, sample(), time.Now), store.ImportOptions{Mode: mode}, rows...)
		checkReport(t, dry, summary(real))
	}
}

// testImportIsFound looks for what is new by all that finds it, after imports
// small and large against what was there.
func testImportIsFound(t *testing.T, openAt OpenAt) {
	s := openAt(t, Large(3, 400), time.Now)
	find := func(name string, want ...string) {
		t.Helper()
		for _, m := range []store.Match{store.Contains, store.Exact} {
			found, _, err := s.Products(t.Context(), store.ProductQuery{Text: name, Match: m})
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(append([]string{}, want...), ids(found, productID)); diff != "" {
				t.Errorf("products by %q, match %v (-want +got):\n%s", name, m, diff)
			}
		}
	}
	mustImport(t, s, store.ImportOptions{}, product(store.Product{ID: "new", Name: "榴槤千層派", Category: "甜點"}))
	find("榴槤千層派", "new")
	mustImport(t, s, store.ImportOptions{}, product(store.Product{ID: "new", Name: "榴槤泡芙"}))
	find("榴槤泡芙", "new")
	find("榴槤千層派")
	var many []store.Row
	for i := range 300 {
		many = append(many, stock("新店", fmt.Sprintf("星球%03d號", i), int64(i)))
	}
	mustImport(t, s, store.ImportOptions{}, many...)
	find("星球123號", "星球123號")
	find("榴槤泡芙", "new")
	// All are in display order still.
	var all []store.Product
	q := store.ProductQuery{Page: store.Page{Limit: store.MaxLimit}}
	for {
		page, next, err := s.Products(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if q.Cursor = next; next == "" {
			break
		}
	}
	if len(all) != 701 || !slices.IsSortedFunc(all, func(a, b store.Product) int { return len([]rune(a.Name)) - len([]rune(b.Name)) }) {
		t.Errorf("%d products, or not in order; want 701", len(all))
	}
	shops, _, err := s.Shops(t.Context(), store.ShopQuery{Text: "新店", Match: store.Exact})
	if err != nil || len(shops) != 1 {
		t.Errorf("shops called 新店: %v, %v", shops, err)
	}
	levels, _, err := s.Levels(t.Context(), store.LevelQuery{ProductID: "星球123號"})
	if err != nil || len(levels) != 1 || levels[0].OnHand != 123 {
		t.Errorf("levels: %v, %v", levels, err)
	}
	checkVerified(t, s)
}

// testImportFails breaks imports off in several ways: nothing is changed.
func testImportFails(t *testing.T, openAt OpenAt) {
	s := openAt(t, sample(), time.Now)
	before, moved := exported(t, s), movements(t, s)
	broken := errors.New("the disk is gone")
	ended, cancel := context.WithCancel(t.Context())
	for _, tt := range []struct {
		name string
		ctx  context.Context
		rows iter.Seq2[store.Row, error]
		o    store.ImportOptions
		want func(error) bool
	}{
		{"rows end with an error", t.Context(), func(yield func(store.Row, error) bool) {
			if yield(stock("新店", "蛋", 1), nil) {
				yield(store.Row{}, broken)
			}
		}, store.ImportOptions{}, func(err error) bool { return errors.Is(err, broken) }},
		{"context ends while reading", ended, func(yield func(store.Row, error) bool) {
			if yield(stock("新店", "蛋", 1), nil) {
				cancel()
				yield(stock("新店", "茶", 1), nil)
			}
		}, store.ImportOptions{}, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"no rows", t.Context(), rowsOf(), store.ImportOptions{Mode: store.Replace}, func(err error) bool { return strings.Contains(err.Error(), "no rows") }},
		{"unknown mode", t.Context(), rowsOf(stock("新店", "蛋", 1)), store.ImportOptions{Mode: "mix"}, func(err error) bool { return errors.As(err, new(*store.InvalidError)) }},
	} {
		if _, err := s.Import(tt.ctx, tt.rows, tt.o); err == nil || !tt.want(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for at := range 3 { // while what was read is applied
		ctx, cancel := context.WithCancel(t.Context())
		left := at + 2
		_, err := s.Import(ctx, rowsOf(stock("新店", "蛋", 1)), store.ImportOptions{Progress: func(int, float64) {
			if left--; left == 0 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Import whose context ended: %v", err)
		}
		cancel()
	}
	if diff := gocmp.Diff(before, exported(t, s)); diff != "" {
		t.Errorf("an import that failed changed (-before +after):\n%s", diff)
	}
	if diff := gocmp.Diff(moved, movements(t, s)); diff != "" {
		t.Errorf("an import that failed moved (-before +after):\n%s", diff)
	}
}
