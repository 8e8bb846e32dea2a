package access_test

import "strings"

var badArgument = want{200, "invalid_argument"}

var argumentAttacks = area{"arguments", "What calls say", []attack{
	{
		name: "unread", tries: "a change with an argument that the tool would not read: a dry run, another store, a limit",
		want: badArgument, so: "where something changes, only what n8n adds to every call is ignored",
		by: func(h *house) {
			key := h.key()
			with := func(more string) string { return strings.TrimSuffix(sale, "}") + "," + more + "}" }
			for _, more := range []string{
				`"dry_run":true`, `"dryRun":1`, `"preview":"true"`, `"Store":"koko-xinyi"`, `"shop":"koko-xinyi"`, `"max":1`, `"confirm":false`,
				`"toolcallid":"x"`, `"session_id":"x"`, `"tools":"x"`, `"action":"x","only_if_above":3`, `"":"x"`, `"` + strings.Repeat("x", 10_000) + `":"x"`,
			} {
				h.refused(more, h.tool(key, "record_movement", with(more)))
			}
			h.worked("n8n", h.tool(key, "record_movement", with(`"toolCallId":"call_0","sessionId":"s","action":"sendMessage","chatInput":"x","tool":"record_movement"`)))
			r := h.worked("asking", h.tool(key, "check_stock", `{"product":"tea-egg","store":"koko-xinyi","colour":"brown"}`))
			if got, _ := r.member("result", "structuredContent", "ignored").([]any); len(got) != 1 || got[0] != "colour" {
				h.Errorf("ignored = %v", got)
			}
		},
	}, {
		name: "types", tries: "a change whose quantity, product or reason may mean several things: 1,000, 4.71e12, a list, a word",
		want: badArgument,
		by: func(h *house) {
			key := h.key()
			for _, other := range [][2]string{
				{`"delta":-1`, `"delta":"-1,000"`}, {`"delta":-1`, `"delta":"minus one"`}, {`"delta":-1`, `"delta":"-0x1"`}, {`"delta":-1`, `"delta":[-1]`},
				{`"delta":-1`, `"delta":"-1.5"`}, {`"delta":-1`, `"delta":true`}, {`"delta":-1`, `"delta":"-9e99"`}, {`"delta":-1`, `"delta":" "`},
				{`"tea-egg"`, `4.719972846795E12`}, {`"tea-egg"`, `1.0`}, {`"tea-egg"`, `["tea-egg","banana"]`}, {`"tea-egg"`, `{"id":"tea-egg"}`}, {`"tea-egg"`, `true`},
				{`"sale"`, `"sales"`}, {`"sale"`, `["sale"]`}, {`"sale"`, `1`},
			} {
				h.refused(other[1], h.tool(key, "record_movement", strings.Replace(sale, other[0], other[1], 1)))
			}
			h.worked("the same in other types", h.tool(key, "record_movement", `{"store":"koko-daan","product":4719972846795,"delta":"-1","reason":"SALE"}`))
		},
	}, {
		name: "repeated", tries: "a used idempotency key for another change, which only looks like the first or only differs in its types",
		want: want{200, "conflict"}, so: "the same in other types is the same, and is done once",
		by: func(h *house) {
			key := h.key()
			const once = `{"store":"koko-daan","product":"4719972846795","delta":-1,"reason":"sale","idempotency_key":"17"}`
			h.worked("the first", h.tool(key, "record_movement", once))
			h.refused("more", h.tool(key, "record_movement", strings.Replace(once, "-1", `"-2"`, 1)))
			h.refused("another product", h.tool(key, "record_movement", strings.Replace(once, `"4719972846795"`, "4719974130762", 1)))
			h.refused("a note", h.tool(key, "record_movement", strings.Replace(once, `"17"`, `17,"note":5`, 1)))
			again := `{"store":"koko-daan","product":4719972846795,"delta":"-1","reason":"Sale","idempotency_key":17,"toolCallId":"call_1"}`
			if r := h.worked("the first again", h.tool(key, "record_movement", again)); r.member("result", "structuredContent", "replayed") != true {
				h.Errorf("it was done twice: %s", r.body)
			}
		},
	},
}}
