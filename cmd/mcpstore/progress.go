package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far something is that takes over a second: as a bar on a
// terminal, else as a line now and then. Its methods may be called from several
// goroutines.
type progress struct {
	w     io.Writer
	what  string
	bar   *progressbar.ProgressBar // nil until there is one
	isTTY bool

	mu    sync.Mutex
	shown time.Time // when something was shown last; or when it began
	now   func() time.Time
}

const (
	progressAfter = time.Second
	progressLines = 5 * time.Second // between two lines
	progressSteps = 1000            // of the bar
)

func newProgress(w io.Writer, what string) *progress {
	return &progress{w: w, what: what, isTTY: isTerminal(w), shown: time.Now(), now: time.Now}
}

// isTerminal reports whether a stream is of a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// at says how far it is, of 1, and how many rows were read.
func (p *progress) at(done float64, rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := p.now().Sub(p.shown)
	switch {
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("%s (%d rows)", p.what, rows))
		_ = p.bar.Set(int(done * progressSteps))
	case p.isTTY && since >= progressAfter:
		p.bar = progressbar.NewOptions(progressSteps,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	case !p.isTTY && since >= progressLines:
		p.shown = p.now()
		fmt.Fprintf(p.w, "mcpstore: %s: %.0f%%, %d rows\n", p.what, done*100, rows)
	}
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
