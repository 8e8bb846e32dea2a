package openaitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Transcript returns what went over the wire so far, to OpenAI and from there
// to MCP servers and back: for each message a line that says what it is, its
// headers that matter, and its JSON, indented, with the names in order.
func (s *Server) Transcript() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire.String()
}

// record adds a message to the transcript.
func (s *Server) record(head string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire.WriteString(head)
	if len(body) > 0 {
		s.wire.Write(indented(body))
		s.wire.WriteByte('\n')
	}
	s.wire.WriteByte('\n')
}

// recordRequest adds a request to an MCP server, without its secrets.
func (s *Server) recordRequest(r *http.Request, body []byte) {
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s\n", r.Method, r.URL)
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "Authorization" {
			value = "Bearer …"
		}
		fmt.Fprintf(&head, "%s: %s\n", name, value)
	}
	s.record(head.String(), body)
}

func indented(body []byte) []byte {
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return bytes.TrimSpace(body)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(v) != nil {
		return bytes.TrimSpace(body)
	}
	return bytes.TrimSpace(out.Bytes())
}
