package access

import (
	"net/http"
	"strings"
	"time"
)

// metadataPath is where clients learn how to get a token for the resource at
// the path that follows (RFC 9728, section 3.1); some ask without.
const metadataPath = "/.well-known/oauth-protected-resource"

// metadata is the metadata of the endpoint (RFC 9728, section 2).
type metadata struct {
	Resource      string   `json:"resource"`
	Authorities   []string `json:"authorization_servers"`
	Scopes        []string `json:"scopes_supported"`
	BearerMethods []string `json:"bearer_methods_supported"`
	Name          string   `json:"resource_name"`
}

// serveMetadata serves the metadata where one can sign in, and reports whether
// it answered.
func (g *Gate) serveMetadata(w http.ResponseWriter, r *http.Request) bool {
	rest, ours := strings.CutPrefix(r.URL.Path, metadataPath)
	if !ours || !g.signIn() || rest != "" && rest != "/mcp" {
		return false
	}
	const allow = "GET, HEAD, OPTIONS"
	h := w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Allow", allow)
		if h.Get("Access-Control-Allow-Origin") != "" {
			h.Set("Access-Control-Allow-Methods", allow)
			h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, MCP-Protocol-Version, ngrok-skip-browser-warning")
			h.Set("Access-Control-Max-Age", "7200")
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	default:
		h.Set("Allow", allow)
		g.refuse(w, &refusal{status: http.StatusMethodNotAllowed, code: "invalid_request", text: "there is only something to GET here"})
		return true
	}
	url := g.config.URL()
	if url == "" {
		g.refuse(w, unavailable("not online yet; try again in a second", time.Second))
		return true
	}
	authority := url
	if g.config.Mode == OIDC {
		authority = g.config.Issuer.config.URL
	}
	answer(w, http.StatusOK, "max-age=60", metadata{
		Resource:      g.resource(),
		Authorities:   []string{authority},
		Scopes:        g.config.Offered.Names(),
		BearerMethods: []string{"header"},
		Name:          "mcpstore",
	})
	return true
}
