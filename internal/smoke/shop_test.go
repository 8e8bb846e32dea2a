package smoke

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// shop is a stock to be asked about: how many there are of what.
type shop map[string]level

type level struct{ onHand, reserved int }

var teaEggs = shop{"茶葉蛋": {onHand: 14, reserved: 2}, "飯糰": {}}

// search answers search_products.
func (s shop) search() (text string, structure any) {
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(s))[:min(1, len(s))] {
		list = append(list, object{"id": "id of " + name, "name": name})
	}
	return fmt.Sprintf("%d 項商品", len(s)), object{"products": list}
}

// check answers check_stock.
func (s shop) check(product string) (text string, structure any) {
	l, ok := s[product]
	if !ok {
		return "沒有「" + product + "」", object{"status": "unknown_product"}
	}
	available := l.onHand - l.reserved
	status := "in_stock"
	if available == 0 {
		status = "out_of_stock"
	}
	return fmt.Sprintf("%s：%d 顆", product, available), object{
		"status": status, "product": object{"id": "id of " + product, "name": product},
		"on_hand": l.onHand, "reserved": l.reserved, "available": available,
	}
}

// mcpGo serves s with mcp-go, as mcpstore is built.
func (s shop) mcpGo() http.Handler {
	server := mcpserver.NewMCPServer("shop", "1", mcpserver.WithToolCapabilities(false))
	server.AddTool(mcp.NewTool("search_products", mcp.WithNumber("limit")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			text, structure := s.search()
			return mcp.NewToolResultStructured(structure, text), nil
		})
	server.AddTool(mcp.NewTool("check_stock", mcp.WithString("product", mcp.Required())),
		func(_ context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			product, err := q.RequireString("product")
			if err != nil {
				return mcp.NewToolResultError("product must be a string"), nil
			}
			text, structure := s.check(product)
			return mcp.NewToolResultStructured(structure, text), nil
		})
	endpoint := mcpserver.NewStreamableHTTPServer(server,
		mcpserver.WithStateLess(true), mcpserver.WithDisableStreaming(true), mcpserver.WithDisableLocalhostProtection(true))
	return atMCP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST, OPTIONS")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		endpoint.ServeHTTP(w, r)
	}))
}

// sdk serves s with the protocol's own SDK, which is another implementation.
func (s shop) sdk(options sdk.StreamableHTTPOptions) http.Handler {
	server := sdk.NewServer(&sdk.Implementation{Name: "shop", Version: "1"}, nil)
	type nothing struct {
		Limit int `json:"limit,omitempty"`
	}
	type question struct {
		Product string `json:"product"`
	}
	answer := func(text string, structure any) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, StructuredContent: structure}, nil, nil
	}
	sdk.AddTool(server, &sdk.Tool{Name: "search_products"},
		func(context.Context, *sdk.CallToolRequest, nothing) (*sdk.CallToolResult, any, error) {
			return answer(s.search())
		})
	sdk.AddTool(server, &sdk.Tool{Name: "check_stock"},
		func(_ context.Context, _ *sdk.CallToolRequest, q question) (*sdk.CallToolResult, any, error) {
			return answer(s.check(q.Product))
		})
	options.DisableLocalhostProtection = true
	return atMCP(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &options))
}

// atMCP serves h at /mcp and /mcp/.
func atMCP(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/mcp", h)
	mux.Handle("/mcp/{$}", h)
	return mux
}

// fault breaks a server.
type fault func(http.Handler) http.Handler

// asked is a request, as a fault sees it.
type asked struct {
	*http.Request
	ID     json.RawMessage
	Method string
	Params struct {
		Name            string
		ProtocolVersion string
		Arguments       map[string]any
	}
}

// is reports whether q asks for method at rev; an empty rev means any.
func (q asked) is(method string, rev revision) bool {
	at := cmp.Or(q.Params.ProtocolVersion, q.Header.Get("MCP-Protocol-Version"))
	return q.Method == method && (rev == "" || at == string(rev))
}

func to(method string, rev revision) func(asked) bool {
	return func(q asked) bool { return q.is(method, rev) }
}

func toTool(name string) func(asked) bool {
	return func(q asked) bool { return q.is("tools/call", "") && q.Params.Name == name }
}

// instead answers what match matches.
func instead(match func(asked) bool, answer func(http.ResponseWriter, asked)) fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(err)
			}
			q := asked{Request: r}
			_ = json.Unmarshal(body, &q) // no JSON is no match
			if r.Body = io.NopCloser(bytes.NewReader(body)); match(q) {
				answer(w, q)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// status answers with a bare HTTP status and its text.
func status(code int) func(http.ResponseWriter, asked) {
	return func(w http.ResponseWriter, _ asked) { http.Error(w, http.StatusText(code), code) }
}

// says answers with this as the JSON-RPC message, ID being the request's.
func says(message string) func(http.ResponseWriter, asked) {
	return func(w http.ResponseWriter, q asked) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, strings.ReplaceAll(message, "ID", string(q.ID)))
	}
}

// edited changes the results of what match matches.
func edited(match func(asked) bool, edit func(result object)) fault {
	return func(next http.Handler) http.Handler {
		return instead(match, func(w http.ResponseWriter, q asked) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, q.Request)
			var m object
			if err := json.Unmarshal(answer.Body.Bytes(), &m); err != nil {
				panic(err)
			}
			edit(m["result"].(object))
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(m); err != nil {
				panic(err)
			}
		})(next)
	}
}

// serve starts h with its faults, and returns its base URL.
func serve(t *testing.T, h http.Handler, faults ...fault) string {
	t.Helper()
	for _, f := range faults {
		h = f(h)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
