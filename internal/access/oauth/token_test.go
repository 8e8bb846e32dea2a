package oauth

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// Whoever holds a code without what belongs to it makes it worthless.
func TestCodesNeedAllThatBelongsToThem(t *testing.T) {
	h := openHouse(t)
	client, other := h.register("ChatGPT", back), h.register("Other", back)
	for name, test := range map[string]struct {
		changes []string
		want    string
	}{
		"another client":      {[]string{"client_id", other}, "invalid_grant"},
		"another redirect":    {[]string{"redirect_uri", back + "/"}, "invalid_grant"},
		"another verifier":    {[]string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant"},
		"no verifier":         {[]string{"code_verifier", ""}, "invalid_grant"},
		"the challenge":       {[]string{"code_verifier", challenge}, "invalid_grant"},
		"a cut verifier":      {[]string{"code_verifier", verifier[:42]}, "invalid_grant"},
		"another resource":    {[]string{"resource", "https://evil.example/mcp"}, "invalid_target"},
		"one that is too old": {nil, "invalid_grant"},
	} {
		code := h.letIn(params(client))
		if test.changes == nil {
			h.wait(codeTime)
		}
		if got := h.redeem(client, code, test.changes...); got.Status != http.StatusBadRequest || got.Error != test.want || got.Access != "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Error)
		}
		if got := h.redeem(client, code); got.Error != "invalid_grant" {
			t.Errorf("%s: afterwards the code gives %d %s", name, got.Status, got.Error)
		}
	}
	if got := h.redeem(client, h.letIn(params(client)), "redirect_uri", "", "resource", ""); got.Status != http.StatusOK {
		t.Errorf("as OAuth 2.1 has it, without a redirect URI: %d %s", got.Status, got.Error)
	}
}

func TestCodesThatComeTwiceEndTheGrant(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	code := h.letIn(params(client))
	first := h.redeem(client, code)
	if second := h.redeem(client, code); second.Error != "invalid_grant" || second.Access != "" {
		t.Errorf("the second time: %d %s", second.Status, second.Error)
	}
	if h.holds(first.Access) || len(h.grants()) > 0 {
		t.Error("the grant still holds")
	}
	if got := h.refresh(client, first.Refresh); got.Error != "invalid_grant" {
		t.Errorf("its refresh token gives %d %s", got.Status, got.Error)
	}
}

// Of two that come at once, one is first, and neither keeps anything.
func TestCodesThatComeAtOnceGiveNoMoreThanOne(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {h.letIn(params(client))}, "code_verifier": {verifier}}.Encode()
	const clients = 8
	statuses := make(chan int)
	for range clients {
		go func() {
			r := httptest.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.server.Handle(w, r)
			statuses <- w.Code
		}()
	}
	seen := make(map[int]int)
	for range clients {
		seen[<-statuses]++
	}
	if seen[http.StatusOK] != 1 || seen[http.StatusBadRequest] != clients-1 || len(h.grants()) > 0 {
		t.Errorf("answers by status %v, and %d grants", seen, len(h.grants()))
	}
}

func TestRefreshTokensAreGoodOnceAfterTheirWindow(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client)))
	old := got.Refresh
	for range 3 {
		h.wait(refreshTime - time.Second) // each renewal counts anew
		if got = h.refresh(client, got.Refresh); got.Status != http.StatusOK || !h.holds(got.Access) {
			t.Fatalf("refreshing = %d %s", got.Status, got.Error)
		}
	}
	if again := h.refresh(client, old); again.Error != "invalid_grant" || again.Access != "" {
		t.Errorf("an old refresh token = %d %s", again.Status, again.Error)
	}
	if h.holds(got.Access) || len(h.grants()) > 0 {
		t.Error("after an old refresh token came again, its grant still holds")
	}
	if got := h.refresh(client, got.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the newest refresh token = %d %s", got.Status, got.Error)
	}
}

func TestRefreshTokensGrowOld(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client)))
	h.wait(refreshTime)
	if got := h.refresh(client, got.Refresh); got.Error != "invalid_grant" {
		t.Errorf("after %v: %d %s", refreshTime, got.Status, got.Error)
	}
}

func TestRefreshTokensAreTheirClientsAlone(t *testing.T) {
	h := openHouse(t)
	client, other := h.register("ChatGPT", back), h.register("Other", back)
	got := h.redeem(client, h.letIn(params(client)))
	if stolen := h.refresh(other, got.Refresh); stolen.Error != "invalid_grant" || stolen.Access != "" {
		t.Errorf("another client gets %d %s", stolen.Status, stolen.Error)
	}
	if got := h.refresh(client, got.Refresh); got.Error != "invalid_grant" || len(h.grants()) > 0 {
		t.Errorf("after that its client gets %d %s", got.Status, got.Error)
	}
}

