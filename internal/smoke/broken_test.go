package smoke

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Each server is broken in one way: exactly the check that is for it must
// fail, in words that tell what is wrong.
func TestBrokenServers(t *testing.T) {
	tests := []struct {
		check string // that fails
		words string // in its detail
		fault fault
	}{
		{"both slashes", "/mcp/ redirects to /mcp", redirectSlash},
		{"both slashes", "/mcp answers 200 OK, but /mcp/ answers 404", instead(
			func(q asked) bool { return q.URL.Path == "/mcp/" }, status(404))},

		{"get", "200 OK (text/event-stream), want 405", instead(isGET, func(w http.ResponseWriter, q asked) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-q.Context().Done()
		})},
		{"get", "404 Not Found", instead(isGET, status(404))},
		{"get", `405 with Allow: "", want POST`, instead(isGET, status(405))},
		{"get", `405 with Allow: "GET, POSTS"`, instead(isGET, func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Allow", "GET, POSTS")
			w.WriteHeader(http.StatusMethodNotAllowed)
		})},

		{"server/discover 2026-07-28", "error -32601: what is that?", instead(to("server/discover", ""),
			says(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"what is that?"}}`))},
		{"server/discover 2026-07-28", `content type "text/html"`, instead(to("server/discover", ""),
			func(w http.ResponseWriter, _ asked) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, "<p>Welcome")
			})},
		{"server/discover 2026-07-28", "not a JSON-RPC message", instead(to("server/discover", ""), says(`{"jsonrpc":`))},
		{"server/discover 2026-07-28", `jsonrpc is "1.0"`, instead(to("server/discover", ""), says(`{"jsonrpc":"1.0","id":ID,"result":{}}`))},
		{"server/discover 2026-07-28", "id is 12345", instead(to("server/discover", ""), says(`{"jsonrpc":"2.0","id":12345,"result":{}}`))},
		{"server/discover 2026-07-28", "either a result or an error", instead(to("server/discover", ""), says(`{"jsonrpc":"2.0","id":ID}`))},
		{"server/discover 2026-07-28", "either a result or an error", instead(to("server/discover", ""),
			says(`{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1,"message":"both"}}`))},
		{"server/discover 2026-07-28", "lacks a code or a message", instead(to("server/discover", ""),
			says(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":""}}`))},
		{"server/discover 2026-07-28", "another form", instead(to("server/discover", ""), says(`{"jsonrpc":"2.0","id":ID,"result":[]}`))},
		{"server/discover 2026-07-28", "without 2026-07-28", edited(to("server/discover", ""),
			func(result object) { result["supportedVersions"] = []string{"2025-11-25"} })},
		{"server/discover 2026-07-28", "without tools", edited(to("server/discover", ""),
			func(result object) { result["capabilities"] = object{} })},
		{"server/discover 2026-07-28", "resultType", edited(to("server/discover", ""),
			func(result object) { delete(result, "resultType") })},
		{"server/discover 2026-07-28", "ended without an answer", instead(to("server/discover", ""),
			func(w http.ResponseWriter, _ asked) {
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprint(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n")
			})},
		{"server/discover 2026-07-28", "larger than 4 MiB", instead(to("server/discover", ""),
			func(w http.ResponseWriter, q asked) {
				says(`{"jsonrpc":"2.0","id":ID,"result":{"instructions":"`+strings.Repeat("x", maxAnswer)+`"}}`)(w, q)
			})},

		{"tools/list 2026-07-28", "500 Internal Server Error", instead(to("tools/list", modern), func(w http.ResponseWriter, q asked) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
		})},
		{"tools/list 2026-07-28", "there are no tools", edited(to("tools/list", modern),
			func(result object) { result["tools"] = []any{} })},
		{"tools/list 2026-07-28", `"search_products" needs a name and an inputSchema`, edited(to("tools/list", modern),
			func(result object) { delete(lastTool(result), "inputSchema") })},
		{"tools/list 2026-07-28", "same name", edited(to("tools/list", modern),
			func(result object) { lastTool(result)["name"] = "check_stock" })},
		{"tools/list 2026-07-28", "does not end", instead(to("tools/list", modern),
			says(`{"jsonrpc":"2.0","id":ID,"result":{"nextCursor":"again","tools":[]}}`))},
		{"tools/list 2025-11-25", `but at 2026-07-28 they are`, edited(to("tools/list", "2025-11-25"),
			func(result object) { lastTool(result)["name"] = "find_products" })},
		{"tools/list 2025-06-18", "a result came with the status 202", instead(to("tools/list", "2025-06-18"),
			func(w http.ResponseWriter, q asked) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusAccepted)
				says(`{"jsonrpc":"2.0","id":ID,"result":{}}`)(w, q)
			})},

		{"tools/call 2026-07-28", "answers with an error: out of order", edited(callAt(modern),
			func(result object) { result["isError"], result["content"] = true, textContent("out of order") })},
		{"tools/call 2025-11-25", "no content", edited(callAt("2025-11-25"),
			func(result object) { result["content"] = []any{} })},
		{"tools/call 2025-06-18", "without a type", edited(callAt("2025-06-18"),
			func(result object) { result["content"] = []any{object{"text": "12"}} })},

		{"initialize 2025-11-25", `agreed to "2024-11-05"`, edited(to("initialize", "2025-11-25"),
			func(result object) { result["protocolVersion"] = "2024-11-05" })},
		{"initialize 2025-06-18", "serverInfo is without a name", edited(to("initialize", "2025-06-18"),
			func(result object) { delete(result, "serverInfo") })},
		{"initialize 2025-06-18", "without tools", edited(to("initialize", "2025-06-18"),
			func(result object) { result["capabilities"] = object{} })},
		{"initialize 2025-06-18", "notifications/initialized answers 200 OK, want 202", instead(
			to("notifications/initialized", "2025-06-18"), status(200))},

		{"check_stock", "there is no tool check_stock", edited(to("tools/list", ""),
			func(result object) { result["tools"] = []any{lastTool(result)} })},
		{"check_stock", "there is no tool search_products", edited(to("tools/list", ""),
			func(result object) { result["tools"] = result["tools"].([]any)[:1] })},
		{"check_stock", `finds none, so the status`, edited(toTool("search_products"),
			func(result object) { result["structuredContent"] = object{"products": []any{}} })},
		{"check_stock", "less reserved 2 and expired 0 is not available 12", stockSays(func(a object) { a["on_hand"] = 15 })},
		{"check_stock", "less reserved 2 and expired 3 is not available 12", stockSays(func(a object) { a["expired"] = 3 })},
		{"check_stock", "must all be there", stockSays(func(a object) { delete(a, "reserved") })},
		{"check_stock", "another form than documented", stockSays(func(a object) { a["available"] = "12" })},
		{"check_stock", `none of those documented`, stockSays(func(a object) { a["status"] = "plenty" })},
		{"check_stock", `"out_of_stock" with 12 available`, stockSays(func(a object) { a["status"] = "out_of_stock" })},
		{"check_stock", `"unknown_product", though search_products lists it`, stockSays(func(a object) { a["status"] = "unknown_product" })},
		{"check_stock", "not about it", stockSays(func(a object) { a["product"] = object{"id": "id of 豆漿", "name": "豆漿"} })},
		{"check_stock", "not about it", stockSays(func(a object) { delete(a, "product") })},
		{"check_stock", "does not say that 12 are available", stockText("茶葉蛋：11 顆，昨日 112 顆")},
		{"check_stock", "does not name", stockText("豆漿：12 瓶")},
		{"check_stock", "more than one line", stockText("茶葉蛋：\n12 顆")},
		{"check_stock", "without a text", stockText("")},
		{"check_stock", "without structuredContent", edited(toTool("check_stock"),
			func(result object) { delete(result, "structuredContent") })},
		{"check_stock", "an error: closed", edited(toTool("check_stock"),
			func(result object) { result["isError"], result["content"] = true, textContent("closed") })},
		{"check_stock", `search_products lists no products`, edited(toTool("search_products"),
			func(result object) { result["structuredContent"] = object{"products": "many"} })},

		{"unknown tool", "500 Internal Server Error: panic", instead(toTool("no_such_tool"), func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "panic: nil map")
		})},
		{"unknown tool", "as if it were right: done", instead(toTool("no_such_tool"),
			says(`{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"done"}]}}`))},
		{"unknown tool", "the error says nothing", instead(toTool("no_such_tool"),
			says(`{"jsonrpc":"2.0","id":ID,"result":{"isError":true,"content":[{"type":"text","text":" "}]}}`))},
		{"unknown tool", "the connection was closed without an answer", instead(toTool("no_such_tool"),
			func(http.ResponseWriter, asked) { panic(http.ErrAbortHandler) })},
		{"wrong argument", "as if it were right: 12345", instead(isWrong,
			says(`{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"12345：0 顆"}]}}`))},
	}
	for _, tt := range tests {
		t.Run(tt.check+" "+tt.words, func(t *testing.T) {
			t.Parallel()
			report := smoke(t, Config{URL: serve(t, teaEggs.mcpGo(), tt.fault) + "/mcp"})
			failed := failures(report)
			if detail, ok := failed[tt.check]; !ok || len(failed) > 1 {
				t.Errorf("failures %q, want only %q", failed, tt.check)
			} else if !strings.Contains(detail, tt.words) {
				t.Errorf("%s: %q, want it to say %q", tt.check, detail, tt.words)
			}
		})
	}
}

