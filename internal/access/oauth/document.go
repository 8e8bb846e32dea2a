package oauth

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of fetching a client's document.
const (
	documentTime    = 5 * time.Second
	lookupTime      = 2 * time.Second // of a name that a proxy will look up too
	maxDocument     = 64 << 10        // bytes
	maxFetches      = 4               // at once
	documentsKept   = 256
	shortestKept    = 5 * time.Minute
	longestKept     = 24 * time.Hour
	failureKept     = time.Minute
	maxHeaderOfThem = 16 << 10 // bytes
)

// documentError says what is wrong with a client's document.
type documentError struct{ text string }

func (e *documentError) Error() string { return e.text }

func badDocument(format string, args ...any) error {
	return &documentError{fmt.Sprintf(format, args...)}
}

// errPrivate says that a document is where the public internet is not.
var errPrivate = badDocument("the client's document is not on the public internet")

// documents knows clients by documents that they publish under their own ID
// (draft-ietf-oauth-client-id-metadata-document). They are fetched from the
// public internet alone, and remembered for a while.
type documents struct {
	lookup   func(ctx context.Context, host string) ([]netip.Addr, error)
	proxy    func(*url.URL) (*url.URL, error)
	direct   *http.Client
	proxied  *http.Client
	now      func() time.Time
	log      *slog.Logger
	known    *lru.Cache[string, document]
	fetching chan struct{}

	// unreached is the ID of a document at a well-known host that the network
	// kept from being fetched last; nil where it was reached.
	unreached atomic.Pointer[string]
}

// wellKnownHosts are where the clients that most people use have their
// documents. Whether these can be reached says whether documents can be fetched
// at all; others may be down by themselves.
var wellKnownHosts = []string{"chatgpt.com", "claude.ai", "github.com"}

// networkError says that no answer came from the host of a document.
type networkError struct{ cause error }

func (e *networkError) Error() string { return e.cause.Error() }
func (e *networkError) Unwrap() error { return e.cause }

// document is what was found at a URL, for as long as that counts.
type document struct {
	client client
	err    error
	until  time.Time
}

func newDocuments(c Config, now func() time.Time) *documents {
	known, err := lru.New[string, document](documentsKept)
	if err != nil {
		panic(err) // the size is above 0
	}
	d := &documents{lookup: c.Lookup, proxy: c.Proxy, now: now, log: cmp.Or(c.Log, slog.Default()), known: known, fetching: make(chan struct{}, maxFetches)}
	if d.lookup == nil {
		d.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if d.proxy == nil {
		d.proxy = func(*url.URL) (*url.URL, error) { return nil, nil }
	}
	d.direct = fetcher(&http.Transport{DialContext: d.guardedDial(c.Dial)}, c.RootCAs)
	d.proxied = fetcher(&http.Transport{
		Proxy:       func(r *http.Request) (*url.URL, error) { return d.proxy(r.URL) },
		DialContext: (&net.Dialer{Timeout: documentTime}).DialContext, // to the proxy, which may be anywhere
	}, c.RootCAs)
	return d
}

// reachable reports whether documents of well-known clients can be fetched, as
// far as is known. While they could not be, it has another attempt made, once
// in a while.
func (d *documents) reachable() bool {
	id := d.unreached.Load()
	if id == nil {
		return true
	}
	go func() { _, _ = d.client(context.Background(), *id) }() // which is remembered, and bounded in time
	return false
}

// client returns the client whose document is at id.
func (d *documents) client(ctx context.Context, id string) (client, error) {
	u, err := checkDocumentURL(id)
	if err != nil {
		return client{}, err
	}
	known, ok := d.known.Get(id)
	if ok && d.now().Before(known.until) {
		return known.client, known.err
	}
	stale := ok && known.err == nil
	select {
	case d.fetching <- struct{}{}:
		defer func() { <-d.fetching }()
	default:
		if stale {
			return known.client, nil
		}
		return client{}, badDocument("too many documents of clients are being fetched; try again in some seconds")
	}
	found, kept, err := d.fetch(ctx, u)
	if err != nil && ctx.Err() != nil {
		return client{}, err
	}
	d.note(u, err)
	if errors.As(err, new(*networkError)) {
		if err = badDocument("the client's document could not be fetched from %s", u.Host); stale {
			found, err = known.client, nil // what the network does is not the client's fault
		}
	}
	d.known.Add(id, document{found, err, d.now().Add(kept)})
	return found, err
}

// note keeps whether a document at a well-known host could be reached, whatever
// was found there. Err is what came of fetching it.
func (d *documents) note(u *url.URL, err error) {
	if !slices.Contains(wellKnownHosts, strings.ToLower(u.Host)) {
		return
	}
	if !errors.As(err, new(*networkError)) && !errors.Is(err, errPrivate) {
		if d.unreached.Swap(nil) != nil {
			d.log.Info("documents of clients can be fetched again", "host", u.Host)
		}
		return
	}
	id := u.String()
	if d.unreached.Swap(&id) == nil {
		d.log.Warn("documents of clients cannot be fetched: clients are asked to register instead, until one can be", "host", u.Host, "err", err)
	}
}

// checkDocumentURL returns what is wrong with a client's ID that is a URL.
func checkDocumentURL(id string) (*url.URL, error) {
	if len(id) > maxURI || checkRedirect(id) != nil {
		return nil, badDocument("the client_id is not a URL that can be fetched")
	}
	u, err := url.Parse(id)
	switch {
	case err != nil || u.String() != id || u.Scheme != "https":
		return nil, badDocument("the client_id is not a URL that can be fetched")
	case u.RawQuery != "" || u.ForceQuery || u.Path == "" || u.Path == "/" || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return nil, badDocument("the client_id has to be a URL with a path, without dots in it and without a query")
	case strings.Contains(u.Host, ":"):
		return nil, badDocument("the client_id has a port or an address for a host; documents are fetched from a domain, by 443 alone")
	}
	if !isDomain(u.Host) {
		return nil, badDocument("the client_id has an address or a local name for a host; it needs a domain")
	}
	return u, nil
}

// localDomains are not of the public internet's names (RFC 6761, RFC 6762, RFC
// 8375, and ICANN's reservation of "internal").
var localDomains = []string{"localhost", "local", "internal", "home.arpa"}

// isDomain reports whether a host is a name that the public internet can have:
// a proxy looks it up where we cannot see what it finds.
func isDomain(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	if last := labels[len(labels)-1]; len(labels) < 2 || last[0] >= '0' && last[0] <= '9' {
		return false
	}
	return !slices.ContainsFunc(localDomains, func(local string) bool { return strings.HasSuffix("."+host, "."+local) })
}

// fetch gets a document, and how long it counts. Where the network keeps it from
// that, it is a [networkError].
func (d *documents) fetch(ctx context.Context, u *url.URL) (client, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return client{}, failureKept, badDocument("the client_id is not a URL that can be fetched")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "mcpstore")
	through, err := d.way(ctx, u)
	if err != nil {
		return client{}, failureKept, err
	}
	resp, err := through.Do(req)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return client{}, failureKept, errPrivate
		}
		return client{}, failureKept, &networkError{err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return client{}, failureKept, badDocument("%s answers %d for the client's document, and not 200", u.Host, resp.StatusCode)
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return client{}, failureKept, badDocument("the client's document is not JSON by its Content-Type")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return client{}, failureKept, &networkError{err}
	}
	if len(body) > maxDocument {
		return client{}, failureKept, badDocument("the client's document is larger than %d bytes", maxDocument)
	}
	found, err := readDocument(u, body)
	if err != nil {
		return client{}, failureKept, err
	}
	return found, keepFor(resp.Header), nil
}

