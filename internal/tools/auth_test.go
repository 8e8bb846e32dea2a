package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
)

// The ways to be let in.
var (
	byToken     = Auth{Challenge: challenge}
	byOAuth     = Auth{OAuth: true, Challenge: challenge}
	publicReads = Auth{OAuth: true, PublicReads: true, Challenge: challenge}
)

func challenge(need store.Scopes) string { return fmt.Sprintf("Bearer scope=%q", need) }

// Callers, by what they may do.
var (
	nobody  = store.Caller{}
	anyone  = store.Caller{Scopes: store.ScopeRead} // as the gate lets in whoever it does not know, where reads are public
	reader  = store.Caller{ID: "token:1", Scopes: store.ScopeRead}
	changer = store.Caller{ID: "token:2", Scopes: store.ScopeWrite}
	clerk   = store.Caller{ID: "token:3", Scopes: store.ScopeRead | store.ScopeWrite}
	guest   = store.Caller{ID: "grant:1", Scopes: store.ScopeRead} // a program that signed in to read
	denied  = store.Caller{ID: "grant:2", Scopes: store.ScopeRead, Withheld: store.ScopeWrite}
)

// guarded is a server over s that lets callers in by auth.
func guarded(s store.Stock, auth *Auth) *mcpserver.MCPServer {
	return New(s, Config{Log: slog.New(slog.DiscardHandler), AllowWrites: true, Connector: new(Connector), Auth: auth, Now: inTaipei})
}

func TestScopeOfEveryMessage(t *testing.T) {
	for _, tool := range tools(t, New(nil, Config{AllowWrites: true, Connector: new(Connector)})) {
		want := store.ScopeWrite
		if tool.Annotations["readOnlyHint"] == true {
			want = store.ScopeRead
		}
		if got := ScopeOf("tools/call", tool.Name); got != want {
			t.Errorf("ScopeOf(tools/call, %s) = %q, want %q", tool.Name, got, want)
		}
	}
	for method, want := range map[string]store.Scopes{
		"initialize": 0, "notifications/initialized": 0, "ping": 0, "server/discover": 0,
		"tools/list": 0, "prompts/list": 0, "resources/templates/list": 0, "no/such/method": 0, "": 0,
		"resources/list": store.ScopeRead, "resources/read": store.ScopeRead, "prompts/get": store.ScopeRead,
		"completion/complete": store.ScopeRead, "subscriptions/listen": store.ScopeRead,
	} {
		if got := ScopeOf(method, "check_stock"); got != want {
			t.Errorf("ScopeOf(%s) = %q, want %q", method, got, want)
		}
	}
	for _, name := range []string{"", "no_such_tool", "Check_Stock"} {
		if got := ScopeOf("tools/call", name); got != 0 {
			t.Errorf("ScopeOf(tools/call, %q) = %q, want none", name, got)
		}
	}
}

func TestToolsSayHowToBeLetIn(t *testing.T) {
	const noauth, read, write = `{"type":"noauth"}`, `{"scopes":["stock:read"],"type":"oauth2"}`, `{"scopes":["stock:write"],"type":"oauth2"}`
	for _, test := range []struct {
		name           string
		auth           *Auth
		reading, other string
	}{
		{"everybody", nil, "[" + noauth + "]", "[" + noauth + "]"},
		{"tokens", &byToken, "null", "null"},
		{"OAuth", &byOAuth, "[" + read + "]", "[" + write + "]"},
		{"public reads", &publicReads, "[" + noauth + "," + read + "]", "[" + write + "]"},
	} {
		var list struct{ Tools []published }
		ctx := store.WithCaller(t.Context(), clerk)
		if err := json.Unmarshal(rpcIn(ctx, t, guarded(nil, test.auth), "tools/list", nil).Result, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Tools) != 15 {
			t.Errorf("%s: %d tools", test.name, len(list.Tools))
		}
		for _, tool := range list.Tools {
			want := test.other
			if tool.Annotations["readOnlyHint"] == true {
				want = test.reading
			}
			got, err := json.Marshal(tool.Meta["securitySchemes"])
			if err != nil || string(got) != want {
				t.Errorf("%s: securitySchemes of %s = %s, %v; want %s", test.name, tool.Name, got, err, want)
			}
		}
	}
}

