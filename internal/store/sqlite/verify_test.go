package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// TestVerifyFindsEachDoctoring changes a file behind the ledger's back.
func TestVerifyFindsEachDoctoring(t *testing.T) {
	const (
		egg = `product = (SELECT num FROM products WHERE id = 'egg')`
		a1  = egg + ` AND shop = (SELECT num FROM shops WHERE id = 'a1')`
		a2  = egg + ` AND shop = (SELECT num FROM shops WHERE id = 'a2')`
		// Movements 1 to 5 are what there was at first.
	)
	for _, tt := range []struct {
		name, doctor string
		want         []string
	}{
		{"nothing", `SELECT 1`, nil},
		{"level", `UPDATE levels SET on_hand = on_hand + 1 WHERE ` + a2,
			[]string{`product "egg" in shop "a2": on hand: the ledger says 9, kept is 10`}},
		{"level that nothing moved", `INSERT INTO levels (product, shop, chain, place, on_hand, reserved, as_of) SELECT p.num, s.num, s.chain, s.place, 3, 0, 0 FROM products p, shops s WHERE s.id = 'alone' AND p.id = 'egg'`,
			[]string{`product "egg" in shop "alone": on hand: the ledger says 0, kept is 3 (no movements)`}},
		{"level that is gone", `DELETE FROM levels WHERE ` + a2,
			[]string{`product "egg" in shop "a2": on hand: the ledger says 9, kept is 0 (not carried)`}},
		{"delta", unguarded + `UPDATE movements SET delta = delta - 2 WHERE ` + a2 + ` AND delta < 0`,
			[]string{
				`product "egg" in shop "a2": on hand after movement 6: the ledger says 7, kept is 9`,
				`product "egg" in shop "a2": on hand: the ledger says 7, kept is 9`,
			}},
		{"movement that is gone", unguarded + `DELETE FROM movements WHERE num = 6`,
			[]string{
				`movements: numbers 6 to 6 are missing`,
				`entry 2 of the ledger: it is of the reason sale, but moved nothing`,
				`product "egg" in shop "a2": on hand: the ledger says 10, kept is 9`,
			}},
		{"running balance", unguarded + `UPDATE movements SET on_hand = 50 WHERE num = 7`,
			[]string{
				`product "egg" in shop "a1": on hand after movement 7: the ledger says 6, kept is 50`,
				`product "egg" in shop "a1": on hand after movement 8: the ledger says 49, kept is 5`,
			}},
		{"lot", `UPDATE lots SET on_hand = 4`,
			[]string{`product "egg" in shop "a1": lot of 2026-12-01: the ledger says 5, kept is 4`}},
		{"lot that is gone", `DELETE FROM lots`,
			[]string{`product "egg" in shop "a1": lot of 2026-12-01: the ledger says 5, kept is 0`}},
		{"lot that nothing moved", `INSERT INTO lots SELECT product, shop, '2027-01-01', 2 FROM levels WHERE ` + a2,
			[]string{`product "egg" in shop "a2": lot of 2027-01-01: the ledger says 0, kept is 2 (no movements)`}},
		{"lots of more than there is", `INSERT INTO lots SELECT product, shop, '2027-01-01', 20 FROM levels WHERE ` + a2,
			[]string{
				`product "egg" in shop "a2": lot of 2027-01-01: the ledger says 0, kept is 20 (no movements)`,
				`product "egg" in shop "a2": lots together: the ledger says 9, kept is 20 (more than is on hand)`,
			}},
		{"reserved", `UPDATE levels SET reserved = 1 WHERE ` + a1,
			[]string{`product "egg" in shop "a1": reserved: the ledger says 2, kept is 1`}},
		{"reserved by nobody", `UPDATE levels SET reserved = 1 WHERE ` + a2,
			[]string{`product "egg" in shop "a2": reserved: the ledger says 0, kept is 1 (no reservations)`}},
		{"reservation that is gone", `DELETE FROM reservations`,
			[]string{
				`product "egg" in shop "a1": reserved: the ledger says 0, kept is 2 (no reservations)`,
				`entry 5 of the ledger: it is of the reason reserve, but made 0 reservations`,
			}},
		{"undoing", unguarded + `UPDATE movements SET reverses = 6 WHERE num = 8`,
			[]string{`product "egg" in shop "a1": movement 8, which undoes movement 6: the ledger says 1, kept is -1 (of another product, shop or lot)`}},
		{"totals", `UPDATE totals SET on_hand = 100, reserved = reserved + 1, shops = 9, as_of = 7 WHERE ` + egg + ` AND chain = (SELECT num FROM chains WHERE name = '甲')`,
			[]string{
				`product "egg": total on hand: the ledger says 14, kept is 100 (chain 甲)`,
				`product "egg": total reserved: the ledger says 2, kept is 3 (chain 甲)`,
				`product "egg": number of shops: the ledger says 2, kept is 9 (chain 甲)`,
				`product "egg": last change: the ledger says 5000, kept is 7 (chain 甲)`,
			}},
		{"totals that are gone", `DELETE FROM totals WHERE ` + egg + ` AND chain = (SELECT num FROM chains WHERE name = '乙')`,
			[]string{`product "egg": number of shops: the ledger says 1, kept is 0 (chain 乙)`}},
		{"totals of nothing", `INSERT INTO totals SELECT num, 0, 1, 5, 0, 0 FROM products WHERE id = 'tea'`,
			[]string{`product "tea": number of shops: the ledger says 0, kept is 1 (shops of no chain)`}},
		{"movement that cancels out is gone", unguarded + `UPDATE movements SET num = 9 WHERE num = 8; UPDATE sqlite_sequence SET seq = 9 WHERE name = 'movements'`,
			[]string{`movements: numbers 8 to 8 are missing`, `product "egg" in shop "a1": movement 9: its group of 8 is not one`}},
		{"numbers given out", `UPDATE sqlite_sequence SET seq = 3 WHERE name = 'movements'`,
			[]string{`movements: the last number is 8, and the last given out 3`}},
		{"guards that are gone", unguarded, []string{
			`trigger movements_never_change: is not there`, `trigger movements_never_go: is not there`}},
		{"index that is gone", `DROP INDEX lots_by_shop`, []string{`index lots_by_shop: is not there`}},
		{"reason", `UPDATE deeds SET reason = 'theft' WHERE num = 2`, []string{`entry 2 of the ledger: there is no reason "theft"`}},
		{"catalog", `DELETE FROM catalog`, []string{`catalog: the ledger says 1, kept is 0 (rows that say what the stock is)`}},
		{"product that cannot be found", `DELETE FROM product_index WHERE ` + egg,
			[]string{
				`product "egg": product index: the ledger says 1, kept is 0 (it cannot be searched for)`,
				`search index (product_grams): its row 32 is of no product`,
			}},
		{"deed that is gone", `DELETE FROM deeds WHERE num = 2`,
			[]string{
				`file: row 6 of movements is of a row of deeds that is not there`,
				`deeds: numbers 2 to 2 are missing`,
				`product "egg" in shop "a2": movement 6: its entry 2 of the ledger is not there, or is before that of an earlier movement`,
			}},
		{"check that does not hold", `PRAGMA ignore_check_constraints = 1; UPDATE reservations SET quantity = quantity, state = 'kept', ended_at = 1; UPDATE levels SET reserved = 0`,
			[]string{
				`file: CHECK constraint failed in reservations`,
				`product "egg" in shop "a1": reservation 1: it is kept, but by the ledger it did not end`,
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := doctored(t, tt.doctor)
			db := mustOpen(t, sqlite.Config{Path: path, Now: early})
			found, err := db.Verify(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range found {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Verify (-want +got):\n%s", diff)
			}
			if found, err := db.Verify(t.Context(), 1); err != nil || len(found) != min(1, len(tt.want)) {
				t.Errorf("Verify of one: %v, %v", found, err)
			}
		})
	}
}

// unguarded begins what doctors movements.
const unguarded = `DROP TRIGGER movements_never_change; DROP TRIGGER movements_never_go; `

// early is the clock of what is doctored.
func early() time.Time { return time.UnixMicro(5000) }

// doctored returns a file whose stock was moved, and then changed by SQL.
func doctored(t *testing.T, doctor string) string {
	path := filepath.Join(t.TempDir(), "stock.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: early})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := shelves()
	for i := range c.Levels {
		c.Levels[i].Reserved = 0
	}
	if err := db.Load(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() (store.Receipt, error){
		func() (store.Receipt, error) {
			return db.Move(t.Context(), store.Move{ShopID: "a2", ProductID: "egg", Delta: -1, Reason: store.Sale})
		},
		func() (store.Receipt, error) {
			return db.Move(t.Context(), store.Move{ShopID: "a1", ProductID: "egg", Delta: 6, Reason: store.Delivery, Expiry: "2026-12-01"})
		},
		func() (store.Receipt, error) {
			return db.Move(t.Context(), store.Move{ShopID: "a1", ProductID: "egg", Delta: -1, Reason: store.Sale})
		},
		func() (store.Receipt, error) {
			return db.Reserve(t.Context(), store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 2})
		},
	} {
		if _, err := change(); err != nil {
			t.Fatal(err)
		}
	}
	// Who doctors movements puts the guards back.
	var guards string
	if rest, ok := strings.CutPrefix(doctor, unguarded); ok && rest != "" {
		guards = guardsOf(t, path)
	}
	exec(t, path, doctor+"; "+guards)
	return path
}

func guardsOf(t *testing.T, path string) (guards string) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRow(`SELECT group_concat(sql, '; ') FROM sqlite_schema WHERE name LIKE 'movements_never_%'`).Scan(&guards)
	if err != nil {
		t.Fatal(err)
	}
	return guards
}

// TestVerifySeesOneMoment verifies while others write.
func TestVerifySeesOneMoment(t *testing.T) {
	db := mustOpen(t, sqlite.Config{Path: doctored(t, `SELECT 1`)})
	done := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			m := store.Move{ShopID: "a1", ProductID: "egg", Delta: 1, Reason: store.Delivery}
			if i%2 == 1 {
				m.Delta, m.Reason = -1, store.Sale
			}
			if _, err := db.Move(t.Context(), m); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 10 {
		if found, err := db.Verify(t.Context(), 5); err != nil || len(found) > 0 {
			t.Errorf("Verify: %v, %v, want nothing", found, err)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
