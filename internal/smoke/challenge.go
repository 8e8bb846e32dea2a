package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// challenge asks without the Authorization that all others send: a client that
// has none must be told that it needs one, and where to get it.
func (r *run) challenge(ctx context.Context) (string, error) {
	if r.client.header.Get("Authorization") == "" {
		return "none was needed", nil
	}
	header := r.client.header.Clone()
	header.Del("Authorization")
	anyone := *r.client
	anyone.header = header
	answer, err := anyone.send(ctx, r.target, session{revision: "2025-11-25"}, "initialize", initializeParams("2025-11-25"))
	if err != nil {
		return "", err
	}
	if answer.status != http.StatusUnauthorized {
		if m, err := answer.message(); err != nil || m.err != nil {
			return "", wrong("without Authorization it answers %d %s, want 401, or 200 where reading is open", answer.status, http.StatusText(answer.status))
		}
		return "reading is open to those without a token, too", nil
	}
	want := answer.header.Get("WWW-Authenticate")
	if scheme, _, _ := strings.Cut(want, " "); !strings.EqualFold(scheme, "Bearer") {
		return "", wrong("the 401 has WWW-Authenticate: %q, want Bearer", want)
	}
	found := resourceMetadata.FindStringSubmatch(want)
	if found == nil {
		return "401, a token is needed", nil
	}
	return r.signIn(ctx, found[1])
}

// resourceMetadata finds the parameter of RFC 9728, section 5.1.
var resourceMetadata = regexp.MustCompile(`\bresource_metadata="([^"]*)"`)

// signIn follows a challenge to where clients sign in.
func (r *run) signIn(ctx context.Context, at string) (string, error) {
	u, err := url.Parse(at)
	if err != nil || u.Host != r.target.Host || u.Scheme != r.target.Scheme {
		return "", wrong("the challenge's resource_metadata is %q, which is not at %s", at, r.target.Host)
	}
	var meta struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
	}
	if err := r.fetch(ctx, u, &meta); err != nil {
		return "", fmt.Errorf("%s: %w", u.Path, err)
	}
	if meta.Resource != strings.TrimSuffix(display(r.target), "/") {
		return "", wrong("%s names the resource %q, which is not this URL; clients refuse that", u.Path, meta.Resource)
	}
	if len(meta.Servers) == 0 {
		return "", wrong("%s names no authorization_servers", u.Path)
	}
	return "401, sign in at " + meta.Servers[0], nil
}

// fetch gets a JSON document, without the user's secrets.
func (r *run) fetch(ctx context.Context, u *url.URL, into any) error {
	ctx, cancel := context.WithTimeout(ctx, r.client.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "mcpstore-smoke")
	resp, err := r.client.http.Do(req)
	if err != nil {
		return unreachable(err, u)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return wrong("answers %d %s, want 200", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return unreachable(err, u)
	}
	if json.Unmarshal(body, into) != nil {
		return errors.New("answers what is not JSON")
	}
	return nil
}
