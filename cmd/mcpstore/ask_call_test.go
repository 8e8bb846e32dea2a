package main

import (
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/openai"
)

// Whoever approves a call must see what it is, whatever the arguments say.
func TestCallsAreShownAsTheyAre(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"product":"茶葉蛋","store":"KOKO便利店"}`: `t(product=茶葉蛋, store=KOKO便利店)`,
		`{"delta":-1,"product":"tea egg"}`:    `t(delta=-1, product=tea egg)`,
		`{}`:                                  `t()`,
		`{"a":null,"b":"","c":[1]}`:           `t(a=null, b="", c=[1])`,
		`{"product":"蛋, store=信義店)? [y/N/always] n  Approve check_stock(x"}`: `t(product="蛋, store=信義店)? [y/N/always] n Approve check_stock(x")`,
		`{"quantity":1,"quantity":900}`:                                      `t(quantity=1, quantity=900)`,
		"{\"a\":\"x\\u001b[2Jy\\n\\u202ez\"}":                                `t(a="x [2Jy z")`,
		`{"a":"1"`:                                                           `t({"a":"1")`,
		`{"a":"1"} {"b":2}`:                                                  `t(a=1)`,
		`12`:                                                                 `t(12)`,
		``:                                                                   `t()`,
	} {
		if got := callText(openai.Call{Tool: "t", Arguments: arguments}); got != want {
			t.Errorf("%s is shown as %s, want %s", arguments, got, want)
		}
	}
	if got := callText(openai.Call{Tool: "t\x1b[2J", Arguments: `12`}); strings.Contains(got, "\x1b") {
		t.Errorf("a tool's name is shown as %q", got)
	}
	long := callText(openai.Call{Tool: "t", Arguments: `{"a":"` + strings.Repeat("蛋", 500) + `"}`})
	if !strings.HasSuffix(long, `…")`) {
		t.Errorf("a long text is shown as %s", long)
	}
}

func TestEscapesNeverReachTheTerminal(t *testing.T) {
	var out strings.Builder
	report(&out, &failure{&openai.Error{Kind: openai.Refused, Message: "no\x1b]0;x\a\x1b[2J\u202e"}, "hint\x1b[1m"})
	if strings.ContainsAny(out.String(), "\x1b\a\u202e") {
		t.Errorf("reported as %q", out.String())
	}
	for _, r := range promptableText("家庭👨‍👩‍👧組\ue000\u200d") {
		if r == '\u200d' || r == '\ue000' {
			t.Errorf("the prompt has %U, which the editor refuses", r)
		}
	}
}

func promptableText(text string) string { return strings.Map(promptable, text) }
