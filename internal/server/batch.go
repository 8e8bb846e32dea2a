package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Bounds of a batch.
const (
	maxBatch     = 20               // messages
	batchTimeout = 30 * time.Second // for all of them, well within the time for writing the answer
)

// isBatch reports whether the body of a request is a batch of messages.
func isBatch(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '['
}

// takesBatches reports whether a request may be a batch: in the revision
// 2025-03-26, which demands it and sends no header yet.
func takesBatches(h http.Header) bool {
	revision := h.Get(mcp.HeaderProtocolVersion)
	return revision == "" || revision == mcp.ProtocolVersion20250326
}

// readBatch returns the messages of a batch, which may be anything yet.
func readBatch(body []byte) ([][]byte, *failure) {
	var messages [][]byte
	r := reader{data: body}
	r.space()
	r.enter()
	if r.space(); r.pos < len(body) && body[r.pos] == ']' {
		return nil, invalidRequest(fmt.Sprintf("batches must hold 1 to %d messages", maxBatch))
	}
	for more := true; more; {
		if len(messages) == maxBatch {
			return nil, invalidRequest(fmt.Sprintf("batches must hold 1 to %d messages; send the rest in another one", maxBatch))
		}
		r.space()
		start := r.pos
		if !r.value(&anything) {
			return nil, r.bad
		}
		messages = append(messages, body[start:r.pos])
		var ok bool
		if more, ok = r.next(']'); !ok {
			return nil, r.bad
		}
	}
	if r.space(); r.pos < len(body) {
		r.stop("there is more after the batch")
		return nil, r.bad
	}
	return messages, nil
}

// answerBatch answers the messages of a batch, in their order, by an array.
// Each counts as a request of its own does; where one may not be sent, or is
// one too many for now, none is answered.
func (s *Server) answerBatch(a *answer, r *http.Request, body []byte) {
	a.call.method = "batch"
	bodies, f := readBatch(body)
	if f != nil {
		a.fail(nil, f)
		return
	}
	messages := make([]message, len(bodies))
	failures := make([]*failure, len(bodies))
	for i, body := range bodies {
		messages[i], failures[i] = readMessage(body)
		if messages[i].method == string(mcp.MethodInitialize) {
			a.fail(nil, invalidRequest("initialize must not be in a batch; send it alone"))
			return
		}
		if failures[i] == nil {
			failures[i] = checkRevision(r.Header, messages[i].method)
		}
	}
	for range len(messages) - 1 { // the request itself was counted as it came
		if s.authenticate(a, a, r) == nil {
			return
		}
	}
	for i, m := range messages {
		if failures[i] == nil && !s.authorize(a, r, m) {
			return
		}
	}

	ctx, cancel := context.WithTimeout(r.Context(), batchTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	a.Header()["Cache-Control"] = headerNoStore
	a.Header()["Content-Type"] = headerJSON
	separator := "["
	for i, m := range messages {
		one := s.answerOne(r, m, failures[i])
		if one == nil {
			continue
		}
		// Each is sent at once: all together may be large.
		_, _ = a.Write([]byte(separator))
		_, _ = a.Write(one)
		separator = ","
	}
	if a.status == 0 {
		a.Header().Del("Content-Type")
		a.WriteHeader(http.StatusAccepted)
		return
	}
	_, _ = a.Write([]byte("]\n"))
}

// answerOne returns the answer to one message of a batch, nil for one that
// wants none. If f is not nil, that is what is wrong with it.
func (s *Server) answerOne(r *http.Request, m message, f *failure) []byte {
	wants := m.id != nil || f != nil && !strings.HasPrefix(m.method, "notifications/")
	answer := element{header: make(http.Header)}
	switch {
	case f != nil:
	case r.Context().Err() != nil:
		f = errBatchLate
	default:
		if s.handle(&answer, r, m); answer.status == 0 {
			f = errCancelled
		}
	}
	switch {
	case !wants:
		return nil
	case f != nil:
		return f.encode(m.id)
	}
	return bytes.TrimSpace(answer.body.Bytes())
}

// element is the answer to one message of a batch. It implements mcp-go's
// HTTPResponseWriter.
type element struct {
	header http.Header
	status int // 0 before there is an answer
	body   bytes.Buffer
}

func (e *element) Header() http.Header         { return e.header }
func (e *element) WriteHeader(status int)      { e.status = status }
func (e *element) Write(b []byte) (int, error) { return e.body.Write(b) }
func (e *element) Flush()                      {}
func (e *element) CanStream() bool             { return false }
