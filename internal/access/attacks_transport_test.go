package access_test

import (
	"fmt"
	"strings"
)

// post is a request to the endpoint as bytes, with header lines and a body as
// they are.
func post(body string, lines ...string) string {
	return "POST /mcp HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 198.51.100.1\r\nContent-Type: application/json\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// smuggled is a call without a token, such as the attacker would hide in a body.
var smuggled = post(checkEggs, fmt.Sprint("Content-Length: ", len(checkEggs)), "Connection: close")

// framed tries requests whose end is not clear, each with another one hidden in
// it, over a connection of its own. None of the answers may be a call's.
func framed(name, tries, so string, w want, requests func(auth string) []string) attack {
	return attack{name: name, tries: tries, want: w, so: so, by: func(h *house) {
		auth := "Authorization: Bearer " + h.key()
		for _, request := range requests(auth) {
			replies := h.raw(request)
			if len(replies) != 1 {
				h.Errorf("%q: %d answers, want 1", request, len(replies))
			}
			for _, r := range replies {
				h.refused(fmt.Sprintf("%q", request), r)
			}
		}
		chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(checkEggs), checkEggs)
		h.worked("by its length", h.raw(post(checkEggs, auth, fmt.Sprint("Content-Length: ", len(checkEggs)), "Connection: close"))[0])
		h.worked("in chunks", h.raw(post(chunks, auth, "Transfer-Encoding: chunked", "Connection: close"))[0])
	}}
}

