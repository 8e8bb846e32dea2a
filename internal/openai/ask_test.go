package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
	"github.com/mcpstore/mcpstore/internal/server"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
	"github.com/mcpstore/mcpstore/internal/tools"
)

const question = "KOKO便利店的茶葉蛋還有幾個"

var script = openaitest.Script{
	{Ask: question, Say: "還有 {available} 顆。", Calls: []openaitest.Call{
		{Name: "check_stock", Arguments: []byte(`{"product":"茶葉蛋","store":"KOKO便利店"}`)},
	}},
	{Ask: "both", Say: "{output}", Calls: []openaitest.Call{
		{Name: "check_stock", Arguments: []byte(`{"product":"茶葉蛋","store":"信義店"}`)},
		{Name: "check_stock", Arguments: []byte(`{"product":"茶葉蛋","store":"板橋店"}`)},
	}},
	{Ask: "sell one", Say: "{status}", Calls: []openaitest.Call{
		{Name: "record_movement", Arguments: []byte(`{"product":"茶葉蛋","store":"信義店","delta":-1,"reason":"sale"}`)},
	}},
	{Ask: "no", Refuse: "I would rather not."},
}

// standIn is a stand-in for OpenAI that follows script.
func standIn(t *testing.T) *openaitest.Server {
	t.Helper()
	s := openaitest.New(openaitest.Config{MayDial: true, CallTimeout: 5 * time.Second})
	t.Cleanup(s.Close)
	s.Use(script)
	return s
}

// shop serves the demo data, through wrap if that is not nil, and returns its
// endpoint.
func shop(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "shop.db"), Seed: demo.Catalog})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var h http.Handler = server.New(server.Config{MCP: tools.New(db, tools.Config{AllowWrites: true}), Local: true})
	if wrap != nil {
		h = wrap(h)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL + "/mcp"
}

func conversation(openai *openaitest.Server, url string, with func(*Config)) *Conversation {
	c := Config{Key: openaitest.APIKey, BaseURL: openai.URL(), URL: url, Approve: ApproveAll}
	if with != nil {
		with(&c)
	}
	return NewConversation(c)
}

// watched is what a [Watcher] was told.
type watched struct {
	text   strings.Builder
	called []Call
	asked  []string
	answer []Decision // to requests for approval, in their order; then No
	err    error      // in the place of an answer
}

func (w *watched) Text(piece string) { w.text.WriteString(piece) }
func (w *watched) Called(c Call)     { w.called = append(w.called, c) }

func (w *watched) Approve(_ context.Context, c Call) (Decision, error) {
	w.asked = append(w.asked, c.Tool+c.Arguments)
	if w.err != nil || len(w.answer) == 0 {
		return No, w.err
	}
	d := w.answer[0]
	w.answer = w.answer[1:]
	return d, nil
}

func (w *watched) tools() (names []string) {
	for _, c := range w.called {
		names = append(names, c.Tool)
	}
	return names
}

func TestAnAnswerComesFromTheStock(t *testing.T) {
	w := new(watched)
	if err := conversation(standIn(t), shop(t, nil), nil).Ask(t.Context(), question, w); err != nil {
		t.Fatal(err)
	}
	if got := w.text.String(); got != "還有 12 顆。" {
		t.Errorf("answer = %q", got)
	}
	if len(w.called) != 1 || !strings.HasPrefix(w.called[0].Output, "KOKO便利店 茶葉蛋：12 顆") || w.called[0].Arguments != `{"product":"茶葉蛋","store":"KOKO便利店"}` {
		t.Errorf("called = %+v", w.called)
	}
	if len(w.asked) > 0 {
		t.Errorf("asked for %q, though all was approved", w.asked)
	}
}

