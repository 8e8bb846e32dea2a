package tunnel

import (
	"context"
	"log/slog"
	"reflect"
)

// sdkLog is where the SDK logs to. What it reports there as errors, the
// tunnel tells better by its state, so all but warnings becomes debug detail,
// without the authtoken, which ngrok's error texts repeat.
//
// It also listens: when the SDK binds an endpoint anew after a reconnect, it
// overlooks the URL in the answer, and its debug log is the only place where
// that shows. If a later SDK logs otherwise, only a URL that changed in a
// rebind goes unnoticed, and a test says so.
type sdkLog struct {
	slog.Handler
	authtoken string
	sawBind   func(url string)
}

func newSDKLog(log *slog.Logger, authtoken string, sawBind func(url string)) *slog.Logger {
	return slog.New(&sdkLog{log.Handler(), authtoken, sawBind})
}

func (h *sdkLog) Enabled(context.Context, slog.Level) bool { return true }

func (h *sdkLog) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if url := boundURL(a); url != "" {
			h.sawBind(url)
		}
		return true
	})
	level := slog.LevelDebug
	if r.Level == slog.LevelWarn {
		level = slog.LevelWarn
	}
	if !h.Handler.Enabled(ctx, level) {
		return nil
	}
	out := slog.NewRecord(r.Time, level, redact("ngrok: "+r.Message, h.authtoken), 0)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.redacted(a))
		return true
	})
	return h.Handler.Handle(ctx, out)
}

func (h *sdkLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	redacted := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		redacted[i] = h.redacted(a)
	}
	return &sdkLog{h.Handler.WithAttrs(redacted), h.authtoken, h.sawBind}
}

func (h *sdkLog) WithGroup(name string) slog.Handler {
	return &sdkLog{h.Handler.WithGroup(name), h.authtoken, h.sawBind}
}

func (h *sdkLog) redacted(a slog.Attr) slog.Attr {
	return slog.String(a.Key, redact(a.Value.Resolve().String(), h.authtoken))
}

// boundURL returns the URL in a successful answer to a bind, or "".
func boundURL(a slog.Attr) string {
	if a.Key != "resp" {
		return ""
	}
	resp := reflect.Indirect(reflect.ValueOf(a.Value.Any()))
	if resp.Kind() != reflect.Struct {
		return ""
	}
	url, fault := resp.FieldByName("URL"), resp.FieldByName("Error")
	if url.Kind() != reflect.String || fault.Kind() != reflect.String || fault.Len() > 0 {
		return ""
	}
	return url.String()
}
