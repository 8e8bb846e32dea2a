package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// modern makes the header lines of a request at 2026-07-28.
func modern(method, name string) []string {
	lines := []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method}
	if name != "" {
		lines = append(lines, "Mcp-Name: "+name)
	}
	return lines
}

// params makes a request of method with params.
func params(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params)
}

// listen makes a request to listen at 2026-07-28.
func listen(notifications string, header ...string) string {
	return post(params("subscriptions/listen", `{"notifications":`+notifications+`,`+meta2026+`}`),
		append(modern("subscriptions/listen", ""), header...)...)
}

const (
	meta2026 = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	list2026 = `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{` + meta2026 + `}}`
	call2026 = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo",` + meta2026 + `}}`
)

func TestMalformedRequests(t *testing.T) {
	const limit = 1 << 20
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	chunked := func(chunks string) string {
		return strings.Replace(post("", "Content-Length: ", "Transfer-Encoding: chunked"), "\r\n\r\n", "\r\n\r\n"+chunks, 1)
	}
	tests := []struct {
		name    string
		request string
		status  int
		code    int    // of JSON-RPC; if 0, the answer is not JSON-RPC
		id      string // as JSON; if empty, null
		words   string // in the answer
		cut     bool   // the client closes its side after the request
	}{
		// Not HTTP, or not as it should be.
		{name: "no HTTP", request: "hello\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "a TLS handshake", request: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "a version of HTTP that is none", request: "POST /mcp HTTP/9.9\r\nHost: shop.example\r\n\r\n", status: 505, words: "505"},
		{name: "a method that is none", request: "PO ST /mcp HTTP/1.1\r\nHost: shop.example\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "a target that is none", request: "GET http://[::1 HTTP/1.1\r\nHost: shop.example\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "no Host", request: "POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n", status: 400, words: "missing required Host"},
		{name: "no Host in HTTP/1.0", request: "POST /mcp HTTP/1.0\r\nContent-Length: 0\r\n\r\n", status: 421, code: -32000, words: "not this server's"},
		{name: "two Hosts", request: "POST /mcp HTTP/1.1\r\nHost: shop.example\r\nHost: evil.example\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "a Host with a space", request: post(echoCall, "Host: shop example"), status: 400, words: "malformed Host"},
		{name: "a header without a colon", request: "POST /mcp HTTP/1.1\r\nHost shop.example\r\n\r\n", status: 400, words: "400 Bad Request"},
		{name: "a header name with a space", request: post(echoCall, "X Y: z"), status: 400, words: "400 Bad Request"},
		{name: "a NUL in a header", request: post(echoCall, "X-Y: a\x00b"), status: 400, words: "400 Bad Request"},
		{name: "a huge header", request: post(echoCall, "X-Y: "+strings.Repeat("y", 40<<10)), status: 431, words: "431"},
		{name: "a huge path", request: get("/" + strings.Repeat("y", 40<<10)), status: 431, words: "431"},
		{name: "a Content-Length that is none", request: post(echoCall, "Content-Length: twelve"), status: 400, words: "400 Bad Request"},
		{name: "a negative Content-Length", request: post(echoCall, "Content-Length: -1"), status: 400, words: "400 Bad Request"},
		{name: "a Content-Length beyond numbers", request: post(echoCall, "Content-Length: 99999999999999999999"), status: 400, words: "400 Bad Request"},
		{name: "two Content-Lengths", request: strings.Replace(post(echoCall), "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n", 1), status: 400, words: "400 Bad Request"},
		{name: "an unknown Transfer-Encoding", request: post(echoCall, "Content-Length: ", "Transfer-Encoding: gzip"), status: 501, words: "Unsupported transfer encoding"},
		{name: "a Transfer-Encoding in disguise", request: post(echoCall, "Transfer-Encoding: chunked, identity"), status: 501, words: "Unsupported transfer encoding"},
		{name: "chunked with a Content-Length", request: post("0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 4"), status: 400, code: -32700, words: "empty"},
		{name: "chunks without sizes", request: chunked("xyz\r\n"), status: 400, code: -32700, words: "badly framed"},
		{name: "a chunk longer than its size", request: chunked("2\r\n{}{}\r\n0\r\n\r\n"), status: 400, code: -32700, words: "badly framed"},
		{name: "an endless chunk size", request: chunked(strings.Repeat("f", 20) + "\r\n"), status: 400, code: -32700, words: "badly framed"},
		{name: "a body cut off", request: post(echoCall, fmt.Sprint("Content-Length: ", len(echoCall)+9)), cut: true, status: 400, code: -32700, words: "ends early"},
		{name: "chunks cut off", request: chunked("5\r\n{\"js"), cut: true, status: 400, code: -32700, words: "ends early"},
		{name: "an Expect that is unknown", request: post(echoCall, "Expect: cake"), status: 417},
		{name: "a proxy's CONNECT", request: "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", status: 421, code: -32000},

		// Too much.
		{name: "a body too large, as it says", request: post("", fmt.Sprint("Content-Length: ", limit+1)), status: 413, code: -32000, words: "larger than 1048576"},
		{name: "a body too large, all of it sent", request: post(strings.Repeat(" ", limit+1)), status: 413, code: -32000, words: "larger than 1048576"},
		{name: "a body far too large, as it says", request: post("", "Content-Length: 68719476736"), status: 413, code: -32000, words: "larger"},
		{name: "chunks too large", request: chunked(fmt.Sprintf("%x\r\n%s", limit+1, strings.Repeat(" ", limit+1))), status: 413, code: -32000, words: "larger"},
		{name: "a body too large at the root", request: request("POST", "/", "", fmt.Sprint("Content-Length: ", limit+1)), status: 404, code: -32000, words: "add /mcp"},

		// Media.
		{name: "no Content-Type", request: post(echoCall, "Content-Type: "), status: 415, code: -32000, words: "application/json"},
		{name: "a form", request: post("a=b", "Content-Type: application/x-www-form-urlencoded"), status: 415, code: -32000, words: "application/json"},
		{name: "a form's plain text", request: post(echoCall, "Content-Type: text/plain"), status: 415, code: -32000, words: "application/json"},
		{name: "a Content-Type that is none", request: post(echoCall, "Content-Type: application/json; charset"), status: 415, code: -32000, words: "application/json"},
		{name: "another charset", request: post(echoCall, "Content-Type: application/json; charset=big5"), status: 415, code: -32000, words: "UTF-8"},
		{name: "compressed", request: post("\x1f\x8b\x08", "Content-Encoding: gzip"), status: 415, code: -32000, words: "Content-Encoding"},

		// Not JSON.
		{name: "nothing", request: post(""), status: 400, code: -32700, words: "empty"},
		{name: "spaces", request: post(" \n\t"), status: 400, code: -32700, words: "ends early"},
		{name: "words", request: post("hello"), status: 400, code: -32700, words: "at byte 0"},
		{name: "half an object", request: post(`{"jsonrpc":"2.0","id":7,"method":"ping"`), status: 400, code: -32700, words: "ends early"},
		{name: "half a string", request: post(`{"jsonrpc":"2.0`), status: 400, code: -32700, words: "ends early"},
		{name: "half an escape", request: post(`{"jsonrpc":"\`), status: 400, code: -32700, words: "ends early"},
		{name: "an unknown escape", request: post(`{"a":"\x41"}`), status: 400, code: -32700, words: `unknown escape`},
		{name: "an escape without digits", request: post(`{"a":"\u12g4"}`), status: 400, code: -32700, words: "four hexadecimal digits"},
		{name: "something after the message", request: post(echoCall + "{}"), status: 400, code: -32700, words: "more after the message"},
		{name: "a comma too many", request: post(`{"jsonrpc":"2.0",}`), status: 400, code: -32700, words: "name in quotes"},
		{name: "a comma missing", request: post(`{"jsonrpc":"2.0" "id":7}`), status: 400, code: -32700, words: "comma"},
		{name: "a colon missing", request: post(`{"jsonrpc"}`), status: 400, code: -32700, words: "colon"},
		{name: "single quotes", request: post(`{'jsonrpc':'2.0'}`), status: 400, code: -32700, words: "name in quotes"},
		{name: "a byte order mark", request: post("\xef\xbb\xbf" + echoCall), status: 400, code: -32700, words: "byte order mark"},
		{name: "UTF-16", request: post("{\x00\"\x00a\x00\"\x00:\x001\x00}\x00"), status: 400, code: -32700},
		{name: "Big5 in a string", request: post(params("tools/call", `{"name":"echo","arguments":{"text":"`+"\xaf\xf9"+`"}}`)), status: 400, code: -32700, words: "UTF-8"},
		{name: "a surrogate in UTF-8", request: post(params("tools/call", `{"name":"echo","arguments":{"text":"`+"\xed\xa0\x80"+`"}}`)), status: 400, code: -32700, words: "UTF-8"},
		{name: "a NUL in a string", request: post("{\"a\":\"\x00\"}"), status: 400, code: -32700, words: "control character"},
		{name: "a NUL between", request: post("{\x00}"), status: 400, code: -32700},
		{name: "a newline in a string", request: post("{\"a\":\"\n\"}"), status: 400, code: -32700, words: "control character"},
		{name: "NaN", request: post(`{"jsonrpc":"2.0","id":NaN}`), status: 400, code: -32700, words: "begins no value"},
		{name: "a word that is no literal", request: post(`{"a":nul}`), status: 400, code: -32700, words: "unknown word"},
		{name: "a zero before a number", request: post(`{"id":01}`), status: 400, code: -32700},
		{name: "a number that ends early", request: post(`{"id":1.}`), status: 400, code: -32700, words: "ends early"},
		{name: "an exponent that ends early", request: post(`{"id":1e+}`), status: 400, code: -32700, words: "ends early"},
		{name: "a comment", request: post(`{/* */}`), status: 400, code: -32700},
		{name: "deep arrays", request: post(params("tools/call", `{"name":"echo","arguments":{"text":`+deep(100)+`}}`)), status: 400, code: -32600, id: "7", words: "deeper than 64"},
		{name: "half a million brackets", request: post(strings.Repeat("[", 500_000)), status: 400, code: -32600, words: "deeper than 64"},
		{name: "a hundred thousand objects", request: post(strings.Repeat(`{"a":`, 100_000)), status: 400, code: -32600, words: "deeper than 64"},

		// JSON, but no JSON-RPC.
		{name: "a string", request: post(`"tools/list"`), status: 400, code: -32600, words: "must be an object"},
		{name: "null", request: post(`null`), status: 400, code: -32600, words: "must be an object"},
		{name: "an empty object", request: post(`{}`), status: 400, code: -32600, words: "jsonrpc"},
		{name: "a batch at another revision", request: post("["+echoCall+"]", "MCP-Protocol-Version: 2025-06-18"), status: 400, code: -32600, words: "batches"},
		{name: "an array at another revision", request: post("[]", "MCP-Protocol-Version: 2025-06-18"), status: 400, code: -32600, words: "batches"},
		{name: "an empty batch", request: post(" [] "), status: 400, code: -32600, words: "batches"},
		{name: "no version", request: post(`{"id":7,"method":"ping"}`), status: 400, code: -32600, id: "7", words: "jsonrpc"},
		{name: "another version", request: post(`{"jsonrpc":"1.0","id":7,"method":"ping"}`), status: 400, code: -32600, id: "7", words: "2.0"},
		{name: "a version that is a number", request: post(`{"jsonrpc":2.0,"id":7,"method":"ping"}`), status: 400, code: -32600, id: "7", words: "2.0"},
		{name: "no method", request: post(`{"jsonrpc":"2.0","id":7}`), status: 400, code: -32600, id: "7", words: "method is missing"},
		{name: "an empty method", request: post(`{"jsonrpc":"2.0","id":"x","method":""}`), status: 400, code: -32600, id: `"x"`, words: "method is missing"},
		{name: "a method that is a number", request: post(`{"jsonrpc":"2.0","id":7,"method":1}`), status: 400, code: -32600, id: "7", words: "method must be a string"},
		{name: "a method that is null", request: post(`{"jsonrpc":"2.0","id":7,"method":null}`), status: 400, code: -32600, id: "7", words: "method must be a string"},
		{name: "an unknown method", request: post(params("stock/steal", `{}`)), status: 200, code: -32601, id: "7", words: "not found"},
		{name: "an id that is null", request: post(`{"jsonrpc":"2.0","id":null,"method":"ping"}`), status: 400, code: -32600, words: "id must not be null"},
		{name: "an id that is true", request: post(`{"jsonrpc":"2.0","id":true,"method":"ping"}`), status: 400, code: -32600, words: "id must be a string or an integer"},
		{name: "an id that is an object", request: post(`{"jsonrpc":"2.0","id":{},"method":"ping"}`), status: 400, code: -32600, words: "id must be a string or an integer"},
		{name: "an id with a fraction", request: post(`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`), status: 400, code: -32600, words: "id must be a string or an integer"},
		{name: "an id written as a fraction", request: post(`{"jsonrpc":"2.0","id":1.0,"method":"ping"}`), status: 400, code: -32600, words: "id must be a string or an integer"},
		{name: "an id too large to come back", request: post(`{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}`), status: 400, code: -32600, words: "id must be"},
		{name: "an id beyond numbers", request: post(`{"jsonrpc":"2.0","id":1e999,"method":"ping"}`), status: 400, code: -32600, words: "id is out of range"},
		{name: "an id with half a character", request: post(`{"jsonrpc":"2.0","id":"\ud800","method":"ping"}`), status: 400, code: -32600, words: `id has half a character`},
		{name: "two methods", request: post(`{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/list"}`), status: 400, code: -32600, id: "7", words: "method is there twice"},
		{name: "two methods, one in disguise", request: post(`{"jsonrpc":"2.0","id":7,"method":"ping","METHOD":"tools/list"}`), status: 400, code: -32600, id: "7", words: `METHOD must be written \"method\"`},
		{name: "two methods, one escaped", request: post(`{"jsonrpc":"2.0","id":7,"method":"ping","\u006dethod":"tools/list"}`), status: 400, code: -32600, id: "7", words: `method must be written`},
		{name: "a result", request: post(`{"jsonrpc":"2.0","id":7,"result":{"roots":[]}}`, "Mcp-Session-Id: s"), status: 400, code: -32600, id: "7", words: "takes no responses"},
		{name: "an error", request: post(`{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}`), status: 400, code: -32600, id: "7", words: "takes no responses"},

		// JSON-RPC, but not MCP.
		{name: "params that are an array", request: post(params("tools/call", `["echo"]`)), status: 400, code: -32602, id: "7", words: "params must be an object"},
		{name: "params that are a string", request: post(params("tools/call", `"echo"`)), status: 400, code: -32602, id: "7", words: "params must be an object"},
		{name: "two params", request: post(`{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{},"params":{}}`), status: 400, code: -32602, id: "7", words: "params is there twice"},
		{name: "two names", request: post(params("tools/call", `{"name":"echo","name":"wait"}`)), status: 400, code: -32602, id: "7", words: "params.name is there twice"},
		{name: "a call without params", request: post(`{"jsonrpc":"2.0","id":7,"method":"tools/call"}`), status: 400, code: -32602, id: "7", words: "params.name is missing"},
		{name: "a call of null", request: post(params("tools/call", `{"name":null}`)), status: 400, code: -32602, id: "7", words: "params.name is missing"},
		{name: "a call of a number", request: post(params("tools/call", `{"name":1}`)), status: 400, code: -32602, id: "7", words: "params.name must be a string"},
		{name: "a call of an unknown tool", request: post(params("tools/call", `{"name":"steal"}`)), status: 200, code: -32602, id: "7", words: "not found"},
		{name: "a prompt's arguments that are an array", request: post(params("prompts/get", `{"name":"greet","arguments":["x"]}`)), status: 400, code: -32602, id: "7", words: "params.arguments must be an object"},
		{name: "a prompt's argument with half a character", request: post(params("prompts/get", `{"name":"greet","arguments":{"to":"\ud83d"}}`)), status: 400, code: -32602, id: "7", words: "params.arguments.to has half a character"},
		{name: "too many values", request: post(params("tools/call", `{"name":"echo","_meta":{"x":[{}`+strings.Repeat(",{}", 2000)+`]}}`)), status: 400, code: -32602, id: "7", words: "is one value too many"},
		{name: "_meta that is a string", request: post(params("tools/call", `{"name":"echo","_meta":"x"}`)), status: 400, code: -32602, id: "7", words: "params._meta must be an object"},
		{name: "a cursor that is a number", request: post(params("tools/list", `{"cursor":5}`)), status: 400, code: -32602, id: "7", words: "params.cursor must be a string"},
		{name: "a client without a proper name", request: post(params("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":["c"]}}`)), status: 400, code: -32602, id: "7", words: "params.clientInfo.name must be a string"},
		{name: "a client with an odd icon", request: post(params("initialize", `{"clientInfo":{"icons":[{"src":"x"},{"src":"x","sizes":[1]}]}}`)), status: 400, code: -32602, id: "7", words: "params.clientInfo.icons[1].sizes[0] must be a string"},
		{name: "capabilities of the wrong kind", request: post(params("initialize", `{"protocolVersion":"2025-06-18","capabilities":{"roots":{"listChanged":"yes"}}}`)), status: 400, code: -32602, id: "7", words: "params.capabilities.roots.listChanged must be true or false"},
		{name: "an initialize of no revision", request: post(params("initialize", `{"protocolVersion":20250618}`)), status: 400, code: -32602, id: "7", words: "params.protocolVersion must be a string"},
		{name: "a resource without a URI", request: post(params("resources/read", `{}`)), status: 400, code: -32602, id: "7", words: "params.uri is missing"},
		{name: "a URI that is an object", request: post(params("resources/read", `{"uri":{}}`)), status: 400, code: -32602, id: "7", words: "params.uri must be a string"},
		{name: "a prompt without a name", request: post(params("prompts/get", `{}`)), status: 400, code: -32602, id: "7", words: "params.name is missing"},
		{name: "a prompt's argument that is a number", request: post(params("prompts/get", `{"name":"greet","arguments":{"to":5}}`)), status: 400, code: -32602, id: "7", words: "params.arguments.to must be a string"},
		{name: "a completion of nothing", request: post(params("completion/complete", `{}`)), status: 400, code: -32602, id: "7", words: "params.ref is missing"},
		{name: "a completion of something unknown", request: post(params("completion/complete", `{"ref":{"type":"ref/tool","name":"echo"},"argument":{"name":"a","value":""}}`)), status: 400, code: -32602, id: "7", words: "params.ref.type must be"},
		{name: "a completion of no argument", request: post(params("completion/complete", `{"ref":{"type":"ref/prompt","name":"greet"}}`)), status: 400, code: -32602, id: "7", words: "params.argument is missing"},
		{name: "a task that lives for a word", request: post(params("tools/call", `{"name":"echo","task":{"ttl":"long"}}`)), status: 400, code: -32602, id: "7", words: "params.task.ttl must be an integer"},
		{name: "a notification of the wrong kind", request: post(`{"jsonrpc":"2.0","method":"notifications/initialized","params":[1]}`), status: 400, code: -32602, words: "params must be an object"},

		// Revisions of the protocol.
		{name: "an unknown revision of old", request: post(echoCall, "MCP-Protocol-Version: 1999-01-01"), status: 400, code: -32022, id: "7", words: `"supported":["2026-07-28"`},
		{name: "an unknown revision to come", request: post(echoCall, "MCP-Protocol-Version: 2099-01-01"), status: 400, code: -32022, id: "7", words: `"requested":"2099-01-01"`},
		{name: "a revision that is none", request: post(echoCall, "MCP-Protocol-Version: latest"), status: 400, code: -32022, id: "7", words: "supported"},
		{name: "2026 without the header", request: post(list2026), status: 400, code: -32020, id: "7", words: "header is required"},
		{name: "2026 in the header alone", request: post(params("tools/list", `{}`), modern("tools/list", "")...), status: 400, code: -32602, id: "7", words: "protocolVersion"},
		{name: "2026 with another revision in the header", request: post(list2026, "MCP-Protocol-Version: 2025-06-18", "Mcp-Method: tools/list"), status: 400, code: -32020, id: "7", words: "does not match"},
		{name: "2026 without Mcp-Method", request: post(list2026, "MCP-Protocol-Version: 2026-07-28"), status: 400, code: -32020, id: "7", words: "Mcp-Method"},
		{name: "2026 with another Mcp-Method", request: post(list2026, modern("tools/call", "")...), status: 400, code: -32020, id: "7", words: "does not match"},
		{name: "2026 without Mcp-Name", request: post(call2026, modern("tools/call", "")...), status: 400, code: -32020, id: "7", words: "Mcp-Name"},
		{name: "2026 with another Mcp-Name", request: post(call2026, modern("tools/call", "wait")...), status: 400, code: -32020, id: "7", words: "does not match"},
		{name: "2026 with bad Base64 in Mcp-Name", request: post(call2026, modern("tools/call", "=?base64?%?=")...), status: 400, code: -32020, id: "7", words: "Base64"},
		{name: "2026 without capabilities", request: post(strings.Replace(list2026, `,"io.modelcontextprotocol/clientCapabilities":{}`, "", 1), modern("tools/list", "")...), status: 400, code: -32602, id: "7", words: "clientCapabilities"},
		{name: "2026 with a revision that is a number", request: post(strings.Replace(list2026, `"2026-07-28"`, "20260728", 1), modern("tools/list", "")...), status: 400, code: -32602, id: "7", words: "protocolVersion must be a string"},
		{name: "2026 with a method of old", request: post(strings.Replace(list2026, "tools/list", "initialize", 1), modern("initialize", "")...), status: 404, code: -32601, id: "7", words: "removed"},
		{name: "2026 with an unknown method", request: post(strings.Replace(list2026, "tools/list", "stock/steal", 1), modern("stock/steal", "")...), status: 404, code: -32601, id: "7", words: "not found"},
		{name: "2026 resuming a stream", request: post(list2026, append(modern("tools/list", ""), "Last-Event-ID: 5")...), status: 400, code: -32020, id: "7", words: "not resumable"},

		// Listening.
		{name: "a listen without params", request: post(`{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen"}`, modern("subscriptions/listen", "")...), status: 400, code: -32602, id: "7", words: "params.notifications is missing"},
		{name: "a listen to nothing said", request: listen(`null`), status: 400, code: -32602, id: "7", words: "params.notifications is missing"},
		{name: "a listen to a list", request: listen(`["store://1"]`), status: 400, code: -32602, id: "7", words: "params.notifications must be an object"},
		{name: "a listen to a URI alone", request: listen(`{"resourceSubscriptions":"store://1"}`), status: 400, code: -32602, id: "7", words: "params.notifications.resourceSubscriptions must be an array"},
		{name: "a listen to a number", request: listen(`{"resourceSubscriptions":["store://1",2]}`), status: 400, code: -32602, id: "7", words: "params.notifications.resourceSubscriptions[1] must be a string"},
		{name: "a listen to a URI with half a character", request: listen(`{"resourceSubscriptions":["store://\ud83d"]}`), status: 400, code: -32602, id: "7", words: "resourceSubscriptions[0] has half a character"},
		{name: "a listen to lists, perhaps", request: listen(`{"toolsListChanged":"yes"}`), status: 400, code: -32602, id: "7", words: "params.notifications.toolsListChanged must be true or false"},
		{name: "a listen to too much", request: listen(`{"resourceSubscriptions":[` + strings.Repeat(`"store://1",`, 100) + `"store://1"]}`), status: 400, code: -32602, id: "7", words: "has 101 URIs; one listen takes 100"},
		{name: "a listen that is too large", request: listen(`{"resourceSubscriptions":["store://` + strings.Repeat("1", 64<<10) + `"]}`), status: 413, code: -32000, id: "7", words: "larger than 65536"},
		{name: "a listen of an earlier revision", request: post(params("subscriptions/listen", `{"notifications":{"resourceSubscriptions":["store://1"]}}`), "MCP-Protocol-Version: 2025-11-25"), status: 200, code: -32601, id: "7", words: "2026-07-28"},
		{name: "a listen of no revision", request: post(params("subscriptions/listen", `{"notifications":{"resourceSubscriptions":["store://1"]}}`)), status: 200, code: -32601, id: "7", words: "2026-07-28"},
		{name: "a listen without the header", request: listen(`{"resourceSubscriptions":["store://1"]}`, "MCP-Protocol-Version: "), status: 400, code: -32020, id: "7", words: "header is required"},
		{name: "a listen with a header of old", request: listen(`{"resourceSubscriptions":["store://1"]}`, "MCP-Protocol-Version: 2025-11-25"), status: 400, code: -32020, id: "7", words: "does not match"},
		{name: "a listen with another Mcp-Method", request: listen(`{"resourceSubscriptions":["store://1"]}`, "Mcp-Method: tools/list"), status: 400, code: -32020, id: "7", words: "does not match"},
		{name: "a listen that resumes another", request: listen(`{"resourceSubscriptions":["store://1"]}`, "Last-Event-ID: 5"), status: 400, code: -32020, id: "7", words: "not resumable"},
		{name: "a listen without capabilities", request: strings.Replace(listen(`{"resourceSubscriptions":["store://1"]}`), "clientCapabilities", "clientIncapability", 1), status: 400, code: -32602, id: "7", words: "clientCapabilities"},
		{name: "a subscription of old", request: post(params("resources/subscribe", `{"uri":"store://1"}`), "MCP-Protocol-Version: 2025-11-25"), status: 200, code: -32601, id: "7", words: "subscriptions/listen of 2026-07-28"},
		{name: "the end of a subscription of old", request: post(params("resources/unsubscribe", `{"uri":"store://1"}`)), status: 200, code: -32601, id: "7", words: "subscriptions/listen of 2026-07-28"},
		{name: "a subscription of old in 2026", request: post(strings.Replace(list2026, "tools/list", "resources/subscribe", 1), modern("resources/subscribe", "")...), status: 404, code: -32601, id: "7", words: "removed"},

		{name: "discovering the old way", request: post(`{"jsonrpc":"2.0","id":7,"method":"server/discover"}`), status: 200, code: -32601, id: "7", words: "2026-07-28"},
	}
	addr := start(t, Config{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := exchange(addr, test.request, test.cut)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != test.status || got.code() != test.code || !strings.Contains(got.body, test.words) {
				t.Errorf("%d %s\nwant %d with the code %d and %q", got.status, got.body, test.status, test.code, test.words)
			}
			var m struct {
				JSONRPC string
				ID      json.RawMessage
			}
			want := test.id
			if want == "" {
				want = "null"
			}
			if err := json.Unmarshal([]byte(got.body), &m); test.code != 0 && (err != nil || m.JSONRPC != "2.0" || string(m.ID) != want) {
				t.Errorf("%s\nwant JSON-RPC with the id %s", got.body, want)
			}
			checkEcho(t, addr)
		})
	}
}

func TestOddRequestsThatAreFine(t *testing.T) {
	addr := start(t, Config{})
	tests := []struct {
		name, request string
		status        int
		words         string
	}{
		{"no Accept", post(echoCall, "Accept: "), 200, "echo"},
		{"an Accept of events only", post(echoCall, "Accept: text/event-stream"), 200, "echo"},
		{"a charset", post(echoCall, "Content-Type: Application/JSON; charset=UTF-8"), 200, "echo"},
		{"identity", post(echoCall, "Content-Encoding: identity"), 200, "echo"},
		{"chunks", strings.Replace(post("", "Content-Length: ", "Transfer-Encoding: chunked"), "\r\n\r\n", fmt.Sprintf("\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(echoCall), echoCall), 1), 200, "echo"},
		{"a large body", post(strings.Repeat(" ", 100_000) + echoCall), 200, "echo"},
		{"spaces around", post("\r\n\t " + echoCall + "\n"), 200, "echo"},
		{"HTTP/1.0", strings.Replace(post(echoCall), "HTTP/1.1", "HTTP/1.0", 1), 200, "echo"},
		{"a whole URL as the target", strings.Replace(post(echoCall), " /mcp ", " https://shop.example/mcp ", 1), 200, "echo"},
		{"a session of another life", post(echoCall, "Mcp-Session-Id: gone"), 200, "echo"},
		{"params that are null", post(params("tools/list", "null")), 200, `"tools"`},
		{"arguments that are null", post(params("tools/call", `{"name":"echo","arguments":null}`)), 200, "echo"},
		{"the largest id", post(`{"jsonrpc":"2.0","id":9007199254740991,"method":"ping"}`), 200, `"id":9007199254740991`},
		{"the smallest id", post(`{"jsonrpc":"2.0","id":-9007199254740991,"method":"ping"}`), 200, `"id":-9007199254740991`},
		{"an id of zero", post(`{"jsonrpc":"2.0","id":0,"method":"ping"}`), 200, `"id":0`},
		{"an id of any characters", post(`{"jsonrpc":"2.0","id":"\u0000\"茶","method":"ping"}`), 200, `"id":"\u0000\"茶"`},
		{"an emoji in two halves", post(params("tools/call", `{"name":"echo","arguments":{"text":"\ud83e\udd5a"}}`)), 200, "🥚"},
		{"a NUL as an escape", post(params("tools/call", `{"name":"echo","arguments":{"text":"a\u0000b"}}`)), 200, `a\u0000b`},
		{"unknown members", post(`{"jsonrpc":"2.0","id":7,"method":"ping","x":[{}],"params":{"y":{"z":1}}}`), 200, `"result":{}`},
		{"the deepest nesting", post(params("tools/call", `{"name":"echo","arguments":{"x":`+strings.Repeat("[", 61)+strings.Repeat("]", 61)+`}}`)), 200, "echo"},
		{"a notification with an id of null", post(`{"jsonrpc":"2.0","id":null,"method":"notifications/initialized","params":null}`), 202, ""},
		{"an unknown notification", post(`{"jsonrpc":"2.0","method":"notifications/of/something"}`), 202, ""},
		{"a listen without an id", strings.Replace(listen(`{"resourceSubscriptions":["store://1"]}`), `"id":7`, `"no":7`, 1), 202, ""},
		{"a request without an id", post(`{"jsonrpc":"2.0","method":"ping"}`), 202, ""},
		{"an initialize of the future", post(params("initialize", `{"protocolVersion":"2099-01-01","capabilities":{},"clientInfo":{"name":"c","version":"1"}}`)), 200, `"protocolVersion":"2025-11-25"`},
		{"an initialize of the past", post(params("initialize", `{"protocolVersion":"1999-01-01"}`), "MCP-Protocol-Version: 1999-01-01"), 200, `"protocolVersion":"2025-11-25"`},
	}
	for _, test := range tests {
		if got := send(t, addr, test.request); got.status != test.status || !strings.Contains(got.body, test.words) || got.code() != 0 {
			t.Errorf("%s = %d %s, want %d with %s", test.name, got.status, got.body, test.status, test.words)
		}
	}
}

func TestSlowClients(t *testing.T) {
	s := New(Config{MCP: newShop().MCPServer, URL: func() string { return publicURL }})
	s.bodyPatience = 100 * time.Millisecond
	srv := s.HTTPServer()
	if srv.ReadHeaderTimeout == 0 || srv.ReadTimeout == 0 || srv.WriteTimeout == 0 || srv.IdleTimeout == 0 || srv.MaxHeaderBytes == 0 {
		t.Fatalf("a limit is missing: %+v", srv)
	}
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	srv.ReadTimeout = 100 * time.Millisecond
	addr := serve(t, srv)

	got := send(t, addr, post(echoCall[:20], fmt.Sprint("Content-Length: ", len(echoCall))))
	if got.status != http.StatusRequestTimeout || got.code() != codeTransport {
		t.Errorf("a body that does not come = %d %s", got.status, got.body)
	}

	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: shop.ex"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if left, err := io.ReadAll(conn); err != nil {
		t.Errorf("a header that does not come: the server hangs on with %q, %v", left, err)
	}
	checkEcho(t, addr)
}

func TestHalfClosedConnectionGetsAnError(t *testing.T) {
	shop := newShop()
	addr := start(t, Config{MCP: shop.MCPServer})
	got, err := exchange(addr, post(waitCall), true)
	if err != nil || got.status != 503 || got.code() != -32800 {
		t.Errorf("%d %s, %v, want 503 and an error", got.status, got.body, err)
	}
}
