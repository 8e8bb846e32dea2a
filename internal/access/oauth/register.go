package oauth

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Bounds of what a client says of itself.
const (
	maxBody      = 16 << 10 // bytes
	maxRedirects = 10
	maxName      = 80  // characters
	maxUngranted = 500 // clients that nobody let in
)

// registration is what a client says of itself (RFC 7591, section 2), and what
// it is told in turn (section 3.2.1).
type registration struct {
	ID            string   `json:"client_id,omitempty"`
	IssuedAt      int64    `json:"client_id_issued_at,omitempty"`
	Name          string   `json:"client_name,omitempty"`
	URI           string   `json:"client_uri,omitempty"`
	RedirectURIs  []string `json:"redirect_uris"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	Scope         string   `json:"scope,omitempty"`
}

// serveRegister registers a client. All are public: what they ask for beside
// that is answered with what they get.
func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) {
	const invalid = "invalid_client_metadata"
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		fail(w, http.StatusBadRequest, invalid, "send the metadata as application/json")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, invalid, fmt.Sprintf("the metadata is larger than %d bytes, or cut off", maxBody))
		return
	}
	var asked registration
	if err := json.Unmarshal(body, &asked); err != nil {
		fail(w, http.StatusBadRequest, invalid, "the metadata is not a JSON object of the form of RFC 7591")
		return
	}
	if err := checkRedirects(asked.RedirectURIs); err != nil {
		fail(w, http.StatusBadRequest, "invalid_redirect_uri", err.Error())
		return
	}
	now := s.now()
	c := store.Client{ID: "client-" + rand.Text(), Name: cleanName(asked.Name), RedirectURIs: asked.RedirectURIs, URI: cleanURI(asked.URI)}
	if names := strings.Fields(asked.Scope); len(names) > 0 {
		c.Scope = cmp.Or(store.KnownScopes(names...), store.ScopeRead).String()
	}
	switch err := s.config.Store.AddClient(r.Context(), c, maxUngranted); {
	case errors.Is(err, store.ErrFull):
		s.log.WarnContext(r.Context(), "refused to register a client: there are as many as may be that nobody let in", "limit", maxUngranted)
		w.Header().Set("Retry-After", fmt.Sprint(int(time.Hour.Seconds())))
		fail(w, http.StatusServiceUnavailable, "temporarily_unavailable", "too many clients have registered that nobody let in; try again later, or use a client-id metadata document")
		return
	case err != nil:
		s.unavailable(w, r, err)
		return
	}
	answer(w, http.StatusCreated, registration{
		ID:            c.ID,
		IssuedAt:      now.Unix(),
		Name:          c.Name,
		URI:           c.URI,
		RedirectURIs:  c.RedirectURIs,
		AuthMethod:    "none",
		GrantTypes:    []string{"authorization_code", "refresh_token"},
		ResponseTypes: []string{"code"},
		Scope:         s.config.Offered.String(), // that it may ask for, whatever it registered
	})
}

// checkRedirects returns what is wrong with the redirect URIs of a client.
func checkRedirects(uris []string) error {
	switch n := len(uris); {
	case n == 0:
		return errors.New("redirect_uris is missing")
	case n > maxRedirects:
		return fmt.Errorf("there are more than %d redirect_uris", maxRedirects)
	}
	for i, uri := range uris {
		if err := checkRedirect(uri); err != nil {
			return fmt.Errorf("redirect_uris[%d] cannot be taken: %w", i, err)
		}
	}
	return nil
}

// blank are characters that count as letters or symbols and show nothing.
const blank = "\u2800\u115f\u1160\u3164\uffa0"

// quotes are characters that look like quotation marks, beside those that
// Unicode calls so. Apostrophes are for themselves.
const (
	quotes      = "`´″‴⁗‶‷ʺˮ˝״〃❛❜❝❞❟❠🙶🙷🙸⌈⌉⌊⌋⌜⌝⌞⌟⸢⸣⸤⸥"
	apostrophes = "'’ʼ"
)

// maxMarks is how many marks one letter may carry, in any writing that there is.
const maxMarks = 3

// cleanName returns a client's name as one line that shows all that it says, and
// that cannot end the quotation in which a page shows it.
func cleanName(name string) string {
	marks := 0
	runes := []rune(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsGraphic(r) || strings.ContainsRune(blank, r) ||
			unicode.In(r, unicode.Bidi_Control, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		case strings.ContainsRune(apostrophes, r):
		case unicode.Is(unicode.Quotation_Mark, r) || strings.ContainsRune(quotes, r):
			return -1
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks {
				return -1
			}
			return r
		}
		marks = 0
		return r
	}, strings.ToValidUTF8(name, "")))
	// An apostrophe is one within a word alone: two, or one at an end, are
	// quotation marks.
	letter := func(i int) bool { return i >= 0 && i < len(runes) && unicode.In(runes[i], unicode.L, unicode.N) }
	var clean []rune
	for i, r := range runes {
		if !strings.ContainsRune(apostrophes, r) || letter(i-1) && letter(i+1) {
			clean = append(clean, r)
		}
	}
	clean = []rune(strings.Join(strings.Fields(string(clean)), " "))
	if len(clean) > maxName {
		return string(clean[:maxName]) + "…"
	}
	return string(clean)
}

// cleanURI returns a client's home page, or "" where it is none to be shown.
func cleanURI(uri string) string {
	if !strings.HasPrefix(uri, "https://") || checkRedirect(uri) != nil {
		return ""
	}
	return uri
}
