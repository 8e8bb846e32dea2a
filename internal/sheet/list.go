package sheet

import "strings"

// What separates the items of a list in a cell. A backslash before one makes it
// part of the item.
const (
	betweenNames = ";；、，,|｜\n\r"
	betweenCodes = betweenNames + "/／ \t"
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
	var item strings.Builder
	escaped := false
	end := func() {
		if text := strings.TrimSpace(item.String()); text != "" {
			items = append(items, text)
		}
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
			end()
		default:
			item.WriteRune(r)
		}
	}
	if escaped {
		item.WriteByte('\\')
	}
	end()
	return items
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
