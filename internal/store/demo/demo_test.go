package demo_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

func TestCatalogIsWhatAShopChainHas(t *testing.T) {
	c := demo.Catalog()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.Chains) != 3 || len(c.Shops) != 8 || len(c.Products) != 80 {
		t.Errorf("%d chains, %d shops, %d products, want 3, 8, 80", len(c.Chains), len(c.Shops), len(c.Products))
	}
	perChain := map[string]int{}
	for _, s := range c.Shops {
		perChain[s.Chain]++
		if l := s.Location; l.Latitude < 21.9 || l.Latitude > 25.3 || l.Longitude < 120 || l.Longitude > 122 {
			t.Errorf("shop %q is at %v, which is not in Taiwan", s.ID, *l)
		}
		if s.Address == "" || s.Hours == "" || len(s.Aliases) < 2 {
			t.Errorf("shop %q lacks an address, hours or aliases", s.ID)
		}
	}
	if diff := cmp.Diff(map[string]int{"KOKO便利店": 4, "小橘燈超商": 2, "豆苗生鮮超市": 2}, perChain); diff != "" {
		t.Errorf("shops by chain (-want +got):\n%s", diff)
	}
	for _, ch := range c.Chains {
		if len(ch.Aliases) < 2 || perChain[ch.Name] == 0 {
			t.Errorf("chain %q lacks aliases or shops", ch.Name)
		}
	}
}

func TestProductsAreComplete(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	skus, names, barcodes, categories := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	once := func(used map[string]bool, what, s string) {
		if s == "" || used[s] {
			t.Errorf("%s %q is missing or used twice", what, s)
		}
		used[s] = true
	}
	for _, p := range demo.Catalog().Products {
		once(skus, "SKU", p.SKU)
		once(names, "name", p.Name)
		once(names, "English name", p.Names["en"])
		categories[p.Category] = true
		if !slug.MatchString(p.ID) || p.Names["zh-Hans"] == "" || len(p.Aliases) == 0 || p.Unit == "" || p.Price == "" || p.Currency != "TWD" {
			t.Errorf("product %+v is not complete", p)
		}
		// Coffee is made at the counter.
		if len(p.Barcodes) == 0 && p.Unit != "杯" {
			t.Errorf("product %q has no barcode", p.ID)
		}
		for _, b := range p.Barcodes {
			once(barcodes, "barcode", b)
			if !strings.HasPrefix(b, "471") || !validEAN13(b) {
				t.Errorf("product %q: %q is not a Taiwanese EAN-13", p.ID, b)
			}
		}
	}
	if len(categories) < 9 {
		t.Errorf("%d categories, want a whole shop of them", len(categories))
	}
}

func validEAN13(s string) bool {
	sum := 0
	for i, c := range s {
		if c < '0' || c > '9' {
			return false
		}
		sum += int(c-'0') * (1 + i%2*2)
	}
	return len(s) == 13 && sum%10 == 0
}

func TestLevelsShowEveryAnswer(t *testing.T) {
	c := demo.Catalog()
	var zero, reserved, soldOut int
	for _, l := range c.Levels {
		if l.OnHand == 0 {
			zero++
		}
		if l.Reserved > 0 {
			reserved++
		}
	}
	if missing := len(c.Shops)*len(c.Products) - len(c.Levels); zero < 10 || reserved < 10 || missing < 20 {
		t.Errorf("%d levels at 0, %d with some reserved, %d not carried, want some of each", zero, reserved, missing)
	}
	inKOKO := map[string]int64{}
	for _, l := range c.Levels {
		if l.ProductID == "tea-egg" && strings.HasPrefix(l.ShopID, "koko-") {
			inKOKO[l.ShopID] = l.OnHand
			if l.OnHand == 0 {
				soldOut++
			}
		}
	}
	if len(inKOKO) != 4 || soldOut != 1 {
		t.Errorf("KOKO便利店 has tea eggs %v, want them in all four branches, in one 0", inKOKO)
	}
}

// today is a day on which the demo data is made.
const today store.Date = "2026-11-03"

