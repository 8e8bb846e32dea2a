package sheet

import (
	"strings"
	"testing"
)

func TestParseDateTakesDaysAsPeopleWriteThem(t *testing.T) {
	const day = "2026-11-30"
	for in, want := range map[string]string{
		"2026-11-30": day, "2026/11/30": day, "2026.11.30": day, "20261130": day, "2026年11月30日": day, "２０２６／１１／３０": day, "2026 / 11 / 30": day,
		"115/11/30": day, "115.11.30": day, "115-11-30": day, "民國115年11月30日": day, "民国115/11/30": day, "中華民國 115 年 11 月 30 日": day, "1151130": day, "民國1151130": day,
		"30-Nov-2026": day, "30-Nov-26": day, "30 November 2026": day, "Nov 30, 2026": day, "2026-Nov-30": day,
		"30/11/2026": day, "11/30/2026": day, "30.11.2026": day, "46356": day,
		"2026-11-30 00:00:00": day, "2026-11-30T08:00:00Z": day, "2026/11/30 上午 12:00:00": day,
		"2026/1/2": "2026-01-02", "11/11/2026": "2026-11-11", "2028-02-29": "2028-02-29", "民國99年1月1日": "2010-01-01", "99991231": "9999-12-31",
	} {
		if got, why := parseDate(in); string(got) != want || why != "" {
			t.Errorf("parseDate(%q) = %q, %q, want %q", in, got, why, want)
		}
	}
	for in, want := range map[string]string{
		"11/12/2026": "may be the 12 November 2026 or the 11 December 2026",
		"26/11/30":   "which part is the year", "30.11.26": "which part is the year",
		"2026-02-29": "no such day", "2026-13-01": "no such day", "2026-00-10": "no such day", "20261301": "no such day", "115/02/30": "no such day", "32-Jan-2026": "no such day", "0001-01-01": "no such day",
		"2026/11": "not a date", "明天": "not a date", "30": "not a date", "261130": "not a date", "123456789": "not a date", "12345": "not a date",
		"1-2-3-4": "not a date", "a-b-c": "not a date", "20260-1-1": "not a date", "1/2/Jan": "not a date", "-": "not a date", "30-Nov-12345": "not a date", "無": "not a date",
	} {
		if got, why := parseDate(in); got != "" || !strings.Contains(why, want) {
			t.Errorf("parseDate(%q) = %q, %q, want %q", in, got, why, want)
		}
	}
}
