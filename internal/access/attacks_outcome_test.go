package access_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// state is what an attack could gain: who is let in, and what was done.
type state struct{ Grants, Tokens, Movements, Held []int64 }

// look has what is there now be where the next try begins.
func (h *house) look() {
	h.Helper()
	h.before = h.current()
}

func (h *house) current() (s state) {
	h.Helper()
	ctx := h.Context()
	grants, err := h.db.Grants(ctx)
	for _, g := range grants {
		s.Grants = append(s.Grants, g.ID)
	}
	tokens, err1 := h.db.Tokens(ctx)
	for _, t := range tokens {
		s.Tokens = append(s.Tokens, t.ID)
	}
	movements, _, err2 := h.db.Movements(ctx, store.MovementQuery{Page: store.Page{Limit: 3}})
	for _, m := range movements {
		s.Movements = append(s.Movements, m.ID)
	}
	held, _, err3 := h.db.Reservations(ctx, store.ReservationQuery{Page: store.Page{Limit: store.MaxLimit}})
	for _, r := range held {
		// On a busy machine one that is due may still be listed for a moment.
		if r.Until.After(h.clock.Now()) {
			s.Held = append(s.Held, r.ID)
		}
	}
	for _, err := range []error{err, err1, err2, err3} {
		if err != nil {
			h.Fatal(err)
		}
	}
	return s
}

// refused fails unless a try got the answer that the attack wants, and changed
// nothing. Who was let in before may have been put out by it.
func (h *house) refused(what string, r reply) {
	h.Helper()
	h.refusals++
	said.Write([]byte(fmt.Sprintln(r.status, r.header, r.body)))
	if got := (want{r.status, r.code()}); got != h.attack.want {
		h.Errorf("%s: %v, want %v\n%v", what, got, h.attack.want, r)
	}
	for _, gain := range []string{`"access_token":`, `"refresh_token":`, "code=mcpc_", `"on_hand"`} {
		if strings.Contains(r.body, gain) || strings.Contains(r.header.Get("Location"), gain) {
			h.Errorf("%s gained %s:\n%v", what, gain, r)
		}
	}
	if to := r.header.Get("Location"); to != "" && !slices.ContainsFunc(h.redirects, func(uri string) bool { return strings.HasPrefix(to, uri+"?") }) {
		h.Errorf("%s: sent to %s, which nobody registered", what, to)
	}
	after := h.current()
	added := func(before, after []int64) bool {
		return slices.ContainsFunc(after, func(id int64) bool { return !slices.Contains(before, id) })
	}
	if b := h.before; added(b.Grants, after.Grants) || added(b.Tokens, after.Tokens) ||
		!slices.Equal(b.Movements, after.Movements) || !slices.Equal(b.Held, after.Held) {
		h.Errorf("%s: %+v became %+v", what, b, after)
	}
	h.before = after
}

// worked fails unless a request that is like the attack, but right, did.
func (h *house) worked(what string, r reply) reply {
	h.Helper()
	h.successes++
	if code := r.code(); r.status >= 400 || r.isError() || code != "" && code != "done" && code != "in_stock" && code != "found" && code != onPage {
		h.Fatalf("%s should work: %d %s\n%v", what, r.status, code, r)
	}
	h.look()
	return r
}

// String is what a reply says, without the looks of a page.
func (r reply) String() string {
	body := r.body
	if _, after, ok := strings.Cut(body, "</style>"); ok {
		body = after
	}
	return fmt.Sprintf("%v\n%.2000s", r.header, body)
}

// onPage is what [reply.code] says of a page for people.
const onPage = "page"

var refresh = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// sentTo returns where a reply sends the browser, nil where nowhere.
func (r reply) sentTo() *url.URL {
	to := r.header.Get("Location")
	if found := refresh.FindStringSubmatch(r.body); found != nil {
		to = html.UnescapeString(found[1])
	}
	u, err := url.Parse(to)
	if to == "" || err != nil {
		return nil
	}
	return u
}

// code returns what a reply says went wrong, in whichever way it says so: the
// error of a redirect, of OAuth or of JSON-RPC, or the code or else the status
// of a tool's answer.
func (r reply) code() string {
	if to := r.sentTo(); to != nil {
		return to.Query().Get("error")
	}
	if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		return onPage
	}
	var body struct {
		Error  json.RawMessage
		Result struct{ StructuredContent struct{ Status, Code string } }
	}
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return ""
	}
	var text string
	var rpc struct{ Code int }
	switch {
	case json.Unmarshal(body.Error, &text) == nil:
		return text
	case json.Unmarshal(body.Error, &rpc) == nil:
		return fmt.Sprint(rpc.Code)
	case body.Result.StructuredContent.Code != "":
		return body.Result.StructuredContent.Code
	}
	return body.Result.StructuredContent.Status
}

// isError reports whether a reply is the failure of a tool.
func (r reply) isError() bool {
	var body struct{ Result struct{ IsError bool } }
	return json.Unmarshal([]byte(r.body), &body) == nil && body.Result.IsError
}

// member returns a member of a JSON reply, by the names that lead to it.
func (r reply) member(path ...string) any {
	var v any
	_ = json.Unmarshal([]byte(r.body), &v)
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}
