package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testSecret(t *testing.T, d *desk) {
	var mu sync.Mutex
	secrets := map[string][]byte{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprint("name ", i%2)
			got, err := d.Secret(t.Context(), name)
			if err != nil || len(got) != 32 {
				t.Errorf("Secret = %d bytes, %v, want 32", len(got), err)
			}
			mu.Lock()
			defer mu.Unlock()
			if first, ok := secrets[name]; ok && !bytes.Equal(first, got) {
				t.Errorf("secret %q is not the same for all", name)
			}
			secrets[name] = got
		})
	}
	wg.Wait()
	if bytes.Equal(secrets["name 0"], secrets["name 1"]) {
		t.Error("two names have the same secret")
	}
}

func testWatch(t *testing.T, d *desk) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan store.Changes, 1000)
	ended := make(chan error, 1)
	go func() { ended <- d.Watch(ctx, func(c store.Changes) { told <- c }) }()

	// It may take a moment to begin, so what shows that it has is done again.
	began := false
	for !began {
		d.must(deliver("a1", 1, ""))
		select {
		case <-told:
			began = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	d.must(store.Move{ShopID: "b1", ProductID: "tea", Delta: 1, Reason: store.Delivery})
	waitFor(t, told, store.Changes{Shops: []string{"b1"}, Products: []string{"tea"}})
	d.must(store.Transfer{FromShopID: "a1", ToShopID: "a2", ProductID: "tea", Quantity: 1})
	waitFor(t, told, store.Changes{Shops: []string{"a1", "a2"}, Products: []string{"tea"}})
	d.must(reserve("b1", 1))
	waitFor(t, told, store.Changes{Shops: []string{"b1"}, Products: []string{"egg"}})
	d.wait(store.DefaultHold) // nobody asks, but it ends
	waitFor(t, told, store.Changes{Shops: []string{"b1"}, Products: []string{"egg"}})
	d.wait(8 * time.Hour) // past midnight, when what ended with the day has expired
	for timeout := time.After(5 * time.Second); ; {
		select {
		case c := <-told:
			if !c.All {
				continue
			}
		case <-timeout:
			t.Error("Watch did not tell that a day is over")
		}
		break
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v, want context.Canceled", err)
	}
}

// waitFor waits until all of want was told, perhaps in parts.
func waitFor(t *testing.T, told <-chan store.Changes, want store.Changes) {
	t.Helper()
	timeout := time.After(5 * time.Second)
	var shops, products []string
	for {
		all := true
		for _, id := range want.Shops {
			all = all && slices.Contains(shops, id)
		}
		for _, id := range want.Products {
			all = all && slices.Contains(products, id)
		}
		if all {
			return
		}
		select {
		case c := <-told:
			shops, products = append(shops, c.Shops...), append(products, c.Products...)
		case <-timeout:
			t.Fatalf("%+v was not told, but shops %q and products %q", want, shops, products)
		}
	}
}

// testLastOne lets many sell what only one of them can.
func testLastOne(t *testing.T, d *desk) {
	d.must(store.Count{ShopID: "a1", ProductID: "egg", Quantity: 1})
	for range 5 {
		var sold atomic.Int64
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				request := any(sell("a1", 1))
				if i%4 == 0 {
					request = store.Transfer{FromShopID: "a1", ToShopID: "b1", ProductID: "egg", Quantity: 1}
				}
				_, err := ask(t.Context(), d.Stock, request)
				var insufficient *store.InsufficientError
				switch {
				case err == nil:
					sold.Add(1)
				case !errors.As(err, &insufficient):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := sold.Load(); n != 1 {
			t.Fatalf("the last one was sold %d times", n)
		}
		d.must(deliver("a1", 1, ""))
	}
}

// What one product in one shop is asked at once, and answers.
type (
	shelfInput struct {
		op string // "sell", "deliver", "reserve", "release" or "read"
		n  int64
	}
	shelfOutput struct {
		done  bool
		level store.Level // of a read
	}
)

// shelfModel is what one at a time would do.
var shelfModel = porcupine.Model{
	Init: func() any { return store.Level{OnHand: 3} },
	Step: func(state, input, output any) (bool, any) {
		l, in, out := state.(store.Level), input.(shelfInput), output.(shelfOutput)
		enough := l.Available() >= in.n
		switch in.op {
		case "read":
			return out.level == l, l
		case "deliver":
			l.OnHand += in.n
			return out.done, l
		case "release":
			l.Reserved -= in.n
			return out.done, l
		case "sell":
			if enough {
				l.OnHand -= in.n
			}
		case "reserve":
			if enough {
				l.Reserved += in.n
			}
		}
		return out.done == enough, l
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v: %+v", input, output)
	},
}

// testLinearizable changes one level from many goroutines, and looks for an
// order in which one alone could have had the same answers.
func testLinearizable(t *testing.T, d *desk) {
	for round := range 4 {
		for _, r := range pages(t, store.MaxLimit, func(p store.Page) ([]store.Reservation, string, error) {
			return d.Reservations(t.Context(), store.ReservationQuery{Page: p})
		}) {
			d.must(store.Release{Reservation: r.ID})
		}
		d.must(store.Count{ShopID: "a1", ProductID: "egg", Quantity: 3})
		began := time.Now()
		var mu sync.Mutex
		var history []porcupine.Operation
		var wg sync.WaitGroup
		for client := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(round), uint64(client)))
				var held *store.Reservation
				for range 8 {
					in := shelfInput{op: "read"}
					var request any
					switch k := random.IntN(8); {
					case held != nil && k < 4:
						in, request = shelfInput{"release", held.Quantity}, store.Release{Reservation: held.ID}
					case k < 3:
						in = shelfInput{"sell", 1 + int64(k)/2}
						request = sell("a1", in.n)
					case k == 3:
						in, request = shelfInput{"deliver", 1}, deliver("a1", 1, "")
					case k < 7 && held == nil:
						in = shelfInput{"reserve", 1 + int64(k)%2}
						request = reserve("a1", in.n)
					}
					call := time.Since(began)
					out, made, err := askShelf(t.Context(), d, request)
					if err != nil {
						t.Error(err)
						return
					}
					returned := time.Since(began)
					if out.done && (in.op == "reserve" || in.op == "release") {
						held = made // nil when released
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call.Nanoseconds(), Output: out, Return: returned.Nanoseconds()})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if result := porcupine.CheckOperationsTimeout(shelfModel, history, 10*time.Second); result != porcupine.Ok {
			t.Fatalf("round %d: %s: no order explains these answers: %+v", round, result, history)
		}
	}
}

// askShelf makes a request, or reads where it is nil. It returns the reservation
// that is held afterwards.
func askShelf(ctx context.Context, d *desk, request any) (shelfOutput, *store.Reservation, error) {
	if request == nil {
		l, err := d.Level(ctx, "a1", "egg")
		return shelfOutput{level: store.Level{OnHand: l.OnHand, Reserved: l.Reserved}}, nil, err
	}
	receipt, err := ask(ctx, d.Stock, request)
	var insufficient *store.InsufficientError
	if errors.As(err, &insufficient) {
		return shelfOutput{}, nil, nil
	}
	if r := receipt.Reservation; r != nil && r.State == store.Held {
		return shelfOutput{done: true}, r, err
	}
	return shelfOutput{done: true}, nil, err
}