// Some products have the same name: the ID says which is meant.
func TestAmbiguousNameIsAskedByID(t *testing.T) {
	base := serve(t, shop{"id of 茶葉蛋": {onHand: 4}}.mcpGo(),
		edited(toTool("search_products"), func(result object) {
			result["structuredContent"] = object{"products": []any{object{"id": "id of 茶葉蛋", "name": "茶葉蛋"}}}
		}),
		edited(isRight, func(result object) {
			switch a := result["structuredContent"].(object); a["status"] {
			case "unknown_product": // that is 茶葉蛋
				a["status"] = "ambiguous"
			default:
				a["product"] = object{"id": "id of 茶葉蛋", "name": "茶葉蛋"}
			}
		}))
	if report := smoke(t, Config{URL: base + "/mcp"}); !report.OK {
		t.Errorf("failures: %v", failures(report))
	}
}

// A server of something else can be checked as far as it goes.
func TestOtherServers(t *testing.T) {
	tests := []struct {
		name  string
		tools []any
		call  Status // of tools/call
	}{
		{"with a tool that reads", []any{
			object{"name": "delete_all", "inputSchema": object{"type": "object"}},
			object{"name": "weather_of", "inputSchema": object{"type": "object", "required": []string{"city"}}, "annotations": object{"readOnlyHint": true}},
			object{"name": "weather", "inputSchema": object{"type": "object"}, "annotations": object{"readOnlyHint": true}},
		}, Passed},
		{"with tools that may write", []any{
			object{"name": "delete_all", "inputSchema": object{"type": "object"}},
		}, Skipped},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, teaEggs.mcpGo(),
				edited(to("tools/list", ""), func(result object) { result["tools"] = tt.tools }),
				instead(toTool("weather"), says(`{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"sunny"}]}}`)))
			report := smoke(t, Config{URL: base + "/mcp"})
			if c := named(t, report, "tools/call 2026-07-28"); c.Status != tt.call {
				t.Errorf("tools/call: %s: %s, want %s", c.Status, c.Detail, tt.call)
			}
			if failed := failures(report); len(failed) != 1 || failed["check_stock"] == "" {
				t.Errorf("failures %q, want only check_stock", failed)
			}
		})
	}
}

