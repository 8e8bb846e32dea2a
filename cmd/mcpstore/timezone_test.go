package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// runAt runs a command at a time and returns what it prints.
func runAt(t *testing.T, now time.Time, wantCode int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	e := &env{
		getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		now: func() time.Time { return now }, zone: time.UTC,
	}
	if code := e.run(t.Context(), args); code != wantCode {
		t.Fatalf("mcpstore %q = %d, want %d; it says:\n%s", args, code, wantCode, &stderr)
	}
	return stdout.String()
}

func TestTodayIsThatOfTheTimeZone(t *testing.T) {
	evening := time.Date(2026, 11, 3, 23, 30, 0, 0, time.UTC)
	first := map[string]store.Date{}
	for _, zone := range []string{"", "UTC", "Asia/Taipei", "America/New_York"} {
		args := []string{"--db", filepath.Join(t.TempDir(), "shop.db")}
		if zone != "" {
			args = append(args, "--timezone", zone)
		}
		runAt(t, evening, exitDone, append([]string{"access", "token", "create", "--name", "first"}, args...)...) // makes demo data
		for line := range strings.Lines(runAt(t, evening, exitDone, append([]string{"export"}, args...)...)) {
			for cell := range strings.SplitSeq(strings.TrimSpace(line), ",") {
				if day, err := store.ParseDate(cell); err == nil && (first[zone] == "" || day < first[zone]) {
					first[zone] = day
				}
			}
		}
	}
	// Some of the demo data expires today.
	if first[""] != "2026-11-03" || first["UTC"] != "2026-11-03" || first["America/New_York"] != "2026-11-03" || first["Asia/Taipei"] != "2026-11-04" {
		t.Errorf("at 23:30 UTC on 2026-11-03, what expires today has the dates %v", first)
	}
}

func TestSinceIsInTheTimeZone(t *testing.T) {
	taipei := time.FixedZone("Taipei", 8*60*60)
	got, err := parseSince("2026-11-04", time.Date(2026, 11, 4, 9, 0, 0, 0, taipei))
	if want := time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("parseSince = %v, %v, want %v", got, err, want)
	}
}

func TestUnknownTimeZoneIsAWrongCall(t *testing.T) {
	for _, name := range []string{"Asia/Taipeh", "CST", "+08:00", "", "../etc/passwd"} {
		runAt(t, time.Now(), exitCalled, "stock", "list", "--timezone", name)
	}
}
