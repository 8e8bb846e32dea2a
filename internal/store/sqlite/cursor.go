package sqlite

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/mcpstore/mcpstore/internal/store"
)

// A cursor names the last row of a page, not its place, so that rows which
// come and go meanwhile are neither repeated nor left out. A hash of the list
// that it belongs to keeps it from being used with another one.

// newCursor returns the cursor after row last of the list that query asks for.
func newCursor(query any, last string) string {
	return base64.RawURLEncoding.EncodeToString(append(sum(query, last), last...))
}

// lastRow returns the row that cursor names, or "" for the first page.
func lastRow(query any, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) <= 4 {
		return "", store.ErrBadCursor
	}
	last := string(b[4:])
	if string(b[:4]) != string(sum(query, last)) {
		return "", store.ErrBadCursor
	}
	return last, nil
}

func sum(query any, last string) []byte {
	h := fnv.New32a()
	fmt.Fprintf(h, "%#v %q", query, last)
	return binary.BigEndian.AppendUint32(nil, h.Sum32())
}

// limit returns how many rows p asks for.
func limit(n int) int {
	if n <= 0 {
		return store.DefaultLimit
	}
	return min(n, store.MaxLimit)
}

// page cuts the rows of a page, which may be one more than n to show that
// there are others, and returns the cursor of the next page.
func page[T any](rows []T, n int, query any, id func(T) string) ([]T, string) {
	if len(rows) <= n {
		return rows, ""
	}
	return rows[:n:n], newCursor(query, id(rows[n-1]))
}
