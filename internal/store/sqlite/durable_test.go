package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
)

// TestEveryConnectionSyncsFully asks each connection that there can be.
func TestEveryConnectionSyncsFully(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "stock.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	alone, err := connect(db.abs, 1, "_query_only=1") // as those who watch and verify have
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	var conns []*sql.Conn
	for _, of := range []struct {
		pool *sql.DB
		n    int
	}{{db.write, 1}, {db.read, db.read.Stats().MaxOpenConnections}, {alone, 1}} {
		for range of.n {
			conn, err := of.pool.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conns = append(conns, conn)
		}
	}
	const full = 2
	for i, conn := range conns {
		var synchronous int
		var journal string
		err := conn.QueryRowContext(t.Context(), `SELECT synchronous, journal_mode FROM pragma_synchronous, pragma_journal_mode`).Scan(&synchronous, &journal)
		if err != nil || synchronous != full || journal != "wal" {
			t.Errorf("connection %d of %d: synchronous %d, journal %q, %v, want %d and wal", i, len(conns), synchronous, journal, err, full)
		}
	}
}

// killedPath tells a process that it is one of those of
// [TestKilledProcessLosesNothing].
const killedPath = "MCPSTORE_TEST_KILLED"

// TestKilledProcessLosesNothing runs itself as a process that changes the stock
// from several goroutines and says what was answered, kills that in mid-load,
// and goes on with another one on the same file.
func TestKilledProcessLosesNothing(t *testing.T) {
	if path := os.Getenv(killedPath); path != "" {
		changeUntilKilled(t, path)
		return
	}
	const kills = 24
	path := filepath.Join(t.TempDir(), "stock.db")
	db, err := Open(t.Context(), Config{Path: path, Seed: func() store.Catalog {
		return store.Catalog{
			Shops:    []store.Shop{{ID: "shop", Name: "小店"}},
			Products: []store.Product{{ID: "egg", Name: "茶葉蛋"}},
			Levels:   []store.CatalogLevel{{ShopID: "shop", ProductID: "egg", OnHand: 1000}},
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var answered []string
	for i := range kills {
		n := 1 + rand.IntN(60)
		if i%6 == 5 {
			n += 100 // after checkpoints
		}
		answered = append(answered, killAfter(t, path, n)...)
	}
	if aside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*-foreign-*")); err != nil || len(aside) > 0 {
		t.Errorf("its own log was taken for another file's: %q, %v", aside, err)
	}

	if db, err = Open(t.Context(), Config{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	times := map[string]int{}
	rows, err := db.read.QueryContext(t.Context(), `SELECT key FROM movements JOIN deeds ON deeds.num = deed`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		times[key]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, key := range answered {
		if times[key] != 1 {
			t.Errorf("change %q was answered, and is there %d times", key, times[key])
		}
		if again, err := db.Move(t.Context(), killedMove(key)); err != nil || !again.Replayed {
			t.Errorf("change %q again: %+v, %v, want the first answer", key, again, err)
		}
	}
	found, err := db.Verify(t.Context(), 10)
	if err != nil || len(found) > 0 {
		t.Errorf("Verify: %v, %v, want nothing", found, err)
	}
	t.Logf("%d changes were answered between %d kills, %d are there", len(answered), kills, len(times)-1)
}

// killedMove is the change of a key.
func killedMove(key string) store.Move {
	m := store.Move{ShopID: "shop", ProductID: "egg", Delta: 1, Reason: store.Delivery, Once: store.Once{Key: key}}
	if len(key)%2 == 0 {
		m.Delta, m.Reason = -1, store.Sale
	}
	if len(key)%3 == 0 && m.Reason == store.Delivery {
		m.Expiry = "2026-12-31"
	}
	return m
}

// changeUntilKilled prints the key of each change that was answered.
func changeUntilKilled(t *testing.T, path string) {
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%x-%s", rand.Uint64(), strings.Repeat("x", i%6))
				if _, err := db.Move(context.Background(), killedMove(key)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				os.Stdout.WriteString(key + "\n") // in one piece, or not at all
			}
		})
	}
	wg.Wait()
}

// killAfter runs a process until it has answered n changes or a few more, and
// returns their keys.
func killAfter(t *testing.T, path string, n int) (answered []string) {
	t.Helper()
	p := anotherProcess(t, killedPath, path)
	p.Stderr = os.Stderr
	out := start(t, p)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if answered = append(answered, strings.TrimSuffix(line, "\n")); len(answered) == n {
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.Wait()
	if len(answered) < n {
		t.Fatalf("process ended by itself after %d changes: %q", len(answered), answered)
	}
	return answered
}
