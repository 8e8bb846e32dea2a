package storetest

import (
	"sync"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// BenchmarkAccess times what every request is let in by: while nobody writes,
// while calls are recorded, and while stock is moved.
func BenchmarkAccess(b *testing.B, open Open) {
	s := open(b, sample())
	ctx := b.Context()
	api, err := s.AddToken(ctx, apiToken("ci"))
	if err != nil {
		b.Fatal(err)
	}
	call := store.Call{Caller: "token:1", Name: "ci", Tool: "check_stock", Arguments: `{"product":"茶葉蛋"}`, Outcome: "ok"}
	for _, bb := range []struct {
		name      string
		meanwhile func() error // nil for nothing
	}{
		{"Token", nil},
		{"Token/while-recording", func() error { return s.Record(ctx, []store.Call{call}, nil) }},
		{"Token/while-moving", func() error {
			_, err := s.Move(ctx, store.Move{ShopID: "koko-daan", ProductID: "tea-egg", Delta: 1, Reason: store.Delivery})
			return err
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			stop := make(chan struct{})
			var wg sync.WaitGroup
			if bb.meanwhile != nil {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							if err := bb.meanwhile(); err != nil {
								b.Error(err)
								return
							}
						}
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Token(ctx, api.Hash); err != nil {
					b.Fatal(err)
				}
			}
			close(stop)
			wg.Wait()
		})
	}
}
