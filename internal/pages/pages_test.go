package pages

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

const site = "https://shop.example"

// open returns pages of the demo data and what they leave traces in.
func open(t *testing.T) (*Pages, *sqlite.DB, *[]store.Call) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "shop.db"), Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	calls := new([]store.Call)
	return New(Config{Store: store.Confine(db), URL: func() string { return site }, Audit: func(c store.Call) { *calls = append(*calls, c) }}), db, calls
}

func get(t *testing.T, p *Pages, path string, with func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, site+path, nil)
	if with != nil {
		with(r)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

var script = regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`)

// data is what a page tells programs.
func data(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	m := script.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("no data in:\n%s", w.Body)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(m[1]), &v); err != nil {
		t.Fatalf("%v in %s", err, m[1])
	}
	return v
}

// teaEgg and a shop that has some.
func anyOf(t *testing.T, db *sqlite.DB) (store.Product, store.ShopLevel) {
	t.Helper()
	products, _, err := db.Products(t.Context(), store.ProductQuery{Text: "茶葉蛋"})
	if err != nil || len(products) == 0 {
		t.Fatal(products, err)
	}
	levels, _, err := db.Levels(t.Context(), store.LevelQuery{ProductID: products[0].ID, InStock: true})
	if err != nil || len(levels) == 0 {
		t.Fatal(levels, err)
	}
	return products[0], levels[0]
}

func TestAProductIsShownWithWhereItIs(t *testing.T) {
	p, db, calls := open(t)
	product, level := anyOf(t, db)
	w := get(t, p, ProductPage(product.ID), func(r *http.Request) { r.Header.Set("Accept-Language", "zh-HK,en;q=0.5") })
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<h1>茶葉蛋</h1>") || !strings.Contains(w.Body.String(), level.Shop.Name) {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	v := data(t, w)
	if v["@context"] != "https://schema.org" || v["@type"] != "Product" || v["name"] != "茶葉蛋" || v["url"] != site+ProductPage(product.ID) {
		t.Errorf("data = %v", v)
	}
	offers, _ := v["offers"].([]any)
	if len(offers) == 0 {
		t.Fatalf("no offers in %v", v)
	}
	offer := offers[0].(map[string]any)
	inventory := offer["inventoryLevel"].(map[string]any)
	if offer["@type"] != "Offer" || offer["price"] != product.Price || offer["priceCurrency"] != product.Currency ||
		offer["availability"] != "https://schema.org/InStock" || inventory["value"] != float64(level.Available()) || inventory["unitText"] != product.Unit {
		t.Errorf("offer = %v, want that of %+v", offer, level)
	}
	if len(*calls) != 1 || (*calls)[0].Tool != "page" || (*calls)[0].Outcome != "ok" || !strings.Contains((*calls)[0].Arguments, "/p/") {
		t.Errorf("traces = %+v", *calls)
	}
	english := get(t, p, ProductPage(product.ID)+"?lang=en", nil)
	if !strings.Contains(english.Body.String(), "<h1>"+product.Names["en"]+"</h1>") || !strings.Contains(english.Body.String(), `<html lang="en">`) {
		t.Errorf("in English:\n%s", english.Body)
	}
}

func TestAShopIsShownWithWhatItHas(t *testing.T) {
	p, db, _ := open(t)
	product, level := anyOf(t, db)
	w := get(t, p, ShopPage(level.Shop.ID), nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<h1>"+level.Shop.Name+"</h1>") {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	v := data(t, w)
	if v["@type"] != "Store" || v["name"] != level.Shop.Name || v["url"] != site+ShopPage(level.Shop.ID) {
		t.Errorf("data = %v", v)
	}
	for _, offer := range v["makesOffer"].([]any) {
		o := offer.(map[string]any)
		if item := o["itemOffered"].(map[string]any); item["productID"] == product.ID {
			if got := o["inventoryLevel"].(map[string]any)["value"]; got != float64(level.Available()) {
				t.Errorf("%s: %v, want %d", product.Name, got, level.Available())
			}
			return
		}
	}
	t.Errorf("%s is not among what %s offers", product.Name, level.Shop.Name)
}

func TestTimesAreTheShops(t *testing.T) {
	evening := time.Date(2026, 11, 3, 23, 30, 0, 0, time.UTC)
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "shop.db"), Seed: demo.Catalog, Now: func() time.Time { return evening },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := New(Config{Store: db, URL: func() string { return site }, Location: time.FixedZone("Taipei", 8*60*60)})
	product, level := anyOf(t, db)
	for _, path := range []string{ProductPage(product.ID), ShopPage(level.Shop.ID)} {
		for _, language := range []string{"zh-TW", "en"} {
			page := html.UnescapeString(get(t, p, path+"?lang="+language, nil).Body.String())
			if !strings.Contains(page, `<time datetime="2026-11-04T07:30:00+08:00">2026-11-04 07:30 +08:00</time>`) {
				t.Errorf("%s in %s does not show when a level changed:\n%s", path, language, page)
			}
		}
	}
}

func TestEveryLinkOfAPageOpens(t *testing.T) {
	p, db, _ := open(t)
	_, level := anyOf(t, db)
	links := regexp.MustCompile(`href="(/[sp]/[^"]*)"`)
	opened := 0
	for _, m := range links.FindAllStringSubmatch(get(t, p, ShopPage(level.Shop.ID), nil).Body.String(), -1) {
		path := html.UnescapeString(m[1])
		if w := get(t, p, path, nil); w.Code != http.StatusOK || p.Resource(strings.SplitN(path, "?", 2)[0]) == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
		opened++
	}
	if opened < 5 {
		t.Errorf("there are %d links", opened)
	}
}

