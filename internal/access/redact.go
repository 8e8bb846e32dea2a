package access

import (
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
