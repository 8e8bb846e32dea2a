package sqlite

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/mcpstore/mcpstore/internal/store"
)

// tokenCache remembers the tokens that requests bring, for which each of them
// asks. What anybody revoked counts at once: nothing is answered from memory
// after anybody has committed anything, but for what this process knows to have
// left tokens alone.
type tokenCache struct {
	index *walIndex // nil where it cannot be read: nothing is remembered then

	mu    sync.Mutex
	seen  walHeader // as of which known is true
	known *lru.Cache[store.Hash, store.Token]
}

const tokensKept = 1024

func newTokenCache(index *walIndex) (*tokenCache, error) {
	known, err := lru.New[store.Hash, store.Token](tokensKept)
	if err != nil {
		return nil, err
	}
	return &tokenCache{index: index, known: known}, nil
}

// get returns the token of a hash if it is remembered and nothing was written
// since; and when that was, to call add with if not.
func (c *tokenCache) get(hash store.Hash) (at walHeader, t store.Token, ok bool) {
	at, ok = c.index.header()
	if !ok {
		return at, t, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at != c.seen {
		c.seen = at
		c.known.Purge()
	}
	t, ok = c.known.Get(hash)
	return at, t, ok
}

// add remembers a token that was read after get said when that was.
func (c *tokenCache) add(at walHeader, t store.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at == c.seen && at != (walHeader{}) {
		c.known.Add(t.Hash, t)
	}
}

// keep has c remember through the commit between before and after, which was
// this process's, but for the tokens that it touched. A nil touched is none.
func (c *tokenCache) keep(before, after walHeader, touched func(store.Token) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen != before {
		return
	}
	c.seen = after
	if touched == nil {
		return
	}
	for _, hash := range c.known.Keys() {
		if t, ok := c.known.Peek(hash); ok && touched(t) {
			c.known.Remove(hash)
		}
	}
}
