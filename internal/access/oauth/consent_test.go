package oauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestDeniedClientsAreTold(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("Stranger", back))).press(url.Values{"decision": {"deny"}, "passphrase": {passphrase}})
	if q := p.leaves().Query(); q.Get("error") != "access_denied" || q.Get("state") != "a state" || q.Get("iss") != issuer || q.Has("code") {
		t.Errorf("goes back with %v", q)
	}
	if n := len(h.grants()); n > 0 {
		t.Errorf("there are %d grants", n)
	}
}

func TestWritingCanBeLeftOut(t *testing.T) {
	h := openHouse(t)
	client := h.register("Greedy", back)
	for scope, want := range map[string]string{"stock:read": "stock:read", "stock:read stock:write": "stock:read", "stock:write": ""} {
		p := h.asked(params(client, "scope", scope)).press(url.Values{"decision": {"allow"}, "passphrase": {passphrase}})
		to := p.leaves().Query()
		if want == "" {
			if to.Get("error") != "access_denied" {
				t.Errorf("%s: goes back with %v", scope, to)
			}
			continue
		}
		if got := h.redeem(client, said.Keep(to.Get("code"))); got.Scope != want {
			t.Errorf("%s: granted %q, want %q", scope, got.Scope, want)
		}
	}
}

// The box for writing is the owner's to tick. A slip of the hand changes nothing
// about it.
func TestWritingStartsUnticked(t *testing.T) {
	h := openHouse(t)
	client := h.register("Greedy", back)
	for _, scope := range []string{"stock:read stock:write", "stock:write", ""} {
		h.wait(attemptsHereTime)
		for _, write := range []bool{false, true} {
			p := h.asked(params(client, "scope", scope))
			if ticked, stepUp := p.writing(); ticked || stepUp {
				t.Fatalf("for %q the page begins with\n%s", scope, p.Body)
			}
			form := url.Values{"decision": {"allow"}, "passphrase": {"not the passphrase"}}
			if write {
				form.Set("write", "yes")
			}
			if ticked, _ := p.press(form).writing(); ticked != write {
				t.Errorf("for %q, after a wrong passphrase with write %v, it is ticked: %v", scope, write, ticked)
			}
		}
	}
}

// writing reports whether the box for writing is ticked, and whether the page
// says that this is a step-up.
func (p *page) writing() (ticked, stepUp bool) {
	p.house.t.Helper()
	const box = `name="write" value="yes"`
	body := p.Body.String()
	if !strings.Contains(body, box) {
		p.house.t.Fatalf("the page has no box for writing: %d\n%s", p.Code, body)
	}
	return strings.Contains(body, box+" checked"), strings.Contains(body, "Until now it may only look things up")
}

func TestWritingStartsTickedAtAStepUp(t *testing.T) {
	h := openHouse(t)
	client, other := h.register("Clerk", back), h.register("Clerk", back)
	wantTicked := func(when, client string, want bool) {
		t.Helper()
		for _, scope := range []string{"stock:read stock:write", "stock:write", ""} {
			if ticked, stepUp := h.asked(params(client, "scope", scope)).writing(); ticked != want || stepUp != want {
				t.Errorf("%s, for %q: ticked %v, and said to be a step-up %v; want %v", when, scope, ticked, stepUp, want)
			}
		}
	}
	wantTicked("before anything was allowed", client, false)
	read := h.redeem(client, h.letIn(params(client)))
	wantTicked("after reading was allowed", client, true)
	wantTicked("another client of that name", other, false)
	if chinese := h.asked(params(client, "scope", "", "ui_locales", "zh-TW")).Body.String(); !strings.Contains(chinese, "它原本只能查詢，現在要求也能更改庫存") {
		t.Errorf("in Chinese:\n%s", chinese)
	}
	if body := h.asked(params(client)).Body.String(); strings.Contains(body, "Until now") || strings.Contains(body, `name="write"`) {
		t.Errorf("asking to read alone:\n%s", body)
	}
	if p := h.asked(params(client, "scope", "")).press(url.Values{"decision": {"allow"}, "passphrase": {"wrong"}}); p.Code != http.StatusForbidden {
		t.Errorf("a wrong passphrase: %d", p.Code)
	} else if ticked, stepUp := p.writing(); ticked || !stepUp {
		t.Errorf("after it was unticked, and a wrong passphrase: ticked %v, and said to be a step-up %v", ticked, stepUp)
	}
	h.post("/revoke", url.Values{"client_id": {client}, "token": {read.Access}})
	wantTicked("after the client gave its grant back", client, false)
	h.letIn(params(client))
	h.wait(refreshTime)
	wantTicked("after the grant has lapsed", client, false)
	h.letIn(params(client, "scope", "stock:read stock:write"))
	wantTicked("after writing was allowed", client, false)
}

