package oauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxURI bounds URIs, in bytes.
const maxURI = 2000

// appSchemes are the schemes of programs that take redirects without a domain
// in their scheme's name, as RFC 8252, section 7.1, would have it.
var appSchemes = []string{"cursor", "vscode", "vscode-insiders", "vscodium", "windsurf", "claude", "zed", "jetbrains", "raycast", "warp", "goose"}

// checkRedirect returns what is wrong with a redirect URI: it must lead to a
// site, to this machine, or to a program.
func checkRedirect(uri string) error {
	if len(uri) > maxURI {
		return fmt.Errorf("it is longer than %d bytes", maxURI)
	}
	for _, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`\"<>^{|}`+"`", c) >= 0 {
			return errors.New("it has characters that no URI has")
		}
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return errors.New("it is no absolute URI")
	case u.Fragment != "" || strings.Contains(uri, "#"):
		return errors.New("it has a fragment")
	case u.User != nil:
		return errors.New("it has a user name")
	}
	for _, c := range []byte(u.Host) {
		if c >= 0x80 { // written with %: browsers, and people, would read another host
			return errors.New("its host is not ASCII; write it as xn--…")
		}
	}
	switch scheme := u.Scheme; {
	case scheme == "https":
		if u.Hostname() == "" {
			return errors.New("it has no host")
		}
	case scheme == "http":
		if !isLoopback(u.Hostname()) {
			return errors.New("http is for this machine alone: 127.0.0.1, [::1] or localhost")
		}
	case !strings.Contains(scheme, ".") && !slices.Contains(appSchemes, scheme):
		return fmt.Errorf("the scheme %q is none that redirects may have", scheme)
	case u.Opaque != "" && !strings.HasPrefix(u.Opaque, "/"):
		return errors.New("it has no path")
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() && !ip.Is4In6()
}

// redirectFits reports whether a client that registered one URI may be sent to
// another. They must be the same, byte by byte; but one on this machine that
// was registered without a port stands for any (RFC 8252, section 7.3).
func redirectFits(registered, asked string) bool {
	if registered == asked {
		return true
	}
	r, err := url.Parse(registered)
	if err != nil || r.Scheme != "http" || r.Port() != "" || !isLoopback(r.Hostname()) {
		return false
	}
	a, err := url.Parse(asked)
	if err != nil || a.Port() == "" || checkRedirect(asked) != nil {
		return false
	}
	rest, ok := strings.CutPrefix(asked, "http://"+r.Host+":"+a.Port())
	return ok && registered == "http://"+r.Host+rest
}

// redirectHost is what the owner is shown of where they will be sent.
func redirectHost(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return u.Host
	}
	return u.Scheme + "://" + u.Host
}

// withQuery adds parameters to a redirect URI.
func withQuery(uri string, params url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + params.Encode()
}
