package tools

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// watchStore is a store that can only be watched.
type watchStore struct {
	store.Stock
	watches chan watch // gets one for each Watch
	begin   func()     // if set, what Watch does first
}

func newWatchStore() *watchStore { return &watchStore{watches: make(chan watch, 100)} }

// watch is a call of Watch.
type watch struct {
	ctx  context.Context
	tell func(store.Changes)
	end  chan<- any // makes Watch return an error, or panic with anything else
}

func (s *watchStore) Watch(ctx context.Context, f func(store.Changes)) error {
	end := make(chan any)
	if s.begin != nil {
		s.begin()
	}
	s.watches <- watch{ctx, f, end}
	f(store.Changes{})
	select {
	case v := <-end:
		if err, ok := v.(error); ok {
			return err
		}
		panic(v)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// session is a client's, as a transport makes it.
type session chan mcp.JSONRPCNotification

func (s session) Initialize()                                         {}
func (s session) Initialized() bool                                   { return true }
func (s session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s }
func (s session) SessionID() string                                   { return "" }

// listenTo opens a listen, and reads its acknowledgement. It returns where
// what follows arrives, and what the client does to leave.
func listenTo(t *testing.T, srv *mcpserver.MCPServer, uris ...string) (heard session, leave context.CancelFunc) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	heard = make(session, 100)
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": map[string]any{
		"notifications": mcp.SubscriptionFilter{ResourceSubscriptions: uris}, "_meta": modern,
	}})
	if err != nil {
		t.Fatal(err)
	}
	go srv.HandleMessage(srv.WithContext(ctx, heard), message)
	if got := <-heard; got.Method != mcp.MethodNotificationSubscriptionsAcknowledged {
		t.Fatalf("the first to come is %s", got.Method)
	}
	return heard, leave
}

// news returns the URIs that s has heard of by now.
func (s session) news() []string {
	synctest.Wait()
	var uris []string
	for {
		select {
		case n := <-s:
			uris = append(uris, n.Params.AdditionalFields["uri"].(string))
		default:
			return uris
		}
	}
}

func TestListenersHearOfWhatTheyListenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		srv := serve(s)
		asWritten := []string{"product://p1", "store://大安", "store://%E5%A4%A7%E5%AE%89", "product://p2", "product://%70%31"}
		heard, leave := listenTo(t, srv, asWritten...)
		other, otherLeaves := listenTo(t, srv, "store://s1")
		w := <-s.watches
		for _, test := range []struct {
			name         string
			changes      store.Changes
			heard, other []string
		}{
			{"nothing", store.Changes{}, nil, nil},
			{"what nobody listens to", store.Changes{Shops: []string{"p1", "x"}, Products: []string{"s1", "大安"}}, nil, nil},
			{"a product", store.Changes{Products: []string{"p2"}}, []string{"product://p2"}, nil},
			{"a product under two names", store.Changes{Products: []string{"p1", "p1"}}, []string{"product://p1", "product://%70%31"}, nil},
			{"a store under two names", store.Changes{Shops: []string{"大安"}}, asWritten[1:3], nil},
			{"both", store.Changes{Shops: []string{"s1"}, Products: []string{"p2"}}, []string{"product://p2"}, []string{"store://s1"}},
			{"everything", store.Changes{All: true}, asWritten, []string{"store://s1"}},
		} {
			time.Sleep(tellPause)
			w.tell(test.changes)
			if diff := cmp.Diff(test.heard, heard.news()); diff != "" {
				t.Errorf("%s changed (-want +got):\n%s", test.name, diff)
			}
			if diff := cmp.Diff(test.other, other.news()); diff != "" {
				t.Errorf("%s changed, says the other (-want +got):\n%s", test.name, diff)
			}
		}
		leave()
		otherLeaves()
	})
}

func TestNewsOfTheSameThingAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		heard, leave := listenTo(t, serve(s), "product://p1", "product://p2")
		w := <-s.watches
		w.tell(store.Changes{Products: []string{"p1"}})
		if got := heard.news(); len(got) != 1 {
			t.Errorf("at the first change: %q", got)
		}
		for range 1000 {
			w.tell(store.Changes{Products: []string{"p1", "p2"}})
		}
		if got := heard.news(); got != nil {
			t.Errorf("right after the last news: %q", got)
		}
		time.Sleep(tellPause)
		if diff := cmp.Diff([]string{"product://p1", "product://p2"}, heard.news()); diff != "" {
			t.Errorf("after a pause (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour)
		if got := heard.news(); got != nil {
			t.Errorf("without a change: %q", got)
		}
		leave()
	})
}

func TestListenerThatDoesNotReadHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		srv := serve(s)
		stalled, leave := listenTo(t, srv, "product://p1")
		other, otherLeaves := listenTo(t, srv, "product://p1")
		w := <-s.watches
		changes := 3 * cap(stalled)
		for i := range changes {
			w.tell(store.Changes{All: true})
			if got := other.news(); len(got) != 1 {
				t.Fatalf("change %d: %q", i, got)
			}
			time.Sleep(tellPause)
		}
		if len(stalled) != cap(stalled) {
			t.Errorf("%d wait to be read, want %d", len(stalled), cap(stalled))
		}
		stalled.news()
		if got := stalled.news(); len(got) > 2 {
			t.Errorf("once it reads again, it hears %d times of one thing", len(got))
		}
		leave()
		otherLeaves()
	})
}

func TestAllListenersShareOneWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		srv := serve(s)
		for range 2 { // the second time it begins anew
			var leave []context.CancelFunc
			for range 20 {
				_, l := listenTo(t, srv, "product://p1", "store://s1")
				leave = append(leave, l)
			}
			synctest.Wait()
			if len(s.watches) != 1 {
				t.Fatalf("%d watches", len(s.watches))
			}
			w := <-s.watches
			for i, l := range leave {
				synctest.Wait()
				if w.ctx.Err() != nil {
					t.Fatalf("the watch ended with %d of the listeners left", len(leave)-i)
				}
				l()
			}
			synctest.Wait()
			if w.ctx.Err() == nil {
				t.Error("the watch goes on with no listener left")
			}
		}
	}) // which fails if a goroutine is left
}

func TestWatchThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		heard, leave := listenTo(t, serve(s), "product://p1", "store://s1")
		for _, end := range []any{errors.New("disk on fire"), "a panic"} {
			w := <-s.watches
			begin := time.Now()
			w.end <- end
			if got := heard.news(); got != nil {
				t.Errorf("after %v at once: %q", end, got)
			}
			w = <-s.watches
			if waited := time.Since(begin); waited != watchPause {
				t.Errorf("after %v it is tried again in %v, want %v", end, waited, watchPause)
			}
			if diff := cmp.Diff([]string{"product://p1", "store://s1"}, heard.news()); diff != "" {
				t.Errorf("after %v (-want +got):\n%s", end, diff)
			}
			w.tell(store.Changes{Products: []string{"p1"}})
			time.Sleep(tellPause)
			if diff := cmp.Diff([]string{"product://p1"}, heard.news()); diff != "" {
				t.Errorf("at a change after %v (-want +got):\n%s", end, diff)
			}
			s.watches <- w
		}
		leave()
	})
}

func TestAcknowledgementWaitsForTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		s.begin = func() { time.Sleep(time.Second) }
		srv := serve(s)
		for _, want := range []time.Duration{time.Second, 0} { // the second one finds the watch there
			begin := time.Now()
			_, leave := listenTo(t, srv, "product://p1")
			defer leave()
			if took := time.Since(begin); took != want {
				t.Errorf("acknowledged after %v, want %v", took, want)
			}
		}
	})
}

func TestWatchThatCannotBeginHoldsUpNoListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWatchStore()
		s.begin = func() { panic("no database") }
		heard, leave := listenTo(t, serve(s), "product://p1")
		defer leave()
		time.Sleep(10 * watchPause)
		if got := heard.news(); got != nil {
			t.Errorf("without a watch: %q", got)
		}
	})
}

func TestOnlyWhatWillBeToldIsAcknowledged(t *testing.T) {
	s := newWatchStore()
	url := serveWhole(t, s)
	tests := []struct{ asked, acknowledged string }{
		{`{"resourceSubscriptions":["store://1","product://茶","store://1","store://%31","store://nobody-has-this"]}`,
			`{"resourceSubscriptions":["store://1","product://茶","store://%31","store://nobody-has-this"]}`},
		{`{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["product://1"]}`,
			`{"resourceSubscriptions":["product://1"]}`},
		{`{"resourceSubscriptions":["file:///etc/passwd","store://","product:1","Store://1","",null,"shop://1","product://1"]}`,
			`{"resourceSubscriptions":["product://1"]}`},
		{`{"resourceSubscriptions":["file:///etc/passwd"]}`, `{}`},
		{`{"resourcesListChanged":true}`, `{}`},
	}
	for _, test := range tests {
		l := listenOver(t, url, test.asked)
		if got := l.next(); got.Method != mcp.MethodNotificationSubscriptionsAcknowledged || string(got.Params.Notifications) != test.acknowledged {
			t.Errorf("%s is acknowledged by %+v", test.asked, got)
		}
		if test.acknowledged == `{}` {
			if got := l.next(); got.Result == nil {
				t.Errorf("%s: the stream goes on with %+v", test.asked, got)
			}
		}
	}
}

