package access_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// program is a client that signs in.
type program struct {
	*house
	id, redirect, state, verifier string
}

const clientRedirect = "https://client.example/callback"

// program registers a client with these redirect URIs, or with the usual one.
func (h *house) program(redirects ...string) *program {
	h.Helper()
	if redirects == nil {
		redirects = []string{clientRedirect}
	}
	p := h.register(map[string]any{"client_name": "Client", "redirect_uris": redirects})
	p.redirect = redirects[0]
	return p
}

// register registers a client that says this of itself.
func (h *house) register(metadata map[string]any) *program {
	h.Helper()
	body, err := json.Marshal(metadata)
	if err != nil {
		h.Fatal(err)
	}
	r := h.worked("registering", h.send(http.MethodPost, "/register", string(body), "Content-Type", "application/json"))
	for _, uri := range r.member("redirect_uris").([]any) {
		h.redirects = append(h.redirects, uri.(string))
	}
	id, _ := r.member("client_id").(string)
	return h.known(id)
}

// known is a client that has the ID.
func (h *house) known(id string) *program {
	return &program{house: h, id: id, redirect: clientRedirect, state: rand.Text(), verifier: said.Keep(rand.Text() + rand.Text())}
}

// gone stands for a parameter that is left out.
const gone = "\x00"

// change returns values with other ones, which come in pairs.
func change(values url.Values, pairs []string) url.Values {
	for pair := range slices.Chunk(pairs, 2) {
		if values.Set(pair[0], pair[1]); pair[1] == gone {
			values.Del(pair[0])
		}
	}
	return values
}

func (p *program) challenge() string {
	sum := sha256.Sum256([]byte(p.verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// query is that of a request to be let in, with changes.
func (p *program) query(changes ...string) url.Values {
	return change(url.Values{
		"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {p.redirect}, "state": {p.state},
		"scope": {"stock:read stock:write"}, "resource": {publicURL + "/mcp"},
		"code_challenge": {p.challenge()}, "code_challenge_method": {"S256"},
	}, changes)
}

// asks opens the page on which the owner decides, with changes to the query.
func (p *program) asks(changes ...string) reply {
	p.Helper()
	return p.get("/authorize?" + p.query(changes...).Encode())
}

// page is the page on which the owner decides, in a browser.
type page struct {
	*house
	reply
	action  string
	cookies []string
	fields  url.Values // as they are before the owner types anything
}

var (
	inputTag  = regexp.MustCompile(`<(?:input|form) [^>]*>`)
	attribute = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// page opens the page, which must be shown.
func (p *program) page(changes ...string) *page {
	p.Helper()
	return p.read(p.worked("asking to be let in", p.asks(changes...)))
}

func (h *house) read(r reply) *page {
	g := &page{house: h, reply: r, fields: url.Values{}}
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		said.Keep(c.Value)
		g.cookies = append(g.cookies, c.Name+"="+c.Value)
	}
	for _, tag := range inputTag.FindAllString(r.body, -1) {
		has := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
			has[a[1]] = html.UnescapeString(a[2])
		}
		if has["action"] != "" {
			g.action = has["action"]
		} else if has["type"] != "checkbox" || strings.Contains(tag, " checked") {
			g.fields.Set(has["name"], has["value"])
		}
	}
	return g
}

// sameOrigin are the headers with which a browser sends the form.
func (g *page) sameOrigin() []string {
	headers := []string{"Origin", publicURL, "Sec-Fetch-Site", "same-origin"}
	if g.cookies != nil {
		headers = append(headers, "Cookie", strings.Join(g.cookies, "; "))
	}
	return headers
}

// types sends the form with what the owner typed.
func (g *page) types(secret string, changes ...string) reply {
	g.Helper()
	return g.form(g.action, g.typed(secret, changes...), g.sameOrigin()...)
}

func (g *page) typed(secret string, changes ...string) url.Values {
	values := url.Values{}
	for name := range g.fields {
		values.Set(name, g.fields.Get(name))
	}
	values.Set("passphrase", secret)
	values.Set("decision", "allow")
	return change(values, changes)
}

// code has the owner let the client in, and returns the code that it gets.
func (p *program) code(changes ...string) string {
	p.Helper()
	to := p.worked("allowing", p.page(changes...).types(passphrase)).sentTo()
	if to == nil || to.Query().Get("code") == "" || to.Query().Get("state") != p.state || to.Query().Get("iss") != publicURL {
		p.Fatalf("sent to %v, want a code, the state %s, and the issuer", to, p.state)
	}
	return said.Keep(to.Query().Get("code"))
}

// redeems sends a code to be exchanged, with changes to the form.
func (p *program) redeems(code string, changes ...string) reply {
	p.Helper()
	return p.form("/token", p.redemption(code, changes...))
}

func (p *program) redemption(code string, changes ...string) url.Values {
	return change(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {p.id},
		"redirect_uri": {p.redirect}, "code_verifier": {p.verifier}, "resource": {publicURL + "/mcp"},
	}, changes)
}

// renews sends a refresh token to be exchanged, with changes to the form.
func (p *program) renews(refresh string, changes ...string) reply {
	p.Helper()
	return p.form("/token", p.renewal(refresh, changes...))
}

func (p *program) renewal(refresh string, changes ...string) url.Values {
	return change(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {p.id}, "resource": {publicURL + "/mcp"},
	}, changes)
}

// tokens are what a client gets.
type tokens struct{ access, refresh, scope string }

// got returns the tokens of a reply, which must have some.
func (h *house) got(r reply) tokens {
	h.Helper()
	h.worked("getting tokens", r)
	access, _ := r.member("access_token").(string)
	refresh, _ := r.member("refresh_token").(string)
	scope, _ := r.member("scope").(string)
	if access == "" || refresh == "" {
		h.Fatalf("got no tokens: %d", r.status)
	}
	return tokens{said.Keep(access), said.Keep(refresh), scope}
}

// signsIn goes all the way.
func (p *program) signsIn(changes ...string) tokens {
	p.Helper()
	return p.got(p.redeems(p.code(changes...)))
}

// signsInToWrite goes all the way, and the owner ticks the box for writing.
func (p *program) signsInToWrite() tokens {
	p.Helper()
	to := p.worked("allowing", p.page().types(passphrase, "write", "yes")).sentTo()
	return p.got(p.redeems(said.Keep(to.Query().Get("code"))))
}

// dead fails unless an access token lets nobody in any longer.
func (h *house) dead(what, access string) {
	h.Helper()
	if r := h.ask(access); r.status != http.StatusUnauthorized {
		h.Errorf("%s still lets somebody in: %d %s", what, r.status, r.body)
	}
}
