package sqlite_test

import (
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// openPath tells a process that it is one of those of
// [TestOpenByProcessesAtOnceFillsOnce].
const openPath = "MCPSTORE_TEST_OPEN"

// TestOpenByProcessesAtOnceFillsOnce runs itself in several processes, which
// open the same new database at the same moment.
func TestOpenByProcessesAtOnceFillsOnce(t *testing.T) {
	if path := os.Getenv(openPath); path != "" {
		os.Stdout.WriteString("ready\n")
		io.ReadAll(os.Stdin) // until all are
		db := mustOpen(t, sqlite.Config{Path: path, Seed: seed})
		checkSummary(t, db, store.Summary{Shops: 2, Products: 30, Demo: true})
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		path := filepath.Join(t.TempDir(), "stock.db")
		gate, open, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var outs []io.Reader
		var processes []*osexec.Cmd
		for range 3 {
			p := osexec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
			p.Env = append(os.Environ(), openPath+"="+path)
			p.Stdin = gate
			out, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			outs, processes = append(outs, out), append(processes, p)
		}
		for _, out := range outs {
			if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
				t.Fatal(err)
			}
		}
		gate.Close()
		open.Close()
		for i, p := range processes {
			said, _ := io.ReadAll(outs[i])
			if err := p.Wait(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, said)
			}
		}
		checkSummary(t, mustOpen(t, sqlite.Config{Path: path}), store.Summary{Shops: 2, Products: 30, Demo: true})
	}
}