// Clients that register anew before they ask come back to the same host, where
// that is this machine by another port, and soon after they were told to ask.
func TestAStepUpIsKnownByNameAndHost(t *testing.T) {
	for _, test := range []struct {
		allowed, asking string
		want            bool
	}{
		{"https://client.example/cb", "https://client.example/other", true},
		{"https://client.example/cb", "https://evil.example/cb", false},
		{"https://client.example/cb", "https://client.example:8443/cb", false},
		{"http://127.0.0.1:5000/cb", "http://127.0.0.1:6000/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1:6000/cb", true},
		{"http://[::1]:5000/cb", "http://[::1]/cb", true},
		{"http://127.0.0.1:5000/cb", "http://localhost:5000/cb", false},
		{"cursor://anysphere.cursor/cb", "cursor://anysphere.cursor/cb", true},
		{"cursor://anysphere.cursor/cb", "vscode://anysphere.cursor/cb", false},
	} {
		h := openHouse(t)
		granted, err := h.db.AddGrant(t.Context(), store.Grant{ClientID: "client-of-before", ClientName: "Clerk", RedirectHost: redirectHost(test.allowed), Scopes: store.ScopeRead, Resource: issuer + "/mcp"},
			store.Token{Kind: store.RefreshToken, Hash: store.HashOf(test.allowed), Scopes: store.ScopeRead, Resource: issuer + "/mcp", ExpiresAt: h.now().Add(refreshTime)})
		if err != nil {
			t.Fatal(err)
		}
		again := params(h.register("Clerk", test.asking), "redirect_uri", test.asking, "scope", "stock:read stock:write")
		wantStepUp := func(when string, v url.Values, want bool) {
			t.Helper()
			if ticked, stepUp := h.asked(v).writing(); ticked != want || stepUp != want {
				t.Errorf("allowed for %s, asking for %s, %s: ticked %v, and said to be a step-up %v; want %v", test.allowed, test.asking, when, ticked, stepUp, want)
			}
		}
		wantStepUp("before it was told to", again, false)
		if err := h.db.Challenge(t.Context(), granted.ID); err != nil {
			t.Fatal(err)
		}
		wantStepUp("when it was told to", again, test.want)
		for _, name := range []string{"Other", ""} {
			wantStepUp("by the name "+name, params(h.register(name, test.asking), "redirect_uri", test.asking, "scope", ""), false)
		}
		h.wait(stepUpTime)
		wantStepUp("much later", again, false)
	}
}

// What the owner leaves out at a step-up is kept, so that the client is not sent
// to ask again for ever; at the first time it says nothing.
func TestWhatIsWithheldAtAStepUpIsKept(t *testing.T) {
	h := openHouse(t)
	client := h.register("Clerk", back)
	both := params(client, "scope", "stock:read stock:write")
	allow := func(v url.Values) url.Values {
		t.Helper()
		return h.asked(v).press(url.Values{"decision": {"allow"}, "passphrase": {passphrase}}).leaves().Query()
	}
	withheld := func(when string, want ...store.Scopes) {
		t.Helper()
		var got []store.Scopes
		for _, g := range h.grants() {
			got = append(got, g.Withheld)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, from the grants is withheld %q, want %q", when, got, want)
		}
	}
	h.redeem(client, said.Keep(allow(both).Get("code")))
	withheld("after the first time", 0)
	got := h.redeem(client, said.Keep(allow(both).Get("code")))
	withheld("after a step-up", store.ScopeWrite, 0)
	kept, err := h.db.Token(t.Context(), store.HashOf(h.refresh(client, got.Refresh).Access))
	if err != nil || got.Scope != "stock:read" || kept.Withheld != store.ScopeWrite {
		t.Errorf("its token is for %q, and withheld is %q (%v)", got.Scope, kept.Withheld, err)
	}
	h.redeem(client, h.letIn(both))
	withheld("after the owner changed their mind", 0, store.ScopeWrite, 0)
}

