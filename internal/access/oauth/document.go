package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of fetching a client's document.
const (
	documentTime    = 5 * time.Second
	maxDocument     = 64 << 10 // bytes
	maxFetches      = 4        // at once
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

// documents knows clients by documents that they publish under their own ID
// (draft-ietf-oauth-client-id-metadata-document). They are fetched from the
// public internet alone, and remembered for a while.
type documents struct {
	http     *http.Client
	now      func() time.Time
	known    *lru.Cache[string, document]
	fetching chan struct{}
}

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
	return &documents{http: fetcher(c), now: now, known: known, fetching: make(chan struct{}, maxFetches)}
}

// client returns the client whose document is at id.
func (d *documents) client(ctx context.Context, id string) (client, error) {
	u, err := checkDocumentURL(id)
	if err != nil {
		return client{}, err
	}
	if known, ok := d.known.Get(id); ok && d.now().Before(known.until) {
		return known.client, known.err
	}
	select {
	case d.fetching <- struct{}{}:
		defer func() { <-d.fetching }()
	default:
		return client{}, badDocument("too many documents of clients are being fetched; try again in some seconds")
	}
	found, kept, err := d.fetch(ctx, u)
	if err != nil && ctx.Err() != nil {
		return client{}, err
	}
	d.known.Add(id, document{found, err, d.now().Add(kept)})
	return found, err
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
	labels := strings.Split(strings.TrimSuffix(u.Host, "."), ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || last == "" || last[0] >= '0' && last[0] <= '9' {
		return nil, badDocument("the client_id has an address or a bare name for a host; it needs a domain")
	}
	return u, nil
}

// fetch gets a document, and how long it counts.
func (d *documents) fetch(ctx context.Context, u *url.URL) (client, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return client{}, failureKept, badDocument("the client_id is not a URL that can be fetched")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "mcpstore")
	resp, err := d.http.Do(req)
	if err != nil {
		if errors.As(err, new(*documentError)) {
			return client{}, failureKept, badDocument("the client's document is not on the public internet")
		}
		return client{}, failureKept, badDocument("the client's document could not be fetched from %s", u.Host)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return client{}, failureKept, badDocument("%s answers %d for the client's document, and not 200", u.Host, resp.StatusCode)
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return client{}, failureKept, badDocument("the client's document is not JSON by its Content-Type")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil || len(body) > maxDocument {
		return client{}, failureKept, badDocument("the client's document is larger than %d bytes, or did not come in time", maxDocument)
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
	return client{id: said.ID, name: cleanName(said.Name), redirects: said.RedirectURIs, host: u.Host}, nil
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

// fetcher returns a client that reaches the public internet alone: it looks at
// the very addresses that it is about to call, so that a name which changes its
// answer gains nothing, follows no redirect, and asks no proxy.
func fetcher(c Config) *http.Client {
	lookup := c.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	dial := c.Dial
	if dial == nil {
		dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		}
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
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
			addrs, err := lookup(ctx, host)
			if err != nil {
				return nil, err
			}
			if len(addrs) == 0 {
				return nil, fmt.Errorf("%q has no address", host)
			}
			for _, a := range addrs {
				if !isPublic(a) {
					return nil, badDocument("%s is at an address that is not on the public internet", host)
				}
			}
			var conn net.Conn
			for _, a := range addrs {
				if conn, err = dial(ctx, netip.AddrPortFrom(a.Unmap(), uint16(number))); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    documentTime,
		MaxResponseHeaderBytes: maxHeaderOfThem,
		TLSClientConfig:        tlsConfig(c.RootCAs),
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
