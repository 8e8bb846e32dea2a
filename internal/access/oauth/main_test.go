package oauth

import (
	"os"
	"testing"

	"github.com/mcpstore/mcpstore/internal/access/secret/secrettest"
)

// TestMain looks for every secret that the tests used in all that they had
// logged, and in all refusals.
func TestMain(m *testing.M) { os.Exit(said.Main(m)) }

// said is what anybody could read while the tests ran.
var said secrettest.Transcript
