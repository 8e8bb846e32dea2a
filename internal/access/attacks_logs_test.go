package access_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// forgedLine is what an attacker would have in the log, in a line of its own,
// and on the owner's terminal in another color.
const (
	forgedTime = "1999-12-31T23:59:59Z"
	forgedLine = "\r\u2028\x1b[2J\u202e\x07\ntime=" + forgedTime + " level=ERROR msg=forged"
)

var logLine = regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN|ERROR) msg=("[^"]|\S)`)

// clean fails where the log has a line that the server did not write, or a
// secret.
func (h *house) clean(what string) {
	h.Helper()
	text := h.log.String()
	if strings.ContainsAny(text, "\x1b\x07\u2028\u202e\x00") {
		h.Errorf("%s: the log has control characters: %q", what, text)
	}
	for line := range strings.Lines(text) {
		if !logLine.MatchString(line) || strings.HasPrefix(line, "time="+forgedTime) {
			h.Errorf("%s: the log has the line %q", what, line)
		}
	}
	for line := range strings.Lines(text) {
		if secret.Pattern.MatchString(line) {
			h.Errorf("%s: the log has a token: %s", what, secret.Pattern.ReplaceAllString(line, "TOKEN"))
		}
	}
}

// escapedLine is forgedLine in a URL.
var escapedLine = url.PathEscape(forgedLine)

var logAttacks = area{"logs", "What is written down", []attack{
	{
		name: "path", tries: "line breaks and control characters in the path",
		want: want{404, ""}, so: "quoted in the log, in one line",
		by: func(h *house) {
			for _, path := range []string{"/" + escapedLine, "/x?" + escapedLine, "/.well-known/" + escapedLine, "/authorize/" + escapedLine} {
				h.refused(path, h.get(path))
			}
			h.clean("paths")
			h.worked("a path", h.get("/"))
		},
	}, {
		name: "message", tries: "line breaks and control characters in a method, and in the names of tools, clients and arguments",
		want: want{200, "-32602"}, so: "quoted in the log, in one line; taken out in the audit log",
		by: func(h *house) {
			key := h.key()
			h.message(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%s,"params":{}}`, quote(forgedLine)), bearer(key)...)
			h.tool(key, "check_stock", args("product", forgedLine, "store", forgedLine, forgedLine, "x"))
			h.worked("a call by such a client", h.by(key, forgedLine, "check_stock", `{"product":"茶葉蛋","store":"koko-xinyi"}`))
			h.worked("a call", h.ask(key))
			h.refused("tool", h.message(rpc("tools/call", args("name", forgedLine, "arguments", map[string]any{})), bearer(key)...))
			h.clean("messages")
			h.audited("messages")
		},
	}, {
		name: "headers", tries: "control characters in User-Agent, Accept-Language, Origin, Host and X-Forwarded-For",
		want: want{400, ""}, so: "no such header is taken",
		by: func(h *house) {
			for _, name := range []string{"User-Agent", "Accept-Language", "Origin", "X-Forwarded-For", "Mcp-Protocol-Version", "Mcp-Session-Id"} {
				for _, bad := range []string{"\x1b[2J", "a\x00b", "a\rb", "\x07"} {
					for _, r := range h.raw("GET / HTTP/1.1\r\nHost: shop.example\r\n" + name + ": " + bad + "\r\nConnection: close\r\n\r\n") {
						h.refused(name, r)
					}
				}
			}
			for _, name := range []string{"User-Agent", "Accept-Language", "Mcp-Protocol-Version", "X-Forwarded-For"} {
				h.get("/", name, "\u202e\u2028"+strings.Repeat("level=ERROR msg=forged ", 100))
			}
			h.clean("headers")
			h.worked("none", h.get("/"))
		},
	}, {
		name: "client", tries: "line breaks and control characters in what a client is called, or asks for",
		want: want{303, "unsupported_response_type"}, so: "quoted in the log, in one line",
		by: func(h *house) {
			p := h.register(map[string]any{"client_name": "c" + forgedLine, "redirect_uris": []string{clientRedirect}})
			h.refused("asking", p.asks("response_type", forgedLine, "scope", forgedLine, "state", forgedLine))
			p.asks("client_id", forgedLine)
			p.asks("redirect_uri", forgedLine)
			p.page().types("wrong" + forgedLine)
			p.form("/token", p.redemption(forgedLine, "grant_type", forgedLine, forgedLine, forgedLine))
			p.form("/token", p.redemption(forgedLine))
			got := p.signsIn()
			h.worked("asking for the stock", h.ask(got.access))
			h.clean("clients")
			h.audited("clients")
		},
	}, {
		name: "misplaced_secrets", tries: "tokens and passphrases where they do not belong: in a path, a method, a name, a state, a Host",
		want: want{404, ""}, so: "neither the log nor the audit log has them",
		by: func(h *house) {
			key, p := h.key(), h.program()
			h.refused("path", h.get("/mcp/"+key))
			h.refused("path", h.get("/"+key+"/sse"))
			h.refused("path", h.get("/mcp/Bearer%20"+key))
			h.get("/mcp?token=" + key)
			h.get("/", "Host", key)
			h.get("/", "Origin", "https://"+key)
			h.get("/", "User-Agent", key)
			h.message(rpc(key, "{}"), bearer(key)...)
			h.message(rpc("tools/call", args("name", key, "arguments", map[string]any{})), bearer(key)...)
			h.message(rpc("resources/read", args("uri", "store://"+key)), bearer(key)...)
			h.tool(key, "check_stock", args("product", key, "store", key, key, key))
			h.tool(key, "reserve_stock", args("store", ownShop, "product", "tea-egg", "quantity", 1, "note", key, "idempotency_key", key))
			h.worked("a change by a client of that name", h.by(key, key, "record_movement", strings.Replace(sale, theirs, ownShop, 1)))
			q := h.register(map[string]any{"client_name": key, "redirect_uris": []string{clientRedirect, "https://client.example/" + key}})
			q.asks("scope", key, "state", key)
			q.page().types(key)
			q.asks("client_id", key)
			p.redeems(key, "client_id", key, key, key)
			p.renews(key, "scope", key)
			h.form("/revoke", nil, "Authorization", key)
			p.signsIn()
			h.clean("misplaced")
			if strings.Contains(h.log.String(), passphrase) {
				h.Error("the log has the passphrase")
			}
			h.audited("misplaced")
		},
	}, {
		name: "audit", tries: "calling without leaving a trace, under another's name, or with so much that the log overflows",
		want: unknownProduct, so: "each call has one entry, in the name of the token, of bounded size, without notes; so have lists and prompts and, each minute, completions",
		by: func(h *house) {
			key, kept := h.token(store.Token{Scopes: both, Name: "till 1"})
			h.refused("large", h.tool(key, "check_stock", args("product", strings.Repeat("長", 200), "store", ownShop)))
			h.message(strings.Replace(checkEggs, `"id":1,`, "", 1), bearer(key)...)
			h.message(strings.TrimSuffix(checkEggs, "}}")+`,"_meta":{"caller":"token:999","client":"owner","actor":"owner"}}}`, append(bearer(key), "X-Forwarded-User", "owner")...)
			h.worked("a note", h.tool(key, "record_movement", `{"store":"koko-xinyi","product":"tea-egg","delta":-1,"reason":"sale","note":"王小明 0912345678"}`))
			h.message(rpc("resources/list", `{}`), bearer(key)...)
			h.message(rpc("prompts/get", `{"name":"check_stock","arguments":{"product":"茶葉蛋"}}`), bearer(key)...)
			for _, typed := range []string{"茶", "茶葉", "茶葉蛋"} {
				h.message(rpc("completion/complete", `{"ref":{"type":"ref/prompt","name":"check_stock"},"argument":{"name":"product","value":"`+typed+`"}}`), bearer(key)...)
			}
			calls := h.audited("audit")
			entries := map[string]int{}
			for _, c := range calls {
				entries[c.Tool]++
			}
			if entries["check_stock"] < 2 || entries["resources/list"] != 1 || entries["prompts/get"] != 1 || entries["completion/complete"] != 1 {
				h.Errorf("entries %v", entries)
			}
			for _, c := range calls {
				if c.Caller != fmt.Sprintf("token:%d", kept.ID) || c.Name != "till 1" || c.Address != h.from || strings.Contains(c.Arguments, "0912") {
					h.Errorf("entry %+v", c)
				}
			}
		},
	},
}}

