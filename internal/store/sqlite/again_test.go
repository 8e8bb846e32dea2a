package sqlite

import (
	"io"
	"os"
	osexec "os/exec"
	"testing"
)

// RunAgain runs a test in another process, which finds path in variable, until the
// returned input is closed. It is exported for tests outside the package.
func RunAgain(t *testing.T, variable, path string) (p *osexec.Cmd, in io.Closer, out io.Reader) {
	t.Helper()
	p = anotherProcess(t, variable, path)
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return p, stdin, start(t, p)
}

// RunAtOnce runs a test in n other processes, which find path in variable. Each
// writes "ready" and a line break, and its input ends once all have.
func RunAtOnce(t *testing.T, n int, variable, path string) {
	t.Helper()
	gate, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var outs []io.Reader
	var processes []*osexec.Cmd
	for range n {
		p := anotherProcess(t, variable, path)
		p.Stdin = gate
		processes, outs = append(processes, p), append(outs, start(t, p))
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
}

func anotherProcess(t *testing.T, variable, path string) *osexec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := osexec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	p.Env = append(os.Environ(), variable+"="+path)
	return p
}

func start(t *testing.T, p *osexec.Cmd) (out io.Reader) {
	t.Helper()
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return out
}
