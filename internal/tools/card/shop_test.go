package card_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tools"
)

// shop is a server of stock on loopback, as mcpstore serves it.
type shop struct {
	t        *testing.T
	mcp      *mcpserver.MCPServer
	endpoint string
	tab      *tab // in which its questions are asked, one after another
}

const (
	hostileProduct = `<img src=x onerror="document.title='owned'">蛋`
	hostileStore   = `</ul><script>document.title='owned'</script>店`
)

// stock is the demo data, a chain of 200 stores, and names that would like to
// be more than names.
func stock() store.Catalog {
	c := demo.Catalog()
	c.Products = append(c.Products,
		store.Product{ID: "mug", SKU: "MUG-1", Name: "限定馬克杯", Names: map[string]string{"en": "Limited mug"}, Unit: "個", Price: "350", Currency: "TWD", ReorderPoint: 5},
		store.Product{ID: "hostile", Name: hostileProduct, Unit: "<b>個</b>"},
	)
	c.Chains = append(c.Chains, store.Chain{Name: "好鄰居"})
	cities := []string{"臺北", "新北", "桃園", "臺中", "臺南", "高雄"}
	for i := range 200 {
		id := fmt.Sprintf("neighbour-%d", i+1)
		c.Shops = append(c.Shops, store.Shop{ID: id, Name: fmt.Sprintf("好鄰居 %s第%d店", cities[i%len(cities)], i+1), Chain: "好鄰居"})
		n := int64((i*37)%90 + 1)
		c.Levels = append(c.Levels, store.CatalogLevel{ShopID: id, ProductID: "mug", OnHand: n, Reserved: n / 6})
	}
	c.Shops = append(c.Shops, store.Shop{ID: "hostile", Name: hostileStore})
	c.Levels = append(c.Levels, store.CatalogLevel{ShopID: "hostile", ProductID: "hostile", OnHand: 7})
	return c
}

// newfoundland is where the shops are, and no reader is.
var newfoundland = time.FixedZone("Newfoundland", -(3*60+30)*60)

func openShop(t *testing.T) *shop {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "store.db"),
		Seed: stock,
		Now:  func() time.Time { return time.Now().Add(-12 * time.Minute) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	quiet := slog.New(slog.DiscardHandler)
	s := &shop{t: t, mcp: tools.New(db, tools.Config{AllowWrites: true, Location: newfoundland, Log: quiet})}
	http := httptest.NewServer(server.New(server.Config{MCP: s.mcp, Local: true, Log: quiet}))
	t.Cleanup(http.Close)
	s.endpoint = http.URL + "/mcp"
	return s
}

// do calls a tool that must do what it is told.
func (s *shop) do(tool string, arguments map[string]any) map[string]any {
	s.t.Helper()
	request, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call",
		"params": map[string]any{"name": tool, "arguments": arguments},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	response, ok := s.mcp.HandleMessage(s.t.Context(), request).(mcp.JSONRPCResponse)
	if !ok {
		s.t.Fatalf("%s %v failed", tool, arguments)
	}
	raw, err := json.Marshal(response.Result)
	if err != nil {
		s.t.Fatal(err)
	}
	var result struct {
		IsError           bool
		Content           []struct{ Text string }
		StructuredContent map[string]any
	}
	if err := json.Unmarshal(raw, &result); err != nil || result.IsError {
		s.t.Fatalf("%s %v = %s, %v", tool, arguments, raw, err)
	}
	return result.StructuredContent
}

// receive adds stock of a product to a store, with an expiry date that many days
// from today.
func (s *shop) receive(shopID, product string, n, days int) {
	s.t.Helper()
	s.do("record_movement", map[string]any{
		"store": shopID, "product": product, "delta": n, "reason": "delivery",
		"expiry": time.Now().AddDate(0, 0, days).Format(time.DateOnly),
	})
}
