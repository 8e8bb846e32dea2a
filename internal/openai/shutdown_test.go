package openai

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
)

func TestModelsThatShutDown(t *testing.T) {
	s := standIn(t)
	s.ShutDown("old-model", "2026-12-11")
	s.ShutDown("odd-model", "soon")
	day := time.Date(2026, 12, 11, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, model, key, base string
		want                   time.Time
		fails                  bool
	}{
		{name: "announced", model: "old-model", want: day},
		{name: "at another base", model: "old-model", base: s.URL() + "/", want: day},
		{name: "not announced", model: openaitest.Model},
		{name: "the default", model: ""},
		{name: "unknown", model: "old-model-2"},
		{name: "not a day", model: "odd-model", fails: true},
		{name: "a wrong key", model: "old-model", key: "sk-wrong-key", fails: true},
		{name: "another program", model: "old-model", base: s.URL() + "/nothing", fails: true},
		{name: "nothing", model: "old-model", base: "http://127.0.0.1:1/v1", fails: true},
	} {
		c := Config{Key: openaitest.APIKey, BaseURL: s.URL(), Model: test.model}
		if test.key != "" {
			c.Key = test.key
		}
		if test.base != "" {
			c.BaseURL = test.base
		}
		got, err := ShutdownDate(t.Context(), c)
		if !got.Equal(test.want) || (err != nil) != test.fails {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), c.Key) {
			t.Errorf("%s: the error has the key: %v", test.name, err)
		}
	}
}

// Models go away, and a reader who copies a snippet finds out too late: what we print
// and publish names the default, or one that is meant to be another.
func TestNoModelThatShutsDownIsNamed(t *testing.T) {
	const root = "../.."
	model := regexp.MustCompile(`\b(?:(?:chat)?gpt-[0-9][-.0-9a-z]*|o[1-9](?:-[a-z]+)*)\b`)
	named := map[string]bool{DefaultModel: true, "gpt-6-luna": true}
	looked := 0
	look := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		looked++
		for _, name := range model.FindAllString(string(text), -1) {
			if !named[name] {
				t.Errorf("%s names the model %s", path, name)
			}
		}
	}
	for _, pattern := range []string{"*.md", "docs/*.md", "cmd/mcpstore/ask*.go", "cmd/mcpstore/connect.go", "internal/openai/*.go"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || paths == nil {
			t.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			if name := filepath.Base(path); name != "CHANGELOG.md" && !strings.HasSuffix(name, "_test.go") {
				look(path)
			}
		}
	}
	err := filepath.WalkDir("connect", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			look(path)
		}
		return err
	})
	if err != nil || looked < 10 {
		t.Errorf("looked at %d files, %v", looked, err)
	}
}
