package openai_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/openai"
)

const publicURL = "https://shop.ngrok-free.dev/mcp"

// connect returns what Connect writes.
func connect(t *testing.T, c openai.Connection, target openai.Target, sdk openai.SDK, lang string) string {
	t.Helper()
	var b strings.Builder
	if err := openai.Connect(&b, c, target, sdk, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestConnectSaysWhatToPaste(t *testing.T) {
	t.Parallel()
	const local = "http://127.0.0.1:8000/mcp"
	tests := []struct {
		name   string
		c      openai.Connection
		target openai.Target
		lang   string
		want   []string // patterns
		not    []string
	}{{
		name: "every target", c: openai.Connection{URL: publicURL},
		want: []string{
			`(?s)^# https://shop\.ngrok-free\.dev/mcp\n.*\n## OpenAI's Playground\n.*\n## Responses API\n.*### curl\n.*### Python\n.*### TypeScript\n.*### Go\n.*\n## Agents SDK\n.*### TypeScript\n.*### Python\n.*\n## ChatGPT\n.*\n## MCP Inspector\n`,
		},
		not: []string{"MCPSTORE_TOKEN", "token create"},
	}, {
		name: "every target, in Chinese", c: openai.Connection{URL: publicURL}, lang: "zh-TW",
		want: []string{
			`(?s)\n## OpenAI Playground\n.*\n## Responses API\n.*\n## Agents SDK\n.*\n## ChatGPT\n.*\n## MCP Inspector\n`,
			`然後問：KOKO便利店的茶葉蛋還有幾個`,
		},
		not: []string{"Then ask", "must be set", "In the"},
	}, {
		name: "the Playground's fields", c: openai.Connection{URL: publicURL, Question: "牛奶還有幾瓶"}, target: "playground",
		want: []string{`URL +https://shop\.ngrok-free\.dev/mcp\n`, `Label +mcpstore\n`, `Authentication +None\n`, `Approval +Never`, `ask: 牛奶還有幾瓶\n`},
		not:  []string{"## Responses"},
	}, {
		name: "a token for the Playground", c: openai.Connection{URL: publicURL, Auth: "token", Writes: true}, target: "playground",
		want: []string{`Authentication +Access token\n`, `Approval +Always`, `\nmcpstore access token create --name playground --scope stock:read,stock:write\n`},
	}, {
		name: "a token for the API", c: openai.Connection{URL: publicURL, Auth: "token"}, target: "responses",
		want: []string{`\nexport MCPSTORE_TOKEN="\$\(mcpstore access token create --name responses --scope stock:read\)"\n`, `\$env:MCPSTORE_TOKEN = mcpstore access token create`},
		not:  []string{"stock:write", "Reading needs no token"},
	}, {
		name: "a token for the API where people sign in", c: openai.Connection{URL: publicURL, Auth: "oauth", Database: "my shop.db"}, target: "responses",
		want: []string{`--name responses --scope stock:read --db 'my shop\.db'\)`},
	}, {
		name: "a token for the API where people sign in elsewhere", c: openai.Connection{URL: publicURL, Auth: "oidc"}, target: "agents",
		want: []string{`--name agents --scope stock:read\)`},
	}, {
		name: "no token to read what anyone may", c: openai.Connection{URL: publicURL, Auth: "token", PublicReads: true}, target: "responses",
		not: []string{"MCPSTORE_TOKEN", "token create"},
	}, {
		name: "a token to change what anyone may read", c: openai.Connection{URL: publicURL, Auth: "token", PublicReads: true, Writes: true}, target: "responses",
		want: []string{`stock:read,stock:write`, `Reading needs no token`},
	}, {
		name: "ChatGPT without signing in", c: openai.Connection{URL: publicURL}, target: "chatgpt",
		want: []string{`Plugins → \+ → Add custom MCP server`, `Settings → Developer mode`, `Authentication +None`, `3\. In a new chat`, `press Refresh`},
		not:  []string{"OAuth", "asks before"},
	}, {
		name: "ChatGPT by a code", c: openai.Connection{URL: publicURL, Auth: "oauth", Writes: true}, target: "chatgpt",
		want: []string{`Authentication +OAuth`, `where none is set, the code`, `4\. In a new chat`, `asks before it changes the stock`},
		not:  []string{"MCPSTORE_TOKEN"},
	}, {
		name: "ChatGPT by a passphrase", c: openai.Connection{URL: publicURL, Auth: "oauth", Passphrase: true}, target: "chatgpt", lang: "zh-TW",
		want: []string{`Authentication +OAuth`, `通行碼`},
		not:  []string{"代碼"},
	}, {
		name: "ChatGPT by another issuer", c: openai.Connection{URL: publicURL, Auth: "oidc"}, target: "chatgpt",
		want: []string{`Authentication +OAuth`, `in your organization`},
	}, {
		name: "ChatGPT cannot send a token", c: openai.Connection{URL: publicURL, Auth: "token"}, target: "chatgpt",
		want: []string{`cannot send a token.*--auth oauth`},
		not:  []string{"Plugins"},
	}, {
		name: "the Inspector with a token", c: openai.Connection{URL: publicURL, Auth: "oauth"}, target: "inspector",
		want: []string{`--header "Authorization: Bearer \$\{MCPSTORE_TOKEN:\?\}"`, `without --header`},
	}, {
		name: "what reaches this machine", c: openai.Connection{URL: local, Local: true},
		want: []string{`(?s)OpenAI cannot reach this URL.*without --local`, `new MCPServerStreamableHttp\(`, `async with MCPServerStreamableHttp\(`, `--server-url http://127\.0\.0\.1:8000/mcp\n`},
		not:  []string{"## ChatGPT", "## Responses", "Playground\n", "hostedMcpTool", "HostedMCPTool", "changes the stock"},
	}, {
		name: "an agent that would not ask may only read", c: openai.Connection{URL: local, Local: true, Auth: "token", Writes: true}, target: "agents",
		want: []string{`let read alone`, `--scope stock:read\)`},
	}, {
		name: "an agent that does not ask", c: openai.Connection{URL: local, Local: true, Writes: true}, target: "agents",
		want: []string{`without asking`, `without --allow-writes`},
	}, {
		name: "agents say what else reaches a server", c: openai.Connection{URL: publicURL}, target: "agents",
		want: []string{`hostedMcpTool\(`, `HostedMCPTool\(`, `(?s)MCPServerStreamableHttp.*5 seconds`},
	}, {
		name: "nothing that a terminal obeys", c: openai.Connection{URL: publicURL, Question: "茶葉蛋\x1b[2J\n\u202e?"},
		want: []string{`ask: 茶葉蛋 \[2J  \?\n`},
		not:  []string{"\x1b", "\u202e"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := connect(t, tt.c, tt.target, "", tt.lang)
			for _, want := range tt.want {
				if !regexp.MustCompile(want).MatchString(got) {
					t.Errorf("no match for %q in:\n%s", want, got)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(got, not) {
					t.Errorf("found %q in:\n%s", not, got)
				}
			}
			if blank := regexp.MustCompile(`\n\n\n[^\n]{0,40}`).FindString(outsideCode(got)); blank != "" || !strings.HasSuffix(got, "\n") || strings.HasSuffix(got, "\n\n") {
				t.Errorf("blank lines, such as before %q, in:\n%s", blank, got)
			}
		})
	}
}

// outsideCode is a text of Markdown without its code.
func outsideCode(text string) string {
	return regexp.MustCompile("(?s)```.*?\n```").ReplaceAllString(text, "```")
}

// The languages must not drift apart: but for the prose, they are the same.
func TestConnectPrintsTheSameCodeInEachLanguage(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile("(?s)```.*?\n```")
	comment := regexp.MustCompile(` *(//|#) .*|throw new Error.*|log\.Fatal\(".*`)
	for _, c := range []openai.Connection{{URL: publicURL}, {URL: publicURL, Auth: "token", Writes: true}, {URL: "http://127.0.0.1:8000/mcp", Local: true, Auth: "oauth"}} {
		en, zh := connect(t, c, "", "", "en"), connect(t, c, "", "", "zh-TW")
		ens, zhs := code.FindAllString(en, -1), code.FindAllString(zh, -1)
		if len(ens) != len(zhs) || len(ens) < 4 {
			t.Fatalf("%d pieces of code in English, %d in Chinese", len(ens), len(zhs))
		}
		for i := range ens {
			if en, zh := comment.ReplaceAllString(ens[i], ""), comment.ReplaceAllString(zhs[i], ""); en != zh {
				t.Errorf("the code differs:\n%s\n%s", en, zh)
			}
		}
	}
}

func TestConnectRefusesWhatItCannotPrint(t *testing.T) {
	t.Parallel()
	here := openai.Connection{URL: "http://127.0.0.1:8000/mcp", Local: true}
	tests := []struct {
		c      openai.Connection
		target openai.Target
		sdk    openai.SDK
		want   string
		local  bool
	}{
		{openai.Connection{URL: publicURL}, "claude", "", `there is no target "claude", only playground, responses, agents, chatgpt, inspector`, false},
		{openai.Connection{URL: publicURL}, "responses", "perl", `"responses" has no code for "perl"`, false},
		{openai.Connection{URL: publicURL}, "agents", "go", `"agents" has no code for "go"`, false},
		{openai.Connection{URL: publicURL}, "chatgpt", "python", `"chatgpt" has no code for "python"`, false},
		{openai.Connection{URL: publicURL}, "", "python", `"" has no code for "python"`, false},
		{here, "playground", "", `connect playground to "http://127.0.0.1:8000/mcp": OpenAI cannot reach it`, true},
		{here, "responses", "curl", `connect responses to`, true},
		{here, "chatgpt", "", `connect chatgpt to`, true},
	}
	for _, tt := range tests {
		var b strings.Builder
		err := openai.Connect(&b, tt.c, tt.target, tt.sdk, "en")
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, openai.ErrLocal) != tt.local || b.Len() > 0 {
			t.Errorf("Connect(%v, %q, %q) = %v after %q, want %q", tt.c, tt.target, tt.sdk, err, b.String(), tt.want)
		}
	}
}

// A request that might be answered twice could change the stock twice.
func TestCodeThatMayChangeStockSendsNothingAgain(t *testing.T) {
	once := map[openai.SDK]string{openai.Python: "max_retries=0", openai.TypeScript: "maxRetries: 0", openai.Go: "option.WithMaxRetries(0)"}
	for _, target := range []openai.Target{openai.ResponsesAPI, openai.AgentsSDK} {
		for _, sdk := range target.SDKs() {
			for _, writes := range []bool{false, true} {
				var out strings.Builder
				if err := openai.Connect(&out, openai.Connection{URL: publicURL, Writes: writes}, target, sdk, "en"); err != nil {
					t.Fatal(err)
				}
				if want, sends := once[sdk]; sends && strings.Contains(out.String(), want) != writes {
					t.Errorf("%s for %s, with writes %v:\n%s", sdk, target, writes, out.String())
				}
			}
		}
	}
}