func TestRefreshingMayNarrowTheScopeButNotWidenIt(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client, "scope", "stock:read stock:write")))
	for _, scope := range []string{"stock:read", "stock:read stock:write", "stock:write", ""} {
		want := scope
		if want == "" {
			want = "stock:read stock:write" // the grant is as it was
		}
		if got = h.refresh(client, got.Refresh, "scope", scope); got.Scope != want {
			t.Fatalf("for scope %q: %d %q", scope, got.Status, got.Scope)
		}
		if kept, err := h.db.Token(t.Context(), store.HashOf(got.Access)); err != nil || kept.Scopes.String() != want {
			t.Errorf("for scope %q the access token is for %q (%v)", scope, kept.Scopes, err)
		}
	}

	narrow := h.redeem(client, h.letIn(params(client)))
	for _, scope := range []string{"stock:write", "stock:read stock:write", "admin", "openid stock:read", "offline_access", ""} {
		if narrow = h.refresh(client, narrow.Refresh, "scope", scope); narrow.Scope != "stock:read" {
			t.Errorf("a grant to read gives %d %q for %q", narrow.Status, narrow.Scope, scope)
		}
		if kept, err := h.db.Token(t.Context(), store.HashOf(narrow.Access)); err != nil || kept.Scopes != store.ScopeRead {
			t.Errorf("for scope %q the access token is for %q (%v)", scope, kept.Scopes, err)
		}
	}
}

func TestTokensGiveNoMoreThanIsOffered(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client, "scope", "stock:read stock:write")))
	writes := h.redeem(client, h.letIn(params(client, "scope", "stock:write")))
	h.server = h.replica(func(c *Config) { c.Offered = store.ScopeRead })
	if got := h.refresh(client, got.Refresh); got.Scope != "stock:read" {
		t.Errorf("where only reading is offered: %d %q", got.Status, got.Scope)
	}
	if got := h.refresh(client, writes.Refresh); got.Error != "invalid_scope" {
		t.Errorf("a grant to write, where only reading is offered: %d %s", got.Status, got.Error)
	}
}

func TestTokensAreForTheURLTheyWereIssuedFor(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client)))
	h.server = h.replica(func(c *Config) { c.URL = func() string { return "https://new.example" } })
	if got := h.refresh(client, got.Refresh); got.Error != "invalid_grant" || !strings.Contains(got.Text, issuer+"/mcp") {
		t.Errorf("after the URL changed: %d %s", got.Status, got.Text)
	}
	if got := h.refresh(client, got.Refresh, "resource", issuer+"/mcp"); got.Error != "invalid_target" {
		t.Errorf("for the old URL: %d %s", got.Status, got.Error)
	}
}

func TestOnlyCodesAndRefreshTokensAreExchanged(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client)))
	code := h.letIn(params(client))
	api := said.Keep(secret.New(secret.API))
	if _, err := h.db.AddToken(t.Context(), store.Token{Kind: store.APIToken, Name: "ci", Hash: store.HashOf(api), Scopes: store.ScopeRead}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{got.Access, code, api, said.Keep(secret.New(secret.Refresh)), got.Refresh[:40], "", "x"} {
		if got := h.refresh(client, text); got.Error != "invalid_grant" {
			t.Errorf("refreshing = %d %s", got.Status, got.Error)
		}
	}
	for _, text := range []string{got.Access, got.Refresh, api, said.Keep(secret.New(secret.Code)), code[:40], "", "x"} {
		if got := h.redeem(client, text); got.Error != "invalid_grant" {
			t.Errorf("redeeming = %d %s", got.Status, got.Error)
		}
	}
	if h.refresh(client, got.Refresh).Status != http.StatusOK || h.redeem(client, code).Status != http.StatusOK {
		t.Error("what is good is not any longer")
	}
}

