package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

func TestNetworksAreReadAsPeopleWriteThem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "networks.txt")
	if err := os.WriteFile(file, []byte("\ufeff# ours\r\n203.0.113.7\r\n  198.51.100.77/24 # the shop\r\n\r\n2001:db8::/32\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := (&gateOptions{allowIPFile: file}).networks()
	want := []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); err != nil || diff != "" {
		t.Errorf("networks() = %v (-want +got):\n%s", err, diff)
	}
}

func TestDurationsMayBeInDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute} {
		var d days
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("Set(%q) = %v, %v; want %v", text, time.Duration(d), err, want)
		}
		var again days
		if err := again.Set(d.String()); err != nil || again != d {
			t.Errorf("Set(%q), which is %q printed, = %v, %v", d.String(), text, time.Duration(again), err)
		}
	}
	for _, text := range []string{"", "0d", "-1d", "d", "1.5d", "soon", "99999999d", "999999999999999999999d"} {
		if d, err := parseDays(text); err == nil {
			t.Errorf("parseDays(%q) = %v", text, d)
		}
	}
}

func TestRateLimitOfZeroIsNone(t *testing.T) {
	for flag, want := range map[int]int{0: access.Unlimited, 1: 1, 1200: 1200} {
		if got := (&gateOptions{rateLimit: flag}).perMinute(); got != want {
			t.Errorf("--rate-limit %d allows %d requests a minute, want %d", flag, got, want)
		}
	}
}

func TestSinceIsATimeOrHowLongAgo(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"":                     {},
		"24h":                  now.Add(-24 * time.Hour),
		"7d":                   now.AddDate(0, 0, -7),
		"2026-11-01":           time.Date(2026, 11, 1, 0, 0, 0, 0, time.Local),
		"2026-11-01T08:30":     time.Date(2026, 11, 1, 8, 30, 0, 0, time.Local),
		"2026-11-01T08:30:00Z": time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("parseSince(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestGrantsForAnotherURLAreTold(t *testing.T) {
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "shop.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, url := range []string{"https://old.example/mcp", "https://new.example/mcp"} {
		code := store.Token{Kind: store.CodeToken, Hash: store.HashOf(url), Scopes: store.ScopeRead, Resource: url, ExpiresAt: time.Now().Add(time.Minute)}
		if _, err := db.AddGrant(t.Context(), store.Grant{ClientID: fmt.Sprint("client-", i), ClientName: "ChatGPT", RedirectHost: "chatgpt.com", Scopes: store.ScopeRead, Resource: url}, code); err != nil {
			t.Fatal(err)
		}
	}
	for endpoint, want := range map[string]int{"https://new.example/mcp": 1, "https://third.example/mcp": 2} {
		var out bytes.Buffer
		o := serveOptions{gate: gateOptions{auth: "oauth"}}
		if err := o.tellOldGrants(t.Context(), db, endpoint, slog.New(slog.NewTextHandler(&out, nil))); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "(ChatGPT, for https://"); got != want || !strings.Contains(out.String(), "sign in again") {
			t.Errorf("at %s the log says %s", endpoint, out.String())
		}
	}
}
