package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const passphrase = "correct horse battery staple"

// shop is a running mcpstore --auth oauth.
type shop struct {
	*program
	issuer string
	db     string
	http   *http.Client
}

// shop starts mcpstore on a URL of this name, whose owner has a passphrase.
func (s *stage) shop(t *testing.T, name string, args ...string) *shop {
	t.Helper()
	return s.shopOn(t, s.copyPrepared(t), name, args...)
}

func (s *stage) copyPrepared(t *testing.T) string {
	t.Helper()
	prepared, err := os.ReadFile(s.prepared)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(t.TempDir(), "shop.db")
	if err := os.WriteFile(db, prepared, 0o600); err != nil {
		t.Fatal(err)
	}
	return db
}

// shopOn starts mcpstore on a URL of this name and the database.
func (s *stage) shopOn(t *testing.T, db, name string, args ...string) *shop {
	t.Helper()
	p := start(t, s.edge, append([]string{"--auth", "oauth", "--db", db, "--url", "https://" + name + domain}, args...)...)
	t.Cleanup(func() {
		p.stop()
		p.wait()
		for line := range strings.Lines(p.stderr.String()) {
			if saysSecret(line) && !meantToBeShown.MatchString(line) {
				t.Errorf("a secret was said on stderr: %s", line)
			}
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.stderr)
		}
	})
	return &shop{program: p, issuer: strings.TrimSuffix(p.endpoint, "/mcp"), db: db, http: s.edge.Client()}
}

// mcpstore runs a command in a process of its own, as the owner does beside a
// server that runs, and returns its standard output.
func mcpstore(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mcpstore", args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mcpstore %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// grant is a grant as mcpstore access grant list --json prints it.
type grant struct {
	ID           json.Number
	Client       string
	ClientID     string `json:"client_id"`
	RedirectHost string `json:"redirect_host"`
	Scopes       []string
	Resource     string
}

func (s *shop) grants(t *testing.T) []grant {
	t.Helper()
	var grants []grant
	if err := json.Unmarshal([]byte(mcpstore(t, "", "access", "grant", "list", "--json", "--db", s.db)), &grants); err != nil {
		t.Fatal(err)
	}
	return grants
}

// revoke takes the only grant back, as the owner does.
func (s *shop) revoke(t *testing.T) {
	t.Helper()
	grants := s.grants(t)
	if len(grants) != 1 {
		t.Fatalf("grants = %+v, want one", grants)
	}
	mcpstore(t, "", "access", "grant", "revoke", grants[0].ID.String(), "--db", s.db)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// json reads the answer, which must have the status.
func (a answer) json(t *testing.T, status int, into any) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d\n%s", a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
}

func (s *shop) do(t *testing.T, method, url, contentType, body, token string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 400 && saysSecret(string(text)) {
		t.Errorf("a refusal says a secret: %s", text)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (s *shop) get(t *testing.T, url string) answer {
	t.Helper()
	return s.do(t, http.MethodGet, url, "", "", "")
}

// ask sends the endpoint a message with the token, "" for none.
func (s *shop) ask(t *testing.T, token, message string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, s.endpoint, "application/json", message, token)
}

// available asks check_stock how many tea eggs there are.
func (s *shop) available(t *testing.T, token string) int {
	t.Helper()
	var checked struct {
		Result struct{ StructuredContent struct{ Available int } }
	}
	s.ask(t, token, checkStock(2)).json(t, http.StatusOK, &checked)
	return checked.Result.StructuredContent.Available
}

func (s *shop) form(t *testing.T, url string, values url.Values) answer {
	t.Helper()
	return s.do(t, http.MethodPost, url, "application/x-www-form-urlencoded", values.Encode(), "")
}
