package access_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

var (
	badMetadata = want{400, "invalid_client_metadata"}
	flooded     = want{429, "too_many_requests"}
	metadata    = `{"client_name":"c","redirect_uris":["https://client.example/callback"]}`
)

func mustClient(h *house, id string) store.Client {
	h.Helper()
	c, err := h.db.Client(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// registers sends what a client says of itself.
func (h *house) registers(body string) reply {
	h.Helper()
	return h.send("POST", "/register", body, "Content-Type", "application/json")
}

var registrationAttacks = area{"registration", "Clients that register themselves", []attack{
	{
		name: "flood", tries: "registering again and again from one address",
		want: flooded, so: "other addresses are not held up", in: func(o *options) { o.Limits = access.Limits{} },
		by: func(h *house) {
			for range 20 {
				h.program()
			}
			for range 5 {
				r := h.registers(metadata)
				h.refused("one more", r)
				if r.header.Get("Retry-After") == "" {
					h.Error("it does not say when")
				}
			}
			h.from = "203.0.113.9"
			h.program()
			h.from = "198.51.100.1"
			h.pass(time.Minute)
			h.program()
		},
	}, {
		name: "full", tries: "registering from more and more addresses, to fill the database and push others out",
		want: want{503, "temporarily_unavailable"}, so: "500 are kept that nobody let in, for a day; those that were let in stay",
		by: func(h *house) {
			p := h.program()
			p.signsIn()
			for i := range 500 {
				if err := h.db.AddClient(h.Context(), store.Client{ID: fmt.Sprint("flood ", i), Name: "x", RedirectURIs: []string{clientRedirect}}, 500); err != nil {
					h.Fatal(err)
				}
			}
			for i := range 3 {
				h.from = fmt.Sprintf("203.0.113.%d", i)
				h.refused("one more", h.registers(metadata))
			}
			p.signsIn()
			h.pass(24*time.Hour + time.Second)
			if err := h.db.Forget(h.Context(), h.Now(), 90*24*time.Hour); err != nil {
				h.Fatal(err)
			}
			h.program()
			p.signsIn()
		},
	}, {
		name: "oversized", tries: "metadata of 16 KiB and more, or deeply nested",
		want: want{413, "invalid_client_metadata"},
		by: func(h *house) {
			h.refused("long name", h.registers(`{"client_name":"`+strings.Repeat("x", 16<<10)+`","redirect_uris":["https://client.example/callback"]}`))
			h.refused("nested", h.registers(strings.Repeat(`{"x":`, 10<<10)))
			h.refused("spaces", h.registers(metadata+strings.Repeat(" ", 1<<20)))
			h.program()
		},
	}, {
		name: "media", tries: "registering as a form, as text, or without saying as what: what a page of another site could send",
		want: badMetadata,
		by: func(h *house) {
			for _, media := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "text/json", "application/jsonp", ""} {
				h.refused(media, h.send("POST", "/register", metadata, "Content-Type", media))
			}
			h.refused("nothing", h.send("POST", "/register", metadata))
			h.program()
		},
	}, {
		name: "shapes", tries: "metadata of another shape, cut off, or two at once",
		want: badMetadata,
		by: func(h *house) {
			for _, body := range []string{"", "null,", "[]", "[" + metadata + "]", metadata[:20], metadata + metadata, `"x"`, `{"redirect_uris":"https://client.example/callback"}`, `{"redirect_uris":[1]}`, `{"redirect_uris":{"0":"x"}}`, `{"client_name":{"en":"x"},"redirect_uris":["https://client.example/callback"]}`} {
				h.refused(body, h.registers(body))
			}
			h.program()
		},
	}, {
		name: "many_redirects", tries: "no redirects, a thousand of them, or one that is thousands of characters long",
		want: want{400, "invalid_redirect_uri"},
		by: func(h *house) {
			for _, list := range []string{"[]", "null", "[" + strings.Repeat(`"https://a.b/c",`, 900) + `"https://a.b/c"]`, `["https://a.b/` + strings.Repeat("x", 2500) + `"]`, `["https://a.b/","` + strings.Repeat("x", 5000) + `"]`} {
				h.refused(fmt.Sprintf("%.30s", list), h.registers(`{"redirect_uris":`+list+`}`))
			}
			h.refused("none", h.registers(`{}`))
			h.program()
		},
	}, {
		name: "chosen", tries: "choosing an ID, a secret, or a way to be known, be it those of a client that there is",
		want: want{201, ""}, so: "the ID is the server's choice, and there are no secrets",
		by: func(h *house) {
			p := h.program()
			before := mustClient(h, p.id)
			r := h.registers(`{"client_id":"` + p.id + `","client_secret":"x","token_endpoint_auth_method":"client_secret_basic","grant_types":["password","client_credentials"],"response_types":["token"],"scope":"admin","jwks_uri":"http://169.254.169.254/","software_statement":"x","redirect_uris":["https://evil.example/cb"]}`)
			h.refused("all", r)
			if id := r.member("client_id"); id == p.id || r.member("client_secret") != nil || r.member("token_endpoint_auth_method") != "none" || r.member("jwks_uri") != nil {
				h.Errorf("got %s", r.body)
			}
			if after := mustClient(h, p.id); after.RedirectURIs[0] != before.RedirectURIs[0] || len(after.RedirectURIs) != 1 {
				h.Errorf("the client became %+v", after)
			}
			p.signsIn()
		},
	}, {
		name: "managed", tries: "reading, changing or removing a client that is registered",
		want: want{404, ""},
		by: func(h *house) {
			p := h.program()
			for _, method := range []string{"GET", "PUT", "DELETE", "POST"} {
				h.refused(method, h.send(method, "/register/"+p.id, metadata, "Content-Type", "application/json"))
			}
			p.signsIn()
		},
	},
}}
