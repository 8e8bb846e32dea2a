package oauth

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/mcpstore/mcpstore/internal/store"
)

//go:embed page
var pageFiles embed.FS

var (
	pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))
	style = func() string {
		b, err := pageFiles.ReadFile("page/style.css")
		if err != nil {
			panic(err) // it is embedded
		}
		return string(b)
	}()
	styleHash = func() string {
		sum := sha256.Sum256([]byte(style))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	}()
)

// The languages of the page.
const (
	chinese = "zh-TW"
	english = "en"
)

var languages = language.NewMatcher([]language.Tag{language.English, language.TraditionalChinese, language.Chinese})

// view is what a page shows.
type view struct {
	Lang    string
	Style   template.CSS
	Action  string // where the form goes
	Other   string // the same page in the other language
	Trouble string
	Again   bool // the trouble passes

	Host                     string // of this server
	Client                   string // the name that the client gives itself; "" for none
	ClientHost               string // that publishes the client's document; "" for none
	Redirect, RedirectHost   string // where the client has the owner sent back to
	Loopback                 bool   // which is a program on the browser's machine
	Scheme                   string // the private-use scheme by which a program is opened, such as "cursor:"; "" for none
	Impostor, ImpostorIsFrom string // a product that the client is named after, and what is not that product's

	Read, Write      bool // is asked for
	WriteYes         bool // is ticked
	StepUp           bool // it may read already, and asks to write as well
	Passphrase, Code bool // is how the owner is known
	Locked           bool // after too many wrong attempts: only a long code counts
	Sent             bool // the form was sent, and is shown again
	Form             string

	Leave  template.URL // where the page goes on to
	Denied bool         // by the owner
	Failed bool         // before the owner was asked
}

// newView begins a page for a request, which may be none.
func (s *Server) newView(r *http.Request, q *request) *view {
	v := &view{Lang: pageLanguage(r), Style: template.CSS(style)}
	query := r.URL.Query()
	v.Action = "/authorize?" + query.Encode()
	query.Set("ui_locales", map[string]string{chinese: english, english: chinese}[v.Lang])
	v.Other = "/authorize?" + query.Encode()
	if u, err := url.Parse(s.config.URL()); err == nil {
		v.Host = u.Host
	}
	if q != nil {
		v.Client, v.ClientHost = q.client.name, q.client.host
		v.Redirect, v.RedirectHost = q.redirect, redirectHost(q.redirect)
		v.Impostor, v.ImpostorIsFrom = impostor(q.client, q.redirect)
		if u, err := url.Parse(q.redirect); err == nil {
			if isPrivate(q.redirect) {
				v.Scheme = u.Scheme + ":"
			}
			v.Loopback = u.Scheme == "http"
		}
		v.Read, v.Write = q.scopes.Has(store.ScopeRead), q.scopes.Has(store.ScopeWrite)
	}
	return v
}

// pageLanguage is the one that was asked for, or else the first of ours that
// the browser prefers: any Chinese gets Traditional Chinese.
func pageLanguage(r *http.Request) string {
	wanted := strings.ReplaceAll(r.URL.Query().Get("ui_locales"), " ", ",")
	for _, list := range []string{wanted, r.Header.Get("Accept-Language")} {
		tags, _, err := language.ParseAcceptLanguage(list)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, index, confidence := languages.Match(tags...); confidence > language.No {
			return []string{english, chinese, chinese}[index]
		}
	}
	return english
}

// say says one of two texts, in the page's language.
func (v *view) say(zh, en string, args ...any) string {
	if v.Lang == chinese {
		en = zh
	}
	if len(args) == 0 {
		return en
	}
	return fmt.Sprintf(en, args...)
}

// goTo sets where the page goes on to. The URI is one that the client has
// registered, of which [checkRedirect] made sure that it leads nowhere else.
func (v *view) goTo(uri string) { v.Leave = template.URL(uri) }

// show answers with the page of the given name. It has no
// Cross-Origin-Opener-Policy: that would cut the client off from the window
// that it opened for this, even once the browser is back at the client.
func (v *view) show(w http.ResponseWriter, status int, name, trouble string) {
	v.Trouble = trouble
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name+".html", v); err != nil {
		panic(err) // one failed request
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	// Without a referrer browsers send "Origin: null" with a form.
	h.Set("Referrer-Policy", "same-origin")
	if name == "leave" {
		h.Set("Referrer-Policy", "no-referrer") // the address is none of the client's business
	}
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
