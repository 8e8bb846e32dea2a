package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3/responses"

	"github.com/mcpstore/mcpstore/internal/openai"
	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
)

// nasty is a question that every language must escape somewhere.
const nasty = "It's \"茶葉蛋\" at $HOME, `id`, ${x}, $(id), \\n %s {{.}} !! #{1} '''\"\"\" </script> 😀\r\n\t\x00\x1b\u2028\u202e\U000E0001\\"

var askNasty = openaitest.Script{{Ask: nasty, Calls: []openaitest.Call{{Name: "check_stock", Arguments: json.RawMessage(`{}`)}}, Say: "{output} left"}}

func TestCodeAsksTheQuestionAsItIs(t *testing.T) {
	t.Parallel()
	for _, target := range []openai.Target{openai.ResponsesAPI, openai.AgentsSDK} {
		for _, sdk := range target.SDKs() {
			t.Run(string(target+" ")+string(sdk), func(t *testing.T) {
				t.Parallel()
				shop, stand := newShop(t, ""), newOpenAI(t, askNasty)
				code := connect(t, openai.Connection{URL: shop.url, Question: nasty}, target, sdk, "zh-TW")
				got, err := stand.run(t, sdk, code, "")
				if err != nil || !strings.Contains(got, "12 left") || shop.calls.Load() != 1 {
					t.Errorf("it prints %q after %d calls, want that 12 are left after 1\n%s", got, shop.calls.Load(), code)
				}
				if sent := stand.sent(t); len(sent) != 1 || target == openai.ResponsesAPI && cmp.Diff(wantRequest(shop.url, nasty, nil, "never"), sent[0]) != "" {
					t.Errorf("it sends %v", sent)
				} else if target == openai.ResponsesAPI {
					checkParams(t, sent[0])
				}
			})
		}
	}
}

// wantRequest is the request that every SDK sends first.
func wantRequest(url, question string, token, approval any) map[string]any {
	tool := map[string]any{"type": "mcp", "server_label": "mcpstore", "server_url": url, "require_approval": approval}
	if token != nil {
		tool["authorization"] = token
	}
	return map[string]any{"model": openai.DefaultModel, "input": question, "tools": []any{tool}}
}

var sellOne = openaitest.Script{{
	Ask: "賣出一顆",
	Calls: []openaitest.Call{
		{Name: "check_stock", Arguments: json.RawMessage(`{}`)},
		{Name: "record_movement", Arguments: json.RawMessage(`{"delta":-1}`)},
	},
	Say: "{output} left", Declined: "nothing sold",
}}

var readsGoAhead = map[string]any{"never": map[string]any{"read_only": true}}

func TestCodeChangesTheStockAfterAYes(t *testing.T) {
	t.Parallel()
	answers := []struct {
		stdin   string
		want    string
		changes int64
	}{{"y\n", "11 left", 1}, {"\n", "nothing sold", 0}}
	for _, target := range []openai.Target{openai.ResponsesAPI, openai.AgentsSDK} {
		for _, sdk := range target.SDKs() {
			if sdk == openai.Curl {
				continue // see TestCurlIsToldOfWhatWaitsForAYes
			}
			t.Run(string(target+" ")+string(sdk), func(t *testing.T) {
				t.Parallel()
				shop := newShop(t, shopToken)
				code := connect(t, openai.Connection{URL: shop.url, Auth: "token", Writes: true, Question: "賣出一顆"}, target, sdk, "en")
				if strings.Contains(code, shopToken) {
					t.Fatalf("it has the token:\n%s", code)
				}
				for _, a := range answers {
					stand := newOpenAI(t, sellOne)
					got, err := stand.run(t, sdk, code, a.stdin)
					changes := shop.changes.Swap(0)
					if err != nil || !strings.Contains(got, `record_movement {"delta":-1}? [y/N] `) || !strings.Contains(got, a.want) || changes != a.changes {
						t.Errorf("after %q it prints %q and changes %d, want %q and %d\n%s", a.stdin, got, changes, a.want, a.changes, code)
					}
					if sent := stand.sent(t); len(sent) != 2 || target == openai.ResponsesAPI && cmp.Diff(wantRequest(shop.url, "賣出一顆", shopToken, readsGoAhead), sent[0]) != "" {
						t.Errorf("it sends %v", sent)
					}
				}
			})
		}
	}
}

func TestCodeWithoutItsTokenSaysSo(t *testing.T) {
	t.Parallel()
	shop, stand := newShop(t, shopToken), newOpenAI(t, nil)
	c := openai.Connection{URL: shop.url, Auth: "oauth"}
	for _, target := range []openai.Target{openai.ResponsesAPI, openai.AgentsSDK} {
		for _, sdk := range target.SDKs() {
			code := strings.ReplaceAll(connect(t, c, target, sdk, "en"), "MCPSTORE_TOKEN", "MCPSTORE_NO_TOKEN")
			if _, err := stand.run(t, sdk, code, ""); err == nil || len(stand.sent(t)) > 0 {
				t.Errorf("%s in %s goes ahead without a token", target, sdk)
			}
		}
	}
}

func TestCurlIsToldOfWhatWaitsForAYes(t *testing.T) {
	t.Parallel()
	shop, stand := newShop(t, shopToken), newOpenAI(t, sellOne)
	c := openai.Connection{URL: shop.url, Auth: "token", Writes: true, Question: "賣出一顆"}
	code := connect(t, c, openai.ResponsesAPI, openai.Curl, "en")
	out, err := stand.run(t, openai.Curl, code, "")
	var response responses.Response
	if err != nil || json.Unmarshal([]byte(out), &response) != nil || len(response.Output) == 0 {
		t.Fatalf("curl prints %q", out)
	}
	asked := response.Output[len(response.Output)-1]
	if asked.Type != "mcp_approval_request" {
		t.Fatalf("the last item is %s", asked.RawJSON())
	}
	request := stand.sent(t)[0]
	if diff := cmp.Diff(wantRequest(shop.url, "賣出一顆", shopToken, readsGoAhead), request); diff != "" {
		t.Errorf("it sends (-want +got):\n%s", diff)
	}
	checkParams(t, request)

	// Then what the guide says to send: the same, with this in the place of the input.
	guide := connect(t, c, openai.ResponsesAPI, "", "en")
	_, after, _ := strings.Cut(guide, "```json\n")
	answer, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatalf("no JSON in the guide:\n%s", guide)
	}
	answer = strings.NewReplacer("resp_…", response.ID, "mcpr_…", asked.ID).Replace(answer)
	from := strings.LastIndex(code, "    \"input\": ")
	out, err = stand.run(t, openai.Curl, code[:from]+answer+"  }'\n", "")
	if err != nil || !strings.Contains(out, "11 left") || shop.changes.Load() != 1 {
		t.Errorf("after a yes, curl prints %q and changes %d", out, shop.changes.Load())
	}
	checkParams(t, stand.sent(t)[1])
}

// checkParams checks that openai-go, whose types are OpenAI's own, knows all that
// is in a request.
func checkParams(t *testing.T, request map[string]any) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var params responses.ResponseNewParams
	if err := json.Unmarshal(body, &params); err != nil {
		t.Fatalf("openai-go does not read %s: %v", body, err)
	}
	again, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(request, parse(t, again)); diff != "" {
		t.Errorf("openai-go knows another request (-sent +known):\n%s", diff)
	}
}
