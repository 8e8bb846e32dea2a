package sheet

import (
	"strings"

	"github.com/mcpstore/mcpstore/internal/store/code"
)

// What separates the items of a list in a cell. A backslash before one makes it
// part of the item.
const (
	betweenNames = ";；、，,|｜\n\r"
	betweenCodes = betweenNames + "/／" + spaces
	spaces       = " \t\u3000\u00A0" // also between the groups of one code
)

// splitList returns the items of a list that stands in a cell.
func splitList(s, separators string) []string {
	if s == "" {
		return nil
	}
	if !strings.ContainsAny(s, separators) && !strings.Contains(s, `\\`) {
		return []string{s}
	}
	var items []string
	split(s, separators, func(item string, _ rune) {
		if item != "" {
			items = append(items, item)
		}
	})
	return items
}

// split calls do with each item of a list, which may be empty, and the separator
// after it, 0 at the end.
func split(s, separators string, do func(item string, after rune)) {
	var item strings.Builder
	escaped := false
	end := func(after rune) {
		do(strings.TrimSpace(item.String()), after)
		item.Reset()
	}
	for _, r := range s {
		switch {
		case escaped:
			if r != '\\' && !strings.ContainsRune(separators, r) {
				item.WriteByte('\\')
			}
			item.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case strings.ContainsRune(separators, r):
			end(r)
		default:
			item.WriteRune(r)
		}
	}
	if escaped {
		item.WriteByte('\\')
	}
	end(0)
}

// splitBarcodes returns the barcodes that stand in a cell.
func splitBarcodes(s string) []string {
	if s == "" || strings.Trim(s, "0") == "" {
		return nil
	}
	if strings.Trim(s, "0123456789") == "" { // as nearly all are
		return []string{s}
	}
	var barcodes, groups []string // groups since the last separator that is not a space
	var part strings.Builder      // what stands since the last that parts even N/A
	before := 0                   // barcodes before the part
	split(s, betweenCodes, func(item string, after rune) {
		if item != "" {
			groups = append(groups, item)
		}
		part.WriteString(item)
		if after != 0 && strings.ContainsRune(spaces, after) {
			return
		}
		barcodes = append(barcodes, code.Barcodes(groups)...)
		groups = nil
		if after == '/' || after == '／' {
			return
		}
		if code.None(part.String()) {
			barcodes = barcodes[:before]
		}
		before = len(barcodes)
		part.Reset()
	})
	return barcodes
}

// joinList writes items so that splitList finds them again.
func joinList(items []string, separators string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteByte(';')
		}
		for _, r := range item {
			if r == '\\' || strings.ContainsRune(separators, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
