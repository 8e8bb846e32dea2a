package main

import (
	"os"
	"path/filepath"
	"strconv"
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

func TestURLFileIsNotWrittenThroughALink(t *testing.T) {
	folder := t.TempDir()
	victim := filepath.Join(folder, "victim")
	const kept = "what others keep\n"
	if err := os.WriteFile(victim, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	f := urlFile{path: filepath.Join(folder, "url")}
	if err := f.prepare(); err != nil {
		t.Fatal(err)
	}
	// What a user with a look at the folder's names can put there meanwhile.
	for _, path := range []string{f.path, f.owner()} {
		if err := os.Symlink(victim, path); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	if err := f.write("https://one.example/mcp"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(victim); string(got) != kept {
		t.Errorf("the file behind the links became %q, %v", got, err)
	}
	if got, err := os.ReadFile(f.owner()); string(got) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the file beside it holds %q, %v", got, err)
	}
	if err := f.remove(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 || left[0].Name() != "victim" {
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
