package storetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// model is a ledger in memory, in the plainest way: what package store promises,
// without a thought for speed. Movements and reservations have the IDs that the
// store under test gave them.
type model struct {
	shops, products []string
	levels          map[at]modelLevel
	reservations    []store.Reservation // in the order of being made
	movements       []store.Movement
	keys            map[string]modelKey
	tokens          map[string]bool
}

type at struct{ shop, product string }

type modelLevel struct {
	store.Level
	lots map[store.Date]int64
}

type modelKey struct {
	content string
	receipt store.Receipt
}

func newModel(c store.Catalog) *model {
	m := &model{levels: map[at]modelLevel{}, keys: map[string]modelKey{}, tokens: map[string]bool{}}
	for _, s := range c.Shops {
		m.shops = append(m.shops, s.ID)
	}
	for _, p := range c.Products {
		m.products = append(m.products, p.ID)
	}
	for _, l := range c.Levels {
		m.levels[at{l.ShopID, l.ProductID}] = modelLevel{Level: store.Level{OnHand: l.OnHand, AsOf: l.AsOf}}
	}
	return m
}

func (m *model) clone() *model {
	c := *m
	c.levels = map[at]modelLevel{}
	for at, l := range m.levels {
		l.lots = maps.Clone(l.lots)
		c.levels[at] = l
	}
	c.reservations, c.movements = slices.Clone(m.reservations), slices.Clone(m.movements)
	c.keys, c.tokens = maps.Clone(m.keys), maps.Clone(m.tokens)
	return &c
}