// A client that asks for nothing but what it lacks gets no grant by such a no.
func TestWhatIsWithheldIsKeptWhereNothingElseWasAskedFor(t *testing.T) {
	h := openHouse(t)
	client := h.register("Clerk", back)
	h.redeem(client, h.letIn(params(client)))
	write := h.asked(params(client, "scope", "stock:write"))
	write.press(url.Values{"decision": {"deny"}}).leaves() // which takes no passphrase
	if grants := h.grants(); len(grants) != 1 || grants[0].Withheld != 0 {
		t.Errorf("after anybody said no, grants = %+v", grants)
	}
	write = h.asked(params(client, "scope", "stock:write"))
	if to := write.press(url.Values{"decision": {"allow"}, "passphrase": {passphrase}}).leaves().Query(); to.Get("error") != "access_denied" {
		t.Errorf("goes back with %v", to)
	}
	if grants := h.grants(); len(grants) != 1 || grants[0].Withheld != store.ScopeWrite {
		t.Errorf("after the owner said no, grants = %+v", grants)
	}
}

// A box that the page does not have gives nothing.
func TestFormsGiveNoMoreThanWasAskedFor(t *testing.T) {
	h := openHouse(t)
	client := h.register("Greedy", back)
	code := said.Keep(h.asked(params(client)).press(url.Values{"decision": {"allow"}, "passphrase": {passphrase}, "write": {"yes"}, "scope": {"stock:write"}}).leaves().Query().Get("code"))
	if got := h.redeem(client, code); got.Scope != "stock:read" {
		t.Errorf("granted %q", got.Scope)
	}
}

func TestFormsCountOnlyWhereTheyWereShown(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	mine, theirs := h.asked(params(client)), h.asked(params(client))
	yes := url.Values{"decision": {"allow"}, "passphrase": {passphrase}, "write": {"yes"}}
	for name, spoil := range map[string]func(r *http.Request) *http.Request{
		"without a cookie":           func(r *http.Request) *http.Request { r.Header.Del("Cookie"); return r },
		"with somebody's cookie":     func(r *http.Request) *http.Request { r.Header.Del("Cookie"); r.AddCookie(theirs.cookies[0]); return r },
		"with two cookies":           func(r *http.Request) *http.Request { r.AddCookie(theirs.cookies[0]); return r },
		"from another origin":        func(r *http.Request) *http.Request { r.Header.Set("Origin", "https://evil.example"); return r },
		"from an origin alike":       func(r *http.Request) *http.Request { r.Header.Set("Origin", issuer+".evil.example"); return r },
		"from nowhere":               func(r *http.Request) *http.Request { r.Header.Set("Origin", "null"); return r },
		"without an origin":          func(r *http.Request) *http.Request { r.Header.Del("Origin"); return r },
		"from another site":          func(r *http.Request) *http.Request { r.Header.Set("Sec-Fetch-Site", "cross-site"); return r },
		"from another host of ngrok": func(r *http.Request) *http.Request { r.Header.Set("Sec-Fetch-Site", "same-site"); return r },
		"as plain text":              func(r *http.Request) *http.Request { r.Header.Set("Content-Type", "text/plain"); return r },
		"for another request": func(r *http.Request) *http.Request {
			r.URL.RawQuery = params(client, "scope", "stock:read stock:write").Encode()
			return r
		},
		"with somebody's form": func(*http.Request) *http.Request {
			p := *mine
			p.form = theirs.form
			return p.request(yes)
		},
		"with no form": func(*http.Request) *http.Request {
			p := *mine
			p.form = ""
			return p.request(yes)
		},
		"with a longer life": func(*http.Request) *http.Request {
			p := *mine
			p.form = "_" + p.form[1:]
			return p.request(yes)
		},
	} {
		p := h.newPage(h.do(spoil(mine.request(yes))))
		if p.Code != http.StatusForbidden || p.find(leavePattern) != "" || len(h.grants()) > 0 {
			t.Errorf("%s: %d, and %d grants", name, p.Code, len(h.grants()))
		}
		if p.form == "" || p.form == mine.form {
			t.Errorf("%s: there is no new form", name)
		}
	}
	if w := h.get(mine.action+"&"+yes.Encode()+"&form="+mine.form, "Cookie", mine.cookies[0].String(), "Origin", issuer); len(h.grants()) > 0 {
		t.Errorf("by GET: %d, and %d grants", w.Code, len(h.grants()))
	}
	mine.press(yes).leaves()
	if len(h.grants()) != 1 {
		t.Error("a form that nobody spoiled does not count")
	}
}

func TestFormsGrowOld(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("ChatGPT", back)))
	h.wait(formTime)
	if late := p.allow(passphrase); late.Code != http.StatusForbidden || len(h.grants()) > 0 {
		t.Errorf("after %v: %d", formTime, late.Code)
	}
}

