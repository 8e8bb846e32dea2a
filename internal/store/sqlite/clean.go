package sqlite

import (
	"fmt"

	"github.com/mcpstore/mcpstore/internal/store"
)

func invalid(format string, args ...any) error {
	return &store.InvalidError{Text: fmt.Sprintf(format, args...)}
}
