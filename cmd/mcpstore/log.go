package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/mcpstore/mcpstore/internal/access"
)

// newLog makes the log that all parts write to.
func newLog(w io.Writer, format, level string) (*slog.Logger, error) {
	opts := slog.HandlerOptions{ReplaceAttr: access.RedactAttr}
	var lowest slog.Level
	if lowest.UnmarshalText([]byte(level)) != nil {
		return nil, &usageError{fmt.Errorf("--log-level %q is unknown", level), "give debug, info, warn or error"}
	}
	opts.Level = lowest
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, &opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &opts)), nil
	default:
		return nil, &usageError{fmt.Errorf("--log-format %q is unknown", format), "give text or json"}
	}
}
