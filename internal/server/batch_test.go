package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

// batchOf makes a batch of messages.
func batchOf(messages ...string) string { return "[" + strings.Join(messages, ",") + "]" }

// pings are so many requests, with ids from 1.
func pings(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping"}`, i+1)
	}
	return list
}

// answers are what a batch is answered, each as its id and its result or the
// code of its error.
func (r reply) answers(t *testing.T) (list []string) {
	t.Helper()
	var messages []struct {
		ID, Result json.RawMessage
		Error      *struct{ Code int }
	}
	if err := json.Unmarshal([]byte(r.body), &messages); err != nil || r.status != 200 || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s is not the answer to a batch: %v", r.status, r.body, err)
	}
	for _, m := range messages {
		if m.Error != nil {
			list = append(list, fmt.Sprint(string(m.ID), " ", m.Error.Code))
		} else {
			list = append(list, fmt.Sprint(string(m.ID), " ", string(m.Result)))
		}
	}
	return list
}

const initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

func TestABatchIsAnsweredByAnArray(t *testing.T) {
	addr := start(t, Config{})
	echo := `{"content":[{"type":"text","text":"echo: 茶葉蛋"}]}`
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"one", batchOf(pings(1)...), []string{"1 {}"}},
		{"in order, and without the notifications", " \n" + batchOf(initialized, pings(1)[0], echoCall, initialized, `{"jsonrpc":"2.0","id":"x","method":"ping"}`),
			[]string{"1 {}", "7 " + echo, `"x" {}`}},
		{"errors among results", batchOf(echoCall, params("stock/steal", `{}`), `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{}}`, `1`, `[]`, `{"jsonrpc":"2.0","id":9}`, pings(1)[0]),
			[]string{"7 " + echo, "7 -32601", "8 -32602", "null -32600", "null -32600", "9 -32600", "1 {}"}},
		{"a bad notification", batchOf(`{"jsonrpc":"2.0","method":"notifications/x","params":5}`, pings(1)[0]), []string{"1 {}"}},
		{"a listen and a modern call", batchOf(list2026, params("subscriptions/listen", `{"notifications":{},`+meta2026+`}`)), []string{"7 -32020", "7 -32020"}},
		{"cancelling what others called", batchOf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`, echoCall), []string{"7 " + echo}},
		{"odd arguments", batchOf(echoed(`"{\"text\":\"茶葉蛋\"}"`), echoed(`{"text":"\ud83d"}`)),
			[]string{"7 " + echo, `7 {"content":[{"type":"text","text":"arguments.text has half a character: \\ud83d"}],"isError":true}`}},
	} {
		for _, header := range []string{"MCP-Protocol-Version: ", "MCP-Protocol-Version: 2025-03-26"} {
			if diff := cmp.Diff(test.want, send(t, addr, post(test.body, header)).answers(t)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
		}
	}
	if got := send(t, addr, post(batchOf(pings(maxBatch)...))).answers(t); len(got) != maxBatch {
		t.Errorf("the largest batch has %d answers: %q", len(got), got)
	}
	if got := send(t, addr, post(batchOf(initialized, initialized))); got.status != 202 || got.body != "" {
		t.Errorf("a batch of notifications = %d %q, want 202 and nothing", got.status, got.body)
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer})
	const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}`
	for _, test := range []struct {
		name, body, header string
		status, code       int
		words              string
	}{
		{"none", "[]", "", 400, mcp.INVALID_REQUEST, "1 to 20 messages"},
		{"21", batchOf(pings(21)...), "", 400, mcp.INVALID_REQUEST, "1 to 20 messages"},
		{"an initialize", batchOf(waitCall, initialize), "", 400, mcp.INVALID_REQUEST, "initialize must not be in a batch"},
		{"an initialize in disguise", batchOf(waitCall, strings.Replace(initialize, `"initialize"`, `"\u0069nitialize"`, 1)), "", 400, mcp.INVALID_REQUEST, "initialize must not be in a batch"},
		{"no JSON", "[" + waitCall + ",{", "", 400, mcp.PARSE_ERROR, "ends early"},
		{"no end", "[" + waitCall, "", 400, mcp.PARSE_ERROR, "ends early"},
		{"a comma too many", "[" + waitCall + ",]", "", 400, mcp.PARSE_ERROR, "begins no value"},
		{"something after it", "[" + waitCall + "]]", "", 400, mcp.PARSE_ERROR, "more after the batch"},
		{"another revision", batchOf(waitCall), "2025-06-18", 400, mcp.INVALID_REQUEST, "batches are not supported"},
		{"a newer revision", batchOf(waitCall), "2026-07-28", 400, mcp.INVALID_REQUEST, "batches are not supported"},
		{"an older revision", batchOf(waitCall), "2024-11-05", 400, mcp.INVALID_REQUEST, "batches are not supported"},
	} {
		got := send(t, addr, post(test.body, "MCP-Protocol-Version: "+test.header))
		if got.status != test.status || got.code() != test.code || !strings.Contains(got.body, test.words) {
			t.Errorf("%s = %d %s, want %d with the code %d and %q", test.name, got.status, got.body, test.status, test.code, test.words)
		}
	}
	if len(shop.waiting) > 0 {
		t.Error("a message of a refused batch was answered")
	}
}

func TestEachMessageOfABatchIsCountedAndAuthorized(t *testing.T) {
	shop, g := newShop(), &gate{refuses: "panic"}
	addr := start(t, Config{MCP: shop.MCPServer, Access: g})
	send(t, addr, post(batchOf(echoCall, initialized, params("tools/list", `{}`)))).answers(t)
	want := []string{"admit /mcp", "authenticate", "authenticate", "authenticate",
		"authorize tools/call echo", "authorize notifications/initialized ", "authorize tools/list "}
	if diff := cmp.Diff(want, g.took()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if got := send(t, addr, post(batchOf(waitCall, params("tools/call", `{"name":"panic"}`)))); got.status != 403 {
		t.Errorf("a batch with a forbidden call = %d %s", got.status, got.body)
	}
	if len(shop.waiting) > 0 {
		t.Error("the call before the forbidden one was answered")
	}
}

func TestAPanicInABatchHangsUp(t *testing.T) {
	addr := start(t, Config{})
	if got, err := sendRaw(addr, post(batchOf(echoCall, params("tools/call", `{"name":"panic"}`)))); err == nil {
		t.Errorf("half an answer looks like a whole one: %d %s", got.status, got.body)
	}
	checkEcho(t, addr)
}
