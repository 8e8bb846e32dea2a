package access_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

var (
	unknownStore       = want{200, "unknown_store"}
	unknownProduct     = want{200, "unknown_product"}
	unknownReservation = want{200, "unknown_reservation"}
	unknownMovement    = want{200, "unknown_movement"}
	badConfirmation    = want{200, "confirmation_invalid"}
)

// ownShop is what the attacker is bound to, and theirs what is another's.
const ownShop, theirs = "koko-xinyi", "koko-daan"

// bound is a token that is bound to one shop.
func (h *house) bound() string {
	h.Helper()
	text, _ := h.token(store.Token{Scopes: both, Shop: ownShop})
	return text
}

// otherShops are words by which anything says that there are other shops.
var otherShops = func() (words []string) {
	for _, s := range demo.Catalog().Shops {
		if s.ID != ownShop {
			words = append(words, s.ID, s.Name, s.Address)
		}
	}
	return words
}()

// alone fails where a reply tells of another shop more than was asked.
func (h *house) alone(asked string, r reply) reply {
	h.Helper()
	for _, word := range otherShops {
		if strings.Contains(r.body, word) && !strings.Contains(asked, word) {
			h.Errorf("%s: it tells of %s: %s", asked, word, r.body)
		}
	}
	return r
}

// names are what another shop may be called.
var names = []string{theirs, "KOKO便利店 大安店", "KOKO大安", "大安的KOKO", "大安店", "ＫＯＫＯ－ＤＡＡＮ", "KOKO-DAAN", "koko-daan ", "KOKO Da'an", "和平東路", "orange-daan", "小橘燈超商", "豆苗", "sprout-kaohsiung", "%", "_", "*", "' OR '1'='1", "koko-xinyi' OR id='koko-daan", "koko-xinyi,koko-daan", "koko-daan\x00", "store://koko-daan"}

// productElsewhere is one that the attacker's shop does not carry.
var productElsewhere = func() string {
	c := demo.Catalog()
	carried := map[string]bool{}
	for _, l := range c.Levels {
		if l.ShopID == ownShop {
			carried[l.ProductID] = true
		}
	}
	for _, p := range c.Products {
		if !carried[p.ID] {
			return p.ID
		}
	}
	panic("every shop carries everything")
}()

// args are arguments as JSON.
func args(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// number is a number in a reply.
func (h *house) number(r reply, path ...string) int64 {
	h.Helper()
	n, ok := r.member(path...).(float64)
	if !ok {
		h.Fatalf("no %v in %s", path, r.body)
	}
	return int64(n)
}

// moved is the first movement of a reply.
func (h *house) moved(r reply) int64 {
	h.Helper()
	list, _ := r.member("result", "structuredContent", "movements").([]any)
	if len(list) == 0 {
		h.Fatalf("no movements in %s", r.body)
	}
	return int64(list[0].(map[string]any)["id"].(float64))
}

const sale = `{"store":"koko-daan","product":"tea-egg","delta":-1,"reason":"sale"}`

// listens listens with a token, and returns what comes. The first is what the
// server acknowledges.
func (h *house) listens(token string, uris ...string) <-chan string {
	h.Helper()
	list, err := json.Marshal(uris)
	if err != nil {
		h.Fatal(err)
	}
	ctx, stop := context.WithTimeout(h.Context(), 20*time.Second)
	message := rpc("subscriptions/listen", `{"notifications":{"resourceSubscriptions":`+string(list)+`},`+modernMeta+`}`)
	r, err := http.NewRequestWithContext(ctx, "POST", "http://shop.example/mcp", bytes.NewReader([]byte(message)))
	if err != nil {
		h.Fatal(err)
	}
	headers := append(append(bearer(token), modern("subscriptions/listen", "")...), "Content-Type", "application/json", "Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		h.Fatalf("listening: %d", resp.StatusCode)
	}
	events := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				events <- data
			}
		}
	}()
	h.Cleanup(func() { stop(); <-done })
	return events
}
