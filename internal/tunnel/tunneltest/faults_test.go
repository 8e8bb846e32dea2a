package tunneltest_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestCutSessionsLosesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	started := make(chan struct{})
	url := serve(t, agent, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	go func() {
		<-started
		edge.CutSessions()
	}()
	if resp, body := get(t, edge, url); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d %q, want 502", resp.StatusCode, body)
	}
}

func TestDownRefusesConnectionsUntilUp(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, events := connect(t, edge)
	url := serve(t, agent, say("here"))

	edge.Down()
	wantOffline(t, edge, url)
	for {
		var refused *net.OpError
		if errors.As(await[*ngrok.EventAgentDisconnected](t, events).Error, &refused) && refused.Op == "dial" {
			break
		}
	}
	if n := edge.Dials(); n != 1 {
		t.Errorf("%d connections accepted, want the first only", n)
	}
	for range 2 {
		if err := edge.Up(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := edge.AwaitEndpoint(within(t, 5*time.Second), url); err != nil {
		t.Fatal(err)
	}
	wantBody(t, edge, url, "here")
}

func TestUpAfterCloseFails(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.Close()
	if err := edge.Up(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Up = %v, want %v", err, net.ErrClosed)
	}
}

func TestFrozenEdgeAcceptsAndAnswersNothing(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.Freeze()
	agent, events := newAgent(t, edge,
		ngrok.WithHeartbeatInterval(50*time.Millisecond), ngrok.WithHeartbeatTolerance(150*time.Millisecond))
	connected := make(chan error)
	ctx := lifetime(t)
	go func() { connected <- agent.Connect(ctx) }()
	t.Cleanup(func() { agent.Disconnect() })

	if err := edge.AwaitDials(within(t, 5*time.Second), 2); err != nil {
		t.Fatal(err)
	}
	if n := len(edge.Sessions()); n != 0 {
		t.Errorf("%d sessions", n)
	}
	if code, text := awaitRefusal(t, events); code != "" {
		t.Errorf("the agent was told %q", text)
	}
	edge.Thaw()
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

func TestFreezeHoldsRequestsUntilThaw(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, say("here"))
	edge.Freeze()
	edge.Freeze()
	answered := make(chan int, 1)
	go func() {
		resp, err := edge.Client().Get(url)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	select {
	case <-answered:
		t.Fatal("a request passed the frozen edge")
	case <-time.After(50 * time.Millisecond):
	}
	edge.Thaw()
	edge.Thaw()
	if status := <-answered; status != http.StatusOK {
		t.Errorf("status %d after the thaw, want 200", status)
	}
}

func TestRefuseAuth(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.RefuseAuth(108, 1)
	agent, events := connect(t, edge) // the agent tries again
	if code, text := awaitRefusal(t, events); code != "ERR_NGROK_108" {
		t.Errorf("refused with %q, want ERR_NGROK_108", text)
	}
	wantBody(t, edge, serve(t, agent, say("here")), "here")
	if n := edge.Dials(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestRefuseBind(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	edge.RefuseBind(18019, 1)
	wantListenError(t, agent, "ERR_NGROK_18019")
	edge.RefuseBind(9999, tunneltest.Always)
	for range 3 {
		wantListenError(t, agent, "ERR_NGROK_9999")
	}
	edge.RefuseBind(0, 0)
	wantBody(t, edge, serve(t, agent, say("here")), "here")
}

func TestDropAfterAuthLetsTheAgentIn(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	edge.DropAfterAuth(1)
	agent, events := newAgent(t, edge)
	ctx := lifetime(t)
	if err := agent.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Disconnect() })
	await[*ngrok.EventAgentConnectSucceeded](t, events)
	await[*ngrok.EventAgentDisconnected](t, events)
	await[*ngrok.EventAgentConnectSucceeded](t, events)
	if n := edge.Dials(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestDropAfterBindIsDialledWithoutPause(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, events := connect(t, edge)
	url := serve(t, agent, say("here"))
	edge.DropAfterBind(5)
	edge.CutSessions()
	await[*ngrok.EventAgentConnectSucceeded](t, events)
	for range 5 {
		await[*ngrok.EventAgentConnectSucceeded](t, events)
		await[*ngrok.EventAgentDisconnected](t, events)
	}
	if _, err := edge.AwaitEndpoint(within(t, 5*time.Second), url); err != nil {
		t.Fatal(err)
	}
	await[*ngrok.EventAgentConnectSucceeded](t, events)
	wantBody(t, edge, url, "here")
}

func TestRenameOnRebindServesTheNewURLOnly(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	url := serve(t, agent, say("here"))
	edge.RenameOnRebind("https://other.ngrok-free.test")
	edge.CutSessions()
	endpoint, err := edge.AwaitEndpoint(within(t, 5*time.Second), "https://other.ngrok-free.test")
	if err != nil {
		t.Fatal(err)
	}
	wantBody(t, edge, endpoint.URL, "here")
	wantOffline(t, edge, url)
}

func TestHeldURLIsTakenUntilReleased(t *testing.T) {
	t.Parallel()
	const url = "https://shop.example.test"
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	edge.HoldURL(url)
	wantListenError(t, agent, "ERR_NGROK_334", ngrok.WithURL(url))
	if _, body := get(t, edge, url); !strings.Contains(body, "somebody else") {
		t.Errorf("the held URL says %q", body)
	}
	edge.ReleaseURL(url)
	wantBody(t, edge, serve(t, agent, say("here"), ngrok.WithURL(url)), "here")
}

func TestHeldURLKeepsAReconnectingAgentOut(t *testing.T) {
	t.Parallel()
	tunneltest.SkipUnderRace(t)
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, events := connect(t, edge)
	url := serve(t, agent, say("here"))
	edge.HoldURL(url)
	wantBody(t, edge, url, "here")
	edge.CutSessions()
	for {
		if _, text := awaitRefusal(t, events); strings.Contains(text, "ERR_NGROK_334") {
			break
		}
	}
	edge.ReleaseURL(url)
	if _, err := edge.AwaitEndpoint(within(t, 5*time.Second), url); err != nil {
		t.Fatal(err)
	}
	wantBody(t, edge, url, "here")
}
