package openai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/openai"
	"github.com/mcpstore/mcpstore/internal/openai/openaitest"
)

// TypeScript is checked as strictly as it can be, against the packages that it
// is for.
func TestTypeScriptHasTheTypesOfItsPackages(t *testing.T) {
	t.Parallel()
	home := clientsHome(t)
	dir := t.TempDir()
	link(t, home, dir)
	var names []string
	for _, target := range []openai.Target{openai.ResponsesAPI, openai.AgentsSDK} {
		for _, auth := range []string{"none", "token"} {
			for _, writes := range []bool{false, true} {
				for _, local := range []bool{false, true} {
					if local && !target.Reaches() {
						continue
					}
					c := openai.Connection{URL: publicURL, Auth: auth, Writes: writes, Local: local, Question: nasty}
					name := fmt.Sprintf("%s-%s-%t-%t.mts", target, auth, writes, local)
					if err := os.WriteFile(filepath.Join(dir, name), []byte(connect(t, c, target, openai.TypeScript, "zh-TW")), 0o600); err != nil {
						t.Fatal(err)
					}
					names = append(names, name)
				}
			}
		}
	}
	args := []string{filepath.Join(home, "node_modules/typescript/bin/tsc"),
		"--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noUnusedLocals", "--noUnusedParameters", "--erasableSyntaxOnly",
		"--skipLibCheck", "--target", "es2023", "--module", "nodenext", "--types", "node"}
	cmd := exec.CommandContext(t.Context(), filepath.Join(home, "node"), append(args, names...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
}

// newModel is a stand-in for OpenAI that has its client call check_stock, and
// answers with what that puts out: what openaitest does not do, since there
// OpenAI itself calls the tools.
func newModel(t *testing.T, question string) *openAI {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Input json.RawMessage
			Tools []struct{ Type, Name string }
		}
		var text string
		var items []struct{ Type, Role, Content string }
		err := json.NewDecoder(r.Body).Decode(&request)
		if json.Unmarshal(request.Input, &text) != nil {
			_ = json.Unmarshal(request.Input, &items)
			for _, i := range items {
				if i.Role == "user" {
					text = i.Content
				}
			}
		}
		var output any
		switch {
		case err != nil || r.Header.Get("Authorization") != "Bearer "+openaitest.APIKey || text != question:
			http.Error(w, fmt.Sprintf("%v, or not what was expected: %s", err, request.Input), http.StatusBadRequest)
			return
		case strings.Contains(string(request.Input), `"function_call_output"`):
			output = map[string]any{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
				"content": []any{map[string]any{"type": "output_text", "text": "there are some", "annotations": []any{}}}}
		case len(request.Tools) == 2 && request.Tools[0].Type == "function" && request.Tools[0].Name == "check_stock":
			output = map[string]any{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "check_stock", "arguments": "{}", "status": "completed"}
		default: // the stand-in for Python does not list tools
			output = map[string]any{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
				"content": []any{map[string]any{"type": "output_text", "text": "no tools", "annotations": []any{}}}}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "resp_1", "object": "response", "status": "completed", "output": []any{output}})
	}))
	t.Cleanup(web.Close)
	return &openAI{url: web.URL}
}

func TestAgentsCallAServerThatOpenAICannotReach(t *testing.T) {
	t.Parallel()
	wants := map[openai.SDK]struct {
		answer string
		calls  int64
	}{openai.TypeScript: {"there are some\n", 1}, openai.Python: {"no tools\n", 0}}
	for _, sdk := range openai.AgentsSDK.SDKs() {
		for _, token := range []string{"", shopToken} {
			t.Run(string(sdk)+" "+token, func(t *testing.T) {
				t.Parallel()
				shop, stand := newShop(t, token), newModel(t, nasty)
				c := openai.Connection{URL: shop.url, Local: true, Writes: true, Question: nasty}
				if token != "" {
					c.Auth = "token"
				}
				code := connect(t, c, openai.AgentsSDK, sdk, "en")
				got, err := stand.run(t, sdk, code, "")
				if want := wants[sdk]; err != nil || got != want.answer || shop.calls.Load() != want.calls {
					t.Errorf("it prints %q after %d calls, want %q after %d\n%s", got, shop.calls.Load(), want.answer, want.calls, code)
				}
				c.URL += "/nowhere"
				if got, err := stand.run(t, sdk, connect(t, c, openai.AgentsSDK, sdk, "en"), ""); err == nil {
					t.Errorf("without a server it prints %q", got)
				}
			})
		}
	}
}

func TestInspectorListsTheTools(t *testing.T) {
	t.Parallel()
	bash, home := needs(t, "bash"), clientsHome(t)
	bin := t.TempDir()
	npx := fmt.Sprintf("#!%s\n[ \"$1\" = @modelcontextprotocol/inspector ] && shift && exec %q %q \"$@\"\n",
		bash, filepath.Join(home, "node"), filepath.Join(home, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"))
	if err := os.WriteFile(filepath.Join(bin, "npx"), []byte(npx), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", shopToken} {
		t.Run(token, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, token)
			c := openai.Connection{URL: shop.url, Local: true}
			if token != "" {
				c.Auth = "oauth"
			}
			guide := connect(t, c, openai.Inspector, "", "en")
			_, command, _ := strings.Cut(guide, "In the terminal:\n\n```sh\n")
			command, _, _ = strings.Cut(command, "```")
			web := strings.Replace(command, " --cli", "", 1)
			if !strings.Contains(guide, strings.Replace(web, " --method tools/list", "", 1)) {
				t.Errorf("the two commands differ in more than how they are used:\n%s", guide)
			}
			run := exec.CommandContext(t.Context(), bash, "-c", command)
			run.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "MCPSTORE_TOKEN="+shopToken, "NO_PROXY=*", "no_proxy=*")
			out, err := run.CombinedOutput()
			if err != nil || !strings.Contains(string(out), `"check_stock"`) {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
		})
	}
}
