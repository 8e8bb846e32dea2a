package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// About is what the page tells people of the server.
type About struct {
	Version  string
	Stores   int
	Products int    // if 0, the page names no numbers
	Demo     bool   // what is served is made up
	Question string // one that can be answered, to ask first; if empty, none

	// How a client is let in, as OpenAI's pages call it: "" for not at all, "token"
	// for a token alone, "oauth" for signing in.
	SignIn string
}

//go:embed page
var pageFiles embed.FS

var (
	pageTemplate = template.Must(template.ParseFS(pageFiles, "page/*.html"))
	pageStyle    = mustRead("page/style.css")

	pageHeader = map[string][]string{
		"Content-Type":    {"text/html; charset=utf-8"},
		"Cache-Control":   {"no-cache"},
		"Referrer-Policy": {"no-referrer"},
		// Nothing but the page's own style: no scripts, nothing from elsewhere.
		"Content-Security-Policy": {"default-src 'none'; style-src '" + hash(pageStyle) + "'; img-src data:; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		"Cross-Origin-Opener-Policy": {"same-origin"},
	}
)

func mustRead(name string) string {
	data, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(data)
}

// hash returns the hash by which a Content-Security-Policy knows a style.
func hash(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// The languages of the page, which are names of templates, too.
const (
	chinese = "zh-TW"
	english = "en"
)

// servePage shows a person what this is and how to connect.
func (s *Server) servePage(a *answer, r *http.Request) {
	view := struct {
		About
		Language string
		Endpoint string
		Local    bool
		Style    template.CSS
	}{s.about(r.Context()), language(r), s.endpoint(r), s.config.Local, template.CSS(pageStyle)}
	var page bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&page, "layout.html", view); err != nil {
		panic(err) // one failed request
	}
	h := a.Header()
	for name, values := range pageHeader {
		h[name] = values
	}
	h.Set("Content-Language", view.Language)
	h.Add("Vary", "Accept, Accept-Language")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	a.WriteHeader(http.StatusOK)
	_, _ = a.Write(page.Bytes())
}

func (s *Server) about(ctx context.Context) About {
	if s.config.About == nil {
		return About{}
	}
	return s.config.About(ctx)
}

// wantsPage reports whether a browser asks, to show a page to somebody.
func wantsPage(r *http.Request) bool {
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accept), "text/html") {
			return true
		}
	}
	return false
}

// language is the one that was picked on the page, else the first of ours that
// the browser prefers: any Chinese gets Traditional Chinese.
func language(r *http.Request) string {
	switch r.URL.Query().Get("lang") {
	case chinese:
		return chinese
	case english:
		return english
	}
	best, weight := english, 0.0
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(tag, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(value, 64)
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if q > weight && primary == "zh" {
			best, weight = chinese, q
		} else if q > weight && primary == "en" {
			best, weight = english, q
		}
	}
	return best
}
