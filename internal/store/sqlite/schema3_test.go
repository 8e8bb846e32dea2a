package sqlite_test

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// schema3 returns the path of a copy of testdata/schema3.db.gz, which a program
// with three migrations made: imported, sold, counted, transferred, undone,
// reserved and released, with keys, tokens, a grant and an audit log.
func schema3(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/schema3.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "stock.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADatabaseOfSchema3KeepsEverything(t *testing.T) {
	path := schema3(t)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if found, err := db.Verify(t.Context(), 10); err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
	for _, tt := range []struct {
		shop, product    string
		onHand, reserved int64
	}{{"daan", "egg", 18, 3}, {"xinyi", "egg", 9, 0}, {"daan", "milk", 10, 0}, {"xinyi", "milk", 5, 0}, {"xinyi", "rice", 30, 0}, {"corner", "tea", 3, 0}} {
		l, err := db.Level(t.Context(), tt.shop, tt.product)
		if err != nil || l.OnHand != tt.onHand || l.Reserved != tt.reserved {
			t.Errorf("Level(%q, %q) = %d on hand, %d reserved, %v, want %d and %d", tt.shop, tt.product, l.OnHand, l.Reserved, err, tt.onHand, tt.reserved)
		}
	}
	movements, _, err := db.Movements(t.Context(), store.MovementQuery{Page: store.Page{Limit: store.MaxLimit}})
	if err != nil || len(movements) != 16 {
		t.Errorf("%d movements, %v, want all 16", len(movements), err)
	}

	// What was answered under a key is answered again.
	wang, gpt := store.WithCaller(t.Context(), store.Caller{ID: "user:wang"}), store.WithCaller(t.Context(), store.Caller{ID: "grant:1"})
	sale := store.Move{ShopID: "daan", ProductID: "egg", Delta: -2, Reason: store.Sale, Note: "早上", Once: store.Once{Key: "order-7"}}
	if again, err := db.Move(gpt, sale); err != nil || !again.Replayed || again.Levels[0].After.OnHand != 18 {
		t.Errorf("the same sale again: %+v, %v, want its first answer", again, err)
	}
	moved := store.Transfer{FromShopID: "daan", ToShopID: "xinyi", ProductID: "milk", Quantity: 5, Once: store.Once{Key: "t-1"}}
	if again, err := db.Transfer(wang, moved); err != nil || !again.Replayed {
		t.Errorf("the same transfer again: %+v, %v, want its first answer", again, err)
	}
	count := store.Count{ShopID: "xinyi", ProductID: "egg", Quantity: 9, Once: store.Once{Token: "spent-token", TokenUntil: now.Add(time.Hour)}}
	if _, err := db.Count(gpt, count); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a confirmation that was used: %v, want ErrConflict", err)
	}
	held, err := db.Reservation(t.Context(), 1)
	if err != nil || held.State != store.Held || held.Note != "王小姐" {
		t.Errorf("reservation %+v, %v, want it held", held, err)
	}

	if token, err := db.Token(t.Context(), store.HashOf("mcps_old")); err != nil || token.Name != "till" || token.Shop != "daan" || !token.Holds(now) {
		t.Errorf("token %+v, %v, want it to hold", token, err)
	}
	if token, err := db.Token(t.Context(), store.HashOf("refresh")); err != nil || token.ClientName != "ChatGPT" || !token.Holds(now) {
		t.Errorf("refresh token %+v, %v, want it to hold", token, err)
	}
	if grants, err := db.Grants(t.Context()); err != nil || len(grants) != 1 || grants[0].RedirectHost != "chatgpt.com" {
		t.Errorf("grants %+v, %v, want the one of ChatGPT", grants, err)
	}
	calls, _, err := db.Calls(t.Context(), store.CallQuery{})
	var tools []string
	for _, c := range calls {
		tools = append(tools, c.Tool)
	}
	slices.Sort(tools)
	if diff := cmp.Diff([]string{"check_stock", "record_movement"}, tools); err != nil || diff != "" {
		t.Errorf("audit log: %v (-want +got):\n%s", err, diff)
	}

	// Placeholders of codes are dropped, and a barcode in groups is one.
	for id, want := range map[string][]string{"tea": nil, "egg": {"4710000000012"}} {
		if p, err := db.Product(t.Context(), id); err != nil || !slices.Equal(p.Barcodes, want) {
			t.Errorf("barcodes of %q are %q, %v, want %q", id, p.Barcodes, err, want)
		}
	}
	backups, err := filepath.Glob(filepath.Join(filepath.Dir(path), "stock-before-upgrade-*.db"))
	if err != nil || len(backups) != 1 {
		t.Errorf("backups %q, %v, want one from before the upgrade", backups, err)
	}
}
