package tunneltest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"
	"golang.ngrok.com/ngrok/v2/rpc"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestCommandsReachTheAgent(t *testing.T) {
	t.Parallel()
	for method, send := range map[string]func(*tunneltest.Edge, context.Context) error{
		rpc.StopAgentMethod:    (*tunneltest.Edge).StopAgent,
		rpc.RestartAgentMethod: (*tunneltest.Edge).RestartAgent,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.Start(t, tunneltest.Config{})
			received := make(chan string, 2)
			answers := make(chan error, 2)
			_, events := connect(t, edge, ngrok.WithRPCHandler(
				func(_ context.Context, _ ngrok.AgentSession, q rpc.Request) ([]byte, error) {
					received <- q.Method()
					return nil, <-answers
				}))

			answers <- errors.New("not while customers are here")
			if err := send(edge, t.Context()); err == nil || err.Error() != "not while customers are here" {
				t.Errorf("the edge was answered %v", err)
			}
			if got := <-received; got != method {
				t.Errorf("the agent was told %q, want %q", got, method)
			}

			answers <- nil
			if err := send(edge, t.Context()); err != nil {
				t.Error(err)
			}
			for await[*ngrok.EventAgentDisconnected](t, events).Error != nil {
			} // the last event has none
		})
	}
}

func TestCommandsToAnAgentWithoutAHandlerAreErrors(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	connect(t, edge)
	if err := edge.StopAgent(t.Context()); err == nil {
		t.Error("StopAgent succeeded")
	}
}

func TestCommandWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	release := make(chan struct{})
	connect(t, edge, ngrok.WithRPCHandler(func(context.Context, ngrok.AgentSession, rpc.Request) ([]byte, error) {
		<-release
		return nil, errors.New("too late")
	}))
	defer close(release)
	if err := edge.StopAgent(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("StopAgent = %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestStopEndpointTellsTheAgentWhy(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	agent, _ := connect(t, edge)
	listener := listen(t, agent)
	url := listener.URL().String()
	ended := make(chan error)
	go func() { ended <- http.Serve(listener, say("here")) }()
	wantBody(t, edge, url, "here")

	if err := edge.StopEndpoint(url, "closed for stocktaking", 3400); err != nil {
		t.Fatal(err)
	}
	wantOffline(t, edge, url)
	err := <-ended
	var stopped ngrok.Error
	if !errors.As(err, &stopped) || stopped.Code() != "ERR_NGROK_3400" || !strings.Contains(err.Error(), "closed for stocktaking") {
		t.Errorf("Serve = %v", err)
	}
	if n := len(edge.Sessions()); n != 1 {
		t.Errorf("%d sessions, want the session to stay", n)
	}
	if err := edge.StopEndpoint(url, "", 0); err == nil {
		t.Error("StopEndpoint of an offline URL succeeded")
	}
}
