package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/mcpstore/mcpstore/internal/store"
)

// watchOptions are the flags that keep the stock as a file says.
type watchOptions struct {
	file  string
	quiet time.Duration
	take  importOptions
}

func (o *watchOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.file, "watch", "", "import this `file` now, and again whenever it was written")
	f.DurationVar(&o.quiet, "watch-quiet", 2*time.Second, "import it once it has been still for this long")
	o.take.addFlags(f, "watch-")
}

func (o *watchOptions) check() error {
	if o.quiet <= 0 {
		return &usageError{fmt.Errorf("--watch-quiet %s is not a time", o.quiet), "give one such as 2s"}
	}
	return o.take.check("watch-")
}

// start watches the file, if one is named, until the returned function is
// called, which waits for an import to end.
func (o *watchOptions) start(ctx context.Context, s database, log *slog.Logger) (stop func()) {
	if o.file == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(store.WithCaller(ctx, store.Caller{ID: "watch", Client: "mcpstore " + programVersion()}))
	w := &watcher{file: o.file, quiet: o.quiet, log: log, take: func(ctx context.Context, still func() error) (store.ImportReport, error) {
		return o.take.run(ctx, s, []string{o.file}, nil, importRun{
			maxProblems: 20,
			still:       still,
			tell:        func(text string) { log.Info(text, "file", o.file) },
			removing: func(shops []store.Shop) error {
				log.Warn("removing "+storeNames(shops), "file", o.file)
				return nil
			},
		})
	}}
	w.check(ctx, time.Now(), true) // so that the first question is answered from it
	done := make(chan struct{})
	go func() { defer close(done); w.run(ctx) }()
	return func() { cancel(); <-done }
}

// watcher imports a file again whenever another program has written it.
// It looks at the file now and then rather than being told: a till's export
// often comes over a network share, which tells nobody.
type watcher struct {
	file  string
	quiet time.Duration // how long a file must be still to be whole
	take  func(ctx context.Context, still func() error) (store.ImportReport, error)
	log   *slog.Logger

	last    look // what was imported, or is not worth trying again
	seen    look // what was there when it was looked at last
	since   time.Time
	gone    bool
	trouble string // what was logged last
}

// look is what can be told of a file without reading it.
type look struct {
	size    int64
	changed time.Time
}

func lookAt(file string) (look, error) {
	info, err := os.Stat(file)
	if err != nil {
		return look{}, err
	}
	return look{info.Size(), info.ModTime()}, nil
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(max(w.quiet/4, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.check(ctx, now, false)
		}
	}
}

// check imports the file if it is new and has been still for long enough.
// First says that it was never looked at before.
func (w *watcher) check(ctx context.Context, now time.Time, first bool) {
	found, err := lookAt(w.file)
	if err != nil {
		w.missing(err)
		return
	}
	w.gone = false
	if found != w.seen {
		w.seen, w.since = found, now
		if first {
			w.since = found.changed // all that can be known yet
			if w.since.After(now) {
				w.since = now // by a clock that is ahead
			}
		}
	}
	if found == w.last || now.Sub(w.since) < w.quiet {
		return
	}
	report, err := w.take(ctx, func() error {
		if after, err := lookAt(w.file); err != nil || after != found {
			return errBeingWritten
		}
		return nil
	})
	switch {
	case ctx.Err() != nil || errors.Is(err, errBeingWritten):
		return
	case err != nil:
		w.refused(err)
		if errors.As(err, new(*store.ImportError)) {
			w.last = found
		}
		w.since = now // another try may do for what is not the rows' fault
		return
	}
	w.last, w.trouble = found, ""
	w.log.Info("imported", "file", w.file, "rows", report.Rows, "changes", summarize(report))
	if report.RemovedDemo {
		w.log.Info("the demo data was removed: this is the first import")
	}
	for _, p := range report.Renamed.First {
		w.log.Warn("a code gave a product another name", "file", w.file, "code", p.Code, "product", p.ProductID, "renamed", p.Before+" → "+p.After)
	}
	for _, held := range report.Released {
		w.log.Warn("a reservation was released: there is too little left", "reservation", held.ID,
			"store", held.ShopID, "product", held.ProductID, "quantity", held.Quantity)
	}
}

// errBeingWritten ends an import of a file that has changed meanwhile: it is
// tried again when it is still.
var errBeingWritten = errors.New("the file is being written")

// missing says once that the file is not there.
func (w *watcher) missing(err error) {
	if w.gone {
		return
	}
	w.gone = true
	if errors.Is(err, fs.ErrNotExist) {
		w.log.Warn("the watched file is not there; the stock stays as it is until it is", "file", w.file)
		return
	}
	w.log.Warn("the watched file cannot be looked at; the stock stays as it is", "file", w.file, "err", err)
}

// refused says why the stock stays as it was.
func (w *watcher) refused(err error) {
	if err.Error() == w.trouble {
		return
	}
	w.trouble = err.Error()
	args := []any{"file", w.file, "err", err}
	if bad, ok := errors.AsType[*store.ImportError](err); ok {
		for _, p := range bad.Problems {
			w.log.Error("bad row", "problem", p.Error())
		}
		args = append(args, "rows", bad.Count)
		w.trouble = "" // each version of the file has its own
	}
	if hint := hintOf(err); hint != "" {
		args = append(args, "hint", hint)
	}
	w.log.Error("the watched file was not imported; the stock stays as it was", args...)
}
