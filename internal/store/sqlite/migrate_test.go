package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// TestUpgradeFromBeforeTheLedger opens a database that has the first migration
// alone, and levels, some of them reserved.
func TestUpgradeFromBeforeTheLedger(t *testing.T) {
	schema, err := os.ReadFile("migrations/0001_stock.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, query := range []string{
		`PRAGMA application_id = 0x6d637073`, `PRAGMA user_version = 1`, string(schema),
		`INSERT INTO catalog VALUES (1, 0, 1700000000000000)`,
		`INSERT INTO shops (num, id, name, chain, place, address, hours, aliases, texts, address_text)
			VALUES (5, 'a', '甲', 0, 2, '', '', '[]', '甲', ''), (6, 'b', '乙', 0, 1, '', '', '[]', '乙', '')`,
		`INSERT INTO shop_keys VALUES ('甲', 5), ('a', 5), ('乙', 6), ('b', 6)`,
		`INSERT INTO products VALUES (7, 'egg', '', '蛋', '{}', '[]', '', '', '', '', '[]', 7), (8, 'tea', '', '茶', '{}', '[]', '', '', '', '', '[]', 0)`,
		`INSERT INTO product_keys VALUES ('蛋', 7), ('egg', 7), ('茶', 8), ('tea', 8)`,
		`INSERT INTO product_index VALUES (1, 8, '', '茶'), (2, 7, '', '蛋')`,
		`INSERT INTO product_grams (rowid, grams) VALUES (1, '茶'), (2, '蛋')`,
		`INSERT INTO levels VALUES (7, 5, 0, 2, 10, 3, 1700000001000000), (7, 6, 0, 1, 0, 0, 1700000002000000), (8, 5, 0, 2, 4, 4, 1700000003000000)`,
	} {
		if _, err := old.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	db := mustOpen(t, sqlite.Config{Path: path})
	checkVerified(t, db)
	level, err := db.Level(t.Context(), "a", "egg")
	if diff := cmp.Diff(store.Level{OnHand: 10, Reserved: 3, AsOf: time.UnixMicro(1700000001000000).UTC()}, level); err != nil || diff != "" {
		t.Errorf("level: %v (-want +got):\n%s", err, diff)
	}
	moved, _, err := db.Movements(t.Context(), store.MovementQuery{})
	if err != nil || len(moved) != 2 || moved[0].Reason != store.Imported || moved[1].Delta != 10 {
		t.Errorf("movements: %+v, %v, want how two levels came to be", moved, err)
	}
	held, _, err := db.Reservations(t.Context(), store.ReservationQuery{})
	if err != nil || len(held) != 2 || held[0].Quantity+held[1].Quantity != 7 {
		t.Errorf("reservations: %+v, %v, want 3 and 4", held, err)
	}
	low, _, err := db.LowStock(t.Context(), store.LowStockQuery{})
	if err != nil || len(low) != 2 || low[0].Shop.ID != "b" || low[1].Available() != 7 {
		t.Errorf("low: %+v, %v, want the egg in both shops", low, err)
	}
	// It goes on with what this version does.
	if _, err := db.Move(t.Context(), store.Move{ShopID: "a", ProductID: "egg", Delta: -7, Reason: store.Sale}); err != nil {
		t.Error(err)
	}
	report, err := db.Import(t.Context(), rowsOf(stock("甲", "蛋", 1), stock("丙", "茶葉蛋", 2)), store.ImportOptions{})
	if err != nil || report.NewShops.Count != 1 || report.NewProducts.Count != 1 || report.Down.Count != 1 || len(report.Released) != 1 {
		t.Errorf("import: %+v, %v", report, err)
	}
	if _, err := db.EditShop(t.Context(), "b", store.ShopEdit{Name: new("丁")}); err != nil {
		t.Error(err)
	}
	if got := listed(t, db); len(got) != 3 {
		t.Errorf("products are %q", got)
	}
	checkVerified(t, db)
}

// TestUpgradeKeepsWhoSignedIn opens a database of before refresh tokens had a
// window: its tokens can be renewed, and have one.
func TestUpgradeKeepsWhoSignedIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	hash := store.HashOf("r0")
	queries := []string{`PRAGMA application_id = 0x6d637073`, `PRAGMA user_version = 3`}
	for _, name := range []string{"0001_stock", "0002_ledger", "0003_access"} {
		schema, err := os.ReadFile("migrations/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, string(schema))
	}
	queries = append(queries, `INSERT INTO catalog VALUES (1, 0, 1700000000000000)`,
		`INSERT INTO clients VALUES ('one', 'ChatGPT', '[]', '', 1700000000000000, 1700000000000000)`,
		`INSERT INTO grants VALUES (1, 'one', 'ChatGPT', 'chatgpt.com', 'stock:read', 'https://shop.example/mcp', 1700000000000000, 0, 0)`,
		fmt.Sprintf(`INSERT INTO tokens VALUES (1, 'refresh', x'%x', '', 'stock:read', '', 1, 'https://shop.example/mcp', '', '', 1700000000000000, 0, 0, 0, 0)`, hash[:]))
	for _, query := range queries {
		if _, err := old.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	db := mustOpen(t, sqlite.Config{Path: path})
	if c, err := db.Client(t.Context(), "one"); err != nil || c.Scope != "" {
		t.Errorf("Client = %+v, %v", c, err)
	}
	token := func(kind store.TokenKind, secret string) store.Token {
		return store.Token{Kind: kind, Hash: store.HashOf(secret), Scopes: store.ScopeRead}
	}
	for repeat := range 2 {
		got, err := db.Renew(t.Context(), hash, store.Renewal{
			Access: token(store.AccessToken, fmt.Sprint("a", repeat)), Refresh: token(store.RefreshToken, fmt.Sprint("r", repeat+1)), Sealed: []byte("sealed"),
		})
		if diff := cmp.Diff(store.Renewed{Scopes: store.ScopeRead, Repeat: repeat, Sealed: []byte("sealed")}, got); err != nil || diff != "" {
			t.Errorf("Renew: %v (-want +got):\n%s", err, diff)
		}
	}
}

// TestUpgradeLeavesOutWhatHasExpired opens a database from when what had expired
// was available.
func TestUpgradeLeavesOutWhatHasExpired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path, Seed: eggs})
	for expiry, n := range map[store.Date]int64{"2020-03-01": 5, "2999-01-01": 4} {
		if _, err := db.Move(t.Context(), store.Move{ShopID: "a1", ProductID: "egg", Delta: n, Reason: store.Delivery, Expiry: expiry}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before(t, path, "0008_expired.sql", undoing["0008_expired.sql"])

	db = mustOpen(t, sqlite.Config{Path: path})
	checkVerified(t, db)
	level, err := db.Level(t.Context(), "a1", "egg")
	if err != nil || level.OnHand != 19 || level.Expired != 5 || level.Available() != 14 {
		t.Errorf("level %+v, %v, want 5 of 19 expired", level, err)
	}
	_, err = db.Reserve(t.Context(), store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 15})
	if short, ok := errors.AsType[*store.InsufficientError](err); !ok || short.Level.Expired != 5 {
		t.Errorf("reserving what has expired: %v, want an InsufficientError with 5 expired", err)
	}
	lots, _, err := db.Expiring(t.Context(), store.ExpiringQuery{})
	if err != nil || len(lots) != 2 || lots[0].OnHand != 5 {
		t.Errorf("Expiring: %+v, %v, want both lots", lots, err)
	}
}
