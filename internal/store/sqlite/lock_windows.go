package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockBytes takes some bytes of a file until it is closed. It reports false where
// there is a lock on one of them.
func lockBytes(f *os.File, start, length int64) (bool, error) {
	at := windows.Overlapped{Offset: uint32(start), OffsetHigh: uint32(start >> 32)}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, uint32(length), uint32(length>>32), &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// lockWhole takes a file until it is closed. It reports false where it is taken.
func lockWhole(f *os.File) bool {
	locked, err := lockBytes(f, 1<<32, 1) // far behind what is read of it
	return locked && err == nil
}
