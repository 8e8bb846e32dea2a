package tools

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/google/go-cmp/cmp"
)

// connect serves the demo data with search and fetch.
func connect(t *testing.T) (*shop, *mcpserver.MCPServer) {
	t.Helper()
	s := openShop(t)
	page := func(kind string) func(string) string {
		return func(id string) string { return "https://shop.example/" + kind + "/" + url.PathEscape(id) }
	}
	return s, New(s.db, Config{Connector: &Connector{ShopPage: page("s"), ProductPage: page("p")}, Now: s.clock})
}

// said is a result's data, which its text must say too.
func said[T any](t *testing.T, text string, out result) (v T) {
	t.Helper()
	var structured T
	data, err := json.Marshal(out.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &structured); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if diff := cmp.Diff(structured, v, cmp.AllowUnexported(document{})); diff != "" {
		t.Errorf("the text is not the structured content (-structured +text):\n%s", diff)
	}
	return v
}

func TestConnectorToolsExistWhereTheyAreAskedFor(t *testing.T) {
	has := func(srv *mcpserver.MCPServer) bool {
		return srv.GetTool("search") != nil || srv.GetTool("fetch") != nil
	}
	_, with := connect(t)
	if !has(with) || has(serve(nil)) {
		t.Errorf("with the connector %v, without %v", has(with), has(serve(nil)))
	}
}

func TestSearchFindsProductsAndStores(t *testing.T) {
	_, srv := connect(t)
	for query, want := range map[string][]string{
		"茶葉蛋":              {"茶葉蛋"},
		"茶叶蛋":              {"茶葉蛋"},
		"tea egg":          {"Tea egg"},
		"KOKO便利店的茶葉蛋還有幾個":  {"茶葉蛋"},
		"信義店":              {"KOKO便利店 信義店"},
		"KOKO便利店 信義店 茶葉蛋":  {"茶葉蛋", "KOKO便利店 信義店"},
		"庫存 茶葉蛋 御飯糰":       {"茶葉蛋"},
		"zzzz nothing zzz": nil,
	} {
		text, out := call(t, srv, "search", map[string]any{"query": query}, nil)
		found := said[foundDocuments](t, text, out)
		var titles []string
		for _, r := range found.Results {
			titles = append(titles, r.Title)
			u, err := url.Parse(r.URL)
			if err != nil || !u.IsAbs() || r.ID == "" {
				t.Errorf("%q: result %+v", query, r)
			}
		}
		for _, title := range want {
			if !slices.Contains(titles, title) {
				t.Errorf("search %q finds %q, without %q", query, titles, title)
			}
		}
		if want == nil && (len(titles) > 0 || text != `{"results":[]}`) {
			t.Errorf("search %q finds %q: %s", query, titles, text)
		}
	}
}

func TestFetchReadsWhatSearchFound(t *testing.T) {
	_, srv := connect(t)
	for query, words := range map[string][]string{
		"茶葉蛋":         {"茶葉蛋", "信義店：5 顆"},
		"KOKO便利店 信義店": {"KOKO便利店 信義店", "茶葉蛋：5 顆"},
	} {
		text, out := call(t, srv, "search", map[string]any{"query": query}, nil)
		first := said[foundDocuments](t, text, out).Results[0]
		text, out = call(t, srv, "fetch", map[string]any{"id": first.ID}, nil)
		got := said[document](t, text, out)
		if got.documentRef != first {
			t.Errorf("fetch %s = %+v, want %+v", first.ID, got.documentRef, first)
		}
		for _, word := range words {
			if !strings.Contains(got.Text, word) {
				t.Errorf("fetch %s is without %q:\n%s", first.ID, word, got.Text)
			}
		}
		if got.Metadata["kind"] == "" {
			t.Errorf("metadata = %v", got.Metadata)
		}
	}
}

func TestFetchOfWhatIsNotThereSaysWhatToSend(t *testing.T) {
	_, srv := connect(t)
	for _, id := range []string{"product://nothing", "store://nothing", "TEA-EGG", "https://shop.example/p/x", "ui://x"} {
		text, out := call(t, srv, "fetch", map[string]any{"id": id}, nil)
		if !out.IsError || !strings.Contains(text, "send the id of a result of search") {
			t.Errorf("fetch %q: %v %s", id, out.IsError, text)
		}
	}
}

func TestAFingerprintIsOfWhatIsToldOfTools(t *testing.T) {
	plain, again := Fingerprint(serve(nil)), Fingerprint(serve(nil))
	if plain == "" || plain != again {
		t.Errorf("%q, then %q", plain, again)
	}
	_, connected := connect(t)
	for name, other := range map[string]*mcpserver.MCPServer{
		"writes":    New(nil, Config{AllowWrites: true}),
		"auth":      New(nil, Config{Auth: &Auth{OAuth: true}}),
		"connector": connected,
	} {
		if Fingerprint(other) == plain {
			t.Errorf("with %s it is the same", name)
		}
	}
	if Fingerprint(New(nil, Config{Version: "9.9.9"})) != plain {
		t.Error("another version of the same tools is another")
	}
}
