package tunnel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// refusal is an error as the SDK's events carry it.
type refusal string

func (r refusal) Error() string {
	return "authentication failed: Your authtoken: 2abcDEF_secret is bad.\r\n\r\n" + string(r) + "\r\n"
}
func (r refusal) ErrorCode() string { return string(r) }

func TestExplainKnowsTheCodesThatAUserMeets(t *testing.T) {
	for code := range refusals {
		got := explain(fmt.Errorf("listen: %w", refusal(code)), "2abcDEF_secret")
		if got.Code != code || got.What == "" || got.Hint() == "" {
			t.Errorf("explain(%s) = %+v, want the code, what is wrong, and what to do", code, got)
		}
		if strings.Contains(got.Error()+got.Hint(), "secret") {
			t.Errorf("explain(%s) = %+v repeats the authtoken", code, got)
		}
	}
}

func TestExplainGivesTheLinkOfACodeItDoesNotKnow(t *testing.T) {
	got := explain(refusal("ERR_NGROK_9999"), "2abcDEF_secret")
	want := "ngrok refused: authentication failed: Your authtoken: [authtoken] is bad. (ERR_NGROK_9999)"
	if got.Error() != want || !strings.Contains(got.Hint(), "https://ngrok.com/docs/errors/ERR_NGROK_9999") {
		t.Errorf("explain = %q, hint %q, want %q and the link", got, got.Hint(), want)
	}
}

func TestExplainOfANetworkErrorSaysWhatToCheck(t *testing.T) {
	got := explain(errors.New("dial tcp: lookup connect.ngrok-agent.com: no such host"), "")
	if !strings.HasPrefix(got.Error(), "cannot reach ngrok: ") || got.Hint() == "" {
		t.Errorf("explain = %q, hint %q", got, got.Hint())
	}
}
