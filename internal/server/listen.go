package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Bounds of one listen.
const (
	maxListenURIs  = 100
	maxListenBytes = 64 << 10 // of its message, which stays in memory as long as it lasts
)

// How long a listen waits.
const (
	listenPulse    = 25 * time.Second       // between signs of life: idle proxies hang up after 30 to 60
	listenPatience = 10 * time.Second       // for a client that does not read
	listenGoodbye  = 100 * time.Millisecond // likewise, once the listen has ended
)

// Why the server ends a listen.
var (
	errListenStopped = errors.New("the server is stopping")
	errListenRefused = errors.New("the caller may no longer listen")
)

// listen answers subscriptions/listen with a stream of events that lasts until
// the client leaves, or no longer reads or may, or the server stops. It is counted
// apart from other requests, which many listens would otherwise keep out.
func (s *Server) listen(a *answer, r *http.Request, body []byte) {
	n := s.listens.Add(1)
	defer s.listens.Add(-1)
	if limit := s.config.MaxListens; n > int64(limit) {
		a.Header().Set("Retry-After", "30")
		a.fail(a.call.id, &failure{status: http.StatusServiceUnavailable, code: codeTransport,
			message: fmt.Sprintf("there are %d listens already, which is all this server takes; try again later, or read again instead", limit)})
		return
	}
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	e := &events{answer: a, ctx: ctx, end: end, patience: s.patience, holds: func() bool { return s.holds(r) }}
	defer e.close()
	stop := context.AfterFunc(s.stopping, func() { e.stop(errListenStopped) })
	defer stop()
	go e.keepAlive(s.pulse)

	s.mcp.Handle(e, &mcpserver.HTTPRequest{
		Method:  r.Method,
		Header:  r.Header,
		Body:    body,
		Context: ctx,
	})
	e.finish()
	if a.status == 0 {
		a.fail(a.call.id, errCancelled)
	}
}

// events is an answer that becomes a stream of server-sent events where
// mcp-go makes it one. Each Write is one event, and is on its way when Write
// returns. One that fails ends the stream.
type events struct {
	*answer
	ctx      context.Context // of the listen
	end      context.CancelCauseFunc
	patience time.Duration // for one write
	holds    func() bool   // whether the caller still may

	mu     sync.Mutex // held while writing
	stream bool       // the header says so
	begun  bool       // the acknowledgement is out
	early  []byte     // what mcp-go sent before it
	closed bool       // nobody reads any longer, or the request is over
}

// CanStream overrides answer's.
func (e *events) CanStream() bool { return true }

func (e *events) WriteHeader(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	h := e.Header()
	if h.Get("Content-Type") == "text/event-stream" {
		e.stream = true
		h["Cache-Control"] = headerNoStore
		h.Set("X-Accel-Buffering", "no") // or nginx collects events until it has a page of them
	}
	e.answer.WriteHeader(status)
}

// acknowledged is in the event that clients must get first.
var acknowledged = []byte(`"method":"` + mcp.MethodNotificationSubscriptionsAcknowledged + `"`)

// Write never reports an error: mcp-go would log it, and each client that
// leaves in the middle of an event is one.
func (e *events) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
	case !e.stream:
		return e.answer.Write(p)
	case e.begun && !e.holds():
		e.end(errListenRefused)
	case e.begun:
		e.send(p)
	case bytes.Contains(p, acknowledged):
		e.begun = true
		e.send(append(p[:len(p):len(p)], e.early...))
		e.early = nil
	default:
		e.early = append(e.early, p...)
	}
	return len(p), nil
}

// send writes p to the client, with e.mu held.
func (e *events) send(p []byte) {
	e.wait(e.patience)
	if e.ctx.Err() != nil {
		e.wait(listenGoodbye) // asked after the longer wait began, lest that outlast a stop
	}
	_, err := e.answer.Write(p)
	if err == nil {
		err = http.NewResponseController(e.w).Flush()
	}
	if err != nil {
		e.closed = true
		if errors.Is(err, os.ErrDeadlineExceeded) {
			e.ended = "the client does not read"
		}
		e.end(err)
	}
}

// wait sets how long writing may take from now on, in place of the time that
// the whole answer would have.
func (e *events) wait(d time.Duration) {
	// What has no deadlines is a test's.
	_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(d))
}

// stop ends the listen from this side.
func (e *events) stop(why error) {
	e.end(why)
	e.wait(listenGoodbye) // ends a write that nobody reads
}

// keepAlive writes comments, so that a proxy does not take the stream for dead
// and a client that is gone shows, until the listen ends. It ends the listen
// of a caller who no longer holds.
func (e *events) keepAlive(every time.Duration) {
	pulse := time.NewTicker(every)
	defer pulse.Stop()
	for {
		select {
		case <-pulse.C:
			if !e.holds() {
				e.stop(errListenRefused)
				return
			}
			e.mu.Lock()
			if e.begun && !e.closed {
				e.send([]byte(": still here\n\n"))
			}
			e.mu.Unlock()
		case <-e.ctx.Done():
			return
		}
	}
}

// finish ends a stream that the server ends as the protocol has it: with the
// result, which tells an end from a broken connection. And it says for the log
// why the listen ended.
func (e *events) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.call.id
	switch cause := context.Cause(e.ctx); {
	case e.ended != "" || !e.stream:
	case cause == nil:
		e.ended = "there is nothing to listen to"
		if !e.begun { // mcp-go's result has overtaken its acknowledgement, which is lost
			ack := fmt.Appendf(nil, "event: message\ndata: {\"jsonrpc\":%q,\"method\":%q,\"params\":{\"_meta\":{%q:%s},\"notifications\":{}}}\n\n",
				mcp.JSONRPC_VERSION, mcp.MethodNotificationSubscriptionsAcknowledged, mcp.MetaKeySubscriptionID, id)
			e.send(append(ack, e.early...))
		}
	case cause != errListenStopped && cause != errListenRefused:
		e.ended = "the client left"
	default:
		e.ended = cause.Error()
		if e.begun && !e.closed {
			e.send(fmt.Appendf(nil, "event: message\ndata: {\"jsonrpc\":%q,\"id\":%s,\"result\":{\"resultType\":%q,\"_meta\":{%q:%s}}}\n\n",
				mcp.JSONRPC_VERSION, id, mcp.ResultTypeComplete, mcp.MetaKeySubscriptionID, id))
		}
	}
}

// close keeps what mcp-go may yet write out of an answer that is over.
func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}
