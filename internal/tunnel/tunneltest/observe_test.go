package tunneltest_test

import (
	"context"
	"errors"
	"testing"

	"golang.ngrok.com/ngrok/v2"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

func TestAwaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, noSession := edge.AwaitSession(ctx)
	_, noEndpoint := edge.AwaitEndpoint(ctx, "")
	for _, err := range []error{noSession, noEndpoint, edge.AwaitDials(ctx, 1)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("await = %v, want %v", err, context.Canceled)
		}
	}
	if err := edge.AwaitNoSession(ctx); err != nil {
		t.Errorf("AwaitNoSession of an edge without sessions = %v", err)
	}
}

func TestAwaitWakesAtTheEvent(t *testing.T) {
	t.Parallel()
	edge := tunneltest.Start(t, tunneltest.Config{})
	sessions, endpoints := make(chan tunneltest.Session), make(chan tunneltest.Endpoint)
	go func() {
		s, err := edge.AwaitSession(t.Context())
		if err != nil {
			t.Error(err)
		}
		sessions <- s
	}()
	go func() {
		e, err := edge.AwaitEndpoint(t.Context(), "shop.example.test")
		if err != nil {
			t.Error(err)
		}
		endpoints <- e
	}()
	agent, _ := connect(t, edge)
	listen(t, agent) // not the one awaited
	listener := listen(t, agent, ngrok.WithURL("https://shop.example.test"))
	if s := <-sessions; s.Authtoken != tunneltest.Authtoken {
		t.Errorf("session = %+v", s)
	}
	if e := <-endpoints; e.URL != listener.URL().String() {
		t.Errorf("endpoint = %+v, want %s", e, listener.URL())
	}
}
