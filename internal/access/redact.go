package access

import (
	"log/slog"
	"regexp"

	"github.com/mcpstore/mcpstore/internal/access/secret"
)

var (
	bearerPattern = regexp.MustCompile(`(?i)\b(bearer)(?:\s|\\t|%20)+[0-9a-z._~+/=-]+`)
	jwtPattern    = regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*`)
)

// Redact returns text without what lets anybody in: for what is kept of what
// callers send.
func Redact(text string) string {
	text = bearerPattern.ReplaceAllString(text, "$1 [cut]")
	text = secret.Pattern.ReplaceAllString(text, "[cut]")
	return jwtPattern.ReplaceAllString(text, "[cut]")
}

// RedactAttr redacts all that a log says: it is for [slog.HandlerOptions]. Some
// of that is what callers chose, and some of them choose what should be secret.
func RedactAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(Redact(err.Error()))
		}
	}
	return a
}