var transportAttacks = area{"transport", "Requests that are not what they seem", []attack{
	framed("two_lengths", "two lengths that differ, or one that is no number", "the connection ends, and the hidden request with it", want{400, ""}, func(auth string) []string {
		var list []string
		for _, lines := range []string{"Content-Length: 2\r\nContent-Length: 5", "Content-Length: 2, 5", "Content-Length: +2", "Content-Length: -1", "Content-Length: 0x2", "Content-Length: 2 ", "Content-Length: 1e1", "Content-Length: 2;x", "Content-Length: 99999999999999999999", "Content-Length: ٢"} {
			if strings.HasSuffix(lines, "2 ") {
				continue // a space at the end is no part of a value
			}
			list = append(list, post("{}"+smuggled, auth, lines))
		}
		return list
	}),
	framed("odd_encoding", "a Transfer-Encoding that some take for chunked and others do not", "the connection ends, and the hidden request with it", want{501, ""}, func(auth string) []string {
		var list []string
		for _, line := range []string{"Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: ", "Transfer-Encoding: chunked,"} {
			list = append(list, post("0\r\n\r\n"+smuggled, auth, "Content-Length: 5", line))
		}
		return list
	}),
	framed("odd_header", "headers that are folded, have a space before the colon, a NUL, a bare CR, or no name", "the connection ends, and the hidden request with it", want{400, ""}, func(auth string) []string {
		var list []string
		for _, line := range []string{"Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Transfer\x00-Encoding: chunked", "Transfer-Encoding: chu\x00nked", "Transfer-Encoding: chunked\rX: y", "X\rTransfer-Encoding: chunked", ": chunked", "Transfer-Encoding", "X: y\x0bTransfer-Encoding: chunked", "Tränsfer: chunked", "X: \x7f"} {
			list = append(list, post("0\r\n\r\n"+smuggled, auth, "Content-Length: 5", line))
		}
		return list
	}),
	framed("bad_chunks", "chunks whose sizes are none, do not fit, or are beyond numbers", "the connection ends, and the hidden request with it", want{400, "-32700"}, func(auth string) []string {
		var list []string
		for _, chunks := range []string{"x\r\n", "-1\r\n{}\r\n", "0x2\r\n{}\r\n", "2\r\n{}{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "2 2\r\n{}\r\n", "+2\r\n{}\r\n", "2\r\n{}XX0\r\n\r\n", "2;" + strings.Repeat("x", 8<<10) + "\r\n{}\r\n"} {
			list = append(list, post(chunks+smuggled, auth, "Transfer-Encoding: chunked"))
		}
		return list
	}),
	{
		name: "both_lengths", tries: "a Content-Length and chunks at once, with a second request after what one of them says is the end",
		want: noToken, so: "what follows is a request of its own, which brings no token",
		by: func(h *house) {
			auth := "Authorization: Bearer " + h.key()
			for what, request := range map[string]string{
				"CL.TE":               post("0\r\n\r\n"+smuggled, auth, fmt.Sprint("Content-Length: ", 5+len(smuggled)), "Transfer-Encoding: chunked"),
				"TE.CL":               post("0\r\n\r\n"+smuggled, auth, "Transfer-Encoding: chunked", "Content-Length: 4"),
				"a length of nothing": post(smuggled, auth, "Content-Length: 0"),
				"no length":           post(smuggled, auth),
				"a body of GET":       strings.Replace(post(smuggled, auth, "Content-Length: 0"), "POST", "GET", 1),
			} {
				replies := h.raw(request)
				if len(replies) != 2 || replies[0].status < 400 {
					h.Fatalf("%s: %d answers: %v", what, len(replies), replies)
				}
				h.refused(what, replies[1])
			}
			h.worked("one after the other", h.raw(post(checkEggs, auth, fmt.Sprint("Content-Length: ", len(checkEggs))) + smuggled)[0])
		},
	}, {
		name: "trailers", tries: "a token in the trailers, after the body",
		want: noToken,
		by: func(h *house) {
			auth := "Authorization: Bearer " + h.key()
			body := fmt.Sprintf("%x\r\n%s\r\n0\r\n", len(checkEggs), checkEggs)
			h.refused("announced", h.raw(post(body+auth+"\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: Authorization", "Connection: close"))[0])
			h.refused("not announced", h.raw(post(body+auth+"\r\n\r\n", "Transfer-Encoding: chunked", "Connection: close"))[0])
			h.worked("in the header", h.raw(post(body+"\r\n", auth, "Transfer-Encoding: chunked", "Connection: close"))[0])
		},
	}, {
		name: "hop_by_hop", tries: "having Authorization, or the edge's headers, dropped on the way by naming them in Connection",
		want: noToken, so: "the request is nobody's then, and never somebody else's",
		by: func(h *house) {
			key := h.key()
			h.refused("no token", h.message(checkEggs, "Connection", "close, Authorization, X-Forwarded-For"))
			h.refused("empty", h.message(checkEggs, "Connection", "Authorization", "Proxy-Authorization", "Bearer "+key))
			h.worked("with one", h.ask(key))
		},
	}, {
		name: "oversized_headers", tries: "headers, a path or a token of more than 32 KiB, or thousands of headers",
		want: want{431, ""},
		by: func(h *house) {
			auth := "Authorization: Bearer " + h.key()
			many := strings.Repeat("X: y\r\n", 10000)
			h.refused("one", h.raw(post("", auth, "X: "+strings.Repeat("y", 64<<10), "Connection: close"))[0])
			h.refused("many", h.raw(post("", auth, many+"Connection: close"))[0])
			h.refused("path", h.raw("GET /" + strings.Repeat("y", 64<<10) + " HTTP/1.1\r\nHost: shop.example\r\n\r\n")[0])
			h.refused("token", h.raw(post("", "Authorization: Bearer "+strings.Repeat("m", 64<<10), "Connection: close"))[0])
			h.refused("cookies", h.raw(post("", auth, "Cookie: "+strings.Repeat("a=b; ", 15<<10), "Connection: close"))[0])
			h.worked("within bounds", h.raw(post(checkEggs, auth, "X: "+strings.Repeat("y", 20<<10), fmt.Sprint("Content-Length: ", len(checkEggs)), "Connection: close"))[0])
		},
	}, {
		name: "oversized_body", tries: "a body of more than 1 MiB, said or not, or squeezed so that it becomes one",
		want: want{413, "-32000"},
		by: func(h *house) {
			key := h.key()
			large := checkEggs + strings.Repeat(" ", 1<<20)
			h.refused("said", h.message(large, bearer(key)...))
			h.refused("in chunks", h.raw(post(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large), "Authorization: Bearer "+key, "Transfer-Encoding: chunked", "Connection: close"))[0])
			if r := h.message("\x1f\x8b\x08", append(bearer(key), "Content-Encoding", "gzip")...); r.status != 415 {
				h.Errorf("squeezed: %d", r.status)
			}
			h.worked("within bounds", h.ask(key))
		},
	}, {
		name: "other_protocols", tries: "HTTP/2 without TLS, a TLS handshake, WebSocket, CONNECT, HTTP/0.9 and 9.9",
		want: want{400, ""}, so: "the connection ends",
		by: func(h *house) {
			for _, bytes := range []string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1 x\r\nHost: shop.example\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HELO evil\r\n\r\n", "* OK\r\n\r\n", "\r\n\r\n\r\n", "GET http://[::1 HTTP/1.1\r\nHost: shop.example\r\n\r\n"} {
				for _, r := range h.raw(bytes) {
					h.refused(fmt.Sprintf("%.20q", bytes), r)
				}
			}
			if r := h.raw("CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"); len(r) != 1 || r[0].status < 400 {
				h.Errorf("CONNECT: %v", r)
			}
			if r := h.raw("GET /mcp HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n"); len(r) != 1 || r[0].status != 401 {
				h.Errorf("WebSocket: %v", r)
			}
			if r := h.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); len(r) > 0 && r[0].status < 400 {
				h.Errorf("HTTP/2: %v", r)
			}
			h.worked("HTTP/1.1", h.ask(h.key()))
		},
	},
}}