func TestSomeFoodExpiresInTheComingDays(t *testing.T) {
	c := demo.CatalogOn(today)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	left, shops := map[store.Date]int{}, map[string]bool{}
	for i, l := range c.Levels {
		for _, lot := range l.Lots {
			left[lot.Expiry]++
			shops[l.ShopID] = true
			if lot.Expiry < today || l.ProductID == "tea-egg" {
				t.Errorf("%s in %s: lot %+v", l.ProductID, l.ShopID, lot)
			}
		}
		c.Levels[i].Lots = nil
	}
	for days := range 4 {
		if left[today.AddDays(days)] < 3 {
			t.Errorf("%d lots expire in %d days, want some on each of the first days", left[today.AddDays(days)], days)
		}
	}
	if len(shops) != len(c.Shops) || len(left) < 7 {
		t.Errorf("lots in %d shops on %d days, want some in each of %d shops, and some later", len(shops), len(left), len(c.Shops))
	}
	if diff := cmp.Diff(demo.Catalog(), c); diff != "" {
		t.Errorf("but for lots, the data is another (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(demo.CatalogOn("2027-02-27"), demo.CatalogOn("2027-02-27")); diff != "" {
		t.Errorf("the same day gives other lots:\n%s", diff)
	}
}

func TestDemoLotsAreInTheLedger(t *testing.T) {
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "demo.db"),
		Seed: func() store.Catalog { return demo.CatalogOn(today) },
		Now:  func() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }, Location: time.UTC,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if found, err := db.Verify(t.Context(), 0); err != nil || len(found) > 0 {
		t.Errorf("Verify = %v, %v, want nothing", found, err)
	}
	lots, next, err := db.Expiring(t.Context(), store.ExpiringQuery{Through: today.AddDays(3), Page: store.Page{Limit: store.MaxLimit}})
	if err != nil || next != "" || len(lots) < 15 {
		t.Errorf("%d lots expire within 3 days, %v, want a page of them", len(lots), err)
	}
	for _, l := range lots {
		level, err := db.Level(t.Context(), l.Shop.ID, l.Product.ID)
		if err != nil || level.OnHand < l.OnHand {
			t.Errorf("%s in %s: %d of %d on hand expire, %v", l.Product.ID, l.Shop.ID, l.OnHand, level.OnHand, err)
		}
	}
	const bento, shop = "pork-chop-bento", "orange-daan"
	movements, _, err := db.Movements(t.Context(), store.MovementQuery{ShopID: shop, ProductID: bento})
	if err != nil || len(movements) != 2 || movements[0].After.OnHand != 8 || movements[0].Expiry != today.AddDays(1) {
		t.Errorf("the ledger of %s in %s is %+v, %v, want a movement for each of two lots", bento, shop, movements, err)
	}
	if _, err := db.Move(t.Context(), store.Move{ShopID: shop, ProductID: bento, Delta: -4, Reason: store.Sale}); err != nil {
		t.Fatal(err)
	}
	left, err := db.Lots(t.Context(), shop, bento)
	if diff := cmp.Diff([]store.Lot{{Expiry: today.AddDays(1), OnHand: 4}}, left); diff != "" || err != nil {
		t.Errorf("of 3 and 5, a sale of 4 leaves (-want +got), %v:\n%s", err, diff)
	}
}

func TestQuestionsHaveTheirAnswers(t *testing.T) {
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "demo.db"), Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()

	summary, err := db.Summary(ctx)
	if want := (store.Summary{Shops: 8, Products: 80, Demo: true}); err != nil || summary != want {
		t.Errorf("Summary = %+v, %v, want %+v", summary, err, want)
	}
	// KOKO便利店的茶葉蛋還有幾個
	total, err := db.Total(ctx, "tea-egg", "KOKO便利店")
	if err != nil || total.OnHand != 12 || total.Available() != 12 || total.Shops != 4 {
		t.Errorf("KOKO便利店 has %+v tea eggs, %v, want 12 in 4 shops", total, err)
	}
	for _, name := range []string{"茶葉蛋", "茶叶蛋", "tea egg", "ｔｅａ　ｅｇｇ"} {
		products, _, err := db.Products(ctx, store.ProductQuery{Text: name, Match: store.Exact})
		if err != nil || len(products) != 1 || products[0].ID != "tea-egg" {
			t.Errorf("%q is %v, %v, want the tea egg", name, products, err)
		}
	}
	eggs, _, err := db.Products(ctx, store.ProductQuery{Text: "蛋"})
	if err != nil || len(eggs) < 5 {
		t.Errorf("%d products have an egg in their name, %v, want several", len(eggs), err)
	}
	daan, _, err := db.Shops(ctx, store.ShopQuery{Text: "大安店"})
	if err != nil || len(daan) != 2 || daan[0].Chain == daan[1].Chain {
		t.Errorf("大安店 is %v, %v, want one in each of two chains", daan, err)
	}
	for _, name := range []string{"KOKO", "koko便利店", "扣扣"} {
		chains, err := db.Chains(ctx, name, store.Exact, 5)
		if err != nil || len(chains) != 1 || chains[0].Name != "KOKO便利店" || chains[0].Shops != 4 {
			t.Errorf("%q is %v, %v, want KOKO便利店 with 4 shops", name, chains, err)
		}
	}
}