func TestCallersSeeTheToolsThatTheyMayCallOrAskFor(t *testing.T) {
	public := byToken
	public.PublicReads = true
	for _, test := range []struct {
		name           string
		auth           *Auth
		caller         store.Caller
		reads, changes bool
	}{
		{"everybody, of whom nothing is asked", nil, nobody, true, true},
		{"nobody, though none should get here", &byOAuth, nobody, false, false},
		{"one who reads", &byOAuth, reader, true, false},
		{"one who reads, by token", &byToken, reader, true, false},
		{"one who changes", &byOAuth, changer, false, true},
		{"one who does both", &byOAuth, clerk, true, true},
		{"a program that signed in to read, so that it can ask for more", &byOAuth, guest, true, true},
		{"a program that signed in to read, where reads are public", &publicReads, guest, true, true},
		{"a program that was refused writing", &byOAuth, denied, true, true},
		{"one who signed in elsewhere to read", &byOAuth, store.Caller{ID: "oidc:grant:1", Scopes: store.ScopeRead}, true, false},
		{"anyone, so that they can sign in", &publicReads, anyone, true, true},
		{"anyone, where the gate says nothing", &publicReads, nobody, true, true},
		{"anyone, where there is no signing in", &public, anyone, true, false},
		{"one who reads what is public", &publicReads, reader, true, false},
		{"one who changes, of what is public", &publicReads, changer, true, true},
	} {
		for era, params := range map[string]map[string]any{"2025": nil, "2026": {"_meta": modern}} {
			var list struct{ Tools []published }
			if err := json.Unmarshal(rpcIn(store.WithCaller(t.Context(), test.caller), t, guarded(nil, test.auth), "tools/list", params).Result, &list); err != nil {
				t.Fatal(err)
			}
			reads, changes := 0, 0
			for _, tool := range list.Tools {
				if tool.Annotations["readOnlyHint"] == true {
					reads++
				} else {
					changes++
				}
			}
			want := map[bool][2]int{false: {0, 0}, true: {9, 6}}
			if reads != want[test.reads][0] || changes != want[test.changes][1] || list.Tools == nil {
				t.Errorf("%s, in %s: %d tools that read and %d that change (%v)", test.name, era, reads, changes, list.Tools == nil)
			}
		}
	}
}

// The server has no store: a call that gets past the check fails.
func TestCallWithoutTheScopeIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		auth   *Auth
		caller store.Caller
		lacks  store.Scopes
	}{
		{"nobody", &byOAuth, nobody, store.ScopeRead | store.ScopeWrite},
		{"nobody, by token", &byToken, nobody, store.ScopeRead | store.ScopeWrite},
		{"one who reads", &byOAuth, reader, store.ScopeWrite},
		{"one who changes", &byOAuth, changer, store.ScopeRead},
		{"a program that signed in to read", &byOAuth, guest, store.ScopeWrite},
		{"anyone", &publicReads, anyone, store.ScopeWrite},
		{"one who reads what is public", &publicReads, reader, store.ScopeWrite},
	} {
		srv := guarded(nil, test.auth)
		ctx := store.WithCaller(t.Context(), test.caller)
		for _, tool := range tools(t, New(nil, Config{AllowWrites: true, Connector: new(Connector)})) {
			need := ScopeOf("tools/call", tool.Name)
			if test.lacks&need == 0 {
				continue
			}
			for _, meta := range []map[string]any{nil, modern} {
				text, out := callIn(ctx, t, srv, tool.Name, map[string]any{"product": "茶葉蛋", "no such": "argument"}, meta)
				if !out.IsError || !strings.Contains(text, need.String()) {
					t.Errorf("%s calls %s: %q, want it refused for want of %s", test.name, tool.Name, text, need)
				}
				if code := out.StructuredContent["code"]; need == store.ScopeWrite && code != string(codeInsufficientScope) {
					t.Errorf("%s calls %s: code %v", test.name, tool.Name, code)
				}
				if diff := cmp.Diff([]any{challenge(need)}, out.Meta["mcp/www_authenticate"]); diff != "" {
					t.Errorf("%s calls %s: www_authenticate (-want +got):\n%s", test.name, tool.Name, diff)
				}
			}
		}
	}
}

