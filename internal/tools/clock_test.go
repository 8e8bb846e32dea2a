package tools

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestTodayIsTheShopsDay(t *testing.T) {
	evening := time.Date(2026, 11, 3, 23, 30, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"Asia/Taipei":         "2026-11-04",
		"UTC":                 "2026-11-03",
		"America/New_York":    "2026-11-03",
		"Pacific/Kiritimati":  "2026-11-04",
		"Asia/Kathmandu":      "2026-11-04",
		"America/Los_Angeles": "2026-11-03",
	} {
		s := openShopIn(t, evening, zone(t, name))
		if got := s.do(t, "list_expiring", `{"within_days":0}`).StructuredContent["until"]; got != want {
			t.Errorf("at 23:30 UTC, today in %s = %v, want %s", name, got, want)
		}
	}

	// The day ends at the shop's midnight.
	s := openShopIn(t, time.Date(2026, 11, 3, 15, 59, 59, 0, time.UTC), zone(t, "Asia/Taipei"))
	for _, want := range []string{"2026-11-03", "2026-11-04"} {
		if got := s.do(t, "list_expiring", `{"within_days":0}`).StructuredContent["until"]; got != want {
			t.Errorf("today = %v, want %s", got, want)
		}
		s.pass(time.Second)
	}
}

func TestTimesAreTheShopsWithTheirOffset(t *testing.T) {
	// 01:30 comes twice on the day on which clocks in New York are set back.
	s := openShopIn(t, time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC), zone(t, "America/New_York"))
	const sale, egg = `{"store":"koko-daan","product":"tea-egg","delta":-1,"reason":"sale"}`, `{"store":"koko-daan","product":"tea-egg"}`
	s.done(t, "record_movement", sale)
	s.pass(time.Hour)
	s.done(t, "record_movement", sale)

	for _, locale := range []string{"zh-TW", "en"} {
		text, out := call(t, s.srv, "stock_history", args(t, egg), map[string]any{"openai/locale": locale})
		if !strings.Contains(text, "2026-11-01 01:30 -05:00") || !strings.Contains(text, "2026-11-01 01:30 -04:00") {
			t.Errorf("in %s, the history is %q, want both times with their offsets", locale, text)
		}
		var at []any
		for _, m := range out.StructuredContent["movements"].([]any)[:2] {
			at = append(at, m.(map[string]any)["at"])
		}
		if diff := cmp.Diff([]any{"2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-04:00"}, at); diff != "" {
			t.Errorf("in %s, movements were at (-want +got):\n%s", locale, diff)
		}
	}
	if got := s.do(t, "check_stock", egg).StructuredContent["as_of"]; got != "2026-11-01T01:30:00-05:00" {
		t.Errorf("as_of = %v", got)
	}

	const reserve = `{"store":"koko-daan","product":"tea-egg","quantity":1,"minutes":60,"idempotency_key":"k"}`
	made := s.done(t, "reserve_stock", reserve)
	if text := made.Content[0].Text; !strings.Contains(text, "2026-11-01 02:30 -05:00") {
		t.Errorf("a reservation is made by %q", text)
	}
	if got := made.StructuredContent["reservation"].(map[string]any)["until"]; got != "2026-11-01T02:30:00-05:00" {
		t.Errorf("until = %v", got)
	}
	s.pass(time.Minute)
	again := s.done(t, "reserve_stock", reserve)
	if diff := cmp.Diff(made.StructuredContent["reservation"], again.StructuredContent["reservation"]); diff != "" {
		t.Errorf("the same reservation made again differs (-first +second):\n%s", diff)
	}
	_, token := s.preview(t, "record_movement", `{"store":"koko-daan","product":"tea-egg","delta":96,"reason":"delivery"}`)
	if preview := s.do(t, "record_movement", `{"store":"koko-daan","product":"tea-egg","delta":96,"reason":"delivery"}`); token == "" || !strings.Contains(preview.Content[0].Text, "2026-11-01 01:41 -05:00") {
		t.Errorf("a preview is %q", preview.Content[0].Text)
	}
}