// After a database was made anew, a client has to register again before it asks
// the owner, and it does so by invalid_client alone. Where its grant is found, its
// registration isn't needed.
func TestClientsThatWereForgottenAreToldSo(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	got := h.redeem(client, h.letIn(params(client)))
	elsewhere := openHouse(t)
	if again := elsewhere.refresh(client, got.Refresh); again.Status != http.StatusUnauthorized || again.Error != "invalid_client" {
		t.Errorf("where nothing is known of it: %d %s", again.Status, again.Error)
	}
	code, text := said.Keep(secret.New(secret.Code)), said.Keep(secret.New(secret.Refresh))
	if _, err := elsewhere.db.AddGrant(t.Context(), store.Grant{ClientID: client, Scopes: store.ScopeRead, Resource: issuer + "/mcp"},
		store.Token{Kind: store.RefreshToken, Hash: store.HashOf(text), Scopes: store.ScopeRead, Resource: issuer + "/mcp", ExpiresAt: h.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if renewed := elsewhere.refresh(client, text); renewed.Status != http.StatusOK {
		t.Errorf("where its grant is known: %d %s", renewed.Status, renewed.Error)
	}
	if got := h.redeem(client, code); got.Status != http.StatusBadRequest || got.Error != "invalid_grant" {
		t.Errorf("a known client with a made-up code: %d %s", got.Status, got.Error)
	}
}

func TestTokensAreAskedForByForms(t *testing.T) {
	h := openHouse(t)
	client := h.register("ChatGPT", back)
	basic := func(id, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password))
	}
	for name, test := range map[string]struct {
		target, body string
		headers      []string
		status       int
		code         string
	}{
		"JSON":              {"/token", `{"grant_type":"refresh_token"}`, []string{"Content-Type", "application/json"}, 400, "invalid_request"},
		"no type":           {"/token", "grant_type=refresh_token", []string{"Content-Type", ""}, 400, "invalid_request"},
		"in the URL":        {"/token?grant_type=refresh_token&client_id=" + client, "", nil, 400, "invalid_request"},
		"twice":             {"/token", "grant_type=refresh_token&client_id=" + client + "&client_id=" + client, nil, 400, "invalid_request"},
		"odd twice":         {"/token", "%22=1&%22=2", nil, 400, "invalid_request"},
		"damaged":           {"/token", "grant_type=%zz", nil, 400, "invalid_request"},
		"too large":         {"/token", "grant_type=" + strings.Repeat("x", maxBody), nil, 400, "invalid_request"},
		"nothing":           {"/token", "", nil, 400, "invalid_request"},
		"no grant type":     {"/token", "client_id=" + client, nil, 400, "invalid_request"},
		"a password":        {"/token", "grant_type=password&client_id=" + client, nil, 400, "unsupported_grant_type"},
		"unknown, a code":   {"/token", "grant_type=authorization_code&code=x&client_id=client-of-nobody", nil, 401, "invalid_client"},
		"unknown":           {"/token", "grant_type=refresh_token&refresh_token=x&client_id=client-of-nobody", nil, 401, "invalid_client"},
		"unknown, by Basic": {"/token", "grant_type=refresh_token", []string{"Authorization", basic("client-of-nobody", "")}, 401, "invalid_client"},
		"by its document":   {"/token", "grant_type=refresh_token&refresh_token=x&client_id=https://client.example/id.json", nil, 400, "invalid_grant"},
		"no client":         {"/token", "grant_type=refresh_token", nil, 400, "invalid_request"},
		"a secret":          {"/token", "grant_type=refresh_token&client_secret=x&client_id=" + client, nil, 401, "invalid_client"},
		"an assertion":      {"/token", "grant_type=refresh_token&client_assertion=x&client_id=" + client, nil, 401, "invalid_client"},
		"Basic":             {"/token", "grant_type=refresh_token", []string{"Authorization", basic(client, "secret")}, 401, "invalid_client"},
		"Basic of another":  {"/token", "grant_type=refresh_token&client_id=" + client, []string{"Authorization", basic("another", "")}, 401, "invalid_client"},
		"Bearer":            {"/token", "grant_type=refresh_token&client_id=" + client, []string{"Authorization", "Bearer x"}, 401, "invalid_client"},
		"Basic, no secret":  {"/token", "grant_type=refresh_token", []string{"Authorization", basic(client, "")}, 400, "invalid_grant"},
		"nothing to end":    {"/revoke", "client_id=" + client, nil, 400, "invalid_request"},
	} {
		r := httptest.NewRequest(http.MethodPost, issuer+test.target, strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		setHeaders(r, test.headers)
		w := h.do(r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), `"error":"`+test.code+`"`) || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestClientsGiveTheirGrantBack(t *testing.T) {
	h := openHouse(t)
	client, other := h.register("ChatGPT", back), h.register("Other", back)
	for _, kind := range []string{"access", "refresh"} {
		got := h.redeem(client, h.letIn(params(client)))
		token := map[string]string{"access": got.Access, "refresh": got.Refresh}[kind]
		for _, form := range []url.Values{
			{"client_id": {other}, "token": {token}},
			{"client_id": {client}, "token": {said.Keep(secret.New(secret.Access))}},
			{"client_id": {client}, "token": {"x"}},
		} {
			want := http.StatusOK
			if form.Get("client_id") == other {
				want = http.StatusBadRequest // RFC 7009, section 2.1
			}
			if w := h.post("/revoke", form); w.Status != want || !h.holds(got.Access) {
				t.Errorf("revoking what is not the client's = %d, want %d; and the token holds: %v", w.Status, want, h.holds(got.Access))
			}
		}
		if w := h.post("/revoke", url.Values{"client_id": {client}, "token": {token}, "token_type_hint": {"x"}}); w.Status != http.StatusOK || h.holds(got.Access) || len(h.grants()) > 0 {
			t.Errorf("revoking the %s token = %d", kind, w.Status)
		}
		if w := h.post("/revoke", url.Values{"client_id": {client}, "token": {token}}); w.Status != http.StatusOK {
			t.Errorf("revoking it again = %d", w.Status)
		}
	}
}
