package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// saidVariable names the folder in which everything is kept that the program
// says on stderr while a script runs.
const saidVariable = "MCPSTORE_TEST_SAID"

// listened is main, but that what it says on stderr is kept as well.
func listened() {
	var stderr io.Writer = os.Stderr
	if folder := os.Getenv(saidVariable); folder != "" {
		if kept, err := os.CreateTemp(folder, "*.txt"); err == nil {
			stderr = io.MultiWriter(os.Stderr, kept)
		}
	}
	os.Exit(mainWith(stderr))
}

// listen has what the script's commands say kept, and searches it at the end of
// the script.
func listen(env *testscript.Env) error {
	folder, err := os.MkdirTemp("", "said")
	if err != nil {
		return err
	}
	env.Setenv(saidVariable, folder)
	env.Defer(func() {
		defer os.RemoveAll(folder)
		files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
		if err != nil {
			env.T().Fatal(err)
		}
		for _, file := range files {
			for _, line := range secretLines(env.T(), file) {
				env.T().Fatal("a secret was said on stderr: " + line)
			}
		}
	})
	return nil
}

// Secrets that scripts use, beside the program's own.
var scriptSecrets = []string{tunneltest.Authtoken, "hunter2", "correct horse", "secret-without-a-name", openaitest.APIKey, "sk-wrong-key"}

// meantToBeShown are the lines that exist to show a secret.
var meantToBeShown = regexp.MustCompile(`^mcpstore: made the token "first" .*, which is shown only now: |type this code on its page: `)

// secretLines returns the lines of a file that hold a secret.
func secretLines(t testscript.T, file string) (found []string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); saysSecret(line) && !meantToBeShown.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

func saysSecret(line string) bool {
	for _, text := range scriptSecrets {
		if strings.Contains(line, text) {
			return true
		}
	}
	return secret.Pattern.MatchString(line)
}

func TestSecretsAreFoundInWhatIsSaid(t *testing.T) {
	token := secret.New(secret.API)
	for line, want := range map[string]bool{
		"all is well":                        false,
		"refused " + token:                   true,
		`{"err":"` + token + `"}`:            true,
		"authtoken=" + tunneltest.Authtoken:  true,
		"mcps_ and 49 letters":               false,
		"the passphrase hunter2 is too weak": true,
	} {
		if got := saysSecret(line); got != want {
			t.Errorf("saysSecret(%q) = %v", line, got)
		}
	}
}