func readDocument(u *url.URL, body []byte) (client, error) {
	var said registration
	if err := json.Unmarshal(body, &said); err != nil {
		return client{}, badDocument("the client's document is not a JSON object of the form of RFC 7591")
	}
	if said.ID != u.String() {
		return client{}, badDocument("the client's document is that of another client_id")
	}
	if err := checkRedirects(said.RedirectURIs); err != nil {
		return client{}, badDocument("in the client's document %v", err)
	}
	return client{id: said.ID, name: cleanName(said.Name), redirects: said.RedirectURIs, host: u.Host, scope: said.Scope}, nil
}

// keepFor is how long an answer counts, as its server would have it (RFC 9111,
// section 5.2.2.1), within bounds.
func keepFor(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		if seconds, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(directive)), "max-age="); ok {
			if n, err := strconv.ParseInt(seconds, 10, 32); err == nil {
				return min(max(time.Duration(n)*time.Second, shortestKept), longestKept)
			}
		}
	}
	return shortestKept
}

// way is how to reach a document: through the proxy that is set up for it, or
// else directly. A proxy looks the name up by itself, so that no name may go to
// it which is found at a private address here.
func (d *documents) way(ctx context.Context, u *url.URL) (*http.Client, error) {
	through, err := d.proxy(u)
	if err != nil {
		return nil, &networkError{err}
	}
	if through == nil {
		return d.direct, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	// Behind a proxy there may be no resolver: what is not found here is the
	// proxy's to find.
	addrs, _ := d.lookup(ctx, u.Host)
	if !allPublic(addrs) {
		return nil, errPrivate
	}
	return d.proxied, nil
}

// guardedDial returns what connects to the public internet alone: it looks at
// the very addresses that it is about to call, so that a name which changes its
// answer gains nothing. If dial is nil, it connects by TCP.
func (d *documents) guardedDial(dial func(context.Context, netip.AddrPort) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	if dial == nil {
		dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		}
	}
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		// The transport goes on connecting when the request is given up.
		ctx, cancel := context.WithTimeout(ctx, documentTime)
		defer cancel()
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, err
		}
		addrs, err := d.lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		if len(addrs) == 0 {
			return nil, fmt.Errorf("%q has no address", host)
		}
		if !allPublic(addrs) {
			return nil, errPrivate
		}
		var conn net.Conn
		for _, a := range addrs {
			if conn, err = dial(ctx, netip.AddrPortFrom(a.Unmap(), uint16(number))); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
}

func allPublic(addrs []netip.Addr) bool {
	return !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !isPublic(a) })
}

// fetcher returns a client that follows no redirect, on a transport that it
// bounds.
func fetcher(t *http.Transport, roots *x509.CertPool) *http.Client {
	t.DisableKeepAlives = true
	t.TLSHandshakeTimeout = documentTime
	t.MaxResponseHeaderBytes = maxHeaderOfThem
	t.TLSClientConfig = tlsConfig(roots)
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
