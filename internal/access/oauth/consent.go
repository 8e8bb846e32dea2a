package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// codeTime is how long an authorization code can be redeemed.
const codeTime = time.Minute

// ask shows the page on which the owner decides, with a word about what went
// wrong before, if anything did.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, q *request, v *view, status int, trouble string) {
	passphrase, err := s.config.Store.Passphrase(r.Context())
	var locked time.Duration
	// A wrong attempt is answered as one, also the last before the lock.
	if err == nil && s.config.ShowCode != nil && (r.Method == http.MethodGet || status == http.StatusTooManyRequests) {
		locked, err = s.locked(r.Context())
	}
	if v.Locked = locked > 0; v.Locked {
		trouble = v.say(
			"錯了太多次，%d 分鐘後才能再試。現在仍可用一次性代碼登入，它顯示在執行 mcpstore 的終端機上；在那台電腦上輸入 mcpstore access passphrase --reset 也可以立刻解除。",
			"There were too many wrong attempts; the next can be made in %d minutes. You can still sign in now with the one-time code on the terminal in which mcpstore runs; on that machine, mcpstore access passphrase --reset lifts the lock at once.", minutes(locked))
	}
	byCode := passphrase == "" || v.Locked
	if err == nil && byCode && s.config.ShowCode != nil {
		err = s.offerCode(r.Context(), q, v.Locked)
	}
	if err == nil {
		v.Form, err = s.newForm(w, r, q)
	}
	if err != nil {
		s.pageUnavailable(w, r, v, err)
		return
	}
	v.Passphrase, v.Code = !byCode, s.config.ShowCode != nil
	// What was taken back stays so when the form is shown again.
	v.WriteYes = !r.PostForm.Has("decision") || r.PostForm.Get("write") != ""
	v.show(w, status, "consent", trouble)
}

// minutes is a time for people, rounded up.
func minutes(d time.Duration) int { return int(math.Ceil(d.Minutes())) }

// decide takes the owner's answer. Whatever comes of it is a page of its own:
// a redirect would be held to the form's policy of where it may lead.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, q *request, v *view) {
	if f := s.checkForm(w, r, q); f != "" {
		s.log.WarnContext(r.Context(), "refused a form that did not come from its own page", "reason", f, "redirect_host", redirectHost(q.redirect))
		s.ask(w, r, q, v, http.StatusForbidden, v.say("這個頁面已經過期，或不是從這裡送出的。請再試一次。", "This page was too old, or was not sent from here. Try again."))
		return
	}
	if r.PostForm.Get("decision") != "allow" {
		s.leave(w, r, q, v, url.Values{"error": {"access_denied"}, "error_description": {"the owner did not allow it"}})
		return
	}
	wait, err := s.verify(r.Context(), r.PostForm.Get("passphrase"))
	switch {
	case wait > 0:
		w.Header().Set("Retry-After", seconds(wait))
		s.log.WarnContext(r.Context(), "signing in is locked after too many wrong attempts", "for", wait.Round(time.Second).String(), "hint", "mcpstore access passphrase --reset lifts the lock")
		if s.config.ShowCode != nil {
			s.ask(w, r, q, v, http.StatusTooManyRequests, "")
			return
		}
		v.Again = true
		v.show(w, http.StatusTooManyRequests, "error", v.say(
			"錯了太多次，%d 分鐘後才能再試。在執行 mcpstore 的電腦上輸入 mcpstore access passphrase --reset 可以立刻解除。",
			"There were too many wrong attempts; the next can be made in %d minutes. On the machine that runs mcpstore, mcpstore access passphrase --reset lifts this at once.", minutes(wait)))
		return
	case errors.Is(err, errWrong):
		s.recordAnswer(r, q, "", "refused: wrong passphrase or code")
		s.log.WarnContext(r.Context(), "a wrong passphrase or code was typed", "client", q.client.label(), "redirect_host", redirectHost(q.redirect))
		s.ask(w, r, q, v, http.StatusForbidden, v.say("輸入的內容不對，請再試一次。", "That was not right. Try again."))
		return
	case err != nil:
		s.pageUnavailable(w, r, v, err)
		return
	}
	if q.scopes.Has(store.ScopeWrite) && r.PostForm.Get("write") == "" {
		q.scopes &^= store.ScopeWrite
	}
	if q.scopes == 0 {
		s.leave(w, r, q, v, url.Values{"error": {"access_denied"}, "error_description": {"the owner allowed nothing of what was asked for"}})
		return
	}
	s.grant(w, r, q, v)
}

// grant lets the client in.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, q *request, v *view) {
	code := secret.New(secret.Code)
	g, err := s.config.Store.AddGrant(r.Context(), store.Grant{
		ClientID:     q.client.id,
		ClientName:   q.client.label(),
		RedirectHost: redirectHost(q.redirect),
		Scopes:       q.scopes,
		Resource:     q.resource,
	}, store.Token{
		Kind:      store.CodeToken,
		Hash:      store.HashOf(code),
		Scopes:    q.scopes,
		Resource:  q.resource,
		Redirect:  q.redirect,
		Challenge: q.challenge,
		ExpiresAt: s.now().Add(codeTime),
	})
	if err != nil {
		s.pageUnavailable(w, r, v, err)
		return
	}
	s.recordAnswer(r, q, store.GrantCaller(g.ID), "ok")
	s.log.InfoContext(r.Context(), "let a client in", "grant", g.ID, "client", g.ClientName, "redirect_host", g.RedirectHost, "scopes", g.Scopes.String())
	s.leave(w, r, q, v, url.Values{"code": {code}})
}

// leave shows the page that goes on to the client with an answer: by itself to
// a site or a program on loopback, and by a click to a private-use scheme, since
// any program can have such a scheme, and a page must not open programs unasked.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, q *request, v *view, params url.Values) {
	if code := params.Get("error"); code != "" {
		s.recordAnswer(r, q, "", "declined")
		s.log.InfoContext(r.Context(), "did not let a client in", "client", q.client.label(), "redirect_host", redirectHost(q.redirect), "error", code)
	}
	s.forgetForm(w)
	v.goTo(s.answerTo(q, params))
	v.Denied = params.Has("error")
	v.show(w, http.StatusOK, "leave", "")
}

// recordAnswer adds an answer of the owner's, or of somebody who tried to be the
// owner, to the audit log.
func (s *Server) recordAnswer(r *http.Request, q *request, caller, outcome string) {
	s.record(r, store.Call{Caller: caller, Name: q.client.label(), Client: q.client.label(), Tool: "authorize", Outcome: outcome},
		map[string]any{"redirect_host": redirectHost(q.redirect), "scope": q.scopes.String()})
}

// record adds a call with these arguments to the audit log.
func (s *Server) record(r *http.Request, c store.Call, arguments map[string]any) {
	text, err := json.Marshal(arguments)
	if err == nil {
		c.At, c.Address, c.Arguments = s.now(), store.CallerFrom(r.Context()).Address, string(text)
		// Whoever hangs up must not keep it from being seen.
		err = s.config.Store.Record(context.WithoutCancel(r.Context()), []store.Call{c}, nil)
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "the audit log lacks an entry", "outcome", c.Outcome, "err", err)
	}
}

// siteOf returns the origin of a URL as browsers write it.
func siteOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
