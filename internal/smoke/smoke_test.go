package smoke

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestGoodServersPass(t *testing.T) {
	tests := []struct {
		name  string
		serve http.Handler
	}{
		{"mcp-go", teaEggs.mcpGo()},
		{"mcp-go without products", shop{}.mcpGo()},
		{"mcp-go with nothing left", shop{"茶葉蛋": {onHand: 3, reserved: 3}}.mcpGo()},
		{"mcp-go with thousands", shop{"茶葉蛋": {onHand: 1234567}}.mcpGo()},
		{"go-sdk with JSON", teaEggs.sdk(sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true})},
		{"go-sdk with event streams", teaEggs.sdk(sdk.StreamableHTTPOptions{Stateless: true})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/mcp", "/mcp/"} {
				report := smoke(t, Config{URL: serve(t, tt.serve) + path})
				for _, c := range report.Checks {
					if c.Status != Passed {
						t.Errorf("%s: check %q: %s: %s", path, c.Name, c.Status, c.Detail)
					}
				}
				if !report.OK {
					t.Errorf("%s: report is not OK", path)
				}
			}
		})
	}
}

// A server that keeps sessions does not speak the modern revision, but the
// sessions must be carried through the others, and ended.
func TestSessionsAreKeptAndEnded(t *testing.T) {
	ended := make(chan string, 10)
	base := serve(t, teaEggs.sdk(sdk.StreamableHTTPOptions{}), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				ended <- r.Header.Get("Mcp-Session-Id")
			}
			next.ServeHTTP(w, r)
		})
	})
	report := smoke(t, Config{URL: base + "/mcp"})
	for _, name := range []string{
		"initialize 2025-11-25", "tools/list 2025-11-25", "tools/call 2025-11-25",
		"initialize 2025-06-18", "tools/list 2025-06-18", "tools/call 2025-06-18",
		"check_stock", "unknown tool", "wrong argument",
	} {
		if c := named(t, report, name); c.Status != Passed {
			t.Errorf("check %q: %s: %s", name, c.Status, c.Detail)
		}
	}
	if got, want := len(ended), 5; got != want {
		t.Errorf("%d sessions were ended, want %d", got, want)
	}
	close(ended)
	for id := range ended {
		if id == "" {
			t.Error("a session was ended without its ID")
		}
	}
}

func TestHeadersAreSentWithEveryRequest(t *testing.T) {
	base := serve(t, teaEggs.mcpGo(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer sesame-open" {
				w.Header().Set("WWW-Authenticate", "Bearer")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	header := http.Header{"Authorization": {"Bearer sesame-open"}}
	if report := smoke(t, Config{URL: base + "/mcp", Header: header}); !report.OK {
		t.Errorf("with the token: %v", failures(report))
	}
	report := smoke(t, Config{URL: base + "/mcp"})
	c := named(t, report, "reachable")
	if !strings.Contains(c.Detail, "401") || !strings.Contains(c.Hint, `--header "Authorization: Bearer`) {
		t.Errorf("without the token: %q, hint %q", c.Detail, c.Hint)
	}
}

func TestNothingIsCheckedWhenCalledWrongly(t *testing.T) {
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{URL: ""}, "want https://HOST/mcp"},
		{Config{URL: "shop.example/mcp"}, "want https://HOST/mcp"},
		{Config{URL: "ftp://shop.example/mcp"}, "want https://HOST/mcp"},
		{Config{URL: "https:///mcp"}, "want https://HOST/mcp"},
		{Config{URL: "https://shop.example:port/mcp"}, "invalid port"},
		{Config{URL: "https://shop.example/mcp", CA: []byte("no PEM")}, "no certificate"},
		{Config{URL: "https://shop.example/mcp", Resolve: []string{"shop.example"}}, "want host:port:address"},
	}
	for _, tt := range tests {
		report, err := Run(t.Context(), tt.cfg, func(c Check) { t.Errorf("%+v: checked %q", tt.cfg, c.Name) })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want one with %q", tt.cfg, err, tt.want)
		}
		if len(report.Checks) > 0 {
			t.Errorf("%+v: report has checks", tt.cfg)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	base := serve(t, teaEggs.mcpGo())
	report, err := Run(ctx, Config{URL: base + "/mcp"}, func(c Check) {
		if c.Name == "get" {
			cancel()
		}
	})
	if err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if report.OK {
		t.Error("a report that was cut short is OK")
	}
}

func TestOneHangingAnswerHidesNoOther(t *testing.T) {
	base := serve(t, teaEggs.mcpGo(), instead(toTool("no_such_tool"), func(_ http.ResponseWriter, q asked) {
		<-q.Context().Done()
	}))
	report := smoke(t, Config{URL: base + "/mcp", Timeout: 3 * time.Second})
	want := map[string]string{"unknown tool": "no answer in time"}
	if diff := cmp.Diff(want, failures(report)); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestTimeRunsOut(t *testing.T) {
	base := serve(t, teaEggs.mcpGo(), instead(
		func(q asked) bool { return q.Method != "initialize" },
		func(_ http.ResponseWriter, q asked) { <-q.Context().Done() },
	))
	// Three checks that hang take a third of the time each.
	report := smoke(t, Config{URL: base + "/mcp", Timeout: 600 * time.Millisecond})
	c := named(t, report, "initialize 2025-11-25")
	if c.Status != Skipped || c.Detail != "no time was left" {
		t.Errorf("%s: %s: %q, want it skipped for lack of time", c.Name, c.Status, c.Detail)
	}
}

// smoke runs the checks, and holds what is true of every run.
func smoke(t *testing.T, cfg Config) Report {
	t.Helper()
	var told []Check
	report, err := Run(t.Context(), cfg, func(c Check) { told = append(told, c) })
	if err != nil {
		t.Fatalf("Run(%q): %v", cfg.URL, err)
	}
	if diff := cmp.Diff(told, report.Checks); diff != "" {
		t.Errorf("what was told differs from the report (-told +report):\n%s", diff)
	}
	var names []string
	for _, c := range report.Checks {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff(allChecks, names); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if report.OK == (len(failures(report)) > 0) {
		t.Errorf("OK is %t with the failures %v", report.OK, failures(report))
	}
	return report
}

var allChecks = []string{
	"reachable", "path", "both slashes", "get",
	"server/discover 2026-07-28", "tools/list 2026-07-28", "tools/call 2026-07-28",
	"initialize 2025-11-25", "tools/list 2025-11-25", "tools/call 2025-11-25",
	"initialize 2025-06-18", "tools/list 2025-06-18", "tools/call 2025-06-18",
	"check_stock", "unknown tool", "wrong argument", "without a token",
}

// failures maps the checks that failed to their details.
func failures(r Report) map[string]string {
	failed := make(map[string]string)
	for _, c := range r.Checks {
		if c.Status == Failed {
			failed[c.Name] = c.Detail
		}
	}
	return failed
}

func named(t *testing.T, r Report, name string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %q", name)
	return Check{}
}
