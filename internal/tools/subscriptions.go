package tools

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// How often things happen to those who listen.
const (
	// tellPause is between two rounds of news for one listener, who hears of
	// what changed meanwhile once.
	tellPause = 250 * time.Millisecond
	// watchPause is before a store that failed to tell of changes is asked again.
	watchPause = 5 * time.Second
)

// subscriptions tells those who listen, by subscriptions/listen of 2026-07-28,
// that a store or product is not what they read. All of them share one watch
// of the store, which lasts from the first listener to the last.
//
// Mcp-go acknowledges what was asked for and holds the stream open, and sends
// nothing by itself.
type subscriptions struct {
	*handler
	tellPause, watchPause time.Duration

	mu        sync.Mutex
	listeners map[*listener]struct{}
	watching  chan struct{}      // closed once the watch has begun, or failed to
	unwatch   context.CancelFunc // ends the watch; nil while nobody listens
}

// listener is one who listens. Its news are a mark for each URI, so that they
// take no more room the longer somebody does not read them.
type listener struct {
	uris  []string      // as the client wrote them
	named []string      // the same as uriOf writes them
	stale []bool        // which of them the client has to hear about; subscriptions.mu guards it
	news  chan struct{} // has one where some are stale
	shop  string        // the ID of the only one that it may hear of, or ""
	seen  []string      // where shop is set, what the products were when the client last heard of them
}

func newSubscriptions(h *handler) *subscriptions {
	return &subscriptions{
		handler: h, tellPause: tellPause, watchPause: watchPause,
		listeners: make(map[*listener]struct{}),
	}
}

// hook has mcp-go call s.
func (s *subscriptions) hook(hooks *mcpserver.Hooks) {
	hooks.AddBeforeSubscriptionsListen(s.listen)
	hooks.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		// Before 2026-07-28 one subscribes to resources in a session, and there are none.
		result.Capabilities.Resources.Subscribe = false
	})
}

// listen begins to tell a client of what it may listen to, and has mcp-go
// acknowledge that alone. IDs are not looked up: what is not there today may
// come with the next import. Whoever is held to one shop hears of that shop,
// and of a product where it changed for them.
func (s *subscriptions) listen(ctx context.Context, id any, q *mcp.SubscriptionsListenRequest) {
	if !s.mayRead(ctx) {
		q.Params.Notifications.ResourceSubscriptions = nil
	}
	l := newListener(store.CallerFrom(ctx).Shop, q.Params.Notifications.ResourceSubscriptions)
	q.Params.Notifications = mcp.SubscriptionFilter{ResourceSubscriptions: l.uris}
	session := mcpserver.ClientSessionFromContext(ctx)
	if len(l.uris) == 0 || session == nil {
		return
	}
	watching := s.add(l)
	context.AfterFunc(ctx, func() { s.drop(l) })
	select {
	case <-watching: // whatever changes after the acknowledgement is told
	case <-ctx.Done():
	}
	for i := range l.seen {
		l.seen[i], _ = s.look(ctx, l.named[i])
	}
	go s.tell(ctx, l, id, session.NotificationChannel())
}

// newListener returns one who listens to those of the URIs that name a product
// or a store, which is the given shop unless that is "", each of them once.
func newListener(shop string, uris []string) *listener {
	l := &listener{news: make(chan struct{}, 1), shop: shop}
	for _, uri := range uris {
		name := ""
		if id := idOf(uri, storeScheme); id != "" {
			if shop != "" && id != shop {
				continue
			}
			name = uriOf(storeScheme, id)
		} else if id := idOf(uri, productScheme); id != "" {
			name = uriOf(productScheme, id)
		}
		if name != "" && !slices.Contains(l.uris, uri) {
			l.uris = append(l.uris, uri)
			l.named = append(l.named, name)
		}
	}
	l.stale = make([]bool, len(l.uris))
	if shop != "" {
		l.seen = make([]string, len(l.uris))
	}
	return l
}

// add adds a listener, and watches the store if nobody listened before. It
// returns a channel that is closed once nothing escapes the watch.
func (s *subscriptions) add(l *listener) (watching <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners[l] = struct{}{}
	if s.unwatch == nil {
		var ctx context.Context
		ctx, s.unwatch = context.WithCancel(context.Background())
		s.watching = make(chan struct{})
		go s.watch(ctx, s.watching)
	}
	return s.watching
}

