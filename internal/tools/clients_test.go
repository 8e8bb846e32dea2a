package tools

import (
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
			if err != nil || len(list.Tools) != 4 {
				t.Fatalf("ListTools = %v, %v, want 4 tools", list, err)
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
	if err != nil || len(list.Tools) != 4 {
		t.Fatalf("ListTools = %v, %v, want 4 tools", list, err)
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
