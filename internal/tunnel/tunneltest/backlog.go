package tunneltest

import (
	"io"
	"net"
	"sync"

	"golang.ngrok.com/muxado/v2"
	"golang.ngrok.com/muxado/v2/frame"
)

// maxBacklog is how many streams the Edge leaves an agent to take up. Agents
// queue 128 and reset what comes on top, which would cost a burst of requests
// some of its answers.
const maxBacklog = 64

// backlog watches the frames of a session for streams that the agent has not
// taken up: those that it has not sent anything for.
type backlog struct {
	frame.Framer
	slots chan struct{}

	mu   sync.Mutex
	open map[frame.StreamId]bool
}

func newBacklog() *backlog {
	return &backlog{slots: make(chan struct{}, maxBacklog), open: make(map[frame.StreamId]bool)}
}

// over makes b the framer of a session.
func (b *backlog) over(r io.Reader, w io.Writer) frame.Framer {
	b.Framer = frame.NewFramer(r, w)
	return b
}

func (b *backlog) WriteFrame(f frame.Frame) error {
	if data, ok := f.(*frame.Data); ok && data.Syn() {
		b.mu.Lock()
		b.open[f.StreamId()] = true
		b.mu.Unlock()
	}
	return b.Framer.WriteFrame(f)
}

func (b *backlog) ReadFrame() (frame.Frame, error) {
	f, err := b.Framer.ReadFrame()
	if err != nil {
		return f, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[f.StreamId()] {
		delete(b.open, f.StreamId())
		<-b.slots
	}
	return f, nil
}

// open opens a stream to the agent, after those that it has not taken up.
func (s *session) open(t muxado.StreamType) (muxado.Stream, error) {
	select {
	case s.backlog.slots <- struct{}{}:
		return s.mux.OpenTypedStream(t)
	case <-s.link.closed:
		return nil, net.ErrClosed
	}
}
