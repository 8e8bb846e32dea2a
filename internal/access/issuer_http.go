package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// longestDocument is how much of an issuer's answer is read.
const longestDocument = 1 << 20

// pacedTransport fetches an issuer's documents, each once in a while and one
// at a time: no flood of bad tokens becomes one of questions to the issuer.
// Until then the document is what it was.
type pacedTransport struct {
	next http.RoundTripper
	now  func() time.Time

	mu  sync.Mutex
	had map[string]document // by URL, of which there are two
}

// document is what came of fetching one.
type document struct {
	at   time.Time
	body []byte
	err  error
}

func (t *pacedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	url := r.URL.String()
	d, ok := t.had[url]
	if !ok || t.now().Sub(d.at) >= issuerPace {
		d.body, d.err = t.fetch(r)
		d.at = t.now()
		t.had[url] = d
	}
	if d.err != nil {
		return nil, d.err
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Status:     "200 OK",
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(d.body)),
		Request:    r,
	}, nil
}

func (t *pacedTransport) fetch(r *http.Request) ([]byte, error) {
	if !secure(r.URL) {
		return nil, errors.New("it is not https")
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // be it a redirect
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestDocument+1))
	if err == nil && len(body) > longestDocument {
		err = fmt.Errorf("it is longer than %d bytes", longestDocument)
	}
	return body, err
}
