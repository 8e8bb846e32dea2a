package access_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// send sends a request as it comes from the edge, which appends to
// X-Forwarded-For. Headers come in pairs; a Host is one of them.
func (h *house) send(method, target, body string, headers ...string) reply {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, "http://"+strings.TrimPrefix(*h.url.Load(), "https://")+target, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			r.Host = pair[1]
		} else {
			r.Header[pair[0]] = append(r.Header[pair[0]], pair[1]) // as it is written
		}
	}
	if h.edge {
		if lines := r.Header["X-Forwarded-For"]; len(lines) > 0 {
			lines[len(lines)-1] += ", " + h.from
		} else {
			r.Header.Set("X-Forwarded-For", h.from)
		}
	}
	resp, err := h.client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func (h *house) get(target string, headers ...string) reply {
	h.Helper()
	return h.send(http.MethodGet, target, "", headers...)
}

// form sends a form.
func (h *house) form(target string, values url.Values, headers ...string) reply {
	h.Helper()
	return h.send(http.MethodPost, target, values.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// message sends the endpoint a message.
func (h *house) message(message string, headers ...string) reply {
	h.Helper()
	return h.send(http.MethodPost, "/mcp", message, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// bearer is the header that shows a token.
func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// ask asks with a token how many tea eggs there are.
func (h *house) ask(token string) reply {
	h.Helper()
	return h.message(checkEggs, bearer(token)...)
}

const checkEggs = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"check_stock","arguments":{"product":"茶葉蛋","store":"koko-xinyi"}}}`

// tool calls a tool with a token.
func (h *house) tool(token, name, arguments string) reply {
	h.Helper()
	return h.message(toolCall(name, arguments), bearer(token)...)
}

func toolCall(name, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments)
}

// rpc is a message of a method.
func rpc(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
}

// token makes a token of the owner's, and returns what is shown and kept of it.
func (h *house) token(t store.Token) (string, store.Token) {
	h.Helper()
	text := said.Keep(secret.New(secret.API))
	t.Kind, t.Hash = store.APIToken, store.HashOf(text)
	if t.Name == "" {
		t.Name = fmt.Sprintf("t%x", t.Hash[:6])
	}
	t, err := h.db.AddToken(h.Context(), t)
	if err != nil {
		h.Fatal(err)
	}
	h.look()
	return text, t
}

// key makes a token of the owner's with all scopes.
func (h *house) key() string {
	h.Helper()
	text, _ := h.token(store.Token{Scopes: both})
	return text
}

// raw sends bytes over a connection of its own, and returns what is answered
// until the server hangs up, which the last request should ask for.
func (h *house) raw(bytes string) []reply {
	h.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		h.Fatal(err)
	}
	go io.WriteString(conn, bytes) // the server may answer before it has read all
	var replies []reply
	for in := bufio.NewReader(conn); ; {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				h.Errorf("the server did not hang up after %d answers", len(replies))
			}
			return replies
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		replies = append(replies, reply{resp.StatusCode, resp.Header, string(text)})
	}
}
