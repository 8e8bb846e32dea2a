package smoke

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// reachable asks for the first time. It judges the way to the server, not the
// answer.
func (r *run) reachable(ctx context.Context) (string, error) {
	if r.target.Scheme == "http" && !isLoopback(r.target.Hostname()) {
		r.pointless = "the URL is not https"
		return "", &problem{"http:// is for loopback addresses only: clients on the internet want https, and a token would travel readable", "use https://" + r.target.Host}
	}
	probe, err := r.client.send(ctx, r.target, session{revision: "2025-11-25"}, "initialize", initializeParams("2025-11-25"))
	if err == nil {
		err = probe.refusal()
	}
	if err != nil {
		r.pointless = "the server is out of reach"
		return "", err
	}
	r.probe = probe
	if probe.tls == "" {
		return "plain HTTP on loopback", nil
	}
	return probe.tls, nil
}

// path sees to it that the URL is the server's, not just the host's.
func (r *run) path(ctx context.Context) (string, error) {
	m, err := r.probe.message()
	if strings.HasSuffix(strings.TrimSuffix(r.target.Path, "/"), "/mcp") {
		if err != nil && r.probe.status == http.StatusNotFound {
			r.pointless = "there is no MCP server at this path"
			return "", &problem{"nothing is at this path: " + err.Error(), "check the URL against the line that mcpstore printed"}
		}
		return "", nil
	}
	if err == nil && m.err == nil {
		return "an MCP server answers, though the path does not end in /mcp", nil
	}
	mended := r.target.JoinPath("mcp")
	if m, err := r.client.call(ctx, mended, session{revision: "2025-11-25"}, "initialize", initializeParams("2025-11-25")); err == nil && m.err == nil {
		r.target = mended
		return "", &problem{"the URL lacks /mcp at its end", "use " + display(mended) + " (the following checks do)"}
	}
	r.pointless = "there is no MCP server at this URL"
	return "", &problem{"no MCP server answers here, nor at " + display(mended), "check the URL against the line that mcpstore printed"}
}

// refusal tells answers apart that come from in front of the server, or that
// it gives to everything. It is nil where the server itself was asked.
func (r reply) refusal() error {
	if code := r.ngrokCode(); code != "" {
		what, hint := "ngrok answers in the server's stead", "see https://ngrok.com/docs/errors/"+strings.ToLower(code)
		if known, ok := ngrokCodes[code]; ok {
			what, hint = known.what, known.hint
		}
		return &problem{fmt.Sprintf("%s (%s)", what, code), hint}
	}
	switch r.status {
	case http.StatusUnauthorized:
		return &problem{"the server wants to know who is asking (401 Unauthorized)", `give it a token by --token-file FILE (or --header "Authorization: Bearer TOKEN"); if one was given, it is not valid here`}
	case http.StatusForbidden:
		return &problem{"the server refuses this caller or this host name (403 Forbidden): " + excerpt(r.body), "use the URL exactly as mcpstore printed it; with --header, check the token's rights"}
	case http.StatusTooManyRequests:
		return &problem{"too many requests (429)", "wait" + r.retryAfter() + " and try again"}
	case http.StatusServiceUnavailable:
		return &problem{"the server is busy or not ready (503 Service Unavailable): " + excerpt(r.body), "wait" + r.retryAfter() + " and try again"}
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return &problem{fmt.Sprintf("what stands in front of the server gets no answer from it (%d %s)", r.status, http.StatusText(r.status)), "look at mcpstore's own output"}
	}
	return nil
}

func (r reply) retryAfter() string {
	if s := r.header.Get("Retry-After"); s != "" {
		return " as long as Retry-After says (" + s + ")"
	}
	return ""
}

var ngrokCode = regexp.MustCompile(`ERR_NGROK_\d+`)

// ngrokCode returns the code of an answer that ngrok gave by itself, or "".
func (r reply) ngrokCode() string {
	if code := r.header.Get("Ngrok-Error-Code"); code != "" {
		return code
	}
	if r.media == "text/html" { // the interstitial
		return string(ngrokCode.Find(r.body))
	}
	return ""
}

