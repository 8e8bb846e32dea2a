package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

func TestAnUnknownResourceIsNamedOnce(t *testing.T) {
	shop := newShop()
	shop.AddResource(mcp.NewResource("shop://eggs", "eggs"), func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: "shop://eggs", Text: `"error":{`}}, nil
	})
	addr := start(t, Config{MCP: shop.MCPServer})
	type failed struct {
		Code    int
		Message string
		Data    struct{ URI string }
	}
	long := "shop://" + strings.Repeat("x", 5000)
	clipped := long[:maxShownURI] + "…"
	for _, test := range []struct {
		name, request string
		status        int
		want          failed
	}{
		{"2025", post(params("resources/read", `{"uri":"shop://nope"}`)), 200, failed{-32002, "resource not found: shop://nope", struct{ URI string }{"shop://nope"}}},
		{"2026", post(params("resources/read", `{"uri":"shop://nope",`+meta2026+`}`), modern("resources/read", "shop://nope")...), 400,
			failed{-32602, "resource not found: shop://nope", struct{ URI string }{"shop://nope"}}},
		{"a quote", post(params("resources/read", `{"uri":"shop://a': resource not found"}`)), 200,
			failed{-32002, "resource not found: shop://a': resource not found", struct{ URI string }{"shop://a': resource not found"}}},
		{"controls", post(params("resources/read", `{"uri":"shop://\u001b[31m\u202ea"}`)), 200,
			failed{-32002, "resource not found: shop://\ufffd[31m\ufffda", struct{ URI string }{"shop://\x1b[31m\u202ea"}}},
		{"long", post(params("resources/read", `{"uri":"`+long+`"}`)), 200, failed{-32002, "resource not found: " + clipped, struct{ URI string }{clipped}}},
	} {
		got := send(t, addr, test.request)
		var m struct {
			ID    int
			Error failed
		}
		if err := json.Unmarshal([]byte(got.body), &m); err != nil || got.status != test.status || m.ID != 7 {
			t.Errorf("%s: %d %s, %v", test.name, got.status, got.body, err)
		}
		if diff := cmp.Diff(test.want, m.Error); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if got := send(t, addr, post(params("resources/read", `{"uri":"shop://eggs"}`))); got.code() != 0 || !strings.Contains(got.body, `\"error\":{`) {
		t.Errorf("a resource that is there = %s", got.body)
	}
}

func TestABadCursorIsExplained(t *testing.T) {
	addr := start(t, Config{})
	for _, method := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		got := send(t, addr, post(params(method, `{"cursor":"!"}`)))
		if got.code() != mcp.INVALID_PARAMS || !strings.Contains(got.body, "params.cursor must be the nextCursor of the page before") || strings.Contains(got.body, "base64") {
			t.Errorf("%s with a bad cursor = %d %s", method, got.status, got.body)
		}
	}
}

func TestAnUnknownToolOrPromptIsNamedOnce(t *testing.T) {
	addr := start(t, Config{})
	long := strings.Repeat("n", 3000)
	for _, test := range []struct{ method, name, want string }{
		{"tools/call", "steal", "tool not found: steal"},
		{"tools/call", long, "tool not found: " + long[:maxShownName] + "…"},
		{"prompts/get", "steal", "prompt not found: steal"},
		{"prompts/get", long, "prompt not found: " + long[:maxShownName] + "…"},
	} {
		got := send(t, addr, post(params(test.method, `{"name":"`+test.name+`"}`)))
		if got.code() != mcp.INVALID_PARAMS || !strings.Contains(got.body, `"message":"`+test.want+`"`) {
			t.Errorf("%s %.20s = %d %.300s, want %.40s", test.method, test.name, got.status, got.body, test.want)
		}
	}
}
