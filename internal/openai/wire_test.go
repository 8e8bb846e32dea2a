package openai

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What goes over the wire, to OpenAI and from there to mcpstore, for one
// question that a call is approved for: by the handshake of 2026-07-28, and by
// that of 2025-11-25 where a server knows no other.
func TestTheWireIsAsItWas(t *testing.T) {
	old := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Mcp-Method") == "server/discover" {
				http.Error(w, "not found", http.StatusNotFound)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	for name, wrap := range map[string]func(http.Handler) http.Handler{"discover": nil, "initialize": old} {
		t.Run(name, func(t *testing.T) {
			openai := standIn(t)
			url := shop(t, wrap)
			c := conversation(openai, url, func(c *Config) { c.Approve = ApproveNever })
			if err := c.Ask(t.Context(), question, &watched{answer: []Decision{Yes}}); err != nil {
				t.Fatal(err)
			}
			got := tidy(t, strings.ReplaceAll(openai.Transcript(), strings.TrimSuffix(url, "/mcp"), "https://shop.example"))
			file := filepath.Join("testdata", "wire_"+name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("go test -run TestTheWire -update writes it anew (-want +got):\n%s", diff)
			}
		})
	}
}

// tidy leaves out of a transcript what changes from run to run, and what other
// golden files hold.
func tidy(t *testing.T, transcript string) string {
	t.Helper()
	var out strings.Builder
	for message := range strings.SplitSeq(strings.TrimSpace(transcript), "\n\n") {
		at := strings.Index(message, "\n{")
		if at < 0 {
			out.WriteString(message + "\n\n")
			continue
		}
		var body any
		dec := json.NewDecoder(strings.NewReader(message[at+1:]))
		dec.UseNumber()
		if err := dec.Decode(&body); err != nil {
			t.Fatalf("%v in:\n%s", err, message)
		}
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(tidyValue("", body)); err != nil {
			t.Fatal(err)
		}
		out.WriteString(message[:at+1] + text.String() + "\n")
	}
	return out.String()
}

func tidyValue(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = tidyValue(key, value)
		}
		return v
	case []any:
		for i := range v {
			v[i] = tidyValue("", v[i])
			if tool, ok := v[i].(map[string]any); ok && name == "tools" && tool["name"] != nil {
				v[i] = tool["name"]
			}
		}
		return v
	case string:
		switch name {
		case "as_of":
			return "2026-01-02T03:04:05Z"
		case "src", "instructions", "description":
			return v[:min(len(v), 20)] + "…"
		}
	case json.Number:
		if name == "created_at" {
			return 0
		}
	}
	return v
}
