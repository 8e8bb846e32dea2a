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
	if err == nil {
		_, v.StepUp, err = s.stepsUpFrom(r.Context(), q)
	}
	if err != nil {
		s.pageUnavailable(w, r, v, err)
		return
	}
	v.Passphrase, v.Code = !byCode, s.config.ShowCode != nil
	v.WriteYes = v.StepUp
	if v.Sent = r.PostForm.Has("decision"); v.Sent { // what was ticked stays so
		v.WriteYes = r.PostForm.Get("write") != ""
	}
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
		if err := s.withhold(r.Context(), q); err != nil {
			s.pageUnavailable(w, r, v, err)
			return
		}
	}
	if q.scopes == 0 {
		s.leave(w, r, q, v, url.Values{"error": {"access_denied"}, "error_description": {"the owner allowed nothing of what was asked for"}})
		return
	}
	s.grant(w, r, q, v)
}

// stepUpTime is how long a client that was told that it lacks a scope may take
// to send the owner here.
const stepUpTime = formTime

// stepsUpFrom returns the newest grant of a client that asks for more than that
// gave: to change the stock, where it may only read until now. Some clients
// register anew before they ask: those are known by their name, the host to
// which the owner is sent back, and that they were told just now to ask.
func (s *Server) stepsUpFrom(ctx context.Context, q *request) (store.Grant, bool, error) {
	if !q.scopes.Has(store.ScopeWrite) {
		return store.Grant{}, false, nil
	}
	all, err := s.config.Store.Grants(ctx)
	host := anyPort(redirectHost(q.redirect))
	for _, g := range all { // newest first
		if g.Resource != q.resource {
			continue
		}
		again := q.client.name != "" && g.ClientName == q.client.name && anyPort(g.RedirectHost) == host &&
			!g.Scopes.Has(store.ScopeWrite) && s.now().Sub(g.ChallengedAt) < stepUpTime
		if again || g.ClientID == q.client.id {
			return g, !g.Scopes.Has(store.ScopeWrite), nil
		}
	}
	return store.Grant{}, false, err
}

// anyPort returns a redirect host without its port where that is another each
// time: on this machine.
func anyPort(host string) string {
	if u, err := url.Parse("//" + host); err == nil && isLoopback(u.Hostname()) {
		return u.Hostname()
	}
	return host
}

// withhold takes the scope to write out of a request. At a step-up that is kept:
// a client that was sent here because it may not write would come back for ever.
// At the first time it says nothing, since the box starts unticked.
func (s *Server) withhold(ctx context.Context, q *request) error {
	from, stepUp, err := s.stepsUpFrom(ctx, q)
	if err != nil {
		return err
	}
	q.scopes &^= store.ScopeWrite
	switch {
	case stepUp && q.scopes == 0: // there will be no grant to keep it with
		return s.config.Store.Withhold(ctx, from.ID, store.ScopeWrite)
	case stepUp:
		q.withheld = store.ScopeWrite
	}
	return nil
}

// grant lets the client in.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, q *request, v *view) {
	code := secret.New(secret.Code)
	g, err := s.config.Store.AddGrant(r.Context(), store.Grant{
		ClientID:     q.client.id,
		ClientName:   q.client.label(),
		RedirectHost: redirectHost(q.redirect),
		Scopes:       q.scopes,
		Withheld:     q.withheld,
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

// recordAnswer adds an answer of the owner, or of a caller who tried to be the
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
		// A caller that hangs up must not keep it from being seen.
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
