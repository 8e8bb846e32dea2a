package smoke

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// bothSlashes asks with and without a slash at the end, since people paste
// either.
func (r *run) bothSlashes(ctx context.Context) (string, error) {
	if strings.Trim(r.target.Path, "/") == "" {
		return "", skip("the URL has no path")
	}
	plain, slashed := *r.target, *r.target
	plain.Path = strings.TrimSuffix(plain.Path, "/")
	slashed.Path = plain.Path + "/"
	var seen [2]string
	for i, u := range []*url.URL{&plain, &slashed} {
		answer, err := r.client.send(ctx, u, session{revision: "2025-11-25"}, "initialize", initializeParams("2025-11-25"))
		if err != nil {
			return "", fmt.Errorf("%s: %w", u.Path, err)
		}
		if answer.status/100 == 3 {
			return "", wrong("%s redirects to %s; clients do not follow a redirect of a POST", u.Path, answer.header.Get("Location"))
		}
		m, err := answer.message()
		seen[i] = fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status))
		if err == nil && m.err != nil {
			seen[i] += " with an error"
		}
	}
	if seen[0] != seen[1] {
		return "", wrong("%s answers %s, but %s answers %s", plain.Path, seen[0], slashed.Path, seen[1])
	}
	return "", nil
}

// get asks as clients probe for a stream and browsers for a page. A server
// that opened a stream would leave them hanging.
func (r *run) get(ctx context.Context) (string, error) {
	answer, err := r.client.do(ctx, http.MethodGet, r.target, http.Header{"Accept": {"text/event-stream"}}, nil)
	if err != nil {
		return "", err
	}
	if err := answer.refusal(); err != nil {
		return "", err
	}
	allow := answer.header.Get("Allow")
	if answer.status != http.StatusMethodNotAllowed {
		return "", wrong("GET answers %d %s (%s), want 405 with Allow: POST", answer.status, http.StatusText(answer.status), answer.media)
	}
	for method := range strings.SplitSeq(allow, ",") {
		if strings.TrimSpace(method) == http.MethodPost {
			return "405, Allow: " + allow, nil
		}
	}
	return "", wrong("GET answers 405 with Allow: %q, want POST in it", allow)
}

// discover makes the handshake of the modern era.
func (r *run) discover(ctx context.Context) (string, error) {
	m, err := r.client.call(ctx, r.target, session{revision: modern}, "server/discover", nil)
	if err != nil {
		return "", err
	}
	var result struct {
		ResultType        string                     `json:"resultType"`
		SupportedVersions []string                   `json:"supportedVersions"`
		Capabilities      map[string]json.RawMessage `json:"capabilities"`
		Meta              struct {
			Server implementation `json:"io.modelcontextprotocol/serverInfo"`
		} `json:"_meta"`
	}
	if err := m.into(&result); err != nil {
		return "", err
	}
	switch {
	case result.ResultType != "complete":
		return "", wrong(`resultType is %q, want "complete"`, result.ResultType)
	case !slices.Contains(result.SupportedVersions, string(modern)):
		return "", wrong("supportedVersions are %q, without %s", result.SupportedVersions, modern)
	case result.Capabilities["tools"] == nil:
		return "", wrong("the capabilities are without tools")
	}
	return result.Meta.Server.String(), nil
}

type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (i implementation) String() string { return strings.TrimSpace(i.Name + " " + i.Version) }

func initializeParams(rev revision) object {
	return object{"protocolVersion": rev, "clientInfo": clientInfo, "capabilities": object{}}
}

// initialize makes the handshake of the eras before.
func (r *run) initialize(rev revision) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		r.session = session{}
		answer, err := r.client.send(ctx, r.target, session{revision: rev}, "initialize", initializeParams(rev))
		if err != nil {
			return "", err
		}
		m, err := answer.message()
		if err != nil {
			return "", err
		}
		var result struct {
			ProtocolVersion revision                   `json:"protocolVersion"`
			Capabilities    map[string]json.RawMessage `json:"capabilities"`
			Server          implementation             `json:"serverInfo"`
		}
		if err := m.into(&result); err != nil {
			return "", err
		}
		switch {
		case result.ProtocolVersion != rev:
			return "", wrong("asked for %s, the server agreed to %q", rev, result.ProtocolVersion)
		case result.Server.Name == "":
			return "", wrong("serverInfo is without a name")
		case result.Capabilities["tools"] == nil:
			return "", wrong("the capabilities are without tools")
		}
		s := session{rev, answer.header.Get("Mcp-Session-Id")}
		told, err := r.client.notify(ctx, r.target, s, "notifications/initialized")
		if err != nil {
			return "", err
		}
		if err := told.refusal(); err != nil {
			return "", err
		}
		if told.status != http.StatusAccepted {
			return "", wrong("notifications/initialized answers %d %s, want 202", told.status, http.StatusText(told.status))
		}
		r.session = s
		return result.Server.String(), nil
	}
}

// at returns the session to ask in at rev, or a skip where there is none.
func (r *run) at(rev revision) (session, error) {
	switch {
	case rev >= modern:
		return session{revision: rev}, nil
	case r.session.revision != rev:
		return session{}, skip("initialize failed")
	}
	return r.session, nil
}

// endSession tells a server that keeps sessions that this one is over. What it
// answers does not matter.
func (r *run) endSession(ctx context.Context) {
	if r.session.id != "" {
		_, _ = r.client.do(ctx, http.MethodDelete, r.target, http.Header{"Mcp-Session-Id": {r.session.id}}, nil)
	}
	r.session = session{}
}
