package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

const (
	onceTime   = 10 * time.Minute
	maxNotices = 10 // of one code: a terminal is no place for a flood
)

// codes are the one-time codes that the owner is shown. One is good for
// whichever client the owner types it for.
type codes struct {
	mu sync.Mutex
	// short stands in for a passphrase, where there is none. Wrong ones are
	// counted, since it could be guessed.
	short shownCode
	// long opens the page while it is locked after too many wrong attempts. It
	// has 60 bits, so that it cannot be guessed and no lock holds it up.
	long shownCode
}

// shownCode is a code that the owner was shown.
type shownCode struct {
	text    string // "" before the first
	expires time.Time
	clients map[string]bool // that it was shown for, by name and redirect host
}

// offerCode makes sure that there is a short or a long code, and shows it for a
// client that has not been named with it before.
func (s *Server) offerCode(ctx context.Context, q *request, long bool) error {
	s.codes.mu.Lock()
	defer s.codes.mu.Unlock()
	c, text := &s.codes.short, newShortCode
	if long {
		c, text = &s.codes.long, newLongCode
	}
	holds, err := s.codeHolds(ctx, c)
	if err != nil {
		return err
	}
	if !holds {
		if *c, err = s.newCode(ctx, text()); err != nil {
			return err
		}
	}
	who := q.client.label() + " " + redirectHost(q.redirect)
	if c.clients[who] || len(c.clients) >= maxNotices {
		return nil
	}
	c.clients[who] = true
	s.config.ShowCode(Notice{Code: c.text, Client: q.client.label(), RedirectHost: redirectHost(q.redirect), Expires: c.expires})
	return nil
}

// codeHolds reports whether a code is worth typing: another replica may have
// redeemed it. It is called with s.codes locked.
func (s *Server) codeHolds(ctx context.Context, c *shownCode) (bool, error) {
	if c.text == "" {
		return false, nil
	}
	hash, err := s.codeHash(ctx, c.text)
	if err != nil {
		return false, err
	}
	t, err := s.config.Store.Token(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && t.Holds(s.now().Add(time.Minute)), err
}

func newShortCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1e8))
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	return fmt.Sprintf("%04d-%04d", n.Int64()/1e4, n.Int64()%1e4)
}

// longCodeSize is the number of letters and digits of a long code.
const longCodeSize = 12

func newLongCode() string {
	text := rand.Text()
	return text[:4] + "-" + text[4:8] + "-" + text[8:longCodeSize]
}

// isLongCode reports whether typed has the form of a long code.
func isLongCode(typed string) bool {
	return len(typed) <= maxCode && len(plainCode(typed)) == longCodeSize
}

// newCode keeps a code.
func (s *Server) newCode(ctx context.Context, text string) (shownCode, error) {
	hash, err := s.codeHash(ctx, text)
	if err != nil {
		return shownCode{}, err
	}
	expires := s.now().Add(onceTime)
	_, err = s.config.Store.AddToken(ctx, store.Token{Kind: store.OneTimeCode, Hash: hash, ExpiresAt: expires})
	return shownCode{text, expires, make(map[string]bool)}, err
}

// maxCode bounds a code as people type it, in bytes.
const maxCode = 20

// plainCode is a code without what people type between its parts.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// codeHash keys the hash, since there are only so many codes.
func (s *Server) codeHash(ctx context.Context, code string) (hash store.Hash, err error) {
	key, err := s.config.Store.Secret(ctx, "one-time codes")
	if err != nil {
		return hash, err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(plainCode(code)))
	return store.Hash(m.Sum(nil)), nil
}

// redeemCode uses a code up, whichever replica showed it.
func (s *Server) redeemCode(ctx context.Context, typed string) error {
	if s.config.ShowCode == nil || len(typed) > maxCode {
		return errWrong
	}
	hash, err := s.codeHash(ctx, typed)
	if err != nil {
		return err
	}
	err = s.config.Store.Redeem(ctx, hash)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrSpent) {
		return errWrong
	}
	return err
}
