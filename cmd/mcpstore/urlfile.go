package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// urlFile tells scripts the public URL: the file is there while the URL is
// online, and never half written. The zero value writes nothing.
type urlFile string

// prepare removes the file that a program which crashed may have left, and
// finds out early whether the place can be written.
func (f urlFile) prepare() error {
	if f == "" {
		return nil
	}
	tmp, err := f.temp("")
	if err != nil {
		return err
	}
	os.Remove(tmp)
	return f.remove()
}

func (f urlFile) write(url string) error {
	if f == "" {
		return nil
	}
	tmp, err := f.temp(url + "\n")
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, string(f)); err != nil {
		os.Remove(tmp)
		return f.failed(err)
	}
	return nil
}

func (f urlFile) remove() error {
	if f == "" {
		return nil
	}
	if err := os.Remove(string(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed(err)
	}
	return nil
}

// temp writes text to a new file beside f and returns its name.
func (f urlFile) temp(text string) (string, error) {
	dir, base := filepath.Split(string(f))
	if dir == "" {
		dir = "." // CreateTemp takes "" for the system's own
	}
	tmp, err := os.CreateTemp(dir, "."+base+"-*")
	if err != nil {
		return "", f.failed(err)
	}
	_, err = tmp.WriteString(text)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		os.Remove(tmp.Name())
		return "", f.failed(err)
	}
	return tmp.Name(), nil
}

func (f urlFile) failed(err error) error {
	return &failure{
		fmt.Errorf("keep the URL in %q: %w", string(f), err),
		"give --url-file a file in a folder that exists and can be written",
	}
}
