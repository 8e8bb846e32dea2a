package oauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURI bounds URIs, in bytes.
const maxURI = 2000

// dangerousSchemes are the schemes that no client may be reached by: they run
// scripts, show what the client wrote, open files, pages of the browser's own or
// settings, start programs with arguments, or are protocols of the network. A
// name that ends in "*" stands for all that begin so.
var dangerousSchemes = []string{
	// Content and scripts.
	"javascript", "jscript", "data", "blob", "vbscript", "livescript", "mocha", "about", "file", "filesystem", "content", "cid", "mid", "mhtml", "jar", "wyciwyg",
	// Pages of browsers' own, and ways to have another browser open a page.
	"view-source", "resource", "res", "read", "devtools", "isolated-app", "chrome*", "googlechrome*", "edge", "microsoft-edge*", "msedge*", "brave", "opera", "opera-*", "vivaldi", "firefox", "firefox-*", "moz-*", "safari*", "x-safari*", "webkit*", "arc", "duckduckgo*", "ddgquicklink", "ie", "tor", "yandexbrowser*", "feed*",
	// Systems: settings, searches, help, scripts, stores, installers.
	"intent", "android-app", "package", "market", "itms*", "ms-*", "search*", "x-apple*", "x-web-search", "x-help*", "x-man-page", "help", "prefs", "app-prefs", "applescript", "shortcuts", "workflow", "macappstore*", "appx", "shell", "hcp", "mk", "cmd", "powershell", "onenote*", "jnlp*", "steam",
	// Protocols of the network, and programs that call or write to people.
	"ftp*", "sftp", "scp", "ssh", "telnet", "tn3270", "rlogin", "rsh", "ws", "wss", "ldap*", "smb", "cifs", "nfs", "afp", "dav", "davs", "webdav*", "gopher", "nntp", "news", "snews", "irc", "ircs", "rtsp", "rtmp", "vnc", "rdp", "dict", "dns", "tftp", "git", "svn", "svn+ssh", "git+ssh", "magnet", "ed2k", "urn",
	"mailto", "tel", "telprompt", "sms*", "mms*", "callto", "sip", "sips", "facetime*", "im", "xmpp", "webcal",
}

// dangerous reports whether a scheme, in lower case, is one that no client may
// be reached by.
func dangerous(scheme string) bool {
	if len(scheme) == 1 {
		return true // a drive of Windows
	}
	return slices.ContainsFunc(dangerousSchemes, func(name string) bool {
		prefix, all := strings.CutSuffix(name, "*")
		return scheme == prefix || all && strings.HasPrefix(scheme, prefix)
	})
}

// isPrivate reports whether a URI has a private-use scheme (RFC 8252, section
// 7.1): which program opens it is for the browser's machine to say.
func isPrivate(uri string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(uri), ":")
	return scheme != "https" && scheme != "http"
}

// checkRedirect returns what is wrong with a redirect URI: it must lead to a
// site, to the machine that the browser is on, or to a program by a private-use
// scheme that is not dangerous.
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
	case dangerous(scheme):
		return fmt.Errorf("the scheme %q is not allowed in a redirect", scheme)
	case u.Opaque != "" && !strings.HasPrefix(u.Opaque, "/") || u.Opaque+u.Host+u.Path == "":
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
// another. They must be the same, byte by byte, except that a URI on loopback
// fits with any port, because programs take one that is free (RFC 8252, section
// 7.3).
func redirectFits(registered, asked string) bool {
	if registered == asked {
		return true
	}
	r, ok := withoutPort(registered)
	a, ok2 := withoutPort(asked)
	return ok && ok2 && r == a && checkRedirect(asked) == nil
}

// withoutPort returns a URI on loopback without its port. It reports false for
// all others.
func withoutPort(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil || !isLoopback(u.Hostname()) {
		return "", false
	}
	host := u.Host
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", false
		}
		host = strings.TrimSuffix(host, ":"+port)
	}
	rest, ok := strings.CutPrefix(uri, "http://"+u.Host)
	return "http://" + host + rest, ok
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
