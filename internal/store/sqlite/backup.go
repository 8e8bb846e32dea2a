package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Backup copies the database to a new file at path, as of one moment, while
// others read and write. The file is there wholly or not at all, and is its
// owner's only. One that is there already is an error, and stays as it is.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := db.backup(ctx, path); err != nil {
		if ended := ctx.Err(); ended != nil {
			err = ended
		}
		return fmt.Errorf("back up database %q to %q: %w", db.path, path, explain(err))
	}
	return nil
}

func (db *DB) backup(ctx context.Context, path string) error {
	if path == "" {
		return problem("no path is given", "name the file to be made")
	}
	if _, err := os.Lstat(path); err == nil {
		return occupied()
	}
	if err := db.look(); err != nil {
		return err // or it would be a backup of another file
	}
	tmp, discard, err := vacuumBeside(ctx, db.abs, "", path)
	if err != nil {
		return err
	}
	defer discard()
	return publish(tmp, path)
}

var errOccupied = errors.New("there is such a file already")

func occupied() error {
	return &unusable{text: errOccupied.Error(), hint: "name one that is not there, or move that one away", err: errOccupied}
}

// vacuumBeside copies the database at from, opened with params, to a temporary
// file in a scratch folder beside path. Discard removes it.
func vacuumBeside(ctx context.Context, from, params, path string) (tmp string, discard func(), err error) {
	tmp, discard, err = newScratch(path)
	if err != nil {
		return "", nil, err
	}
	pool, err := connect(from, 1, params)
	if err == nil {
		// In one go: stepping in pieces would begin anew at each write.
		_, err = pool.ExecContext(ctx, `VACUUM INTO ?`, tmp)
		pool.Close()
	}
	if err == nil {
		err = syncFile(tmp)
	}
	if err != nil {
		discard()
		return "", nil, err
	}
	return tmp, discard, nil
}

// publish gives a file that is complete its name, unless that is taken.
func publish(tmp, path string) error {
	err := os.Link(tmp, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return occupied()
	case err != nil: // the file system has no links
		if _, err := os.Lstat(path); err == nil {
			return occupied()
		}
		if err := os.Rename(tmp, path); err != nil {
			return err
		}
	}
	return syncFolder(path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder makes the names in the folder of path last.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // where folders are no files
	}
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
