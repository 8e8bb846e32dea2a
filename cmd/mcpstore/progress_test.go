package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressOffATerminalIsALineNowAndThen(t *testing.T) {
	var b strings.Builder
	p := newProgress(&b, "importing")
	began := p.shown
	for seconds, done := range []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7} {
		p.now = func() time.Time { return began.Add(time.Duration(seconds) * time.Second) }
		p.at(done, seconds*1000)
	}
	p.end()
	if got, want := b.String(), "mcpstore: importing: 60%, 5000 rows\n"; got != want {
		t.Errorf("seven seconds printed %q, want %q", got, want)
	}
}
