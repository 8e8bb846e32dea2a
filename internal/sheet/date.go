package sheet

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// rocYear is what to add to a year of the Republic of China (民國).
const rocYear = 1911

const notADate = "this is not a date; write it as 2026-11-30"

// parseDate reads a day as people write it: 2026-11-30, 2026/11/30, 20261130,
// 115/11/30 and 民國115年11月30日, 30-Nov-2026, 30/11/2026, and the number of a
// day that Excel has. It returns why s is none, or may be several.
func parseDate(s string) (date store.Date, why string) {
	s = strings.TrimSpace(narrow(s))
	roc := false
	for _, era := range []string{"中華民國", "民國", "民国"} {
		if rest, ok := strings.CutPrefix(s, era); ok {
			s, roc = strings.TrimSpace(rest), true
			break
		}
	}
	s = withoutTime(s)
	if strings.Trim(s, "0123456789") == "" {
		return dateOfDigits(s, roc)
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-/., 年月日", r) })
	if len(parts) != 3 {
		return "", notADate
	}
	if month, at := monthName(parts); month > 0 {
		return dateWithName(parts, month, at)
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || len(p) > 4 {
			return "", notADate
		}
	}
	first, last := len(parts[0]), len(parts[2])
	switch {
	case roc || first == 3:
		return dateOf(n[0]+rocYear, n[1], n[2])
	case first == 4:
		return dateOf(n[0], n[1], n[2])
	case last == 4 && n[0] > 12:
		return dateOf(n[2], n[1], n[0])
	case last == 4 && (n[1] > 12 || n[0] == n[1]):
		return dateOf(n[2], n[0], n[1])
	case last == 4:
		return "", fmt.Sprintf("this may be the %s or the %s; write the year first, as in 2026-11-30",
			words(n[2], n[0], n[1]), words(n[2], n[1], n[0]))
	}
	return "", "this does not say which part is the year; write it as 2026-11-30"
}

// words writes a day so that it cannot be misread.
func words(year, month, day int) string {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Format("2 January 2006")
}

// withoutTime takes the time of day off a date: spreadsheets add 00:00:00.
func withoutTime(s string) string {
	day, clock, ok := strings.Cut(s, " ")
	if !ok {
		day, clock, ok = strings.Cut(s, "T")
	}
	if ok && strings.Contains(clock, ":") {
		return day
	}
	return s
}

// dateOfDigits reads a date of digits alone, by how many they are.
func dateOfDigits(s string, roc bool) (store.Date, string) {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return "", notADate
	case len(s) == 8 && !roc:
		return dateOf(n/10000, n/100%100, n%100)
	case len(s) == 7:
		return dateOf(n/10000+rocYear, n/100%100, n%100)
	case len(s) == 5 && !roc && excelYear2000 <= n && n < excelYear2100:
		return store.DateOf(excelDay(n, false)), ""
	}
	return "", notADate
}

// The numbers that Excel has for the first days of two years. A number of five
// digits between them is a day whose cell lost its format.
const (
	excelYear2000 = 36526
	excelYear2100 = 73051
)

// excel1970 is the number that Excel has for the first day of 1970.
const excel1970 = 25569

// excelDay returns the day that Excel has by a number, counted from 1900, with
// the day that 1900 did not have, or from 1904.
func excelDay(n int, from1904 bool) time.Time {
	switch {
	case from1904:
		return time.Date(1904, 1, 1+n, 0, 0, 0, 0, time.UTC)
	case n < 60:
		return time.Date(1899, 12, 31+n, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(1899, 12, 30+n, 0, 0, 0, 0, time.UTC)
}

func monthName(parts []string) (month, at int) {
	const names = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
	for i, p := range parts {
		if len(p) >= 3 && p[0] > '9' {
			if m := strings.Index(names, strings.ToUpper(p[:3])); m >= 0 && m%3 == 0 {
				return m/3 + 1, i
			}
		}
	}
	return 0, 0
}

// dateWithName reads 30-Nov-2026, 30-Nov-26, Nov 30, 2026 and 2026-Nov-30.
func dateWithName(parts []string, month, at int) (store.Date, string) {
	day, year := parts[0], parts[2]
	switch {
	case at == 0:
		day = parts[1]
	case at == 2:
		return "", notADate
	case len(day) == 4:
		day, year = year, day
	}
	d, err1 := strconv.Atoi(day)
	y, err2 := strconv.Atoi(year)
	if err1 != nil || err2 != nil || len(year) != 2 && len(year) != 4 {
		return "", notADate
	}
	if len(year) == 2 {
		y += 2000
	}
	return dateOf(y, month, d)
}

// dateOf returns the day, if there is such a one.
func dateOf(year, month, day int) (store.Date, string) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if y, m, d := t.Date(); y != year || int(m) != month || d != day || y < 1900 || y > 9999 {
		return "", "there is no such day; write the date as 2026-11-30"
	}
	return store.DateOf(t), ""
}
