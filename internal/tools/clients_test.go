package tools

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// serveHTTP serves srv on loopback as the program does, and returns its URL.
func serveHTTP(t testing.TB, srv *mcpserver.MCPServer) string {
	t.Helper()
	s := httptest.NewServer(mcpserver.NewStreamableHTTPServer(srv, mcpserver.WithStateLess(true), mcpserver.WithDisableStreaming(true)))
	t.Cleanup(s.Close)
	return s.URL
}

func TestMcpGoClientListsAndCalls(t *testing.T) {
	ctx := t.Context()
	srv := serve(open(t, demo.Catalog))
	overHTTP, err := client.NewStreamableHttpClient(serveHTTP(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	inProcess, err := client.NewInProcessClient(srv)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client.Client{"HTTP": overHTTP, "in process": inProcess} {
		t.Run(name, func(t *testing.T) {
			defer c.Close()
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			var hello mcp.InitializeRequest
			hello.Params.ProtocolVersion = "2025-11-25"
			hello.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
			if _, err := c.Initialize(ctx, hello); err != nil {
				t.Fatal(err)
			}
			list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
			if err != nil || len(list.Tools) != 7 {
				t.Fatalf("ListTools = %v, %v, want 7 tools", list, err)
			}
			var q mcp.CallToolRequest
			q.Params.Name = "check_stock"
			q.Params.Arguments = map[string]any{"product": "茶葉蛋", "store": "KOKO便利店"}
			r, err := c.CallTool(ctx, q)
			if err != nil || r.IsError {
				t.Fatalf("CallTool = %+v, %v", r, err)
			}
			if out, _ := r.StructuredContent.(map[string]any); out["chain"] != "KOKO便利店" {
				t.Errorf("structuredContent = %v", out)
			}
		})
	}
}

func TestGoSDKClientListsAndCalls(t *testing.T) {
	ctx := t.Context()
	url := serveHTTP(t, serve(open(t, demo.Catalog)))
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := c.Connect(ctx, &sdk.StreamableClientTransport{Endpoint: url, DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	list, err := session.ListTools(ctx, nil)
	if err != nil || len(list.Tools) != 7 {
		t.Fatalf("ListTools = %v, %v, want 7 tools", list, err)
	}
	r, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "check_stock", Arguments: map[string]any{"product": "tea egg"}})
	if err != nil || r.IsError {
		t.Fatalf("CallTool = %+v, %v", r, err)
	}
	if out, _ := r.StructuredContent.(map[string]any); out["status"] != "in_stock" {
		t.Errorf("structuredContent = %v", out)
	}
	resources, err := session.ListResources(ctx, nil)
	if err != nil || len(resources.Resources) != 8 {
		t.Fatalf("ListResources = %v, %v, want 8 stores", resources, err)
	}
	for _, r := range resources.Resources {
		if _, err := session.ReadResource(ctx, &sdk.ReadResourceParams{URI: r.URI}); err != nil {
			t.Errorf("ReadResource(%s): %v", r.URI, err)
		}
	}
}

// An independent client makes every kind of change, in both eras: at 2026 its
// user is asked in between, before that it sends a token.
func TestGoSDKClientChangesStock(t *testing.T) {
	for era, asks := range map[string]bool{"2025-06-18": false, "2025-11-25": false, "2026-07-28": true} {
		t.Run(era, func(t *testing.T) {
			ctx := t.Context()
			s := openShop(t)
			var asked []string
			c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, &sdk.ClientOptions{
				ElicitationHandler: func(_ context.Context, q *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
					asked = append(asked, q.Params.Message)
					return &sdk.ElicitResult{Action: "accept"}, nil
				},
			})
			session, err := c.Connect(ctx,
				&sdk.StreamableClientTransport{Endpoint: serveHTTP(t, s.srv), DisableStandaloneSSE: true},
				&sdk.ClientSessionOptions{ProtocolVersion: era})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			if got := session.InitializeResult().ProtocolVersion; got != era {
				t.Fatalf("the session speaks %s, want %s", got, era)
			}
			list, err := session.ListTools(ctx, nil)
			if err != nil || len(list.Tools) != 7+len(writers) {
				t.Fatalf("ListTools = %v, %v, want %d tools", list, err, 7+len(writers))
			}
			do := func(tool string, arguments map[string]any) map[string]any {
				t.Helper()
				r, err := session.CallTool(ctx, &sdk.CallToolParams{Name: tool, Arguments: arguments})
				if err != nil || r.IsError {
					t.Fatalf("%s %v = %+v, %v", tool, arguments, r, err)
				}
				out, _ := r.StructuredContent.(map[string]any)
				if out["status"] == "confirmation_required" {
					arguments["confirmation"] = out["confirmation"]
					if r, err = session.CallTool(ctx, &sdk.CallToolParams{Name: tool, Arguments: arguments}); err != nil || r.IsError {
						t.Fatalf("%s %v = %+v, %v", tool, arguments, r, err)
					}
					out, _ = r.StructuredContent.(map[string]any)
				}
				if out["status"] != "done" && out["status"] != "found" {
					t.Fatalf("%s %v = %v", tool, arguments, out)
				}
				return out
			}
			do("record_movement", map[string]any{"store": "koko-xinyi", "product": "tea-egg", "delta": 100, "reason": "delivery", "expiry": "2026-11-05"})
			do("count_stock", map[string]any{"store": "koko-xinyi", "product": "tea-egg", "quantity": 20})
			do("transfer_stock", map[string]any{"from_store": "koko-xinyi", "to_store": "koko-ximen", "product": "tea-egg", "quantity": 5})
			held := do("reserve_stock", map[string]any{"store": "koko-ximen", "product": "tea-egg", "quantity": 1})
			do("release_reservation", map[string]any{"reservation": held["reservation"].(map[string]any)["id"]})
			do("list_low_stock", map[string]any{"store": "koko-ximen"})
			do("list_expiring", map[string]any{"store": "koko-xinyi"})
			moved := do("stock_history", map[string]any{"store": "koko-ximen", "product": "tea-egg"})
			do("undo_movement", map[string]any{"movement": moved["movements"].([]any)[0].(map[string]any)["id"]})
			s.wantLevel(t, "koko-xinyi", "tea-egg", 20, 0)
			s.wantLevel(t, "koko-ximen", "tea-egg", 0, 0)
			if want := map[bool]int{true: 3}[asks]; len(asked) != want {
				t.Errorf("the user was asked %q, want %d questions", asked, want)
			}
		})
	}
}

func TestManyCallersAtOnceGetTheirOwnAnswers(t *testing.T) {
	srv := serve(open(t, town))
	questions := map[string]string{"k1": "KOKO便利店 大安店", "g2": "好日子超市 中山店", "b1": "轉角書店", "KOKO板橋": "KOKO便利店 板橋店"}
	var callers sync.WaitGroup
	for said, want := range questions {
		for range 8 {
			callers.Go(func() {
				for range 10 {
					_, out := call(t, srv, "check_stock", map[string]any{"product": "紅茶", "store": said}, nil)
					if shop, _ := out.StructuredContent["store"].(map[string]any); shop["name"] != want {
						t.Errorf("store %q was answered for %v, want %s", said, shop, want)
					}
				}
			})
		}
	}
	callers.Wait()
}
