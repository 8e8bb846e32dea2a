package access_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

var lacksScope = want{403, "insufficient_scope"}

// writes are calls of every tool that changes the stock.
var writes = []string{
	toolCall("record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-1,"reason":"sale"}`),
	toolCall("count_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":1}`),
	toolCall("transfer_stock", `{"from_store":"koko-xinyi","to_store":"koko-daan","product":"tea-egg","quantity":1}`),
	toolCall("reserve_stock", `{"store":"koko-xinyi","product":"tea-egg","quantity":1}`),
	toolCall("release_reservation", `{"reservation":1}`),
	toolCall("undo_movement", `{"movement":1}`),
}

// The members of a call: one that reads and one that changes the stock.
const (
	harmless = `"name":"check_stock"`
	harmful  = `"name":"record_movement","arguments":{"store":"koko-xinyi","product":"tea-egg","delta":-1,"reason":"sale"}`
)

// modern are the headers of the revision of 2026.
func modern(method, name string) []string {
	headers := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	if name != "" {
		headers = append(headers, "Mcp-Name", name)
	}
	return headers
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// reader is a token that may read alone.
func (h *house) reader() string {
	h.Helper()
	text, _ := h.token(store.Token{Scopes: store.ScopeRead})
	return text
}

var scopeAttacks = area{"scopes", "Doing more than one may", []attack{
	{
		name: "write_with_read", tries: "every tool that changes the stock, with a token or a grant that may read",
		want: lacksScope, so: "with the scopes to ask for, so that clients can step up",
		by: func(h *house) {
			grant := h.program().signsIn("scope", "stock:read")
			for token := range strings.SplitSeq(h.reader()+" "+grant.access, " ") {
				for _, call := range writes {
					r := h.message(call, bearer(token)...)
					h.refused(call, r)
					if c := r.challenge(); !strings.Contains(c, `error="insufficient_scope"`) || !strings.Contains(c, `scope="stock:read stock:write"`) {
						h.Errorf("challenge = %s", c)
					}
				}
			}
			h.worked("with both scopes", h.message(writes[0], bearer(h.key())...))
		},
	}, {
		name: "read_with_write", tries: "tools that read, resources, prompts, completions and subscriptions, with a token that may only change",
		want: lacksScope,
		by: func(h *house) {
			token, _ := h.token(store.Token{Scopes: store.ScopeWrite})
			for _, tool := range []string{"check_stock", "search_products", "list_stores", "get_product", "list_low_stock", "list_expiring", "stock_history"} {
				h.refused(tool, h.tool(token, tool, `{"product":"tea-egg"}`))
			}
			for method, params := range map[string]string{
				"resources/list": `{}`, "resources/read": `{"uri":"product://tea-egg"}`, "prompts/get": `{"name":"check-stock","arguments":{"product":"x"}}`,
				"completion/complete": `{"ref":{"type":"ref/resource","uri":"store://{id}"},"argument":{"name":"id","value":"k"}}`,
			} {
				h.refused(method, h.message(rpc(method, params), bearer(token)...))
			}
			h.refused("listen", h.message(rpc("subscriptions/listen", `{"notifications":{"resourceSubscriptions":["store://koko-xinyi"]},`+modernMeta+`}`),
				append(bearer(token), modern("subscriptions/listen", "")...)...))
			h.worked("changing", h.message(writes[0], bearer(token)...))
		},
	}, {
		name: "two_readers", tries: "a tool's name that two JSON readers understand differently: there twice, in another case, escaped",
		want: want{400, "-32602"}, so: "what is checked is what is done",
		by: func(h *house) {
			reader := h.reader()
			for _, params := range []string{
				`"params":{` + harmless + `,` + harmful + `}`,
				`"params":{` + harmful + `,` + harmless + `}`,
				`"params":{` + harmless + `,"Name":"record_movement"}`,
				`"params":{"NAME":"record_movement",` + harmless + `}`,
				`"params":{"n\u0061me":"record_movement",` + harmless + `}`,
				`"params":{` + harmless + `},"params":{` + harmful + `}`,
			} {
				h.refused(params, h.message(`{"jsonrpc":"2.0","id":1,"method":"tools/call",`+params+`}`, bearer(reader)...))
			}
			h.worked("once", h.message(checkEggs, bearer(reader)...))
		},
	}, {
		name: "two_messages_in_one", tries: "a method or params that two JSON readers understand differently: there twice, in another case, with ſ for s",
		want: want{400, "-32600"}, so: "what is checked is what is done",
		by: func(h *house) {
			reader := h.reader()
			for _, message := range []string{
				`"method":"tools/call","params":{` + harmless + `},"Params":{` + harmful + `}`,
				`"method":"tools/call","params":{` + harmless + `},"paramſ":{` + harmful + `}`,
				`"method":"tools/call","Params":{` + harmful + `}`,
				`"method":"ping","method":"tools/call","params":{` + harmful + `}`,
				`"method":"tools/call","method":"ping","params":{` + harmful + `}`,
				`"method":"ping","METHOD":"tools/call","params":{` + harmful + `}`,
			} {
				h.refused(message, h.message(`{"jsonrpc":"2.0","id":1,`+message+`}`, bearer(reader)...))
			}
			h.worked("once", h.message(checkEggs, bearer(reader)...))
		},
	}, {
		name: "disguised_name", tries: "a tool's name written with escapes, as a notification, or with a harmless name in the headers",
		want: lacksScope,
		by: func(h *house) {
			reader := h.reader()
			escaped := strings.Replace(writes[0], "record_movement", `\u0072ecord_movement`, 1)
			h.refused("escapes", h.message(escaped, bearer(reader)...))
			h.refused("notification", h.message(strings.Replace(writes[0], `"id":1,`, "", 1), bearer(reader)...))
			h.refused("headers", h.message(writes[0], append(bearer(reader), "Mcp-Method", "tools/call", "Mcp-Name", "check_stock")...))
			h.refused("headers of 2026", h.message(writes[0], append(bearer(reader), modern("tools/call", "check_stock")...)...))
			h.refused("override", h.message(writes[0], append(bearer(reader), "X-HTTP-Method-Override", "GET", "X-Mcp-Method", "ping")...))
			h.worked("with both scopes", h.message(escaped, bearer(h.key())...))
		},
	}, {
		name: "two_messages", tries: "a second message after the first, in one body",
		want: want{400, "-32700"},
		by: func(h *house) {
			reader := h.reader()
			h.refused("on a line of its own", h.message(checkEggs+"\n"+writes[0], bearer(reader)...))
			h.refused("at once", h.message(checkEggs+writes[0], bearer(reader)...))
			h.worked("alone", h.message(checkEggs, bearer(reader)...))
		},
	}, {
		name: "not_offered", tries: "tools that change the stock, by name, where --allow-writes is not given, with a token from when it was",
		want: want{200, "-32602"}, so: "there is no such tool", in: func(o *options) { o.noWrites = true },
		by: func(h *house) {
			key := h.key()
			for _, call := range writes {
				h.refused(call, h.message(call, bearer(key)...))
			}
			h.worked("reading", h.ask(key))
		},
	}, {
		name: "beyond_offered", tries: "signing in for stock:write where it is not offered",
		want: want{200, "-32602"}, so: "what was granted is to read, and there is no such tool", in: func(o *options) { o.noWrites = true },
		by: func(h *house) {
			for _, scope := range []string{"stock:write", "stock:read stock:write", "stock:read stock:write openid", gone} {
				p := h.program()
				g := p.page("scope", scope)
				if strings.Contains(g.body, `name="write"`) {
					h.Errorf("for %q the page offers to allow writing", scope)
				}
				to := h.worked("allowing", g.types(passphrase, "write", "yes")).sentTo()
				got := h.got(p.redeems(said.Keep(to.Query().Get("code"))))
				if got.scope != "stock:read" {
					h.Errorf("for %q got the scope %q", scope, got.scope)
				}
				h.refused(scope, h.message(writes[0], bearer(got.access)...))
				h.worked("reading", h.ask(got.access))
			}
		},
	}, {
		name: "withheld", tries: "every tool that changes the stock, over and over, after the owner refused that to a client that asked for it",
		want: want{200, "insufficient_scope"}, so: "an error of the tool that says so and asks for nothing, so that no client asks the owner for ever",
		by: func(h *house) {
			p := h.program()
			first := p.signsIn() // the box starts unticked
			if r := h.message(writes[0], bearer(first.access)...); r.status != http.StatusForbidden {
				h.Errorf("before the owner was asked: %d", r.status)
			}
			to := h.worked("allowing to read alone", p.page().types(passphrase, "write", gone)).sentTo()
			got := h.got(p.redeems(said.Keep(to.Query().Get("code"))))
			got = h.got(p.renews(got.refresh))
			for range 2 {
				for _, call := range writes {
					r := h.message(call, bearer(got.access)...)
					h.refused(call, r)
					if !r.isError() || r.challenge() != "" || r.member("result", "_meta", "mcp/www_authenticate") != nil || !strings.Contains(r.body, "沒有允許") {
						h.Errorf("%s: %v", call, r)
					}
				}
			}
			h.worked("reading", h.ask(got.access))
			if got := p.signsIn(); got.scope != "stock:read stock:write" { // the owner changes their mind
				h.Errorf("allowed, the client got %q", got.scope)
			}
		},
	}, {
		name: "public_reads", tries: "tools that change the stock, without a token, where anyone may read",
		want: want{200, "insufficient_scope"}, so: "an error of the tool, with the way to sign in in _meta[\"mcp/www_authenticate\"]",
		in: func(o *options) { o.PublicReads = true },
		by: func(h *house) {
			for _, call := range writes {
				r := h.message(call)
				h.refused(call, r)
				list, _ := r.member("result", "_meta", "mcp/www_authenticate").([]any)
				if !r.isError() || len(list) != 1 || !strings.Contains(fmt.Sprint(list[0]), `scope="stock:read stock:write"`) {
					h.Errorf("%s: no error with a challenge: %s", call, r.body)
				}
			}
			h.worked("reading", h.message(checkEggs))
			h.worked("with a token", h.message(writes[0], bearer(h.key())...))
		},
	}, {
		name: "bad_token_for_public", tries: "a bad token where anyone may read",
		want: badToken, so: "a bad token is not nobody's: its client must learn that it is bad", in: func(o *options) { o.PublicReads = true },
		by: func(h *house) {
			token, kept := h.token(store.Token{Scopes: both})
			if err := h.db.RevokeToken(h.Context(), kept.ID); err != nil {
				h.Fatal(err)
			}
			h.refused("revoked", h.ask(token))
			h.refused("empty", h.ask(""))
			h.worked("none", h.message(checkEggs))
		},
	}, {
		name: "public_page", tries: "reading by the other ways in where nobody may read without a token: resources, prompts, completions, subscriptions",
		want: noToken,
		by: func(h *house) {
			for method, params := range map[string]string{
				"resources/list": `{}`, "resources/templates/list": `{}`, "resources/read": `{"uri":"store://koko-xinyi"}`, "prompts/list": `{}`, "server/discover": `{}`, "initialize": `{}`,
				"completion/complete": `{"ref":{"type":"ref/resource","uri":"store://{id}"},"argument":{"name":"id","value":"k"}}`, "subscriptions/listen": `{}`, "notifications/initialized": `{}`,
			} {
				h.refused(method, h.message(rpc(method, params)))
				h.refused(method, h.message(rpc(method, params), modern(method, "")...))
			}
			h.worked("with a token", h.message(rpc("resources/read", `{"uri":"store://koko-xinyi"}`), bearer(h.key())...))
		},
	},
}}
