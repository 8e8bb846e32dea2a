package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// shelves are shops of two chains and one of none, with some of two products.
func shelves() store.Catalog {
	c := store.Catalog{
		Products: []store.Product{{ID: "egg", Name: "蛋"}, {ID: "tea", Name: "茶"}},
		Shops: []store.Shop{
			{ID: "a1", Name: "甲一", Chain: "甲"}, {ID: "a2", Name: "甲二", Chain: "甲"},
			{ID: "b1", Name: "乙一", Chain: "乙"}, {ID: "alone", Name: "巷口"},
		},
	}
	for i, s := range c.Shops[:3] {
		for j, p := range c.Products {
			n := int64(10*i + j)
			c.Levels = append(c.Levels, store.CatalogLevel{ShopID: s.ID, ProductID: p.ID,
				OnHand: n, Reserved: n / 2, AsOf: time.UnixMicro(1000 + n).UTC()})
		}
	}
	return c
}

// TestAnswersFollowWhatOthersWrite changes the file by SQL over a connection
// that is not the store's, as another process does, and compares sums and lists
// with reading every level.
func TestAnswersFollowWhatOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path, Seed: shelves})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)

	const egg, a1 = `product = (SELECT num FROM products WHERE id = 'egg')`, `shop = (SELECT num FROM shops WHERE id = 'a1')`
	const row = ` INTO levels (product, shop, chain, place, on_hand, reserved, as_of) SELECT p.num, s.num, s.chain, s.place, `
	for _, change := range []string{
		`PRAGMA foreign_keys = 1`, // and what was loaded
		`UPDATE levels SET on_hand = on_hand + 5, as_of = 2000 WHERE ` + egg,
		`UPDATE levels SET reserved = 0, as_of = 1500 WHERE ` + egg + ` AND ` + a1, // earlier than others
		`UPDATE levels SET as_of = 1 WHERE ` + egg,                                 // all go back
		`UPDATE levels SET on_hand = 0, reserved = 0 WHERE ` + a1,
		`INSERT` + row + `7, 1, 3000 FROM products p, shops s WHERE s.id = 'alone'`,
		`INSERT` + row + `4, 0, 500 FROM products p, shops s WHERE p.id = 'egg'
			ON CONFLICT DO UPDATE SET on_hand = on_hand + excluded.on_hand, as_of = excluded.as_of`,
		`PRAGMA recursive_triggers = 1`,
		`REPLACE` + row + `1, 1, 600 FROM products p, shops s WHERE p.id = 'egg'`,
		`UPDATE levels SET as_of = 9000 WHERE ` + a1,
		`DELETE FROM levels WHERE ` + a1, // the latest
		`INSERT` + row + `6, 2, 9500 FROM products p, shops s WHERE s.id = 'a1'`,
		`UPDATE shops SET chain = (SELECT num FROM chains WHERE name = '乙') WHERE id = 'a2'`,
		`UPDATE shops SET chain = 0 WHERE id = 'b1'`,
		`UPDATE shops SET place = 100 - place`,
		`DELETE FROM levels WHERE ` + egg,
		`DELETE FROM levels`,
		`INSERT` + row + `0, 0, 700 FROM products p, shops s`,
	} {
		if _, err := other.Exec(change); err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		for _, product := range []string{"egg", "tea"} {
			for _, chain := range []string{"", "甲", "乙"} {
				want, levels := readLevels(t, other, db, product, chain)
				got, err := db.Total(t.Context(), product, chain)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("after %s: Total(%q, %q): %v (-want +got):\n%s", change, product, chain, err, diff)
				}
				page, _, err := db.Levels(t.Context(), store.LevelQuery{ProductID: product, Chain: chain})
				var shops []string
				for _, l := range page {
					shops = append(shops, l.Shop.ID)
				}
				if diff := cmp.Diff(levels, shops); diff != "" || err != nil {
					t.Errorf("after %s: Levels(%q, %q): %v (-want +got):\n%s", change, product, chain, err, diff)
				}
			}
		}
	}

	for _, wrong := range []string{
		`INSERT INTO levels (product, shop, chain, place, on_hand, reserved, as_of) SELECT p.num, s.num, 0, s.place, 1, 0, 1 FROM products p, shops s WHERE s.id = 'a2' ON CONFLICT DO UPDATE SET chain = 0`,
		`UPDATE levels SET place = place + 1`,
		`UPDATE levels SET reserved = 1`,
	} {
		if _, err := other.Exec(wrong); err == nil {
			t.Errorf("%s succeeded", wrong)
		}
	}
}

// readLevels sums levels one by one, and lists their shops in the order of
// [store.Store.Levels].
func readLevels(t *testing.T, other *sql.DB, db *sqlite.DB, product, chain string) (total store.Total, shops []string) {
	t.Helper()
	rows, err := other.Query(`SELECT s.id FROM shops s JOIN chains c ON c.num = s.chain
		WHERE ? IN ('', c.name) ORDER BY s.place`, chain)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	available := map[string]int64{}
	for rows.Next() {
		var shop string
		if err := rows.Scan(&shop); err != nil {
			t.Fatal(err)
		}
		l, err := db.Level(t.Context(), shop, product)
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		total.Shops++
		total.OnHand += l.OnHand
		total.Reserved += l.Reserved
		if l.AsOf.After(total.AsOf) {
			total.AsOf = l.AsOf
		}
		shops, available[shop] = append(shops, shop), l.Available()
	}
	slices.SortStableFunc(shops, func(a, b string) int { return int(available[b] - available[a]) })
	return total, shops
}

// TestNumbersAreNotGivenOutTwice loads what has the old names for other things,
// as another process, while the numbers of the old ones are remembered.
func TestNumbersAreNotGivenOutTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	a := mustOpen(t, sqlite.Config{Path: path})
	b := mustOpen(t, sqlite.Config{Path: path})
	for i := range 20 {
		c := shelves()
		if i%2 == 1 { // the other way round
			slices.Reverse(c.Shops)
			c.Products[0].Name, c.Products[1].Name = c.Products[1].Name, c.Products[0].Name
			for j := range c.Levels {
				c.Levels[j].OnHand += 100
			}
		}
		if i%5 == 4 {
			if err := b.Load(t.Context(), store.Catalog{}, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Load(t.Context(), c, false); err != nil {
			t.Fatal(err)
		}
		var want store.Total
		for _, l := range c.Levels {
			got, err := a.Level(t.Context(), l.ShopID, l.ProductID)
			if diff := cmp.Diff(store.Level{OnHand: l.OnHand, Reserved: l.Reserved, AsOf: l.AsOf}, got); err != nil || diff != "" {
				t.Fatalf("load %d: Level(%q, %q): %v (-want +got):\n%s", i, l.ShopID, l.ProductID, err, diff)
			}
			if l.ProductID == "egg" && l.ShopID[0] == 'a' {
				want.OnHand += l.OnHand
			}
		}
		levels, _, err := a.Levels(t.Context(), store.LevelQuery{ProductID: "egg", Chain: "甲"})
		if err != nil || len(levels) != 2 || levels[0].Shop.ID != "a2" || levels[1].Shop.ID != "a1" {
			t.Fatalf("load %d: Levels = %v, %v, want those of a2 and a1", i, levels, err)
		}
		if got, err := a.Total(t.Context(), "egg", "甲"); err != nil || got.OnHand != want.OnHand || got.Shops != 2 {
			t.Fatalf("load %d: Total = %+v, %v, want %d on hand in 2 shops", i, got, err, want.OnHand)
		}
	}
}
