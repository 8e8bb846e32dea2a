package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

func TestWhereNobodyCanBeToldThePersonIs(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back, "https://client.example/other")
	for name, query := range map[string]string{
		"unknown client":          params("client-of-nobody").Encode(),
		"no client":               params("").Encode(),
		"two clients":             params(client).Encode() + "&client_id=" + client,
		"another redirect":        params(client, "redirect_uri", "https://evil.example/cb").Encode(),
		"a longer redirect":       params(client, "redirect_uri", back+"/../evil").Encode(),
		"a redirect with a name":  params(client, "redirect_uri", "https://client.example@evil.example/cb").Encode(),
		"a redirect that splits":  params(client, "redirect_uri", back+"\r\nSet-Cookie: a=b").Encode(),
		"no redirect of two":      params(client, "redirect_uri", "").Encode(),
		"two redirects":           params(client).Encode() + "&redirect_uri=" + url.QueryEscape("https://evil.example/cb"),
		"a damaged query":         params(client).Encode() + "&x=%zz",
		"a query with semicolons": "client_id=" + client + ";redirect_uri=" + url.QueryEscape(back),
		"a client at this host":   params("https://127.0.0.1/client.json").Encode(),
	} {
		w := h.get("/authorize?" + query)
		if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || w.Header().Get("Set-Cookie") != "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("%s: %d %v\n%s", name, w.Code, w.Header(), w.Body)
		}
	}
}

func TestWrongRequestsGoBackToTheClient(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for name, test := range map[string]struct {
		params url.Values
		want   string
	}{
		"no response type":       {params(client, "response_type", ""), "invalid_request"},
		"implicit":               {params(client, "response_type", "token"), "unsupported_response_type"},
		"hybrid":                 {params(client, "response_type", "code token"), "unsupported_response_type"},
		"fragment mode":          {params(client, "response_mode", "fragment"), "invalid_request"},
		"a request object":       {params(client, "request", "e30.e30."), "request_not_supported"},
		"a request by URL":       {params(client, "request_uri", "https://evil.example/r"), "request_uri_not_supported"},
		"no PKCE":                {params(client, "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"PKCE without challenge": {params(client, "code_challenge", ""), "invalid_request"},
		"PKCE without method":    {params(client, "code_challenge_method", ""), "invalid_request"},
		"plain PKCE":             {params(client, "code_challenge_method", "plain"), "invalid_request"},
		"a short challenge":      {params(client, "code_challenge", challenge[:42]), "invalid_request"},
		"a padded challenge":     {params(client, "code_challenge", challenge+"="), "invalid_request"},
		"another resource":       {params(client, "resource", "https://evil.example/mcp"), "invalid_target"},
		"a resource beyond":      {params(client, "resource", issuer+"/mcp/x"), "invalid_target"},
		"a resource by prefix":   {params(client, "resource", issuer+".evil.example/mcp"), "invalid_target"},
		"one resource of two":    {withMore(params(client), "resource", "https://evil.example/mcp"), "invalid_target"},
		"a silent request":       {params(client, "prompt", "none"), "interaction_required"},
		"a scope twice":          {withMore(params(client), "scope", "stock:write"), "invalid_request"},
		"a state twice":          {withMore(params(client), "state", "another"), "invalid_request"},
	} {
		w := h.get("/authorize?" + test.params.Encode())
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), back+"?") {
			t.Errorf("%s: %d, goes to %s", name, w.Code, to)
			continue
		}
		state := ""
		if states := test.params["state"]; len(states) == 1 {
			state = states[0]
		}
		if q := to.Query(); q.Get("error") != test.want || q.Get("error_description") == "" || q.Get("iss") != issuer || q.Get("state") != state {
			t.Errorf("%s: goes back with %v, want %s", name, q, test.want)
		}
	}
	if n := len(h.grants()); n > 0 {
		t.Errorf("there are %d grants", n)
	}
}

func withMore(v url.Values, name, value string) url.Values {
	v.Add(name, value)
	return v
}

func TestStatesComeBackAsTheyAre(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for _, state := range []string{"", "a=b&c=d", "\r\nSet-Cookie: a=b", `"><script>alert(1)</script>`, `(a|b){c}^'~!*`, "茶葉蛋", "100%", strings.Repeat("s", maxState)} {
		v := params(client, "state", state)
		to := h.asked(v).allow(passphrase).leaves()
		if got := to.Query(); got.Get("state") != state || got.Has("state") != (state != "") {
			t.Errorf("allowed: state %q came back as %q", state, got.Get("state"))
		}
		v.Set("response_type", "unknown")
		w := h.get("/authorize?" + v.Encode())
		if to, err := url.Parse(w.Header().Get("Location")); err != nil || to.Query().Get("state") != state || len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("refused: state %q came back in %q", state, w.Header())
		}
	}
	w := h.get("/authorize?" + params(client, "state", strings.Repeat("s", maxState+1)).Encode())
	if to, err := url.Parse(w.Header().Get("Location")); err != nil || to.Query().Get("error") != "invalid_request" || to.Query().Has("state") {
		t.Errorf("a state that is too long comes back with %v", w.Header())
	}
}

