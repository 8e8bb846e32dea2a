package tools

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// coast has shops on a line to the east, one that is nobody knows where, and
// levels enough for pages.
func coast() store.Catalog {
	var c store.Catalog
	c.Products = []store.Product{{ID: "p", Name: "魚丸", Unit: "顆"}}
	for i, id := range []string{"a", "b", "c", "d"} {
		c.Shops = append(c.Shops, store.Shop{ID: id, Name: "海岸 " + id, Location: &store.Location{Latitude: 0, Longitude: float64(i)}})
		c.Levels = append(c.Levels, store.CatalogLevel{ShopID: id, ProductID: "p", OnHand: int64(i)})
	}
	c.Shops = append(c.Shops, store.Shop{ID: "z", Name: "海岸 z"})
	return c
}

// ids are the IDs in a list of an answer.
func ids(list any) (out string) {
	items, _ := list.([]any)
	for _, item := range items {
		id, _ := item.(map[string]any)["id"].(string)
		out += id
	}
	return out
}

func TestListStoresByDistance(t *testing.T) {
	srv := serve(open(t, coast))
	location := func(latitude, longitude any) map[string]any {
		return map[string]any{"openai/userLocation": map[string]any{"city": "?", "latitude": latitude, "longitude": longitude}}
	}
	near := map[string]any{"near": map[string]any{"latitude": 0, "longitude": 2.9}}
	for _, test := range []struct {
		name            string
		arguments, meta map[string]any
		want, sorted    string
	}{
		{"by name without a place", nil, nil, "abcdz", "name"},
		{"from near", near, nil, "dcbaz", "distance"},
		{"from where the user is", nil, location(0, 1.1), "bcadz", "distance"},
		{"from where the user is, quoted", nil, location("0", "1.1"), "bcadz", "distance"},
		{"near before the user", near, location(0, 1.1), "dcbaz", "distance"},
		{"from off the globe", nil, location(91, 0), "abcdz", "name"},
		{"from no number", nil, location("NaN", "x"), "abcdz", "name"},
		{"from half a place", nil, location(0, nil), "abcdz", "name"},
	} {
		_, out := call(t, srv, "list_stores", test.arguments, test.meta)
		if got := ids(out.StructuredContent["stores"]); got != test.want || out.StructuredContent["sorted_by"] != test.sorted {
			t.Errorf("%s: %s by %v, want %s by %s", test.name, got, out.StructuredContent["sorted_by"], test.want, test.sorted)
		}
	}
}

func TestPagesContinueWhereTheyEnded(t *testing.T) {
	srv := serve(open(t, coast))
	for _, test := range []struct {
		tool, list, want string
		arguments        map[string]any
	}{
		{"list_stores", "stores", "abcdz", map[string]any{}},
		{"list_stores", "stores", "dcbaz", map[string]any{"near": map[string]any{"latitude": 0, "longitude": 2.9}}},
		{"check_stock", "stores", "dcb", map[string]any{"product": "魚丸"}},
	} {
		got := ""
		test.arguments["limit"] = 2
		for range 5 {
			_, out := call(t, srv, test.tool, test.arguments, nil)
			got += ids(out.StructuredContent[test.list])
			if test.tool == "check_stock" && out.StructuredContent["available"] != 6.0 {
				t.Errorf("check_stock on a page counts %v, want all 6", out.StructuredContent["available"])
			}
			next, ok := out.StructuredContent["next_cursor"]
			if !ok {
				break
			}
			test.arguments["cursor"] = next
		}
		if got != test.want {
			t.Errorf("%s in pages of 2 = %s, want %s", test.tool, got, test.want)
		}
		text, out := call(t, srv, test.tool, map[string]any{"product": "魚丸", "cursor": "made up"}, nil)
		if test.tool == "list_stores" {
			text, out = call(t, srv, test.tool, map[string]any{"cursor": "made up"}, nil)
		}
		if want := "cursor must be the next_cursor of the page before, sent with the same other arguments; leave it out for the first page"; !out.IsError || text != want {
			t.Errorf("%s with a cursor made up: isError %v, %q", test.tool, out.IsError, text)
		}
	}
}

func TestKilometres(t *testing.T) {
	taipei, kaohsiung := store.Location{Latitude: 25.0478, Longitude: 121.5170}, store.Location{Latitude: 22.6394, Longitude: 120.3025}
	if got := kilometres(taipei, kaohsiung); math.Abs(got-295) > 2 {
		t.Errorf("Taipei to Kaohsiung is %.1f km, want about 295", got)
	}
	antipode := store.Location{Latitude: -taipei.Latitude, Longitude: taipei.Longitude - 180}
	if got := kilometres(taipei, antipode); math.Abs(got-20015) > 5 {
		t.Errorf("to the other side of the globe it is %.1f km, want about 20015", got)
	}
}

func TestModernResultsNameTheServerBriefly(t *testing.T) {
	_, out := call(t, serve(open(t, coast)), "check_stock", map[string]any{"product": "魚丸"}, modern)
	server, _ := out.Meta["io.modelcontextprotocol/serverInfo"].(map[string]any)
	if server["name"] != "mcpstore" || server["version"] != "1.2.3" || server["icons"] != nil {
		t.Errorf("serverInfo = %v, want name and version only", server)
	}
}

func TestPagesOfAnAddressContinueWhereTheyEnded(t *testing.T) {
	srv := serve(open(t, demo.Catalog))
	arguments := map[string]any{"query": "台北", "limit": 1}
	var pages []string
	for range 6 {
		_, out := call(t, srv, "list_stores", arguments, nil)
		pages = append(pages, ids(out.StructuredContent["stores"]))
		next, more := out.StructuredContent["next_cursor"]
		if !more {
			break
		}
		arguments["cursor"] = next
	}
	if diff := cmp.Diff([]string{"koko-xinyi", "koko-daan", "koko-ximen", "orange-daan"}, pages); diff != "" {
		t.Errorf("stores in 台北, one a page (-want +got):\n%s", diff)
	}
}
