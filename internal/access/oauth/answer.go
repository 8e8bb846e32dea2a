package oauth

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer answers with JSON.
func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers always can be
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// fail answers with an error (RFC 6749, section 5.2).
func fail(w http.ResponseWriter, status int, code, text string) {
	answer(w, status, struct {
		Error string `json:"error"`
		Text  string `json:"error_description"`
	}{code, text})
}

// unavailable answers that the store failed.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.log.ErrorContext(r.Context(), "signing in failed", "path", r.URL.Path, "err", err)
	w.Header().Set("Retry-After", "5")
	fail(w, http.StatusServiceUnavailable, "temporarily_unavailable", "the server could not look that up; try again in some seconds")
}

// pageUnavailable is unavailable for a person.
func (s *Server) pageUnavailable(w http.ResponseWriter, r *http.Request, v *view, err error) {
	s.log.ErrorContext(r.Context(), "signing in failed", "path", r.URL.Path, "err", err)
	w.Header().Set("Retry-After", "5")
	v.Again = true
	v.show(w, http.StatusServiceUnavailable, "error", v.say("伺服器現在無法讀寫資料，請稍後再試。", "The server could not read or write its data; try again in a while."))
}

// prefersJSON reports whether a request asks for JSON by name, and not rather
// for a page, as browsers do (RFC 9110, section 12.5.1).
func prefersJSON(r *http.Request) bool {
	var json, html float64
	for accept := range strings.SplitSeq(strings.Join(r.Header["Accept"], ","), ",") {
		media, params, err := mime.ParseMediaType(accept)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, ok := params["q"]; ok {
			weight, _ = strconv.ParseFloat(q, 64)
		}
		switch media {
		case "application/json":
			json = max(json, weight)
		case "text/html":
			html = max(html, weight)
		}
	}
	return json > html
}

func allowed(method, allow string) bool {
	return slices.Contains(strings.Split(allow, ", "), method)
}

// preflight tells pages what they may send. Whether their origin may is said
// before.
func preflight(h http.Header, allow string) {
	h.Set("Allow", allow)
	if h.Get("Access-Control-Allow-Origin") == "" {
		return
	}
	h.Set("Access-Control-Allow-Methods", allow)
	h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, MCP-Protocol-Version, ngrok-skip-browser-warning")
	h.Set("Access-Control-Max-Age", "7200")
}