func TestALongListGoesOn(t *testing.T) {
	catalog := store.Catalog{Shops: []store.Shop{{ID: "s", Name: "大店"}}}
	const many = store.MaxLimit + 20
	for i := range many {
		id := fmt.Sprintf("p%03d", i)
		catalog.Products = append(catalog.Products, store.Product{ID: id, Name: id})
		catalog.Levels = append(catalog.Levels, store.CatalogLevel{ShopID: "s", ProductID: id, OnHand: 1})
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "shop.db"), Seed: func() store.Catalog { return catalog }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := New(Config{Store: db, URL: func() string { return site }})
	next := regexp.MustCompile(`<a href="([^"]*)" rel="next"`)
	seen, path := 0, ShopPage("s")
	for path != "" {
		w := get(t, p, path, nil)
		seen += strings.Count(w.Body.String(), `<th scope="row">`)
		m := next.FindStringSubmatch(w.Body.String())
		if path = ""; m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	if seen != many {
		t.Errorf("the pages list %d products, want %d", seen, many)
	}
}

func TestWhatIsNotThereIsSaidSo(t *testing.T) {
	p, _, calls := open(t)
	for _, path := range []string{"/p/nothing", "/s/nothing", "/p/", "/s/", "/p/%zz", "/p/a%2Fb"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, site+"/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "There is no such page") {
			t.Errorf("%s: %d\n%s", path, w.Code, w.Body)
		}
	}
	if w := get(t, p, ProductPage("x")+"?after=nonsense", nil); w.Code != http.StatusNotFound {
		t.Errorf("a cursor for nothing: %d", w.Code)
	}
	if got := (*calls)[0].Outcome; got != "not_found" {
		t.Errorf("outcome = %q", got)
	}
}

