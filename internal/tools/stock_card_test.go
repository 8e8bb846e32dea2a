package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/tools/card"
)

func TestToolsThatShowACardSaySo(t *testing.T) {
	got := make(map[string]bool)
	for _, tool := range tools(t, New(nil, Config{AllowWrites: true, Connector: new(Connector)})) {
		ui, _ := tool.Meta["ui"].(map[string]any)
		if ui != nil && ui["resourceUri"] != card.URI() {
			t.Errorf("%s shows %v, want %s", tool.Name, ui, card.URI())
		}
		if ui != nil {
			got[tool.Name] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"check_stock": true, "list_low_stock": true, "list_expiring": true}, got); diff != "" {
		t.Errorf("tools with a card (-want +got):\n%s", diff)
	}
}

func TestClientsAreToldOfCards(t *testing.T) {
	for method, params := range map[string]map[string]any{
		"server/discover": {"_meta": modern},
		"initialize":      {"protocolVersion": "2025-11-25", "clientInfo": map[string]any{"name": "x", "version": "1"}, "capabilities": map[string]any{}},
	} {
		var out struct {
			Capabilities struct {
				Extensions map[string]struct{ MimeTypes []string }
			}
		}
		if err := json.Unmarshal(rpc(t, serve(nil), method, params).Result, &out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{card.MIMEType}, out.Capabilities.Extensions[uiExtension].MimeTypes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
	}
}

// Hosts keep the address of a card for as long as a conversation lasts.
func TestTheCardIsReadUnderItsAddressAndOlderOnes(t *testing.T) {
	s := openShop(t)
	for _, uri := range []string{card.URI(), "ui://mcpstore/stock-card-00000000.html"} {
		var out struct {
			Contents []struct {
				URI, MIMEType, Text string
				Meta                map[string]any `json:"_meta"`
			}
		}
		r := rpc(t, s.srv, "resources/read", map[string]any{"uri": uri})
		if r.Error != nil {
			t.Fatalf("%s: %+v", uri, r.Error)
		}
		if err := json.Unmarshal(r.Result, &out); err != nil || len(out.Contents) != 1 {
			t.Fatal(err, out)
		}
		c := out.Contents[0]
		if c.MIMEType != card.MIMEType || c.Text != card.HTML() || c.Meta["ui"] == nil {
			t.Errorf("%s: %s, %d bytes, _meta %v", uri, c.MIMEType, len(c.Text), c.Meta)
		}
	}
	for _, uri := range []string{"ui://mcpstore/another.html", "ui://mcpstore/stock-card-xyz.html", "ui://other/stock-card-00000000.html"} {
		if r := rpc(t, s.srv, "resources/read", map[string]any{"uri": uri}); r.Error == nil {
			t.Errorf("%s was read", uri)
		}
	}
	if list := rpc(t, s.srv, "resources/list", nil); strings.Contains(string(list.Result), "ui://") {
		t.Errorf("the list of stores has the card: %s", list.Result)
	}
}
