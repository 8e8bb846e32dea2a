package access_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

var shopAttacks = area{"stores", "Another store, another's reservation", []attack{
	{
		name: "reading", tries: "every tool that reads, naming another store by any name that it has, or a pattern",
		want: unknownStore, so: "as if there were no other; nor is it suggested",
		by: func(h *house) {
			token := h.bound()
			for _, name := range names {
				for tool, arguments := range map[string]string{
					"check_stock": args("product", "tea-egg", "store", name), "search_products": args("query", "tea", "store", name), "list_low_stock": args("store", name),
					"list_expiring": args("store", name, "within_days", 30), "stock_history": args("product", "tea-egg", "store", name),
				} {
					h.refused(tool+" "+arguments, h.alone(arguments, h.tool(token, tool, arguments)))
				}
			}
			h.alone("", h.worked("its own", h.tool(token, "check_stock", args("product", "tea-egg", "store", ownShop))))
		},
	}, {
		name: "listing", tries: "looking for another store by any name that it has, or a pattern",
		want: want{200, "none"}, so: "nor is it suggested",
		by: func(h *house) {
			token := h.bound()
			for _, name := range names {
				h.refused(name, h.alone(name, h.tool(token, "list_stores", args("query", name))))
			}
			h.worked("its own", h.tool(token, "list_stores", args("query", ownShop)))
		},
	}, {
		name: "everywhere", tries: "asking about all stores, a whole chain, or the nearest ones",
		want: want{200, "found"}, so: "the only store there is, is one's own",
		by: func(h *house) {
			token := h.bound()
			for _, arguments := range []string{`{}`, `{"query":"KOKO"}`, `{"near":{"latitude":25.0256,"longitude":121.5432}}`, `{"limit":100}`} {
				r := h.tool(token, "list_stores", arguments)
				h.refused(arguments, h.alone(arguments, r))
				if list, _ := r.member("result", "structuredContent", "stores").([]any); len(list) != 1 {
					h.Errorf("%s: %d stores", arguments, len(list))
				}
			}
			for tool, arguments := range map[string]string{"check_stock": `{"product":"tea-egg","store":"KOKO便利店"}`, "get_product": `{"id":"tea-egg"}`, "search_products": `{"query":"蛋"}`, "list_low_stock": `{}`, "list_expiring": `{}`, "stock_history": `{"product":"tea-egg","store":"koko-xinyi"}`} {
				h.alone(arguments, h.tool(token, tool, arguments))
			}
			r := h.worked("in all", h.tool(token, "check_stock", `{"product":"tea-egg"}`))
			if n := h.number(r, "result", "structuredContent", "on_hand"); n != 5 {
				h.Errorf("there are %d in all, want the 5 of its own", n)
			}
		},
	}, {
		name: "product", tries: "a product that only other stores sell",
		want: unknownProduct,
		by: func(h *house) {
			token := h.bound()
			arguments := args("product", productElsewhere)
			h.refused("anywhere", h.alone(arguments, h.tool(token, "check_stock", arguments)))
			h.refused("by its ID", h.alone(arguments, h.tool(token, "get_product", args("id", productElsewhere))))
			arguments = args("product", productElsewhere, "store", ownShop)
			for _, tool := range []string{"check_stock", "stock_history"} {
				h.refused(tool, h.alone(arguments, h.tool(token, tool, arguments)))
			}
			h.refused("receiving it", h.tool(token, "record_movement", args("store", ownShop, "product", productElsewhere, "delta", 1, "reason", "delivery")))
			h.worked("what it carries", h.ask(token))
		},
	}, {
		name: "writing", tries: "every tool that changes the stock, naming another store, and transfers from it and to it",
		want: unknownStore,
		by: func(h *house) {
			token := h.bound()
			for _, name := range names {
				for tool, arguments := range map[string]string{
					"record_movement": args("store", name, "product", "tea-egg", "delta", -1, "reason", "sale"), "count_stock": args("store", name, "product", "tea-egg", "quantity", 0), "reserve_stock": args("store", name, "product", "tea-egg", "quantity", 1),
				} {
					h.refused(tool+" "+arguments, h.alone(arguments, h.tool(token, tool, arguments)))
				}
				for _, arguments := range []string{args("from_store", ownShop, "to_store", name, "product", "tea-egg", "quantity", 1), args("from_store", name, "to_store", ownShop, "product", "tea-egg", "quantity", 1)} {
					h.refused(arguments, h.alone(arguments, h.tool(token, "transfer_stock", arguments)))
				}
			}
			h.worked("its own", h.tool(token, "record_movement", strings.Replace(sale, theirs, ownShop, 1)))
		},
	}, {
		name: "claiming", tries: "saying in _meta, in headers or in the arguments that one is bound to another store, or to none",
		want: unknownStore,
		by: func(h *house) {
			token := h.bound()
			meta := `,"_meta":{"shop":"koko-daan","caller":"token:1","store":"koko-daan","openai/subject":"owner","openai/userLocation":{"latitude":25.0256,"longitude":121.5432}}}}`
			message := strings.TrimSuffix(toolCall("check_stock", `{"product":"tea-egg","store":"koko-daan"}`), "}}") + meta
			h.refused("_meta", h.alone(message, h.message(message, bearer(token)...)))
			for _, name := range []string{"X-Forwarded-User", "X-Remote-User", "X-Shop", "X-Store", "X-Caller", "Mcp-Session-Id", "X-Auth-Request-User", "Cookie", "Mcp-Param-Store"} {
				h.refused(name, h.message(toolCall("check_stock", `{"product":"tea-egg","store":"koko-daan"}`), append(bearer(token), name, "owner")...))
			}
			h.worked("an unbound one", h.tool(h.key(), "check_stock", `{"product":"tea-egg","store":"koko-daan"}`))
		},
	}, {
		name: "resource", tries: "reading another store, or a product that it alone sells, as a resource",
		want: want{200, "-32002"}, so: "nor are they listed",
		by: func(h *house) {
			token := h.bound()
			for _, uri := range []string{"store://koko-daan", "store://koko%2Ddaan", "store://KOKO-DAAN", "store://orange-daan", "product://" + productElsewhere, "store://koko-xinyi/../koko-daan", "store://koko-xinyi%00", "STORE://koko-daan", "file:///etc/passwd", "store://%"} {
				h.refused(uri, h.alone(uri, h.message(rpc("resources/read", args("uri", uri)), bearer(token)...)))
			}
			list := h.alone("", h.worked("listing", h.message(rpc("resources/list", `{}`), bearer(token)...)))
			if !strings.Contains(list.body, ownShop) {
				h.Errorf("its own is not listed: %s", list.body)
			}
			h.alone("", h.worked("its own", h.message(rpc("resources/read", `{"uri":"store://koko-xinyi"}`), bearer(token)...)))
			h.alone("", h.worked("a product", h.message(rpc("resources/read", `{"uri":"product://tea-egg"}`), bearer(token)...)))
		},
	}, {
		name: "completion", tries: "having another store's name completed, letter by letter",
		want: want{200, ""}, so: "nothing fits",
		by: func(h *house) {
			token := h.bound()
			complete := func(ref, name, value string) reply {
				return h.message(rpc("completion/complete", fmt.Sprintf(`{"ref":%s,"argument":{"name":%q,"value":%q}}`, ref, name, value)), bearer(token)...)
			}
			for _, value := range []string{"", "k", "koko-d", "orange", "大", "KOKO便利店 大", "小橘", "sprout", "%"} {
				for _, ref := range [][2]string{{`{"type":"ref/resource","uri":"store://{id}"}`, "id"}, {`{"type":"ref/prompt","name":"check-stock"}`, "store"}} {
					h.refused(value, h.alone("", complete(ref[0], ref[1], value)))
				}
			}
			r := h.worked("its own", complete(`{"type":"ref/resource","uri":"store://{id}"}`, "id", "koko-x"))
			if !strings.Contains(r.body, ownShop) {
				h.Errorf("its own is not completed: %s", r.body)
			}
		},
	}, {
		name: "listening", tries: "listening to another store, and to a product that changes there",
		want: want{200, ""}, so: "the one is not acknowledged, of the other nothing is heard",
		by: func(h *house) {
			events := h.listens(h.bound(), "store://koko-daan", "product://tea-egg", "product://soft-boiled-egg", "store://koko-xinyi")
			ack := <-events
			h.refused("acknowledged", h.alone("", reply{status: 200, body: ack}))
			h.worked("elsewhere", h.tool(h.key(), "record_movement", sale))
			h.worked("in its own", h.tool(h.key(), "record_movement", `{"store":"koko-xinyi","product":"soft-boiled-egg","delta":-1,"reason":"sale"}`))
			heard := ""
			for event := range events {
				if heard += event; strings.Contains(event, "soft-boiled-egg") {
					break
				}
			}
			if strings.Contains(heard, "tea-egg") || strings.Contains(heard, theirs) {
				h.Errorf("heard %s", heard)
			}
		},
	}, {
		name: "cursor", tries: "going on with a list that another caller began, or with a cursor of one's own making",
		want: want{200, ""}, so: "a cursor is no key: what follows is cut to one's own store",
		by: func(h *house) {
			token, key := h.bound(), h.key()
			for tool, arguments := range map[string]string{"check_stock": `{"product":"tea-egg","limit":1}`, "list_stores": `{"limit":1}`, "list_low_stock": `{"limit":1}`, "search_products": `{"query":"蛋","limit":1}`} {
				r := h.tool(key, tool, arguments)
				cursor, _ := r.member("result", "structuredContent", "next_cursor").(string)
				if cursor == "" {
					h.Fatalf("%s: no cursor in %s", tool, r.body)
				}
				for _, c := range []string{cursor, cursor + "A", "AAAA", "a29rby1kYWFu", "%", strings.Repeat("A", 400)} {
					r := h.tool(token, tool, strings.TrimSuffix(arguments, "}")+`,"cursor":"`+c+`"}`)
					h.alone(arguments, r)
					if n, _ := r.member("result", "structuredContent", "stores").([]any); len(n) > 1 {
						h.Errorf("%s: %s", tool, r.body)
					}
				}
			}
			h.refused("of resources", h.alone("", h.message(rpc("resources/templates/list", `{}`), bearer(token)...)))
			h.worked("its own", h.ask(token))
		},
	}, {
		name: "undo", tries: "undoing what happened in another store",
		want: unknownMovement,
		by: func(h *house) {
			token, key := h.bound(), h.key()
			id := h.moved(h.worked("a sale there", h.tool(key, "record_movement", sale)))
			for n := id; n > id-40; n-- {
				m, _, err := h.db.Movements(h.Context(), store.MovementQuery{Group: n})
				if err != nil {
					h.Fatal(err)
				}
				if len(m) == 1 && m[0].ShopID != ownShop {
					h.refused(fmt.Sprint(n), h.alone("", h.tool(token, "undo_movement", args("movement", n))))
				}
			}
			h.refused("none", h.tool(token, "undo_movement", `{"movement":999999}`))
			own := h.moved(h.worked("a sale of its own", h.tool(token, "record_movement", strings.Replace(sale, theirs, ownShop, 1))))
			if r := h.tool(token, "undo_movement", args("movement", own)); r.code() != "confirmation_required" {
				h.Errorf("its own: %s", r.body)
			}
		},
	}, {
		name: "undo_transfer", tries: "undoing a transfer of the owner's between one's own store and another",
		want: want{200, "conflict"}, so: "the owner can",
		by: func(h *house) {
			token, key := h.bound(), h.key()
			r := h.worked("a transfer", h.tool(key, "transfer_stock", args("from_store", ownShop, "to_store", theirs, "product", "tea-egg", "quantity", 1)))
			list, _ := r.member("result", "structuredContent", "movements").([]any)
			for _, m := range list {
				if m := m.(map[string]any); m["store_id"] == ownShop {
					h.refused("its part", h.alone("", h.tool(token, "undo_movement", args("movement", m["id"]))))
				}
			}
		},
	}, {
		name: "reservation", tries: "releasing what another caller reserved, in one's own store or elsewhere",
		want: unknownReservation,
		by: func(h *house) {
			key, other, token := h.key(), h.key(), h.bound()
			for _, shop := range []string{ownShop, theirs} {
				r := h.worked("reserving", h.tool(key, "reserve_stock", args("store", shop, "product", "tea-egg", "quantity", 1)))
				id := h.number(r, "result", "structuredContent", "reservation", "id")
				h.refused("another caller", h.tool(other, "release_reservation", args("reservation", id)))
				h.refused("one who is bound", h.tool(token, "release_reservation", args("reservation", id)))
				h.refused("with its maker's key", h.tool(other, "release_reservation", args("reservation", id, "idempotency_key", "x")))
				h.worked("its maker", h.tool(key, "release_reservation", args("reservation", id)))
			}
			for id := range 5 {
				h.refused("of somebody from before", h.tool(other, "release_reservation", args("reservation", id+1)))
			}
		},
	}, {
		name: "confirmation", tries: "the confirmation that another caller got, for the same change or another, or twice",
		want: badConfirmation,
		by: func(h *house) {
			key, other, token := h.key(), h.key(), h.bound()
			large := args("store", ownShop, "product", "tea-egg", "delta", 60, "reason", "delivery")
			with := func(arguments string, confirmation any) string {
				return fmt.Sprintf(`%s,"confirmation":%q}`, strings.TrimSuffix(arguments, "}"), confirmation)
			}
			r := h.tool(key, "record_movement", large)
			confirmation := r.member("result", "structuredContent", "confirmation")
			h.refused("another", h.tool(other, "record_movement", with(large, confirmation)))
			h.refused("one who is bound", h.tool(token, "record_movement", with(large, confirmation)))
			h.refused("more", h.tool(key, "record_movement", with(strings.Replace(large, "60", "600", 1), confirmation)))
			h.refused("elsewhere", h.tool(key, "record_movement", with(strings.Replace(large, ownShop, theirs, 1), confirmation)))
			h.refused("another tool", h.tool(key, "count_stock", with(args("store", ownShop, "product", "tea-egg", "quantity", 65), confirmation)))
			h.refused("made up", h.tool(key, "record_movement", with(large, strings.Repeat("A", 70))))
			h.worked("its own", h.tool(key, "record_movement", with(large, confirmation)))
			h.refused("twice", h.tool(key, "record_movement", with(large, confirmation)))
			late := h.tool(key, "record_movement", large).member("result", "structuredContent", "confirmation")
			h.pass(10 * time.Minute)
			h.refused("late", h.tool(key, "record_movement", with(large, late)))
		},
	}, {
		name: "idempotency", tries: "another caller's idempotency key, to read what it did, or to do it once more",
		want: unknownStore, so: "keys are each caller's own",
		by: func(h *house) {
			key, other, token := h.key(), h.key(), h.bound()
			once := strings.TrimSuffix(sale, "}") + `,"idempotency_key":"k-1"}`
			h.worked("the first", h.tool(key, "record_movement", once))
			h.refused("one who is bound", h.alone(once, h.tool(token, "record_movement", once)))
			r := h.worked("another, who makes a change of their own", h.tool(other, "record_movement", once))
			if r.member("result", "structuredContent", "replayed") == true {
				h.Errorf("it got the other's receipt: %s", r.body)
			}
			if r := h.worked("the first again", h.tool(key, "record_movement", once)); r.member("result", "structuredContent", "replayed") != true {
				h.Errorf("it was done twice: %s", r.body)
			}
		},
	}, {
		name: "revoked_listener", tries: "going on to listen after the token was revoked",
		want: badToken,
		by: func(h *house) {
			token, kept := h.token(store.Token{Scopes: both})
			events := h.listens(token, "store://koko-xinyi")
			<-events
			h.worked("asking", h.ask(token))
			if err := h.db.RevokeToken(h.Context(), kept.ID); err != nil {
				h.Fatal(err)
			}
			r, err := http.NewRequest("POST", "/mcp", nil)
			if err != nil {
				h.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r = r.WithContext(store.WithCaller(h.Context(), store.Caller{ID: fmt.Sprintf("token:%d", kept.ID)}))
			if h.gate.Holds(r) {
				h.Error("the listen would go on")
			}
			h.refused("asking", h.ask(token))
		},
	},
}}