func TestACursorThatIsNoneIsSaidSo(t *testing.T) {
	p, db, _ := open(t)
	product, level := anyOf(t, db)
	for _, path := range []string{ProductPage(product.ID), ShopPage(level.Shop.ID)} {
		if w := get(t, p, path+"?after=nonsense", nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "This address is not whole") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Whoever is held to one shop sees no other's stock on a page either.
func TestABoundCallerSeesTheirShopAlone(t *testing.T) {
	p, db, _ := open(t)
	product, level := anyOf(t, db)
	levels, _, err := db.Levels(t.Context(), store.LevelQuery{ProductID: product.ID})
	if err != nil || len(levels) < 2 {
		t.Fatal(levels, err)
	}
	bound := func(r *http.Request) {
		*r = *r.WithContext(store.WithCaller(r.Context(), store.Caller{ID: "token:1", Scopes: store.ScopeRead, Shop: level.Shop.ID}))
	}
	page := get(t, p, ProductPage(product.ID), bound).Body.String()
	if !strings.Contains(page, level.Shop.Name) || strings.Contains(page, levels[1].Shop.Name) {
		t.Errorf("the page has %q: %v; %q: %v", level.Shop.Name, strings.Contains(page, level.Shop.Name), levels[1].Shop.Name, strings.Contains(page, levels[1].Shop.Name))
	}
	if w := get(t, p, ShopPage(levels[1].Shop.ID), bound); w.Code != http.StatusNotFound {
		t.Errorf("another's shop: %d", w.Code)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	w := httptest.NewRecorder()
	const evil = `</script><script>alert(1)</script>"><img src=x onerror=alert(1)>`
	say := func(_, en string) string { return en }
	at := func(path string) string { return site + path }
	v := view{
		Title: evil, Lead: evil, Facts: []fact{{evil, evil}}, Other: "/p/" + evil,
		Table: &table{Caption: evil, First: evil, Rows: []row{New(Config{}).newRow(func(zh, _ string) string { return zh }, evil, ShopPage(evil), store.Level{}, evil)}, More: more("/p/x", evil)},
		Data:  productData(at, store.Product{ID: evil, Name: evil, Category: evil}, store.Total{}, []store.ShopLevel{{Shop: store.Shop{ID: evil, Name: evil}}}),
	}
	render(w, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, say, v)
	if page := w.Body.String(); strings.Contains(page, "<img") || strings.Count(page, "<script") != 1 || strings.Contains(page, "alert(1)</script>") {
		t.Errorf("a name became markup:\n%s", page)
	}
	if got := data(t, w)["name"]; got != evil {
		t.Errorf("name = %q", got)
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; style-src 'sha256-") || strings.Contains(got, "unsafe") {
		t.Errorf("policy = %s", got)
	}
}

func TestWhoeverIsRefusedIsToldInWords(t *testing.T) {
	p, _, _ := open(t)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/p/x", nil)
	r.Header.Set("Accept-Language", "zh-TW")
	p.Refused(w, r, http.StatusUnauthorized)
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "這個頁面不對外公開") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	// What is out of order is not what is not allowed.
	w = httptest.NewRecorder()
	p.Refused(w, r, http.StatusServiceUnavailable)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "--public-reads") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}

func TestPagesSayWhatHasExpired(t *testing.T) {
	p, db, _ := open(t)
	product, level := anyOf(t, db)
	_, err := db.Move(t.Context(), store.Move{ShopID: level.Shop.ID, ProductID: product.ID, Delta: 5, Reason: store.Delivery, Expiry: "2020-03-01"})
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{"zh-TW": {"（另有 5 顆已過期）", "已過期 5"}, "en": {"(5 more have expired)", "expired 5"}} {
		body := get(t, p, ProductPage(product.ID)+"?lang="+lang, nil).Body.String()
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("in %s the page does not say %s:\n%s", lang, w, body)
			}
		}
	}
}

// What one store has reserved beyond what has not expired takes nothing from what
// another one has, for programs as for people.
func TestProgramsAreToldTheSameTotal(t *testing.T) {
	var total store.Total
	total.Add(store.Level{OnHand: 5, Reserved: 5, Expired: 3})
	total.Add(store.Level{OnHand: 4})
	at := func(path string) string { return path }
	got := productData(at, store.Product{ID: "egg", Name: "茶葉蛋"}, total, nil)["inventoryLevel"].(object)["value"]
	if got != total.Available() || got != int64(4) {
		t.Errorf("inventoryLevel is %v, want the 4 that are available", got)
	}
}
