package access_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// guess sends n wrong passphrases.
func (h *house) guess(n int) {
	h.Helper()
	g := h.read(h.program().asks())
	for i := range n {
		if r := g.types(fmt.Sprintf("wrong passphrase %d", i)); r.status != http.StatusForbidden {
			h.Fatalf("guess %d: %d", i, r.status)
		}
	}
}

var guessingAttacks = area{"guessing", "The passphrase and the one-time code", []attack{
	{
		name: "almost", tries: "passphrases that are nearly right, empty, too long, or what is kept of it in the database",
		want: askedAgain,
		by: func(h *house) {
			p := h.program()
			for i, text := range []string{
				"", " ", passphrase[:len(passphrase)-1], passphrase + " ", " " + passphrase, strings.ToUpper(passphrase), passphrase + "\x00", passphrase + "\n", "\x00", strings.ReplaceAll(passphrase, " ", ""), strings.ReplaceAll(passphrase, "e", "е"),
				cheapHash(), strings.Repeat("x", 201), strings.Repeat(passphrase, 300), "' OR 1=1 --", "%", "null",
			} {
				h.from = fmt.Sprintf("198.51.100.%d", i)
				h.refused(fmt.Sprintf("%.30q", text), p.page().types(text))
			}
			h.refused("in another field", p.page().types("", "password", passphrase, "code", passphrase))
			h.worked("right", p.page().types(passphrase))
		},
	}, {
		name: "one_address", tries: "a sixth passphrase within a quarter of an hour, the right one",
		want: lockedOut, so: "it says when, and how the owner lifts it at the machine or signs in by a code from there",
		by: func(h *house) {
			h.guess(5)
			r := h.program().page().types(passphrase)
			h.refused("the right one", r)
			if r.header.Get("Retry-After") != "900" || !strings.Contains(r.body, "mcpstore access passphrase") {
				h.Errorf("Retry-After: %s\n%v", r.header.Get("Retry-After"), r)
			}
			h.refused("by a page from before", h.read(h.program().asks()).types(passphrase))
			h.pass(15 * time.Minute)
			h.worked("later", h.program().page().types(passphrase))
		},
	}, {
		name: "many_addresses", tries: "fifty wrong passphrases within an hour from as many addresses, and then the right one from another",
		want: lockedOut,
		by: func(h *house) {
			p := h.program()
			g := p.page()
			for i := range 50 {
				h.from = fmt.Sprintf("198.51.%d.1", i)
				if r := g.types("wrong passphrase"); r.status != http.StatusForbidden {
					h.Fatalf("guess %d: %d", i, r.status)
				}
			}
			h.from = "203.0.113.9"
			h.refused("the right one", g.types(passphrase))
			if err := h.db.SetPassphrase(h.Context(), cheapHash()); err != nil {
				h.Fatal(err)
			}
			h.worked("after the owner lifted it", p.page().types(passphrase))
		},
	}, {
		name: "one_network", tries: "a new IPv6 address for each passphrase, of the 2⁶⁴ that one customer has",
		want: lockedOut,
		by: func(h *house) {
			g := h.program().page()
			for i := range 5 {
				h.from = fmt.Sprintf("2001:db8:1:2::%x", i+1)
				g.types("wrong passphrase")
			}
			for _, addr := range []string{"2001:db8:1:2:ffff::1", "2001:db8:1:2::9"} {
				h.from = addr
				h.refused(addr, g.types(passphrase))
			}
			h.from = "2001:db8:1:3::1"
			h.worked("from another network", g.types(passphrase))
		},
	}, {
		name: "forged_address", tries: "a new X-Forwarded-For for each passphrase, and other headers that name an address",
		want: lockedOut, so: "only what the edge appended counts",
		by: func(h *house) {
			g := h.program().page()
			try := func(i int, text string) reply {
				addr := fmt.Sprintf("203.0.113.%d", i)
				return h.form(g.action, g.typed(text), append(g.sameOrigin(), "X-Forwarded-For", addr, "X-Real-Ip", addr, "Forwarded", "for="+addr, "Cf-Connecting-Ip", addr, "True-Client-Ip", addr, "X-Client-Ip", addr)...)
			}
			for i := range 5 {
				try(i, "wrong passphrase")
			}
			for i := range 5 {
				h.refused("the right one", try(i+5, passphrase))
			}
			h.from = "198.51.100.77"
			h.worked("from elsewhere", try(99, passphrase))
		},
	}, {
		name: "parallel", tries: "forty passphrases at once, before any of them is counted as wrong",
		want: lockedOut, so: "they are counted before they are looked at: five are looked at",
		by: func(h *house) {
			g := h.program().page()
			replies := make([]reply, 40)
			var all sync.WaitGroup
			for i := range replies {
				all.Go(func() { replies[i] = g.types("wrong passphrase") })
			}
			all.Wait()
			looked := 0
			for _, r := range replies {
				if r.status == http.StatusForbidden {
					looked++
				} else {
					h.refused("one of them", r)
				}
			}
			if looked != 5 {
				h.Errorf("%d were looked at", looked)
			}
			h.from = "198.51.100.77"
			h.worked("from elsewhere", g.types(passphrase))
		},
	}, {
		name: "success_resets", tries: "guessing from an address from which the owner signs in now and then, which forgets its attempts",
		want: lockedOut, so: "the wrong attempts of all addresses together are not forgotten; right ones do not count",
		by: func(h *house) {
			p := h.program()
			g := p.page()
			for range 12 {
				for range 4 {
					g.types("wrong passphrase")
				}
				h.worked("the owner", p.page().types(passphrase))
			}
			for range 2 { // which makes fifty
				g.types("wrong passphrase")
			}
			h.from = "203.0.113.9"
			h.refused("the right one", g.types(passphrase))
			h.pass(time.Hour)
			h.worked("an hour later", p.page().types(passphrase))
		},
	}, {
		name: "lock_out", tries: "keeping the owner out: fifty wrong passphrases, and then guesses at the code that opens a locked page",
		want: lockedOut, so: "the code is shown on the owner's terminal alone, cannot be guessed, holds once and for ten minutes, and no number of guesses locks it",
		by: func(h *house) {
			p := h.program()
			g := p.page()
			for i := range 50 {
				h.from = fmt.Sprintf("198.51.%d.1", i)
				g.types("wrong passphrase")
			}
			h.from = "203.0.113.9"
			locked := g.types(passphrase)
			h.refused("the right one", locked)
			code := h.code()
			if strings.Contains(locked.body, code) || len(code) != len("ABCD-EFGH-JKLM") {
				h.Errorf("the page has the code, or it is of %d characters", len(code))
			}
			for i := range 100 {
				h.refused("a guess", g.types(fmt.Sprintf("ABCD-EFGH-%04d", i)))
			}
			h.refused("its beginning", g.types(code[:9]))
			h.refused("its end", g.types("AAAA-"+code[5:]))
			now := p.page()
			h.worked("the code", now.types(code))
			h.refused("the code again", now.types(code))
			h.refused("the passphrase still", now.types(passphrase))
			now.types(passphrase)
			h.look()
			late := h.code()
			h.pass(10 * time.Minute)
			h.refused("a new code, late", now.types(late))
			h.worked("the newest", now.types(h.code()))
		},
	}, {
		name: "unset", tries: "passphrases and codes where neither is set up",
		want: askedAgain, in: func(o *options) { o.codes, o.mute = true, true },
		by: func(h *house) {
			p := h.program()
			for i, text := range []string{"", passphrase, "0000-0000", "12345678", "null"} {
				h.from = fmt.Sprintf("198.51.100.%d", i)
				h.refused(text, p.page().types(text))
			}
			if err := h.db.SetPassphrase(h.Context(), cheapHash()); err != nil {
				h.Fatal(err)
			}
			h.worked("once it is set", p.page().types(passphrase))
		},
	}, {
		name: "code", tries: "guessing the one-time code: five of a hundred million, and then the right one",
		want: lockedOut, so: "a longer one, which cannot be guessed, is shown on the terminal then", in: func(o *options) { o.codes = true },
		by: func(h *house) {
			g := h.program().page()
			for i := range 5 {
				g.types(fmt.Sprintf("%04d-%04d", i, i))
			}
			short := h.code()
			h.refused("the right one", g.types(short))
			h.worked("a longer one", g.types(h.code()))
			for i := range 5 {
				g.types(fmt.Sprintf("%04d-%04d", i, i))
			}
			h.refused("again", g.types(short))
			h.from = "203.0.113.9"
			h.worked("from elsewhere", g.types(short))
		},
	}, {
		name: "code_again", tries: "a one-time code that was used, or is ten minutes old, or was shown before a passphrase was set",
		want: askedAgain, in: func(o *options) { o.codes = true },
		by: func(h *house) {
			p := h.program()
			g := p.page()
			used := h.code()
			h.worked("once", g.types(used))
			g = p.page()
			h.refused("twice", g.types(used))
			old := h.code()
			h.pass(10 * time.Minute)
			h.refused("late", g.types(old))
			g = p.page()
			left := h.code()
			if err := h.db.SetPassphrase(h.Context(), cheapHash()); err != nil {
				h.Fatal(err)
			}
			h.refused("with a passphrase", g.types(left))
			h.worked("the passphrase", p.page().types(passphrase))
		},
	}, {
		name: "code_race", tries: "one one-time code for many clients at once",
		want: askedAgain, so: "one of them gets in", in: func(o *options) { o.codes = true },
		by: func(h *house) {
			pages := make([]*page, 5)
			for i := range pages {
				pages[i] = h.program().page()
			}
			code := h.code()
			replies := make([]reply, len(pages))
			var all sync.WaitGroup
			for i, g := range pages {
				all.Go(func() { replies[i] = g.types(code) })
			}
			all.Wait()
			in := 0
			h.look()
			for _, r := range replies {
				if r.status == http.StatusOK {
					in++
					h.worked("one", r)
				} else {
					h.refused("another", r)
				}
			}
			if in != 1 {
				h.Errorf("%d got in", in)
			}
		},
	}, {
		name: "code_flood", tries: "having the owner's terminal flooded with codes and names that are not what they seem",
		want: want{400, onPage}, so: "ten at most for a code, each in one line", in: func(o *options) { o.codes = true },
		by: func(h *house) {
			for i := range 30 {
				p := h.register(map[string]any{"client_name": fmt.Sprintf("a\r\n\x1b[2Jmcpstore: type this code: 0000-%04d\u202e", i), "redirect_uris": []string{clientRedirect}})
				p.page()
			}
			h.refused("by a request that is wrong", h.program().asks("redirect_uri", "https://evil.example"))
			h.mu.Lock()
			defer h.mu.Unlock()
			if len(h.notices) > 10 {
				h.Errorf("%d were shown", len(h.notices))
			}
			for _, n := range h.notices {
				if strings.ContainsAny(n.Client, "\r\n\x1b\u202e") {
					h.Errorf("shown as %q", n.Client)
				}
			}
		},
	},
}}
