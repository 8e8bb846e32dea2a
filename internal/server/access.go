package server

import (
	"fmt"
	"net/http"
)

// Access says who may call, and what they may do. Whoever it refuses, it has
// answered; what it writes has the headers by which pages may read it already.
type Access interface {
	// Admit looks at where a request comes from, for every path but /healthz
	// and /readyz, after the checks of Host and Origin. It returns r with what
	// it found in its context; or it answers, be it for one of its own paths,
	// and returns nil.
	Admit(w http.ResponseWriter, r *http.Request) *http.Request

	// Authenticate finds out who calls the endpoint, before the body is read.
	// It returns r with the caller in its context; or it answers, and returns
	// nil.
	Authenticate(w http.ResponseWriter, r *http.Request) *http.Request

	// Authorize reports whether the caller may send a message of this method
	// about the tool, prompt or resource of this name; if not, it has answered.
	Authorize(w http.ResponseWriter, r *http.Request, method, name string) bool

	// Holds reports whether the caller of a long request still may.
	Holds(r *http.Request) bool

	// Caller returns by what the log knows the caller whom Authenticate found,
	// "" for whoever is not known. It is no secret.
	Caller(r *http.Request) string
}

// authenticate returns r with the caller in its context, or nil if they were
// answered, by refuse.
func (s *Server) authenticate(a *answer, refuse http.ResponseWriter, r *http.Request) *http.Request {
	if s.config.Access == nil {
		return r
	}
	r = s.config.Access.Authenticate(refuse, r)
	if r != nil {
		a.caller = s.config.Access.Caller(r)
	}
	return r
}

// enter returns r with what Access found about where it comes from in its
// context, or nil if it was answered.
func (s *Server) enter(a *answer, r *http.Request) *http.Request {
	if s.config.Access == nil {
		return r
	}
	return s.config.Access.Admit(a, r)
}

// authorize reports whether the caller may send the message; if not, they were
// answered.
func (s *Server) authorize(a *answer, r *http.Request, m message) bool {
	if a.reads && s.config.Writes != nil && s.config.Writes(m.method, m.name) {
		a.fail(m.id, &failure{status: http.StatusForbidden, code: codeTransport,
			message: fmt.Sprintf("pages of the Origin %q may read here, and not change the stock; allow it with --allow-origin", clip(r.Header.Get("Origin")))})
		return false
	}
	return s.config.Access == nil || s.config.Access.Authorize(a, r, m.method, m.name)
}

// holds reports whether the caller of a long request still may.
func (s *Server) holds(r *http.Request) bool {
	return s.config.Access == nil || s.config.Access.Holds(r)
}
