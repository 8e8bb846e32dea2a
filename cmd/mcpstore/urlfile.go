package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// urlFile tells scripts the public URL: the file is there while the URL is
// online, and never half written. Beside it lies, hidden, the number of the
// process that keeps it, so that no other takes it away. Without a path it does
// nothing.
type urlFile struct {
	path    string
	written string // what this process wrote last
}

// prepare removes the file that a program which crashed may have left, and
// finds out early whether the place can be written.
func (f *urlFile) prepare() error {
	if f.path == "" {
		return nil
	}
	if err := f.try(); err != nil {
		return err
	}
	if owner, err := os.ReadFile(f.owner()); err == nil && running(string(owner)) {
		return nil
	}
	return f.delete()
}

func (f *urlFile) write(url string) error {
	if f.path == "" {
		return nil
	}
	if err := replaceFile(f.path, url+"\n", 0o644); err != nil {
		return f.failed(err)
	}
	f.written = url + "\n"
	// Its name can be guessed, and others may be able to write to the folder:
	// a link that they put there is replaced, not followed.
	if err := replaceFile(f.owner(), strconv.Itoa(os.Getpid()), 0o644); err != nil {
		return f.failed(err)
	}
	return nil
}

// remove takes the file away, unless another process has written it since.
func (f *urlFile) remove() error {
	if f.written == "" {
		return nil
	}
	if now, err := os.ReadFile(f.path); err == nil && string(now) != f.written {
		return nil
	}
	f.written = ""
	return f.delete()
}

func (f *urlFile) delete() error {
	for _, path := range []string{f.path, f.owner()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f.failed(err)
		}
	}
	return nil
}

// owner is the file with the number of the process that keeps f.
func (f *urlFile) owner() string {
	dir, base := filepath.Split(f.path)
	return filepath.Join(dir, "."+base+".pid")
}

// try finds out whether a file can be written beside f.
func (f *urlFile) try() error {
	dir, base := filepath.Split(f.path)
	if dir == "" {
		dir = "." // CreateTemp takes "" for the system's own
	}
	tmp, err := os.CreateTemp(dir, "."+base+"-*")
	if err != nil {
		return f.failed(err)
	}
	if err := errors.Join(tmp.Close(), os.Remove(tmp.Name())); err != nil {
		return f.failed(err)
	}
	return nil
}

func (f *urlFile) failed(err error) error {
	return &failure{
		fmt.Errorf("keep the URL in %q: %w", f.path, err),
		"give --url-file a file in a folder that exists and can be written",
	}
}

// running reports whether the process with the number in pid runs.
func running(pid string) bool {
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 {
		return false
	}
	p, err := os.FindProcess(n)
	if err != nil {
		return false
	}
	if runtime.GOOS == "windows" {
		return true // or it would not have been found
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