// lapse ends what is over at a time.
func (m *model) lapse(now time.Time) {
	for i, r := range m.reservations {
		if r.State == store.Held && !r.Until.After(now) {
			m.reservations[i].State, m.reservations[i].EndedAt = store.Lapsed, r.Until
			at := at{r.ShopID, r.ProductID}
			l := m.levels[at]
			l.Reserved -= r.Quantity
			l.AsOf = later(l.AsOf, r.Until)
			m.levels[at] = l
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// change is what a model does in answer to one request. Movements and a
// reservation that it makes have no IDs yet.
type change struct {
	*model
	now     time.Time
	by      store.Caller
	reason  store.Reason
	note    string
	once    store.Once
	touched []at
	before  map[at]modelLevel
	known   map[at]bool
	receipt store.Receipt
}

// do returns what the model is after a request, and what the answer to it is.
func (m *model) do(now time.Time, by store.Caller, request any) (*model, store.Receipt, error) {
	c := &change{model: m.clone(), now: now, by: by, before: map[at]modelLevel{}, known: map[at]bool{}}
	c.lapse(now)
	var run func() error
	switch r := request.(type) {
	case store.Move:
		c.reason, c.note, c.once, r.Once = r.Reason, r.Note, r.Once, store.Once{}
		request, run = r, func() error { return c.move(r) }
	case store.Count:
		c.reason, c.note, c.once, r.Once = store.Counted, r.Note, r.Once, store.Once{}
		request, run = r, func() error { return c.count(r) }
	case store.Transfer:
		if r.FromShopID == r.ToShopID {
			return m, store.Receipt{}, &store.InvalidError{}
		}
		c.reason, c.note, c.once, r.Once = store.Transferred, r.Note, r.Once, store.Once{}
		request, run = r, func() error { return c.transfer(r) }
	case store.Reserve:
		c.note, c.once, r.Once = r.Note, r.Once, store.Once{}
		request, run = r, func() error { return c.reserve(r) }
	case store.Release:
		c.once, r.Once = r.Once, store.Once{}
		request, run = r, func() error { return c.release(r) }
	case store.Undo:
		c.reason, c.note, c.once, r.Once = store.Correction, r.Note, r.Once, store.Once{}
		request, run = r, func() error { return c.undo(r) }
	}
	key, content := fmt.Sprintf("%q %q", by.ID, c.once.Key), fmt.Sprintf("%#v", request)
	if first, ok := m.keys[key]; ok && c.once.Key != "" {
		if first.content != content {
			return m, store.Receipt{}, store.ErrConflict
		}
		first.receipt.Replayed = true
		return m, first.receipt, nil
	}
	if c.once.Token != "" {
		if m.tokens[c.once.Token] {
			return m, store.Receipt{}, store.ErrConflict
		}
		c.tokens[c.once.Token] = true
	}
	if err := run(); err != nil {
		return m, store.Receipt{}, err
	}
	for _, at := range c.touched {
		l := c.levels[at]
		l.AsOf = later(l.AsOf, now)
		c.levels[at] = l
		c.receipt.Levels = append(c.receipt.Levels, store.LevelChange{ShopID: at.shop, ProductID: at.product,
			Before: c.before[at].Level, After: l.Level, New: !c.known[at]})
	}
	if c.once.DryRun {
		return m, c.receipt, nil
	}
	if c.once.Key != "" {
		c.keys[key] = modelKey{content, c.receipt}
	}
	return c.model, c.receipt, nil
}

// identify gives what a change made the IDs that it got in receipt.
func (m *model) identify(by store.Caller, key string, receipt store.Receipt) {
	for _, got := range receipt.Movements {
		m.movements = append(m.movements, got)
		if i := slices.IndexFunc(m.movements, func(x store.Movement) bool { return x.ID == got.Reverses }); i >= 0 {
			m.movements[i].ReversedBy = got.ID
		}
	}
	if r := receipt.Reservation; r != nil && r.State == store.Held {
		m.reservations[len(m.reservations)-1].ID = r.ID
	}
	if key != "" {
		name := fmt.Sprintf("%q %q", by.ID, key)
		m.keys[name] = modelKey{m.keys[name].content, receipt}
	}
}

// touch makes sure that there are such a shop and product, and that it is
// carried if it must be.
func (c *change) touch(at at, mustBeCarried bool) error {
	if !slices.Contains(c.shops, at.shop) || !slices.Contains(c.products, at.product) {
		return store.ErrNotFound
	}
	l, carried := c.levels[at]
	if mustBeCarried && !carried {
		return store.ErrNotFound
	}
	if !slices.Contains(c.touched, at) {
		c.touched = append(c.touched, at)
		c.before[at], c.known[at] = l, carried
		if !carried {
			c.levels[at] = modelLevel{}
		}
	}
	return nil
}

// shift moves a lot at one place. Reserved is what was, where that changed too.
func (c *change) shift(at at, expiry store.Date, delta, reserved, reverses int64) error {
	l := c.levels[at]
	m := store.Movement{At: c.now, ShopID: at.shop, ProductID: at.product, Expiry: expiry, Delta: delta, Reason: c.reason,
		Note: c.note, Actor: c.by.ID, Client: c.by.Client, Key: c.once.Key, Reverses: reverses,
		Before: store.Level{OnHand: l.OnHand, Reserved: reserved}}
	l.OnHand += delta
	if l.OnHand > store.MaxQuantity {
		return &store.InvalidError{}
	}
	if expiry != "" {
		if l.lots == nil {
			l.lots = map[store.Date]int64{}
		}
		if l.lots[expiry] += delta; l.lots[expiry] == 0 {
			delete(l.lots, expiry)
		}
	}
	m.After = store.Level{OnHand: l.OnHand, Reserved: l.Reserved}
	c.levels[at] = l
	c.receipt.Movements = append(c.receipt.Movements, m)
	return nil
}

// take takes n, and returns how much of which lot.
func (c *change) take(at at, n, reserved int64, expiry store.Date) ([]store.Lot, error) {
	l := c.levels[at]
	lots := l.list()
	if expiry != "" {
		lots = slices.DeleteFunc(lots, func(l store.Lot) bool { return l.Expiry != expiry })
		if len(lots) == 0 || lots[0].OnHand < n {
			short := &store.InsufficientError{ShopID: at.shop, ProductID: at.product, Expiry: expiry, Asked: n, Level: l.Level}
			if len(lots) > 0 {
				short.Lot = lots[0].OnHand
			}
			return nil, short
		}
	}
	if n > l.Available() {
		return nil, &store.InsufficientError{ShopID: at.shop, ProductID: at.product, Asked: n, Level: l.Level}
	}
	var taken []store.Lot
	for _, lot := range append(lots, store.Lot{OnHand: l.undated()}) {
		if k := min(n, lot.OnHand); k > 0 {
			if err := c.shift(at, lot.Expiry, -k, reserved, 0); err != nil {
				return nil, err
			}
			reserved = l.Reserved
			taken = append(taken, store.Lot{Expiry: lot.Expiry, OnHand: k})
			n -= k
		}
	}
	return taken, nil
}

func (l modelLevel) list() []store.Lot {
	var lots []store.Lot
	for expiry, n := range l.lots {
		lots = append(lots, store.Lot{Expiry: expiry, OnHand: n})
	}
	slices.SortFunc(lots, func(a, b store.Lot) int { return cmp.Compare(a.Expiry, b.Expiry) })
	return lots
}

func (l modelLevel) undated() int64 {
	n := l.OnHand
	for _, lot := range l.lots {
		n -= lot
	}
	return n
}

func (c *change) move(r store.Move) error {
	at := at{r.ShopID, r.ProductID}
	if err := c.touch(at, r.Delta < 0); err != nil {
		return err
	}
	if r.Delta > 0 {
		return c.shift(at, r.Expiry, r.Delta, c.levels[at].Reserved, 0)
	}
	_, err := c.take(at, -r.Delta, c.levels[at].Reserved, r.Expiry)
	return err
}

func (c *change) count(r store.Count) error {
	at := at{r.ShopID, r.ProductID}
	if err := c.touch(at, false); err != nil {
		return err
	}
	l := c.levels[at]
	reserved := l.Reserved
	for i, held := range slices.Backward(c.reservations) {
		if held.ShopID == at.shop && held.ProductID == at.product && held.State == store.Held && l.Reserved > r.Quantity {
			held.State, held.EndedAt = store.Released, c.now
			c.reservations[i] = held
			c.receipt.Released = append(c.receipt.Released, held)
			l.Reserved -= held.Quantity
		}
	}
	c.levels[at] = l
	if r.Quantity >= l.OnHand {
		return c.shift(at, "", r.Quantity-l.OnHand, reserved, 0)
	}
	_, err := c.take(at, l.OnHand-r.Quantity, reserved, "")
	return err
}

func (c *change) transfer(r store.Transfer) error {
	from, to := at{r.FromShopID, r.ProductID}, at{r.ToShopID, r.ProductID}
	if err := c.touch(from, true); err != nil {
		return err
	}
	if err := c.touch(to, false); err != nil {
		return err
	}
	taken, err := c.take(from, r.Quantity, c.levels[from].Reserved, "")
	for _, lot := range taken {
		if err := c.shift(to, lot.Expiry, lot.OnHand, c.levels[to].Reserved, 0); err != nil {
			return err
		}
	}
	return err
}

func (c *change) reserve(r store.Reserve) error {
	at := at{r.ShopID, r.ProductID}
	if err := c.touch(at, true); err != nil {
		return err
	}
	l := c.levels[at]
	if r.Quantity > l.Available() {
		return &store.InsufficientError{ShopID: at.shop, ProductID: at.product, Asked: r.Quantity, Level: l.Level}
	}
	l.Reserved += r.Quantity
	c.levels[at] = l
	made := store.Reservation{ShopID: at.shop, ProductID: at.product, Quantity: r.Quantity, MadeAt: c.now,
		Until: c.now.Add(cmp.Or(r.For, store.DefaultHold)), State: store.Held, Note: r.Note, Actor: c.by.ID, Client: c.by.Client}
	c.reservations = append(c.reservations, made)
	c.receipt.Reservation = &made
	return nil
}

func (c *change) release(r store.Release) error {
	i := slices.IndexFunc(c.reservations, func(x store.Reservation) bool { return x.ID == r.Reservation })
	if i < 0 {
		return store.ErrNotFound
	}
	held := &c.reservations[i]
	switch held.State {
	case store.Lapsed:
		return store.ErrReservationExpired
	case store.Released:
		return store.ErrConflict
	}
	at := at{held.ShopID, held.ProductID}
	if err := c.touch(at, true); err != nil {
		return err
	}
	l := c.levels[at]
	l.Reserved -= held.Quantity
	c.levels[at] = l
	held.State, held.EndedAt = store.Released, c.now
	ended := *held
	c.receipt.Reservation = &ended
	return nil
}

func (c *change) undo(r store.Undo) error {
	i := slices.IndexFunc(c.movements, func(x store.Movement) bool { return x.ID == r.Movement })
	if i < 0 {
		return store.ErrNotFound
	}
	for _, m := range slices.Backward(c.movements) {
		if m.Group != c.movements[i].Group {
			continue
		}
		if m.Reverses != 0 || m.ReversedBy != 0 {
			return store.ErrConflict
		}
		at := at{m.ShopID, m.ProductID}
		if err := c.touch(at, m.Delta > 0); err != nil {
			return err
		}
		l := c.levels[at]
		if m.Delta > 0 {
			if lot := l.lots[m.Expiry]; m.Expiry != "" && lot < m.Delta {
				return &store.InsufficientError{ShopID: at.shop, ProductID: at.product, Expiry: m.Expiry, Asked: m.Delta, Level: l.Level, Lot: lot}
			}
			if m.Delta > l.Available() {
				return &store.InsufficientError{ShopID: at.shop, ProductID: at.product, Asked: m.Delta, Level: l.Level}
			}
			if m.Expiry == "" && m.Delta > l.undated() {
				return store.ErrConflict
			}
		}
		if err := c.shift(at, m.Expiry, -m.Delta, l.Reserved, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// held returns what is held, the first to lapse first.
func (m *model) held() []store.Reservation {
	held := slices.DeleteFunc(slices.Clone(m.reservations), func(r store.Reservation) bool { return r.State != store.Held })
	slices.SortFunc(held, func(a, b store.Reservation) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) })
	return held
}

// total sums the levels of a product in the shops of a chain, which is what
// their IDs begin with.
func (m *model) total(product, chain string) store.Total {
	var t store.Total
	for at, l := range m.levels {
		if at.product == product && strings.HasPrefix(at.shop, chain) {
			t.Shops++
			t.OnHand += l.OnHand
			t.Reserved += l.Reserved
			t.AsOf = later(t.AsOf, l.AsOf)
		}
	}
	return t
}