func TestCallsAreMadeOnceTheyAreApproved(t *testing.T) {
	for _, test := range []struct {
		name    string
		approve Approval
		ask     []string
		answer  []Decision
		asked   int
		called  int
	}{
		{"yes", ApproveNever, []string{question}, []Decision{Yes}, 1, 1},
		{"no", ApproveNever, []string{question}, []Decision{No}, 1, 0},
		{"yes to each of two", ApproveNever, []string{"both"}, []Decision{Yes, Yes}, 2, 2},
		{"yes, then no", ApproveNever, []string{"both"}, []Decision{Yes, No}, 2, 1},
		{"yes is for once", ApproveNever, []string{question, question}, []Decision{Yes, Yes}, 2, 2},
		{"always", ApproveNever, []string{"both", question}, []Decision{Always}, 1, 3},
		{"always is for one tool", ApproveNever, []string{question, "sell one"}, []Decision{Always, No}, 2, 1},
		{"reads are approved", ApproveReads, []string{question, "sell one"}, []Decision{No}, 1, 1},
		{"all is approved", ApproveAll, []string{question, "sell one"}, nil, 0, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &watched{answer: test.answer}
			c := conversation(standIn(t), shop(t, nil), func(c *Config) { c.Approve = test.approve })
			for _, q := range test.ask {
				if err := c.Ask(t.Context(), q, w); err != nil {
					t.Fatal(err)
				}
			}
			if len(w.asked) != test.asked || len(w.called) != test.called {
				t.Errorf("asked for %q, called %q; want %d and %d", w.asked, w.tools(), test.asked, test.called)
			}
		})
	}
}

func TestToolsAreListedOnceInAConversation(t *testing.T) {
	openai := standIn(t)
	c := conversation(openai, shop(t, nil), func(c *Config) { c.Approve = ApproveNever })
	for range 3 {
		if err := c.Ask(t.Context(), question, &watched{answer: []Decision{Yes}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(openai.Transcript(), "Mcp-Method: tools/list"); n != 1 {
		t.Errorf("tools were listed %d times", n)
	}
}

// If it went on from a response that waits for an approval, the next question
// would be refused.
func TestAQuestionThatFailsLeavesTheConversationAsItWas(t *testing.T) {
	c := conversation(standIn(t), shop(t, nil), func(c *Config) { c.Approve = ApproveNever })
	if err := c.Ask(t.Context(), question, &watched{answer: []Decision{Yes}}); err != nil {
		t.Fatal(err)
	}
	last := c.last
	gone := errors.New("gone away")
	if err := c.Ask(t.Context(), question, &watched{err: gone}); !errors.Is(err, gone) {
		t.Errorf("err = %v", err)
	}
	if c.last != last {
		t.Errorf("the conversation goes on from %s, want %s", c.last, last)
	}
	if err := c.Ask(t.Context(), question, &watched{answer: []Decision{Yes}}); err != nil {
		t.Error(err)
	}
}

func TestWaysToFailAreToldApart(t *testing.T) {
	broken := func(status int, method string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Mcp-Method") == method || method == "" {
					http.Error(w, "broken", status)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	type fault = openaitest.Fault
	for _, test := range []struct {
		name   string
		faults []fault
		ask    string
		with   func(*Config)
		wrap   func(http.Handler) http.Handler
		kind   Kind
		said   string // in the message
	}{
		{name: "no key", with: func(c *Config) { c.Key = "" }, kind: BadKey},
		{name: "wrong key", with: func(c *Config) { c.Key = "sk-another-key" }, kind: BadKey},
		{name: "no such model", with: func(c *Config) { c.Model = "gpt-0" }, kind: NoModel, said: "gpt-0"},
		{name: "rate limit", faults: []fault{openaitest.FaultRateLimit, openaitest.FaultRateLimit, openaitest.FaultRateLimit}, kind: RateLimit, said: "RPM"},
		{name: "quota", faults: []fault{openaitest.FaultQuota, openaitest.FaultQuota, openaitest.FaultQuota}, kind: Quota, said: "billing"},
		{name: "forbidden", faults: []fault{openaitest.FaultForbidden}, kind: Forbidden, said: "region"},
		{name: "tool list by status", faults: []fault{openaitest.FaultToolList}, kind: ToolList, said: "424"},
		{name: "tool list of a server that is not there", with: func(c *Config) { c.URL = "http://127.0.0.1:1/mcp" }, kind: ToolList, said: "could not be reached"},
		{name: "tool list behind a login", wrap: broken(http.StatusUnauthorized, ""), kind: ToolList, said: "401"},
		{name: "tool list of a broken server", wrap: broken(http.StatusInternalServerError, ""), kind: ToolList, said: "500"},
		{name: "refusal", ask: "no", kind: Refused, said: "I would rather not."},
		{name: "content filter", faults: []fault{openaitest.FaultFilter}, kind: Refused, said: "content filter"},
		{name: "too long", faults: []fault{openaitest.FaultLength}, kind: Incomplete, said: "too long"},
		{name: "cut", faults: []fault{openaitest.FaultCut}, kind: Cut},
		{name: "ended early", faults: []fault{openaitest.FaultEnd}, kind: Cut},
		{name: "error event", faults: []fault{openaitest.FaultStream}, kind: Down, said: "had an error"},
		{name: "failed response", faults: []fault{openaitest.FaultFailed}, kind: Down, said: "The model failed"},
		{name: "timeout", faults: []fault{openaitest.FaultHang}, with: func(c *Config) { c.Timeout = 300 * time.Millisecond }, kind: Timeout, said: "300ms"},
		{name: "nobody there", with: func(c *Config) { c.BaseURL = "http://127.0.0.1:1/v1"; c.Writes = true }, kind: Network, said: "refused"},
		{name: "dropped", faults: []fault{openaitest.FaultDrop}, with: func(c *Config) { c.Writes = true }, kind: Network},
		{name: "server error", faults: []fault{openaitest.FaultServer}, with: func(c *Config) { c.Writes = true }, kind: Down, said: "500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			openai := standIn(t)
			openai.Fail(test.faults...)
			const token = "mcps_not-a-real-token"
			c := conversation(openai, shop(t, test.wrap), func(c *Config) {
				c.Token = token
				if test.with != nil {
					test.with(c)
				}
			})
			ask := test.ask
			if ask == "" {
				ask = question
			}
			err := c.Ask(t.Context(), ask, new(watched))
			known, ok := errors.AsType[*Error](err)
			if !ok || known.Kind != test.kind || !strings.Contains(known.Message, test.said) {
				t.Fatalf("err = %#v, want one of the kind %q that says %q", err, test.kind, test.said)
			}
			if known.Hint() == "" || known.Error() == "" {
				t.Errorf("error %q, hint %q", known, known.Hint())
			}
			for _, secret := range []string{c.config.Key, token} {
				if secret != "" && strings.Contains(known.Error(), secret) {
					t.Errorf("%q holds the secret %q", known, secret)
				}
			}
		})
	}
}

// What stands between, such as a proxy, answers in other forms than OpenAI's.
func TestAnswersThatAreNotOpenAIsAreToldByTheirStatus(t *testing.T) {
	for status, want := range map[int]Kind{200: NotOpenAI, 400: BadRequest, 401: BadKey, 403: Forbidden, 404: NotOpenAI, 424: ToolList, 429: RateLimit, 502: Down} {
		for _, body := range []string{"", "<html>no</html>", `{"error":null}`, `{"error":"no"}`, `{"detail":"no"}`, `{"error":{"message":7}}`} {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				io.WriteString(w, body)
			}))
			c := NewConversation(Config{Key: "sk-x", BaseURL: web.URL, URL: "https://shop.example/mcp", Writes: true})
			err := c.Ask(t.Context(), question, new(watched))
			web.Close()
			if known, ok := errors.AsType[*Error](err); !ok || known.Kind != want {
				t.Errorf("%d %s: %v, want %q", status, body, err, want)
			}
		}
	}
}

