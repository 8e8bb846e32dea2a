package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// stock is a row of how much there is.
func stock(shop, product string, n int64) store.Row {
	return store.Row{Shop: store.Shop{Name: shop}, Product: store.Product{Name: product}, Quantity: &n}
}

func rowsOf(rows ...store.Row) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for i, r := range rows {
			r.Line = i + 2
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestFirstImportRemovesTheDemo(t *testing.T) {
	for _, mode := range []store.ImportMode{store.Merge, store.Replace} {
		db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: demo.Catalog})
		if _, err := db.Move(t.Context(), store.Move{ShopID: "koko-daan", ProductID: "tea-egg", Delta: -1, Reason: store.Sale, Once: store.Once{Key: "k"}}); err != nil {
			t.Fatal(err)
		}
		before, err := db.Secret(t.Context(), "token")
		if err != nil {
			t.Fatal(err)
		}
		demo := exported(t, db)
		rows := rowsOf(stock("KOKO便利店 大安店", "茶葉蛋", 7))
		dry, err := db.Import(t.Context(), rows, store.ImportOptions{Mode: mode, DryRun: true})
		if err != nil || !dry.RemovedDemo || dry.NewShops.Count != 1 || dry.GoneShops.Count != 0 {
			t.Errorf("%s: dry run reports %+v, %v", mode, dry, err)
		}
		if diff := cmp.Diff(demo, exported(t, db)); diff != "" {
			t.Errorf("%s: dry run changed (-before +after):\n%s", mode, diff)
		}
		if _, err := db.Import(t.Context(), rowsOf(stock("甲", "", 1)), store.ImportOptions{Mode: mode}); err == nil {
			t.Errorf("%s: a bad row was imported", mode)
		}
		checkSummary(t, db, store.Summary{Shops: 8, Products: len(demoProducts()), Demo: true})

		report, err := db.Import(t.Context(), rows, store.ImportOptions{Mode: mode})
		if err != nil || !report.RemovedDemo {
			t.Fatalf("%s: %+v, %v", mode, report, err)
		}
		checkSummary(t, db, store.Summary{Shops: 1, Products: 1})
		moved, _, err := db.Movements(t.Context(), store.MovementQuery{})
		if err != nil || len(moved) != 1 || moved[0].ProductID != "茶葉蛋" || moved[0].Delta != 7 {
			t.Errorf("%s: movements are %+v, %v, want that of the import", mode, moved, err)
		}
		if found, _, err := db.Products(t.Context(), store.ProductQuery{Text: "可樂"}); err != nil || len(found) > 0 {
			t.Errorf("%s: demo products are found still: %v, %v", mode, found, err)
		}
		if after, err := db.Secret(t.Context(), "token"); err != nil || string(after) != string(before) {
			t.Errorf("%s: a secret changed: %v", mode, err)
		}
		checkVerified(t, db)
		if report, err = db.Import(t.Context(), rowsOf(stock("甲", "茶", 1)), store.ImportOptions{}); err != nil || report.RemovedDemo {
			t.Errorf("%s: second import: %+v, %v", mode, report, err)
		}
		checkSummary(t, db, store.Summary{Shops: 2, Products: 2})
	}
}

func demoProducts() []store.Product { return demo.Catalog().Products }

