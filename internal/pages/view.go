package pages

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// view is what a page shows.
type view struct {
	Title string
	Lead  string // below the title
	Facts []fact
	Table *table
	Data  any    // for programs: schema.org, as JSON-LD
	Other string // the address of the page in the other language

	Language string
	Style    template.CSS
}

type fact struct{ Name, Value string }

// table lists levels: of a product by shop, or of a shop by product.
type table struct {
	Caption, First string
	Rows           []row
	More           string // the address of the rest; "" where this is all
}

type row struct {
	Name, Link string
	Available  int64
	Reserved   int64
	Expired    int64
	Unit       string
	AsOf       string // RFC 3339
	AsOfShown  string
}

// notice is a page that says one thing.
func notice(title, lead string) view { return view{Title: title, Lead: lead} }

// product is the page of a product.
func (p *Pages) product(ctx context.Context, say say, id, after string) (view, error) {
	product, err := p.config.Store.Product(ctx, id)
	if err != nil {
		return view{}, err
	}
	total, err := p.config.Store.Total(ctx, id, "")
	if err != nil {
		return view{}, err
	}
	levels, next, err := p.config.Store.Levels(ctx, store.LevelQuery{ProductID: id, Page: store.Page{Limit: store.MaxLimit, Cursor: after}})
	if err != nil {
		return view{}, err
	}
	path := ProductPage(id)
	v := view{
		Title: name(say, product),
		Lead:  available(say, total, product.Unit),
		Other: path + "?lang=" + say("en", "zh-TW"),
		Data:  productData(p.at, product, total, levels),
	}
	v.fact(say("其他名稱", "Other names"), others(say, product))
	v.fact(say("售價", "Price"), product.FullPrice())
	v.fact(say("分類", "Category"), product.Category)
	v.fact(say("貨號", "SKU"), product.SKU)
	v.fact(say("條碼", "Barcode"), strings.Join(product.Barcodes, say("、", ", ")))
	if len(levels) == 0 {
		return v, nil
	}
	v.Table = &table{Caption: say("各門市庫存", "Stock by store"), First: say("門市", "Store"), More: more(path, next)}
	for _, l := range levels {
		v.Table.Rows = append(v.Table.Rows, p.newRow(say, l.Shop.Name, ShopPage(l.Shop.ID), l.Level, product.Unit))
	}
	return v, nil
}

// shop is the page of a shop.
func (p *Pages) shop(ctx context.Context, say say, id, after string) (view, error) {
	shop, err := p.config.Store.Shop(ctx, id)
	if err != nil {
		return view{}, err
	}
	products, next, err := p.config.Store.Products(ctx, store.ProductQuery{ShopID: id, Page: store.Page{Limit: store.MaxLimit, Cursor: after}})
	if err != nil {
		return view{}, err
	}
	path := ShopPage(id)
	v := view{Title: shop.Name, Lead: shop.Address, Other: path + "?lang=" + say("en", "zh-TW")}
	v.fact(say("連鎖", "Chain"), shop.Chain)
	v.fact(say("營業時間", "Hours"), shop.Hours)
	var stock []stocked
	t := &table{Caption: say("這家門市的商品", "What this store carries"), First: say("商品", "Product"), More: more(path, next)}
	for _, product := range products {
		level, carried, err := p.levelOf(ctx, id, product.ID)
		if err != nil {
			return view{}, err
		}
		if carried {
			stock = append(stock, stocked{product, level})
			t.Rows = append(t.Rows, p.newRow(say, name(say, product), ProductPage(product.ID), level, product.Unit))
		}
	}
	if len(t.Rows) > 0 {
		v.Table = t
	}
	v.Data = shopData(p.at, shop, stock)
	return v, nil
}

// fact adds a fact, if it is known.
func (v *view) fact(name, value string) {
	if value != "" {
		v.Facts = append(v.Facts, fact{name, value})
	}
}

// newRow is a level. In English it goes without the owner's unit, which would be
// a foreign word.
func (p *Pages) newRow(say say, name, link string, l store.Level, unit string) row {
	asOf := l.AsOf.In(p.config.Location)
	return row{name, link, l.Available(), l.Reserved, l.Expired, say(unit, ""), asOf.Format(time.RFC3339), asOf.Format(store.TimeLayout)}
}

// more is the address of the rest of a page's list.
func more(path, next string) string {
	if next == "" {
		return ""
	}
	return path + "?after=" + template.URLQueryEscaper(next)
}

// name is a product's name in the reader's language.
func name(say say, p store.Product) string { return say(p.Name, cmp.Or(p.Names["en"], p.Name)) }

// others are the names of a product that its page's title does not have.
func others(say say, p store.Product) string {
	title := name(say, p)
	var names []string
	for _, n := range append([]string{p.Name, p.Names["en"]}, p.Aliases...) {
		if n != "" && n != title {
			names = append(names, n)
		}
	}
	return strings.Join(names, say("、", ", "))
}

func available(say say, t store.Total, unit string) string {
	if t.Shops == 0 {
		return say("沒有門市販售。", "No store carries it.")
	}
	expired := ""
	if t.Expired > 0 {
		expired = say(fmt.Sprintf("（另有 %d %s已過期）", t.Expired, unit), fmt.Sprintf(" (%d more have expired)", t.Expired))
	}
	return say(fmt.Sprintf("%d 間門市共有 %d %s可賣%s。", t.Shops, t.Available(), unit, expired),
		fmt.Sprintf("%d available in %s%s.", t.Available(), carriers(t.Shops), expired))
}

// carriers names the shops that carry something.
func carriers(shops int) string {
	if shops == 1 {
		return "the one store that carries it"
	}
	return fmt.Sprintf("the %d stores that carry it", shops)
}
