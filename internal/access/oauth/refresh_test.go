package oauth

import (
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// renewed is refresh where it has to work.
func (h *house) renewed(client, token string, changes ...string) answered {
	h.t.Helper()
	return h.renewedAt(h.server, client, token, changes...)
}

func (h *house) renewedAt(s *Server, client, token string, changes ...string) answered {
	h.t.Helper()
	got := h.refreshAt(s, client, token, changes...)
	if got.Status != http.StatusOK || !h.holds(got.Access) || secret.Check(got.Refresh, secret.Refresh) != nil {
		h.t.Fatalf("refreshing = %d %s %s", got.Status, got.Error, got.Text)
	}
	said.Keep(got.Access)
	said.Keep(got.Refresh)
	return got
}

func (h *house) signedIn(scope string) (client string, got answered) {
	h.t.Helper()
	client = h.register("ChatGPT", back)
	return client, h.redeem(client, h.letIn(params(client, "scope", scope)))
}

func TestRefreshTokensGiveTheSameSuccessorWithinTheirWindow(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	first := h.renewed(client, got.Refresh)
	h.wait(119 * time.Second) // the answer was lost
	again := h.renewed(client, got.Refresh)
	if again.Refresh != first.Refresh || again.Access == first.Access || again.Expires != first.Expires-119 || again.Scope != first.Scope {
		t.Errorf("the second time: the same successor %v, the same access token %v, for %d s and %q", again.Refresh == first.Refresh, again.Access == first.Access, again.Expires, again.Scope)
	}
	if !h.holds(first.Access) {
		t.Error("the first access token doesn't hold any longer")
	}
	h.renewed(client, again.Refresh)
	if all := h.grants(); len(all) != 1 {
		t.Errorf("there are %d grants", len(all))
	}
}

// A session that is late gets what the first one got, though that was used.
func TestTheWindowStaysOpenWhenTheSuccessorIsUsed(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	first := h.renewed(client, got.Refresh)
	second := h.renewed(client, first.Refresh)
	late := h.renewed(client, got.Refresh)
	if late.Refresh != first.Refresh {
		t.Error("the late session got another successor")
	}
	if next := h.renewed(client, late.Refresh); next.Refresh != second.Refresh {
		t.Error("the sessions have parted")
	}
}

func TestTheWindowIsNotExtended(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	first := h.renewed(client, got.Refresh)
	h.wait(119 * time.Second)
	h.renewed(client, got.Refresh)
	h.wait(2 * time.Second)
	if late := h.refresh(client, got.Refresh); late.Status != http.StatusBadRequest || late.Error != "invalid_grant" || late.Access != "" {
		t.Errorf("after 121 s: %d %s", late.Status, late.Error)
	}
	if h.holds(first.Access) || len(h.grants()) > 0 {
		t.Error("the grant still holds")
	}
	if last := h.refresh(client, first.Refresh); last.Error != "invalid_grant" {
		t.Errorf("the successor: %d %s", last.Status, last.Error)
	}
}

func TestTheWindowHasSoManyRepeats(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	for range 1 + store.RenewRepeats {
		h.renewed(client, got.Refresh)
	}
	if more := h.refresh(client, got.Refresh); more.Error != "invalid_grant" || len(h.grants()) > 0 {
		t.Errorf("the 21st repeat: %d %s, and %d grants", more.Status, more.Error, len(h.grants()))
	}
}

func TestTheWindowIsItsClientsAlone(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	first := h.renewed(client, got.Refresh)
	if stolen := h.refresh(h.register("Other", back), got.Refresh); stolen.Error != "invalid_grant" || stolen.Access != "" {
		t.Errorf("another client gets %d %s", stolen.Status, stolen.Error)
	}
	if h.holds(first.Access) || len(h.grants()) > 0 {
		t.Error("the grant still holds")
	}
}

func TestRevokingEndsTheWindowAtOnce(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	first := h.renewed(client, got.Refresh)
	if err := h.db.RevokeGrant(t.Context(), h.grants()[0].ID); err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{"the old": got.Refresh, "the successor": first.Refresh} {
		if again := h.refresh(client, token); again.Error != "invalid_grant" || again.Access != "" {
			t.Errorf("%s: %d %s", what, again.Status, again.Error)
		}
	}
}

func TestRepeatsGiveNoMoreScope(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read stock:write")
	h.renewed(client, got.Refresh, "scope", "stock:read")
	for _, scope := range []string{"", "stock:write", "stock:read stock:write", "openid"} {
		again := h.renewed(client, got.Refresh, "scope", scope)
		if kept, err := h.db.Token(t.Context(), store.HashOf(again.Access)); err != nil || again.Scope != "stock:read" || kept.Scopes != store.ScopeRead {
			t.Errorf("for scope %q: the answer says %q, and kept is %q (%v)", scope, again.Scope, kept.Scopes, err)
		}
	}
	next := h.renewed(client, got.Refresh)
	if all := h.renewed(client, next.Refresh); all.Scope != "stock:read stock:write" {
		t.Errorf("the successor gives %q", all.Scope)
	}
}

func TestRepeatsAreAudited(t *testing.T) {
	h := openHouse(t)
	client, got := h.signedIn("stock:read")
	h.renewed(client, got.Refresh)
	h.address = "198.51.100.9"
	h.renewed(client, got.Refresh)
	h.wait(2 * time.Minute)
	h.refresh(client, got.Refresh)
	h.refresh(client, got.Refresh) // which ends nothing any longer
	_, got = h.signedIn("stock:read")
	h.refresh(h.register("Other", back), got.Refresh)
	calls, _, err := h.db.Calls(t.Context(), store.CallQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range calls {
		if c.Tool == "refresh" {
			lines = append(lines, c.Name+" "+c.Address+" "+c.Arguments+" "+c.Outcome)
		}
	}
	want := `ChatGPT 198.51.100.9 {} refused: sent by another client, ChatGPT 198.51.100.9 {} refused: used again after its time, ChatGPT 198.51.100.9 {"repeat":1} repeated`
	if text := strings.Join(lines, ", "); text != want {
		t.Errorf("audit log: %s\nwant: %s", text, want)
	}
}

// second returns a server in another process that has the same database.
func (h *house) second() *Server {
	h.t.Helper()
	db, err := sqlite.Open(h.t.Context(), sqlite.Config{Path: filepath.Join(h.dir, "shop.db"), Now: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { db.Close() })
	return h.replica(func(c *Config) { c.Store = db })
}

func TestParallelSessionsStaySignedIn(t *testing.T) {
	h := openHouse(t)
	servers := []*Server{h.server, h.second()}
	client, got := h.signedIn("stock:read")
	token := got.Refresh
	for burst := range 3 {
		answers := make([]answered, 16)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = h.refreshAt(servers[i%2], client, token) })
		}
		all.Wait()
		for i, a := range answers {
			if a.Status != http.StatusOK || a.Refresh != answers[0].Refresh || !h.holds(a.Access) {
				t.Fatalf("burst %d, session %d: %d %s, and the successor of session 0: %v", burst, i, a.Status, a.Error, a.Refresh == answers[0].Refresh)
			}
		}
		token = answers[0].Refresh
		h.wait(time.Hour)
	}
	if all := h.grants(); len(all) != 1 {
		t.Errorf("there are %d grants", len(all))
	}
}