func TestReloadingChangesNothing(t *testing.T) {
	h := openHouse(t)
	v := params(h.register("ChatGPT", back))
	h.asked(v)
	h.asked(v).allow(passphrase).leaves() // as after a page that came before it
}

func TestCookiesStayHere(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	c := h.asked(params(client)).cookies[0]
	if c.Name != "__Host-mcpstore" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
		t.Errorf("cookie %v", c)
	}
	if c := h.asked(params(client)).allow(passphrase).cookies[0]; c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("the cookie stays when it is over: %v", c)
	}
	h.server = h.replica(func(c *Config) { c.URL = func() string { return "http://127.0.0.1:8080" } })
	if c := h.ask(params(client, "resource", "")).cookies[0]; c.Name != "mcpstore" || c.Secure {
		t.Errorf("on loopback: cookie %v", c)
	}
}

func TestWrongPassphrasesAreAskedForAgain(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("ChatGPT", back)))
	for _, typed := range []string{"", "not the passphrase", strings.Repeat("long", 1000), passphrase + " "} {
		if p = p.allow(typed); p.Code != http.StatusForbidden || !strings.Contains(p.Body.String(), "That was not right") || strings.Contains(p.Body.String(), typed) && typed != "" {
			t.Fatalf("%d %s", p.Code, p.Body)
		}
	}
	p.allow(passphrase).leaves()
}

func TestGuessingIsLockedOut(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	guess := func(address, typed string) *page {
		h.address = address
		return h.asked(params(client)).allow(typed)
	}
	for range attemptsHere {
		if p := guess("2001:db8:0:1::1", "wrong passphrase"); p.Code != http.StatusForbidden {
			t.Fatalf("a wrong passphrase = %d", p.Code)
		}
	}
	for _, address := range []string{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2"} {
		p := guess(address, passphrase)
		if p.Code != http.StatusTooManyRequests || p.Header().Get("Retry-After") != "900" || !strings.Contains(p.Body.String(), "mcpstore access passphrase --reset") || len(h.grants()) > 0 {
			t.Errorf("from %s after %d attempts: %d %v\n%s", address, attemptsHere, p.Code, p.Header(), p.Body)
		}
	}
	guess("2001:db8:0:2::1", passphrase).leaves()
	h.wait(attemptsHereTime)
	h.address = "2001:db8:0:1::1"
	guess("2001:db8:0:1::1", passphrase).leaves()
}

func TestAttemptsAreForgottenWhenOneIsRight(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for range 3 {
		for range attemptsHere - 1 {
			h.asked(params(client)).allow("wrong passphrase")
		}
		h.asked(params(client)).allow(passphrase).leaves()
	}
}

func TestGuessingFromEverywhereIsLockedOut(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for i := range attemptsOfAll {
		h.address = fmt.Sprint("192.0.2.", i)
		if p := h.asked(params(client)).allow("wrong passphrase"); p.Code != http.StatusForbidden {
			t.Fatalf("attempt %d from %s = %d", i, h.address, p.Code)
		}
	}
	h.address = "198.51.100.1"
	if p := h.asked(params(client)).allow(passphrase); p.Code != http.StatusTooManyRequests {
		t.Errorf("after %d attempts from everywhere: %d", attemptsOfAll, p.Code)
	}
	h.setPassphrase(passphrase) // at the machine
	h.asked(params(client)).allow(passphrase).leaves()
}

func TestGuessesAtOnceAreCountedEach(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("ChatGPT", back)))
	codes := make(chan int)
	const guesses = 4 * attemptsHere
	for range guesses {
		r := p.request(url.Values{"decision": {"allow"}, "passphrase": {"wrong passphrase"}})
		go func() {
			w := httptest.NewRecorder()
			h.server.Handle(w, r)
			codes <- w.Code
		}()
	}
	seen := make(map[int]int)
	for range guesses {
		seen[<-codes]++
	}
	if seen[http.StatusForbidden] != attemptsHere || seen[http.StatusTooManyRequests] != guesses-attemptsHere {
		t.Errorf("answers by status: %v", seen)
	}
}

