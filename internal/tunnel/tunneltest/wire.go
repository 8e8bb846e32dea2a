package tunneltest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"golang.ngrok.com/muxado/v2"
)

// The types of the streams that agent and edge open to each other.
const (
	authStream      muxado.StreamType = 0          // agent to edge
	bindStream      muxado.StreamType = 1          // agent to edge
	unbindStream    muxado.StreamType = 2          // agent to edge
	proxyStream     muxado.StreamType = 3          // edge to agent
	restartStream   muxado.StreamType = 4          // edge to agent
	stopStream      muxado.StreamType = 5          // edge to agent
	srvInfoStream   muxado.StreamType = 8          // agent to edge
	stopTunnel      muxado.StreamType = 9          // edge to agent
	patchStream     muxado.StreamType = 10         // agent to edge
	heartbeatStream muxado.StreamType = 0xFFFFFFFF // agent to edge
)

type authRequest struct {
	Version  []string
	ClientID string `json:"ClientId"` // empty for a new session
	Extra    struct {
		Authtoken                             string
		UserAgent                             string
		Metadata                              string
		ProxyType                             string
		Cookie                                string
		HeartbeatInterval, HeartbeatTolerance int64 // nanoseconds
		// For each command: nil where the agent is too old for it, "" where it
		// obeys, else why it doesn't.
		StopUnsupportedError, RestartUnsupportedError *string
	}
}

type authAnswer struct {
	Version  string
	ClientID string `json:"ClientId"`
	Error    string
	Extra    struct {
		Version        string
		Region         string
		Cookie         string
		AccountName    string
		PlanName       string
		AgentSessionID string
	}
}

type bindRequest struct {
	ID         string `json:"Id"` // empty for a new endpoint
	Proto      string
	ForwardsTo string
	Opts       json.RawMessage
	Extra      struct {
		Name           string
		Token          string // what the edge gave to the endpoint before
		Metadata       string
		Description    string
		Bindings       []string
		PoolingEnabled bool
	}
}

// bindOptions is what a bindRequest's Opts say. Older agents ask by domain.
type bindOptions struct {
	URL              string
	Domain, Hostname string
	TrafficPolicy    string
}

type bindAnswer struct {
	ID    string `json:"Id"`
	URL   string
	Proto string
	Opts  json.RawMessage
	Error string
	Extra struct {
		Token    string
		TunnelID string
	}
}

type unbindRequest struct {
	ID string `json:"Id"`
}

type patchRequest struct {
	TunnelID                                   string `json:"TunnelId"`
	Name, Description, Metadata, TrafficPolicy *string
	PoolingEnabled                             *bool
}

type srvInfoAnswer struct {
	Region string
}

type stopTunnelRequest struct {
	ID        string `json:"Id"`
	Message   string
	ErrorCode string
}

// errorAnswer is the answer to what can only fail or not.
type errorAnswer struct {
	Error string
}

// proxyHeader opens a proxy stream, behind its own length.
type proxyHeader struct {
	ID             string `json:"Id"` // of the bind
	ClientAddr     string
	Proto          string
	EdgeType       string
	PassthroughTLS bool
}

const edgeTypeHTTPS = "3"

// encode returns the header as it stands on the wire.
func (h proxyHeader) encode() ([]byte, error) {
	b, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...), nil
}

// answer reads a request from stream, answers it, and returns when the agent
// has closed the stream, by which time it has the answer.
func answer[Request, Answer any](stream io.ReadWriter, f func(Request) Answer) error {
	var q Request
	if err := json.NewDecoder(io.LimitReader(stream, 1<<20)).Decode(&q); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	b, err := json.Marshal(f(q))
	if err != nil {
		return err
	}
	if _, err := stream.Write(b); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	// Some agents read to the end of the stream before they take the answer.
	if s, ok := stream.(interface{ CloseWrite() error }); ok {
		s.CloseWrite()
	}
	_, err = io.Copy(io.Discard, stream)
	return err
}
