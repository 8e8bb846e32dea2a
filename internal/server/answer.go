package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Header values that most answers have. They are shared, and never changed.
var (
	headerNoSniff = []string{"nosniff"}
	headerNoStore = []string{"no-store"}
	headerJSON    = []string{"application/json"}
)

// answer is the answer to one request. It implements mcp-go's
// HTTPResponseWriter.
type answer struct {
	w      http.ResponseWriter
	start  time.Time
	status int   // 0 before the header is written
	bytes  int64 // of the body
	call   message
	caller string // who called; "" where nobody is known
	ended  string // why a listen did; "" for what is no listen
	late   bool   // the request came after the server began to stop
	large  bool   // the request holds a place for large bodies
	reads  bool   // the caller is a page that may read and not change anything
}

func (a *answer) Header() http.Header { return a.w.Header() }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.w.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.w.Write(p)
	a.bytes += int64(n)
	return n, err
}

// Flush does nothing, as CanStream says.
func (a *answer) Flush() {}

// CanStream keeps mcp-go from making an answer a stream of events: every
// message but a listen is answered by one JSON document.
func (a *answer) CanStream() bool { return false }

// text answers in plain text.
func (a *answer) text(status int, text string) {
	a.Header().Set("Content-Type", "text/plain; charset=utf-8")
	a.Header()["Cache-Control"] = headerNoStore
	a.WriteHeader(status)
	_, _ = io.WriteString(a, text+"\n")
}

// failure is a JSON-RPC error and the HTTP status that goes with it.
type failure struct {
	status  int
	code    int
	message string
	data    any // if nil, none
}

// codeTransport is for what is wrong with the HTTP request rather than with
// the message in it.
const codeTransport = -32000

// Failures that are always the same.
var (
	errBusy      = &failure{status: http.StatusServiceUnavailable, code: codeTransport, message: "too many requests at once; try again in a second"}
	errStopping  = &failure{status: http.StatusServiceUnavailable, code: codeTransport, message: "the server is stopping; try again once it is back"}
	errOffline   = &failure{status: http.StatusServiceUnavailable, code: codeTransport, message: "not online yet; try again in a second"}
	errBatchLate = &failure{status: http.StatusServiceUnavailable, code: codeTransport, message: "not done: the messages before it in the batch took too long; send it again"}
	errLate      = &failure{status: http.StatusRequestTimeout, code: codeTransport, message: "the body did not arrive in time"}
	errBadBody   = &failure{status: http.StatusBadRequest, code: mcp.PARSE_ERROR, message: "the body ends early or is badly framed"}
	errCancelled = &failure{status: http.StatusServiceUnavailable, code: mcp.REQUEST_INTERRUPTED, message: "the connection was closed before there was an answer"}
	errInternal  = &failure{status: http.StatusInternalServerError, code: mcp.INTERNAL_ERROR, message: "internal error; other requests work"}
)

// fail answers with a JSON-RPC error. The id is JSON; if nil, null.
func (a *answer) fail(id json.RawMessage, f *failure) {
	body := f.encode(id)
	a.Header()["Content-Type"] = headerJSON
	a.Header()["Cache-Control"] = headerNoStore
	a.WriteHeader(f.status)
	_, _ = a.Write(append(body, '\n'))
}

// encode returns the JSON-RPC error. The id is JSON; if nil, null.
func (f *failure) encode(id json.RawMessage) []byte {
	type details struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}
	body, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   details         `json:"error"`
	}{mcp.JSONRPC_VERSION, id, details{f.code, f.message, f.data}})
	if err != nil {
		panic(err) // an id that readMessage should not have let through
	}
	return body
}

// refuse answers a request that is not looked into.
func (a *answer) refuse(f *failure) {
	if f.status == http.StatusServiceUnavailable {
		a.Header().Set("Retry-After", "1")
		a.Header().Set("Connection", "close")
	}
	a.fail(nil, f)
}

// notAllowed answers a request of a method that the path does not have.
func (a *answer) notAllowed(allow, message string) {
	a.Header().Set("Allow", allow)
	a.fail(nil, &failure{status: http.StatusMethodNotAllowed, code: codeTransport, message: message})
}

// done is deferred: it makes a panic a failed request, and logs the request.
func (s *Server) done(a *answer, r *http.Request) {
	v := recover()
	if a.large {
		<-s.large
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	if v != nil {
		s.log.ErrorContext(r.Context(), "panic while serving a request",
			"method", r.Method, "path", clip(r.URL.Path), "panic", v, "stack", string(debug.Stack()))
	}
	switch {
	case v == nil:
	case a.status == 0:
		a.fail(a.call.id, errInternal)
	default:
		// Half an answer must not look like a whole one.
		defer panic(http.ErrAbortHandler)
	}
	s.logRequest(a, r)
}

// levelRequest keeps requests out of the log unless they are asked for.
const levelRequest = slog.LevelDebug

// logRequest logs what was asked without what may be secret: the query,
// headers and bodies.
func (s *Server) logRequest(a *answer, r *http.Request) {
	ctx := r.Context()
	if !s.log.Enabled(ctx, levelRequest) {
		return
	}
	attrs := []any{
		"method", r.Method, "path", clip(r.URL.Path), "status", a.status,
		"ms", float64(time.Since(a.start).Microseconds()) / 1000, "bytes", a.bytes,
	}
	if a.call.method != "" {
		attrs = append(attrs, "rpc", clip(a.call.method))
	}
	if a.caller != "" {
		attrs = append(attrs, "caller", clip(a.caller))
	}
	if a.ended != "" {
		attrs = append(attrs, "ended", a.ended)
	}
	s.log.Log(ctx, levelRequest, "request", attrs...)
}

// clip shortens what a caller chose so that it cannot fill the log.
func clip(s string) string { return clipTo(s, 100) }

// clipTo shortens s to about so many bytes.
func clipTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
