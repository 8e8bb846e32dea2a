package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/store/storetest"
)

// worstCase is a question that takes a tool long, over 8,000 products in each of
// 20 stores.
type worstCase struct {
	name, method string
	params       map[string]any
}

// The sold-out store carries everything and has none of it: a question for what
// is in stock there finds nothing, however long it looks.
const (
	happy       = "快樂小舖" // a chain of four
	soldOut     = "空架子"  // the chain of the sold-out store
	soldOutShop = "空架子一號"
)

// worstCatalog is 8,000 products in 20 stores, of which one is sold out. All
// stock of every third product expires on the same day, and some has expired.
func worstCatalog(tb testing.TB) *sqlite.DB {
	c := storetest.Large(20, 8000)
	for i := range c.Shops {
		if i%5 == 0 {
			c.Shops[i].Chain = happy
		}
	}
	c.Shops[19].Chain, c.Shops[19].Name = soldOut, soldOutShop
	products := map[string]store.Product{}
	for _, p := range c.Products {
		p.ReorderPoint = 0
		products[p.ID] = p
	}
	shops := map[string]store.Shop{}
	for _, s := range c.Shops {
		shops[s.ID] = s
	}
	sameDay := store.DateOf(inTaipei().AddDate(0, 0, 1))
	db := open(tb, nil)
	_, err := db.Import(tb.Context(), func(yield func(store.Row, error) bool) {
		for i, l := range c.Levels {
			r := store.Row{Line: i + 1, Shop: shops[l.ShopID], Product: products[l.ProductID], Quantity: &l.OnHand}
			if l.ShopID == c.Shops[19].ID {
				r.Quantity = new(int64)
			} else if i%3 == 0 {
				r.Expiry = sameDay
			} else if i%1009 == 0 { // a hundred lots
				r.Expiry = "2020-03-01"
			}
			r.ReorderPoint = new(int64(i % 8000 % 10))
			if !yield(r, nil) {
				return
			}
		}
	}, store.ImportOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range 300 { // a history
		m := store.Move{ShopID: c.Shops[0].ID, ProductID: c.Products[0].ID, Delta: 1, Reason: store.Delivery, Once: store.Once{Key: fmt.Sprint(i)}}
		if _, err := db.Move(tb.Context(), m); err != nil {
			tb.Fatal(err)
		}
	}
	return db
}

// worstCases are several for each tool: the slowest of them is its worst.
func worstCases(tb testing.TB, srv *mcpserver.MCPServer) []worstCase {
	type args = map[string]any
	var cases []worstCase
	add := func(tool, name string, arguments args) {
		cases = append(cases, worstCase{tool + "/" + name, "tools/call", args{"name": tool, "arguments": arguments}})
	}
	// pages adds a question, and that for its last page, or the 40th.
	pages := func(tool, name string, arguments args) {
		add(tool, name, arguments)
		deep := maps.Clone(arguments)
		for range 40 {
			_, out := call(tb, srv, tool, deep, nil)
			next, _ := out.StructuredContent["next_cursor"].(string)
			if next == "" {
				break
			}
			deep["cursor"] = next
		}
		add(tool, name+"-deep", deep)
	}
	const most, shop, one = 100, "shop-0005", "product-000123"
	long := strings.Repeat("鮮蛋茶油", 50)
	words := "鮮 蛋 茶 油 糖 捲 餅 糕 麵"
	mixed := strings.Repeat("鮮a蛋 teb茶的c油", 16) // every kind of gram, and many places to cut at

	add("check_stock", "one-store", args{"product": one, "store": shop})
	add("check_stock", "everywhere", args{"product": one, "limit": most})
	add("check_stock", "chain", args{"product": one, "store": happy, "limit": most})
	add("check_stock", "ambiguous", args{"product": "蛋", "store": "便利"})
	add("check_stock", "slip", args{"product": "麻辣茶葉旦", "store": "快樂小舗"})
	add("check_stock", "words", args{"product": words, "store": words})
	add("check_stock", "long", args{"product": long, "store": long})
	add("check_stock", "mixed", args{"product": mixed, "store": mixed})
	add("check_stock", "sentence", args{"product": long[:3*20], "store": shop})

	pages("search_products", "everything", args{"limit": most})
	pages("search_products", "common-character", args{"query": "蛋", "limit": most})
	pages("search_products", "in-stock", args{"in_stock": true, "limit": most})
	pages("search_products", "chain-in-stock", args{"store": happy, "in_stock": true, "limit": most})
	pages("search_products", "store-in-stock", args{"store": shop, "in_stock": true, "limit": most})
	add("search_products", "sold-out-chain", args{"store": soldOut, "in_stock": true})
	add("search_products", "sold-out-store", args{"store": soldOutShop, "in_stock": true})
	add("search_products", "sold-out-character", args{"store": soldOutShop, "in_stock": true, "query": "蛋"})
	add("search_products", "sold-out-chain-character", args{"store": soldOut, "in_stock": true, "query": "蛋"})
	add("search_products", "sold-out-category", args{"store": soldOutShop, "in_stock": true, "category": "蛋"})
	add("search_products", "category-and-letter", args{"query": "e", "category": "糖", "limit": most})
	add("search_products", "slip", args{"query": "麻辣茶葉旦"})
	add("search_products", "long", args{"query": long})
	add("search_products", "mixed", args{"query": mixed})
	add("search_products", "sentence", args{"query": long[:3*20]})

	add("get_product", "id", args{"id": one})
	add("get_product", "unknown-barcode", args{"barcode": long[:63]})

	add("list_stores", "everything", args{"limit": most})
	add("list_stores", "long", args{"query": long})
	add("list_stores", "mixed", args{"query": mixed})
	add("list_stores", "address", args{"query": "中山路", "limit": most})
	add("list_stores", "near", args{"near": args{"latitude": 25.0, "longitude": 121.5}, "limit": most})

	pages("stock_history", "long", args{"product": "product-000000", "store": "shop-0000", "limit": most})

	for _, where := range []struct{ name, store string }{
		{"everywhere", ""}, {"chain", happy}, {"store", shop}, {"sold-out-store", soldOutShop},
	} {
		with := func(arguments args) args {
			if where.store != "" {
				arguments["store"] = where.store
			}
			if arguments["limit"] == nil {
				arguments["limit"] = most
			}
			return arguments
		}
		pages("list_low_stock", where.name, with(args{}))
		pages("list_low_stock", where.name+"-any-threshold", with(args{"threshold": store.MaxQuantity}))
		pages("list_low_stock", where.name+"-any-threshold-20", with(args{"threshold": store.MaxQuantity, "limit": 20}))
		pages("list_low_stock", where.name+"-nothing-left", with(args{"threshold": 0}))
		pages("list_expiring", where.name, with(args{"within_days": 3650}))
	}

	add("search", "words", args{"query": words})
	add("search", "mixed", args{"query": mixed})
	add("search", "long", args{"query": long})
	add("search", "store-and-product", args{"query": "快樂小舖 的 茶葉旦"})
	add("fetch", "product", args{"id": "product://" + one})
	add("fetch", "store", args{"id": "store://" + shop})

	prompt := args{"type": "ref/prompt", "name": "check_stock"}
	return append(cases,
		worstCase{"resources/list", "resources/list", args{}},
		worstCase{"resources/read", "resources/read", args{"uri": "product://" + one}},
		worstCase{"complete/product", "completion/complete", args{"ref": prompt, "argument": args{"name": "product", "value": "蛋"}}},
		worstCase{"complete/product-long", "completion/complete", args{"ref": prompt, "argument": args{"name": "product", "value": long}}},
		worstCase{"complete/store", "completion/complete", args{"ref": prompt, "argument": args{"name": "store", "value": "店"}}},
	)
}

// BenchmarkWorstCase asks each tool what takes it longest and, in turn with it,
// for the stock of one product in one store, of which no two questions in a row
// are the same. It reports the medians of both, and how many times as long the
// tool takes.
func BenchmarkWorstCase(b *testing.B) {
	page := func(id string) string { return "https://shop.example/" + id }
	srv := New(worstCatalog(b), Config{Now: inTaipei, Connector: &Connector{ShopPage: page, ProductPage: page}})
	ask := func(b *testing.B, method string, params map[string]any) time.Duration {
		question, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		answer, err := json.Marshal(srv.HandleMessage(b.Context(), question))
		took := time.Since(began)
		if err != nil || bytes.Contains(answer, []byte(`"isError":true`)) || bytes.Contains(answer, []byte(`"error":`)) {
			b.Fatalf("%s is answered %s, %v", question, answer, err)
		}
		return took
	}
	asked := 0
	checkStock := func(b *testing.B) time.Duration {
		asked++
		return ask(b, "tools/call", map[string]any{"name": "check_stock", "arguments": map[string]any{
			"product": fmt.Sprintf("product-%06d", asked*53%8000), "store": fmt.Sprintf("shop-%04d", asked*7%20)}})
	}
	for _, c := range worstCases(b, srv) {
		b.Run(c.name, func(b *testing.B) {
			var took, base []time.Duration
			for b.Loop() {
				took, base = append(took, ask(b, c.method, c.params)), append(base, checkStock(b))
			}
			slices.Sort(took)
			slices.Sort(base)
			this, other := took[len(took)/2], base[len(base)/2]
			b.ReportMetric(0, "ns/op") // of both together
			b.ReportMetric(this.Seconds()*1000, "ms")
			b.ReportMetric(other.Seconds()*1000, "check_stock-ms")
			b.ReportMetric(float64(this)/float64(other), "times")
		})
	}
	b.Run("check_stock/beside-four-of-list_low_stock", func(b *testing.B) {
		ctx, stop := context.WithCancel(b.Context())
		var others sync.WaitGroup
		for range 4 {
			others.Go(func() {
				for ctx.Err() == nil {
					ask(b, "tools/call", map[string]any{"name": "list_low_stock", "arguments": map[string]any{"threshold": store.MaxQuantity, "limit": 100}})
				}
			})
		}
		var took []time.Duration
		for b.Loop() {
			took = append(took, checkStock(b))
		}
		stop()
		others.Wait()
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms")
		b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
	})
}
