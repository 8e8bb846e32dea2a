package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// FuzzReadMessage holds readMessage against encoding/json, which mcp-go reads
// with: both agree on what is JSON, and on who is called in what is let
// through; and mcp-go understands that well enough to give an answer of its
// own.
func FuzzReadMessage(f *testing.F) {
	for _, seed := range []string{
		echoCall, discover, list2026, call2026, `{}`, `[]`, `null`, ``, ` `, `{`, `{"a":1,"a":2}`,
		`{"jsonrpc":"2.0","id":1e2,"method":"ping"}`, `{"jsonrpc":"2.0","id":-0.0,"method":"p\u0069ng"}`,
		`{"jsonrpc":"2.0","id":"\ud83e\udd5a","method":"notifications/x","params":{"_meta":{"a":[1,2,{"b":null}]}}}`,
		`{"jsonrpc":"2.0","id":1,"METHOD":"ping"}`, `{"jsonrpc":"2.0","id":1,"method":"ping","param` + "\u017f" + `":[]}`,
		params("initialize", `{"protocolVersion":"2025-06-18","capabilities":{"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}},"experimental":{"x":1},"extensions":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}},"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}},"clientInfo":{"name":"c","version":"1","title":"t","description":"d","websiteUrl":"u","icons":[{"src":"s","mimeType":"m","sizes":["any"],"theme":"dark"}]}}`),
		params("tools/call", `{"name":"echo","arguments":{"text":"x"},"task":{"ttl":1},"inputResponses":{"a":{}},"requestState":"s"}`),
		params("prompts/get", `{"name":"greet","arguments":{"to":"x"}}`),
		params("tools/call", `{"name":"echo","arguments":"{\"text\":[]}"}`), params("tools/call", `{"name":"echo","arguments":[ ]}`),
		params("prompts/get", `{"name":"greet","arguments":" "}`), params("tools/list", `[]`), params("initialize", `{"capabilities":{"roots":[ ]}}`),
		params("prompts/list", `{"cursor":"x"}`),
		params("resources/read", `{"uri":"x://y","arguments":{}}`),
		params("resources/templates/list", `{}`),
		params("completion/complete", `{"ref":{"type":"ref/prompt","name":"greet","title":"t"},"argument":{"name":"a","value":"b"},"context":{"arguments":{"c":"d"}}}`),
		params("completion/complete", `{"ref":{"type":"ref/resource","uri":"x://{y}"},"argument":{"name":"a","value":"b"}}`),
		params("logging/setLevel", `{"level":"info"}`),
		params("subscriptions/listen", `{"notifications":{"toolsListChanged":true,"promptsListChanged":false,"resourcesListChanged":null,"resourceSubscriptions":["store://1",null]}}`),
		params("tasks/get", `{"taskId":"x"}`),
	} {
		f.Add([]byte(seed))
	}
	shop := newShop()
	shop.DeleteTools("wait", "panic")
	f.Fuzz(func(t *testing.T, body []byte) {
		m, failed := readMessage(bytes.Clone(body))
		if failed != nil && strings.Contains(failed.message, "deeper") {
			return
		}
		isJSON := json.Valid(body) && utf8.Valid(body)
		if refused := failed != nil && failed.code == mcp.PARSE_ERROR; refused == isJSON {
			t.Fatalf("JSON: %v, but readMessage says %+v", isJSON, failed)
		}
		if failed != nil {
			return
		}
		var theirs struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal(body, &theirs); err != nil {
			t.Fatalf("let through what encoding/json does not read: %v", err)
		}
		if string(theirs.ID) == "null" {
			theirs.ID = nil
		}
		if theirs.Method != m.method || !bytes.Equal(theirs.ID, m.id) {
			t.Fatalf("read the method %q and id %s, encoding/json %q and %s", m.method, m.id, theirs.Method, theirs.ID)
		}
		answer, err := json.Marshal(shop.HandleMessage(context.Background(), m.body))
		if err != nil {
			t.Fatal(err)
		}
		for _, dump := range []string{"unparsable", "json: cannot", "Failed to parse"} {
			if strings.Contains(string(answer), dump) && !strings.Contains(string(body), dump) {
				t.Fatalf("mcp-go answers %s", answer)
			}
		}
	})
}

// Every value that has a shape is tried with values of every other kind.
func TestNoWrongKindReachesTheDecoder(t *testing.T) {
	values := map[kind]string{object: `{}`, array: `[null]`, text: `"x"`, number: `1.5`, number | integer: `1`, boolean: `true`}
	var walk func(s *shape, path string, build func(string) string)
	tried := 0
	walk = func(s *shape, path string, build func(string) string) {
		for k, value := range values {
			if s.kind == 0 || s.kind&k != 0 {
				continue
			}
			tried++
			body := build(value)
			if _, failed := readMessage([]byte(body)); failed == nil || !strings.HasPrefix(failed.message, path+" must be ") {
				t.Errorf("%s: %+v, want that %s must be something else", body, failed, path)
			}
		}
		for i := range s.fields {
			f := &s.fields[i]
			walk(&f.shape, strings.TrimPrefix(path+"."+f.name, "the message."), func(value string) string {
				return build(`{"` + f.name + `":` + value + `}`)
			})
		}
		if s.each != nil && s.kind&array != 0 {
			walk(s.each, path+"[1]", func(value string) string { return build(`[null,` + value + `]`) })
		}
		if s.each != nil && s.kind&object != 0 {
			walk(s.each, path+".any", func(value string) string { return build(`{"any":` + value + `}`) })
		}
	}
	for _, f := range messageShape.fields {
		walk(&f.shape, f.name, func(value string) string {
			return `{"jsonrpc":"2.0","` + f.name + `":` + value + `}`
		})
	}
	if tried < 200 {
		t.Errorf("tried %d values only", tried)
	}
}
