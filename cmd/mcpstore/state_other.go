//go:build !unix

package main

import (
	"io/fs"
	"os"
)

// lockFile has nothing to do: a file that is open cannot be removed here, and is
// held by that.
func lockFile(*os.File) error { return nil }

// lockedByOther reports whether somebody else holds a file. One that nobody
// holds is gone then.
func lockedByOther(file *os.File) bool {
	file.Close()
	return os.Remove(file.Name()) != nil
}

// ours reports whether nobody but this user can have written a file: a user's
// folders are their own here.
func ours(fs.FileInfo) bool { return true }
