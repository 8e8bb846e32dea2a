package access_test

import (
	"net/http"
	"strings"
	"time"
)

var (
	badBatch    = want{400, "-32600"}
	readOnePage = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_stores","arguments":{"limit":1}}}`
)

// batch is several messages in one request.
func batch(messages ...string) string { return "[" + strings.Join(messages, ",") + "]" }

var batchAttacks = area{"batches", "Several messages in one request", []attack{
	{
		name: "too_many", tries: "a batch of 21 messages or of thousands, one without any, and batches in batches",
		want: badBatch, so: "none of them is answered",
		by: func(h *house) {
			key := h.key()
			many := func(n int) string { return "[" + strings.Repeat(writes[0]+",", n-1) + writes[0] + "]" }
			for name, body := range map[string]string{"21": many(21), "thousands": many(5000), "none": "[]", "one too deep": strings.Repeat("[", 70) + strings.Repeat("]", 70)} {
				h.refused(name, h.message(body, bearer(key)...))
			}
			r := h.message(batch(batch(writes[0]), batch()), bearer(key)...)
			if strings.Count(r.body, "-32600") != 2 {
				h.Errorf("batches in a batch: %v", r)
			}
			h.worked("twenty", h.message("["+strings.Repeat(checkEggs+",", 19)+checkEggs+"]", bearer(key)...))
		},
	}, {
		name: "handshake", tries: "an initialize in a batch, as itself or in disguise, so that what follows is taken for another revision's",
		want: badBatch,
		by: func(h *house) {
			key := h.key()
			for _, method := range []string{"initialize", `\u0069nitialize`, `initi\u0061lize`} {
				h.refused(method, h.message(batch(writes[0], `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{"protocolVersion":"2025-03-26"}}`), bearer(key)...))
			}
			for _, revision := range []string{"2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"} {
				h.refused(revision, h.message(batch(writes[0]), append(bearer(key), "Mcp-Protocol-Version", revision)...))
			}
			h.worked("of its own revision", h.message(batch(checkEggs), append(bearer(key), "Mcp-Protocol-Version", "2025-03-26")...))
		},
	}, {
		name: "scopes", tries: "calls that change the stock, hidden among ones that read, with a token that may read",
		want: lacksScope, so: "nothing of the batch is done",
		by: func(h *house) {
			reader := h.reader()
			for _, call := range writes {
				notification := strings.Replace(call, `"id":1,`, "", 1)
				for _, body := range []string{batch(call), batch(checkEggs, readOnePage, call), batch(call, checkEggs), batch(checkEggs, notification)} {
					h.refused(body, h.message(body, bearer(reader)...))
				}
			}
			h.worked("reading", h.message(batch(checkEggs, readOnePage), bearer(reader)...))
		},
	}, {
		name: "limits", tries: "more messages than a caller may send, in fewer requests",
		want: flooded, so: "each message counts, and nothing of the batch is done", in: fewRequests,
		by: func(h *house) {
			key := h.key()
			h.worked("three", h.message(batch(checkEggs, readOnePage, checkEggs), bearer(key)...))
			h.refused("one more", h.message(batch(writes[0]), bearer(key)...))
			h.pass(10 * time.Second)
			h.refused("two more", h.message(batch(writes[0], writes[0]), bearer(key)...))
			h.pass(time.Minute)
			h.refused("four at once", h.message(batch(writes[0], writes[0], writes[0], writes[0]), bearer(key)...))
		},
	}, {
		name: "anonymous", tries: "a batch without a token, or with a bad one",
		want: badToken, so: "it is not read",
		by: func(h *house) {
			for _, token := range []string{"x", strings.Repeat("x", 5000)} {
				h.refused(token[:1], h.message(batch(checkEggs, writes[0]), bearer(token)...))
			}
			if r := h.message(batch(checkEggs)); r.status != http.StatusUnauthorized {
				h.Errorf("without a token: %v", r)
			}
			h.worked("with one", h.message(batch(checkEggs), bearer(h.key())...))
		},
	}, {
		name: "audit", tries: "hiding a call from the audit log among others, or among notifications",
		want: badBatch, so: "each call leaves a row of its own",
		by: func(h *house) {
			key := h.key()
			h.refused("none", h.message("[]", bearer(key)...))
			h.worked("three calls", h.message(batch(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, checkEggs, readOnePage, checkEggs), bearer(key)...))
			if calls := h.audited("a batch"); len(calls) != 3 {
				h.Errorf("%d rows: %+v", len(calls), calls)
			}
		},
	},
}}
