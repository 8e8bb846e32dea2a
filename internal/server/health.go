package server

import (
	"context"
	"net/http"
	"time"
)

// readyTime is how long asking whether the server is ready may take.
const readyTime = 5 * time.Second

// serveHealth says that the process lives.
func (s *Server) serveHealth(a *answer, r *http.Request) {
	if onlyGet(a, r) {
		a.text(http.StatusOK, "ok")
	}
}

// serveReady says whether questions can be answered.
func (s *Server) serveReady(a *answer, r *http.Request) {
	if !onlyGet(a, r) {
		return
	}
	if s.config.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := s.config.Ready(ctx); err != nil {
			a.text(http.StatusServiceUnavailable, err.Error())
			return
		}
	}
	a.text(http.StatusOK, "ok")
}

// onlyGet answers any request but a GET or HEAD.
func onlyGet(a *answer, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	a.Header().Set("Allow", "GET, HEAD")
	a.text(http.StatusMethodNotAllowed, "method not allowed")
	return false
}
