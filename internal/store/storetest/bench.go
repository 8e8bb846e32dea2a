package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// BenchmarkSearch times what people do when they look for a product, over
// 500,000 of them, and reports the slowest in a hundred as p99-ms.
func BenchmarkSearch(b *testing.B, open Open) {
	c := Large(0, 500_000)
	s := open(b, c)
	for _, bb := range []struct {
		name  string
		texts []string
		q     store.ProductQuery
	}{
		{name: "1char", texts: []string{"蛋", "茶", "冰", "油", "a"}},
		{name: "2chars", texts: []string{"茶葉", "奶茶", "雞腿", "蛋糕", "te"}},
		{name: "3chars", texts: []string{"茶葉蛋", "洋芋片", "烤雞腿", "冰淇淋", "egg"}},
		{name: "7chars", texts: []string{"水蜜桃巧克力餅乾", "手工馬鈴薯洋芋片", "經典烏龍茶包", "spicytea", "saltedcandy"}},
		{name: "missing", texts: []string{"茶葉鞋", "腳踏車", "螺絲起子", "bicycle", "鞋"}},
		{name: "category", texts: []string{"茶", "茶葉", "草莓"}, q: store.ProductQuery{Category: "糕"}},
		{name: "near", texts: []string{"茶葉旦", "草莓牛奶膏", "冰淇林", "spicy eg", "奶查"}, q: store.ProductQuery{Match: store.Near}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				q := bb.q
				q.Text = bb.texts[len(took)%len(bb.texts)]
				began := time.Now()
				if _, _, err := s.Products(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
		})
	}
	b.Run("pages", func(b *testing.B) {
		// Turns the pages of everything that has an egg in its name.
		q := store.ProductQuery{Text: "蛋", Page: store.Page{Limit: store.MaxLimit}}
		for b.Loop() {
			_, next, err := s.Products(b.Context(), q)
			if err != nil {
				b.Fatal(err)
			}
			q.Cursor = next
		}
	})
}

// BenchmarkStock times the questions about stock that a tool call is made of,
// over 1,000 shops with 500 products each.
func BenchmarkStock(b *testing.B, open Open) {
	c := Large(1000, 500)
	s := open(b, c)
	shop := func(i int) store.Shop { return c.Shops[i*37%len(c.Shops)] }
	product := func(i int) store.Product { return c.Products[i*53%len(c.Products)] }
	ctx := b.Context()

	for _, bb := range []struct {
		name string
		ask  func(i int) error
	}{
		{"Level", func(i int) error {
			_, err := s.Level(ctx, shop(i).ID, product(i).ID)
			return err
		}},
		{"check_stock", func(i int) error { return checkStock(ctx, s, product(i).Name, shop(i).Name) }},
		{"Products/id", func(i int) error { _, err := s.Product(ctx, product(i).ID); return err }},
		{"Products/shop", func(i int) error {
			_, _, err := s.Products(ctx, store.ProductQuery{Text: "茶", ShopID: shop(i).ID})
			return err
		}},
		{"Products/chain", func(i int) error {
			_, _, err := s.Products(ctx, store.ProductQuery{Text: "茶", Chain: shop(i).Chain, InStock: true})
			return err
		}},
		{"Shops/part", func(i int) error {
			_, _, err := s.Shops(ctx, store.ShopQuery{Text: "牛奶"})
			return err
		}},
		{"Shops/near", func(i int) error {
			_, _, err := s.Shops(ctx, store.ShopQuery{Near: shop(i).Location})
			return err
		}},
		{"Shops/slip", func(i int) error {
			_, _, err := s.Shops(ctx, store.ShopQuery{Text: "第一便利牛乃3店", Match: store.Near})
			return err
		}},
		{"Levels", func(i int) error {
			_, _, err := s.Levels(ctx, store.LevelQuery{ProductID: product(i).ID})
			return err
		}},
		{"Total", func(i int) error { _, err := s.Total(ctx, product(i).ID, ""); return err }},
		{"Total/chain", func(i int) error { _, err := s.Total(ctx, product(i).ID, shop(i).Chain); return err }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := bb.ask(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// checkStock answers who names a product and a shop.
func checkStock(ctx context.Context, s store.Store, product, shop string) error {
	products, _, err := s.Products(ctx, store.ProductQuery{Text: product, Match: store.Exact})
	if err != nil || len(products) == 0 {
		return fmt.Errorf("product %q: %d found, %w", product, len(products), err)
	}
	shops, _, err := s.Shops(ctx, store.ShopQuery{Text: shop, Match: store.Exact})
	if err != nil || len(shops) == 0 {
		return fmt.Errorf("shop %q: %d found, %w", shop, len(shops), err)
	}
	if _, err = s.Chains(ctx, shop, store.Exact, 2); err != nil {
		return err
	}
	_, err = s.Level(ctx, shops[0].ID, products[0].ID)
	return err
}

// BenchmarkLedger times changes of the stock, and questions while it changes,
// over 1,000 shops with 500 products each.
func BenchmarkLedger(b *testing.B, open Open) {
	c := Large(1000, 500)
	s := open(b, c)
	ctx := b.Context()
	var n atomic.Int64
	deliver := func() error {
		i := int(n.Add(1))
		shop, product := c.Shops[i*37%len(c.Shops)].ID, c.Products[i*53%len(c.Products)].ID
		_, err := s.Move(ctx, store.Move{ShopID: shop, ProductID: product, Delta: 1, Reason: store.Delivery, Once: store.Once{Key: fmt.Sprint(i)}})
		return err
	}
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("Move/writers=%d", writers), func(b *testing.B) {
			var wg sync.WaitGroup
			work := make(chan struct{})
			for range writers {
				wg.Go(func() {
					for range work {
						if err := deliver(); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "movements/s")
		})
	}
	b.Run("check_stock/while-writing", func(b *testing.B) {
		stop, written := make(chan struct{}), n.Load()
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := deliver(); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
		for i := 0; b.Loop(); i++ {
			if err := checkStock(ctx, s, c.Products[i*53%len(c.Products)].Name, c.Shops[i*37%len(c.Shops)].Name); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n.Load()-written)/b.Elapsed().Seconds(), "movements/s")
		close(stop)
		wg.Wait()
	})
	for _, bb := range []struct {
		name string
		q    store.LowStockQuery
	}{
		{"everywhere", store.LowStockQuery{}},
		{"chain", store.LowStockQuery{Chain: c.Shops[0].Chain}},
		{"shop", store.LowStockQuery{ShopID: c.Shops[0].ID}},
		{"none-left", store.LowStockQuery{Threshold: new(int64)}},
	} {
		b.Run("LowStock/"+bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.LowStock(ctx, bb.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
