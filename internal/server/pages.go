package server

import "net/http"

// Pages shows what the stock holds to people.
type Pages interface {
	// Resource returns the URI of the resource that is shown at a path, ""
	// where nothing is.
	Resource(path string) string

	// ServeHTTP answers GET and HEAD of such a path, for whom Access let in.
	http.Handler

	// Refused answers those whom it did not let in. The headers that say how
	// to be let in are there already.
	Refused(w http.ResponseWriter, r *http.Request, status int)
}

// serveStock shows the page of a resource to those who may read it.
func (s *Server) serveStock(a *answer, r *http.Request, resource string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		a.notAllowed("GET, HEAD", "this is a page: read it by GET")
		return
	}
	refuse := &refusal{answer: a, refuse: func(status int) { s.config.Pages.Refused(a, r, status) }}
	known := s.authenticate(a, refuse, r)
	if known == nil || s.config.Access != nil && !s.config.Access.Authorize(refuse, known, "resources/read", resource) {
		return
	}
	s.config.Pages.ServeHTTP(a, known)
}

// refusal has a page shown in the place of a protocol's refusal, with the same
// status and headers.
type refusal struct {
	*answer
	refuse func(status int)
}

func (f *refusal) WriteHeader(status int) {
	for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
		f.Header().Del(name)
	}
	f.refuse(status)
}

func (f *refusal) Write(p []byte) (int, error) {
	if f.status == 0 {
		f.WriteHeader(http.StatusOK)
	}
	return len(p), nil
}

// serveChallenge tells OpenAI's portal that this domain is its user's. What
// knows the path needs no leave: the token is public.
func (s *Server) serveChallenge(a *answer, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		a.notAllowed("GET, HEAD", "read the token by GET")
		return
	}
	a.Header().Set("Content-Type", "text/plain; charset=utf-8")
	a.Header()["Cache-Control"] = headerNoStore
	a.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = a.Write([]byte(s.config.Challenge))
	}
}
