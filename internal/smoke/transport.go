package smoke

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// parseURL accepts what can be asked at all. Whether plain http is in order is
// for [run.reachable] to say.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		// url.Error repeats the text, which may hold a password.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("the URL cannot be read: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not a URL to check: want https://HOST/mcp", display(u))
	}
	u.Fragment = ""
	return u, nil
}

// display is u without what may be a secret.
func display(u *url.URL) string {
	shown := *u
	shown.User, shown.RawQuery = nil, ""
	return shown.String()
}

// newTransport returns a transport that trusts ca beside the system's
// authorities and finds the hosts of resolve where it says.
func newTransport(ca []byte, resolve []string) (*http.Transport, error) {
	var roots *x509.CertPool // nil means the system's
	if len(ca) > 0 {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(ca) {
			return nil, errors.New("the CA file holds no certificate in PEM form")
		}
	}
	places := make(map[string]string)
	for _, text := range resolve {
		from, to, err := parseResolve(text)
		if err != nil {
			return nil, fmt.Errorf("resolve %q: %w", text, err)
		}
		places[from] = to
	}

	dialer := net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   30 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if to, ok := places[strings.ToLower(addr)]; ok {
				addr = to
			}
			return dialer.DialContext(ctx, network, addr)
		},
		Proxy: func(req *http.Request) (*url.URL, error) {
			if _, ok := places[address(req.URL)]; ok {
				return nil, nil // a proxy would look the host up by itself
			}
			return http.ProxyFromEnvironment(req)
		},
	}, nil
}

// address is the host and port that u is dialled at.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// parseResolve reads "host:port:address" as curl does. Beyond curl, the
// address may have a port: "host:443:127.0.0.1:8443".
func parseResolve(text string) (from, to string, err error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 3 || parts[0] == "" {
		return "", "", errors.New(`want host:port:address, such as "shop.example:443:127.0.0.1"`)
	}
	host, port, addr := strings.ToLower(parts[0]), parts[1], parts[2]
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("%q is not a port", port)
	}
	from = net.JoinHostPort(host, port)
	if ip, err := netip.ParseAddr(strings.Trim(addr, "[]")); err == nil {
		return from, net.JoinHostPort(ip.String(), port), nil
	}
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return from, ap.String(), nil
	}
	return "", "", fmt.Errorf("%q is not an IP address", addr)
}

// isLoopback reports whether nothing sent to host leaves this machine.
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