// Browsers write some characters as they are that others escape.
func TestRequestsAreTheSameHoweverTheyAreEscaped(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	p := h.newPage(h.get("/authorize?" + params(client, "state", "").Encode() + "&state=(a|b)'^{c}%7e+%2B&"))
	if got := p.allow(passphrase).leaves().Query().Get("state"); got != "(a|b)'^{c}~ +" {
		t.Errorf("state came back as %q", got)
	}
}

func TestRedirectsKeepTheirQuery(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back+"?tenant=1")
	to := h.asked(params(client, "redirect_uri", "")).press(url.Values{"decision": {"deny"}}).leaves()
	if q := to.Query(); q.Get("tenant") != "1" || q.Get("error") != "access_denied" {
		t.Errorf("goes back with %v", q)
	}
}

func TestScopesAreThoseAskedForAndOffered(t *testing.T) {
	const read, write = store.ScopeRead, store.ScopeWrite
	for _, test := range []struct {
		asked, registered string
		offered, want     store.Scopes
	}{
		{"", "", read | write, read | write},
		{"", "", read, read},
		{"  ", "", read | write, read | write},
		{"", "stock:read", read | write, read},
		{"", "stock:write stock:read", read | write, read | write},
		{"", "stock:read stock:write", read, read},
		{"", "openid profile", read | write, read},
		{"stock:read stock:write", "stock:read", read | write, read | write},
		{"stock:read", "stock:read stock:write", read | write, read},
		{"stock:write", "", read | write, write},
		{"stock:write  stock:write stock:read", "", read | write, read | write},
		{"stock:read stock:write", "", read, read},
		{"stock:write", "", read, read},
		{"openid stock:write offline_access", "", read | write, write},
		{"openid email profile", "", read | write, read},
		{"STOCK:WRITE", "", read | write, read},
		{"stock:read,stock:write", "", read | write, read},
		{"stock:*", "stock:write", read | write, read},
	} {
		s := New(Config{Offered: test.offered})
		if got := s.scopes(test.asked, test.registered); got != test.want {
			t.Errorf("scopes(%q, %q) of %q = %q, want %q", test.asked, test.registered, test.offered, got, test.want)
		}
	}
}

func TestWithoutAScopeTheRegistrationCounts(t *testing.T) {
	h := openHouse(t)
	for registered, writes := range map[string]bool{"": true, "stock:read": false, "openid": false, "openid stock:read stock:write": true} {
		w := h.postClient(`{"redirect_uris":["` + back + `"],"scope":"` + registered + `"}`)
		var got registration
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if body := h.asked(params(got.ID, "scope", "")).Body.String(); strings.Contains(body, `name="write"`) != writes {
			t.Errorf("registered for %q, the page asks for writing: %v, want %v", registered, !writes, writes)
		}
	}
}

// Some clients ask first by themselves whether they are still known.
func TestUnknownClientsAreAnsweredJSONWhereTheyAskForIt(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for _, test := range []struct{ accept, client, redirect, want string }{
		{"application/json", "client-of-nobody", back, "invalid_client"},
		{"application/json", "", back, "invalid_client"},
		{"application/json, text/plain, */*", "client-of-nobody", back, "invalid_client"},
		{"text/html;q=0.5, application/json; charset=utf-8", "client-of-nobody", back, "invalid_client"},
		{"application/json", client, "https://evil.example/cb", ""},
		{"application/json", "https://127.0.0.1/client.json", back, ""}, // it registers nowhere
		{"", "client-of-nobody", back, ""},
		{"*/*", "client-of-nobody", back, ""},
		{"application/json;q=0", "client-of-nobody", back, ""},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "client-of-nobody", back, ""},
		{"text/html, application/json", "client-of-nobody", back, ""},
		{"application/json", client, back, ""},
	} {
		w := h.get("/authorize?"+params(test.client, "redirect_uri", test.redirect).Encode(), "Accept", test.accept)
		var got struct {
			Error string
			Text  string `json:"error_description"`
		}
		if test.want == "" {
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("for %q, %q: %d %s", test.accept, test.client, w.Code, w.Header().Get("Content-Type"))
			}
			continue
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusBadRequest || got.Error != test.want || got.Text == "" || w.Header().Get("Location") != "" {
			t.Errorf("for %q, %q: %d %s (%v), want %s", test.accept, test.client, w.Code, w.Body, err, test.want)
		}
	}
}

func TestResourcesThatAreTheEndpoint(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	for _, resource := range []string{"", issuer + "/mcp", issuer + "/mcp/", issuer, issuer + "/"} {
		h.asked(params(client, "resource", resource))
	}
	h.asked(withMore(params(client), "resource", issuer))
	// What has no value is not there (RFC 6749, section 3.1).
	nothing := params(client)
	nothing["resource"], nothing["request"], nothing["request_uri"] = []string{""}, []string{""}, []string{""}
	h.asked(nothing)
}