func TestAnswersAreAudited(t *testing.T) {
	h := openHouse(t)
	p := h.asked(params(h.register("ChatGPT", back)))
	p = p.allow("wrong passphrase")
	p.press(url.Values{"decision": {"deny"}}).leaves()
	h.letIn(params(h.register("ChatGPT", back)))
	calls, _, err := h.db.Calls(t.Context(), store.CallQuery{Since: h.now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range calls {
		got = append(got, c.Tool+" "+c.Caller+" "+c.Outcome)
	}
	if want := "authorize grant:1 ok, authorize  declined, authorize  refused: wrong passphrase or code"; strings.Join(got, ", ") != want {
		t.Errorf("audit log: %s\nwant: %s", strings.Join(got, ", "), want)
	}
}

func TestRightPassphrasesLockNothing(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for i := range 2 * attemptsOfAll {
		h.address = fmt.Sprintf("192.0.2.%d", i%20)
		if p := h.asked(params(client)).allow(passphrase); p.Code != http.StatusOK {
			t.Fatalf("right passphrase %d of an hour = %d", i+1, p.Code)
		}
	}
	h.address = "198.51.100.1"
	for i := range attemptsOfAll {
		h.address = fmt.Sprint("203.0.113.", i)
		if p := h.asked(params(client)).allow("wrong passphrase"); p.Code != http.StatusForbidden {
			t.Fatalf("wrong passphrase %d = %d", i+1, p.Code)
		}
	}
	if p := h.asked(params(client)).allow(passphrase); p.Code != http.StatusTooManyRequests {
		t.Errorf("after %d wrong ones: %d", attemptsOfAll, p.Code)
	}
}

// Strangers who guess cannot keep the owner out: what is typed from the terminal
// is not among what can be guessed.
func TestALockedPageTakesACodeFromTheTerminal(t *testing.T) {
	for name, open := range map[string]func(*testing.T, ...func(*Config)) *house{"passphrase": openHouse, "one-time code": openHouseByCode} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			client := h.register("ChatGPT", back)
			lock := func(addresses int) *page {
				for i := range attemptsOfAll {
					h.address = fmt.Sprint("203.0.113.", i%addresses)
					h.asked(params(client)).allow("wrong passphrase")
				}
				h.address = fmt.Sprint("203.0.113.", 0)
				return h.asked(params(client)).allow("wrong passphrase")
			}
			for _, addresses := range []int{1, attemptsOfAll} {
				p := lock(addresses)
				// Whoever opens the page anew sees it too.
				if body := h.asked(params(client)).Body.String(); !strings.Contains(body, "XXXX-XXXX-XXXX") || !strings.Contains(body, "too many wrong attempts") {
					t.Errorf("a locked page begins with\n%s", body)
				}
				code := h.notices[len(h.notices)-1].Code
				if p.Code != http.StatusTooManyRequests || !strings.Contains(p.Body.String(), "XXXX-XXXX-XXXX") || len(plainCode(code)) != longCodeSize {
					t.Fatalf("a locked page = %d, and a code of %d characters\n%s", p.Code, len(code), p.Body)
				}
				for i := range 2 * attemptsOfAll { // by guesses of any form
					h.asked(params(client)).allow(fmt.Sprintf("ABCD-EFGH-%04d", i))
				}
				grants := len(h.grants())
				p.allow(" " + strings.ToLower(strings.ReplaceAll(code, "-", " "))).leaves() // as people type it
				if again := h.asked(params(client)).allow(code); again.Code == http.StatusOK || len(h.grants()) != grants+1 {
					t.Errorf("the code again = %d", again.Code)
				}
				h.wait(attemptsOfAllTime)
			}
		})
	}
}

func TestLongCodesGrowOld(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for range attemptsHere {
		h.asked(params(client)).allow("wrong passphrase")
	}
	p := h.asked(params(client)).allow(passphrase)
	h.wait(onceTime)
	late := p.allow(h.notices[0].Code)
	if late.Code != http.StatusTooManyRequests || len(h.grants()) > 0 {
		t.Errorf("after %v: %d", onceTime, late.Code)
	}
	late.allow(h.notices[1].Code).leaves()
}

// Where no code can be shown, the page says how the lock is lifted.
func TestALockedPageWithoutATerminal(t *testing.T) {
	h := openHouse(t, func(c *Config) { c.ShowCode = nil })
	client := h.register("ChatGPT", back)
	for range attemptsHere {
		h.asked(params(client)).allow("wrong passphrase")
	}
	p := h.asked(params(client)).allow(passphrase)
	if body := p.Body.String(); p.Code != http.StatusTooManyRequests || !strings.Contains(body, "mcpstore access passphrase --reset") || !strings.Contains(body, ">Try again</a>") {
		t.Errorf("%d\n%s", p.Code, body)
	}
}