func (s *subscriptions) drop(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	if len(s.listeners) == 0 {
		s.unwatch()
		s.unwatch = nil
	}
}

// watch watches the store until ctx ends, whatever becomes of a single try.
// It closes watching when the first one has begun.
func (s *subscriptions) watch(ctx context.Context, watching chan<- struct{}) {
	begun := sync.OnceFunc(func() { close(watching) })
	missed := false
	for {
		err := s.watchOnce(ctx, func(c store.Changes) {
			c.All = c.All || missed
			missed = false
			s.mark(c)
			begun()
		})
		begun()
		if ctx.Err() != nil {
			return
		}
		missed = true
		s.log.ErrorContext(ctx, "the store no longer tells of changes; trying again", "in", s.watchPause, "error", err)
		select {
		case <-time.After(s.watchPause):
		case <-ctx.Done():
			return
		}
	}
}

func (s *subscriptions) watchOnce(ctx context.Context, f func(store.Changes)) (err error) {
	defer s.rescue(ctx, "watching the store", &err)
	return s.store.Watch(ctx, f)
}

// mark marks what changed as stale for everyone who listens to it.
func (s *subscriptions) mark(c store.Changes) {
	changed := make(map[string]bool, len(c.Shops)+len(c.Products))
	for _, id := range c.Shops {
		changed[uriOf(storeScheme, id)] = true
	}
	for _, id := range c.Products {
		changed[uriOf(productScheme, id)] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		some := false
		for i, name := range l.named {
			if c.All || changed[name] {
				l.stale[i], some = true, true
			}
		}
		if some {
			select {
			case l.news <- struct{}{}:
			default: // it has not taken the last ones yet
			}
		}
	}
}

// take returns which URIs of l are stale, and are not any longer.
func (s *subscriptions) take(l *listener) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var stale []int
	for i := range l.uris {
		if l.stale[i] {
			stale = append(stale, i)
			l.stale[i] = false
		}
	}
	return stale
}

// concerns reports whether l is to hear that its i-th URI is stale. A change of
// a product does not say where it was, so that for a client that is held to one
// shop only another look tells.
func (s *subscriptions) concerns(ctx context.Context, l *listener, i int) bool {
	if l.shop == "" || idOf(l.named[i], productScheme) == "" {
		return true
	}
	now, ok := s.look(ctx, l.named[i])
	if ok && now == l.seen[i] {
		return false
	}
	l.seen[i] = now
	return true
}

// look returns what a client reads at uri, "" where that is nothing. It reports
// false where the store failed.
func (s *subscriptions) look(ctx context.Context, uri string) (read string, ok bool) {
	var err error
	defer s.rescue(ctx, uri, &err)
	data, err := s.resource(ctx, uri)
	if errors.Is(err, store.ErrNotFound) {
		return "", true
	}
	var b []byte
	if err == nil {
		b, err = json.Marshal(data)
	}
	if err != nil {
		_ = s.failed(ctx, uri, err)
	}
	return string(b), err == nil
}

// tell sends l's news to its client until ctx ends. A client that is slow to
// read holds up nobody else.
func (s *subscriptions) tell(ctx context.Context, l *listener, id any, to chan<- mcp.JSONRPCNotification) {
	for {
		select {
		case <-l.news:
		case <-ctx.Done():
			return
		}
		for _, i := range s.take(l) {
			if !s.concerns(ctx, l, i) {
				continue
			}
			select {
			case to <- resourceUpdated(l.uris[i], id):
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(s.tellPause):
		case <-ctx.Done():
			return
		}
	}
}

// resourceUpdated is a notification for the listen of the given ID.
func resourceUpdated(uri string, id any) mcp.JSONRPCNotification {
	return mcp.JSONRPCNotification{
		JSONRPC: mcp.JSONRPC_VERSION,
		Notification: mcp.Notification{
			Method: mcp.MethodNotificationResourceUpdated,
			Params: mcp.NotificationParams{
				Meta:             map[string]any{mcp.MetaKeySubscriptionID: id},
				AdditionalFields: map[string]any{"uri": uri},
			},
		},
	}
}
