package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// magic is how every SQLite file begins.
const magic = "SQLite format 3\x00"

// prepareFile makes an empty file at path if there is none, and looks at one
// that is there before SQLite does, since SQLite would open it read-only
// without a word, or begin to mend it. Two processes may come here at once.
func prepareFile(path string, makeDir bool) error {
	if path == "" {
		return problem("no path is given", "name the database file")
	}
	dir := filepath.Dir(path)
	if makeDir {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return problem(cause(err), fmt.Sprintf("make the folder %q yourself, or choose another path", dir))
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	switch info, statErr := os.Stat(path); {
	case statErr == nil && info.IsDir():
		return problem("is a folder", fmt.Sprintf("name a file in it, such as %q", filepath.Join(path, "mcpstore.db")))
	case errors.Is(err, fs.ErrNotExist):
		return problem(fmt.Sprintf("folder %q does not exist", dir), "make it first, or check the path for a slip")
	case err != nil && statErr == nil:
		return problem("file cannot be written: "+cause(err), "make it writable for this user, or choose another path")
	case err != nil:
		return problem(fmt.Sprintf("folder %q cannot be written: %s", dir, cause(err)), "make it writable for this user, or choose another path")
	}
	defer f.Close()
	if err := writableDir(dir); err != nil {
		return problem(fmt.Sprintf("folder %q cannot be written: %s", dir, cause(err)),
			"SQLite keeps two more files beside the database: make the folder writable for this user")
	}
	start := make([]byte, len(magic))
	switch n, err := io.ReadFull(f, start); {
	case err != nil && n > 0 && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n > 0 && string(start[:n]) != magic:
		return problem("file is not a database", "choose another path; the file was left as it is")
	}
	return nil
}

// writableDir reports whether files can be made in dir.
func writableDir(dir string) error {
	f, err := os.CreateTemp(dir, ".mcpstore-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// cause returns what the operating system said, without the path that the
// error around it names already.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}
