package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// refusal is what is answered to whoever may not do something.
type refusal struct {
	status int
	code   string // of RFC 6750, section 3.1, or one like it; "" where nothing is wrong with a token
	text   string // what is wrong, and what to do
	retry  time.Duration
	scope  store.Scopes // to ask for; if 0, all that is offered
}

func badToken(text string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "invalid_token", text: text}
}

func (g *Gate) noToken() *refusal {
	text := "this server wants to know who calls: send a token, as Authorization: Bearer and the token"
	if g.signIn() {
		text = "this server wants to know who calls: sign in, or send a token, as Authorization: Bearer and the token"
	}
	return &refusal{status: http.StatusUnauthorized, text: text}
}

func tooMany(wait time.Duration) *refusal {
	return &refusal{status: http.StatusTooManyRequests, code: "too_many_requests", text: "too many requests; try again later", retry: wait}
}

func unavailable(text string, wait time.Duration) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", text: text, retry: wait}
}

// refuse answers a request. What it says of tokens is in the header, too (RFC
// 6750, section 3).
func (g *Gate) refuse(w http.ResponseWriter, f *refusal) {
	h := w.Header()
	code := f.code
	switch f.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", g.challenge(f))
		if code == "" {
			code = "unauthorized"
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int((f.retry+time.Second-1)/time.Second)))
	default:
		if code == "insufficient_scope" || code == "invalid_request" {
			h.Set("WWW-Authenticate", g.challenge(f))
		}
	}
	answer(w, f.status, "no-store", struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, f.text})
}

// answer answers with a JSON document.
func answer(w http.ResponseWriter, status int, cache string, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		panic(err) // of our own making
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", cache)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// Challenge returns the WWW-Authenticate header for a caller who is not known
// and asks for what needs scopes.
func (g *Gate) Challenge(need store.Scopes) string {
	text := "a token that may do " + need.String() + " is needed"
	if g.signIn() {
		text = "sign in to do this"
	}
	return g.challenge(&refusal{code: "insufficient_scope", text: text, scope: need | g.public()})
}

// challenge returns the WWW-Authenticate header that goes with a refusal: what
// is wrong, and, where one can sign in, for which scopes (RFC 6750, section 3)
// and where (RFC 9728, section 5.1).
func (g *Gate) challenge(f *refusal) string {
	var params []string
	add := func(name, value string) { params = append(params, fmt.Sprintf(`%s="%s"`, name, quotable(value))) }
	if f.code != "" {
		add("error", f.code)
		add("error_description", f.text)
	}
	if f.code == "insufficient_scope" || g.signIn() {
		// Clients ask for exactly what is named here, and most never ask again.
		add("scope", cmp.Or(f.scope, g.config.Offered).String())
	}
	if g.signIn() {
		add("resource_metadata", g.config.URL()+metadataPath+"/mcp")
	}
	if params == nil {
		add("realm", "mcpstore") // a challenge has at least one
	}
	return "Bearer " + strings.Join(params, ", ")
}

// quotable returns text without what may not be in an error_description, nor,
// as it is, between the quotes of a header.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"', r == '\\':
			return '\''
		case r < ' ', r > '~':
			return '?'
		}
		return r
	}, text)
}
