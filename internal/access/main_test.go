package access_test

import (
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret/secrettest"
)

// TestMain looks for every secret that the tests used in all that they had
// logged and answered.
func TestMain(m *testing.M) { os.Exit(said.Main(m)) }

// said is what anybody could read while the tests ran.
var said secrettest.Transcript

// newLog returns a log of everything, into the transcript and to others.
func newLog(others ...io.Writer) *slog.Logger {
	to := io.MultiWriter(append(others, &said)...)
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
