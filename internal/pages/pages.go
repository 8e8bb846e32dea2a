// Package pages shows a store or a product to a person who follows a citation:
// small readable pages, with the same facts for programs as schema.org data. It
// knows the stock, and nothing of who may see it.
//
// Begin at [New]. What a page tells is in view.go, what it tells programs in
// schema.go.
package pages

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Config is how [Pages] are set up. Store and URL must be there.
type Config struct {
	Store store.Stock
	URL   func() string // where the server is reached, without a path

	// Audit is handed a trace of each page that is shown. If nil, none is left.
	Audit func(store.Call)
	// Location is the time zone of the shops, in which times are shown. If nil,
	// [time.Local].
	Location *time.Location
	Log      *slog.Logger // if nil, [slog.Default]
}

// Where the pages are; the ID follows, escaped.
const (
	shopPath    = "/s/"
	productPath = "/p/"
)

// ShopPage returns the path of a shop's page.
func ShopPage(id string) string { return shopPath + url.PathEscape(id) }

// ProductPage returns the path of a product's page.
func ProductPage(id string) string { return productPath + url.PathEscape(id) }

// Pages is an [http.Handler] for what is below /s/ and /p/.
type Pages struct {
	config Config
	log    *slog.Logger
}

// New returns pages as c says.
func New(c Config) *Pages {
	c.Location = cmp.Or(c.Location, time.Local)
	return &Pages{c, cmp.Or(c.Log, slog.Default())}
}

// ServeHTTP shows the page of what the path names to the caller in the
// request's context.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	say := languageOf(r)
	view, err := p.view(r, say)
	outcome, status := "ok", http.StatusOK
	switch {
	case errors.Is(err, store.ErrNotFound):
		outcome, status, view = "not_found", http.StatusNotFound, notice(say("找不到這個頁面", "There is no such page"),
			say("這家門市或這項商品可能已經不在了。", "The store or the product may be there no longer."))
	case errors.Is(err, store.ErrBadCursor):
		outcome, status, view = "invalid_argument", http.StatusBadRequest, notice(say("這個網址不完整", "This address is not whole"),
			say("請回到上一頁，再點一次連結。", "Go back, and follow the link again."))
	case err != nil:
		p.log.ErrorContext(r.Context(), "a page failed", "path", r.URL.Path, "err", err)
		outcome, status, view = "failed", http.StatusInternalServerError, notice(say("現在無法顯示", "This cannot be shown now"),
			say("請稍後再試。", "Please try again later."))
	}
	render(w, r, status, say, view)
	p.trace(r, outcome, began)
}

// Refused answers somebody who may not see a page, in words instead of a
// protocol's error. The headers that say how to be let in are w's already.
func (p *Pages) Refused(w http.ResponseWriter, r *http.Request, status int) {
	say := languageOf(r)
	view := notice(say("這個頁面不對外公開", "This page is not open to everybody"),
		say("請在 ChatGPT 裡詢問庫存；您是店主的話，可以用 --public-reads 開放讀取。",
			"Ask for the stock in ChatGPT. If the shop is yours, --public-reads opens reading to anyone."))
	switch {
	case status >= http.StatusInternalServerError:
		view = notice(say("現在無法顯示", "This cannot be shown now"), say("請稍後再試。", "Please try again later."))
	case status == http.StatusTooManyRequests:
		view = notice(say("請求太頻繁", "Too many requests"), say("請等一分鐘再試。", "Please wait a minute and try again."))
	}
	render(w, r, status, say, view)
}

// Resource returns the URI of the resource that is shown at an escaped path, ""
// where none is.
func (p *Pages) Resource(path string) string {
	if id, ok := idAt(path, shopPath); ok {
		return "store://" + url.PathEscape(id)
	}
	if id, ok := idAt(path, productPath); ok {
		return "product://" + url.PathEscape(id)
	}
	return ""
}

// idAt is the ID of what is shown at an escaped path below another.
func idAt(path, below string) (string, bool) {
	rest, ok := strings.CutPrefix(path, below)
	id, err := url.PathUnescape(rest)
	return id, ok && err == nil && id != ""
}

// view is what the page at r's path shows.
func (p *Pages) view(r *http.Request, say say) (view, error) {
	path, after := r.URL.EscapedPath(), r.URL.Query().Get("after")
	if id, ok := idAt(path, shopPath); ok {
		return p.shop(r.Context(), say, id, after)
	}
	if id, ok := idAt(path, productPath); ok {
		return p.product(r.Context(), say, id, after)
	}
	return view{}, store.ErrNotFound
}

// trace leaves a trace of a page that was asked for.
func (p *Pages) trace(r *http.Request, outcome string, began time.Time) {
	if p.config.Audit == nil {
		return
	}
	const most = 200
	path := r.URL.EscapedPath()
	arguments, err := json.Marshal(map[string]string{"path": path[:min(len(path), most)]})
	if err != nil {
		return
	}
	c := store.CallerFrom(r.Context())
	p.config.Audit(store.Call{
		At: began, Caller: c.ID, Name: c.Name, Client: cmp.Or(c.Client, "browser"), Address: c.Address,
		Tool: "page", Arguments: string(arguments), Outcome: outcome, Took: time.Since(began),
	})
}

//go:embed page
var files embed.FS

var (
	layouts = map[string]*template.Template{"zh-TW": layoutIn(inChinese), "en": layoutIn(inEnglish)}
	style   = mustRead("page/style.css")
	policy  = "default-src 'none'; style-src 'sha256-" + digest(style) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func layoutIn(say say) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"say": say}).ParseFS(files, "page/*.html"))
}

func mustRead(name string) string {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(data)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func render(w http.ResponseWriter, r *http.Request, status int, say say, v view) {
	v.Language, v.Style = say("zh-TW", "en"), template.CSS(style)
	var body bytes.Buffer
	if err := layouts[v.Language].ExecuteTemplate(&body, "layout.html", v); err != nil {
		panic(err) // one failed request
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Language)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Add("Vary", "Accept-Language, Authorization")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes())
	}
}

// say picks the one of two texts that is in the reader's language.
type say func(zh, en string) string

func inChinese(zh, _ string) string { return zh }
func inEnglish(_, en string) string { return en }

var languages = language.NewMatcher([]language.Tag{language.English, language.TraditionalChinese, language.Chinese})

// languageOf is the language that was picked on the page, else the one that the
// browser prefers: any Chinese gets Traditional Chinese.
func languageOf(r *http.Request) say {
	wanted := r.URL.Query().Get("lang")
	if wanted == "" {
		wanted = r.Header.Get("Accept-Language")
	}
	tags, _, _ := language.ParseAcceptLanguage(wanted)
	_, at, _ := languages.Match(tags...)
	if at == 0 {
		return inEnglish
	}
	return inChinese
}

// at is the absolute URL of a path.
func (p *Pages) at(path string) string { return p.config.URL() + path }

// levelOf is how much of a product a shop has; carried is false where it does
// not have it any longer.
func (p *Pages) levelOf(ctx context.Context, shop, product string) (level store.Level, carried bool, err error) {
	level, err = p.config.Store.Level(ctx, shop, product)
	if errors.Is(err, store.ErrNotFound) {
		return level, false, nil
	}
	return level, err == nil, err
}