func TestRefusalSpeaksTheCallersLanguage(t *testing.T) {
	srv := guarded(nil, &publicReads)
	for _, test := range []struct {
		caller       store.Caller
		locale, want string
	}{
		{anyone, "zh-TW", "這需要先登入（權限 stock:write）；請使用者登入後再試一次"},
		{anyone, "en-US", "This needs the user to sign in (scope stock:write); have them do so, then call again"},
		{reader, "zh-TW", "目前的登入沒有權限 stock:write；請使用者重新登入並同意，或請店主給這個權限"},
		{denied, "zh-TW", "店主沒有允許這個程式更改庫存（權限 stock:write）；請不要重試。要改變決定，店主可以在程式裡重新連接這台伺服器並勾選"},
		{denied, "en-US", "The owner did not allow this program to change the stock (scope stock:write), so don't try again; to change that, the owner can connect this server again in the program and tick the box"},
		{reader, "en-US", "This sign-in lacks the scope stock:write; have the user sign in again and allow it, or ask the owner for it"},
	} {
		text, _ := callIn(store.WithCaller(t.Context(), test.caller), t, srv, "undo_movement", map[string]any{"movement": 1},
			map[string]any{"openai/locale": test.locale})
		if text != test.want {
			t.Errorf("%s: %q, want %q", test.locale, text, test.want)
		}
	}
}

func TestRefusalWithoutAChallengeHasNone(t *testing.T) {
	for _, auth := range []*Auth{{OAuth: true}, {OAuth: true, Challenge: func(store.Scopes) string { return "" }}} {
		if _, out := call(t, guarded(nil, auth), "undo_movement", nil, nil); !out.IsError || out.Meta["mcp/www_authenticate"] != nil {
			t.Errorf("%+v", out)
		}
	}
}

// A client that were told to ask once more would, for ever.
func TestRefusalByTheOwnerHasNoChallenge(t *testing.T) {
	text, out := callIn(store.WithCaller(t.Context(), denied), t, guarded(nil, &byOAuth), "undo_movement", map[string]any{"movement": 1}, nil)
	if !out.IsError || out.Meta["mcp/www_authenticate"] != nil || out.StructuredContent["code"] != string(codeInsufficientScope) {
		t.Errorf("%q %+v", text, out)
	}
}

func TestNobodyReadsResourcesWithoutTheScope(t *testing.T) {
	db := open(t, demo.Catalog)
	srv := guarded(db, &byOAuth)
	for _, test := range []struct {
		method string
		params map[string]any
	}{
		{"resources/list", nil},
		{"resources/read", map[string]any{"uri": "store://koko-daan"}},
		{"resources/read", map[string]any{"uri": "product://tea-egg"}},
		{"completion/complete", map[string]any{
			"ref": map[string]any{"type": "ref/prompt", "name": "check_stock"}, "argument": map[string]any{"name": "store", "value": "KOKO"},
		}},
		{"completion/complete", map[string]any{
			"ref": map[string]any{"type": "ref/resource", "uri": "product://{id}"}, "argument": map[string]any{"name": "id", "value": "蛋"},
		}},
	} {
		for _, c := range []store.Caller{nobody, changer} {
			r := rpcIn(store.WithCaller(t.Context(), c), t, srv, test.method, test.params)
			if said := string(r.Result); r.Error == nil && (strings.Contains(said, "KOKO") || strings.Contains(said, "tea-egg")) {
				t.Errorf("%s %v tells %s", test.method, test.params, said)
			} else if r.Error == nil && test.method != "completion/complete" {
				t.Errorf("%s %v = %s, want an error", test.method, test.params, said)
			}
		}
		r := rpcIn(store.WithCaller(t.Context(), reader), t, srv, test.method, test.params)
		if said := string(r.Result); !strings.Contains(said, "KOKO") && !strings.Contains(said, "tea-egg") {
			t.Errorf("one who may read: %s %v = %s, %+v", test.method, test.params, said, r.Error)
		}
	}
}

func TestWhatIsToldByTokenIsKeptByNobodyElse(t *testing.T) {
	db := open(t, demo.Catalog)
	type hints struct {
		TTLMs      *int64
		CacheScope string
	}
	servers := map[*Auth]*mcpserver.MCPServer{}
	for _, auth := range []*Auth{nil, &byToken, &byOAuth, &publicReads} {
		servers[auth] = guarded(db, auth)
	}
	ask := func(auth *Auth, method string) hints {
		t.Helper()
		params := map[string]any{"_meta": modern}
		if method == "resources/read" {
			params["uri"] = "store://koko-daan"
		}
		var h hints
		r := rpcIn(store.WithCaller(t.Context(), reader), t, servers[auth], method, params)
		if err := json.Unmarshal(r.Result, &h); err != nil || h.TTLMs == nil {
			t.Fatalf("%s: %s, %v", method, r.Result, r.Error)
		}
		return h
	}
	for _, method := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read", "server/discover"} {
		for name, auth := range map[string]*Auth{"token": &byToken, "oauth": &byOAuth, "public reads": &publicReads} {
			h := ask(auth, method)
			if h.CacheScope != string(mcp.CacheScopePrivate) {
				t.Errorf("%s, by %s: cacheScope %q", method, name, h.CacheScope)
			}
			if method == "resources/read" && *h.TTLMs != 0 {
				t.Errorf("%s, by %s: ttlMs %d, want 0", method, name, *h.TTLMs)
			}
		}
	}
	if h := ask(nil, "tools/list"); h.CacheScope != string(mcp.CacheScopePublic) || *h.TTLMs != definitionsTTL {
		t.Errorf("tools/list where everybody may call: %d, %s", *h.TTLMs, h.CacheScope)
	}
	if h := ask(nil, "resources/read"); h.CacheScope != string(mcp.CacheScopePrivate) || *h.TTLMs != dataTTL {
		t.Errorf("resources/read where everybody may call: %d, %s", *h.TTLMs, h.CacheScope)
	}
}