func isGET(q asked) bool { return q.Request.Method == http.MethodGet }

func isRight(q asked) bool { return toTool("check_stock")(q) && !isWrong(q) }

func isWrong(q asked) bool {
	_, object := q.Params.Arguments["product"].(map[string]any)
	return q.Params.Name == "check_stock" && object
}

// callAt matches the plain call of each revision. That of check_stock asks at
// the modern one, and its search for a product is the second there.
func callAt(rev revision) func(asked) bool {
	calls := 0
	return func(q asked) bool {
		if !q.is("tools/call", rev) || q.Params.Name != "search_products" {
			return false
		}
		calls++
		return calls == 1
	}
}

func lastTool(result object) object {
	tools := result["tools"].([]any)
	return tools[len(tools)-1].(object)
}

func textContent(text string) []any { return []any{object{"type": "text", "text": text}} }

// stockSays changes the structure of a right answer of check_stock.
func stockSays(edit func(answer object)) fault {
	return edited(isRight, func(result object) { edit(result["structuredContent"].(object)) })
}

// stockText changes the text of a right answer of check_stock.
func stockText(text string) fault {
	return edited(isRight, func(result object) { result["content"] = textContent(text) })
}

func redirectSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp/" {
			http.Redirect(w, r, "/mcp", http.StatusMovedPermanently)
			return
		}
		next.ServeHTTP(w, r)
	})
}
