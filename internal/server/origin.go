package server

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// origin is where a page is from, as browsers write it (RFC 6454): in lower
// case, and without the port that its scheme has anyway.
type origin struct{ scheme, host string }

// isWeb reports whether pages of an origin come from a web server.
func (o origin) isWeb() bool { return o.scheme == "http" || o.scheme == "https" }

// onLoopback reports whether pages of an origin come from a web server on the
// machine of their reader.
func (o origin) onLoopback() bool { return o.isWeb() && loopback(o.host) }

// parseOrigin reads an origin. It reports false for what is none, "null" among
// it, by which browsers mean a page that has none.
func parseOrigin(text string) (origin, bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		strings.HasPrefix(u.Host, ".") || strings.Contains(u.Host, "*") {
		return origin{}, false
	}
	return origin{u.Scheme, normalHost(u.Scheme, u.Host)}, true
}

// originPattern is an entry of [Config.AllowOrigins].
type originPattern struct {
	origin
	below  bool   // it stands for the hosts below this one, and not for itself
	suffix string // the public suffix of the host, where below is set
}

// CheckOrigin returns what is wrong with an entry of [Config.AllowOrigins], as
// what follows the entry's name in a sentence.
func CheckOrigin(text string) error {
	_, err := parseOriginPattern(text)
	return err
}

var errNoWildcard = errors.New("has a * where none can be: only https://*. may begin an origin, and a domain follows")

func parseOriginPattern(text string) (originPattern, error) {
	begin, rest, below := strings.Cut(text, "://*.")
	if below {
		text = begin + "://" + rest
	}
	if strings.Contains(text, "*") {
		return originPattern{}, errNoWildcard
	}
	o, ok := parseOrigin(text)
	if !ok {
		return originPattern{}, errors.New("is not an origin")
	}
	u := url.URL{Host: o.host}
	name, port := u.Hostname(), u.Port()
	addr, notIP := netip.ParseAddr(name)
	labels := strings.Split(name, ".")
	switch last := labels[len(labels)-1]; {
	case slices.Contains([]string{"file", "data", "blob", "about", "javascript", "filesystem", "view-source"}, o.scheme):
		return originPattern{}, errors.New("never matches: browsers send null for such pages")
	case slices.Contains([]string{"ws", "wss", "ftp"}, o.scheme):
		return originPattern{}, errors.New("never matches: give the http or https origin of the page that connects")
	case name == "" || strings.HasSuffix(o.host, ":") || port != "" && !isPort(port):
		return originPattern{}, errors.New("is not an origin")
	case strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }):
		return originPattern{}, errors.New("never matches: browsers send such a host as xn--…")
	case notIP == nil && addr.String() != name, notIP != nil && o.isWeb() && last != "" && last[0] >= '0' && last[0] <= '9':
		return originPattern{}, errors.New("never matches: browsers write this address in another way")
	}
	if !below {
		return originPattern{origin: o}, nil
	}
	if o.scheme != "https" || notIP == nil {
		return originPattern{}, errNoWildcard
	}
	suffix, _ := publicsuffix.PublicSuffix(name)
	if suffix == name {
		return originPattern{}, errors.New("would allow the sites of anyone: their names end in a public suffix")
	}
	return originPattern{o, true, suffix}, nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

// matches reports whether an origin is one of those that p stands for. A host
// below p's that is itself below another public suffix, as
// anyone.s3.amazonaws.com is below amazonaws.com, has another owner.
func (p originPattern) matches(o origin) bool {
	if !p.below {
		return o == p.origin
	}
	if o.scheme != p.scheme || !strings.HasSuffix(o.host, "."+p.host) {
		return false
	}
	u := url.URL{Host: o.host}
	suffix, _ := publicsuffix.PublicSuffix(u.Hostname())
	return suffix == p.suffix
}
