package access_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
)

var (
	overloaded = want{503, "-32000"}
	failedCall = want{200, ""} // a failed result, which only a model reads
)

var overloadAttacks = area{"overload", "Filling the server", []attack{
	{
		name: "promises", tries: "connections that promise a body and send none of it, to the endpoint and to the paths of signing in",
		want: overloaded, so: "beyond 256 of one address, with Retry-After; requests that are there are answered meanwhile",
		by: func(h *house) {
			key := h.key()
			const most, more = 256, 8
			refused := make(chan reply, most+more)
			paths := []string{"/mcp", "/token", "/register", "/"}
			for i := range most + more {
				conn, err := net.Dial("tcp", h.addr)
				if err != nil {
					h.Fatal(err)
				}
				h.Cleanup(func() { conn.Close() })
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{", paths[i%len(paths)], h.from, key)
				go func() {
					resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						return // the test is over
					}
					defer resp.Body.Close()
					body := make([]byte, 1000)
					n, _ := resp.Body.Read(body)
					refused <- reply{resp.StatusCode, resp.Header, string(body[:n])}
				}()
			}
			for range more {
				r := <-refused
				h.refused("one too many", r)
				if r.header.Get("Retry-After") == "" {
					h.Errorf("no Retry-After: %v", r)
				}
			}
			h.worked("a call", h.ask(key))
			h.program()
		},
	}, {
		name: "arguments", tries: "arguments of hundreds of thousands of values, which take far more memory than they are long, as themselves or in a string",
		want: failedCall, so: "in words for a model; they are counted and not decoded",
		by: func(h *house) {
			key := h.key()
			many := `{"product":[{}` + strings.Repeat(",{}", 150_000) + `]}`
			inside := `{"product":` + strings.Repeat(`{"a":`, 20) + "0" + strings.Repeat("}", 20) + strings.Repeat(`,"b":0`, 3000) + "}"
			for name, arguments := range map[string]string{"an array": many, "an object": inside, "in a string": quote(inside), "a long text": `{"product":"` + strings.Repeat("x", 100_000) + `"}`} {
				r := h.tool(key, "check_stock", arguments)
				h.refused(name, r)
				if !r.isError() {
					h.Errorf("%s: %v", name, r)
				}
			}
			for _, c := range h.audited("refused arguments") {
				if c.Outcome != "invalid_argument" || len(c.Arguments) > 100 {
					h.Errorf("audited as %+v", c)
				}
			}
			h.worked("as a string, but small", h.tool(key, "check_stock", quote(`{"product":"茶葉蛋","store":"koko-xinyi"}`)))
		},
	},
}}
