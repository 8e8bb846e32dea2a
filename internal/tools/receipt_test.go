package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// changes are what people have done, in both languages; the answers are in
// testdata/changes.golden.
var changes = []question{
	{"record_movement", `{"store":"KOKO便利店 信義店","product":"茶葉蛋","delta":-2,"reason":"sale"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":-1,"reason":"waste","note":"dropped"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":30,"reason":"delivery","expiry":"2026-11-05"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":10,"reason":"delivery","expiry":"2026-11-04"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"茶葉蛋","delta":-12,"reason":"sale"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":1,"reason":"correction","idempotency_key":"k"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"tea egg","delta":1,"reason":"correction","idempotency_key":"k"}`, ""},
	{"record_movement", `{"store":"koko-xinyi","product":"香酥雞排","delta":4,"reason":"delivery"}`, ""},
	{"record_movement", `{"store":"KOKO Xinyi","product":"tea egg","delta":90,"reason":"delivery"}`, ""},
	{"record_movement", `{"store":"KOKO Xinyi","product":"tea egg","delta":-900,"reason":"sale"}`, ""},
	{"record_movement", `{"store":"KOKO","product":"茶葉蛋","delta":-1,"reason":"sale"}`, ""},
	{"count_stock", `{"store":"koko-daan","product":"茶葉蛋","quantity":4}`, ""},
	{"count_stock", `{"store":"koko-daan","product":"溏心蛋","quantity":6}`, ""},
	{"count_stock", `{"store":"koko-daan","product":"Soft-boiled egg","quantity":0}`, ""},
	{"transfer_stock", `{"from_store":"KOKO信義","to_store":"KOKO西門","product":"茶葉蛋","quantity":3}`, ""},
	{"transfer_stock", `{"from_store":"KOKO Xinyi","to_store":"KOKO Ximen","product":"tea egg","quantity":99}`, ""},
	{"reserve_stock", `{"store":"koko-daan","product":"茶葉蛋","quantity":2,"minutes":90,"note":"王小姐"}`, ""},
	{"reserve_stock", `{"store":"koko-daan","product":"Tea egg","quantity":1}`, ""},
	{"record_movement", `{"store":"koko-daan","product":"茶葉蛋","delta":-1,"reason":"sale"}`, ""},
	{"record_movement", `{"store":"koko-daan","product":"tea egg","delta":-1,"reason":"sale"}`, ""},
	{"release_reservation", `{"reservation":999}`, `{"openai/locale":"en-US"}`},
	{"undo_movement", `{"movement":1}`, ""},
	{"undo_movement", `{"movement":1}`, `{"openai/locale":"en-US"}`},
}

func TestAnswersToChanges(t *testing.T) {
	s := openShop(t)
	published := map[string]published{}
	for _, tool := range tools(t, s.srv) {
		published[tool.Name] = tool
	}
	var transcript bytes.Buffer
	for _, q := range changes {
		arguments, meta := q.ask(t)
		text, out := call(t, s.srv, q.tool, arguments, meta)
		if strings.ContainsFunc(text, breaksLine) || text == "" {
			t.Errorf("%s %s: text %q is not one line", q.tool, q.arguments, text)
		}
		if err := resolve(t, published[q.tool].OutputSchema).Validate(out.StructuredContent); err != nil {
			t.Errorf("%s %s: structuredContent is not as published: %v", q.tool, q.arguments, err)
		}
		if token, ok := out.StructuredContent["confirmation"].(string); ok { // another one each time
			text = strings.ReplaceAll(text, token, "TOKEN")
			out.StructuredContent["confirmation"], out.StructuredContent["message"] = "TOKEN", text
		}
		structured, err := json.Marshal(out.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&transcript, "%s %s %s\n%s\n%s\n\n", q.tool, q.arguments, q.meta, text, structured)
	}
	compareTranscript(t, "changes", transcript.String())
}