// confined serves the demo data to callers who are held to one shop each.
func confined(t *testing.T) (srv *mcpserver.MCPServer, db store.Stock, in func(shop string) context.Context) {
	db = open(t, demo.Catalog)
	return guarded(store.Confine(db), &byOAuth), db, func(shop string) context.Context {
		c := clerk
		c.Shop = shop
		return store.WithCaller(t.Context(), c)
	}
}

func TestConfinedCallerHearsOfNoOtherShop(t *testing.T) {
	srv, _, in := confined(t)
	ctx := in("koko-ximen") // which has no tea eggs left
	for _, test := range []struct {
		tool, arguments string
		status          string
		absent          []string
	}{
		{"check_stock", `{"product":"茶葉蛋"}`, "out_of_stock", []string{"信義", "其他門市"}},
		{"check_stock", `{"product":"茶葉蛋","store":"KOKO"}`, "out_of_stock", []string{"信義", "其他門市"}},
		{"check_stock", `{"product":"茶葉蛋","store":"西門店"}`, "out_of_stock", []string{"信義", "小橘燈", "其他門市"}},
		{"check_stock", `{"product":"茶葉蛋","store":"KOKO便利店 信義店"}`, "unknown_store", []string{`"koko-xinyi"`}},
		{"check_stock", `{"product":"茶葉蛋","store":"koko-xinyi"}`, "unknown_store", []string{`"koko-xinyi"`}},
		{"list_stores", `{}`, "found", []string{"信義", "小橘燈"}},
		{"list_stores", `{"query":"小橘燈"}`, "none", []string{"小橘燈超商"}},
		{"list_low_stock", `{"threshold":100}`, "found", []string{"信義", "小橘燈"}},
		{"search_products", `{"store":"小橘燈"}`, "unknown_store", []string{"小橘燈超商"}},
		{"stock_history", `{"store":"koko-xinyi","product":"tea-egg"}`, "unknown_store", []string{"信義"}},
		{"record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-1,"reason":"sale"}`, "refused", []string{"信義"}},
		{"transfer_stock", `{"from_store":"koko-ximen","to_store":"koko-xinyi","product":"tea-egg","quantity":1}`, "refused", []string{"信義"}},
		{"release_reservation", `{"reservation":1}`, "refused", nil},
	} {
		text, out := callIn(ctx, t, srv, test.tool, args(t, test.arguments), nil)
		said, err := json.Marshal(out.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		if out.StructuredContent["status"] != test.status {
			t.Errorf("%s %s = %q %s, want %s", test.tool, test.arguments, text, said, test.status)
		}
		for _, word := range test.absent {
			if strings.Contains(text+string(said), word) {
				t.Errorf("%s %s tells of %q: %q %s", test.tool, test.arguments, word, text, said)
			}
		}
	}
	var list struct{ Resources []struct{ URI string } }
	if err := json.Unmarshal(rpcIn(ctx, t, srv, "resources/list", nil).Result, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Resources) != 1 || list.Resources[0].URI != "store://koko-ximen" {
		t.Errorf("resources/list = %v", list.Resources)
	}
	if r := rpcIn(ctx, t, srv, "resources/read", map[string]any{"uri": "store://koko-xinyi"}); r.Error == nil {
		t.Errorf("another store reads as %s", r.Result)
	}
}

func TestConfinedCallerCannotUndoForAnotherShop(t *testing.T) {
	srv, db, in := confined(t)
	r, err := db.Transfer(t.Context(), store.Transfer{FromShopID: "koko-xinyi", ToShopID: "koko-daan", ProductID: "tea-egg", Quantity: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Movements {
		want := codeConflict
		if m.ShopID != "koko-daan" {
			want = codeUnknownMovement
		}
		_, out := callIn(in("koko-daan"), t, srv, "undo_movement", map[string]any{"movement": m.ID}, nil)
		refusedAs(t, "undo in "+m.ShopID, out, want)
	}
}

func TestReservationOfAnotherCallerIsUnknown(t *testing.T) {
	srv, _, in := confined(t)
	_, out := callIn(in(""), t, srv, "reserve_stock", args(t, `{"store":"koko-xinyi","product":"tea-egg","quantity":1,"note":"王小姐"}`), nil)
	id := out.StructuredContent["reservation"].(map[string]any)["id"]
	somebody := store.WithCaller(t.Context(), store.Caller{ID: "token:9", Scopes: clerk.Scopes})
	_, out = callIn(somebody, t, srv, "release_reservation", map[string]any{"reservation": id}, nil)
	refusedAs(t, "release of another's", out, codeUnknownReservation)
	text, out := callIn(somebody, t, srv, "stock_history", args(t, `{"store":"koko-xinyi","product":"tea-egg"}`), nil)
	if said := fmt.Sprint(out.StructuredContent); strings.Contains(text+said, "王小姐") {
		t.Errorf("stock_history tells of another's reservation: %s", said)
	}
	_, out = callIn(in(""), t, srv, "release_reservation", map[string]any{"reservation": id}, nil)
	if out.IsError {
		t.Errorf("its maker cannot release it: %+v", out)
	}
}

// hears returns the URIs that are told before that of mark, which is told for
// sure.
func hears(t *testing.T, s session, mark string) (uris []string) {
	t.Helper()
	for {
		select {
		case n := <-s:
			uri := n.Params.AdditionalFields["uri"].(string)
			if uri == mark {
				return uris
			}
			uris = append(uris, uri)
		case <-t.Context().Done():
			t.Fatal("nothing is told")
		}
	}
}

// acknowledged opens a listen that lasts as long as the test, and returns what
// the client is told that it listens to.
func acknowledged(ctx context.Context, t *testing.T, srv *mcpserver.MCPServer, uris ...string) (heard session, said string) {
	t.Helper()
	heard = make(session, 100)
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": map[string]any{
		"notifications": mcp.SubscriptionFilter{ResourceSubscriptions: uris}, "_meta": modern,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var listens sync.WaitGroup
	ctx, leave := context.WithCancel(ctx)
	t.Cleanup(func() { leave(); listens.Wait() })
	listens.Go(func() { srv.HandleMessage(srv.WithContext(ctx, heard), message) })
	ack := <-heard
	b, err := json.Marshal(ack.Params.AdditionalFields)
	if err != nil || ack.Method != mcp.MethodNotificationSubscriptionsAcknowledged {
		t.Fatalf("the first to come is %s, %v", ack.Method, err)
	}
	return heard, string(b)
}

func TestNobodyListensWithoutTheScope(t *testing.T) {
	srv := guarded(open(t, demo.Catalog), &byOAuth)
	for c, want := range map[*store.Caller]bool{&nobody: false, &changer: false, &reader: true} {
		_, said := acknowledged(store.WithCaller(t.Context(), *c), t, srv, "product://tea-egg")
		if got := strings.Contains(said, "tea-egg"); got != want {
			t.Errorf("%q with %q listens to %s", c.ID, c.Scopes, said)
		}
	}
}

func TestConfinedListenerHearsOfTheirShopAlone(t *testing.T) {
	srv, db, in := confined(t)
	uris := []string{"product://tea-egg", "product://iced-latte", "product://no-such", "store://koko-xinyi", "store://koko-daan"}
	heard, said := acknowledged(in("koko-daan"), t, srv, uris...)
	if strings.Contains(said, "koko-xinyi") || !strings.Contains(said, "koko-daan") {
		t.Errorf("acknowledged: %s", said)
	}
	deliver := func(shop, product string) {
		t.Helper()
		if _, err := db.Move(t.Context(), store.Move{ShopID: shop, ProductID: product, Delta: 1, Reason: store.Delivery}); err != nil {
			t.Fatal(err)
		}
	}
	deliver("koko-xinyi", "tea-egg") // not theirs
	deliver("koko-daan", "umbrella") // theirs, and marks the end of what came before
	if got := hears(t, heard, "store://koko-daan"); slices.Contains(got, "product://tea-egg") {
		t.Errorf("a delivery to another shop is told: %q", got)
	}
	deliver("koko-daan", "tea-egg")
	if got := hears(t, heard, "product://tea-egg"); len(got) > 0 {
		t.Errorf("before a delivery of tea eggs: %q", got)
	}
}
