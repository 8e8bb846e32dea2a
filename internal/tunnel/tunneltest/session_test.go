package tunneltest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestAuthtokensAreRefusedWithTheirCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, authtoken, code string
		quoted                bool
	}{
		{"none", "", "ERR_NGROK_4018", false},
		{"malformed", "not-a-token", "ERR_NGROK_105", true},
		{"unknown", "well_formed_but_unknown_0", "ERR_NGROK_107", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.Start(t, tunneltest.Config{Authtokens: []string{tunneltest.Authtoken}})
			agent, events := newAgent(t, edge, ngrok.WithAuthtoken(tt.authtoken))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error)
			go func() { failed <- agent.Connect(ctx) }()

			code, text := awaitRefusal(t, events)
			if code != tt.code {
				t.Errorf("code = %q, want %q, in %q", code, tt.code, text)
			}
			if !strings.HasSuffix(text, "\r\n\r\n"+tt.code+"\r\n") {
				t.Errorf("text %q does not end in a blank line and the code", text)
			}
			if quoted := tt.authtoken != "" && strings.Contains(text, tt.authtoken); quoted != tt.quoted {
				t.Errorf("text quotes the authtoken: %v, want %v: %q", quoted, tt.quoted, text)
			}
			if n := len(edge.Sessions()); n != 0 {
				t.Errorf("%d sessions online", n)
			}
			cancel()
			if err := <-failed; err == nil {
				t.Error("Connect succeeded")
			}
		})
	}
}

func TestSessionTellsAboutItself(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{Account: "Koko Ltd"})
	agent, _ := connect(t, edge,
		ngrok.WithClientInfo("mcpstore", "1.2.3"),
		ngrok.WithAgentMetadata("aisle 4"),
		ngrok.WithHeartbeatInterval(7*time.Second))
	listen(t, agent,
		ngrok.WithURL("https://shop.example.test:8443"),
		ngrok.WithName("stock"), ngrok.WithDescription("the stock"), ngrok.WithMetadata("m"),
		ngrok.WithBindings("public"), ngrok.WithPoolingEnabled(true), ngrok.WithTrafficPolicy(`{"on_http_request":[]}`))

	want := []tunneltest.Session{{
		Authtoken:          tunneltest.Authtoken,
		Metadata:           "aisle 4",
		HeartbeatInterval:  7 * time.Second,
		HeartbeatTolerance: 15 * time.Second,
		Endpoints: []tunneltest.Endpoint{{
			URL:            "https://shop.example.test:8443",
			Name:           "stock",
			Description:    "the stock",
			Metadata:       "m",
			Bindings:       []string{"public"},
			PoolingEnabled: true,
			TrafficPolicy:  `{"on_http_request":[]}`,
		}},
	}}
	got := edge.Sessions()
	made := cmp.Options{
		cmpopts.IgnoreFields(tunneltest.Session{}, "ID", "ClientID", "RemoteAddr", "UserAgent"),
		cmpopts.IgnoreFields(tunneltest.Endpoint{}, "ID", "ForwardsTo"),
	}
	if diff := cmp.Diff(want, got, made); diff != "" {
		t.Fatalf("Sessions (-want +got):\n%s", diff)
	}
	if ua := got[0].UserAgent; !strings.HasPrefix(ua, "mcpstore/1.2.3 ngrok-go/") {
		t.Errorf("user agent = %q", ua)
	}
	session, err := agent.Session()
	if err != nil {
		t.Fatal(err)
	}
	if session.ID() != got[0].ID {
		t.Errorf("the agent's session is %q, the edge's %q", session.ID(), got[0].ID)
	}
	if details, ok := session.(ngrok.AgentSessionDetails); !ok || details.AccountName() != "Koko Ltd" {
		t.Errorf("account name is not %q", "Koko Ltd")
	}
}

func TestHeartbeatsAreAnswered(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	_, events := connect(t, edge, ngrok.WithHeartbeatInterval(20*time.Millisecond))
	for range 2 {
		await[*ngrok.EventAgentHeartbeatReceived](t, events)
	}
}

func TestDiagnoseNeedsNoAuthtoken(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := newAgent(t, edge, ngrok.WithAuthtoken(""))
	result, err := agent.(ngrok.Diagnoser).Diagnose(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if result.Region != "test" {
		t.Errorf("region = %q, want %q", result.Region, "test")
	}
}

func TestSessionEndsWithItsAgent(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, say("here"))
	wantBody(t, edge, url, "here")
	agent.Disconnect()
	if err := edge.AwaitNoSession(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	wantOffline(t, edge, url)
}

func TestReconnectedAgentKeepsItsEndpoint(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, say("here"))
	before := edge.Sessions()[0]

	edge.CutSessions()
	endpoint, err := edge.AwaitEndpoint(within(t, 5*time.Second), "")
	if err != nil {
		t.Fatal(err)
	}
	after := edge.Sessions()
	if len(after) != 1 || after[0].ID == before.ID || after[0].ClientID != before.ClientID {
		t.Errorf("sessions were %+v, are %+v: want a new one of the same client", before, after)
	}
	if endpoint.URL != url || endpoint.ID != before.Endpoints[0].ID {
		t.Errorf("endpoint was %+v, is %+v", before.Endpoints[0], endpoint)
	}
	wantBody(t, edge, url, "here")
}

func TestReconnectingAgentReplacesItsFormerSession(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, events := connect(t, edge,
		ngrok.WithHeartbeatInterval(50*time.Millisecond), ngrok.WithHeartbeatTolerance(500*time.Millisecond))
	url := serve(t, agent, say("here"))
	await[*ngrok.EventAgentConnectSucceeded](t, events)

	// The edge does not learn that the agent has given the session up.
	edge.Freeze()
	await[*ngrok.EventAgentDisconnected](t, events)
	if n := len(edge.Sessions()); n != 1 {
		t.Fatalf("%d sessions, want the dead one", n)
	}
	edge.Thaw()
	await[*ngrok.EventAgentConnectSucceeded](t, events)
	if n := len(edge.Sessions()); n != 1 {
		t.Errorf("%d sessions, want the new one", n)
	}
	wantBody(t, edge, url, "here")
}
