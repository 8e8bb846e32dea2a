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

// codes holds the one-time code that the owner is shown, where there is no
// passphrase. One is good for whichever client the owner types it for.
type codes struct {
	mu      sync.Mutex
	code    string // "" before the first
	expires time.Time
	shown   map[string]bool // by client and redirect host
}

// offerCode makes sure that there is a code, and shows it for a client that
// has not been named with it before.
func (s *Server) offerCode(ctx context.Context, q *request) error {
	c := &s.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	holds, err := s.codeHolds(ctx)
	if err != nil {
		return err
	}
	if !holds {
		if err := s.newCode(ctx); err != nil {
			return err
		}
	}
	who := q.client.label() + " " + redirectHost(q.redirect)
	if c.shown[who] || len(c.shown) >= maxNotices {
		return nil
	}
	c.shown[who] = true
	s.config.ShowCode(Notice{Code: c.code, Client: q.client.label(), RedirectHost: redirectHost(q.redirect), Expires: c.expires})
	return nil
}

// codeHolds reports whether the code is worth typing: another replica may have
// taken it. It is called with s.codes locked.
func (s *Server) codeHolds(ctx context.Context) (bool, error) {
	if s.codes.code == "" {
		return false, nil
	}
	hash, err := s.codeHash(ctx, s.codes.code)
	if err != nil {
		return false, err
	}
	t, err := s.config.Store.Token(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && t.Holds(s.now().Add(time.Minute)), err
}

// newCode makes a new code, with s.codes locked.
func (s *Server) newCode(ctx context.Context) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1e8))
	if err != nil {
		return err
	}
	code := fmt.Sprintf("%04d-%04d", n.Int64()/1e4, n.Int64()%1e4)
	hash, err := s.codeHash(ctx, code)
	if err != nil {
		return err
	}
	expires := s.now().Add(onceTime)
	if _, err := s.config.Store.AddToken(ctx, store.Token{Kind: store.OneTimeCode, Hash: hash, ExpiresAt: expires}); err != nil {
		return err
	}
	s.codes.code, s.codes.expires, s.codes.shown = code, expires, make(map[string]bool)
	return nil
}

// codeHash keys the hash, since there are only so many codes.
func (s *Server) codeHash(ctx context.Context, code string) (hash store.Hash, err error) {
	key, err := s.config.Store.Secret(ctx, "one-time codes")
	if err != nil {
		return hash, err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)))
	return store.Hash(m.Sum(nil)), nil
}

// redeemCode uses a code up, whichever replica showed it.
func (s *Server) redeemCode(ctx context.Context, typed string) error {
	if s.config.ShowCode == nil || len(typed) > 20 {
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
