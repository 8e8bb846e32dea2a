// Package smoke checks a live MCP URL from outside, as a client on the
// internet meets it: that it is reachable over valid TLS, speaks the protocol
// in both of its eras, and answers a question about the stock.
//
// It is an independent check: it speaks HTTP and JSON by itself and shares no
// code with the server. It changes nothing: it calls tools that read, and makes
// calls that must be refused.
//
// Begin at [Run].
package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Config says what to check. Only URL must be set.
type Config struct {
	// URL is what a person would paste into a client. It is https, or http
	// where the host is a loopback one.
	URL string

	// Header is sent with every request, such as an Authorization. Its values
	// never appear in a report.
	Header http.Header

	// CA holds PEM certificates to trust beside the system's.
	CA []byte

	// Resolve says where hosts are, as curl's --resolve does:
	// "host:port:address". The address may bring a port of its own.
	Resolve []string

	// Timeout is for the whole run; if 0, 30 seconds. One request may take a
	// third of it, so that one that hangs does not hide the others.
	Timeout time.Duration
}

// Status says how a check ended.
type Status string

const (
	Passed  Status = "pass"
	Failed  Status = "fail"
	Skipped Status = "skip" // not tried; Detail says why
)

// Check is one thing that was looked at.
type Check struct {
	Name     string        `json:"name"` // stays the same from release to release
	Status   Status        `json:"status"`
	Duration time.Duration `json:"-"` // in JSON "duration_ms"
	Detail   string        `json:"detail,omitempty"`
	Hint     string        `json:"hint,omitempty"` // after a failure, what to do next
}

// Report is what a run found.
type Report struct {
	URL      string        `json:"url"` // as asked for, without user, password and query
	OK       bool          `json:"ok"`  // every check passed, or was skipped without one failing
	Duration time.Duration `json:"-"`   // in JSON "duration_ms"
	Checks   []Check       `json:"checks"`
}

// Run makes all checks in order and calls tell, which may be nil, after each.
// The checks and their names are the same for every server: those that make no
// sense after a failure are skipped. An error means that nothing was checked,
// because cfg is wrong, or that ctx ended; what is wrong with the server is in
// the report.
func Run(ctx context.Context, cfg Config, tell func(Check)) (Report, error) {
	target, err := parseURL(cfg.URL)
	if err != nil {
		return Report{}, err
	}
	transport, err := newTransport(cfg.CA, cfg.Resolve)
	if err != nil {
		return Report{}, err
	}
	defer transport.CloseIdleConnections()
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}

	r := &run{
		client: newClient(transport, cfg.Header, cfg.Timeout/3),
		target: target,
		clean:  cleaner(cfg.Header, target),
		tell:   tell,
		report: Report{URL: display(target)},
		tools:  make(map[revision][]tool),
	}
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	r.all(limited)
	r.report.Duration = time.Since(start)
	return r.report, context.Cause(ctx)
}

// run is one run under way.
type run struct {
	client *client
	target *url.URL // what is asked; [run.path] may mend it
	clean  func(string) string
	tell   func(Check)
	report Report
	failed bool

	pointless string  // why nothing further can be checked; "" while it can
	probe     reply   // the first answer
	session   session // of the initialize before
	tools     map[revision][]tool
}

// all makes the checks.
func (r *run) all(ctx context.Context) {
	r.check(ctx, "reachable", r.reachable)
	r.check(ctx, "path", r.path)
	r.check(ctx, "both slashes", r.bothSlashes)
	r.check(ctx, "get", r.get)
	r.check(ctx, "server/discover "+string(modern), r.discover)
	for _, rev := range revisions {
		if rev != modern {
			r.check(ctx, "initialize "+string(rev), r.initialize(rev))
		}
		r.check(ctx, "tools/list "+string(rev), r.toolsList(rev))
		r.check(ctx, "tools/call "+string(rev), r.toolsCall(rev))
		r.endSession(ctx)
	}
	r.check(ctx, "check_stock", r.checkStock)
	r.check(ctx, "unknown tool", r.unknownTool)
	r.check(ctx, "wrong argument", r.wrongArgument)
	r.check(ctx, "without a token", r.challenge)
	r.report.OK = !r.failed
}

// check makes one check. do returns what is worth telling when all is well; a
// [skip] as its error means that it was not tried.
func (r *run) check(ctx context.Context, name string, do func(context.Context) (string, error)) {
	c := Check{Name: name, Status: Passed}
	start := time.Now()
	var err error
	switch {
	case r.pointless != "":
		err = skip(r.pointless)
	case ctx.Err() != nil && r.failed:
		err = skip("no time was left")
	default:
		c.Detail, err = do(ctx)
	}
	c.Duration = time.Since(start)

	if because, ok := errors.AsType[skip](err); ok {
		c.Status, c.Detail = Skipped, string(because)
	} else if err != nil {
		c.Status, c.Detail = Failed, err.Error()
		if p, ok := errors.AsType[*problem](err); ok {
			c.Hint = p.hint
		}
		r.failed = true
	}
	c.Detail, c.Hint = r.clean(c.Detail), r.clean(c.Hint)
	r.report.Checks = append(r.report.Checks, c)
	if r.tell != nil {
		r.tell(c)
	}
}

// problem is why a check failed, for a person.
type problem struct {
	what string
	hint string // what to do next, or ""
}

func (p *problem) Error() string { return p.what }

// wrong is a problem whose remedy is plain from its words.
func wrong(format string, args ...any) error {
	return &problem{what: fmt.Sprintf(format, args...)}
}

// skip is why a check was not tried.
type skip string

func (s skip) Error() string { return string(s) }
