package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestURLFileIsThereWhileTheURLIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	f := urlFile{path: file}
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
	f := urlFile{path: filepath.Join(t.TempDir(), "nowhere", "url")}
	err := f.prepare()
	if err == nil || !strings.Contains(hintOf(err), "--url-file") {
		t.Errorf("prepare = %v, want an error with a hint", err)
	}
}

func TestURLFileOfARunningProcessStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	first, second := urlFile{path: file}, urlFile{path: file}
	if err := first.write("https://first.example/mcp"); err != nil {
		t.Fatal(err)
	}
	if err := second.prepare(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != "https://first.example/mcp\n" {
		t.Errorf("after a second start: %q, %v, want the first one's URL", got, err)
	}
	if err := second.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("after a second start that failed: %v, want the first one's file", err)
	}
	if err := second.write("https://second.example/mcp"); err != nil {
		t.Fatal(err)
	}
	if err := first.remove(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != "https://second.example/mcp\n" {
		t.Errorf("after the first one's end: %q, %v, want the second one's URL", got, err)
	}
}
