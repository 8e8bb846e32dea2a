package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCodesLetIn(t *testing.T) {
	h := openHouseByCode(t)
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	if len(h.notices) != 1 || !regexp.MustCompile(`^\d{4}-\d{4}$`).MatchString(h.notices[0].Code) {
		t.Fatalf("%d notices", len(h.notices))
	}
	code := h.notices[0].Code
	want := Notice{Code: code, Client: "ChatGPT", RedirectHost: "client.example", Expires: h.now().Add(onceTime)}
	if diff := cmp.Diff(want, h.notices[0]); diff != "" {
		t.Errorf("notice (-want +got):\n%s", diff)
	}
	if strings.Contains(p.Body.String(), code) {
		t.Error("the page has the code")
	}
	wrong := "0000-0000"
	if wrong == code {
		wrong = "0000-0001"
	}
	if p = p.allow(wrong); p.Code != http.StatusForbidden {
		t.Fatalf("another code = %d", p.Code)
	}
	p.allow(" " + strings.ReplaceAll(code, "-", "") + " ").leaves() // as people type it
	if p := h.asked(params(client)).allow(code); p.Code != http.StatusForbidden || len(h.grants()) != 1 {
		t.Errorf("the code again = %d", p.Code)
	}
}

func TestCodesAreShownOnceForEachClient(t *testing.T) {
	h := openHouseByCode(t)
	one, two := h.register("One", back), h.register("Two", back)
	h.asked(params(one))
	h.asked(params(one))
	h.asked(params(two))
	if len(h.notices) != 2 || h.notices[0].Client != "One" || h.notices[1].Client != "Two" || h.notices[0].Code != h.notices[1].Code {
		t.Errorf("%d notices", len(h.notices))
	}
	for i := range 2 * maxNotices {
		h.asked(params(h.register(fmt.Sprint("Client ", i), back)))
	}
	if len(h.notices) != maxNotices {
		t.Errorf("a flood of clients is shown %d notices, want %d", len(h.notices), maxNotices)
	}
}

func TestCodesGrowOld(t *testing.T) {
	h := openHouseByCode(t)
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	h.wait(onceTime)
	if late := p.allow(h.notices[0].Code); late.Code != http.StatusForbidden {
		t.Errorf("after %v: %d", onceTime, late.Code)
	}
	if len(h.notices) != 2 || h.notices[1].Code == h.notices[0].Code {
		t.Fatal("there is no new code")
	}
	h.asked(params(client)).allow(h.notices[1].Code).leaves()
}

// A code that was typed at one replica is not offered by another any longer.
func TestReplicasTakeEachOthersCodes(t *testing.T) {
	h := openHouseByCode(t)
	one, two := h.server, h.replica()
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	h.server = two
	p.allow(h.notices[0].Code).leaves()
	h.server = one
	p = h.asked(params(client))
	if len(h.notices) != 2 {
		t.Fatalf("%d notices, want a new code", len(h.notices))
	}
	p.allow(h.notices[1].Code).leaves()
}

func TestCodesCannotBeGuessed(t *testing.T) {
	h := openHouseByCode(t)
	client := h.register("ChatGPT", back)
	for range attemptsHere {
		h.asked(params(client)).allow("not-a-code")
	}
	if p := h.asked(params(client)).allow(h.notices[0].Code); p.Code != http.StatusTooManyRequests || len(h.grants()) > 0 {
		t.Errorf("after %d attempts: %d", attemptsHere, p.Code)
	}
}

func TestCodesEndWithAPassphrase(t *testing.T) {
	h := openHouseByCode(t)
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	h.setPassphrase(passphrase)
	if p := p.allow(h.notices[0].Code); p.Code != http.StatusForbidden || len(h.grants()) > 0 {
		t.Errorf("a code where there is a passphrase = %d", p.Code)
	}
}

func TestWhereCodesCannotBeShownAPassphraseMustBeSet(t *testing.T) {
	h := openHouseByCode(t, func(c *Config) { c.ShowCode = nil })
	client := h.register("ChatGPT", back)
	p := h.asked(params(client))
	if body := p.Body.String(); !strings.Contains(body, "mcpstore access passphrase") || strings.Contains(body, `value="allow"`) {
		t.Errorf("the page says:\n%s", body)
	}
	if p := p.allow("1234-5678"); p.Code != http.StatusForbidden || len(h.grants()) > 0 {
		t.Errorf("allowing = %d", p.Code)
	}
	h.asked(params(client)).press(url.Values{"decision": {"deny"}}).leaves()
}
