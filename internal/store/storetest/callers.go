package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testAnswersBelongToCallers writes into answers and asks again.
func testAnswersBelongToCallers(t *testing.T, s store.Stock) {
	ctx := t.Context()
	for range 2 {
		products, _, err := s.Products(ctx, store.ProductQuery{Text: "茶葉蛋", Match: store.Exact})
		if err != nil {
			t.Fatal(err)
		}
		want := find(t, sample().Products, "tea-egg", productID)
		if diff := cmp.Diff([]store.Product{want}, products); diff != "" {
			t.Fatalf("Products (-want +got):\n%s", diff)
		}
		products[0].Name, products[0].Names["en"], products[0].Aliases[0], products[0].Barcodes[0] = "x", "x", "x", "x"

		shops, _, err := s.Shops(ctx, store.ShopQuery{Text: "koko-daan", Match: store.Exact})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]store.Shop{find(t, sample().Shops, "koko-daan", shopID)}, shops); diff != "" {
			t.Fatalf("Shops (-want +got):\n%s", diff)
		}
		shops[0].Name, shops[0].Location.Latitude, shops[0].Aliases[0] = "x", 0, "x"

		chains, err := s.Chains(ctx, "koko", store.Exact, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]store.Chain{{Name: "KOKO便利店", Aliases: []string{"KOKO", "扣扣"}, Shops: 3}}, chains); diff != "" {
			t.Fatalf("Chains (-want +got):\n%s", diff)
		}
		chains[0].Name, chains[0].Aliases[0] = "x", "x"
	}
}

// questions are one of each that a store answers.
var questions = map[string]func(context.Context, store.Stock) error{
	"Summary": func(ctx context.Context, s store.Stock) error { _, err := s.Summary(ctx); return err },
	"Shop":    func(ctx context.Context, s store.Stock) error { _, err := s.Shop(ctx, "koko-daan"); return err },
	"Product": func(ctx context.Context, s store.Stock) error { _, err := s.Product(ctx, "tea-egg"); return err },
	"Shops": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Shops(ctx, store.ShopQuery{})
		return err
	},
	"Shops exact": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Shops(ctx, store.ShopQuery{Text: "koko-daan", Match: store.Exact})
		return err
	},
	"Chains": func(ctx context.Context, s store.Stock) error {
		_, err := s.Chains(ctx, "koko", store.Exact, 5)
		return err
	},
	"Products": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Products(ctx, store.ProductQuery{Text: "蛋"})
		return err
	},
	"Products exact": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Products(ctx, store.ProductQuery{Text: "茶葉蛋", Match: store.Exact})
		return err
	},
	"Products near": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Products(ctx, store.ProductQuery{Text: "茶葉旦", Match: store.Near})
		return err
	},
	"Level": func(ctx context.Context, s store.Stock) error {
		_, err := s.Level(ctx, "koko-daan", "tea-egg")
		return err
	},
	"Levels": func(ctx context.Context, s store.Stock) error {
		_, _, err := s.Levels(ctx, store.LevelQuery{ProductID: "tea-egg"})
		return err
	},
	"Total": func(ctx context.Context, s store.Stock) error { _, err := s.Total(ctx, "tea-egg", ""); return err },
	"Ping":  func(ctx context.Context, s store.Stock) error { return s.Ping(ctx) },
}

func testEndedContext(t *testing.T, s store.Stock) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ask := range questions {
		if err := ask(ctx, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v, want context.Canceled", name, err)
		}
		if err := ask(t.Context(), s); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

func testManyAtOnce(t *testing.T, s store.Stock) {
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for name, ask := range questions {
				if err := ask(t.Context(), s); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}
