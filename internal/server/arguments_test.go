package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// result is the result of a call: its text, and whether it failed.
func (r reply) result(t *testing.T) (text string, failed bool) {
	t.Helper()
	var m struct {
		Result *struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal([]byte(r.body), &m); err != nil || m.Result == nil || len(m.Result.Content) != 1 || r.status != 200 {
		t.Fatalf("%d %s is not the result of a call", r.status, r.body)
	}
	return m.Result.Content[0].Text, m.Result.IsError
}

// echoed makes a call of echo with arguments.
func echoed(arguments string) string {
	return params("tools/call", `{"name":"echo","arguments":`+arguments+`}`)
}

func TestArgumentsAsClientsWriteThem(t *testing.T) {
	addr := start(t, Config{})
	quoted := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for arguments, want := range map[string]string{
		`{}`:                                    "echo: ",
		`[]`:                                    "echo: ",
		" [ \n] ":                               "echo: ",
		`null`:                                  "echo: ",
		quoted(`{"text":"茶葉蛋 \"x\""}`):          `echo: 茶葉蛋 "x"`,
		quoted(" {\"text\":\"\u8336\"}\n"):      "echo: 茶",
		quoted(`{}`):                            "echo: ",
		quoted(`[]`):                            "echo: ",
		quoted(`null`):                          "echo: ",
		quoted(``):                              "echo: ",
		quoted(" "):                             "echo: ",
		quoted(quoted(`{"text":"x"}`)):          "echo: ", // decoded once only
		`{"text":"{\"text\":\"x\"}"}`:           `echo: {"text":"x"}`,
		quoted(`{"text":"x"`):                   "echo: ", // what is no object is left to the tool
		`["x"]`:                                 "echo: ",
		`5`:                                     "echo: ",
		`{"text":"x","a":[],"b":{"c":[{}, 1]}}`: "echo: x",
	} {
		if text, failed := send(t, addr, post(echoed(arguments))).result(t); failed || text != want {
			t.Errorf("arguments %s: %q, failed: %v; want %q", arguments, text, failed, want)
		}
	}
}

func TestAStringOfArgumentsReachesTheToolAsAnObject(t *testing.T) {
	for arguments, want := range map[string]string{
		`"{\"a\":1}"`: `{"a":1}`, `[]`: `{}`, `"[]"`: `{}`, `"x"`: `"x"`, `"{"`: `"{"`, `["x"]`: `["x"]`, `"\"{}\""`: `"\"{}\""`,
	} {
		m, failed := readMessage([]byte(`{"params":{"name":"echo","arguments":` + arguments + `,"x":1},"method":"tools/call","id":1,"jsonrpc":"2.0"}`))
		var sent struct {
			Params struct {
				Arguments json.RawMessage
				X         int
			}
		}
		if failed != nil || json.Unmarshal(m.body, &sent) != nil || string(sent.Params.Arguments) != want || sent.Params.X != 1 {
			t.Errorf("arguments %s go on as %s, %+v; want %s", arguments, m.body, failed, want)
		}
	}
}

func TestAnEmptyArrayStandsForAnEmptyObject(t *testing.T) {
	addr := start(t, Config{})
	for _, request := range []string{
		post(params("tools/list", `[]`)),
		post(params("ping", ` [ ] `)),
		post(params("initialize", `{"protocolVersion":"2025-06-18","capabilities":[],"clientInfo":{"name":"c","version":"1"}}`)),
		post(params("initialize", `{"protocolVersion":"2025-06-18","capabilities":{"roots":[],"sampling":[],"experimental":[]},"clientInfo":[]}`)),
		post(params("prompts/get", `{"name":"greet","arguments":[]}`)),
		post(params("prompts/get", `{"name":"greet","_meta":[]}`)),
		post(strings.Replace(list2026, `clientCapabilities":{}`, `clientCapabilities":[]`, 1), modern("tools/list", "")...),
		post(strings.Replace(call2026, `"name":"echo"`, `"name":"echo","arguments":"[]"`, 1), modern("tools/call", "echo")...),
	} {
		if got := send(t, addr, request); got.status != 200 || got.code() != 0 || !strings.Contains(got.body, `"result"`) {
			t.Errorf("%s\nis answered %d %s", request, got.status, got.body)
		}
	}
}

// What no tool takes is told to the model, which reads results; an HTTP error
// would end some clients.
func TestArgumentsThatCannotBeUnderstoodAreAFailedResult(t *testing.T) {
	addr := start(t, Config{})
	many := strings.Repeat(`{},`, maxValues) + `{}`
	for arguments, want := range map[string]string{
		`{"text":[0,-1e999]}`:                                  "arguments.text[1] is out of range",
		`{"text":"\ud83d"}`:                                    `arguments.text has half a character: \ud83d`,
		`{"text":"\ude00\ud83d"}`:                              "arguments.text has half a character",
		`"{\"text\":\"\\ud83d\"}"`:                             "arguments.text has half a character",
		`"{\"text\":\"\ud83d\"}"`:                              "arguments has half a character",
		`{"product":[` + many + `]}`:                           "arguments.product[1998] is one value too many: 2000 are allowed",
		`[` + many + `]`:                                       "is one value too many",
		`"{\"product\":[` + many + `]}"`:                       "arguments.product[1998] is one value too many",
		`{"text":"` + strings.Repeat("x", maxArguments) + `"}`: "arguments are 65547 bytes long; send at most 65536",
		`"` + strings.Repeat(`\"`, maxArguments/2) + `"`:       "bytes long",
	} {
		got := send(t, addr, post(echoed(arguments)))
		if text, failed := got.result(t); !failed || !strings.Contains(text, want) {
			t.Errorf("arguments %.40s: %q, failed: %v; want %q", arguments, text, failed, want)
		}
	}
	got := send(t, addr, post(strings.Replace(call2026, `"name":"echo"`, `"name":"echo","arguments":{"text":"\ud83d"}`, 1), modern("tools/call", "echo")...))
	if text, failed := got.result(t); !failed || !strings.Contains(text, "half a character") {
		t.Errorf("in 2026: %q, failed: %v", text, failed)
	}
}

func TestBadArgumentsDoNotHideWhatElseIsWrong(t *testing.T) {
	addr := start(t, Config{})
	bad := `{"text":"\ud83d"}`
	for name, test := range map[string]struct {
		request string
		status  int
		code    int
	}{
		"an unknown tool":       {post(params("tools/call", `{"name":"steal","arguments":`+bad+`}`)), 200, mcp.INVALID_PARAMS},
		"no name":               {post(params("tools/call", `{"arguments":`+bad+`}`)), 400, mcp.INVALID_PARAMS},
		"two arguments":         {post(params("tools/call", `{"name":"echo","arguments":`+bad+`,"arguments":{}}`)), 400, mcp.INVALID_PARAMS},
		"no JSON":               {post(params("tools/call", `{"name":"echo","arguments":{"text":"\ud83d",}}`)), 400, mcp.PARSE_ERROR},
		"another Mcp-Name":      {post(strings.Replace(call2026, `"name":"echo"`, `"name":"echo","arguments":`+bad, 1), modern("tools/call", "wait")...), 400, mcp.HEADER_MISMATCH},
		"too much in _meta too": {post(params("tools/call", `{"name":"echo","arguments":`+bad+`,"_meta":{"x":[`+strings.Repeat(`0,`, maxValues)+`0]}}`)), 400, mcp.INVALID_PARAMS},
	} {
		if got := send(t, addr, test.request); got.status != test.status || got.code() != test.code {
			t.Errorf("%s = %d %s, want %d with the code %d", name, got.status, got.body, test.status, test.code)
		}
	}
}