// ngrokCodes are those that an asker may meet. The others are explained at
// https://ngrok.com/docs/errors.
var ngrokCodes = map[string]struct{ what, hint string }{
	"ERR_NGROK_3200": {"no server is online at this ngrok URL", "start mcpstore, and use the URL that it prints"},
	"ERR_NGROK_3004": {"the server behind ngrok hung up without an answer", "look at mcpstore's own output"},
	"ERR_NGROK_8012": {"the server behind ngrok hung up without an answer", "look at mcpstore's own output"},
	"ERR_NGROK_6024": {"ngrok shows its warning page for browsers instead of the server", `programs do not meet it: leave --header "User-Agent: …" out, or add --header "ngrok-skip-browser-warning: 1"`},
	"ERR_NGROK_725":  {"the ngrok account has used up this month's traffic", "see https://dashboard.ngrok.com/usage"},
	"ERR_NGROK_727":  {"the ngrok account has used up this month's requests", "see https://dashboard.ngrok.com/usage"},
	"ERR_NGROK_734":  {"the ngrok account has used up this minute's requests", "try again in a minute"},
}

// unreachable explains why there was no answer from u.
func unreachable(err error, u *url.URL) error {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, whose query may be secret
	}
	host := u.Hostname()
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		switch {
		case e.IsNotFound:
			return &problem{fmt.Sprintf("there is no host %q in DNS", host), "check the spelling; a new domain may take a minute to appear"}
		case e.IsTimeout:
			return &problem{fmt.Sprintf("DNS did not answer the question where %q is", host), "check this machine's network, or say where with --resolve"}
		}
		return &problem{fmt.Sprintf("DNS failed to find %q: %s", host, e.Err), "check this machine's network, or say where with --resolve"}
	}
	if p := certificateProblem(err, host); p != nil {
		return p
	}
	text := err.Error()
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return wrong("cancelled")
	case strings.Contains(text, "refused"): // in Windows' words too
		return &problem{fmt.Sprintf("the connection to %s was refused", address(u)), "nothing listens there: is mcpstore running, and is the port right?"}
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return &problem{"no answer in time", "try again; if it stays so, look at mcpstore's own output, or give more --timeout"}
	case strings.Contains(text, "HTTP response to HTTPS client"):
		return &problem{fmt.Sprintf("%s speaks plain HTTP, not TLS", address(u)), "on loopback, use http://"}
	case strings.Contains(text, "EOF") || strings.Contains(text, "reset") || strings.Contains(text, "forcibly closed"):
		return wrong("the connection was closed without an answer (%s)", text)
	}
	return wrong("no answer: %s", text)
}

// certificateProblem explains why the server's certificate was not taken; nil
// where that was not it.
func certificateProblem(err error, host string) error {
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return &problem{fmt.Sprintf("the certificate is for %s, not for %q", subjects(e.Certificate), host), "use the name that the certificate is for, with --resolve if DNS does not know it"}
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		if now := time.Now(); now.Before(e.Cert.NotBefore) {
			return &problem{fmt.Sprintf("the certificate is not valid before %s", e.Cert.NotBefore.Format(time.DateTime)), "check this machine's clock"}
		}
		return &problem{fmt.Sprintf("the certificate expired on %s", e.Cert.NotAfter.Format(time.DateOnly)), "renew it; if it is newer than that, check this machine's clock"}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return &problem{"the certificate comes from an authority that this machine does not trust", "if it is yours, give its certificate with --ca FILE; clients on the internet will not take it"}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return wrong("the certificate is not valid: %v", e.Err)
	}
	return nil
}

// subjects are the names that a certificate is for.
func subjects(c *x509.Certificate) string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host"
	}
	return strings.Join(names, ", ")
}

// describeTLS tells what a person wants to know about a connection.
func describeTLS(s *tls.ConnectionState) string {
	leaf := s.PeerCertificates[0]
	return fmt.Sprintf("%s, certificate valid until %s", tls.VersionName(s.Version), leaf.NotAfter.UTC().Format(time.DateOnly))
}
