package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// cache remembers what exact names stand for, which every question about
// stock begins with, and the numbers of rows and the shops that it is answered
// with. It never holds levels. What this process writes it forgets at once,
// what another one writes within a fraction of a second.
type cache struct {
	wrote   signal  // somebody wrote
	lapses  *lapses // which are read anew when somebody wrote
	answers *lru.Cache[any, answer]
	version atomic.Uint64 // counts changes; an answer of an older one is none

	index    *walIndex
	checked  atomic.Int64 // when it last was asked whether others wrote
	checking sync.Mutex
	seen     walHeader // what the index said then
}

type answer struct {
	version uint64
	value   any
}

const (
	cacheSize     = 4096 // answers, of a kilobyte or so
	cacheTextSize = 256  // longer questions are not remembered
	cacheCheck    = 200 * time.Millisecond
)

func newCache(index *walIndex, lapses *lapses) (*cache, error) {
	answers, err := lru.New[any, answer](cacheSize)
	if err != nil {
		return nil, err
	}
	return &cache{answers: answers, index: index, lapses: lapses}, nil
}

// forget is called after each commit of this process, except where moved is.
func (c *cache) forget() {
	c.version.Add(1)
	c.answers.Purge()
	c.moved(true)
}

// moved is called after a commit of this process that changed levels alone, and
// reservations where held is set. Nothing of that is remembered.
func (c *cache) moved(held bool) {
	if held {
		c.lapses.version.Add(1)
	}
	c.wrote.tell()
}

// keep has c remember through the commit between before and after, which was
// this process's and changed nothing of what is remembered.
func (c *cache) keep(before, after walHeader) {
	c.checking.Lock()
	defer c.checking.Unlock()
	if c.seen == before {
		c.seen = after
	}
}

// forgetIfOthersWrote looks now and then whether the file was changed.
func (c *cache) forgetIfOthersWrote() {
	if time.Now().UnixNano()-c.checked.Load() < int64(cacheCheck) || !c.checking.TryLock() {
		return
	}
	defer c.checking.Unlock()
	c.check()
}

// check looks whether the file was changed, and reports whether that can be
// seen at all. The caller holds c.checking.
func (c *cache) check() (ok bool) {
	now := time.Now().UnixNano()
	header, ok := c.index.header()
	if !ok || header != c.seen {
		c.seen = header
		c.forget()
	}
	c.checked.Store(now)
	return ok
}

// current asks with remembered numbers of rows. If that finds nothing, it may
// be since the rows were replaced meanwhile and have new numbers, so it makes
// sure, and asks again.
func (c *cache) current(ask func() error) error {
	for {
		version := c.version.Load()
		err := ask()
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		c.checking.Lock()
		ok := c.check()
		c.checking.Unlock()
		if !ok || c.version.Load() == version {
			return err
		}
	}
}

// remembered returns what ask answers, from memory if it was asked before. The
// answer is shared: copy it before giving it away.
func remembered[K comparable, V any](c *cache, key K, text string, ask func() (V, error)) (V, error) {
	if len(text) > cacheTextSize {
		return ask()
	}
	c.forgetIfOthersWrote()
	version := c.version.Load()
	if a, ok := c.answers.Get(key); ok && a.version == version {
		return a.value.(V), nil
	}
	v, err := ask()
	if err == nil {
		c.answers.Add(key, answer{version, v})
	}
	return v, err
}

// What finds the number of a row. Numbers are never given out twice, so an old
// one finds nothing rather than something else.
const (
	productNum = `SELECT num FROM products WHERE id = ?`
	shopNum    = `SELECT num FROM shops WHERE id = ?`
	chainNum   = `SELECT num FROM chains WHERE name = ?`
)

// num returns the number of the row that query finds by its ID, or
// [sql.ErrNoRows].
func (db *DB) num(ctx context.Context, query, id string) (int64, error) {
	type key struct{ query, id string }
	return remembered(db.recent, key{query, id}, id, func() (num int64, err error) {
		err = db.queryRow(ctx, query, id).Scan(&num)
		return num, err
	})
}
