package smoke

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestThoseWithoutATokenAreTold(t *testing.T) {
	const metadata = "/.well-known/oauth-protected-resource/mcp"
	tests := map[string]struct {
		challenge string // BASE is the server's URL
		resource  string // of the metadata; if empty, there is none
		status    Status
		words     string
	}{
		"by a plain challenge":            {`Bearer`, "", Passed, "a token is needed"},
		"where to sign in":                {`Bearer resource_metadata="BASE` + metadata + `", scope="stock:read"`, "BASE/mcp", Passed, "sign in at https://login.example"},
		"by another scheme":               {`Basic realm="shop"`, "", Failed, "want Bearer"},
		"nothing":                         {``, "", Failed, "want Bearer"},
		"to look elsewhere":               {`Bearer resource_metadata="https://evil.example/x"`, "", Failed, "not at"},
		"to look where there is nothing":  {`Bearer resource_metadata="BASE` + metadata + `"`, "", Failed, "404"},
		"where to sign in to another URL": {`Bearer resource_metadata="BASE` + metadata + `"`, "https://other.example/mcp", Failed, "not this URL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var base string
			filled := func(s string) string { return strings.ReplaceAll(s, "BASE", base) }
			base = serve(t, teaEggs.mcpGo(), func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == metadata && tt.resource != "":
						if r.Header.Get("Authorization") != "" {
							t.Error("the token was sent where it is not needed")
						}
						fmt.Fprintf(w, `{"resource":%q,"authorization_servers":["https://login.example"]}`, filled(tt.resource))
					case r.URL.Path == metadata:
						http.NotFound(w, r)
					case r.Header.Get("Authorization") == "":
						if tt.challenge != "" {
							w.Header().Set("WWW-Authenticate", filled(tt.challenge))
						}
						w.WriteHeader(http.StatusUnauthorized)
					default:
						next.ServeHTTP(w, r)
					}
				})
			})
			report := smoke(t, Config{URL: base + "/mcp", Header: http.Header{"Authorization": {"Bearer sesame-open"}}})
			c := named(t, report, "without a token")
			if c.Status != tt.status || !strings.Contains(c.Detail, tt.words) {
				t.Errorf("%s: %q, want %s with %q", c.Status, c.Detail, tt.status, tt.words)
			}
		})
	}
}

func TestReadingMayBeOpen(t *testing.T) {
	base := serve(t, teaEggs.mcpGo())
	report := smoke(t, Config{URL: base + "/mcp", Header: http.Header{"Authorization": {"Bearer sesame-open"}}})
	if c := named(t, report, "without a token"); c.Status != Passed || !strings.Contains(c.Detail, "open") {
		t.Errorf("%s: %q, want it passed, and told that reading is open", c.Status, c.Detail)
	}
}
