package tools

import (
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// today is the day that it is in the shops.
func (h *handler) today() store.Date { return store.DateOf(h.now().In(h.location)) }

// timestamp is a time for programs: RFC 3339, in the shops' time zone.
func (h *handler) timestamp(t time.Time) string { return t.In(h.location).Format(time.RFC3339) }

// clockTime is a time for people: what the clocks in the shops show, and their
// offset from UTC.
func (h *handler) clockTime(t time.Time) string { return t.In(h.location).Format(store.TimeLayout) }
