package oauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

const (
	issuer     = "https://shop.example"
	passphrase = "a passphrase for tests"
	verifier   = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	back       = "https://client.example/cb"
)

var challenge = func() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}()

// house is a server with a database of its own, and what its owner sees.
type house struct {
	t       *testing.T
	db      *sqlite.DB
	server  *Server
	address string // where requests come from
	dir     string // of the database

	mu      sync.Mutex
	clock   time.Time
	notices []Notice
}

// openHouse opens a house whose owner has a passphrase.
func openHouse(t *testing.T, set ...func(*Config)) *house {
	t.Helper()
	h := &house{t: t, clock: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), address: "192.0.2.7"}
	h.dir = t.TempDir()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(h.dir, "shop.db"), Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h.db = db
	h.server = h.replica(set...)
	h.setPassphrase(passphrase)
	return h
}

// openHouseByCode opens a house whose owner is shown codes.
func openHouseByCode(t *testing.T, set ...func(*Config)) *house {
	h := openHouse(t, set...)
	h.setPassphrase("")
	return h
}

// replica returns another server of the same data.
func (h *house) replica(set ...func(*Config)) *Server {
	c := Config{
		Store:    h.db,
		URL:      func() string { return issuer },
		Offered:  store.ScopeRead | store.ScopeWrite,
		ShowCode: h.notice,
		Log:      slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      h.now,
	}
	for _, s := range set {
		s(&c)
	}
	return New(c)
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func (h *house) notice(n Notice) {
	said.Keep(n.Code)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notices = append(h.notices, n)
}

// setPassphrase keeps a hash that costs next to nothing; "" takes it away.
func (h *house) setPassphrase(text string) {
	h.t.Helper()
	hash := ""
	if text != "" {
		salt := []byte("salt for tests..")
		hash = fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt),
			base64.RawStdEncoding.EncodeToString(hashKey(said.Keep(text), salt, 1, 8, 1)))
	}
	if err := h.db.SetPassphrase(h.t.Context(), hash); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) grants() []store.Grant {
	h.t.Helper()
	all, err := h.db.Grants(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// do has the server answer a request.
func (h *house) do(r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.doAt(h.server, r)
}

func (h *house) doAt(s *Server, r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	w := httptest.NewRecorder()
	r = r.WithContext(store.WithCaller(r.Context(), store.Caller{Address: h.address}))
	if !s.Handle(w, r) {
		h.t.Fatalf("%s is not one of the server's paths", r.URL.Path)
	}
	if w.Code >= 400 {
		fmt.Fprintln(&said, w.Code, w.Header(), w.Body)
	}
	return w
}

func (h *house) get(target string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodGet, issuer+target, nil)
	setHeaders(r, headers)
	return h.do(r)
}

// setHeaders sets names and values by turns.
func setHeaders(r *http.Request, headers []string) {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
}

// register returns the ID of a new client.
func (h *house) register(name string, redirects ...string) string {
	h.t.Helper()
	body, err := json.Marshal(registration{Name: name, RedirectURIs: redirects})
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, issuer+"/register", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := h.do(r)
	var got registration
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated {
		h.t.Fatalf("POST /register = %d %s (%v)", w.Code, w.Body, err)
	}
	return got.ID
}

// params are what a client sends the owner with. Changes to them follow, by
// name and value; "" takes one away.
func params(client string, changes ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {back}, "scope": {"stock:read"}, "state": {"a state"},
		"resource": {issuer + "/mcp"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	change(v, changes)
	return v
}

func change(v url.Values, changes []string) {
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
}

// page is a page that was shown, with its form.
type page struct {
	*httptest.ResponseRecorder
	house   *house
	action  string // where its form goes
	form    string // what the form carries
	cookies []*http.Cookie
}

var (
	actionPattern = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formPattern   = regexp.MustCompile(`name="form" value="([^"]*)"`)
	leavePattern  = regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]*)"`)
	clickPattern  = regexp.MustCompile(`<p class="uri"><a href="([^"]*)">`)
)

