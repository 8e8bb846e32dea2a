package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestURLFileIsThereWhileTheURLIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	f := urlFile(file)
	if err := os.WriteFile(file, []byte("https://left-by-a-crash.example/mcp\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after prepare: %v, want no file", err)
	}
	for _, url := range []string{"https://one.example/mcp", "https://two.example/mcp"} {
		if err := f.write(url); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); string(got) != url+"\n" || err != nil {
			t.Errorf("file holds %q, %v, want %q and a line end", got, err, url)
		}
	}
	for range 2 {
		if err := f.remove(); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestURLFileSaysWhereItCannotBe(t *testing.T) {
	err := urlFile(filepath.Join(t.TempDir(), "nowhere", "url")).prepare()
	if err == nil || !strings.Contains(hintOf(err), "--url-file") {
		t.Errorf("prepare = %v, want an error with a hint", err)
	}
}
