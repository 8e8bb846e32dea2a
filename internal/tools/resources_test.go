package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// read reads a resource and returns its JSON.
func read(t *testing.T, r response) map[string]any {
	t.Helper()
	var out struct {
		Contents []struct{ URI, MIMEType, Text string }
	}
	if r.Error != nil {
		t.Fatalf("resources/read: %d %s", r.Error.Code, r.Error.Message)
	}
	if err := json.Unmarshal(r.Result, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Contents) != 1 || out.Contents[0].MIMEType != "application/json" {
		t.Fatalf("contents = %v, want one of JSON", out.Contents)
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(out.Contents[0].Text), &data); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadResources(t *testing.T) {
	odd := func() store.Catalog {
		c := town()
		c.Shops = append(c.Shops, store.Shop{ID: "大安/1 號?#%", Name: "奇怪的店"})
		return c
	}
	srv := serve(open(t, odd))
	for _, test := range []struct{ uri, id, name string }{
		{"store://k1", "k1", "KOKO便利店 大安店"},
		{uriOf("store://", "大安/1 號?#%"), "大安/1 號?#%", "奇怪的店"},
		{"store://大安/1 號?#%25", "大安/1 號?#%", "奇怪的店"}, // by hand
	} {
		data := read(t, rpc(t, srv, "resources/read", map[string]any{"uri": test.uri}))
		if data["id"] != test.id || data["name"] != test.name {
			t.Errorf("%s = %v, want %s, %s", test.uri, data, test.id, test.name)
		}
	}
	data := read(t, rpc(t, srv, "resources/read", map[string]any{"uri": "product://p1"}))
	if p, _ := data["product"].(map[string]any); p["name"] != "茶葉蛋" || data["status"] != "not_carried" {
		t.Errorf("product://p1 = %v", data)
	}
}

func TestUnknownResourceIsNotFound(t *testing.T) {
	srv := serve(open(t, town))
	for _, uri := range []string{"store://nope", "product://nope", "store://", "store://%zz", "product://p1/x", "shop://k1", "nonsense", ""} {
		for meta, want := range map[string]int{"2025": -32002, "2026": -32602} {
			params := map[string]any{"uri": uri}
			if meta == "2026" {
				params["_meta"] = modern
			}
			r := rpc(t, srv, "resources/read", params)
			if r.Error == nil || r.Error.Code != want || !strings.Contains(r.Error.Message, "not found") {
				t.Errorf("%s: read %q = %s, %+v, want error %d", meta, uri, r.Result, r.Error, want)
			} else if rest, ok := strings.CutPrefix(r.Error.Message, "handler not found for resource URI '"+uri+" (nothing has this ID; "); !ok || strings.Contains(rest, "://") {
				t.Errorf("%s: read %q: %q, want the URI once, and what to do", meta, uri, r.Error.Message)
			}
		}
	}
}

func TestStoreResourcesArePaged(t *testing.T) {
	many := func() store.Catalog {
		var c store.Catalog
		for i := range 230 {
			c.Shops = append(c.Shops, store.Shop{ID: fmt.Sprint("s", i), Name: fmt.Sprintf("店 %03d", i)})
		}
		return c
	}
	srv := serve(open(t, many))
	type page struct {
		Resources  []struct{ URI, Name string }
		NextCursor string
	}
	seen := map[string]bool{}
	var sizes []int
	params := map[string]any{}
	for {
		r := rpc(t, srv, "resources/list", params)
		if r.Error != nil {
			t.Fatal(r.Error)
		}
		var p page
		if err := json.Unmarshal(r.Result, &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Resources {
			seen[r.URI] = true
		}
		sizes = append(sizes, len(p.Resources))
		if p.NextCursor == "" {
			break
		}
		params["cursor"] = p.NextCursor
	}
	if len(seen) != 230 || fmt.Sprint(sizes) != "[100 100 30]" {
		t.Errorf("%d resources on pages of %v, want 230 on pages of [100 100 30]", len(seen), sizes)
	}
	for _, cursor := range []string{"bm9uc2Vuc2U=", "not base64!"} {
		if r := rpc(t, srv, "resources/list", map[string]any{"cursor": cursor}); r.Error == nil || r.Error.Code != -32602 {
			t.Errorf("cursor %q: %s, %v, want error -32602", cursor, r.Result, r.Error)
		}
	}
}

// Mcp-go would take any cursor, and leave out what sorts before it.
func TestListsOfOnePageRefuseCursors(t *testing.T) {
	srv := serve(open(t, town))
	for _, method := range []string{"tools/list", "prompts/list", "resources/templates/list"} {
		if r := rpc(t, srv, method, map[string]any{}); r.Error != nil {
			t.Errorf("%s: %+v", method, r.Error)
		}
		for _, cursor := range []string{"eno=", "!", "AAAA"} {
			if r := rpc(t, srv, method, map[string]any{"cursor": cursor}); r.Error == nil || r.Error.Code != -32602 {
				t.Errorf("%s with the cursor %q: %s, %+v, want error -32602", method, cursor, r.Result, r.Error)
			}
		}
	}
}
