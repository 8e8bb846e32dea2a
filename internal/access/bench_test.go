package access_test

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

// benchModes are the modes that are compared with the first of them.
var benchModes = []access.Mode{access.None, access.Tokens, access.OAuth}

// BenchmarkCheckStock is a check_stock in process, from request to answer, by
// a caller whom nobody asks for a token, and by callers who send one.
func BenchmarkCheckStock(b *testing.B) {
	for _, mode := range benchModes {
		b.Run(string(mode), func(b *testing.B) {
			ask := asker(b, mode)
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}

// BenchmarkAuthentication asks the same by turns, so that whatever else the
// machine does befalls all alike. It tells by how much the median call is
// slower with a token than without.
func BenchmarkAuthentication(b *testing.B) {
	var asks []func()
	took := make([][]time.Duration, len(benchModes))
	for _, mode := range benchModes {
		asks = append(asks, asker(b, mode))
	}
	for b.Loop() {
		for i, ask := range asks {
			begin := time.Now()
			ask()
			took[i] = append(took[i], time.Since(begin))
		}
	}
	var none float64
	for i, mode := range benchModes {
		slices.Sort(took[i])
		median := float64(took[i][len(took[i])/2])
		b.ReportMetric(median, string(mode)+"-ns")
		if i == 0 {
			none = median
			continue
		}
		b.ReportMetric(100*(median/none-1), string(mode)+"-%slower")
	}
	b.ReportMetric(0, "ns/op") // of all together, which is nothing to know
}

// asker returns what asks for the stock, of a shop in the mode.
func asker(b *testing.B, mode access.Mode) func() {
	b.Helper()
	s := openShop(b, access.Config{Mode: mode, Log: slog.New(slog.DiscardHandler), Limits: access.Limits{PerMinute: access.Unlimited}})
	token := ""
	switch mode {
	case access.Tokens:
		token, _ = s.apiToken(store.Token{Scopes: both})
	case access.OAuth:
		token, _ = s.signIn(store.Token{Scopes: both, Resource: publicURL + "/mcp", ExpiresAt: s.Now().Add(time.Hour)})
	}
	if got := s.ask(call(checkStock, token)); got.status != http.StatusOK || !strings.Contains(got.body, "on_hand") {
		b.Fatalf("answered %d %s", got.status, got.body)
	}
	w := &answers{header: make(http.Header)}
	return func() {
		clear(w.header)
		s.ServeHTTP(w, call(checkStock, token))
		if w.status != http.StatusOK {
			b.Fatalf("answered %d", w.status)
		}
	}
}

// answers is a ResponseWriter that keeps the last status.
type answers struct {
	header http.Header
	status int
}

func (a *answers) Header() http.Header         { return a.header }
func (a *answers) WriteHeader(status int)      { a.status = status }
func (a *answers) Write(p []byte) (int, error) { return len(p), nil }