func (h *house) newPage(w *httptest.ResponseRecorder) *page {
	p := &page{ResponseRecorder: w, house: h, cookies: w.Result().Cookies()}
	p.action, p.form = p.find(actionPattern), p.find(formPattern)
	return p
}

func (p *page) find(pattern *regexp.Regexp) string {
	if found := pattern.FindStringSubmatch(p.Body.String()); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}

// ask opens the page that a client sends the owner to.
func (h *house) ask(v url.Values, headers ...string) *page {
	h.t.Helper()
	return h.newPage(h.get("/authorize?"+v.Encode(), headers...))
}

// asked is ask where there is nothing wrong.
func (h *house) asked(v url.Values) *page {
	h.t.Helper()
	p := h.ask(v)
	if p.Code != http.StatusOK || p.form == "" || len(p.cookies) != 1 {
		h.t.Fatalf("GET /authorize = %d %v\n%s", p.Code, p.Header(), p.Body)
	}
	return p
}

// request is what a browser sends when a button is pressed.
func (p *page) request(fields url.Values) *http.Request {
	all := url.Values{"form": {p.form}}
	maps.Copy(all, fields)
	r := httptest.NewRequestWithContext(p.house.t.Context(), http.MethodPost, issuer+p.action, strings.NewReader(all.Encode()))
	setHeaders(r, []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", issuer, "Sec-Fetch-Site", "same-origin"})
	for _, c := range p.cookies {
		r.AddCookie(c)
	}
	return r
}

func (p *page) press(fields url.Values) *page {
	p.house.t.Helper()
	return p.house.newPage(p.house.do(p.request(fields)))
}

// allow types the passphrase, or a code, and allows everything.
func (p *page) allow(typed string) *page {
	p.house.t.Helper()
	return p.press(url.Values{"decision": {"allow"}, "passphrase": {typed}, "write": {"yes"}})
}

// leaves returns where the page goes on to.
func (p *page) leaves() *url.URL {
	p.house.t.Helper()
	to := p.find(leavePattern)
	u, err := url.Parse(to)
	if err != nil || to == "" || p.Code != http.StatusOK {
		p.house.t.Fatalf("%d goes on to %q (%v)\n%s", p.Code, to, err, p.Body)
	}
	return u
}

// letIn has the owner let a client in, and returns the code.
func (h *house) letIn(v url.Values) string {
	h.t.Helper()
	return said.Keep(h.asked(v).allow(passphrase).leaves().Query().Get("code"))
}

// answered is what came of a request for tokens.
type answered struct {
	issued
	Status int
	Error  string
	Text   string `json:"error_description"`
	header http.Header
}

// post sends a form to a path.
func (h *house) post(path string, form url.Values, headers ...string) answered {
	h.t.Helper()
	return h.postAt(h.server, path, form, headers...)
}

func (h *house) postAt(s *Server, path string, form url.Values, headers ...string) answered {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	setHeaders(r, headers)
	w := h.doAt(s, r)
	got := answered{Status: w.Code, header: w.Header()}
	if body, _ := io.ReadAll(w.Body); len(body) > 0 {
		if err := json.Unmarshal(body, &got); err != nil {
			h.t.Fatalf("POST %s = %d %s", path, w.Code, body)
		}
	}
	return got
}

// redeem exchanges a code.
func (h *house) redeem(client, code string, changes ...string) answered {
	h.t.Helper()
	v := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {back},
		"code_verifier": {verifier}, "resource": {issuer + "/mcp"}}
	change(v, changes)
	return h.post("/token", v)
}

// refresh exchanges a refresh token.
func (h *house) refresh(client, token string, changes ...string) answered {
	h.t.Helper()
	return h.refreshAt(h.server, client, token, changes...)
}

func (h *house) refreshAt(s *Server, client, token string, changes ...string) answered {
	h.t.Helper()
	v := url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}
	change(v, changes)
	return h.postAt(s, "/token", v)
}

// holds reports whether a token lets anybody in.
func (h *house) holds(token string) bool {
	h.t.Helper()
	t, err := h.db.Token(h.t.Context(), store.HashOf(token))
	return err == nil && t.Holds(h.now())
}