// by calls a tool by a program that says its name.
func (h *house) by(token, client, tool, arguments string) reply {
	h.Helper()
	meta := strings.Replace(modernMeta, `{`, `{"io.modelcontextprotocol/clientInfo":`+args("name", client, "version", "1")+`,`, 1)
	return h.message(rpc("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s,%s}`, tool, arguments, meta)), append(bearer(token), modern("tools/call", tool)...)...)
}

// quote is a text as JSON.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// audited returns the audit log, and fails where it has what it must not.
func (h *house) audited(what string) []store.Call {
	h.Helper()
	h.recorder.Close()
	calls, _, err := h.db.Calls(h.Context(), store.CallQuery{Page: store.Page{Limit: store.MaxLimit}})
	if err != nil {
		h.Fatal(err)
	}
	if len(calls) == 0 {
		h.Errorf("%s: the audit log is empty", what)
	}
	for _, c := range calls {
		text := fmt.Sprint(c.Caller, c.Name, c.Client, c.Address, c.Tool, c.Arguments, c.Outcome)
		if strings.ContainsAny(text, "\n\r\x1b\x07\u2028\u202e\x00") || len(text) > 8<<10 {
			h.Errorf("%s: an entry of %d bytes: %q", what, len(text), text)
		}
		if secret.Pattern.MatchString(text) || strings.Contains(text, passphrase) {
			h.Errorf("%s: an entry has a secret: %s", what, strings.ReplaceAll(text, "mcps_", "MCPS_"))
		}
	}
	return calls
}
