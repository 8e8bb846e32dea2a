// Package page cuts lists into pages for every backend. A cursor names the last
// row of a page and not its position, so rows that come and go between two pages
// are neither repeated nor left out. A hash of the query that it belongs to keeps
// it from being used with another one.
package page

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Cursor returns the cursor after row last of the list that query asks for.
func Cursor(query any, last string) string {
	return base64.RawURLEncoding.EncodeToString(append(sum(query, last), last...))
}

// Last returns the row that cursor names, "" for the first page, or
// [store.ErrBadCursor] where it is of another query.
func Last(query any, cursor string) (string, error) {
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

// Limit returns how many rows a [store.Page] with this Limit asks for.
func Limit(n int) int {
	if n <= 0 {
		return store.DefaultLimit
	}
	return min(n, store.MaxLimit)
}

// Cut returns the first n rows, and the cursor of the next page if there are
// more; id names a row for the cursor.
func Cut[T any](rows []T, n int, query any, id func(T) string) ([]T, string) {
	if len(rows) <= n {
		return rows, ""
	}
	return rows[:n:n], Cursor(query, id(rows[n-1]))
}

// After returns the rows after the one that id names last, all if last is "".
func After[T any](rows []T, last string, id func(T) string) ([]T, error) {
	if last == "" {
		return rows, nil
	}
	for i, row := range rows {
		if id(row) == last {
			return rows[i+1:], nil
		}
	}
	return nil, store.ErrBadCursor
}