// Two processes of a client renew what they have each hour, some seconds apart.
// Now and then an answer is lost, and asked for once more.
func TestTwoProcessesStaySignedInForAMonth(t *testing.T) {
	h := openHouse(t)
	servers := []*Server{h.server, h.second()}
	chance := rand.New(rand.NewPCG(1, 2))
	client, got := h.signedIn("stock:read")
	held := []string{got.Refresh, got.Refresh}
	for hour := range 30 * 24 {
		apart := time.Duration(chance.IntN(119)) * time.Second
		order := chance.Perm(2)
		for _, process := range order {
			again := 1 + chance.IntN(5)/4
			var answer answered
			for range again {
				answer = h.renewedAt(servers[chance.IntN(2)], client, held[process])
			}
			held[process] = answer.Refresh
			if process == order[0] {
				h.wait(apart)
			}
		}
		if held[0] != held[1] {
			t.Fatalf("after %d hours the processes have different refresh tokens", hour)
		}
		h.wait(time.Hour - apart)
		if hour%24 == 0 {
			if err := h.db.Forget(t.Context(), h.now(), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
	}
	if all := h.grants(); len(all) != 1 {
		t.Errorf("there are %d grants, want the one of the first day", len(all))
	}

	// A thief who took what the processes have is found out all the same.
	thief := h.renewed(client, held[0])
	h.wait(2 * time.Minute)
	if owner := h.refresh(client, held[1]); owner.Error != "invalid_grant" || h.holds(thief.Access) || len(h.grants()) > 0 {
		t.Errorf("after a thief renewed it: %d %s, and %d grants", owner.Status, owner.Error, len(h.grants()))
	}
}

// Sessions refresh when their own access token ends, by clocks that are fast or
// slow, some seconds late, and once more where an answer was lost. That must not
// add up from hour to hour until one of them misses the window.
func TestSessionsDoNotDriftApart(t *testing.T) {
	h := openHouse(t)
	chance := rand.New(rand.NewPCG(3, 4))
	client, got := h.signedIn("stock:read")
	type session struct {
		token string
		due   time.Time
		rate  float64 // of its clock
	}
	sessions := []*session{{got.Refresh, h.now(), 0.999}, {got.Refresh, h.now(), 1}, {got.Refresh, h.now(), 1.001}}
	for end := h.now().AddDate(0, 0, 30); h.now().Before(end); {
		next := slices.MinFunc(sessions, func(a, b *session) int { return a.due.Compare(b.due) })
		h.wait(next.due.Sub(h.now()))
		answer := h.renewed(client, next.token)
		if chance.IntN(8) == 0 { // the answer is lost
			next.due = h.now().Add(time.Duration(5+chance.IntN(25)) * time.Second)
			continue
		}
		next.token = answer.Refresh
		late := time.Duration(chance.IntN(20)) * time.Second
		next.due = h.now().Add(time.Duration(next.rate*float64(answer.Expires))*time.Second + late)
	}
	if all := h.grants(); len(all) != 1 {
		t.Errorf("there are %d grants, want the one of the first day", len(all))
	}
}