// TestOthersWriteWhileRowsAreRead writes between two rows, by this process and
// as another one.
func TestOthersWriteWhileRowsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db, other := mustOpen(t, sqlite.Config{Path: path}), mustOpen(t, sqlite.Config{Path: path})
	if _, err := db.Import(t.Context(), rowsOf(stock("甲", "蛋", 5)), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // less than SQLite waits
	defer cancel()
	_, err := db.Import(t.Context(), func(yield func(store.Row, error) bool) {
		if !yield(stock("甲", "茶", 1), nil) {
			return
		}
		for _, db := range []*sqlite.DB{db, other} {
			if _, err := db.Move(ctx, store.Move{ShopID: "甲", ProductID: "蛋", Delta: 1, Reason: store.Delivery}); err != nil {
				t.Errorf("Move while rows are read: %v", err)
			}
		}
		yield(stock("甲", "糖", 1), nil)
	}, store.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := db.Level(t.Context(), "甲", "蛋"); err != nil || l.OnHand != 7 {
		t.Errorf("level is %+v, %v, want 7", l, err)
	}
	checkVerified(t, db)
}

// TestWritersAndImportsTakeTurns imports again and again while others write.
func TestWritersAndImportsTakeTurns(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	sheet := func(n int64) iter.Seq2[store.Row, error] {
		var rows []store.Row
		for i := range 200 {
			rows = append(rows, stock("甲", fmt.Sprint("品", i), n))
		}
		return rowsOf(rows...)
	}
	if _, err := db.Import(t.Context(), sheet(1), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 5 {
			if _, err := db.Import(t.Context(), sheet(int64(i+2)), store.ImportOptions{}); err != nil {
				t.Error(err)
			}
		}
	}()
	for moves := 0; ; moves++ {
		select {
		case <-done:
			checkVerified(t, db)
			return
		default:
		}
		_, err := db.Move(t.Context(), store.Move{ShopID: "甲", ProductID: fmt.Sprint("品", moves%200), Delta: 1, Reason: store.Delivery})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadersSeeWholeImportsOnly(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	sheet := func(n int64) iter.Seq2[store.Row, error] {
		return rowsOf(stock("甲", "蛋", n), stock("乙", "蛋", 10-n))
	}
	if _, err := db.Import(t.Context(), sheet(0), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			if _, err := db.Import(t.Context(), sheet(int64(i%10)), store.ImportOptions{}); err != nil {
				t.Error(err)
			}
		}
	}()
	for {
		total, err := db.Total(t.Context(), "蛋", "")
		if err != nil || total.OnHand != 10 {
			t.Fatalf("total in the middle of importing is %+v, %v, want 10", total, err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestImportTellsWhoWatches(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan store.Changes)
	ended := make(chan error)
	go func() {
		ended <- db.Watch(ctx, func(c store.Changes) {
			select {
			case told <- c:
			case <-ctx.Done():
			}
		})
	}()
	<-told // it watches
	if _, err := db.Import(t.Context(), rowsOf(stock("甲", "蛋", 5)), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if c := <-told; !c.All {
		t.Errorf("after an import %+v is told, want all", c)
	}
	if _, err := db.EditProduct(t.Context(), "蛋", store.ProductEdit{Price: new("5")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Changes{Products: []string{"蛋"}}, <-told); diff != "" {
		t.Errorf("after an edit (-want +got):\n%s", diff)
	}
	if _, err := db.EditShop(t.Context(), "甲", store.ShopEdit{Hours: new("24 小時")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Changes{Shops: []string{"甲"}}, <-told); diff != "" {
		t.Errorf("after an edit (-want +got):\n%s", diff)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestImportTellsHowFarItIs holds that progress never goes back, and comes to
// its end.
func TestImportTellsHowFarItIs(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	var rows int
	var rest float64
	_, err := db.Import(t.Context(), rowsOf(stock("甲", "蛋", 5), stock("乙", "蛋", 5)), store.ImportOptions{Progress: func(n int, part float64) {
		if n < rows || part < rest || part > 0 && n != 2 {
			t.Errorf("progress goes from %d, %v to %d, %v", rows, rest, n, part)
		}
		rows, rest = n, part
	}})
	if err != nil || rows != 2 || rest < 0.99 {
		t.Errorf("progress ends at %d, %v, %v", rows, rest, err)
	}
}

// TestIndexChangedInPlaceIsInOrder makes changes that are few against what is
// there, so that the index is changed in place until there is no more room.
func TestIndexChangedInPlaceIsInOrder(t *testing.T) {
	c := storetest.Large(1, 500)
	db := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "stock.db"), Seed: func() store.Catalog { return c }})
	// Away with the mark of the demo, which an import would remove.
	if err := db.Load(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for i := range 30 {
		var rows []store.Row
		for j := range 5 {
			name := fmt.Sprintf("星%c球%d", '一'+rune(i), j)
			names[name] = name
			rows = append(rows, store.Row{Product: store.Product{Name: name}})
		}
		renamed := c.Products[i]
		renamed.Name = fmt.Sprintf("月%c亮", '丁'+rune(i*7))
		names[renamed.Name] = renamed.ID
		rows = append(rows, store.Row{Product: store.Product{ID: renamed.ID, Name: renamed.Name}})
		if _, err := db.Import(t.Context(), rowsOf(rows...), store.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, id := range names {
		found, _, err := db.Products(t.Context(), store.ProductQuery{Text: name})
		if err != nil || len(found) != 1 || found[0].ID != id {
			t.Errorf("products by %q are %v, %v, want %q", name, found, err, id)
		}
	}
	for i := range 30 {
		if n := called(t, db, c.Products[i].Name); n != 0 {
			t.Errorf("%q is found after it was renamed", c.Products[i].Name)
		}
	}
	// The same products, loaded in one go, are in the same order.
	var loaded store.Catalog
	var order []string
	for r, err := range db.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Product.ID != "" {
			loaded.Products = append(loaded.Products, r.Product)
		}
	}
	order = listed(t, db)
	other := mustOpen(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "other.db")})
	if err := other.Load(t.Context(), loaded, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listed(t, other), order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// listed returns the IDs of all products in display order.
func listed(t *testing.T, db *sqlite.DB) (ids []string) {
	t.Helper()
	q := store.ProductQuery{Page: store.Page{Limit: store.MaxLimit}}
	for {
		products, next, err := db.Products(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range products {
			ids = append(ids, p.ID)
		}
		if q.Cursor = next; next == "" {
			return ids
		}
	}
}

// BenchmarkEdit times renaming a product and changing its price, among 3,000.
func BenchmarkEdit(b *testing.B) {
	db := open(b, storetest.Large(3, 3000))
	b.Run("name", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := db.EditProduct(b.Context(), "product-000007", store.ProductEdit{Name: new(fmt.Sprint("茶葉蛋", i))}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("price", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := db.EditProduct(b.Context(), "product-000007", store.ProductEdit{Price: new(fmt.Sprint(i))}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
