package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// undoing takes back what migrations changed of tables.
var undoing = map[string]string{
	"0005_low_stock.sql": `DROP INDEX levels_low; DROP INDEX levels_by_shop; DROP INDEX lots_by_shop; DROP TRIGGER products_reorder;
		ALTER TABLE levels DROP COLUMN available; ALTER TABLE levels DROP COLUMN reorder_point;
		CREATE INDEX levels_by_shop ON levels (shop, product); CREATE INDEX lots_by_expiry ON lots (expiry)`,
	"0008_expired.sql":   `DROP INDEX lots_by_product; DROP INDEX lots_by_shop; CREATE INDEX lots_by_shop ON lots (shop, expiry, product)`,
	"0006_log_stamp.sql": `DROP TABLE log_stamp`,
	"0007_renewal.sql": `DROP INDEX tokens_by_window;
		ALTER TABLE tokens DROP COLUMN successor; ALTER TABLE tokens DROP COLUMN renewed_scopes; ALTER TABLE tokens DROP COLUMN repeats;
		ALTER TABLE grants DROP COLUMN challenged_at; ALTER TABLE grants DROP COLUMN withheld; ALTER TABLE clients DROP COLUMN scope`,
}

// before takes a database back to before a migration that changes no table.
func before(t *testing.T, path, migration string, queries ...string) {
	t.Helper()
	names, err := fs.Glob(os.DirFS("migrations"), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	version := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, migration) })
	if version < 0 {
		t.Fatalf("no migration %s among %q", migration, names)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range slices.Backward(names[version+1:]) {
		queries = append(queries, undoing[name])
	}
	for _, query := range append(queries, fmt.Sprintf(`PRAGMA user_version = %d`, version)) {
		if _, err := db.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// TestUpgradeCorrectsStoredCodes opens a database in which an older version has
// kept "there is none" as a code, and one barcode as four.
func TestUpgradeCorrectsStoredCodes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stock.db")
	db := mustOpen(t, sqlite.Config{Path: path})
	product := func(name string, n int64, sku string, barcodes ...string) store.Row {
		r := stock("甲", name, n)
		r.Product.SKU, r.Product.Barcodes = sku, barcodes
		return r
	}
	if _, err := db.Import(t.Context(), rowsOf(
		product("茶葉蛋", 1, "F-1", "k1"), product("飯糰", 2, "k2", "k3"), product("鮮奶", 3, "", "k4"),
		product("舊布丁", 4, "P-1", "k5"), product("布丁", 5, "P-2", "4710000000035"),
		product("豆漿", 6, "S-1", "012345678905"), product("可樂", 7, "C-1", "4710000000042", "A-1"),
	), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	set := func(name, sku string, barcodes string, keys ...string) (queries []string) {
		queries = append(queries, fmt.Sprintf(`UPDATE products SET sku = '%s', barcodes = '%s' WHERE name = '%s'`, sku, barcodes, name))
		for _, key := range keys {
			queries = append(queries, fmt.Sprintf(`INSERT OR IGNORE INTO product_keys SELECT '%s', num FROM products WHERE name = '%s'`, key, name))
		}
		return queries
	}
	before(t, path, "_codes.sql", slices.Concat(
		set("茶葉蛋", "F-1", `["无"]`, "无"),
		set("飯糰", "N/A", `["4710","0000","0001","1"]`, "na", "4710", "0000", "0001", "1"),
		set("鮮奶", "", `["4710-0000-0002-8","0"]`, "4710000000028", "0"),
		set("舊布丁", "P-1", `["4710","0000","0003","5"]`, "4710", "0000", "0003", "5"),
		[]string{`DELETE FROM product_keys WHERE key IN ('12345678905', 'k1', 'k3', 'k5')`},
	)...)

	var log bytes.Buffer
	db = mustOpen(t, sqlite.Config{Path: path, Log: slog.New(slog.NewTextHandler(&log, nil))})
	got := map[string]string{}
	for _, r := range exported(t, db) {
		got[r.Product.Name] = strings.Join(append([]string{r.Product.SKU}, r.Product.Barcodes...), " ")
	}
	if diff := cmp.Diff(map[string]string{
		"茶葉蛋": "F-1", "飯糰": " 4710000000011", "鮮奶": " 4710000000028", "舊布丁": "P-1", "布丁": "P-2 4710000000035",
		"豆漿": "S-1 012345678905", "可樂": "C-1 4710000000042 A-1",
	}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		`msg="barcode dropped: it says that there is none" product=F-1 name=茶葉蛋 before=[无] after=[]`,
		`msg="SKU dropped: it says that there is none"`, `sku=N/A`,
		`before="[4710 0000 0001 1]" after=[4710000000011]`,
		`before="[4710-0000-0002-8 0]" after=[4710000000028]`,
		`msg="barcode dropped: another product has it" product=P-1 name=舊布丁 before="[4710 0000 0003 5]" after=[] barcode=4710000000035 of=P-2`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 6 {
		t.Errorf("the log has %d lines, want 6:\n%s", n, log.String())
	}
	for code, want := range map[string]int{"4710000000011": 1, "4710": 0, "0000": 0, "无": 0, "N/A": 0, "12345678905": 1} {
		if got := called(t, db, code); got != want {
			t.Errorf("%d products are called %q, want %d", got, code, want)
		}
	}
	// Sheets go on where they were.
	report, err := db.Import(t.Context(), rowsOf(
		product("飯糰", 12, "", "4710000000011"), product("布丁", 15, "", "4710000000035"), product("豆漿", 16, "", "0012345678905"),
	), store.ImportOptions{})
	if err != nil || report.Up.Count != 3 || report.NewProducts.Count+report.ChangedProducts.Count != 0 {
		t.Errorf("import: %+v, %v", report, err)
	}
	checkVerified(t, db)
	db.Close()

	// It is done once.
	log.Reset()
	mustOpen(t, sqlite.Config{Path: path, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if log.Len() > 0 {
		t.Errorf("opening it again logs %s", log.String())
	}
}
