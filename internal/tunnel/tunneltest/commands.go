package tunneltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.ngrok.com/muxado/v2"
)

// StopAgent tells every agent to stop, as somebody does at ngrok's dashboard,
// and returns when all have answered. An agent's refusal is an error.
func (e *Edge) StopAgent(ctx context.Context) error {
	return e.command(ctx, stopStream, func(q authRequest) *string { return q.Extra.StopUnsupportedError })
}

// RestartAgent tells every agent to restart, and returns when all have
// answered. An agent's refusal is an error.
func (e *Edge) RestartAgent(ctx context.Context) error {
	return e.command(ctx, restartStream, func(q authRequest) *string { return q.Extra.RestartUnsupportedError })
}

func (e *Edge) command(ctx context.Context, command muxado.StreamType, unsupported func(authRequest) *string) error {
	e.mu.Lock()
	sessions := slices.Clone(e.online)
	e.mu.Unlock()
	var errs []error
	for _, s := range sessions {
		switch why := unsupported(s.auth); {
		case why == nil:
			errs = append(errs, errors.New("the agent is too old to be told"))
		case *why != "":
			errs = append(errs, errors.New(*why))
		default:
			errs = append(errs, s.command(ctx, command))
		}
	}
	return errors.Join(errs...)
}

// command sends the agent a command without arguments.
func (s *session) command(ctx context.Context, command muxado.StreamType) error {
	stream, err := s.open(command)
	if err != nil {
		return err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { stream.SetReadDeadline(time.Now()) })()
	if _, err := stream.Write([]byte("{}\n")); err != nil {
		return err
	}
	var a errorAnswer
	if err := json.NewDecoder(stream).Decode(&a); err != nil {
		return errors.Join(fmt.Errorf("await the agent's answer: %w", err), ctx.Err())
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return nil
}

// StopEndpoint takes all endpoints at a URL offline and tells their agents
// why: in words, and with the code of an ngrok error, or 0 for none. Their
// sessions stay.
func (e *Edge) StopEndpoint(url, message string, code int) error {
	host := hostOf(url)
	e.mu.Lock()
	var stopped []*binding
	if p := e.pools[host]; p != nil {
		stopped = slices.Clone(p.bindings)
	}
	for _, b := range stopped {
		b.session.bindings = slices.DeleteFunc(b.session.bindings, func(other *binding) bool { return other == b })
		e.takeOffline(b)
	}
	e.mu.Unlock()
	if len(stopped) == 0 {
		return fmt.Errorf("no endpoint at %q", url)
	}
	q := stopTunnelRequest{Message: message}
	if code != 0 {
		q.ErrorCode = codeName(code)
	}
	for _, b := range stopped {
		stream, err := b.session.open(stopTunnel)
		if err != nil {
			return err
		}
		q.ID = b.ID
		err = json.NewEncoder(stream).Encode(q)
		stream.Close() // agents do not answer this
		if err != nil {
			return err
		}
	}
	return nil
}
