package sqlite

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain discards what databases log that tests give no logger.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
