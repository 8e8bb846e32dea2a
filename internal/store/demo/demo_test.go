package demo_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