func TestSubscribingIsOfferedWhereItWorks(t *testing.T) {
	srv := serve(nil)
	for method, want := range map[string]string{
		"initialize":      `{}`,
		"server/discover": `{"subscribe":true}`,
	} {
		params := map[string]any{"protocolVersion": "2025-11-25"}
		if method == "server/discover" {
			params = map[string]any{"_meta": modern}
		}
		var result struct {
			Capabilities struct{ Resources json.RawMessage }
		}
		if err := json.Unmarshal(rpc(t, srv, method, params).Result, &result); err != nil {
			t.Fatal(err)
		}
		if got := string(result.Capabilities.Resources); got != want {
			t.Errorf("%s offers resources %s, want %s", method, got, want)
		}
	}
}

func TestGoSDKClientSubscribes(t *testing.T) {
	s := newWatchStore()
	updated := make(chan string, 10)
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, &sdk.ClientOptions{
		ResourceUpdatedHandler: func(_ context.Context, q *sdk.ResourceUpdatedNotificationRequest) { updated <- q.Params.URI },
	})
	session, err := c.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: serveWhole(t, s), DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Subscribe(t.Context(), &sdk.SubscribeParams{URI: "product://茶葉蛋"}); err != nil {
		t.Fatal(err)
	}
	w := <-s.watches
	w.tell(store.Changes{Products: []string{"茶葉蛋"}})
	if got := <-updated; got != "product://茶葉蛋" {
		t.Errorf("heard of %s", got)
	}
	if err := session.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: "product://茶葉蛋"}); err != nil {
		t.Error(err)
	}
	<-w.ctx.Done()
}

func TestEveryChangeIsHeardOverTheWire(t *testing.T) {
	path := t.TempDir() + "/store.db"
	openFile := func() *sqlite.DB {
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Seed: demo.Catalog})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	served, another := openFile(), openFile() // the other one as in another process
	levels, _, err := served.Levels(t.Context(), store.LevelQuery{ProductID: demo.Catalog().Products[0].ID, InStock: true})
	if err != nil || len(levels) == 0 {
		t.Fatal(levels, err)
	}
	shop, product := levels[0].Shop.ID, demo.Catalog().Products[0].ID
	shopURI, productURI := uriOf(storeScheme, shop), uriOf(productScheme, product)
	l := listenOver(t, serveWhole(t, served), fmt.Sprintf(`{"resourceSubscriptions":[%q,%q,"product://another"]}`, shopURI, productURI))
	l.next()
	for name, db := range map[string]*sqlite.DB{"the served database": served, "another one on the same file": another} {
		begin := time.Now()
		if _, err := db.Move(t.Context(), store.Move{ShopID: shop, ProductID: product, Delta: 1, Reason: store.Delivery}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{shopURI, productURI} {
			if got := l.next(); got.Method != mcp.MethodNotificationResourceUpdated || got.Params.URI != want {
				t.Errorf("by %s: heard %+v, want of %s", name, got, want)
			}
		}
		if took := time.Since(begin); took > 5*time.Second { // a second, on a machine that does nothing else
			t.Errorf("by %s: heard after %v", name, took)
		}
	}
}

// serveWhole serves s as the program does, and returns the endpoint.
func serveWhole(t *testing.T, s store.Stock) string {
	t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	handler := server.New(server.Config{MCP: serve(s), Local: true})
	ts.Config = handler.HTTPServer()
	ts.Start()
	t.Cleanup(ts.Close)
	t.Cleanup(func() {
		if err := handler.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return ts.URL + "/mcp"
}

// stream is a listen over HTTP.
type stream struct {
	t    *testing.T
	body *bufio.Scanner
}

// event is a message in a stream.
type event struct {
	Method string
	Params struct {
		URI           string
		Notifications json.RawMessage
		Meta          map[string]any `json:"_meta"`
	}
	Result json.RawMessage
}

func listenOver(t *testing.T, url, notifications string) *stream {
	t.Helper()
	meta, err := json.Marshal(modern)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(
		fmt.Sprintf(`{"jsonrpc":"2.0","id":"L","method":"subscriptions/listen","params":{"notifications":%s,"_meta":%s}}`, notifications, meta)))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("MCP-Protocol-Version", "2026-07-28")
	q.Header.Set("Mcp-Method", "subscriptions/listen")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream" {
		body, _ := io.ReadAll(r.Body)
		t.Fatalf("%s %s", r.Status, body)
	}
	return &stream{t, bufio.NewScanner(r.Body)}
}

// next returns the next message.
func (l *stream) next() (e event) {
	l.t.Helper()
	for l.body.Scan() {
		if data, ok := strings.CutPrefix(l.body.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				l.t.Fatalf("%s: %v", data, err)
			}
			if id := e.Params.Meta["io.modelcontextprotocol/subscriptionId"]; e.Result == nil && id != "L" {
				l.t.Errorf("%s is of the subscription %v", data, id)
			}
			return e
		}
	}
	l.t.Fatalf("the stream ends: %v", l.body.Err())
	return e
}