// apiThat answers each request with a status and a body, or, with 200, with a
// stream of the events.
func apiThat(t *testing.T, status int, body string, events ...string) *Conversation {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if len(events) > 0 {
			w.Header().Set("Content-Type", "text/event-stream")
			for n, e := range events {
				fmt.Fprintf(w, "data: %s\n\n", strings.Replace(e, "{", fmt.Sprintf(`{"sequence_number":%d,`, n), 1))
			}
			return
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(web.Close)
	return NewConversation(Config{Key: "sk-x", BaseURL: web.URL, URL: "https://shop.example/mcp", Writes: true})
}

func TestErrorsAreKnownByAllThatTheySay(t *testing.T) {
	for body, want := range map[string]Kind{
		`{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.responses.write.","code":null}}`:            Forbidden,
		`{"error":{"message":"Error retrieving tool list from MCP server: 'mcpstore'. Http status code: 401 (Unauthorized)","code":"http_error"}}`:  ToolList,
		`{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":null}}`:                                           Quota,
		`{"error":{"message":"Previous response cannot be used for this organization due to Zero Data Retention.","code":"previous_response_not"}}`: BadKey,
	} {
		err := apiThat(t, http.StatusUnauthorized, body).Ask(t.Context(), question, new(watched))
		if known, ok := errors.AsType[*Error](err); !ok || known.Kind != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

const completed = `{"type":"response.completed","response":{"id":"resp_1","status":"completed"}}`

func TestStreamsInOtherFormsAreUnderstood(t *testing.T) {
	done := func(item string) string {
		return `{"type":"response.output_item.done","output_index":0,"item":` + item + `}`
	}
	for _, test := range []struct {
		name   string
		events []string
		kind   Kind
		said   string // in the error, or else the answer
		failed string // why the call failed
	}{
		{"tools that could not be listed, and an answer nevertheless", []string{
			done(`{"type":"mcp_list_tools","id":"m","server_label":"mcpstore","tools":[],"error":"no"}`), completed}, ToolList, "no", ""},
		{"an error that is an object", []string{
			done(`{"type":"mcp_list_tools","id":"m","server_label":"mcpstore","tools":[],"error":{"type":"http_error","code":424}}`), completed}, ToolList, "424", ""},
		{"a response that failed and calls itself completed", []string{
			`{"type":"response.completed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"no"}}}`}, Down, "no", ""},
		{"a refusal in the item alone", []string{
			done(`{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"refusal","refusal":"no"}]}`), completed}, Refused, "no", ""},
		{"an answer in the item alone", []string{
			done(`{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"12","annotations":[]}]}`), completed}, "", "12", ""},
		{"an answer in pieces and the item", []string{
			`{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"12","logprobs":[]}`,
			done(`{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"12","annotations":[]}]}`), completed}, "", "12", ""},
		{"a call's error that is a text", []string{done(`{"type":"mcp_call","id":"c","name":"check_stock","arguments":"{}","server_label":"mcpstore","error":"boom","status":"completed"}`), completed}, "", "", "boom"},
		{"an empty one", []string{done(`{"type":"mcp_call","id":"c","name":"check_stock","arguments":"{}","server_label":"mcpstore","error":""}`), completed}, "", "", "it failed"},
		{"one of another kind", []string{done(`{"type":"mcp_call","id":"c","name":"check_stock","arguments":"{}","server_label":"mcpstore","error":{"type":"new","why":"x"}}`), completed}, "", "", `{"type":"new","why":"x"}`},
		{"one without content", []string{done(`{"type":"mcp_call","id":"c","name":"check_stock","arguments":"{}","server_label":"mcpstore","error":{"type":"mcp_tool_execution_error"}}`), completed}, "", "", `{"type":"mcp_tool_execution_error"}`},
		{"an HTTP error that says its number", []string{done(`{"type":"mcp_call","id":"c","name":"check_stock","arguments":"{}","server_label":"mcpstore","error":{"type":"http_error","code":404,"message":"Http status code: 404 (Not Found)"}}`), completed}, "", "", `Http status code: 404 (Not Found)`},
	} {
		w := new(watched)
		err := apiThat(t, 0, "", test.events...).Ask(t.Context(), question, w)
		known, _ := errors.AsType[*Error](err)
		switch {
		case test.kind == "" && err != nil, test.kind != "" && (known == nil || known.Kind != test.kind || !strings.Contains(known.Message, test.said)):
			t.Errorf("%s: %v, want %q", test.name, err, test.kind)
		case test.kind == "" && w.text.String() != test.said:
			t.Errorf("%s: the answer is %q", test.name, w.text.String())
		case test.failed != "" && (len(w.called) != 1 || w.called[0].Failed != test.failed):
			t.Errorf("%s: called %+v, want it to have failed with %q", test.name, w.called, test.failed)
		}
	}
}

// Who asks again after a change was made makes it twice.
func TestNobodyIsToldToAskAgainAfterAChange(t *testing.T) {
	for _, fault := range []openaitest.Fault{openaitest.FaultCut, openaitest.FaultEnd, openaitest.FaultStream, openaitest.FaultFailed, openaitest.FaultLength} {
		for _, ask := range []string{"sell one", "no"} {
			openai := standIn(t)
			openai.Use(openaitest.Script{script[2], {Ask: "no", Say: "nothing was called for this"}})
			openai.Fail(fault)
			err := conversation(openai, shop(t, nil), func(c *Config) { c.Writes = true }).Ask(t.Context(), ask, new(watched))
			known, ok := errors.AsType[*Error](err)
			if !ok || known.Changed != (ask == "sell one") || known.Changed != strings.Contains(known.Hint(), "before you ask again") {
				t.Errorf("%s, %q: %+v, hint %q", fault, ask, known, known.Hint())
			}
		}
	}
}

// A request that might be answered twice could change the stock twice.
func TestNothingIsSentAgainThatMayChangeStock(t *testing.T) {
	for writes, want := range map[bool]int{false: 2, true: 1} {
		openai := standIn(t)
		openai.Fail(openaitest.FaultDrop)
		c := conversation(openai, shop(t, nil), func(c *Config) { c.Writes = writes })
		if err := c.Ask(t.Context(), question, new(watched)); (err == nil) == writes {
			t.Errorf("with writes %v: err = %v", writes, err)
		}
		if n := strings.Count(openai.Transcript(), "POST /v1/responses\n"); n != want {
			t.Errorf("with writes %v: %d requests, want %d", writes, n, want)
		}
	}
}

func TestToolsThatFailAreTold(t *testing.T) {
	openai := standIn(t)
	openai.Use(openaitest.Script{
		{Ask: "arguments", Calls: []openaitest.Call{{Name: "check_stock", Arguments: []byte(`{"store":"x"}`)}}},
		{Ask: "protocol", Calls: []openaitest.Call{{Name: "check_stock", Arguments: []byte(`7`)}}},
	})
	w := new(watched)
	c := conversation(openai, shop(t, nil), nil)
	for _, q := range []string{"arguments", "protocol"} {
		if err := c.Ask(t.Context(), q, w); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.called) != 2 || !strings.Contains(w.called[0].Failed, "product is required") || w.called[1].Failed == "" {
		t.Errorf("called = %+v", w.called)
	}

	down := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Mcp-Method") == "tools/call" {
				http.Error(w, "down", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	w = new(watched)
	if err := conversation(standIn(t), shop(t, down), nil).Ask(t.Context(), question, w); err != nil {
		t.Fatal(err)
	}
	if len(w.called) != 1 || !strings.Contains(w.called[0].Failed, "502") {
		t.Errorf("called = %+v", w.called)
	}
}

func TestAToolThatDoesNotAnswerIsTold(t *testing.T) {
	hang := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Mcp-Method") == "tools/call" {
				io.Copy(io.Discard, r.Body) // or the server does not notice that the client has gone
				<-r.Context().Done()
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	openai := openaitest.New(openaitest.Config{MayDial: true, CallTimeout: 100 * time.Millisecond})
	t.Cleanup(openai.Close)
	openai.Use(openaitest.Script{{Ask: question, Say: "I do not know.", Calls: script[0].Calls}})
	w := new(watched)
	if err := conversation(openai, shop(t, hang), nil).Ask(t.Context(), question, w); err != nil {
		t.Fatal(err)
	}
	if len(w.called) != 1 || w.called[0].Failed != "HTTP 408 Request timed out" || w.text.String() != "I do not know." {
		t.Errorf("called = %+v, answer %q", w.called, w.text.String())
	}
}

func TestStoppingEndsAnAnswerAtOnce(t *testing.T) {
	openai := standIn(t)
	openai.Fail(openaitest.FaultHang)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-openai.Holding()
		stop()
	}()
	err := conversation(openai, shop(t, nil), nil).Ask(ctx, question, new(watched))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	<-openai.HungUp()
}

func TestTheTokenIsSentBareAndAnew(t *testing.T) {
	var seen []string
	note := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header.Get("Authorization"))
			next.ServeHTTP(w, r)
		})
	}
	openai := standIn(t)
	c := conversation(openai, shop(t, note), func(c *Config) { c.Token = "mcps_bare" })
	for range 2 {
		if err := c.Ask(t.Context(), question, new(watched)); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]string{"Bearer mcps_bare"}, slices.Compact(seen)); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(openai.Transcript(), `"authorization": "mcps_bare"`); n != 2 {
		t.Errorf("the token was sent to OpenAI %d times, want with each of 2 requests", n)
	}
}
