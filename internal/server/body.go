package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// A request takes one of the places only once its body is there: clients that
// promise one and send nothing wait apart from the rest.
const (
	smallBody = 64 << 10 // bytes; what is larger needs one of the few places for large bodies
	maxLarge  = 8        // large bodies in memory at once

	maxAwaited     = 1024 // bodies that are waited for
	maxAwaitedFrom = 256  // likewise, from one address

	// bodyPatience is how long a body may take; a large one takes twice that.
	bodyPatience = 5 * time.Second
	// crowdedPatience is how long one may take that is too many to wait for:
	// long enough for what was sent together with its header.
	crowdedPatience = 250 * time.Millisecond
)

// awaited counts the requests whose bodies have not arrived yet.
type awaited struct {
	mu    sync.Mutex
	total int
	from  map[netip.Addr]int
}

// add counts one more from addr, or reports false where that is one too many.
func (w *awaited) add(addr netip.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.total >= maxAwaited || w.from[addr] >= maxAwaitedFrom {
		return false
	}
	if w.from == nil {
		w.from = make(map[netip.Addr]int)
	}
	w.total++
	w.from[addr]++
	return true
}

// remove counts one less from addr.
func (w *awaited) remove(addr netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total--
	if w.from[addr]--; w.from[addr] == 0 {
		delete(w.from, addr)
	}
}

// clientAddress returns the address that a request is counted for.
func (s *Server) clientAddress(r *http.Request) netip.Addr {
	if s.config.Address != nil {
		return s.config.Address(r)
	}
	return peer(r)
}

// hasBody reports whether a body comes with the request.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 && r.Body != http.NoBody }

// body reads the body of a request, of at most limit bytes. The request must
// not hold a place yet. One with a large body holds one of the places for these
// until it is answered.
func (s *Server) body(a *answer, r *http.Request, limit int64) ([]byte, *failure) {
	if !hasBody(r) {
		return nil, nil
	}
	if r.ContentLength > limit {
		s.swallow(a, r)
		return nil, tooLarge(limit)
	}
	patience, late := s.bodyPatience, errLate
	switch addr := s.clientAddress(r); {
	case a.late:
		patience, late = crowdedPatience, errStopping
	case s.awaited.add(addr):
		defer s.awaited.remove(addr)
	default:
		patience, late = crowdedPatience, errBusy
	}
	control := http.NewResponseController(a.w)
	// What has no deadlines is a test's.
	_ = control.SetReadDeadline(time.Now().Add(patience))

	size := r.ContentLength
	if size < 0 || size > 4<<10 {
		size = 4 << 10 // what is only promised takes no memory
	}
	body := make([]byte, 0, size)
	limited := http.MaxBytesReader(a.w, r.Body, limit)
	for {
		if len(body) > smallBody && !a.large {
			if a.large = s.takeLarge(2 * patience); !a.large {
				s.swallow(a, r)
				return nil, errBusy
			}
			_ = control.SetReadDeadline(time.Now().Add(2 * patience))
			body = slices.Grow(body, max(int(r.ContentLength)-len(body), 0))
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			// What is left of the body cannot be told from the next request.
			a.Header().Set("Connection", "close")
			switch {
			case errors.As(err, new(*http.MaxBytesError)):
				return nil, tooLarge(limit)
			case errors.Is(err, os.ErrDeadlineExceeded):
				return nil, late
			}
			return nil, errBadBody
		}
	}
}

// takeLarge takes a place for a large body, or reports false where there is
// none for so long.
func (s *Server) takeLarge(patience time.Duration) bool {
	select {
	case s.large <- struct{}{}:
		return true
	default:
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case s.large <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	}
}

// swallow reads a part of a body that is refused, for a moment: many clients
// look for an answer only once they have sent it all.
func (s *Server) swallow(a *answer, r *http.Request) {
	a.Header().Set("Connection", "close")
	if r.Header.Get("Expect") != "" {
		return // the client waits for the answer
	}
	_ = http.NewResponseController(a.w).SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = io.CopyN(io.Discard, r.Body, 8*s.config.MaxBody)
}

func tooLarge(limit int64) *failure {
	return &failure{status: http.StatusRequestEntityTooLarge, code: codeTransport,
		message: fmt.Sprintf("the body is larger than %d bytes", limit)}
}

// received is the body of a request that was read, or what was wrong with it.
type received struct {
	*bytes.Reader
	failure *failure
}

// receive reads the body of a request that is not a message, so that what
// serves it does not wait for it. It reports false where it has answered.
func (s *Server) receive(a *answer, r *http.Request) bool {
	if !hasBody(r) {
		return true
	}
	body, f := s.body(a, r, smallBody)
	if f == errLate || f == errBusy || f == errStopping {
		a.refuse(f)
		return false
	}
	r.Body = received{bytes.NewReader(body), f}
	return true
}

// Read fails where the body could not be read.
func (b received) Read(p []byte) (int, error) {
	if b.failure != nil {
		return 0, errors.New(b.failure.message)
	}
	return b.Reader.Read(p)
}

// Close does nothing.
func (received) Close() error { return nil }
