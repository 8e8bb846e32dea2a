package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// album is Pages that show what is below /p/.
type album struct{}

func (album) Resource(path string) string {
	if id, ok := strings.CutPrefix(path, "/p/"); ok {
		return "product://" + id
	}
	return ""
}

func (album) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "the page at %s", r.URL.EscapedPath())
}

func (album) Refused(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, "refused in words")
}

func TestPagesAreShownToWhomAccessLetsIn(t *testing.T) {
	g := &gate{word: "Bearer sesame", refuses: "product://secret"}
	addr := start(t, Config{Access: g, Pages: album{}})
	for _, test := range []struct {
		request string
		status  int
		body    string
	}{
		{get("/p/a%2Fb", "Authorization: Bearer sesame"), 200, "the page at /p/a%2Fb"},
		{request("HEAD", "/p/x", "", "Authorization: Bearer sesame"), 200, ""},
		{get("/p/x"), 401, "refused in words"},
		{get("/p/secret", "Authorization: Bearer sesame"), 403, "refused in words"},
		{request("POST", "/p/x", "{}", "Authorization: Bearer sesame"), 405, "this is a page"},
		{get("/s/x", "Authorization: Bearer sesame"), 404, "not found"},
	} {
		got := send(t, addr, test.request)
		line, _, _ := strings.Cut(test.request, "\r\n")
		if got.status != test.status || !strings.Contains(got.body, test.body) {
			t.Errorf("%s = %d %q, want %d %q", line, got.status, got.body, test.status, test.body)
		}
		if strings.HasPrefix(test.body, "refused") && got.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %s", line, got.header.Get("Content-Type"))
		}
	}
	if !slices.ContainsFunc(g.took(), func(asked string) bool { return strings.Contains(asked, "product://secret") }) {
		t.Error("nobody was asked whether the page may be read")
	}
}

func TestPagesWithoutAccessAreForEverybody(t *testing.T) {
	addr := start(t, Config{Pages: album{}})
	if got := send(t, addr, get("/p/x")); got.status != 200 || got.body != "the page at /p/x" {
		t.Errorf("%d %q", got.status, got.body)
	}
	addr = start(t, Config{})
	if got := send(t, addr, get("/p/x")); got.status != 404 {
		t.Errorf("without pages: %d", got.status)
	}
}

func TestTheChallengeIsAnsweredToAnybodyExactly(t *testing.T) {
	const path = "/.well-known/openai-apps-challenge"
	addr := start(t, Config{Challenge: "abc-123", Access: &gate{word: "Bearer sesame"}})
	got := send(t, addr, get(path))
	if got.status != 200 || got.body != "abc-123" || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q %s", got.status, got.body, got.header.Get("Content-Type"))
	}
	if got := send(t, addr, request("HEAD", path, "")); got.status != 200 {
		t.Errorf("HEAD = %d", got.status)
	}
	if got := send(t, addr, request("POST", path, "{}")); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST = %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	if got := send(t, start(t, Config{}), get(path)); got.status != 404 {
		t.Errorf("without one: %d", got.status)
	}
}
