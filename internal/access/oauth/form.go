package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"mime"
	"net/http"
	"strings"
	"time"
)

// A form counts only in the browser that it was shown in, for the request that
// it was shown for, and for a while: it carries an HMAC over a nonce that only
// that browser has in a cookie, the request, and the end of that time. Nothing
// else is kept of who is signed in: nobody is.

// formTime is how long a page may be thought about.
const formTime = 30 * time.Minute

const formSize = 8 + sha256.Size

// cookieName is what the nonce's cookie is called. The prefix __Host- keeps
// other hosts of the same domain from setting it; on loopback, where there is
// no TLS, browsers do not know it.
func (s *Server) cookieName() string {
	if s.secure() {
		return "__Host-mcpstore"
	}
	return "mcpstore"
}

func (s *Server) secure() bool { return strings.HasPrefix(s.config.URL(), "https://") }

func (s *Server) setCookie(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: age,
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// newForm gives the browser a new nonce and returns what the form carries.
func (s *Server) newForm(w http.ResponseWriter, r *http.Request, q *request) (string, error) {
	nonce := rand.Text()
	until := s.now().Add(formTime).Unix()
	mac, err := s.formMAC(r, q, nonce, until)
	if err != nil {
		return "", err
	}
	s.setCookie(w, nonce, int(formTime.Seconds()))
	raw := binary.BigEndian.AppendUint64(nil, uint64(until))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac...)), nil
}

// forgetForm takes the nonce from the browser again.
func (s *Server) forgetForm(w http.ResponseWriter) { s.setCookie(w, "", -1) }

func (s *Server) formMAC(r *http.Request, q *request, nonce string, until int64) ([]byte, error) {
	key, err := s.config.Store.Secret(r.Context(), "consent forms")
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(until)))
	for _, part := range []string{s.config.URL(), nonce, q.query} {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		m.Write([]byte(part))
	}
	return m.Sum(nil), nil
}

// checkForm reads the form that was sent and returns why it does not count, or
// "".
func (s *Server) checkForm(w http.ResponseWriter, r *http.Request, q *request) string {
	if origin := r.Header.Get("Origin"); !strings.EqualFold(origin, siteOf(s.config.URL())) {
		return "another origin"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return "another site"
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return "no form"
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return "a damaged form"
	}
	cookies := r.CookiesNamed(s.cookieName())
	if len(cookies) != 1 || cookies[0].Value == "" {
		return "no cookie"
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(r.PostForm.Get("form"))
	if err != nil || len(raw) != formSize {
		return "no seal"
	}
	until := int64(binary.BigEndian.Uint64(raw))
	want, err := s.formMAC(r, q, cookies[0].Value, until)
	if err != nil || !hmac.Equal(want, raw[8:]) {
		return "a seal that does not fit"
	}
	if s.now().Unix() >= until {
		return "too old"
	}
	return ""
}
