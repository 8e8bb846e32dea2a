package smoke

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var printed = Report{
	URL:      "https://shop.example/mcp",
	Duration: 1234567 * time.Microsecond,
	Checks: []Check{
		{Name: "reachable", Status: Passed, Duration: 41 * time.Millisecond, Detail: "TLS 1.3"},
		{Name: "path", Status: Passed, Duration: 2 * time.Microsecond},
		{Name: "get", Status: Failed, Duration: 12345 * time.Microsecond, Detail: "GET answers 200", Hint: "do not"},
		{Name: "check_stock", Status: Skipped, Detail: "no tools could be listed"},
	},
}

func TestText(t *testing.T) {
	var out strings.Builder
	tell := Text(&out)
	for _, c := range printed.Checks {
		tell(c)
	}
	fmt.Fprintln(&out, printed.Summary())
	want := `ok    reachable                     41 ms  TLS 1.3
ok    path                         0.0 ms
FAIL  get                           12 ms  GET answers 200
      hint: do not
skip  check_stock                          no tools could be listed
1 of 4 checks failed, 1 skipped in 1234 ms
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	printed := Report{OK: true, Duration: time.Second, Checks: printed.Checks[:2]}
	if got, want := printed.Summary(), "2 checks passed in 1000 ms"; got != want {
		t.Errorf("Summary() = %q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	got, err := json.MarshalIndent(printed, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "url": "https://shop.example/mcp",
  "ok": false,
  "checks": [
    {
      "name": "reachable",
      "status": "pass",
      "detail": "TLS 1.3",
      "duration_ms": 41
    },
    {
      "name": "path",
      "status": "pass",
      "duration_ms": 0.002
    },
    {
      "name": "get",
      "status": "fail",
      "detail": "GET answers 200",
      "hint": "do not",
      "duration_ms": 12.345
    },
    {
      "name": "check_stock",
      "status": "skip",
      "detail": "no tools could be listed",
      "duration_ms": 0
    }
  ],
  "duration_ms": 1234.567
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// A server may echo what it was sent, in more than one way of writing.
func TestSecretsAreNotRepeated(t *testing.T) {
	const token, cookie = `s3same"op&n`, "session=abcdef"
	base := serve(t, teaEggs.mcpGo(), instead(
		func(q asked) bool { return q.Method == "tools/list" || q.Params.Name == "no_such_tool" },
		func(w http.ResponseWriter, q asked) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(object{"raw": q.Header.Values("Authorization"), "query": q.URL.RawQuery})
			fmt.Fprintf(w, "%s %q %s %s", q.Header.Get("Authorization"), q.Header.Get("Authorization"), q.Header.Get("Cookie"), strings.Repeat("…", 500))
		}))
	report := smoke(t, Config{
		URL:    strings.Replace(base, "http://", "http://user:passw0rd@", 1) + "/mcp?key=q1w2e3",
		Header: http.Header{"Authorization": {"Bearer " + token}, "Cookie": {cookie}},
	})
	if report.OK {
		t.Fatal("the server's errors did not fail a check")
	}
	var text strings.Builder
	tell := Text(&text)
	for _, c := range report.Checks {
		tell(c)
	}
	js, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{text.String(), string(js)} {
		if !strings.Contains(output, "[hidden]") {
			t.Errorf("nothing was hidden in: %s", output)
		}
		for _, secret := range []string{token, "s3same", "op&n", "abcdef", "passw0rd", "q1w2e3"} {
			if strings.Contains(output, secret) {
				t.Errorf("%q is repeated in: %s", secret, output)
			}
		}
	}
}

func TestTerminalIsNotTalkedTo(t *testing.T) {
	clean := cleaner(nil, &url.URL{})
	if got, want := clean("a\x1b[31mb\nc\u009bd"), "a [31mb c d"; got != want {
		t.Errorf("clean = %q, want %q", got, want)
	}
	if got, want := clean("a\u202etxt.exe\u202c \u2066b\u2069\u200e\u061cc\u200b\ufeffd\u2028e 👩\u200d🍳"), "atxt.exe bcd e 👩\u200d🍳"; got != want {
		t.Errorf("clean = %q, want %q", got, want)
	}
	header := http.Header{"Authorization": {"Bearer secret-token"}}
	if got := cleaner(header, &url.URL{})("it is secret\u202c-to\u200bken"); strings.Contains(got, "token") || !strings.Contains(got, "[hidden]") {
		t.Errorf("a secret with something unseen within became %q", got)
	}
	if got := clean(strings.Repeat("蛋", 1000)); len(got) > 510 || !strings.HasSuffix(got, "蛋…") {
		t.Errorf("a long text became %q", got)
	}
}
